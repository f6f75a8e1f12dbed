"""Changes are proposed where rights and state allow it, and never carried out here."""

from datetime import date, timedelta

import pytest

from core.access import Person
from core.proposals import Proposals
from core.results import (
    Choice,
    DaysWanted,
    Missing,
    Notice,
    Problem,
    Proposal,
    Result,
)
from core.schedulers.base import (
    Flags,
    Instance,
    Operation,
    Status,
)
from core.settings import Operations
from core.store import Store
from core.tools.act import Act
from tests.fakes.desk import ADMIN, OPERATOR, TALK, TODAY, VIEWER, Desk, access, of, ran


# ── proposals
class Counter:
    """The desk of someone who proposes."""

    def __init__(self, store: Store, *instances: Instance) -> None:
        self.desk = Desk(*instances)
        self.act = Act(self.desk.look, access(), Proposals(store, clock=self.desk.clock), Operations(largest_batch=3))

    async def propose(self, operation: str, target: str = "orders", person: Person = ADMIN) -> Result:
        """Ask for a change."""
        return await self.act.propose(person, TALK, operation, target)

    async def batch(self, person: Person = ADMIN, operation: str = "rerun", subject: str = "") -> Result:
        """Ask for a change of all that failed."""
        return await self.act.propose_batch(person, TALK, operation, kind="failed", subject=subject)

    async def backfill(self, start: str, end: str = "", person: Person = ADMIN) -> Result:
        """Ask for the days of `orders` anew."""
        return await self.act.backfill(person, TALK, "orders", start, end)


@pytest.mark.parametrize(
    ("operation", "status", "frozen", "possible"),
    [
        ("rerun", Status.FAILED, False, True),
        ("rerun", Status.SUCCESS, False, True),
        ("rerun", Status.RUNNING, False, False),
        ("rerun_downstream", Status.WAIT_TIME, False, False),
        ("set_success", Status.FAILED, False, True),
        ("set_success", Status.SUCCESS, False, False),
        ("kill", Status.RUNNING, False, True),
        ("kill", Status.FAILED, False, False),
        ("freeze", Status.SUCCESS, False, True),
        ("freeze", Status.SUCCESS, True, False),
        ("unfreeze", Status.FAILED, True, True),
        ("unfreeze", Status.SUCCESS, False, False),
    ],
)
async def test_a_change_is_proposed_only_where_the_state_allows_it(
    sqlite_store: Store, operation: str, status: Status, frozen: bool, possible: bool
) -> None:
    counter = Counter(sqlite_store, ran("orders", status, flags=Flags(frozen=frozen)))
    answer = await counter.propose(operation)
    if possible:
        assert of(Proposal, answer).operation == operation
    else:
        assert of(Notice, answer).text == f"not_now.{operation}"


@pytest.mark.parametrize("operation", ["rerun", "rerun_downstream", "set_success", "backfill"])
async def test_what_is_frozen_has_to_be_unfrozen_first(sqlite_store: Store, operation: str) -> None:
    """A frozen instance reported as failed did not break, so nothing about a failure helps it."""
    counter = Counter(sqlite_store, ran("orders", Status.FAILED, flags=Flags(frozen=True)))
    assert of(Notice, await counter.propose(operation)).text == "not_now.frozen"


async def test_after_a_failure_only_what_did_not_succeed_downstream_is_chosen(sqlite_store: Store) -> None:
    """What waits follows by itself; what the scheduler starts anew is no part of the order at all."""
    orders = ran("orders", Status.FAILED)
    below = ran("board"), ran("chart", Status.UPSTREAM_FAILED), ran("export", Status.WAIT_UPSTREAM)
    counter = Counter(sqlite_store, orders, *below)
    counter.desk.shelf.downstreams[orders.id] = tuple(one.id for one in below)
    made = of(Proposal, await counter.propose("rerun_downstream"))
    assert [(member.instance.task.name, member.chosen) for member in made.members] == [
        ("board", False),
        ("chart", True),
        ("export", False),
    ]
    assert made.affected == 2
    assert of(Proposal, await counter.propose("rerun")).members == ()


async def test_after_a_success_all_that_read_it_is_chosen(sqlite_store: Store) -> None:
    orders, board = ran("orders"), ran("board")
    counter = Counter(sqlite_store, orders, board)
    counter.desk.shelf.downstreams[orders.id] = (board.id,)
    assert of(Proposal, await counter.propose("rerun_downstream")).affected == 2


async def test_a_list_that_may_lack_some_says_so_before_anyone_confirms(sqlite_store: Store) -> None:
    orders, board = ran("orders", Status.FAILED), ran("board", Status.UPSTREAM_FAILED)
    counter = Counter(sqlite_store, orders, board)
    counter.desk.shelf.downstreams[orders.id] = (board.id,)
    counter.desk.shelf.cut = True
    assert "more_downstream" in of(Proposal, await counter.propose("rerun_downstream")).effects


async def test_a_proposal_says_what_this_scheduler_does_besides(sqlite_store: Store) -> None:
    counter = Counter(sqlite_store, ran("orders", Status.FAILED))
    counter.desk.shelf.effects = {Operation.SET_SUCCESS: ("failed_descendants_run",)}
    assert of(Proposal, await counter.propose("set_success")).effects == ("failed_descendants_run",)
    assert of(Proposal, await counter.propose("rerun")).effects == ()


