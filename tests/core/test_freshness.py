"""Whether a table was updated: a green state proves nothing by itself."""

from dataclasses import replace
from datetime import timedelta

import pytest

from core.results import (
    Choice,
    TableReport,
)
from core.schedulers.base import (
    DataTable,
    Flags,
    RunType,
    Status,
    TableUpdate,
)
from core.schedulers.fleet import Fleet
from core.tools.look import Look
from tests.fakes.desk import NOW, OPERATOR, Desk, access, of, ran
from tests.fakes.shelf import Shelf
from tests.fakes.wall_clock import WallClock

# ── tables
ORDERS = ran("orders")


def table(*updates: TableUpdate) -> DataTable:
    """Written by the task `orders`."""
    return DataTable("demo", "orders", "trade", "ann", (ORDERS.task,), updates)


def update(hours_ago: float, *, rows: int | None = 5, instance: str = "") -> TableUpdate:
    """Some hours ago."""
    return TableUpdate(NOW - timedelta(hours=hours_ago), instance, rows=rows)


@pytest.mark.parametrize(
    ("status", "flags", "verdict", "reason"),
    [
        (Status.FAILED, Flags(), "failed", ""),
        (Status.UPSTREAM_FAILED, Flags(), "failed", ""),
        (Status.SUCCESS, Flags(dry_run=True), "late", "dry_run"),
        (Status.SUCCESS, Flags(off_cycle=True), "pending", "off_cycle"),
        (Status.FORCED_SUCCESS, Flags(forced=True), "late", "set_success"),
        (Status.SKIPPED, Flags(), "late", "skipped"),
        (Status.FAILED, Flags(frozen=True), "late", "frozen"),
        (Status.WAIT_UPSTREAM, Flags(), "pending", ""),
        (Status.SUCCESS, Flags(), "unknown", "unrecorded"),
    ],
)
async def test_a_state_without_an_update_says_why(status: Status, flags: Flags, verdict: str, reason: str) -> None:
    """A green state proves nothing by itself."""
    found = await Desk(ran("orders", status, flags=flags), tables=(table(update(27)),)).report()
    assert (found.verdict, found.reason) == (verdict, reason)
    assert found.update == update(27)


async def test_an_update_of_the_day_counts_and_one_without_rows_is_empty() -> None:
    assert (await Desk(ORDERS, tables=(table(update(1)),)).report()).verdict == "updated"
    assert (await Desk(ORDERS, tables=(table(update(1, rows=0)),)).report()).verdict == "empty"
    assert (await Desk(ORDERS, tables=(table(update(1, rows=None)),)).report()).verdict == "updated"
    assert (await Desk(ORDERS, tables=(table(update(25)),)).report(day="yesterday")).verdict == "updated"


async def test_a_backfill_is_not_todays_update() -> None:
    backfill = ran("orders", hours_ago=1, run_type=RunType.BACKFILL)
    shown = table(update(1, instance=backfill.ref), update(26))
    found = await Desk(ran("orders", Status.WAIT_UPSTREAM), backfill, tables=(shown,)).report()
    assert (found.verdict, found.reason, found.update) == ("pending", "backfill", update(26))


async def test_an_update_is_of_the_day_its_run_was_due() -> None:
    """Yesterday's run, repaired today: yesterday has its data, today has not."""
    failed, repaired = ran("orders", Status.UPSTREAM_FAILED), ran("orders", hours_ago=27)
    desk = Desk(failed, repaired, tables=(table(update(1, instance=repaired.ref)),))
    today, yesterday = await desk.report(), await desk.report(day="yesterday")
    assert (today.verdict, yesterday.verdict) == ("failed", "updated")
    assert today.update == yesterday.update == update(1, instance=repaired.ref)


async def test_what_is_not_there_yet_is_expected_by_its_history_and_then_late() -> None:
    past = [ran("orders", hours_ago=3 + 24 * n) for n in range(1, 8)]
    desk = Desk(ran("orders", Status.RUNNING), *past, tables=(table(),))
    late = await desk.report()
    assert late.verdict == "late"
    assert late.expected_at is not None
    desk.clock.now = NOW - timedelta(hours=2, minutes=55)
    assert (await desk.report()).verdict == "pending"


async def test_a_table_without_a_producer_or_a_run_is_unknown() -> None:
    orphan = replace(table(), producers=())
    assert (await Desk(ORDERS, tables=(orphan,)).report()).reason == "no_producer"
    assert (await Desk(ran("orders", hours_ago=60), tables=(table(),)).report()).reason == "not_scheduled"


async def test_the_same_table_in_two_schedulers_is_told_apart_by_reference() -> None:
    east, west = Shelf("east", (), (DataTable("east", "orders"),)), Shelf("west", (), (DataTable("west", "orders"),))
    look = Look(Fleet([east, west]), access(), clock=WallClock(NOW))
    choice = of(Choice, await look.table(OPERATOR, "orders"))
    assert dict(choice.options).keys() == {"east:orders", "west:orders"}
    assert of(TableReport, await look.table(OPERATOR, "west:orders")).table.scheduler == "west"
