"""The state machine of tickets against a model of it, under any order of words, presses and waiting."""

import asyncio
from collections.abc import Awaitable
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from core.approvals.model import Node, Strategy, Ticket
from core.errors import XOpsError
from core.store import Store
from core.store.tables import declared
from tests.fakes.approvals import Bureau, flow, kill

T = TypeVar("T")
HOUR = timedelta(hours=1)
PEOPLE = ("asker", "ops", "ops2", "dba", "root", "guest", "nobody")
WHO = ({"ops", "ops2", "root"}, {"dba"}, {"ops", "ops2", "root"})
NEED = (2, 1, 1)
STEWARDS = {"asker", "ops", "ops2", "root"}
OPEN = {"approving", "waiting", "executing"}


class Tickets(RuleBasedStateMachine):
    """One ticket through three nodes, the first with a quorum of two.

    The model is three plain values: where the ticket is, who voted for the present node, and when the phase ends. What the
    model says must happen, happens; what it says must not, is refused and changes nothing.
    """

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.directory = TemporaryDirectory()
        self.state, self.node, self.ends = "approving", 0, timedelta()
        self.votes: set[str] = set()

    @initialize(strategy=st.sampled_from(["automatic", "manual"]))
    def open(self, strategy: Strategy) -> None:
        """A fresh database and one ticket."""
        self.strategy = strategy
        self.run(self._open())
        self.ends = self.elapsed + 24 * HOUR

    async def _open(self) -> None:
        self.store = Store(f"sqlite:///{Path(self.directory.name)}/xops.sqlite")
        await self.store.write(declared().create_all)
        self.bureau = Bureau(self.store)
        self.bureau.hand.state = "executing"
        self.began = self.bureau.now.now
        nodes = (Node(approver="ops_admin@project", need=2), "group:dba", "ops_admin@project")
        made = flow("kills", "kill", *nodes, escalate_to="user:guest2")
        await self.bureau.flows.create(self.bureau.person("root"), made)
        self.ticket = await self.bureau.ask(kill(strategy=self.strategy))

    @property
    def elapsed(self) -> timedelta:
        """Since the ticket was opened."""
        return self.bureau.now.now - self.began

    @property
    def in_time(self) -> bool:
        """Whether the present phase is not over yet."""
        return self.elapsed < self.ends

    @rule(name=st.sampled_from(PEOPLE))
    def approve(self, name: str) -> None:
        """Somebody approves."""
        candidate = self.state == "approving" and name in WHO[self.node]
        allowed = candidate and name not in self.votes and self.in_time
        self.expect(self.bureau.approvals.approve(self.bureau.says(name, self.ticket)), allowed)
        if allowed:
            self.votes.add(name)
            if len(self.votes) == NEED[self.node]:
                self.node += 1
                self.votes.clear()
                last = self.node == len(NEED)
                self.begin({"automatic": "executing", "manual": "waiting"}[self.strategy] if last else "approving")

    @rule(name=st.sampled_from(PEOPLE))
    def reject(self, name: str) -> None:
        """Somebody rejects; who has voted at this node has had their say."""
        candidate = self.state == "approving" and name in WHO[self.node] and name not in self.votes
        allowed = candidate and self.in_time
        self.expect(self.bureau.approvals.reject(self.bureau.says(name, self.ticket, "no")), allowed)
        self.state = "rejected" if allowed else self.state

    @rule(name=st.sampled_from(PEOPLE))
    def withdraw(self, name: str) -> None:
        """Somebody takes it back."""
        allowed = self.state in {"approving", "waiting"} and name in STEWARDS and self.in_time
        self.expect(self.bureau.approvals.withdraw(self.bureau.says(name, self.ticket)), allowed)
        if allowed:
            self.state = "withdrawn" if name == "asker" else "cancelled"

    @precondition(lambda self: self.node == len(NEED))
    @rule(name=st.sampled_from(PEOPLE))
    def execute(self, name: str) -> None:
        """Somebody starts it by hand."""
        allowed = self.state == "waiting" and name in STEWARDS and self.in_time
        self.expect(self.bureau.approvals.execute_now(self.bureau.says(name, self.ticket)), allowed)
        if allowed:
            self.begin("executing")

    @rule(hours=st.integers(1, 30))
    def wait(self, hours: int) -> None:
        """Time passes, and nobody attends to the ticket: the process is down."""
        self.bureau.now.now += hours * HOUR

    @rule()
    def sweep(self) -> None:
        """A process comes and does what is due."""
        if self.state in OPEN and not self.in_time:
            expired = {"approving": "approval_expired", "waiting": "wait_expired", "executing": "execution_expired"}
            self.state = expired[self.state]
        self.run(self._attend())

    async def _attend(self) -> None:
        await self.bureau.attendant.sweep()
        await self.bureau.now.pass_time(0)

    @invariant()
    def the_table_is_what_the_model_says(self) -> None:
        """State, node and votes, after every step."""
        if hasattr(self, "ticket"):
            found = self.run(self.bureau.tickets.get(self.ticket.id))
            assert (found.state, found.node, found.votes) == (
                self.state,
                self.node,
                len(self.votes) if found.open else 0,
            )

    def begin(self, state: str) -> None:
        """A phase begins, and has its time anew."""
        self.state, self.ends = state, self.elapsed + 24 * HOUR

    def expect(self, said: Awaitable[Ticket], allowed: bool) -> None:
        """It happens if and only if the model allows it."""
        if allowed:
            self.run(said)
        else:
            with pytest.raises(XOpsError):
                self.run(said)

    def run(self, work: Awaitable[T]) -> T:
        """On this machine's own loop."""
        return self.loop.run_until_complete(_awaited(work))

    def teardown(self) -> None:
        """The trail is whole, whatever happened, and nothing ran that was not approved."""
        if hasattr(self, "bureau"):
            self.run(self.bureau.audit.verify())
            events = self.run(self.bureau.tickets.events(self.ticket.id))
            approvals = sum(event.kind == "approve" for event in events)
            assert not self.bureau.hand.started or approvals == sum(NEED)
            self.run(self.store.stop())
        self.loop.close()
        self.directory.cleanup()


async def _awaited(work: Awaitable[T]) -> T:
    return await work


TestTickets = Tickets.TestCase
TestTickets.settings = settings(
    max_examples=15, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