# ── backfills
async def test_a_day_that_was_said_chooses_the_instance(sqlite_store: Store) -> None:
    """昨天的重跑 is about yesterday's instance, and not about today's that failed."""
    counter = Counter(
        sqlite_store, ran("orders", Status.FAILED), ran("orders", Status.FAILED, hours_ago=27), ran("late")
    )
    yesterday = (TODAY - timedelta(days=1)).isoformat()
    made = of(Proposal, await counter.act.propose(ADMIN, TALK, "rerun", "orders", day=yesterday))
    assert made.instance.ref == ran("orders", hours_ago=27).ref
    missing = await counter.act.propose(ADMIN, TALK, "rerun", "late", day=yesterday)
    assert isinstance(missing, Missing)


async def test_a_backfill_may_say_its_days_at_once(sqlite_store: Store) -> None:
    counter = Counter(sqlite_store, ran("orders"))
    start, end = ((TODAY - timedelta(days=back)).isoformat() for back in (3, 2))
    made = of(Proposal, await counter.act.propose(ADMIN, TALK, "backfill", "orders", day=start, until=end))
    assert (str(made.start), str(made.end)) == (start, end)


async def test_a_backfill_without_days_asks_for_them(sqlite_store: Store) -> None:
    counter = Counter(sqlite_store, ran("orders"))
    asked = of(DaysWanted, await counter.propose("backfill"))
    yesterday = TODAY - timedelta(days=1)
    assert (asked.instance.task.name, asked.start, asked.end, asked.most) == ("orders", yesterday, yesterday, 31)
    assert of(DaysWanted, await counter.backfill("")).start == yesterday


async def test_a_backfill_counts_its_days(sqlite_store: Store) -> None:
    counter = Counter(sqlite_store, ran("orders"))
    made = of(Proposal, await counter.backfill("2026-11-01", "20261103"))
    assert (made.operation, made.affected) == (Operation.BACKFILL, 3)
    assert (made.start, made.end) == (date(2026, 11, 1), date(2026, 11, 3))
    assert of(Proposal, await counter.backfill("t-2")).affected == 1


@pytest.mark.parametrize(
    ("start", "end", "text"),
    [
        ("2026-11-03", "2026-11-01", "days.backwards"),
        ("2026-10-01", "2026-11-01", "days.too_many"),
        ("2026-11-20", "2026-11-22", "days.future"),
    ],
)
async def test_a_backfill_of_impossible_days_is_explained(sqlite_store: Store, start: str, end: str, text: str) -> None:
    counter = Counter(sqlite_store, ran("orders"))
    assert of(Notice, await counter.backfill(start, end)).text == text


async def test_a_backfill_of_no_day_at_all_is_bad_input(sqlite_store: Store) -> None:
    counter = Counter(sqlite_store, ran("orders"))
    assert of(Problem, await counter.backfill("'; DROP TABLE x")).text == "bad_input"
    assert of(Problem, await counter.backfill("t-1", person=OPERATOR)).text == "denied"


# ── batches
async def test_a_batch_holds_what_failed_and_says_what_is_left_out(sqlite_store: Store) -> None:
    """One proposal; an instance in a project of somebody else is named, not changed."""
    others = ran("ledger", Status.FAILED, project="finance", hours_ago=4)
    mine = [ran(name, Status.FAILED, hours_ago=hours) for hours, name in enumerate(("orders", "board"), 1)]
    made = of(Proposal, await Counter(sqlite_store, *mine, others).batch(Person("ann", "operator", frozenset({"*"}))))
    assert made.batch
    assert [(one.instance.task.name, one.chosen, one.state) for one in made.members] == [
        ("orders", True, ""),
        ("board", True, ""),
        ("ledger", False, "denied"),
    ]
    assert (made.affected, made.total) == (2, 3)


async def test_a_batch_is_cut_at_the_limit_and_says_so(sqlite_store: Store) -> None:
    failed = [ran(f"t{number}", Status.FAILED, hours_ago=number) for number in range(1, 6)]
    made = of(Proposal, await Counter(sqlite_store, *failed).batch())
    assert (len(made.members), made.total) == (3, 5)


@pytest.mark.parametrize("operation", ["rerun_downstream", "backfill"])
async def test_what_spreads_is_proposed_one_at_a_time(sqlite_store: Store, operation: str) -> None:
    counter = Counter(sqlite_store, ran("orders", Status.FAILED), ran("board", Status.FAILED))
    assert of(Notice, await counter.batch(operation=operation)).text == "one_at_a_time"


async def test_a_batch_of_nothing_is_not_proposed(sqlite_store: Store) -> None:
    counter = Counter(sqlite_store, ran("orders", Status.FAILED, project="finance"))
    assert of(Notice, await counter.batch(OPERATOR)).text == "nothing_to_change"
    assert of(Problem, await counter.batch(Person("stranger"))).text == "denied"
    assert of(Problem, await counter.batch(operation="explode")).text == "bad_input"


async def test_rights_are_asked_before_anything_is_stored(sqlite_store: Store) -> None:
    counter = Counter(sqlite_store, ran("orders", Status.FAILED, project="finance"))
    assert of(Problem, await counter.propose("rerun", person=OPERATOR)).text == "denied"
    assert of(Problem, await counter.propose("kill", person=VIEWER)).text == "denied"


async def test_what_cannot_be_proposed_is_said(sqlite_store: Store) -> None:
    counter = Counter(sqlite_store, ran("orders", Status.FAILED), ran("orders_wide", Status.FAILED))
    assert of(Problem, await counter.propose("explode")).text == "bad_input"
    of(Missing, await counter.propose("rerun", "nothing_like_it"))
    choice = of(Choice, await counter.propose("rerun", "ord"))
    assert (choice.command, choice.arguments) == ("propose", {"operation": "rerun"})
    counter.desk.shelf.operations = frozenset()
    assert of(Notice, await counter.propose("rerun")).text == "unsupported"
