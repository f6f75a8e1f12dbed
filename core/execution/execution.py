"""What people decide about proposals: confirm, cancel, choose; and what is decided about their tickets.

A decision checks rights and that the target is as the card said; a confirmation also asks the gate. What follows is durable
work (`carrying`).
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Unpack

from core.access import Access, Person
from core.audit import Audit
from core.delivery import Delivery
from core.downstream import SCOPES, choose
from core.errors import BadInput, Denied, Refused, Stale
from core.execution.carrying import Carrier, Queue
from core.execution.gate import ConfirmationIsEnough, Gate
from core.execution.register import Register, Render
from core.execution.watching import changed
from core.proposals import Changes, Proposals, Record
from core.results import Member, Proposal, Scope
from core.schedulers.base import Instance
from core.schedulers.fleet import Fleet

SWEEP = "sweep"
"""The kind of durable work that looks, now and then, for what a crash or an outage left behind."""


class Execution:
    """Decides about proposals, and has them carried out.

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
        self._gate = gate or ConfirmationIsEnough()
        self._register = Register(proposals, access, delivery, audit, render)
        self._carrier = Carrier(proposals, self._register, fleet, access, work, self._gate, clock=clock)
        work.on(SWEEP, self._sweep)

    async def confirm(self, person: Person, proposal_id: str) -> Proposal:
        """A person pressed "confirm".

        Raises:
            NotFound: no such proposal.
            Denied: not this person, or not any more.
            Stale: decided before, expired, or the target changed since the card was made.
            Refused: the gate lets nobody do this.
        """
        await self._access.refresh()
        record = await self._proposals.get(proposal_id)
        shown = record.shown
        self._may(person, shown)
        if shown.state == "open":
            await self._gate.permit(record)
        if shown.batch:
            members = await self._entries_left(shown, person) if shown.state == "open" else shown.members
            await self._decide(shown, person, "awaiting", members)
        else:
            if shown.state == "open":
                await self._refuse_drift(shown, person)
            await self._decide(shown, person, "awaiting", shown.members)
        await self._pass_gate(await self._proposals.get(proposal_id), person)
        return (await self._proposals.get(proposal_id)).shown

    async def cancel(self, person: Person, proposal_id: str) -> Proposal:
        """A person pressed "cancel": the requester, or anyone who could confirm. Raises as `confirm` does."""
        shown = await self._own(person, proposal_id)
        await self._decide(shown, person, "cancelled", shown.members)
        await self._register.show(proposal_id)
        return (await self._proposals.get(proposal_id)).shown

    async def choose(self, person: Person, proposal_id: str, scope: str) -> Proposal:
        """A person chose which of those downstream run again: the requester, or anyone who could confirm.

        Raises:
            BadInput: no such scope.
            NotFound, Denied, Stale: as `confirm`.
        """
        shown = await self._own(person, proposal_id)
        members = choose(shown.members, _scope(scope))
        if shown.batch or not await self._proposals.choose(proposal_id, members):
            raise Stale(f"{proposal_id} is {shown.state}", proposal=proposal_id, state=shown.state)
        await self._register.show(proposal_id)
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
        shown = await self._leave(proposal_id, "confirmed", by)
        await self._carrier.submit(proposal_id)
        return shown

    async def rejected(self, proposal_id: str, by: str, reason: str) -> Proposal:
        """The ticket of a proposal was rejected, withdrawn or ran out of time. Arguments and errors as of `approved`.

        Args:
            proposal_id: of a proposal that is `awaiting`.
            by: who rejected it.
            reason: shown on the card; safe to show.
        """
        return await self._leave(proposal_id, "rejected", by, message=reason)

    async def look_up(self, proposal_id: str) -> Proposal:
        """A proposal as it is. Raises `NotFound`."""
        return (await self._proposals.get(proposal_id)).shown

    async def resume(self) -> int:
        """Take up whatever is not over and lost its work, in a crash or an outage. Safe to repeat."""
        for proposal_id in await self._proposals.without_ticket():
            record = await self._proposals.get(proposal_id)
            with suppress(Refused):  # the card says so
                await self._pass_gate(record, self._register.person(record.shown.decider))
        return await self._carrier.resume()

    async def _sweep(self, _work_id: str, _payload: Mapping[str, str]) -> None:
        await self.resume()

    async def _own(self, person: Person, proposal_id: str) -> Proposal:
        """A proposal that this person asked for, or could confirm."""
        await self._access.refresh()
        shown = (await self._proposals.get(proposal_id)).shown
        if person.name != shown.requester:
            self._may(person, shown)
        return shown

    def _may(self, person: Person, shown: Proposal) -> None:
        """Raises `Denied` unless the person may do this; of a batch, to at least one of its entries."""
        if not any(self._allowed(person, shown, member.instance) for member in shown.members if shown.batch):
            self._access.may_operate(person, shown.operation, shown.instance.task)

    def _allowed(self, person: Person, shown: Proposal, instance: Instance) -> bool:
        try:
            self._access.may_operate(person, shown.operation, instance.task)
        except Denied:
            return False
        return True

    async def _refuse_drift(self, shown: Proposal, person: Person) -> None:
        facets, now = await changed(self._fleet, shown)
        if facets:
            await self._register.decide(shown, "void", person, found=now)
            await self._register.show(shown.id)
            raise Stale(f"{shown.instance.ref} changed: {', '.join(facets)}", proposal=shown.id, state="void")

    async def _entries_left(self, shown: Proposal, person: Person) -> tuple[Member, ...]:
        """The members of a batch; those that changed or are not this person's to change are left out, and say why."""
        members = tuple(await asyncio.gather(*(self._entry(shown, member, person) for member in shown.members)))
        if not any(member.chosen for member in members):
            await self._register.decide(shown, "void", person, members=members)
            await self._register.show(shown.id)
            raise Stale(f"all of {shown.id} changed", proposal=shown.id, state="void")
        return members

    async def _entry(self, shown: Proposal, member: Member, person: Person) -> Member:
        if not member.chosen:
            return member
        if not self._allowed(person, shown, member.instance):
            return replace(member, chosen=False, state="denied")
        facets, _ = await changed(self._fleet, replace(shown, instance=member.instance, members=()))
        return replace(member, chosen=False, state="void") if facets else member

    async def _decide(self, shown: Proposal, person: Person, state: str, members: tuple[Member, ...]) -> None:
        try:
            await self._register.decide(shown, state, person, members=members)
        except Stale as error:
            if error.details["state"] == "expired":
                await self._register.show(shown.id)
            raise

    async def _pass_gate(self, record: Record, person: Person) -> None:
        """From `awaiting` to `confirmed`, or to a ticket. Harmless when two do it at once."""
        shown = record.shown
        try:
            ticket = await self._gate.ask(record, person)
        except Refused as error:
            with suppress(Stale):
                await self._leave(shown.id, "refused", person.name, message=str(error), refusal=error.said)
            raise
        if ticket:
            await self._proposals.link(shown.id, ticket)
            await self._register.show(shown.id)
            return
        with suppress(Stale):
            await self._leave(shown.id, "confirmed", person.name)
        await self._carrier.submit(shown.id)

    async def _leave(self, proposal_id: str, state: str, by: str, **changes: Unpack[Changes]) -> Proposal:
        """Leave `awaiting`, or raise `Stale`."""
        shown = (await self._proposals.get(proposal_id)).shown
        if not await self._register.move(shown, ("awaiting",), state, by=by, **changes):
            raise Stale(f"{proposal_id} is {shown.state}", proposal=proposal_id, state=shown.state)
        await self._register.show(proposal_id)
        return (await self._proposals.get(proposal_id)).shown


def _scope(word: str) -> Scope:
    for scope in SCOPES:
        if scope == word:
            return scope
    raise BadInput(f"no scope {word}", argument="scope")
