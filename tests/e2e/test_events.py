"""From an event at the door to a card in a chat, with everything in between as it is in production but the messenger."""

import asyncio
import statistics
import uuid
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

import aiohttp
from aiohttp import web
from openlineage.client import OpenLineageClient
from openlineage.client.event_v2 import Job, OutputDataset, Run, RunEvent, RunState
from openlineage.client.facet_v2 import error_message_run
from openlineage.client.transport.http import ApiKeyTokenProvider, HttpConfig, HttpTransport

from bots.app import Application, running
from core.access import Person
from core.cards import Card
from core.messages import Conversation
from core.results import TableReport
from core.settings import Settings
from tests.core.event_samples import cloud_event
from tests.fakes.chat import FakeChat
from tests.waiting import eventually

KEY = "lineage-key-of-ours"
TOKEN = "path-token-of-ours"
FAILURES = 60
WITHIN = 10.0
"""Seconds from a failure to its card for 99 of 100, on a machine that has other work; measured: 2.1."""


@dataclass
class Timed(FakeChat):
    """A chat that knows when each card came, by the name it is about."""

    name: str = "chat"
    at: dict[str, float] = field(default_factory=dict[str, float])

    def __post_init__(self) -> None:
        super().__init__(self.name)

    async def send(self, conversation: Conversation, card: Card, *, key: str) -> str:
        """Show a card."""
        self.at.setdefault(card.title.partition(":")[0], monotonic())
        return await super().send(conversation, card, key=key)

    @property
    def titles_now(self) -> list[str]:
        """Titles of all cards as they are now."""
        return [versions[-1].title for versions in self.cards.values()]


@dataclass
class Site:
    """X-Ops with a chat and an address."""

    application: Application
    chat: Timed
    address: str


@asynccontextmanager
async def site(path: Path) -> AsyncGenerator[Site]:
    """X-Ops that listens to OpenLineage and to DataWorks, with a group that hears of everything."""
    mirrors = [
        {"name": "spark", "kind": "mirror", "source": "openlineage"},
        {"name": "dw", "kind": "mirror", "source": "dataworks"},
    ]
    settings = Settings.model_validate(
        {
            "language": "en",
            "storage": {"url": f"sqlite:///{path}/xops.sqlite"},
            "schedulers": mirrors,
            "people": [{"name": "ann", "role": "admin", "projects": ["*"]}],
            "events": {"lineage_key": KEY, "path_token": TOKEN},
            "subscriptions": [{"channel": "chat", "chat": "ops", "about": "all"}],
        }
    )
    chat = Timed()
    async with running(settings, accepting=True, channels=[chat]) as application:
        served = web.Application()
        served.add_routes(application.events.routes())
        runner = web.AppRunner(served, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            yield Site(application, chat, f"http://127.0.0.1:{runner.addresses[0][1]}")
        finally:
            await runner.cleanup()


def reporting(address: str) -> Callable[[str, RunState], None]:
    """The official client: tells of a run of `etl.load_orders`, which writes `dw.orders`."""
    config = HttpConfig(url=address, auth=ApiKeyTokenProvider({"apiKey": KEY}), retry={"total": 0})
    client = OpenLineageClient(transport=HttpTransport(config))

    def tell(run: str, state: RunState) -> None:
        told = error_message_run.ErrorMessageRunFacet("relation shop.orders does not exist", "SQL")
        client.emit(
            RunEvent(
                eventTime=datetime.now(UTC).isoformat(),
                producer="https://example.com/scheduler",
                run=Run(runId=run, facets={"errorMessage": told} if state is RunState.FAIL else {}),
                job=Job(namespace="warehouse", name="etl.load_orders"),
                eventType=state,
                outputs=[OutputDataset(namespace="postgres://dw", name="dw.orders")],
            )
        )

    return tell


async def test_a_failing_run_becomes_a_card_and_a_good_one_makes_the_table_fresh(tmp_path: Path) -> None:
    """The project's own client sends; nobody asks, and the chat hears of it; the table's freshness is its output dataset's."""
    async with site(tmp_path) as running_site:
        tell = reporting(running_site.address)
        failed, good = str(uuid.uuid4()), str(uuid.uuid4())
        for state in (RunState.START, RunState.FAIL):
            await asyncio.to_thread(tell, failed, state)
        await eventually(lambda: running_site.chat.titles_now)
        (card,) = [versions[-1] for versions in running_site.chat.cards.values()]
        assert "etl.load_orders" in card.title
        assert "relation shop.orders does not exist" in repr(card)
        for state in (RunState.START, RunState.COMPLETE):
            await asyncio.to_thread(tell, good, state)
        look, ann = running_site.application.look, Person("ann", "admin", frozenset({"*"}))
        report = await look.table(ann, "dw.orders")
        assert isinstance(report, TableReport)
        assert report.verdict == "updated"
        await eventually(lambda: running_site.chat.titles_now == ["etl.load_orders has recovered"])


async def test_failures_become_cards_within_seconds(tmp_path: Path) -> None:
    """Sixty failures, each of a project of its own, so that each is a card: the time from the request to the messenger."""
    async with site(tmp_path) as running_site, aiohttp.ClientSession() as session:
        await running_site.application.work.cancel("nothing")  # returns once durable work has begun
        sent: dict[str, float] = {}
        for number in range(FAILURES):
            sent[f"node_{number}"] = monotonic()
            await _push(session, running_site.address, number)
        await eventually(lambda: len(running_site.chat.at) >= FAILURES)
        seconds = sorted(running_site.chat.at[name] - began for name, began in sent.items())
        assert seconds[int(len(seconds) * 0.99)] < WITHIN, (statistics.median(seconds), seconds[-1])


async def _push(session: aiohttp.ClientSession, address: str, number: int) -> None:
    """DataWorks tells of a failure, through a relay."""
    now = int(datetime.now(UTC).timestamp() * 1000)
    data = {
        "taskId": number,
        "nodeId": f"node_{number}",
        "status": 5,
        "taskType": 0,
        "dagType": 0,
        "appId": 1000 + number,
        "modifyTime": now,
    }
    event = cloud_event("dataworks:InstanceStatusChanges:InstanceStatusChanges", data, f"f{number}")
    async with session.post(f"{address}/events/dataworks/{TOKEN}", json=event) as answer:
        assert answer.status == 200, await answer.text()
