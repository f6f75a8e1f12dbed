"""Changes are proposed where rights and state allow it, and never carried out here."""

import pytest

from core.access import Person
from core.proposals import Proposals
from core.results import (
    Choice,
    Missing,
    Notice,
    Problem,
    Proposal,
    Result,
)
from core.schedulers.base import (
    Flags,
    Instance,
    Status,
)
from core.store import Store
from core.tools.act import Act
from tests.fakes.desk import ADMIN, OPERATOR, TALK, VIEWER, Desk, access, of, ran


# ── proposals
class Counter:
    """The desk of someone who proposes."""

    def __init__(self, store: Store, *instances: Instance) -> None:
        self.desk = Desk(*instances)
        self.act = Act(self.desk.look, access(), Proposals(store, clock=self.desk.clock))

    async def propose(self, operation: str, target: str = "orders", person: Person = ADMIN) -> Result:
        """Ask for a change."""
        return await self.act.propose(person, TALK, operation, target)


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


async def test_a_rerun_with_downstream_says_how_many_it_touches(sqlite_store: Store) -> None:
    orders, one, two = ran("orders", Status.FAILED), ran("board"), ran("chart")
    counter = Counter(sqlite_store, orders, one, two)
    counter.desk.shelf.downstreams[orders.id] = (one.id, two.id)
    assert of(Proposal, await counter.propose("rerun_downstream")).affected == 3
    assert of(Proposal, await counter.propose("rerun")).affected == 1


async def test_rights_are_asked_before_anything_is_stored(sqlite_store: Store) -> None:
    counter = Counter(sqlite_store, ran("orders", Status.FAILED, project="finance"))
    assert of(Problem, await counter.propose("rerun", person=OPERATOR)).text == "denied"
    assert of(Problem, await counter.propose("kill", person=VIEWER)).text == "denied"


async def test_what_cannot_be_proposed_is_said(sqlite_store: Store) -> None:
    counter = Counter(sqlite_store, ran("orders", Status.FAILED), ran("orders_wide", Status.FAILED))
    assert of(Problem, await counter.propose("explode")).text == "bad_input"
    assert of(Notice, await counter.propose("backfill")).text == "unsupported"
    of(Missing, await counter.propose("rerun", "nothing_like_it"))
    choice = of(Choice, await counter.propose("rerun", "ord"))
    assert (choice.command, choice.arguments) == ("propose", {"operation": "rerun"})
    counter.desk.shelf.operations = frozenset()
    assert of(Notice, await counter.propose("rerun")).text == "unsupported"
