"""The journal of other systems' events: stored once, applied in the same transaction, handed on once that is committed.

What comes while one transaction is under way is taken together in the next: a hundred requests with an event each cost the
database what one with a hundred costs. A redelivery, known by (source, id), changes nothing. Appliers get what is new, in the
order of the platform's own clock; across requests events may still come in any order, so an applier keeps the newer of two by
`Incoming.at`. One that cannot be applied is set aside as dead with its reason, and the rest goes on. Whatever is set aside can
be tried again.
"""

import asyncio
import collections
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from operator import attrgetter
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from prometheus_client import Counter
from sqlalchemy import (
    Column,
    Connection,
    Index,
    Row,
    String,
    Table,
    Text,
    and_,
    bindparam,
    delete,
    func,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.exc import OperationalError

from core.errors import Busy, Unreachable
from core.events.dataworks import TYPES
from core.events.incoming import Incoming, reread_event
from core.store import Store, metadata
from core.store.types import Moment

RECEIVED = Counter("xops_platform_events", "Events of other systems, by what became of them", ["type", "outcome"])

BITE = 2000
"""Rows that are read or deleted at once, so that others get their turn."""

log = structlog.get_logger(__name__)

ODD = text("state != 'stored'")

event = Table(
    "event",
    metadata,
    Column("source", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("type", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Column("received_at", Moment, nullable=False),
    Column("project", Text, nullable=False),
    Column("subjects", Text, nullable=False),
    Column("payload", Text, nullable=False),
    Column("state", String(8), nullable=False),
    Column("error", Text, nullable=False),
    Index("ix_event_received", "received_at"),
    Index("ix_event_odd", "state", "type", sqlite_where=ODD, postgresql_where=ODD),
)

Applier = Callable[[Connection, Sequence[Incoming]], None]
"""Takes new events into a table of its own: SQL only, run again as a whole or one event at a time when it raises."""

Committed = Callable[[Sequence[Incoming]], Awaitable[None]]
"""Hears of new events once they are safe. It hands them on and returns: the sender waits for it."""


@dataclass(frozen=True, slots=True)
class Dead:
    """An event that was set aside."""

    source: str
    id: str
    type: str
    received_at: datetime
    error: str
    payload: str


class Events:
    """The journal of one process.

    Args:
        store: where it is.
        clock: the present, with zone.
        appliers: take events in; in this order, and only those with a typed body.
        committed: hears of them afterwards.
        most: events that may be under way at once; more are refused, so that a flood waits with its sender.
        keep_days: how long events are kept.
        zone: zone of times that are written without one.
    """

    def __init__(
        self,
        store: Store,
        *,
        clock: Callable[[], datetime],
        appliers: Sequence[Applier] = (),
        committed: Committed | None = None,
        most: int = 20_000,
        keep_days: float = 3.0,
        zone: ZoneInfo,
    ) -> None:
        self._store = store
        self._clock = clock
        self._appliers = appliers
        self._committed = committed
        self._most = most
        self._keep = timedelta(days=keep_days)
        self._zone = zone
        self._under_way = 0
        self._stopping = False
        self._waiting: collections.deque[_Request] = collections.deque()
        self._taking: asyncio.Task[None] | None = None
        self._insert = store.insert_new(event).returning(event.c.source, event.c.id)

    def admit(self, count: int = 1) -> None:
        """Check that there is room; asked before a request is read, and again before its events are taken.

        Raises:
            Busy: too many are under way.
            Unreachable: the process is stopping.
        """
        if self._stopping:
            raise Unreachable("events are not taken any more: the process stops", system="xops")
        if self._under_way + count > self._most:
            raise Busy("too many events at once")

    def stop(self) -> None:
        """Take nothing more. What is under way is finished by whoever waits for it."""
        self._stopping = True

    async def accept(self, batch: Sequence[Incoming]) -> int:
        """Store events and apply them, all in one transaction; returns how many were new.

        Raises:
            Busy, Unreachable: as `admit`, or the database is away. Nothing was stored then.
        """
        self.admit(len(batch))
        request = _Request(batch, asyncio.get_running_loop().create_future())
        self._waiting.append(request)
        if self._taking is None or self._taking.done():
            self._taking = asyncio.create_task(self._take_waiting())
        self._under_way += len(batch)
        try:
            return await request.answer
        finally:
            self._under_way -= len(batch)

    async def apply_again(self, batch: Sequence[Incoming]) -> None:
        """Apply stored events once more, without storing them or telling anybody: how a mirror is rebuilt."""
        await self._store.write(lambda connection: self._apply(connection, batch))

    async def stored(self, since: datetime) -> AsyncIterator[Sequence[Incoming]]:
        """All typed events received since, in bites, oldest first."""
        last = (since, "", "")
        key = tuple_(event.c.received_at, event.c.source, event.c.id)
        while True:
            later = select(event).where(key > last, event.c.state == "stored").order_by(*key).limit(BITE)
            rows = await self._store.read(partial(_all, statement=later))
            if not rows:
                return
            yield [self._reread(row) for row in rows]
            last = (rows[-1].received_at, rows[-1].source, rows[-1].id)

    async def count(self, since: datetime) -> int:
        """How many `stored` would give."""
        counted = select(func.count()).where(event.c.received_at >= since, event.c.state == "stored")
        return await self._store.read(lambda connection: connection.scalar(counted)) or 0

    async def dead(self, limit: int = 100) -> list[Dead]:
        """What was set aside, newest first."""
        newest = _dead().order_by(event.c.received_at.desc()).limit(limit)
        rows = await self._store.read(partial(_all, statement=newest))
        return [Dead(row.source, row.id, row.type, row.received_at, row.error, row.payload) for row in rows]

    async def unknown(self) -> Mapping[str, int]:
        """Types nobody knows, and how many events of each there are."""
        counted = (
            select(event.c.type, func.count().label("events")).where(event.c.state == "unknown").group_by(event.c.type)
        )
        return {row.type: row.events for row in await self._store.read(partial(_all, statement=counted))}

    async def retry(self, id: str = "") -> tuple[int, int]:
        """Try what was set aside again: one event, or all; returns how many were tried, and how many are well now."""
        chosen = _dead().where(event.c.id == id) if id else _dead()
        rows = await self._store.read(partial(_all, statement=chosen))
        return len(rows), sum([await self._store.write(partial(self._try_again, row=row)) for row in rows])

    async def forget(self) -> None:
        """Delete what is older than it is kept, a bite at a time."""
        key = tuple_(event.c.source, event.c.id)
        old = select(event.c.source, event.c.id).where(event.c.received_at < self._clock() - self._keep).limit(BITE)
        gone = BITE
        while gone == BITE:
            gone = await self._store.write(
                lambda connection: connection.execute(delete(event).where(key.in_(old))).rowcount
            )

    async def _take_waiting(self) -> None:
        while self._waiting:
            some = [self._waiting.popleft()]
            while self._waiting and sum(len(one.batch) for one in some) < BITE:
                some.append(self._waiting.popleft())
            await self._take_together(some)

    async def _take_together(self, some: Sequence["_Request"]) -> None:
        """Take what several requests brought; each alone when together they fail, so that none takes others along."""
        try:
            fresh = await self._store_all([event for one in some for event in one.batch])
        except Exception as error:  # noqa: BLE001  # handed to the one caller it belongs to
            if len(some) == 1 or isinstance(error, Unreachable):
                for one in some:
                    one.settle(error)
                return
            for one in some:
                await self._take_together([one])
        else:
            new = {id(event) for event in fresh}
            for one in some:
                one.settle(sum(id(event) in new for event in one.batch))

    async def _store_all(self, batch: Sequence[Incoming]) -> Sequence[Incoming]:
        fresh = await self._store.write(lambda connection: self._take(connection, batch))
        _count(batch, fresh)
        if fresh and self._committed is not None:
            await self._committed(fresh)
        return fresh

    def _take(self, connection: Connection, batch: Sequence[Incoming]) -> list[Incoming]:
        found = {(one.source, one.id): one for one in reversed(batch)}  # the first of several with one key
        rows = [_row(found[key]) for key in sorted(found)]  # sorted: replicas never wait for each other in a circle
        new = connection.execute(self._insert, rows).all()
        fresh = sorted((found[source, id] for source, id in new), key=attrgetter("at"))
        self._apply(connection, fresh)
        return fresh

    def _apply(self, connection: Connection, batch: Sequence[Incoming]) -> None:
        typed = [one for one in batch if one.body is not None]
        error = self._failure(connection, typed) if typed and self._appliers else None
        if error is None:
            return
        if len(typed) == 1:
            log.warning("event.set_aside", type=typed[0].type, id=typed[0].id, error=type(error).__name__)
            why = f"{type(error).__name__}: {error}"[:500]
            connection.execute(_SET_ASIDE, {"of": typed[0].source, "which": typed[0].id, "why": why})
            return
        for one in typed:
            self._apply(connection, [one])

    def _failure(self, connection: Connection, batch: Sequence[Incoming]) -> Exception | None:
        try:
            with connection.begin_nested():
                for apply in self._appliers:
                    apply(connection, batch)
        except OperationalError:
            raise  # the database, not the event
        except Exception as error:  # noqa: BLE001  # one event must not hold up the others
            return error
        return None

    def _try_again(self, connection: Connection, row: Row[Any]) -> bool:
        one = replace(self._reread(row), source=row.source, id=row.id)  # what was no event got an id of ours
        if one.body is None:
            return False
        this = and_(event.c.source == one.source, event.c.id == one.id)
        connection.execute(update(event).where(this).values(_row(one)))
        self._apply(connection, [one])
        return connection.scalar(select(event.c.state).where(this)) == "stored"

    def _reread(self, row: Row[Any]) -> Incoming:
        return reread_event(row.source, row.payload, row.received_at, self._zone)


@dataclass(frozen=True, slots=True)
class _Request:
    """Events that somebody waits for."""

    batch: Sequence[Incoming]
    answer: asyncio.Future[int]

    def settle(self, outcome: int | Exception) -> None:
        if self.answer.done():
            return  # whoever waited was cancelled; the events stand
        if isinstance(outcome, Exception):
            self.answer.set_exception(outcome)
        else:
            self.answer.set_result(outcome)


_SET_ASIDE = (
    update(event)
    .where(event.c.source == bindparam("of"), event.c.id == bindparam("which"))
    .values(state="dead", error=bindparam("why"))
)


def _row(one: Incoming) -> dict[str, object]:
    return {
        "source": one.source,
        "id": one.id,
        "type": one.type,
        "at": one.at,
        "received_at": one.received_at,
        "project": one.body.project if one.body else "",
        "subjects": " ".join(f"{kind}:{id}" for kind, id in one.body.subjects) if one.body else "",
        "payload": one.payload,
        "state": one.state,
        "error": one.trouble,
    }


def _dead() -> Any:  # noqa: ANN401
    return select(event).where(event.c.state == "dead")


def _all(connection: Connection, statement: Any) -> Sequence[Row[Any]]:  # noqa: ANN401  # any select
    return connection.execute(statement).all()


def _count(batch: Sequence[Incoming], fresh: Sequence[Incoming]) -> None:
    kinds = collections.Counter((one.type if one.body or one.type in TYPES else "unknown", one.state) for one in fresh)
    for kind, number in kinds.items():
        RECEIVED.labels(*kind).inc(number)
    if len(fresh) < len(batch):
        RECEIVED.labels("", "duplicate").inc(len(batch) - len(fresh))
