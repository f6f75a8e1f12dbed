"""Bodies into the journal: one event, or several in a list, as EventBridge and OpenLineage send them.

What is no event is kept as dead. A body with at least one event in it is taken as a whole, since its sender would otherwise
send all of it again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import cast
from zoneinfo import ZoneInfo

from core.errors import BadInput
from core.events.dataworks import DataWorksEvent
from core.events.incoming import DATAWORKS, OPENLINEAGE, Incoming, read_event, unreadable
from core.events.journal import Events
from core.events.wire import parse

MOST_IN_A_BODY = 2000
AT_ONCE = 100
"""Events that are read before others get their turn: about five milliseconds."""

Decide = Callable[[Incoming], Awaitable[Mapping[str, object]]]
"""Hears of an operation that waits for a decision, once for each delivery, and returns what the caller is to hear now: a
verdict, or nothing yet."""


class Desk:
    """Takes bodies.

    Args:
        events: the journal.
        clock: the present, with zone.
        zone: zone of times that are written without one.
        decide: hears of operations that wait.
    """

    def __init__(
        self, events: Events, *, clock: Callable[[], datetime], zone: ZoneInfo, decide: Decide | None = None
    ) -> None:
        self._events = events
        self._clock = clock
        self._zone = zone
        self._decide = decide

    async def dataworks(self, body: bytes) -> Mapping[str, object]:
        """Take DataWorks' events, in either envelope.

        Raises:
            BadInput: nothing in it is an event.
            Busy, Unreachable: nothing was stored.
        """
        batch = await self._read(DATAWORKS, body)
        answer = await self._store(batch)
        if self._decide is not None:
            for one in batch:
                if isinstance(one.body, DataWorksEvent) and one.body.before:
                    answer |= await self._decide(one)
        return answer

    async def lineage(self, body: bytes) -> Mapping[str, object]:
        """Take OpenLineage events. Raises as `dataworks`."""
        return await self._store(await self._read(OPENLINEAGE, body))

    async def _read(self, source: str, body: bytes) -> list[Incoming]:
        received_at = self._clock()
        try:
            found = parse(body)
        except BadInput as error:
            return [unreadable(source, body.decode("utf-8", "replace"), str(error), received_at)]
        values = cast("list[object]", found) if isinstance(found, list) else [found]
        if not 0 < len(values) <= MOST_IN_A_BODY:
            text = body.decode("utf-8", "replace")
            return [unreadable(source, text, f"not between 1 and {MOST_IN_A_BODY} events", received_at)]
        batch: list[Incoming] = []
        for start in range(0, len(values), AT_ONCE):
            if start:
                await asyncio.sleep(0)
            batch += [read_event(source, value, received_at, self._zone) for value in values[start : start + AT_ONCE]]
        return batch

    async def _store(self, batch: Sequence[Incoming]) -> dict[str, object]:
        new = await self._events.accept(batch)
        dead = [one for one in batch if one.state == "dead"]
        if len(dead) == len(batch):
            raise BadInput(dead[0].trouble)
        return {"events": len(batch), "new": new, "dead": len(dead)}
