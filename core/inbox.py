"""The journal of inbound events: written before they are acknowledged, so that nothing acknowledged is lost.

An event is a row from the moment it is accepted, unfinished until it was handled, and leased to the process that works on
it. Whoever finds an unfinished row whose lease ended works on it instead, so an event is handled at least once; its key,
which goes with every send and write, makes that once for the person. A redelivery finds the row and changes nothing:
rows are kept longer than any messenger redelivers (Feishu: within 8 hours).
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Literal

import structlog
from pydantic import ValidationError
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Index,
    Integer,
    RowMapping,
    String,
    Table,
    Text,
    and_,
    bindparam,
    delete,
    text,
    true,
    update,
)
from structlog.contextvars import bind_contextvars

from core.background import Background
from core.errors import Busy, Unreachable
from core.lanes import Lanes
from core.messages import EVENT, Event
from core.store import Store, Work, metadata
from core.store.clock import now
from core.store.types import Moment

ATTEMPTS = 3
"""How often an event is begun. One that took its process down each time is not begun again."""

KEPT_SECONDS = 14 * 86400

log = structlog.get_logger(__name__)

UNFINISHED = text("finished_at IS NULL")

inbox = Table(
    "inbox",
    metadata,
    Column("key", Text, primary_key=True),
    Column("channel", String(40), nullable=False),
    Column("conversation", Text, nullable=False),
    Column("payload", Text, nullable=False),
    Column("received_at", Moment, nullable=False),
    Column("owner", String(120), nullable=False),
    Column("lease_until", Moment, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("outcome", String(8), nullable=False),
    Column("finished_at", Moment),
    Index("ix_inbox_unfinished", "lease_until", sqlite_where=UNFINISHED, postgresql_where=UNFINISHED),
    Index("ix_inbox_finished", "finished_at"),
)


class Inbox:
    """The journal, and the way from it into the lanes.

    Args:
        store: where the journal is.
        lanes: where events wait their turn, by conversation.
        handle: what an event is for. It may return what to write together with the event's outcome, in one transaction.
            When it raises, the event has failed; that is logged, and it is not tried again.
        busy: tells the person that there is too much to do; called instead of `handle` when the lanes are full, once at a
            time for a conversation.
        owner: a name no other process on this database has.
        lease_seconds: a process silent for this long is taken for dead. Replicas only.
    """

    def __init__(
        self,
        store: Store,
        lanes: Lanes,
        handle: Callable[[Event], Awaitable[Work | None]],
        busy: Callable[[Event], Awaitable[None]],
        *,
        owner: str,
        lease_seconds: float = 15.0,
    ) -> None:
        self._store = store
        self._lanes = lanes
        self._notices = Lanes(per_lane=1, total=200)
        self._handle = handle
        self._busy = busy
        self._lease = lease_seconds
        self._background = Background()

        mine = and_(inbox.c.owner == owner, inbox.c.finished_at.is_(None))
        self._insert = store.insert_new(inbox).values(
            owner=owner, lease_until=now(lease_seconds), attempts=1, outcome=""
        )
        self._finish = (
            update(inbox)
            .where(mine, inbox.c.key == bindparam("finished"))
            .values(outcome=bindparam("result"), finished_at=now())
        )
        self._renew = update(inbox).where(mine).values(lease_until=now(lease_seconds))
        self._release = update(inbox).where(mine).values(lease_until=now())
        self._take = (
            update(inbox)
            .where(inbox.c.finished_at.is_(None))
            .values(owner=owner, lease_until=now(lease_seconds), attempts=inbox.c.attempts + 1)
            .returning(inbox)
        )
        self._overdue = and_(inbox.c.lease_until < now(), inbox.c.owner != owner)

    async def start(self) -> None:
        """Take over what a dead process left, in the order it came, and keep doing so. Call it before `accept`.

        Raises:
            ConfigurationError: another process works on this SQLite file.
        """
        self._store.claim()
        await self._take_over(true() if self._store.embedded else self._overdue)
        self._background.repeat(self._forget, 3600, "inbox-forget")
        if not self._store.embedded:
            self._background.repeat(self._keep, self._lease / 3, "inbox-keep")

    async def stop(self, within: float = 10.0) -> None:
        """Finish what can be finished within so many seconds, and leave the rest to others at once."""
        await self._lanes.drain(within)
        await self._notices.drain(within)
        await self._background.stop()
        with suppress(Unreachable):  # then they wait for the lease to end
            await self._store.write(lambda connection: connection.execute(self._release))

    async def accept(self, event: Event) -> bool:
        """Journal an event and queue it. Acknowledge it to the messenger after this returned.

        Returns:
            False when it had been accepted before; then nothing else happens.
        """
        row = {
            "key": event.key,
            "channel": event.conversation.channel,
            "conversation": event.conversation.key,
            "payload": EVENT.dump_json(event).decode(),
            "received_at": datetime.now(UTC),
        }
        fresh = await self._store.write(lambda connection: connection.execute(self._insert, row).rowcount == 1)
        if fresh:
            await self._queue(event)
        return fresh

    async def _queue(self, event: Event) -> None:
        try:
            self._lanes.put(event.conversation.key, lambda: self._work(event))
        except Busy:
            await self._end(event.key, "busy")
            self._say_busy(event)

    def _say_busy(self, event: Event) -> None:
        try:
            self._notices.put(event.conversation.key, lambda: self._busy(event))
        except Busy:
            log.warning("inbox.busy", key=event.key)  # this conversation is being told already

    async def _work(self, event: Event) -> None:
        bind_contextvars(key=event.key)  # for every log line of this lane's present job
        try:
            record = await self._handle(event)
        except Exception:
            await self._end(event.key, "failed")
            raise  # the lane logs it
        await self._end(event.key, "done", record)

    async def _end(self, key: str, outcome: Literal["done", "failed", "busy"], record: Work | None = None) -> None:
        row = {"finished": key, "result": outcome}

        def finish(connection: Connection) -> int:
            if record is not None:
                record(connection)
            return connection.execute(self._finish, row).rowcount

        if not await self._store.write(finish):
            log.warning("inbox.lost", key=key, outcome=outcome)  # we were silent for too long; another finishes it

    async def _keep(self) -> None:
        await self._store.write(lambda connection: connection.execute(self._renew))
        await self._take_over(self._overdue)

    async def _take_over(self, which: ColumnElement[bool]) -> None:
        take = self._take.where(which)
        rows = await self._store.write(lambda connection: connection.execute(take).mappings().all())
        for row in sorted(rows, key=lambda row: row["received_at"]):
            await self._resume(row)

    async def _resume(self, row: RowMapping) -> None:
        key: str = row["key"]
        if row["attempts"] > ATTEMPTS:
            log.error("inbox.given_up", key=key, attempts=ATTEMPTS)
            await self._end(key, "failed")
            return
        try:
            event = EVENT.validate_json(row["payload"])
        except ValidationError:
            log.exception("inbox.unreadable", key=key)
            await self._end(key, "failed")
            return
        log.info("inbox.resumed", key=key, attempt=row["attempts"])
        await self._queue(event)

    async def _forget(self) -> None:
        old = delete(inbox).where(inbox.c.finished_at < now(-KEPT_SECONDS))
        await self._store.write(lambda connection: connection.execute(old))
