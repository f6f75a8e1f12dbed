"""Answers that stay true for a while, each fetched once however many ask at the same time."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class _Kept(Generic[V]):
    answer: asyncio.Future[V]
    until: float


class Memory(Generic[K, V]):
    """Remembers what `fetch` answered. A failure is told to all who wait for it and then forgotten, and so is what grew old.

    Args:
        fetch: asks for the answer to one key.
        seconds: how long an answer is used.
        clock: seconds that only grow.
    """

    def __init__(
        self, fetch: Callable[[K], Awaitable[V]], *, seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._fetch = fetch
        self._seconds = seconds
        self._clock = clock
        self._kept: dict[K, _Kept[V]] = {}

    async def get(self, key: K) -> V:
        """The answer, at most `seconds` old. A caller that gives up does not stop the others' fetch."""
        kept = self._kept.get(key)
        if kept is None or kept.until <= self._clock():
            self._drop_old()
            kept = self._kept[key] = _Kept(asyncio.ensure_future(self._fetch(key)), self._clock() + self._seconds)
            kept.answer.add_done_callback(lambda answer: self._drop_failure(key, answer))
        return await asyncio.shield(kept.answer)

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

    def _drop_old(self) -> None:
        now = self._clock()
        self._kept = {key: kept for key, kept in self._kept.items() if not kept.answer.done() or kept.until > now}

    def _drop_failure(self, key: K, answer: asyncio.Future[V]) -> None:
        failed = answer.cancelled() or answer.exception() is not None
        if failed and key in self._kept and self._kept[key].answer is answer:
            del self._kept[key]
