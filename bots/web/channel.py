"""The web page as a channel: a card is a row in a table, and whoever watches the conversation is woken.

Nothing is queued for a watcher. It is told only *that* something changed and reads the table from where it stopped, so a
slow one costs one flag, an edit that was overtaken is never sent, and a reconnect is the same as staying connected.
"""

import asyncio
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import datetime, timedelta
from uuid import uuid4

from bots.web.render import TABLE_ROWS
from core.cards import Card, Text
from core.channel import Limits
from core.errors import Busy, Refused
from core.messages import Actor, Conversation, Message
from core.redact import mask
from core.store import Store
from core.web_cards import WebCards

MAX_WATCHERS = 32
"""Open streams of one conversation: every device and tab a person may have, and an end to what a script can open."""


class WebChannel:
    """Implements `core.channel.Channel`.

    Args:
        store: where the cards are kept.
        clock: the present, with zone.
    """

    name = "web"
    limits = Limits(
        card_bytes=1_000_000,
        elements=1_000,
        buttons=200,
        table_rows=TABLE_ROWS,
        editable_for=timedelta(days=3650),
        edits_per_second=20.0,
    )

    def __init__(self, store: Store, *, clock: Callable[[], datetime]) -> None:
        self.cards = WebCards(store, clock=clock)
        self.poll_seconds = 15.0 if store.embedded else 2.0
        """How often a watcher looks by itself: with PostgreSQL another replica may have changed something."""
        self.stopping = False
        self._watchers: dict[str, set[asyncio.Event]] = {}

    async def send(self, conversation: Conversation, card: Card, *, key: str) -> str:
        """Append a card to the dialogue."""
        reference, new = await self.cards.add(conversation.key, card, kind="card", reference=uuid4().hex, key=key)
        if new:
            self._wake(conversation.key)
        return reference

    async def update(self, reference: str, card: Card, *, key: str) -> None:
        """Replace a card.

        Raises:
            Refused: there is no such card, or it is so old that it was forgotten.
        """
        conversation = await self.cards.replace(reference, card, key=key)
        if conversation is None:
            raise Refused(f"no card {reference!r} on the page", system=self.name, code="unknown_card")
        self._wake(conversation)

    async def lookup(self, actor_id: str) -> Actor:
        """Whoever signed on; the session's subject is all there is to know."""
        return Actor(self.name, actor_id)

    async def said(self, message: Message) -> None:
        """Show what the person wrote, secrets masked, before it is answered."""
        text = await asyncio.to_thread(mask, message.text)  # up to 0.2 s for the longest
        card = Card("", (Text(text),))
        key = message.conversation.key
        _, new = await self.cards.add(key, card, kind="person", reference=message.id, key=f"said:{message.key}")
        if new:
            self._wake(key)

    async def pin(self, conversation: Conversation, card: Card) -> None:
        """Show a card as the overview above the dialogue, in place of the one before."""
        reference = overview_reference(conversation)
        if await self.cards.replace(reference, card, key=uuid4().hex) is None:
            await self.cards.add(conversation.key, card, kind="overview", reference=reference, key=reference)
        self._wake(conversation.key)

    @contextmanager
    def watch(self, conversation: Conversation) -> Generator[asyncio.Event]:
        """An event that is set whenever something in the conversation changed.

        Raises:
            Busy: too many are watching it already.
        """
        watchers = self._watchers.setdefault(conversation.key, set())
        if len(watchers) >= MAX_WATCHERS:
            raise Busy(f"{len(watchers)} streams of {conversation.key} are open")
        changed = asyncio.Event()
        watchers.add(changed)
        try:
            yield changed
        finally:
            watchers.discard(changed)
            if not watchers:
                self._watchers.pop(conversation.key, None)

    def watchers(self, conversation: Conversation) -> int:
        """How many watch it now."""
        return len(self._watchers.get(conversation.key, ()))

    def stop(self) -> None:
        """Let every watcher end, so that the server can."""
        self.stopping = True
        for conversation in self._watchers:
            self._wake(conversation)

    def _wake(self, conversation: str) -> None:
        for changed in self._watchers.get(conversation, ()):
            changed.set()


def overview_reference(conversation: Conversation) -> str:
    """The one reference under which a conversation's overview is kept."""
    return f"overview:{conversation.key}"
