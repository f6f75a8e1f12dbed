"""The seam to messengers: what the core needs of one, and what one cannot do, as data.

Implemented by `bots.feishu.client`, `bots.web.channel`, `bots.terminal` …; `tests/contracts/test_channels.py` runs over all.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from core.cards import Card
from core.messages import Actor, Conversation


@dataclass(frozen=True, slots=True)
class Limits:
    """What a channel can show and how often, from its vendor's documentation.

    Attributes:
        card_bytes: largest card as UTF-8 JSON.
        elements: most elements in one card.
        buttons: most buttons a card may show before they move into a menu.
        table_rows: most rows a table shows.
        editable_for: how long a sent card can be edited; zero when it cannot.
        edits_per_second: fastest editing of one card; later edits replace waiting ones.
    """

    card_bytes: int
    elements: int
    buttons: int
    table_rows: int
    editable_for: timedelta
    edits_per_second: float


class Channel(Protocol):
    """One messenger, or the web page, or a terminal."""

    @property
    def name(self) -> str:
        """The word in `Conversation.channel` and `Actor.channel`."""
        ...

    @property
    def limits(self) -> Limits:
        """What it can show."""
        ...

    async def send(self, conversation: Conversation, card: Card, *, key: str) -> str:
        """Show a card and return the channel's reference of it.

        Args:
            conversation: where.
            card: what.
            key: idempotency key; a second call with the same key shows nothing new and returns the same reference.

        Raises:
            RemoteError: the messenger could not or would not; see its subclasses.
        """
        ...

    async def update(self, reference: str, card: Card, *, key: str) -> None:
        """Replace a card that `send` showed, for everyone who sees it. Applying the same key twice is harmless."""
        ...

    async def lookup(self, actor_id: str) -> Actor:
        """Who this id is; at least `Actor(name, id)` when the messenger will not tell."""
        ...
