"""Cards of tickets to the people they concern, each in their own messenger, edited everywhere until the matter is over.

A candidate gets one card a node in their private chat on every channel that knows them; who asked gets one where they
asked. A messenger that does not answer is tried again; one that refuses a card is left at that.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace

import structlog

from core.access import Access, Person
from core.approvals.model import TicketView
from core.cards import Card
from core.delivery import Delivery, LiveCard
from core.errors import XOpsError
from core.messages import Conversation

Render = Callable[[TicketView, str, Person], Card]
"""Makes the card of a ticket in a language, for a person."""

log = structlog.get_logger(__name__)


class Calling:
    """Tells people.

    Args:
        delivery: the channels, and where live cards are.
        access: where people are.
        channels: names of the channels on which people can be called.
        render: see `Render`.
        language: of those who state no preference.
    """

    def __init__(
        self, delivery: Delivery, access: Access, channels: Sequence[str], *, render: Render, language: str
    ) -> None:
        self._delivery = delivery
        self._access = access
        self._channels = channels
        self._render = render
        self._language = language

    async def tell(self, shown: TicketView, candidates: Iterable[Person], *, remind: bool, mark: int) -> None:
        """Show the ticket as it is now: new candidates get a card, all cards there are get edited.

        Args:
            shown: the ticket; nobody's own view of it.
            candidates: who may decide now.
            remind: also tell each candidate that it waits.
            mark: which reminder that is.

        Raises:
            XOpsError: a messenger did not answer. Everyone else was told; doing it again tells nobody twice.
        """
        problems = [*await self._edit(shown), *await self._tell_requester(shown)]
        for person in candidates:
            problems += await self._call(shown, person)
            if remind:
                problems += await self._remind(shown, person, mark)
        if not shown.ticket.open and not problems:
            for name in _subjects(shown):
                await self._delivery.detach(name)
        for problem in problems:
            if problem.retryable:
                raise problem

    async def _edit(self, shown: TicketView) -> list[XOpsError]:
        problems: list[XOpsError] = []
        for node, name in enumerate(_subjects(shown), -1):
            view = replace(
                shown, decide=shown.ticket.state == "approving" and node == shown.ticket.node, steward=node < 0
            )
            for card in await self._delivery.live(name):
                problems += await self._try(self._edited(view, card))
        return problems

    async def _edited(self, view: TicketView, card: LiveCard) -> None:
        drawn = self._render(view, card.language, Person(""))
        frozen = view.freeze.get("until", "")
        key = f"{view.ticket.id}:{view.ticket.seq}:{frozen}:{card.reference}"
        await self._delivery.edit(card.channel, card.reference, drawn, key=key)

    async def _tell_requester(self, shown: TicketView) -> list[XOpsError]:
        conversation, person = shown.ticket.request.conversation, self._person(shown.ticket.request.requester)
        if conversation is None or not shown.ticket.open:
            return []
        return await self._show(replace(shown, steward=True), person, conversation, subject(shown.ticket.id))

    async def _call(self, shown: TicketView, person: Person) -> list[XOpsError]:
        problems: list[XOpsError] = []
        for conversation in self._private(person):
            name = subject(shown.ticket.id, shown.ticket.node)
            problems += await self._show(replace(shown, decide=True), person, conversation, name)
        return problems

    async def _show(self, view: TicketView, person: Person, conversation: Conversation, name: str) -> list[XOpsError]:
        """Send a card, unless there is one of this matter already."""
        if any(card.conversation == conversation.key for card in await self._delivery.live(name)):
            return []
        return await self._try(self._sent(view, person, conversation, name))

    async def _sent(self, view: TicketView, person: Person, conversation: Conversation, name: str) -> None:
        language = person.language or self._language
        card = self._render(view, language, person)
        reference = await self._delivery.send(conversation, card, key=f"{name}:{conversation.key}")
        await self._delivery.attach(name, conversation, reference, language)

    async def _remind(self, shown: TicketView, person: Person, mark: int) -> list[XOpsError]:
        problems: list[XOpsError] = []
        card = self._render(replace(shown, purpose="remind"), person.language or self._language, person)
        for conversation in self._private(person):
            key = f"remind:{shown.ticket.id}:{shown.ticket.node}:{mark}:{conversation.key}"
            problems += await self._try(self._delivery.send(conversation, card, key=key))
        return problems

    async def _try(self, sending: Awaitable[object]) -> list[XOpsError]:
        try:
            await sending
        except XOpsError as error:
            log.warning("ticket card not shown", error=str(error))
            return [error]
        return []

    def _private(self, person: Person) -> list[Conversation]:
        known = ((channel, self._access.identity(person, channel)) for channel in self._channels)
        return [Conversation(channel, identity) for channel, identity in known if identity]

    def _person(self, name: str) -> Person:
        return self._access.named(name) or Person(name)


def subject(ticket_id: str, node: int | None = None) -> str:
    """The name under which `core.delivery` knows the cards of a ticket: the requester's, or those of a node's candidates."""
    return f"ticket:{ticket_id}" + ("" if node is None else f":{node}")


def _subjects(shown: TicketView) -> list[str]:
    """The requester's, then those of every node so far."""
    ticket = shown.ticket
    asked = range(min(ticket.node + 1, len(ticket.nodes)))
    return [subject(ticket.id), *(subject(ticket.id, node) for node in asked)]
