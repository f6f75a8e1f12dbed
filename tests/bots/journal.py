"""A journal in memory: what the edge of a messenger handed on."""

import asyncio
from dataclasses import dataclass, field

from core.messages import Click, Event, Message


def _open() -> asyncio.Event:
    gate = asyncio.Event()
    gate.set()
    return gate


@dataclass
class Journal:
    """Accepts events as the inbox does.

    Attributes:
        answers: what each journalling returned.
        failures: what the next journallings raise instead, one each.
        gate: journalling waits while it is closed.
        entered: set as soon as an event arrives.
    """

    accepted: list[Event] = field(default_factory=list[Event])
    answers: list[bool] = field(default_factory=list[bool])
    failures: list[Exception] = field(default_factory=list[Exception])
    gate: asyncio.Event = field(default_factory=_open)
    entered: asyncio.Event = field(default_factory=asyncio.Event)

    async def accept(self, event: Event) -> bool:
        """Journal an event once, or fail as told."""
        self.entered.set()
        await self.gate.wait()
        if self.failures:
            raise self.failures.pop()
        new = event.key not in {known.key for known in self.accepted}
        if new:
            self.accepted.append(event)
        self.answers.append(new)
        return new

    @property
    def message(self) -> Message:
        """The newest event, which is a message."""
        newest = self.accepted[-1]
        assert isinstance(newest, Message)
        return newest

    @property
    def click(self) -> Click:
        """The newest event, which is a click."""
        newest = self.accepted[-1]
        assert isinstance(newest, Click)
        return newest
