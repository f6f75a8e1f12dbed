"""What has to follow from events, in a table: written in the transaction that stores an event, and gone through until done.

`sweep` hands every row that is due to durable work; a piece of work that failed for good is tried again a minute later, for
as long as `PATIENCE`. A recovery counts only where the failure was seen, so an ordinary success costs one look-up a batch.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pydantic import TypeAdapter
from sqlalchemy import Column, Connection, Index, String, Table, Text, delete, func, select, update

from core.effects.meaning import happening, moved
from core.effects.model import HAPPENING, Happening
from core.events.incoming import Incoming
from core.messages import Conversation
from core.store import Store, metadata
from core.store.types import Moment

PATIENCE = timedelta(hours=6)
"""For how long something is tried: later, nobody wants to hear of it as news."""
KEPT = timedelta(days=3)
"""How long a failure is remembered, so that its recovery finds it."""
LATELY = timedelta(minutes=15)
AT_ONCE = 5000
"""Most rows handed over in one sweep."""

effect = Table(
    "effect",
    metadata,
    Column("key", Text, primary_key=True),
    Column("kind", String(12), nullable=False),
    Column("subject", Text, nullable=False),
    Column("project", Text, nullable=False),
    Column("happening", Text, nullable=False),
    Column("state", String(8), nullable=False),
    Column("told", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Index("ix_effect_state", "state", "created_at"),
    Index("ix_effect_project", "project", "created_at"),
    Index("ix_effect_subject", "subject"),
)
"""`state` is `due`, `done` or `given_up`; `told`, where it was shown."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where something was shown: in the card that gathers a group of alerts in a conversation."""

    conversation: Conversation
    group: str
    title: str
    language: str


PLACES: TypeAdapter[tuple[Place, ...]] = TypeAdapter(tuple[Place, ...])


class Outbox:
    """The table.

    Args:
        store: where it is.
        clock: the present, with zone.
    """

    def __init__(self, store: Store, *, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock
        self._new = store.insert_new(effect)

    def record(self, connection: Connection, batch: Sequence[Incoming]) -> None:
        """Write down what follows from new events: an applier, see `core.events.journal`."""
        news = [event for event in batch if event.received_at - event.at < PATIENCE]
        found = [one for event in news if (one := happening(event)) is not None]
        found += self._progress(connection, {subject for event in news if (subject := moved(event))})
        ended = {one.subject for one in found if one.kind == "recovered"}
        begun = {one.subject for one in found if one.kind == "failed"} | _failed(connection, ended)
        self._write(connection, [one for one in found if one.kind != "recovered" or one.subject in begun])

    async def add(self, one: Happening) -> None:
        """Write down one that no event told of. The same key changes nothing."""
        await self._store.write(lambda connection: self._write(connection, [one]))

    async def due(self) -> list[tuple[str, datetime]]:
        """(key, since when) of what is to be done, oldest first."""
        wanted = select(effect.c.key, effect.c.created_at).where(effect.c.state == "due")
        oldest = wanted.order_by(effect.c.created_at).limit(AT_ONCE)
        rows = await self._store.read(lambda connection: connection.execute(oldest).all())
        return [(row.key, row.created_at) for row in rows]

    async def get(self, key: str) -> tuple[Happening, datetime] | None:
        """What is to be done, and since when; None when it is done, or nobody knows of it."""
        wanted = select(effect.c.happening, effect.c.created_at).where(effect.c.key == key, effect.c.state == "due")
        row = await self._store.read(lambda connection: connection.execute(wanted).one_or_none())
        return None if row is None else (HAPPENING.validate_json(row.happening), row.created_at)

    def done(self, connection: Connection, key: str, subject: str, told: Sequence[Place] = ()) -> bool:
        """Mark it done, in the caller's transaction; False when it was.

        Args:
            connection: of the transaction.
            key: of what was done.
            subject: what it turned out to be about.
            told: where it was shown.
        """
        due = (effect.c.key == key) & (effect.c.state == "due")
        values = {"state": "done", "subject": subject, "told": PLACES.dump_json(tuple(told)).decode()}
        return connection.execute(update(effect).where(due).values(values)).rowcount == 1

    async def told(self, subject: str) -> tuple[Place, ...]:
        """Everywhere that something with this subject was shown."""
        wanted = select(effect.c.told).where(effect.c.subject == subject, effect.c.state == "done")
        rows = await self._store.read(lambda connection: connection.scalars(wanted).all())
        return tuple(dict.fromkeys(place for row in rows for place in PLACES.validate_json(row)))

    async def crowd(self, one: Happening) -> int:
        """How many of its kind there were of late in its project, itself included."""
        since = self._clock() - LATELY
        same = (effect.c.kind == one.kind) & (effect.c.project == one.project) & (effect.c.created_at > since)
        counted = select(func.count()).where(same)
        return await self._store.read(lambda connection: connection.scalar(counted)) or 0

    async def tidy(self) -> None:
        """Give up what is too late, and forget what is long over."""
        now = self._clock()
        late = (effect.c.state == "due") & (effect.c.created_at < now - PATIENCE)
        await self._store.write(
            lambda connection: connection.execute(update(effect).where(late).values(state="given_up"))
        )
        await self._store.write(
            lambda connection: connection.execute(delete(effect).where(effect.c.created_at < now - KEPT))
        )

    def _progress(self, connection: Connection, subjects: set[str]) -> list[Happening]:
        """What was told last of these runs that go on, to be told again: once a minute, however many instances end."""
        if not subjects:
            return []
        fits = (effect.c.kind == "progress", effect.c.subject.in_(subjects))
        told = connection.scalars(select(effect.c.happening).where(*fits).order_by(effect.c.created_at))
        last = {one.subject: one for one in map(HAPPENING.validate_json, told)}
        now = self._clock()
        return [
            replace(one, key=f"{one.subject}@{now:%Y%m%d%H%M}", at=now, again=True)
            for one in last.values()
            if not one.over
        ]

    def _write(self, connection: Connection, found: Sequence[Happening]) -> None:
        now = self._clock()
        rows = [
            {
                "key": one.key,
                "kind": one.kind,
                "subject": one.subject,
                "project": one.project,
                "happening": HAPPENING.dump_json(one).decode(),
                "state": "due",
                "told": "[]",
                "created_at": now,
            }
            for one in found
        ]
        if rows:
            connection.execute(self._new, rows)


def _failed(connection: Connection, subjects: set[str]) -> set[str]:
    """Those of the subjects of which a failure was heard."""
    if not subjects:
        return set()
    known = select(effect.c.subject).where(effect.c.kind == "failed", effect.c.subject.in_(subjects)).distinct()
    return set(connection.scalars(known))
