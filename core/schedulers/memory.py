"""Answers that stay true for a while, each fetched once however many ask at the same time."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from core.schedulers.grounds import Source, gathered, rests_on

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class _Dated(Generic[V]):
    """An answer, and when the oldest of what it was made from was asked for."""

    answer: V
    at: float


@dataclass(frozen=True, slots=True)
class _Kept(Generic[V]):
    answer: asyncio.Future[_Dated[V]]
    until: float


class Memory(Generic[K, V]):
    """Remembers what `fetch` answered. A failure is told to all who wait for it and then forgotten, and so is what grew old.

    Args:
        fetch: asks for the answer to one key.
        seconds: how long an answer is used.
        of: name of the scheduler whose present these answers are, so that people are told how old they are; empty for names
            and definitions, which are no news.
        clock: seconds that only grow.
    """

    def __init__(
        self,
        fetch: Callable[[K], Awaitable[V]],
        *,
        seconds: float,
        of: str = "",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fetch = fetch
        self._seconds = seconds
        self._of = of
        self._clock = clock
        self._kept: dict[K, _Kept[V]] = {}

    async def get(self, key: K) -> V:
        """The answer, at most `seconds` old. A caller that gives up does not stop the others' fetch."""
        kept = self._kept.get(key)
        if kept is None or kept.until <= self._clock():
            self._drop_old()
            kept = self._kept[key] = _Kept(asyncio.ensure_future(self._dated(key)), self._clock() + self._seconds)
            kept.answer.add_done_callback(lambda answer: self._drop_failure(key, answer))
        dated = await asyncio.shield(kept.answer)
        if self._of:
            rests_on(Source(self._of, self._clock() - dated.at))
        return dated.answer

    def forget(self) -> None:
        """Ask anew next time."""
        self._kept.clear()

    async def close(self) -> None:
        """Stop what is being fetched."""
        waiting = [kept.answer for kept in self._kept.values() if not kept.answer.done()]
        for answer in waiting:
            answer.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        self._kept.clear()

    async def _dated(self, key: K) -> _Dated[V]:
        began = self._clock()
        with gathered() as grounds:
            answer = await self._fetch(key)
        return _Dated(answer, min([began, *(self._clock() - (one.age or 0.0) for one in grounds.sources)]))

    def _drop_old(self) -> None:
        now = self._clock()
        self._kept = {key: kept for key, kept in self._kept.items() if not kept.answer.done() or kept.until > now}

    def _drop_failure(self, key: K, answer: asyncio.Future[_Dated[V]]) -> None:
        failed = answer.cancelled() or answer.exception() is not None
        if failed and key in self._kept and self._kept[key].answer is answer:
            del self._kept[key]
