"""OpenLineage over HTTP, with the project's own client as the other side."""

import asyncio
import json
import uuid
from datetime import UTC, datetime

import pytest
from openlineage.client import OpenLineageClient
from openlineage.client.event_v2 import (
    DatasetEvent,
    InputDataset,
    Job,
    JobEvent,
    OutputDataset,
    Run,
    RunEvent,
    RunState,
    StaticDataset,
)
from openlineage.client.transport.http import ApiKeyTokenProvider, HttpCompression, HttpConfig, HttpTransport
from requests import HTTPError

from core.events import openlineage as ours
from core.events.incoming import OPENLINEAGE, read_event
from tests.bots.conftest import OpenSite
from tests.bots.events_site import KEY, Site

AT = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
RUN = "01941ac4-0000-7000-8000-000000000001"
PATH = "/api/v1/lineage"


def client(site: Site, key: str = KEY, *, compressed: bool = False) -> OpenLineageClient:
    """The official client, pointed at X-Ops."""
    config = HttpConfig(
        url=site.address,
        auth=ApiKeyTokenProvider({"apiKey": key}),
        compression=HttpCompression.GZIP if compressed else None,
        retry={"total": 0},
    )
    return OpenLineageClient(transport=HttpTransport(config))


def run_event(state: RunState = RunState.FAIL) -> RunEvent:
    """A run of a task that reads one table and writes another."""
    return RunEvent(
        eventTime=AT.isoformat(),
        producer="https://example.com/scheduler",
        run=Run(runId=RUN),
        job=Job(namespace="airflow", name="daily.load_orders"),
        eventType=state,
        inputs=[InputDataset(namespace="postgres://shop", name="shop.public.orders")],
        outputs=[OutputDataset(namespace="warehouse", name="dw.orders")],
    )


@pytest.mark.parametrize("compressed", [False, True])
async def test_the_official_client_is_understood(open_site: OpenSite, compressed: bool) -> None:
    """Its run, job and dataset events, plain and compressed; sent twice they are stored once."""
    site = await open_site()
    sender = client(site, compressed=compressed)
    dataset = DatasetEvent(
        eventTime=AT.isoformat(),
        producer="https://example.com",
        dataset=StaticDataset(namespace="warehouse", name="dw.orders"),
    )
    job = JobEvent(eventTime=AT.isoformat(), producer="https://example.com", job=Job(namespace="dbt", name="orders"))
    for event in (run_event(RunState.START), run_event(), run_event(), dataset, dataset, job):
        await asyncio.to_thread(sender.emit, event)
    assert len(site.applied) == 4
    assert site.applied[:2] == [f"{RUN}/START/{AT.isoformat()}", f"{RUN}/FAIL/{AT.isoformat()}"]
    assert await site.journal.dead() == []


async def test_another_key_is_refused(open_site: OpenSite) -> None:
    """And so is none."""
    site = await open_site()
    with pytest.raises(HTTPError, match="401"):
        await asyncio.to_thread(client(site, "another-key").emit, run_event())
    assert (await site.post(PATH, b"{}"))[0] == 401


async def test_what_is_no_lineage_is_set_aside(open_site: OpenSite) -> None:
    """With the fields that are missing."""
    site = await open_site()
    status, answer = await site.post(
        PATH, b'{"run": {}, "eventTime": "2026-11-22T02:00:00Z"}', {"Authorization": f"Bearer {KEY}"}
    )
    assert (status, answer["error"]) == (400, "not an OpenLineage event: job, run.runId")


def test_a_run_event_names_what_it_is_about() -> None:
    """The run, the job and what it writes; facets nobody describes are kept."""
    facets = {"errorMessage": {"message": "disk full", "programmingLanguage": "PYTHON"}}
    event = {
        "eventType": "FAIL",
        "eventTime": "2026-11-22T10:00:00+08:00",
        "run": {"runId": RUN, "facets": facets},
        "job": {"namespace": "airflow", "name": "daily.load_orders"},
        "outputs": [
            {"namespace": "warehouse", "name": "dw.orders", "outputFacets": {"outputStatistics": {"rowCount": 3}}}
        ],
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json",
    }
    body = read_event(OPENLINEAGE, json.loads(json.dumps(event)), AT).body
    assert isinstance(body, ours.RunEvent)
    assert (body.event_type, body.at, body.run.facets) == (ours.RunState.FAIL, AT, facets)
    assert body.subjects == (("run", RUN), ("job", "daily.load_orders"), ("table", "dw.orders"))
    assert (body.project, body.outputs[0].output_facets["outputStatistics"]["rowCount"]) == ("airflow", 3)


def test_an_unknown_state_is_kept() -> None:
    """The specification may grow."""
    event = {"eventType": "PAUSED", "run": {"runId": str(uuid.uuid4())}, "job": {"namespace": "a", "name": "b"}}
    body = read_event(OPENLINEAGE, {**event, "eventTime": "2026-11-22T02:00:00Z"}, AT).body
    assert isinstance(body, ours.RunEvent)
    assert body.event_type == "PAUSED"
