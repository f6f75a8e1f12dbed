"""How many calls of its API a question to Airflow costs with ten thousand instances: see docs/schedulers.md.

What a diagnosis costs does not depend on the size of the night, asked of a real Airflow in tests/airflow/test_reading.py.
"""

import asyncio
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from aiohttp import web

from core.http import Http
from core.results import InstanceList, Overview
from core.schedulers.airflow import AirflowScheduler
from core.schedulers.base import Status
from core.schedulers.fleet import Fleet
from core.tools.look import Look
from tests.core.costs import AIRFLOW
from tests.core.test_airflow import many
from tests.fakes.airflow import FakeAirflow
from tests.fakes.desk import ADMIN, access

NOW = datetime(2026, 11, 23, 4, tzinfo=UTC)


@pytest.fixture
async def airflow() -> AsyncGenerator[FakeAirflow]:
    async with FakeAirflow() as server:
        many(server, 10_000)
        for one in server.instances[:40]:
            one["state"] = "failed"
        yield server


@pytest.fixture
async def look(airflow: FakeAirflow) -> AsyncGenerator[Look]:
    """Definitions are known, as they are for a minute after the first question."""
    http = Http()
    await http.start()
    scheduler = AirflowScheduler(airflow.connection(), http, zone=ZoneInfo("Asia/Shanghai"), clock=lambda: NOW)
    await scheduler.tasks("load")
    airflow.asked.clear()
    yield Look(Fleet([scheduler]), access(), clock=lambda: NOW)
    await scheduler.close()
    await http.stop()


async def test_an_overview_costs_a_call_a_status_and_two_for_the_failures(look: Look, airflow: FakeAirflow) -> None:
    """It is asked anew each time: Airflow counts by itself, so there is nothing worth remembering."""
    for _ in range(2):
        airflow.asked.clear()
        found = await look.overview(ADMIN)
        assert isinstance(found, Overview)
        assert found.operable.counts == {Status.FAILED: 40, Status.SUCCESS: 9_960}
        assert len(airflow.asked) == AIRFLOW.overview


async def test_the_list_of_failures_costs_one_call(look: Look, airflow: FakeAirflow) -> None:
    found = await look.instances(ADMIN, kind="failed")
    assert isinstance(found, InstanceList)
    assert found.total == 40
    assert len(airflow.asked) == AIRFLOW.failed


async def test_a_group_that_asks_during_a_refusal_makes_no_storm(look: Look, airflow: FakeAirflow) -> None:
    """Airflow has no quota; a gateway before it may. After the first refusal only what was under way is asked."""
    airflow.trouble = lambda: web.Response(status=429, headers={"Retry-After": "5"})
    for found in await asyncio.gather(*(look.overview(ADMIN) for _ in range(100))):
        assert isinstance(found, Overview)
        assert [outage.error for outage in found.outages] == ["throttled"]
    assert len(airflow.asked) <= AIRFLOW.refused
