"""A messenger in memory with the promises of `core.channel.Channel`, for tests that are about what is said."""

import asyncio
from datetime import timedelta

from core.cards import Card
from core.channel import Limits
from core.errors import NotFound, Unreachable
from core.messages import Actor, Conversation


class FakeChat:
    """Remembers every card and every edit.

    Attributes:
        shown: conversation key to references, in order.
        cards: reference to all versions of the card, the present one last.
        down: while true, nothing can be sent or edited.
        sent: set once anything was sent.
    """

    limits = Limits(1_000_000, 10_000, 99, 1000, timedelta(days=14), 100)

    def __init__(self, name: str = "chat") -> None:
        self.name = name
        self.down = False
        self.sent = asyncio.Event()
        self.shown: dict[str, list[str]] = {}
        self.cards: dict[str, list[Card]] = {}
        self._keys: dict[str, str] = {}

    async def send(self, conversation: Conversation, card: Card, *, key: str) -> str:
        """Show a card once for a key."""
        self._fail_when_down()
        if key not in self._keys:
            self._keys[key] = reference = f"card-{len(self.cards) + 1}"
            self.shown.setdefault(conversation.key, []).append(reference)
            self.cards[reference] = [card]
            self.sent.set()
        return self._keys[key]

    async def update(self, reference: str, card: Card, *, key: str) -> None:
        """Replace a card."""
        self._fail_when_down()
        if reference not in self.cards:
            raise NotFound(f"no card {reference}", kind="card", name=reference)
        if key not in self._keys:
            self._keys[key] = reference
            self.cards[reference].append(card)

    async def lookup(self, actor_id: str) -> Actor:
        """Anyone is themselves."""
        return Actor(self.name, actor_id)

    def titles(self, reference: str) -> list[str]:
        """Titles of all versions of a card."""
        return [card.title for card in self.cards[reference]]

    def _fail_when_down(self) -> None:
        if self.down:
            raise Unreachable("the chat is down", system=self.name)
