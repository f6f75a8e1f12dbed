"""Confirms, carries out, follows.

`confirm` checks rights and that the target is as the card said, asks the gate, then hands over to durable work. `execute`
claims the proposal (`confirmed` → `executing`) before it calls the scheduler, so that whoever finds it `executing` later
knows that a call may be out: that order is never sent again, only looked up. `follow` asks until the run ends and edits
the card.
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from core.access import Access, Person
from core.audit import Audit
from core.cards import Card
from core.delivery import Delivery
from core.errors import Denied, NotFound, Refused, RemoteError, Stale, XOpsError
from core.execution.gate import ConfirmationIsEnough, Gate
from core.observe import OPERATIONS
from core.proposals import Proposals, Record
from core.results import Proposal
from core.schedulers.base import Instance, Operation, Order, Receipt
from core.schedulers.fleet import Fleet

FIRST_LOOK = 1.0
SLOWEST_LOOK = 30.0
"""Seconds between looks at a running instance: short at first, for reruns of seconds, then a scheduler's comfort."""

GIVE_UP = timedelta(hours=24)
UNKNOWN_FOR = timedelta(minutes=2)
"""After an order without an answer: how long a sign of it may take to appear before it counts as not carried out."""

Render = Callable[[Proposal, str, Person], Card]
"""Makes the card of a proposal in a language, for the person who decided."""


class Queue(Protocol):
    """What is needed of `core.work.Work`: each id is worked on once, also when its first worker dies."""

    def on(self, kind: str, handler: Callable[[str, Mapping[str, str]], Awaitable[None]]) -> None:
        """Whom to call for a kind of work."""
        ...

    async def submit(self, kind: str, id: str, payload: Mapping[str, str], *, delay: float = 0.0) -> bool:
        """Ask for work; False when this id was asked for before."""
        ...


log = structlog.get_logger(__name__)


