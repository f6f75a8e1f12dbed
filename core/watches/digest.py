"""The card of the morning, and that of the end of a shift: how it went, what is open, what is promised."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.access import Person
from core.approvals.model import Ticket
from core.results import Result
from core.schedulers.base import FINISHED, Instance, InstanceQuery, Status
from core.schedulers.fleet import newest_first
from core.tools.look import Look
from core.watches.model import Watch
from core.watches.register import Watches

LATE_AFTER = timedelta(hours=2)
"""What was due so long ago and has not ended is named as late."""
LISTED = 5
UNFINISHED = frozenset(Status) - FINISHED

TicketsOf = Callable[[Person], Awaitable[tuple[Ticket, ...]]]
"""Open tickets that a person asked for, or that wait for them."""


@dataclass(frozen=True, slots=True)
class Digest:
    """What such a card tells.

    Attributes:
        watch: the promise it keeps; its kind says which card it is.
        overview: as `/overview` answers.
        failed: as `/failed` answers, the first few.
        repeated: as `/repeated` answers, the first few.
        late: instances due long ago that have not ended, the most recent first.
        promises: the person's own that are not over.
        mutes: all there are.
        tickets: see `TicketsOf`.
    """

    watch: Watch
    as_of: datetime
    overview: Result
    failed: Result
    repeated: Result
    late: tuple[Instance, ...]
    promises: tuple[Watch, ...]
    mutes: tuple[Watch, ...]
    tickets: tuple[Ticket, ...]


class Digests:
    """Puts them together.

    Args:
        look: answers, with the person's rights.
        watches: where promises are.
        tickets: see `TicketsOf`.
        clock: the present, with zone.
    """

    def __init__(self, look: Look, watches: Watches, tickets: TicketsOf, *, clock: Callable[[], datetime]) -> None:
        self._look = look
        self._watches = watches
        self._tickets = tickets
        self._clock = clock

    async def compose(self, watch: Watch, person: Person) -> Digest:
        """How it is now, as this person may see it."""
        overview, failed, repeated, late = await asyncio.gather(
            self._look.overview(person),
            self._look.instances(person, kind="failed", limit=LISTED),
            self._look.instances(person, kind="repeated", limit=LISTED),
            self._late(person),
        )
        promises = await self._watches.going_on(person=person.name)
        mutes = await self._watches.going_on(kind="mute")
        tickets = await self._tickets(person)
        others = tuple(one for one in promises if one.id != watch.id)
        return Digest(watch, self._clock(), overview, failed, repeated, late, others, tuple(mutes), tickets)

    async def _late(self, person: Person) -> tuple[Instance, ...]:
        now, fleet = self._clock(), self._look.fleet
        query = InstanceQuery(day=now.astimezone(fleet.zone).date(), statuses=UNFINISHED)
        found, _ = await fleet.every(query)
        return newest_first(
            one for one in found if one.scheduled_at and one.scheduled_at <= now - LATE_AFTER and _concerns(person, one)
        )


def _concerns(person: Person, one: Instance) -> bool:
    """Whether it is in a project of theirs; a viewer is told of everything, as in the overview."""
    return person.role == "viewer" or person.covers(one.task.scheduler, one.task.project)
