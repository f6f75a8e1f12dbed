"""Never more messages than WeCom delivers: what exceeds its limit for one person or chat, it drops without a word.

While a place has had its share, further cards wait and are sent together as one card of entries, so that a storm of a
hundred cards becomes a handful of messages and none is lost.
"""

import asyncio
import time
from bisect import bisect_right
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from core.cards import Card, Item, Text, buttons
from core.errors import Unreachable
from core.i18n import Words

MINUTE, HOUR = 60.0, 3600.0
RESERVE = 4
"""Messages one card takes at most: three of text or cards, and one more."""


@dataclass(slots=True)
class _Place:
    """One person or chat: when its last messages went out, and who waits."""

    sent: deque[float] = field(default_factory=deque[float])
    waiting: list[tuple[Card, asyncio.Future[bool]]] = field(default_factory=list[tuple[Card, asyncio.Future[bool]]])


class Pace:
    """Turns to send.

    Args:
        say: our own words, for merged cards.
        per_minute: most messages in a minute to one place.
        per_hour: most messages in an hour.
        clock: seconds.
        sleep: waits.
    """

    def __init__(
        self,
        say: Words,
        per_minute: int,
        per_hour: int,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._say = say
        self._limits = ((MINUTE, per_minute), (HOUR, per_hour))
        self._clock = clock
        self._sleep = sleep
        self._places: dict[str, _Place] = {}

    @asynccontextmanager
    async def turn(self, where: str, card: Card) -> AsyncGenerator[Card | None]:
        """Wait until a card may be sent.

        Args:
            where: the person or chat.
            card: what is to be sent.

        Yields:
            What to send: the card, or several that waited as one; None when another caller just sent it together with
            its own. Before anything else is awaited, `count` must be told how many messages this makes.

        Raises:
            Unreachable: the caller that was to send this card too could not.
        """
        place = self._places.setdefault(where, _Place())
        if not place.waiting and not self._seconds(place):
            yield card
            return
        mine = card, asyncio.get_running_loop().create_future()
        place.waiting.append(mine)
        if place.waiting[0] is not mine:
            if not await mine[1]:
                raise Unreachable("wecom: the message this one was merged into could not be sent", system="wecom")
            yield None
            return
        async with self._leading(place) as together:
            yield self._merged(together)

    def count(self, where: str, messages: int) -> None:
        """So many messages go there now."""
        self._places.setdefault(where, _Place()).sent.extend([self._clock()] * messages)

    @asynccontextmanager
    async def _leading(self, place: _Place) -> AsyncGenerator[list[Card]]:
        """Wait for the place's turn, take everybody who waits along, and tell them how it ended."""
        taken, done = place.waiting, False
        try:
            while seconds := self._seconds(place):
                await self._sleep(seconds)
            place.waiting = []
            yield [card for card, _ in taken]
            done = True
        finally:
            if place.waiting is taken:
                place.waiting = []
            for _, future in taken:
                if not future.done():
                    future.set_result(done)

    def _seconds(self, place: _Place) -> float:
        """How long until the next card may go there; 0 for now."""
        now = self._clock()
        while place.sent and place.sent[0] <= now - HOUR:
            place.sent.popleft()
        return max(self._until_free(place.sent, now, window, most) for window, most in self._limits)

    @staticmethod
    def _until_free(sent: Sequence[float], now: float, window: float, most: int) -> float:
        first = bisect_right(sent, now - window)
        recent = len(sent) - first
        excess = recent + RESERVE - most
        return sent[first + min(excess, recent) - 1] + window - now if excess > 0 and recent else 0.0

    def _merged(self, cards: list[Card]) -> Card:
        if len(cards) == 1:
            return cards[0]
        items = (
            Item(card.title, card.subtitle, card.tone, buttons=tuple(b for b in buttons(card) if b.command)[:2])
            for card in cards
        )
        title = self._say("wecom.merged", count=len(cards))
        return Card(title, (Text(self._say("wecom.merged_why")), *items), "warning")
