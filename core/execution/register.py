"""Every step of a proposal: its transition and the entry in the trail in one transaction, then its live card."""

import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Unpack

import structlog

from core.access import Access, Person
from core.audit import Audit
from core.cards import Card
from core.delivery import Delivery
from core.errors import XOpsError
from core.execution.watching import Sighting
from core.observe import OPERATIONS
from core.proposals import Also, Changes, Proposals, Record
from core.results import Proposal

Render = Callable[[Proposal, str, Person], Card]
"""Makes the card of a proposal in a language, for the person who decided."""

log = structlog.get_logger(__name__)


def subject(proposal_id: str) -> str:
    """The name under which `core.delivery` knows the live cards of a proposal."""
    return f"proposal:{proposal_id}"


class Register:
    """Moves proposals on, on the record and in view.

    Args:
        proposals: where they are stored.
        access: whom the card is drawn for.
        delivery: where the live cards are.
        audit: the trail.
        render: see `Render`.
    """

    def __init__(self, proposals: Proposals, access: Access, delivery: Delivery, audit: Audit, render: Render) -> None:
        self._proposals = proposals
        self._access = access
        self._delivery = delivery
        self._audit = audit
        self._render = render

    async def decide(self, shown: Proposal, state: str, person: Person, **changes: Unpack[Changes]) -> None:
        """A person's decision about an open proposal. Raises `Stale` when it is not open any more."""
        also = self._entry(shown, "decide", state, person.name)
        await self._proposals.decide(shown.id, state, person.name, also=also, **changes)
        OPERATIONS.labels(shown.operation.value, state).inc()

    async def move(
        self, shown: Proposal, before: Sequence[str], state: str, *, by: str = "", **changes: Unpack[Changes]
    ) -> bool:
        """Any other step; False when the proposal was in none of the states `before`.

        Args:
            shown: the proposal.
            before: as of `Proposals.move`.
            state: where to.
            by: who decided; a step of the order itself is its confirmer's.
            changes: what else changes.
        """
        also = self._entry(shown, "decide" if by else shown.operation.value, state, by or shown.decider)
        moved = await self._proposals.move(shown.id, before, state, also=also, **changes)
        if moved:
            OPERATIONS.labels(shown.operation.value, state).inc()
        return moved

    async def unfold(self, record: Record) -> bool:
        """The step with which a batch begins."""
        shown = record.shown
        return await self._proposals.unfold(
            record, also=self._entry(shown, shown.operation.value, "following", shown.decider)
        )

    async def show(self, proposal_id: str, seen: Sighting | None = None) -> None:
        """Edit the live card. A messenger that fails here is asked again with the next change; the order stands."""
        record = await self._proposals.get(proposal_id)
        if record.parent:
            await self.show(record.parent)
            return
        shown = record.shown
        if seen is not None:
            shown = replace(shown, instance=seen.target, members=seen.members)
        person = self.person(shown.decider)
        try:
            await self._delivery.refresh(
                subject(proposal_id), lambda language: self._render(shown, language, person), key=_key(shown)
            )
        except XOpsError as error:
            log.warning("card not updated", proposal=proposal_id, error=str(error))

    async def close(self, proposal_id: str) -> None:
        """The matter is over: its card is not edited any more."""
        await self._delivery.detach(subject(proposal_id))

    def person(self, name: str) -> Person:
        """Someone by name; without any right when they are not listed any more."""
        return self._access.named(name) or Person(name)

    def _entry(self, shown: Proposal, action: str, outcome: str, actor: str) -> Also:
        details = {"proposal": shown.id, "operation": shown.operation.value, "requester": shown.requester}
        if shown.ticket:
            details["ticket"] = shown.ticket
        return lambda connection: self._audit.entry(
            connection, actor=actor, action=action, target=shown.instance.ref, outcome=outcome, details=details
        )


def _key(shown: Proposal) -> str:
    """The same for the same card, so that a repeated edit is none."""
    seen = [(one.status, one.run_number) for one in (shown.instance, *(member.instance for member in shown.members))]
    states = [(member.chosen, member.state) for member in shown.members]
    return f"{shown.id}:{shown.state}:{zlib.crc32(repr((seen, states)).encode()):08x}"
