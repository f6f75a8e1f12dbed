"""How many calls of its API a question to DolphinScheduler costs with ten thousand instances: see docs/dolphinscheduler.md."""

import asyncio
from collections.abc import AsyncGenerator

import pytest
from aiohttp import web

from core.results import Diagnosed, InstanceList, Overview
from core.schedulers.base import Status
from core.schedulers.fleet import Fleet
from core.tools.look import Look
from tests.core.costs import DOLPHINSCHEDULER
from tests.core.dolphins import Pair, dolphin
from tests.fakes.desk import ADMIN, access


@pytest.fixture(params=["3.1.9", "3.4.3"])
async def pair(request: pytest.FixtureRequest) -> AsyncGenerator[Pair]:
    """Definitions are known, as they are for five minutes after the first question."""
    async with dolphin(request.param, projects=("trade",)) as one:
        one.server.many(10_000, failed=40)
        await one.scheduler.tasks("ods_order")
        one.server.asked.clear()
        yield one


def look(pair: Pair) -> Look:
    return Look(Fleet([pair.scheduler]), access(), clock=pair.server.clock)


async def test_an_overview_of_ten_thousand_costs_29_calls_and_then_none(pair: Pair) -> None:
    """21 pages of rows, 3 of workflow instances, 3 for what has not begun, and 2 for the day before."""
    found = await look(pair).overview(ADMIN)
    assert isinstance(found, Overview)
    assert found.operable.counts[Status.FAILED] == 41
    assert sum(found.operable.counts.values()) > 10_000
    assert len(pair.server.asked) == DOLPHINSCHEDULER.overview, pair.server.count
    pair.server.asked.clear()
    await look(pair).overview(ADMIN)
    failures = await look(pair).instances(ADMIN, kind="failed")
    assert isinstance(failures, InstanceList)
    assert failures.total == 41
    assert pair.server.asked == []


async def test_the_list_of_failures_alone_costs_27_calls(pair: Pair) -> None:
    found = await look(pair).instances(ADMIN, kind="failed")
    assert isinstance(found, InstanceList)
    assert len(pair.server.asked) == DOLPHINSCHEDULER.failed


async def test_a_diagnosis_costs_17_calls_whatever_the_size_of_the_night(pair: Pair) -> None:
    """Two of them are to the audit log, which 3.1 cannot search by name."""
    found = await look(pair).diagnose(ADMIN, f"ds:{pair.server.id('dws_trade_order_di')}")
    assert isinstance(found, Diagnosed)
    assert len(pair.server.asked) == DOLPHINSCHEDULER.diagnosis - 2 * (pair.server.version < "3.2"), pair.server.count


async def test_a_group_that_asks_while_the_server_says_slow_down_makes_no_storm(pair: Pair) -> None:
    """After the first refusal nothing more is asked than what was under way, at most eight calls, by whomever."""
    pair.server.trouble = lambda _: web.Response(status=429)
    asked = look(pair)
    at_once = await asyncio.gather(*(asked.overview(ADMIN) for _ in range(100)))
    for found in (*at_once, await asked.overview(ADMIN)):
        assert isinstance(found, Overview)
        assert [outage.scheduler for outage in found.outages] == ["ds"]
    assert len(pair.server.asked) <= DOLPHINSCHEDULER.refused, pair.server.count
