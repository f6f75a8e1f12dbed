"""Freezes: in which nothing is carried out, whoever approved; and environments, which come from the scheduler's settings."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from core.approvals.freezes import Freezes
from core.approvals.model import Definition, Level, Node
from core.errors import Frozen
from core.results import Member
from core.schedulers.base import Operation
from core.settings import ApprovalSettings, FreezeSettings
from core.store import Store
from tests.fakes.approvals import PEOPLE, Bureau, flow, kill
from tests.fakes.shop import CHAT, OTHER, RUNNING, Shop, running

HOUR = timedelta(hours=1)
NOW = datetime(2026, 11, 22, 1, tzinfo=UTC)
REASON = "the disk of the cluster is full"


def window(*, hours: float = 1, after: float = 0, **more: object) -> FreezeSettings:
    """A freeze for so long, beginning so many hours from now."""
    start = NOW + after * HOUR
    return FreezeSettings.model_validate({"name": "11.11", "start": start, "end": start + hours * HOUR, **more})


def bureau(store: Store, *windows: FreezeSettings, environment: str = "") -> Bureau:
    """Approvals under these freezes, over a scheduler of this environment."""
    return Bureau(store, settings=ApprovalSettings(enabled=True, freeze=windows), environment=environment)


# ── which freeze is for what
@pytest.mark.parametrize(
    ("named", "request_", "frozen"),
    [
        ({}, {}, True),
        ({"projects": ("trade",)}, {}, True),
        ({"projects": ("demo:trade",)}, {}, True),
        ({"projects": ("finance",)}, {}, False),
        ({"schedulers": ("demo",)}, {}, True),
        ({"schedulers": ("air",)}, {}, False),
        ({"environments": ("prod",)}, {"environment": "prod"}, True),
        ({"environments": ("prod",)}, {"environment": "test"}, False),
        ({"environments": ("prod",)}, {}, True),
        ({"task_types": ("kill",)}, {}, True),
        ({"task_types": ("rerun",)}, {}, False),
    ],
)
def test_a_freeze_is_for_what_it_names(named: Mapping[str, Any], request_: Mapping[str, Any], frozen: bool) -> None:
    """All targets when it names none; a target whose environment nobody knows is in each."""
    freezes = Freezes((window(**named),), {}, clock=lambda: NOW)
    assert (freezes.over(kill(**request_)) is not None) is frozen


@pytest.mark.parametrize(("hours", "frozen"), [(-0.01, False), (0, True), (0.99, True), (1, False)])
def test_a_freeze_begins_with_its_first_moment_and_is_over_with_its_last(hours: float, frozen: bool) -> None:
    freezes = Freezes((window(),), {}, clock=lambda: NOW + hours * HOUR)
    assert (freezes.over(kill()) is not None) is frozen


def test_of_two_that_overlap_the_one_that_ends_last_is_told() -> None:
    """Or people would come back too early."""
    freezes = Freezes((window(hours=3), window(hours=9), window(hours=1)), {}, clock=lambda: NOW)
    with pytest.raises(Frozen) as error:
        freezes.check(kill())
    assert error.value.details["until"] == "2026-11-22 10:00 UTC"


def test_a_freeze_that_ends_before_it_begins_is_refused_at_start() -> None:
    with pytest.raises(ValidationError, match="end is not after start"):
        window(hours=-1)


# ── environments
async def test_the_environment_is_the_schedulers_whatever_is_claimed(sqlite_store: Store) -> None:
    """Who asks cannot lower the risk by a word; where the settings say nothing, the request's own counts."""
    levels = (
        Level(environments=("test",), nodes=(Node(approver="ops_admin@project"),)),
        Level(environments=("prod",), nodes=(Node(approver="admin@org"),)),
    )
    made = bureau(sqlite_store, environment="prod")
    definition = Definition(name="kills", task_type="kill", levels=levels)
    await made.flows.create(made.person("root"), definition)
    claimed = await made.ask(kill(environment="test", key="1"))
    assert (claimed.match.level, claimed.match.reason, claimed.request.environment) == (2, "fits", "prod")
    elsewhere = await made.ask(kill(scheduler="air", environment="test", key="2"))
    assert (elsewhere.match.level, elsewhere.request.environment) == (1, "test")
    unknown = await made.ask(kill(scheduler="air", key="3"))
    assert (unknown.match.level, unknown.match.reason) == (2, "unknown")


