"""Edits of cards that are already shown: in order, at the pace a messenger allows, and never one that is out of date.

While an edit waits for its turn only the newest card is kept, so a card that changes ten times in a second costs one or
two calls. Callers whose card was overtaken return when the newer one is shown.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import lru_cache

from aiolimiter import AsyncLimiter

from core.cards import Card


@dataclass(slots=True)
class _Waiting:
    """Edits of one card under way: how many were asked for, how many are done with, how many callers wait."""

    card: Card
    asked: int = 0
    shown: int = 0
    callers: int = 0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Edits:
    """Edits of all cards of a channel.

    Args:
        apply: replaces the card behind a reference.
        per_second: how often one card may be replaced.
    """

    def __init__(self, apply: Callable[[str, Card], Awaitable[None]], per_second: float) -> None:
        self._apply = apply
        self._waiting: dict[str, _Waiting] = {}
        self._pace = paces(per_second)

    async def show(self, reference: str, card: Card) -> None:
        """Replace a card, and return when this one or a newer one is shown.

        Raises:
            RemoteError: whatever `apply` raised for this card or for the newer one that took its place.
        """
        edits = self._waiting.setdefault(reference, _Waiting(card))
        edits.card = card
        edits.asked += 1
        edits.callers += 1
        mine = edits.asked
        try:
            async with edits.lock:
                if edits.shown < mine:
                    await self._pace(reference).acquire()
                    newest = edits.asked
                    await self._apply(reference, edits.card)
                    edits.shown = newest
        finally:
            edits.callers -= 1
            if not edits.callers:
                del self._waiting[reference]


def paces(per_second: float) -> Callable[[str], AsyncLimiter]:
    """A limiter of its own for each place, by name; those of the places longest unused are forgotten."""

    @lru_cache(4096)
    def limiter(_place: str) -> AsyncLimiter:
        return AsyncLimiter(1, 1 / per_second)

    return limiter
