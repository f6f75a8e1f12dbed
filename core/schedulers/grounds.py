"""What an answer rests on: how old a scheduler's part of it is, and which scheduler had no part in it.

Whoever answers from what it remembers or was told says so (`rests_on`), and so does whoever asks several and hears nothing
from one (`lacks`); whoever puts the answer together reads it off (`gathered`). A context variable carries it, since these are
many calls apart and every call between them would have to pass it on. What was just asked for is not mentioned.
"""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Outage:
    """A scheduler that did not answer. `last_answer` is when it last did, if ever in this process."""

    scheduler: str
    error: str
    last_answer: datetime | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """A scheduler that answered from what it knew already.

    Attributes:
        age: seconds since the oldest of it was asked for, or since anything was last heard; None when nothing ever was.
        mirror: whether it is read from what events told.
        gap: seconds since when events may have been missed that nobody has asked for yet; None when none were.
    """

    scheduler: str
    age: float | None
    mirror: bool = False
    gap: float | None = None


@dataclass(slots=True)
class Grounds:
    """What was said while an answer was put together, by name of the scheduler."""

    by_name: dict[str, Source] = field(default_factory=dict[str, Source])
    missing: dict[str, Outage] = field(default_factory=dict[str, Outage])

    @property
    def sources(self) -> tuple[Source, ...]:
        """The oldest of each scheduler."""
        return tuple(self.by_name.values())

    @property
    def outages(self) -> tuple[Outage, ...]:
        """Those that did not answer."""
        return tuple(self.missing.values())


_gathering: ContextVar[Grounds | None] = ContextVar("grounds", default=None)


@contextmanager
def gathered() -> Generator[Grounds]:
    """Listen to what is said until the end of the block; by tasks that were started in it, too."""
    grounds = Grounds()
    token = _gathering.set(grounds)
    try:
        yield grounds
    finally:
        _gathering.reset(token)


def rests_on(source: Source) -> None:
    """Say that something was not asked for just now."""
    grounds = _gathering.get()
    if grounds is None:
        return
    known = grounds.by_name.get(source.scheduler)
    if known is None or _age(source) > _age(known):
        grounds.by_name[source.scheduler] = source


def lacks(outage: Outage) -> None:
    """Say that one of those asked did not answer."""
    if (grounds := _gathering.get()) is not None:
        grounds.missing[outage.scheduler] = outage


def _age(source: Source) -> float:
    return float("inf") if source.age is None else source.age