# ── tickets
async def test_nothing_is_asked_for_that_would_begin_in_a_freeze(sqlite_store: Store) -> None:
    """Now, or at the time it is meant for; what waits for a hand may be approved before."""
    made = bureau(sqlite_store, window(after=5))
    await made.flows.create(made.person("root"), flow())
    with pytest.raises(Frozen):
        await made.approvals.open(kill(strategy="timed", execute_at=NOW + 5.5 * HOUR))
    assert await made.approvals.open(kill(strategy="timed", execute_at=NOW + 7 * HOUR))
    made.now.now += 5 * HOUR
    with pytest.raises(Frozen):
        await made.approvals.open(kill())
    assert await made.approvals.open(kill(strategy="manual"))


async def test_the_last_approval_and_the_emergency_wait_for_the_end_of_a_freeze(sqlite_store: Store) -> None:
    """Neither is lost: the ticket stays as it was, the attempt is on record, and after the freeze it goes on."""
    made = bureau(sqlite_store, window(after=1, hours=2))
    await made.flows.create(made.person("root"), flow("kills", "kill", break_glass=True))
    ticket = await made.ask()
    made.now.now += 2 * HOUR
    with pytest.raises(Frozen) as error:
        await made.approvals.approve(made.says("ops", ticket))
    assert error.value.details["until"] == "2026-11-22 04:00 UTC"
    with pytest.raises(Frozen):
        await made.approvals.break_glass(made.says("fire", ticket, REASON), "INC-7")
    assert (await made.state(ticket), made.hand.started) == ("approving", [])
    assert [event.kind for event in await made.tickets.events(ticket.id)][-2:] == ["denied", "denied"]
    made.now.now += HOUR
    await made.approvals.approve(made.says("ops", ticket))
    await made.settle()
    assert made.hand.started == [ticket.id]


async def test_what_was_approved_is_begun_neither_by_hand_nor_by_the_clock_in_a_freeze(sqlite_store: Store) -> None:
    """Also when the freeze was added after the approval; the clock begins it once the freeze is over."""
    made = bureau(sqlite_store)
    await made.flows.create(made.person("root"), flow())
    by_hand = await made.ask(kill(strategy="manual", key="1"))
    by_clock = await made.ask(kill(strategy="timed", execute_at=NOW + HOUR, key="2"))
    for ticket in (by_hand, by_clock):
        await made.approvals.approve(made.says("ops", ticket))
    await made.settle()
    made.settings = ApprovalSettings(enabled=True, freeze=(window(hours=3),))
    made.restart(PEOPLE)
    await made.settle(after=2 * HOUR)
    with pytest.raises(Frozen):
        await made.approvals.execute_now(made.says("asker", by_hand))
    assert (await made.state(by_hand), await made.state(by_clock)) == ("waiting", "waiting")
    await made.settle(after=HOUR)
    await made.approvals.execute_now(made.says("asker", by_hand))
    await made.settle()
    assert sorted(made.hand.started) == [by_hand.id, by_clock.id]


# ── operations
async def test_a_freeze_holds_where_nothing_needs_approval(sqlite_store: Store) -> None:
    """The card stays as it is, and can be confirmed once the freeze is over."""
    shop = Shop(sqlite_store, settings=ApprovalSettings(freeze=(window(hours=0.1),)))
    made = await shop.proposals.propose(shop.bureau.person("asker"), CHAT, Operation.KILL, shop.pipeline.now)
    with pytest.raises(Frozen):
        await shop.execution.confirm(shop.bureau.person("ops"), made.id)
    assert await shop.state(made.id) == "open"
    shop.bureau.now.now += HOUR / 10
    await shop.execution.confirm(shop.bureau.person("ops"), made.id)
    await shop.bureau.now.pass_time(1)
    assert len(shop.pipeline.orders) == 1


async def test_a_batch_that_runs_into_a_freeze_stops_there(sqlite_store: Store) -> None:
    """What is under way ends; the next entry is refused, and says until when."""
    plant = running()
    half_a_second = timedelta(seconds=0.5) / HOUR
    shop = Shop(sqlite_store, plant, ApprovalSettings(freeze=(window(after=half_a_second),)))
    proposal, _ = await shop.confirmed(members=(Member(RUNNING), Member(OTHER)))
    await shop.bureau.now.pass_time(60)
    entries = [entry.shown for entry in await shop.proposals.entries(proposal)]
    assert [one.state for one in entries] == ["succeeded", "refused"]
    assert entries[1].message == "11.11: until 2026-11-22 02:00 UTC"
    assert [order.instance for order in plant.orders] == ["1"]
