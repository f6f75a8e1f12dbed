"""Freezes: in which nothing is carried out, whoever approved; and environments, which come from the scheduler's settings."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from core.approvals.freezes import Freezes, come_round
from core.approvals.model import Definition, Level, Node
from core.cards import Note
from core.errors import Frozen
from core.i18n import LANGUAGES, words
from core.results import Member
from core.schedulers.base import Operation
from core.settings import ApprovalSettings, FreezeSettings
from core.store import Store
from core.views import show
from tests.fakes.approvals import PEOPLE, Bureau, flow, kill
from tests.fakes.shop import CHAT, OTHER, RUNNING, Shop, running

UTC_ZONE = ZoneInfo("UTC")
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


async def test_a_change_that_a_freeze_held_back_says_so_in_the_readers_language(sqlite_store: Store) -> None:
    """Not that the platform refused it: who froze until when and why, and what to do; on the card of a batch as well."""
    plant = running()
    half_a_second = timedelta(seconds=0.5) / HOUR
    shop = Shop(
        sqlite_store, plant, ApprovalSettings(freeze=(window(after=half_a_second, by="SRE 值班", reason="大促"),))
    )
    proposal, _ = await shop.confirmed(members=(Member(RUNNING), Member(OTHER)))
    await shop.bureau.now.pass_time(60)
    entry = (await shop.proposals.entries(proposal))[1].shown
    batch = (await shop.proposals.get(proposal)).shown
    for language in LANGUAGES:
        reader = words(language)
        card = show(entry, reader, UTC_ZONE, shop.bureau.person("ops"))
        name = entry.instance.task.name
        assert card.title == reader("proposals.card.held_back", operation=reader("operations.kill.name"), name=name)
        for shown in (card, show(batch, reader, UTC_ZONE, shop.bureau.person("ops"))):
            for said in ("11.11", "2026-11-22 02:00 UTC", "SRE 值班", "大促"):
                assert said in repr(shown), (language, said)


async def test_an_open_tickets_card_says_that_a_freeze_holds_and_when_it_does_not_any_more(sqlite_store: Store) -> None:
    """The card is edited when a freeze begins and when it ends, though nobody touched the ticket."""
    made = bureau(sqlite_store, window(after=1, hours=2, by="SRE"))
    await made.flows.create(made.person("root"), flow())
    ticket = await made.ask()
    await made.settle()

    def cards() -> list[str]:
        """The approver's card in all its versions."""
        return [card.title for versions in made.wecom.cards.values() for card in versions]

    assert cards() == ["T-1 approving 0 decide"]
    await made.settle(after=HOUR)
    assert cards()[1:] == ["T-1 approving 0 decide frozen"]
    view = await made.approvals.view(made.person("ops"), ticket.id)
    for language in LANGUAGES:
        note = words(language)("approvals.freeze", window="11.11", until="2026-11-22 04:00 UTC", by="SRE", reason="-")
        assert Note(note) in show(view, words(language), UTC_ZONE, made.person("ops")).blocks
    await made.settle(after=2 * HOUR)
    assert cards()[2:] == ["T-1 approving 0 decide"]


# ── freezes that come round
def at(day: str) -> datetime:
    """A moment in Shanghai."""
    return datetime.fromisoformat(f"{day}+08:00")


@pytest.mark.parametrize(
    ("repeats", "start", "end", "inside", "outside"),
    [
        (
            "monthly",
            "2026-01-01T00:00",
            "2026-01-03T08:00",
            ("2026-01-01T00:00", "2026-12-02T12:00", "2027-02-03T07:59"),
            ("2025-12-01T12:00", "2026-12-03T08:00", "2027-01-31T23:59"),
        ),
        (
            "yearly",
            "2025-11-10T18:00",
            "2025-11-12T00:00",
            ("2026-11-11T11:11", "2031-11-10T18:00"),
            ("2024-11-11T11:11", "2026-11-12T00:00", "2026-10-11T11:11"),
        ),
        (
            "weekly",
            "2026-11-20T18:00",
            "2026-11-23T08:00",
            ("2026-11-22T12:00", "2026-11-27T18:00", "2026-12-14T07:59"),
            ("2026-11-24T12:00", "2026-11-27T17:59", "2026-12-14T08:00"),
        ),
    ],
)
def test_a_freeze_comes_round_at_the_same_hours(
    repeats: str, start: str, end: str, inside: tuple[str, ...], outside: tuple[str, ...]
) -> None:
    """Each month from the first to the third, each double eleven, each weekend; also across the turn of a year."""
    again = window(start=at(start), end=at(end), repeats=repeats)
    for day, frozen in (*((day, True) for day in inside), *((day, False) for day in outside)):
        assert (Freezes((again,), {}, clock=lambda: NOW).over(kill(), at(day)) is not None) is frozen, day


@given(st.integers(0, 3 * 366 * 24 * 60), st.sampled_from(["weekly", "monthly", "yearly"]))
def test_a_freeze_that_comes_round_holds_now_or_later_and_is_as_long_as_the_first(minutes: int, repeats: str) -> None:
    """Never one that is over, so that people are told an end that is to come."""
    first, now = window(hours=30, repeats=repeats), NOW + timedelta(minutes=minutes)
    found = come_round(first, now)
    assert found.end > now
    assert found.end - found.start == first.end - first.start
    assert found.start - now < timedelta(days=366)


@pytest.mark.parametrize(
    ("start", "hours", "repeats", "wrong"),
    [
        ("2026-01-01T00:00", 24 * 8, "weekly", "come round"),
        ("2026-01-31T00:00", 1, "monthly", "not every month"),
        ("2028-02-29T00:00", 1, "yearly", "not every month or year"),
    ],
)
def test_a_freeze_that_cannot_come_round_is_refused_at_start(start: str, hours: int, repeats: str, wrong: str) -> None:
    """Rather than hold for ever, or be left out in February."""
    with pytest.raises(ValidationError, match=wrong):
        window(start=at(start), end=at(start) + hours * HOUR, repeats=repeats)
