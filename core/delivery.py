"""Cards to channels, and which card is the live one of a matter.

A matter (a proposal, an answer under way) has one card in each conversation, edited in place until it is over. The channel
makes repeats harmless by the key it is given; what is remembered here is only where the card is.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy import Column, Connection, String, Table, bindparam, delete, insert, select

from core.cards import Card
from core.channel import Channel
from core.errors import NotFound
from core.messages import Conversation
from core.store import Store, metadata

live_card = Table(
    "live_card",
    metadata,
    Column("subject", String(200), primary_key=True),
    Column("conversation", String(300), primary_key=True),
    Column("channel", String(40), nullable=False),
    Column("reference", String(300), nullable=False),
    Column("language", String(8), nullable=False),
)

_of = live_card.c
_LIVE = select(_of.conversation, _of.channel, _of.reference, _of.language).where(_of.subject == bindparam("asked"))


@dataclass(frozen=True, slots=True)
class LiveCard:
    """Where the card of a matter is, and in which language it speaks. `conversation` is the key of one."""

    conversation: str
    channel: str
    reference: str
    language: str


class Delivery:
    """Sends and edits through the channels that are configured.

    Args:
        channels: by name; more may be added until the first event.
        store: where live cards are remembered.
    """

    def __init__(self, channels: Mapping[str, Channel], store: Store) -> None:
        self._channels = channels
        self._store = store

    async def send(self, conversation: Conversation, card: Card, *, key: str) -> str:
        """Show a card; the same key shows nothing twice. Returns the channel's reference."""
        return await self._channel(conversation.channel).send(conversation, card, key=key)

    async def edit(self, channel: str, reference: str, card: Card, *, key: str) -> None:
        """Replace a card that was shown before."""
        await self._channel(channel).update(reference, card, key=key)

    async def attach(self, subject: str, conversation: Conversation, reference: str, language: str) -> None:
        """Remember this card as the live one of a matter in this conversation."""
        row = {
            "subject": subject,
            "conversation": conversation.key,
            "channel": conversation.channel,
            "reference": reference,
            "language": language,
        }
        await self._store.write(lambda connection: _replace(connection, row))

    async def detach(self, subject: str) -> None:
        """Forget the cards of a matter that is over."""
        await self._store.write(lambda connection: self.forget(connection, subject))

    def forget(self, connection: Connection, subject: str) -> None:
        """The same inside the caller's transaction."""
        connection.execute(delete(live_card).where(live_card.c.subject == subject))

    async def live(self, subject: str) -> tuple[LiveCard, ...]:
        """All live cards of a matter."""
        rows = await self._store.read(lambda connection: connection.execute(_LIVE, {"asked": subject}).all())
        return tuple(LiveCard(*row) for row in rows)

    async def refresh(self, subject: str, render: Callable[[str], Card], *, key: str) -> None:
        """Edit every live card of a matter.

        Args:
            subject: the matter.
            render: makes the card for a language.
            key: idempotency key of this change.
        """
        for card in await self.live(subject):
            await self.edit(card.channel, card.reference, render(card.language), key=key)

    def _channel(self, name: str) -> Channel:
        channel = self._channels.get(name)
        if channel is None:
            raise NotFound(f"no channel {name} is configured", kind="channel", name=name)
        return channel


def _replace(connection: Connection, row: Mapping[str, str]) -> None:
    same = (live_card.c.subject == row["subject"]) & (live_card.c.conversation == row["conversation"])
    connection.execute(delete(live_card).where(same))
    connection.execute(insert(live_card), row)
