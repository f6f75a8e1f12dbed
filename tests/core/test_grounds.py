"""How old an answer is and whose part it lacks: noted where something old is used, told on the card."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from core.i18n import words
from core.results import Diagnosed, InstanceDetail, InstanceList, Observed, Overview, TableReport
from core.schedulers.dataworks import DataWorksScheduler
from core.schedulers.fleet import Fleet
from core.schedulers.grounds import Outage, Source, gathered, lacks, rests_on
from core.schedulers.memory import Memory
from core.schedulers.simulated import SimulatedScheduler
from core.settings import SchedulerConnection
from core.store import Store
from core.tools.look import Look
from core.views import show
from tests.core.test_mirror_state import status
from tests.fakes.dataworks import FakeDataWorks
from tests.fakes.desk import ADMIN, access, of
from tests.fakes.event_stream import ZONE, journal, mirror
from tests.fakes.wall_clock import WallClock


def said(result: Observed) -> str:
    """The card in English."""
    return show(result, words("en"), ZONE, ADMIN).as_text()


# ── noting
async def test_the_oldest_of_each_scheduler_is_noted_however_deep_it_was_used() -> None:
    async def deep(scheduler: str, age: float) -> None:
        rests_on(Source(scheduler, age))

    with gathered() as grounds:
        await asyncio.gather(deep("dw", 3), asyncio.create_task(deep("dw", 12)), deep("ds", 5), deep("dw", 7))
        lacks(Outage("prod", "unreachable"))
    rests_on(Source("dw", 99))
    assert grounds.sources == (Source("dw", 12), Source("ds", 5))
    assert [one.scheduler for one in grounds.outages] == ["prod"]


async def test_what_nobody_ever_told_is_older_than_anything() -> None:
    with gathered() as grounds:
        for age in (None, 5.0):
            rests_on(Source("prod", age, mirror=True))
    assert grounds.sources == (Source("prod", None, mirror=True),)


async def test_a_remembered_answer_says_how_old_it_is_and_names_say_nothing() -> None:
    """Also when it was made from another that was remembered: then as old as that one."""
    now = [100.0]

    async def fetch(key: str) -> str:
        return await inner.get(key) if key == "nested" else key

    inner = Memory(fetch_plain, seconds=15, of="ds", clock=lambda: now[0])
    outer = Memory(fetch, seconds=15, of="ds", clock=lambda: now[0])
    names = Memory(fetch_plain, seconds=3600, clock=lambda: now[0])
    await inner.get("nested")
    await names.get("wang")
    now[0] = 110
    await outer.get("nested")
    now[0] = 112
    with gathered() as grounds:
        await names.get("wang")
        await outer.get("nested")
    assert grounds.sources == (Source("ds", 12),)


async def fetch_plain(key: str) -> str:
    """What is remembered."""
    return key


# ── from schedulers to cards
async def test_what_was_asked_for_just_now_is_not_mentioned() -> None:
    clock = WallClock()
    demo = SimulatedScheduler(SchedulerConnection(name="demo", kind="simulated"), clock=clock)
    look = Look(Fleet([demo]), access(), clock=clock)
    for result in (
        of(Overview, await look.overview(ADMIN)),
        of(InstanceList, await look.instances(ADMIN, kind="failed")),
        of(InstanceDetail, await look.status(ADMIN, "dws_trade_order_di")),
        of(TableReport, await look.table(ADMIN, "dwd_trade_order_di")),
    ):
        assert (result.sources, result.outages) == ((), ())


async def test_a_list_that_is_remembered_says_so_and_one_instance_is_asked_for_anew() -> None:
    async with FakeDataWorks() as dataworks:
        scheduler = DataWorksScheduler(dataworks.connection(), zone=ZONE, clock=dataworks.clock)
        look = Look(Fleet([scheduler]), access(), clock=dataworks.clock)
        await look.overview(ADMIN)
        for result in (
            of(Overview, await look.overview(ADMIN)),
            of(InstanceList, await look.instances(ADMIN, kind="failed")),
        ):
            (source,) = result.sources
            assert (source.scheduler, source.mirror) == ("dw", False)
            assert source.age is not None
            assert 0 < source.age < 15
        one = of(InstanceDetail, await look.status(ADMIN, f"dw:{dataworks.of('dws_trade_order_di')['Id']}"))
        assert one.sources == ()
        await scheduler.close()


@pytest.fixture
def clock() -> WallClock:
    return WallClock(datetime(2026, 11, 23, 0, 10, tzinfo=UTC))


async def heard(store: Store, clock: WallClock, *, api: bool) -> Look:
    """A mirror that was told of one failure two minutes ago."""
    asked = SimulatedScheduler(SchedulerConnection(name="api", kind="simulated"), clock=clock) if api else None
    subject = mirror(store, clock, asked)
    told = status(3, 5, began=3)
    await journal(store, subject).accept([told])
    clock.now = told.received_at + timedelta(minutes=2, seconds=8)
    if api:  # whatever was before the first event
        await store.write(lambda connection: subject.feed.close_gap(connection, clock()))
    return Look(Fleet([subject]), access(), clock=clock)


async def test_whatever_a_mirror_answers_says_when_it_last_heard_anything(
    sqlite_store: Store, clock: WallClock
) -> None:
    look = await heard(sqlite_store, clock, api=True)
    for result in (
        of(Overview, await look.overview(ADMIN)),
        of(InstanceList, await look.instances(ADMIN, kind="failed")),
        of(InstanceDetail, await look.status(ADMIN, "prod:7")),
        of(Diagnosed, await look.diagnose(ADMIN, "prod:7")),
    ):
        assert result.sources == (Source("prod", 128, mirror=True),)
        assert "a mirror that last heard an event 2 min 8 s ago" in said(result)
        assert "may have been missed" not in said(result)


async def test_after_a_gap_it_says_since_when_events_may_be_missing_until_the_api_was_asked(
    sqlite_store: Store, clock: WallClock
) -> None:
    look = await heard(sqlite_store, clock, api=True)
    clock.advance(3600)
    found = of(InstanceList, await look.instances(ADMIN, kind="failed"))
    assert found.sources == (Source("prod", 3728, mirror=True, gap=3728),)
    assert "may have been missed" in said(found)


async def test_one_without_an_api_is_merely_old(sqlite_store: Store, clock: WallClock) -> None:
    """Nobody would ever fill the gap, so it would be said for ever."""
    look = await heard(sqlite_store, clock, api=False)
    clock.advance(3600)
    found = of(Overview, await look.overview(ADMIN))
    assert found.sources == (Source("prod", 3728, mirror=True),)


async def test_one_that_never_heard_anything_does_not_say_that_all_is_well(
    sqlite_store: Store, clock: WallClock
) -> None:
    look = Look(Fleet([mirror(sqlite_store, clock)]), access(), clock=clock)
    shown = said(of(InstanceList, await look.instances(ADMIN, kind="failed")))
    assert "no event was ever heard" in shown
    assert "nothing is known" in shown


@pytest.mark.parametrize(("age", "told"), [(0.4, False), (1.9, False), (2.0, True), (40_000.0, True)])
def test_seconds_that_nobody_notices_are_not_mentioned(age: float, told: bool) -> None:
    result = InstanceList("failed", WallClock()().date(), WallClock()(), (), 0, sources=(Source("dw", age),))
    assert ("dw: as of" in said(result)) == told
