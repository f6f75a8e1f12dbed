"""Durable work without a database or a clock: what is due runs when a test says that time passes."""

import heapq
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta

Handler = Callable[[str, Mapping[str, str]], Awaitable[None]]


class Killed(BaseException):
    """The process died here. A base exception, as the code under test must not be able to catch it."""


class Timeline:
    """Implements `core.execution.Queue`, and is the clock as well.

    Attributes:
        now: the present; moves to each piece of work as it falls due.
    """

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 22, 1, tzinfo=UTC)
        self._handlers: dict[str, Handler] = {}
        self._due: list[tuple[datetime, int, str, str, Mapping[str, str]]] = []
        self._ids: set[str] = set()

    def __call__(self) -> datetime:
        """The present."""
        return self.now

    def on(self, kind: str, handler: Handler) -> None:
        """Register, or replace what an earlier process had registered."""
        self._handlers[kind] = handler

    async def submit(self, kind: str, id: str, payload: Mapping[str, str], *, delay: float = 0.0) -> bool:
        """Ask for work, once for an id."""
        if id in self._ids:
            return False
        self._ids.add(id)
        heapq.heappush(self._due, (self.now + timedelta(seconds=delay), len(self._ids), kind, id, payload))
        return True

    async def pass_time(self, seconds: float) -> None:
        """Run everything that falls due. Work that is killed stays due, as with a durable queue."""
        until = self.now + timedelta(seconds=seconds)
        while self._due and self._due[0][0] <= until:
            at, _, kind, id, payload = self._due[0]
            self.now = max(self.now, at)
            await self._handlers[kind](id, payload)
            self._due = sorted(job for job in self._due if job[3] != id)  # a sorted list is a heap
        self.now = until

    def give_up(self) -> None:
        """All that is due has failed too often: it is not tried again, and its ids stay used."""
        self._due.clear()
