"""Several schedulers make one answer, and one that is slow or down costs only its own part of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import NotFound, RemoteError, Unreachable
from core.schedulers.base import DataTable, Instance, InstanceQuery, Status, Task
from core.schedulers.fleet import Fleet, newest_first
from core.schedulers.grounds import Outage
from tests.fakes.shelf import Shelf
from tests.fakes.wall_clock import WallClock

NOON = datetime(2026, 11, 22, 4, tzinfo=UTC)


def instance(scheduler: str, number: int, *, project: str = "trade", status: Status = Status.SUCCESS) -> Instance:
    """Due `number` minutes past noon in Shanghai."""
    task = Task(scheduler, f"t{number}", f"load_orders_{number}", project, owners=("ann",))
    return Instance(f"i{number}", task, status, run_number=1, scheduled_at=NOON + timedelta(minutes=number))


@pytest.fixture
def east() -> Shelf:
    """Instances 0, 2, 4."""
    return Shelf("east", [instance("east", n) for n in (0, 2, 4)])


@pytest.fixture
def west() -> Shelf:
    """Instances 1, 3."""
    return Shelf("west", [instance("west", n, project="finance") for n in (1, 3)])


@pytest.fixture
def fleet(east: Shelf, west: Shelf) -> Fleet:
    """Both, with little patience."""
    return Fleet([east, west], timeout=0.05, clock=WallClock(NOON))


async def test_lists_are_merged_by_due_time_and_totals_add_up(fleet: Fleet) -> None:
    found, total, outages = await fleet.instances(InstanceQuery(limit=3))
    assert [one.ref for one in found] == ["east:i4", "west:i3", "east:i2"]
    assert (total, outages) == (5, ())


async def test_pages_over_several_schedulers_do_not_repeat_or_skip(fleet: Fleet) -> None:
    pages = [await fleet.instances(InstanceQuery(limit=2, offset=offset)) for offset in (0, 2, 4)]
    assert [one.id for found, _, _ in pages for one in found] == ["i4", "i3", "i2", "i1", "i0"]


@pytest.mark.parametrize(("many", "few"), [(0, 0), (1, 1000), (1001, 2000)])
async def test_every_reads_page_after_page(fleet: Fleet, east: Shelf, west: Shelf, many: int, few: int) -> None:
    """More than one page of each scheduler, all once."""
    east.all = [instance("east", n) for n in range(many)]
    west.all = [instance("west", n) for n in range(few)]
    found, outages = await fleet.every(InstanceQuery())
    assert len({one.ref for one in found}) == len(found) == many + few
    assert outages == ()


async def test_every_stops_at_its_bound(east: Shelf) -> None:
    east.all = [instance("east", n) for n in range(2500)]
    found, _ = await Fleet([east]).every(InstanceQuery(), most=2000)
    assert len(found) == 2000


async def test_counts_add_up(fleet: Fleet, east: Shelf) -> None:
    east.all[0] = replace(east.all[0], status=Status.FAILED)
    counts, _ = await fleet.counts(InstanceQuery())
    assert counts == {Status.FAILED: 1, Status.SUCCESS: 4}


@pytest.mark.parametrize("broken", ["down", "hanging"])
async def test_one_that_fails_becomes_an_outage_with_its_last_answer(fleet: Fleet, west: Shelf, broken: str) -> None:
    await fleet.projects()
    west.hangs = broken == "hanging"
    west.fails = RemoteError("boom", system="west") if broken == "down" else None
    found, total, outages = await fleet.instances(InstanceQuery())
    assert {one.task.scheduler for one in found} == {"east"}
    assert total == 3
    error = "unreachable" if broken == "hanging" else "remote"
    assert outages == (Outage("west", error, NOON),)


async def test_one_that_never_answered_has_no_last_answer(fleet: Fleet, west: Shelf) -> None:
    west.fails = Unreachable("refused", system="west")
    _, outages = await fleet.projects()
    assert outages == (Outage("west", "unreachable", None),)


async def test_a_call_about_one_thing_raises_instead(fleet: Fleet, east: Shelf) -> None:
    assert (await fleet.instance("east:i2")).ref == "east:i2"
    with pytest.raises(NotFound):
        await fleet.instance("east:i1")
    east.hangs = True
    with pytest.raises(Unreachable):
        await fleet.instance("east:i2")


@pytest.mark.parametrize("ref", ["north:i1", "i1", "east:", "", ":i1"])
def test_a_reference_names_its_scheduler_or_nothing(fleet: Fleet, ref: str) -> None:
    with pytest.raises(NotFound):
        fleet.scheduler(ref)


def test_an_id_may_hold_colons(fleet: Fleet, east: Shelf) -> None:
    assert fleet.scheduler("east:manual__2026-11-22T04:00:00+00:00") == (east, "manual__2026-11-22T04:00:00+00:00")


async def test_a_project_may_be_named_with_its_scheduler(fleet: Fleet, east: Shelf, west: Shelf) -> None:
    """`west:trade` is asked of west alone, and a plain name of everyone."""
    west.all.append(instance("west", 9, project="trade"))
    found, _, _ = await fleet.instances(InstanceQuery(projects=frozenset({"west:trade"})))
    assert [one.ref for one in found] == ["west:i9"]
    assert east.asked == []
    everywhere, _, _ = await fleet.instances(InstanceQuery(projects=frozenset({"trade"})))
    assert len(everywhere) == 4


async def test_an_exact_name_anywhere_comes_alone(fleet: Fleet) -> None:
    tasks, _ = await fleet.tasks("load_orders_1")
    assert [task.ref for task in tasks] == ["west:t1"]


async def test_names_that_resemble_come_best_first_over_all(fleet: Fleet, east: Shelf, west: Shelf) -> None:
    east.shelved = [DataTable("east", "dws_orders_wide")]
    west.shelved = [DataTable("west", "orders")]
    tables, _ = await fleet.tables("order")
    assert [table.name for table in tables] == ["orders", "dws_orders_wide"]


@given(st.permutations([instance("east", n) for n in range(5)] + [replace(instance("east", 9), scheduled_at=None)]))
def test_the_order_depends_on_nothing_but_the_instances(shuffled: list[Instance]) -> None:
    assert [one.id for one in newest_first(shuffled)] == ["i4", "i3", "i2", "i1", "i0", "i9"]


async def test_closing_closes_all(fleet: Fleet, east: Shelf, west: Shelf) -> None:
    await fleet.close()
    assert east.asked == west.asked == ["close"]
