"""What follows from a ticket's state: cards, reminders, expiry, carrying out.

`attend` brings the world in line with the state it finds, so that doing it twice, late, or on another replica is harmless.
`sweep` hands every ticket that changed, or for which something is due, to durable work. `watch` sweeps at once after a
change in this process, and every few seconds for changes by others and for times: what passed while no process ran is found
by the first sweep.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

from core.access import Access
from core.approvals import approvers, course
from core.approvals.calling import Calling
from core.approvals.course import Phase
from core.approvals.freezes import Freezes
from core.approvals.model import REFUSED, Act, State, Ticket, TicketView
from core.approvals.tickets import Tickets
from core.errors import Stale
from core.execution import Queue

POLL = 5.0
"""Seconds after which what other processes changed, and what falls due by itself, is noticed."""

LOOK_AGAIN = timedelta(seconds=10)
"""Between two looks at something that is being carried out."""

REVIEW = timedelta(hours=24)
"""How long an order of an emergency may wait for its review."""


class Runner(Protocol):
    """Who carries out what was approved, for one task type."""

    async def start(self, ticket: Ticket) -> None:
        """Carry it out, or see that it is under way. Called again after a crash, and must do nothing a second time."""
        ...

    async def outcome(self, ticket: Ticket) -> tuple[State, str]:
        """How it goes: `executing`, `succeeded`, `failed` or `unknown`; and a sentence that is safe to show."""
        ...

    async def dropped(self, ticket: Ticket, by: str, reason: str) -> None:
        """It will not be carried out."""
        ...


class Attendant:
    """Attends to tickets.

    Args:
        tickets: what is under way.
        access: who may decide at this moment.
        work: the durable queue.
        calling: cards to people.
        freezes: when nothing is begun.
        clock: the present, with zone.
    """

    def __init__(
        self,
        tickets: Tickets,
        access: Access,
        work: Queue,
        calling: Calling,
        freezes: Freezes,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._tickets = tickets
        self._access = access
        self._work = work
        self._calling = calling
        self._freezes = freezes
        self._clock = clock
        self._runners: dict[str, Runner] = {}
        self._changed = asyncio.Event()
        work.on("ticket", self._attend)

    def on(self, task_type: str, runner: Runner) -> None:
        """Say who carries out tasks of a type; those of other types are carried out by a person, who reports the outcome."""
        self._runners[task_type] = runner

    def carries_out(self, task_type: str) -> bool:
        """Whether there is a runner for the type."""
        return task_type in self._runners

    def notice(self) -> None:
        """A ticket was changed in this process: sweep soon."""
        self._changed.set()

    async def watch(self) -> None:
        """Sweep whenever something changed; run it with `core.background.repeat`."""
        self._changed.clear()
        await self.sweep()
        try:
            async with asyncio.timeout(POLL):
                await self._changed.wait()
        except TimeoutError:
            return

    async def sweep(self) -> int:
        """Hand over every ticket that needs attention; returns how many. Safe to repeat, on any number of replicas."""
        minute = int(self._clock().timestamp() // 60)  # what failed for good is tried again a minute later
        due = await self._tickets.due()
        for ticket in due:
            moment = f"{ticket.seq}:{ticket.wake.timestamp()}:{minute}"
            await self._work.submit("ticket", f"ticket:{ticket.id}:{moment}", {"ticket": ticket.id})
        return len(due)

    async def _attend(self, _work_id: str, payload: Mapping[str, str]) -> None:
        await self._access.refresh()
        ticket = await self._keep_time(await self._tickets.get(payload["ticket"]))
        wake = course.next_due(ticket, self._clock())
        if ticket.state in {"approving", "waiting"} and (turn := self._freezes.turn(ticket.request)):
            wake = min(wake, turn)
        if ticket.state == "executing" and ticket.request.task_type in self._runners:
            ticket = await self._carry_out(ticket, self._runners[ticket.request.task_type])
            wake = min(wake, self._clock() + LOOK_AGAIN)
        elif ticket.state in REFUSED and ticket.request.task_type in self._runners and ticket.path == "normal":
            await self._drop(ticket, self._runners[ticket.request.task_type])
        if ticket.path == "break_glass":
            await self._open_review(ticket)
        await self._tell(ticket)
        await self._tickets.attended(ticket, wake)

    async def _keep_time(self, ticket: Ticket) -> Ticket:
        """Do what has fallen due: expire, begin at the time that was set, ask others as well."""
        now = self._clock()
        try:
            if ticket.state in course.EXPIRED and ticket.deadline <= now:
                end = Phase(course.EXPIRED[ticket.state], ticket.node, now)
                return await self._tickets.move(ticket, Act("expire"), end, late=True)
            timed = ticket.request.execute_at if ticket.state == "waiting" else None
            if timed is not None and timed <= now and not self._freezes.over(ticket.request):
                return await self._tickets.move(ticket, Act("execute"), course.executing(ticket, self._clock()))
        except Stale:  # a person, or another replica, was first
            return await self._tickets.get(ticket.id)
        if ticket.state == "approving" and not ticket.escalated and await self._needs_others(ticket, now):
            await self._tickets.mark(ticket, Act("escalate"), escalated=True)
            return await self._tickets.get(ticket.id)
        return ticket

    async def _needs_others(self, ticket: Ticket, now: datetime) -> bool:
        """Whether it is time to escalate, or nobody who is asked now may decide, or it is about an emergency."""
        if course.escalates(ticket, now) or ticket.path == "review":
            return True
        return not approvers.candidates(self._access, ticket, await self._tickets.events(ticket.id))

    async def _carry_out(self, ticket: Ticket, runner: Runner) -> Ticket:
        if ticket.request.digest() != ticket.digest:
            outcome: State = "failed"
            message = "what is stored is not what was approved"
            await runner.dropped(ticket, "system", message)
        else:
            await runner.start(ticket)
            outcome, message = await runner.outcome(ticket)
        if outcome == "executing":
            return ticket
        try:
            return await self._tickets.move(
                ticket, Act("outcome", comment=message), course.ended(ticket, outcome, self._clock()), message=message
            )
        except Stale:
            return await self._tickets.get(ticket.id)

    async def _drop(self, ticket: Ticket, runner: Runner) -> None:
        ending = [event for event in await self._tickets.events(ticket.id) if event.from_state != event.to_state]
        await runner.dropped(ticket, ending[-1].actor, ticket.message)

    async def _open_review(self, ticket: Ticket) -> None:
        events = await self._tickets.events(ticket.id)
        breaker = next(event.actor for event in events if event.kind == "break_glass")
        request = replace(
            ticket.request,
            requester=breaker,
            involved=(*ticket.request.involved, ticket.request.requester),
            conversation=None,
            strategy="automatic",
            execute_at=None,
            parent=ticket.id,
            key=f"review:{ticket.id}",
        )
        phase = Phase("approving", 0, self._clock() + REVIEW)
        await self._tickets.open(request, ticket.match, phase, path="review")

    async def _tell(self, ticket: Ticket) -> None:
        events = await self._tickets.events(ticket.id)
        people = approvers.candidates(self._access, ticket, events)
        due = course.marks_passed(ticket, self._clock()) if ticket.state == "approving" else 0
        names = tuple(sorted(person.name for person in people))
        shown = TicketView(ticket, events, names, self._clock(), freeze=self._freezes.said(ticket.request))
        await self._calling.tell(shown, people, remind=due > ticket.reminded, mark=due)
        if due > ticket.reminded:
            await self._tickets.mark(ticket, None, reminded=due)
