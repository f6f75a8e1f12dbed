"""Airflow behind the scheduler seam, on recorded answers: cost, errors, log-ins. tests/airflow has the real server."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from aiohttp import web

from core.errors import BadInput, NotFound, Refused, Throttled, Unauthorized, Unreachable, XOpsError
from core.http import Http
from core.schedulers.airflow import AirflowScheduler
from core.schedulers.base import InstanceQuery, RunType, Status, TableUpdate
from tests.fakes.airflow import FakeAirflow, recorded

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 23, 4, tzinfo=UTC)


@pytest.fixture
async def airflow() -> AsyncGenerator[FakeAirflow]:
    async with FakeAirflow() as server:
        yield server


@pytest.fixture
async def http() -> AsyncGenerator[Http]:
    session = Http()
    await session.start()
    yield session
    await session.stop()


@pytest.fixture
async def scheduler(airflow: FakeAirflow, http: Http) -> AsyncGenerator[AirflowScheduler]:
    one = AirflowScheduler(airflow.connection(), http, zone=ZONE, clock=lambda: NOW)
    yield one
    await one.close()


def of_task(airflow: FakeAirflow, task: str) -> dict[str, Any]:
    """The recorded instance of a task."""
    return next(one for one in airflow.instances if one["task_id"] == task)


def many(airflow: FakeAirflow, number: int) -> None:
    """Let there be so many instances of `load`, alike but for their run."""
    pattern = of_task(airflow, "load")
    airflow.instances = [pattern | {"dag_run_id": f"scheduled__{i}", "state": "success"} for i in range(number)]


async def test_ten_thousand_instances_are_counted_in_a_few_small_calls(
    airflow: FakeAirflow, scheduler: AirflowScheduler
) -> None:
    many(airflow, 10_000)
    assert await scheduler.counts(InstanceQuery()) == {Status.SUCCESS: 10_000}
    assert len(airflow.asked) <= 12


async def test_ten_thousand_instances_of_an_owner_are_read_in_ten_calls(
    airflow: FakeAirflow, scheduler: AirflowScheduler
) -> None:
    many(airflow, 10_000)
    owner = (await scheduler.tasks("trade_daily/load"))[0].owner
    airflow.asked.clear()
    assert await scheduler.counts(InstanceQuery(owner=owner)) == {Status.SUCCESS: 10_000}
    assert airflow.asked == ["POST /api/v2/dags/~/dagRuns/~/taskInstances/list"] * 10


async def test_more_than_can_be_read_is_said_rather_than_cut(airflow: FakeAirflow, scheduler: AirflowScheduler) -> None:
    many(airflow, 50_001)
    with pytest.raises(BadInput):
        await scheduler.counts(InstanceQuery(projects=frozenset({"trade_daily"})))


async def test_a_page_is_put_together_from_airflows_smaller_ones(
    airflow: FakeAirflow, scheduler: AirflowScheduler
) -> None:
    many(airflow, 300)
    page = await scheduler.instances(InstanceQuery(limit=150, offset=120))
    assert [one.id.split("/")[1] for one in page.items] == [f"scheduled__{i}" for i in range(120, 270)]
    assert (page.total, page.as_of) == (300, NOW)


async def test_a_state_airflow_has_not_told_us_of_is_unknown_and_counted(
    airflow: FakeAirflow, scheduler: AirflowScheduler
) -> None:
    of_task(airflow, "load")["state"] = "pondering"
    (one,) = (await scheduler.instances(InstanceQuery(task="trade_daily/load"))).items
    assert (one.status, one.raw_status) == (Status.UNKNOWN, "pondering")
    assert (await scheduler.counts(InstanceQuery()))[Status.UNKNOWN] == 1


async def test_a_status_or_kind_of_run_airflow_does_not_tell_apart_matches_nothing(scheduler: AirflowScheduler) -> None:
    for query in (InstanceQuery(), InstanceQuery(owner="wang.lei")):
        killed = replace(query, statuses=frozenset({Status.KILLED}))
        tested = replace(query, run_types=frozenset({RunType.TEST}))
        for one in (killed, tested):
            assert (await scheduler.instances(one)).total == 0
            assert not await scheduler.counts(one)


async def test_many_who_ask_at_once_log_in_once_and_fetch_definitions_once(
    airflow: FakeAirflow, scheduler: AirflowScheduler
) -> None:
    found = await asyncio.gather(*(scheduler.tasks("transform") for _ in range(20)))
    assert len(set(found)) == 1
    assert airflow.asked.count("POST /auth/token") == 1
    assert airflow.asked.count("GET /api/v2/dags/trade_daily/tasks") == 1


async def test_an_ended_session_is_renewed_once(airflow: FakeAirflow, scheduler: AirflowScheduler) -> None:
    await scheduler.health()
    airflow.token = "second"
    assert (await scheduler.health()).version == "3.3.2"
    assert airflow.asked.count("POST /auth/token") == 2


async def test_a_fixed_token_that_is_refused_is_not_asked_for_again_and_again(airflow: FakeAirflow, http: Http) -> None:
    fixed = AirflowScheduler(airflow.connection(token="stale"), http, zone=ZONE)
    with pytest.raises(Unauthorized):
        await fixed.projects()
    assert airflow.asked == ["GET /api/v2/dags"] * 2


async def test_a_wrong_password_is_said_without_the_password(airflow: FakeAirflow, http: Http) -> None:
    wrong = AirflowScheduler(airflow.connection(password="hunter2-hunter2"), http, zone=ZONE)
    with pytest.raises(Unauthorized) as refusal:
        await wrong.projects()
    assert "hunter2" not in f"{refusal.value!r}{refusal.value.details}"


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (403, '{"detail": "Forbidden"}', Refused),
        (404, '{"detail": "no such DAG"}', NotFound),
        (409, '{"detail": {"reason": "Unique constraint violation"}}', Refused),
        (422, '{"detail": [{"msg": "Extra inputs are not permitted"}]}', Refused),
        (429, "slow down", Throttled),
        (500, "Internal Server Error", Unreachable),
        (302, "", Refused),
        (200, "<html>Sign in</html>", Refused),
        (200, '{"dags": "none"}', Refused),
        (200, "null", Refused),
        (599, "", Unreachable),
    ],
)
async def test_what_an_answer_means(
    airflow: FakeAirflow, scheduler: AirflowScheduler, status: int, body: str, error: type[XOpsError]
) -> None:
    airflow.trouble = lambda: web.Response(status=status, text=body)
    with pytest.raises(error):
        await scheduler.projects()


async def test_the_servers_own_words_are_kept_and_bounded(airflow: FakeAirflow, scheduler: AirflowScheduler) -> None:
    airflow.trouble = lambda: web.json_response({"detail": "busy " * 1000}, status=409)
    with pytest.raises(Refused, match="busy") as refusal:
        await scheduler.projects()
    assert len(str(refusal.value)) < 400


async def test_the_first_and_last_days_of_the_calendar_are_days_too(scheduler: AirflowScheduler) -> None:
    for day in (date.max, date.min):
        assert (await scheduler.instances(InstanceQuery(day=day))).items


async def test_a_failure_is_not_remembered(airflow: FakeAirflow, scheduler: AirflowScheduler) -> None:
    airflow.trouble = lambda: web.Response(status=500)
    with pytest.raises(Unreachable):
        await scheduler.projects()
    airflow.trouble = None
    assert "trade_daily" in await scheduler.projects()


async def test_a_server_that_does_not_answer_in_time_is_unreachable(http: Http) -> None:
    """The server takes the connection and never says a word."""
    silent = asyncio.Event()

    async def hold(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await silent.wait()
        writer.close()

    async with await asyncio.start_server(hold, "127.0.0.1", 0) as server, FakeAirflow() as elsewhere:
        port = server.sockets[0].getsockname()[1]
        settings = elsewhere.connection(url=f"http://127.0.0.1:{port}", token="fixed", timeout_seconds=0.05)
        with pytest.raises(Unreachable) as late:
            await AirflowScheduler(settings, http, zone=ZONE).projects()
        silent.set()
    assert late.value.code == "timeout"


async def test_what_is_wrong_with_airflow_itself_is_said_by_health(
    airflow: FakeAirflow, scheduler: AirflowScheduler
) -> None:
    sick = {"status": "unhealthy"}
    airflow.answers |= {
        "version": {"version": "3.1.8"},
        "monitor/health": {"scheduler": sick, "dag_processor": sick},
        "dags": {"dags": [], "total_entries": 0},
    }
    health = await scheduler.health()
    assert len(health.problems) == 4
    assert "3.1.8" in health.problems[0]


async def test_an_asset_whose_reader_is_queued_still_tells_when_it_was_written(
    airflow: FakeAirflow, scheduler: AirflowScheduler
) -> None:
    """Airflow fails to list the event then; any other failure is one of ours too."""
    (asset,) = (one for one in recorded("assets")["assets"] if one["name"] == "orders_raw")
    told = asset | {"last_asset_event": {"id": 7, "timestamp": "2026-11-23T03:59:00Z"}}
    airflow.answers |= {"assets/events": 500, f"assets/{asset['id']}": told}
    (table,) = await scheduler.tables("orders_raw")
    assert table.updates == (TableUpdate(NOW - timedelta(minutes=1)),)
    airflow.answers[f"assets/{asset['id']}"] = asset | {"last_asset_event": {"id": None, "timestamp": None}}
    assert (await scheduler.tables("orders_raw"))[0].updates == ()
    airflow.answers["assets/events"] = 503
    with pytest.raises(Unreachable):
        await scheduler.tables("orders_raw")