class Execution:
    """Carries out confirmed proposals.

    Args:
        proposals: where they are stored.
        fleet: the schedulers.
        access: asked again at the click and at the execution.
        work: the durable queue.
        delivery: where the live cards are.
        audit: the trail.
        render: see `Render`.
        clock: the present, with zone.
        gate: asked after a confirmation whether others have to approve.
    """

    def __init__(
        self,
        proposals: Proposals,
        fleet: Fleet,
        access: Access,
        work: Queue,
        delivery: Delivery,
        audit: Audit,
        *,
        render: Render,
        clock: Callable[[], datetime],
        gate: Gate | None = None,
    ) -> None:
        self._proposals = proposals
        self._fleet = fleet
        self._access = access
        self._work = work
        self._delivery = delivery
        self._audit = audit
        self._render = render
        self._clock = clock
        self._gate = gate or ConfirmationIsEnough()
        work.on("execute", self._execute)
        work.on("follow", self._follow)

    async def confirm(self, person: Person, proposal_id: str) -> Proposal:
        """A person pressed "confirm".

        Raises:
            NotFound: no such proposal.
            Denied: not this person, or not any more.
            Stale: decided before, expired, or the target changed since the card was made.
            Refused: the gate lets nobody do this.
        """
        shown = (await self._proposals.get(proposal_id)).shown
        self._access.may_operate(person, shown.operation, shown.instance.task)
        if shown.state == "open":
            await self._refuse_drift(shown, person)
        await self._decide(shown, person, "awaiting")
        await self._pass_gate(await self._proposals.get(proposal_id), person)
        return (await self._proposals.get(proposal_id)).shown

    async def approved(self, proposal_id: str, by: str) -> Proposal:
        """The ticket of a proposal was approved; it is carried out now, after its state was checked again.

        Args:
            proposal_id: of a proposal that is `awaiting`.
            by: who approved last, for the trail.

        Raises:
            NotFound: no such proposal.
            Stale: it is not waiting for approval.
        """
        shown = await self._settle(proposal_id, "confirmed", by)
        await self._submit(proposal_id)
        return shown

    async def rejected(self, proposal_id: str, by: str, reason: str) -> Proposal:
        """The ticket of a proposal was rejected, withdrawn or ran out of time. Arguments and errors as of `approved`.

        Args:
            proposal_id: of a proposal that is `awaiting`.
            by: who rejected it.
            reason: shown on the card; safe to show.
        """
        return await self._settle(proposal_id, "rejected", by, reason)

    async def cancel(self, person: Person, proposal_id: str) -> Proposal:
        """A person pressed "cancel": the requester, or anyone who could confirm. Raises as `confirm` does."""
        shown = (await self._proposals.get(proposal_id)).shown
        if person.name != shown.requester:
            self._access.may_operate(person, shown.operation, shown.instance.task)
        await self._decide(shown, person, "cancelled")
        return (await self._proposals.get(proposal_id)).shown

    async def resume(self) -> int:
        """Submit again whatever is unfinished, for the moment between two commits that a crash can hit. Safe to repeat."""
        for proposal_id in await self._proposals.without_ticket():
            record = await self._proposals.get(proposal_id)
            await self._pass_gate(record, self._person(record.shown.decider))
        unfinished = await self._proposals.unfinished()
        for proposal_id in unfinished:
            await self._submit(proposal_id)
        return len(unfinished)

    async def _pass_gate(self, record: Record, person: Person) -> None:
        """From `awaiting` to `confirmed`, or to a ticket. Harmless when two do it at once."""
        shown = record.shown
        try:
            ticket = await self._gate.ask(record, person)
        except Refused as error:
            with suppress(Stale):
                await self._settle(shown.id, "refused", person.name, str(error))
            raise
        if ticket:
            await self._proposals.link(shown.id, ticket)
            await self._note(person.name, "decide", shown, "awaiting")
            await self._show(shown.id)
            return
        with suppress(Stale):
            await self._settle(shown.id, "confirmed", person.name)
        await self._submit(shown.id)

    async def _settle(self, proposal_id: str, state: str, by: str, message: str = "") -> Proposal:
        """Leave `awaiting`, or raise `Stale`."""
        moved = await self._proposals.move(proposal_id, ("awaiting",), state, message=message)
        shown = (await self._proposals.get(proposal_id)).shown
        if not moved:
            raise Stale(f"{proposal_id} is {shown.state}", proposal=proposal_id, state=shown.state)
        await self._note(by, "decide", shown, state)
        await self._show(proposal_id)
        return shown

    async def _submit(self, proposal_id: str) -> None:
        await self._work.submit("execute", f"execute:{proposal_id}", {"proposal": proposal_id})

    def _person(self, name: str) -> Person:
        return self._access.named(name) or Person(name)

    async def _refuse_drift(self, shown: Proposal, person: Person) -> None:
        now = await self._fleet.instance(shown.instance.ref)
        if (now.status, now.run_number, now.flags) != (
            shown.instance.status,
            shown.instance.run_number,
            shown.instance.flags,
        ):
            await self._decide(shown, person, "void")
            raise Stale(f"{shown.instance.ref} changed", proposal=shown.id, state="void")

    async def _decide(self, shown: Proposal, person: Person, state: str) -> None:
        try:
            await self._proposals.decide(shown.id, state, person.name)
        except Stale as error:
            if error.details["state"] == "expired":
                await self._show(shown.id)
            raise
        if state != "awaiting":  # what the gate says of it comes at once
            await self._note(person.name, "decide", shown, state)
            await self._show(shown.id)

    async def _execute(self, _work_id: str, payload: Mapping[str, str]) -> None:
        proposal_id = payload["proposal"]
        if await self._proposals.move(proposal_id, ("confirmed",), "executing"):
            await self._order(await self._proposals.get(proposal_id))
        elif await self._proposals.move(proposal_id, ("executing",), "unknown"):
            log.warning("execution interrupted", proposal=proposal_id)  # a process died with the call out
        await self._show(proposal_id)
        record = await self._proposals.get(proposal_id)
        if record.shown.state in {"following", "unknown"}:
            await self._look_again(proposal_id, 0, "")

    async def _order(self, record: Record) -> None:
        shown = record.shown
        await self._show(shown.id)
        try:
            receipt = await self._call(record)
        except Denied as error:
            await self._end(shown, "refused", str(error))
        except Refused as error:
            await self._end(shown, "refused", str(error))
        except RemoteError as error:
            await self._proposals.move(shown.id, ("executing",), "unknown", message=str(error))
            await self._note(shown.decider, shown.operation.value, shown, "unknown")
        else:
            await self._proposals.move(
                shown.id, ("executing",), "following", run_number=receipt.run_number, message=receipt.message
            )
            await self._note(shown.decider, shown.operation.value, shown, "accepted")

    async def _call(self, record: Record) -> Receipt:
        shown = record.shown
        person = self._access.named(shown.decider)
        if person is None:
            raise Denied(f"{shown.decider} is not listed any more", person=shown.decider, needed="operator")
        self._access.may_operate(person, shown.operation, shown.instance.task)
        scheduler, instance_id = self._fleet.scheduler(shown.instance.ref)
        note = f"X-Ops {shown.id}: {shown.operation.value}, asked by {shown.requester}, confirmed by {shown.decider}"
        order = Order(shown.operation, instance_id, note, shown.id, record.start, record.end)
        return await scheduler.operate(order)

    async def _follow(self, _work_id: str, payload: Mapping[str, str]) -> None:
        proposal_id, turn = payload["proposal"], int(payload["turn"])
        record = await self._proposals.get(proposal_id)
        if record.shown.state not in {"following", "unknown"}:
            return
        now: Instance | None = None
        try:
            now = await self._fleet.instance(record.shown.instance.ref)
            state = self._judge(record, now)
        except NotFound as error:
            await self._end(record.shown, "failed", str(error))
            return
        except RemoteError as error:  # it will be back; the card keeps its last true state
            log.info("follow: scheduler did not answer", proposal=proposal_id, error=str(error))
            state = record.shown.state
        if state in {"succeeded", "failed"}:
            await self._end(record.shown, state, now.raw_status if now else "", now)
            return
        if state != record.shown.state:
            await self._proposals.move(proposal_id, ("unknown",), state, run_number=now.run_number if now else 0)
        seen = f"{state} {now.status} {now.run_number}" if now else payload["seen"]
        if seen != payload["seen"]:
            await self._show(proposal_id, now)
        await self._look_again(proposal_id, turn + 1, seen)

    def _judge(self, record: Record, now: Instance) -> str:
        """What the state of the target says about the order."""
        shown, age = record.shown, self._clock() - record.created_at
        before = shown.instance
        if shown.operation in {Operation.FREEZE, Operation.UNFREEZE}:
            return "succeeded" if now.flags.frozen == (shown.operation is Operation.FREEZE) else _late(age, "following")
        if shown.operation is Operation.BACKFILL:
            return "succeeded" if shown.state == "following" else _late(age, "unknown")
        if shown.operation is Operation.SET_SUCCESS:
            return "succeeded" if now.status.succeeded else _late(age, shown.state)
        if shown.operation is Operation.KILL:
            return "succeeded" if now.status.finished else _late(age, shown.state)
        expected = record.run_number or before.run_number + 1
        started = now.run_number >= expected or not now.status.finished
        if not started:
            return _late(age, shown.state)
        if not now.status.finished or now.run_number < expected:
            return "following" if age < GIVE_UP else "failed"
        return "succeeded" if now.status.succeeded else "failed"

    async def _look_again(self, proposal_id: str, turn: int, seen: str) -> None:
        delay = min(FIRST_LOOK * 1.3**turn, SLOWEST_LOOK)
        payload = {"proposal": proposal_id, "turn": str(turn), "seen": seen}
        await self._work.submit("follow", f"follow:{proposal_id}:{turn}", payload, delay=delay)

    async def _end(self, shown: Proposal, state: str, message: str, now: Instance | None = None) -> None:
        await self._proposals.move(shown.id, ("executing", "following", "unknown"), state, message=message)
        await self._note(shown.decider, shown.operation.value, shown, state)
        await self._show(shown.id, now)
        await self._delivery.detach(subject(shown.id))

    async def _show(self, proposal_id: str, now: Instance | None = None) -> None:
        """Edit the live card. A messenger that fails here is asked again with the next change; the order stands."""
        shown = (await self._proposals.get(proposal_id)).shown
        if now is not None:
            shown = replace(shown, instance=now)
        person = self._person(shown.decider)
        key = f"{proposal_id}:{shown.state}:{shown.instance.status}:{shown.instance.run_number}"
        try:
            await self._delivery.refresh(
                subject(proposal_id), lambda language: self._render(shown, language, person), key=key
            )
        except XOpsError as error:
            log.warning("card not updated", proposal=proposal_id, error=str(error))

    async def _note(self, actor: str, action: str, shown: Proposal, outcome: str) -> None:
        OPERATIONS.labels(shown.operation.value, outcome).inc()
        details = {"proposal": shown.id, "operation": shown.operation.value, "requester": shown.requester}
        await self._audit.record(
            actor=actor, action=action, target=shown.instance.ref, outcome=outcome, details=details
        )


def _late(age: timedelta, state: str) -> str:
    """`state` while a sign of the order may still come, `failed` afterwards."""
    limit = UNKNOWN_FOR if state == "unknown" else GIVE_UP
    return state if age < limit else "failed"


def subject(proposal_id: str) -> str:
    """The name under which `core.delivery` knows the live cards of a proposal."""
    return f"proposal:{proposal_id}"
