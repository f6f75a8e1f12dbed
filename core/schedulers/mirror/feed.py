"""Where events and an API's answers become the mirror: each batch in one transaction, one after the other over all replicas.

What is known is read, joined and written back, so two writers must not do that at once. SQLite has one writer anyway; on
PostgreSQL they take turns by a lock that ends with the transaction.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from itertools import chain
from zoneinfo import ZoneInfo

from sqlalchemy import Column, ColumnElement, Connection, Table, Text, select, text, update

from core.events.dataworks import DataWorksEvent
from core.events.incoming import Incoming
from core.schedulers.mirror import dataworks, openlineage
from core.schedulers.mirror.changes import Changes
from core.schedulers.mirror.facts import NOTHING, Facts
from core.schedulers.mirror.instances import Instances
from core.schedulers.mirror.members import Members
from core.schedulers.mirror.state import Mirrored, join
from core.schedulers.mirror.tasks import Tasks
from core.settings import SchedulerConnection
from core.store import Store, metadata
from core.store.types import Moment

LOCK = 0x584F504D
"""Key of the lock by which replicas take turns on PostgreSQL: "XOPM"."""

BITE = 2000
"""Instances that are deleted at once, so that others get their turn."""

mirror_heard = Table(
    "mirror_heard",
    metadata,
    Column("mirror", Text, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("gap_from", Moment),
)
"""When each mirror last heard anything, and since when it has missed something that nobody has asked for yet."""

mirror_run = Table(
    "mirror_run",
    metadata,
    Column("mirror", Text, primary_key=True),
    Column("run", Text, primary_key=True),
    Column("instance", Text, nullable=False),
    Column("at", Moment, nullable=False),
)


class Feed:
    """What one mirror is fed by. `apply` is an applier of `core.events.journal`.

    Args:
        store: the database.
        connection: which events are its own.
        zone: in which its days begin.
    """

    def __init__(self, store: Store, connection: SchedulerConnection, zone: ZoneInfo) -> None:
        self._store = store
        self._own = connection
        self.silent = timedelta(minutes=connection.silent_minutes)
        self.instances = Instances(connection.name, zone)
        self.tasks = Tasks(store, connection.name)
        self.changes = Changes(store, connection.name)
        self.members = Members(store, connection.name)
        self._new_heard = store.insert_new(mirror_heard)
        self._new_run = store.insert_new(mirror_run)

    def apply(self, connection: Connection, batch: Sequence[Incoming]) -> None:
        """Take in those events of a batch that are this mirror's."""
        facts = [(one.id, self._read(one)) for one in batch]
        if any(found is not NOTHING for _, found in facts):
            self.absorb(connection, facts, max(one.received_at for one in batch))

    def absorb(self, connection: Connection, facts: Sequence[tuple[str, Facts]], heard_at: datetime) -> None:
        """Take in facts, each with the id of what told them.

        Args:
            connection: in a transaction.
            facts: what was told.
            heard_at: when, by our clock.
        """
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
        all_facts = [found for _, found in facts]
        states = list(chain.from_iterable(found.instances for found in all_facts))
        same = list(chain.from_iterable(found.same for found in all_facts))
        changed = self.instances.absorb(connection, self._real(connection, states, same, heard_at))
        named = ((state.project, state.workspace) for state in changed if state.project and state.workspace)
        self.tasks.name_projects(connection, named)
        self.tasks.absorb(connection, chain.from_iterable(found.tasks for found in all_facts))
        self.tasks.connect(connection, chain.from_iterable(found.flows for found in all_facts))
        self.members.absorb(connection, chain.from_iterable(found.members for found in all_facts), heard_at)
        self.changes.absorb(connection, ((id, change) for id, found in facts for change in found.changes))
        self.changes.judge(connection, chain.from_iterable(found.quality for found in all_facts))
        self._hear(connection, heard_at)

    def heard_at(self, connection: Connection) -> datetime | None:
        """When anything was last heard; None when nothing ever was."""
        return connection.scalar(select(mirror_heard.c.at).where(self._heard_here))

    def gap_from(self, connection: Connection, now: datetime) -> datetime | None:
        """Since when something may be missing: a silence of before, or one that lasts; None when nothing is."""
        own = mirror_heard.c
        row = connection.execute(select(own.at, own.gap_from).where(self._heard_here)).first()
        if row is None:
            return now
        return row.gap_from or (row.at if now - row.at >= self.silent else None)

    def note_gap(self, connection: Connection, before: datetime) -> None:
        """Remember that what happened since the last event may be missing, if that event came before some time."""
        own = mirror_heard.c
        fresh = (self._heard_here, own.gap_from.is_(None), own.at < before)
        connection.execute(update(mirror_heard).where(*fresh).values(gap_from=own.at))

    def close_gap(self, connection: Connection, asked_at: datetime) -> None:
        """All that was missing before some time was asked for."""
        own = mirror_heard.c
        connection.execute(update(mirror_heard).where(self._heard_here, own.gap_from <= asked_at).values(gap_from=None))

    async def forget(self, today: date) -> None:
        """Delete what is older than it is kept, a bite at a time."""
        before = today - timedelta(days=self._own.keep_days)
        gone = BITE
        while gone == BITE:
            gone = await self._store.write(lambda connection: self.instances.forget(connection, before, BITE))
        midnight = self.instances.midnight(before)
        await self._store.write(lambda connection: self._forget_rest(connection, midnight))

    def _forget_rest(self, connection: Connection, before: datetime) -> None:
        self.changes.forget(connection, before)
        self.members.forget(connection, before)
        connection.execute(mirror_run.delete().where(mirror_run.c.mirror == self._own.name, mirror_run.c.at < before))

    def _read(self, one: Incoming) -> Facts:
        body = one.body
        ours = self._own.projects
        if body is None or (ours and body.project and body.project not in ours):
            return NOTHING
        if isinstance(body, DataWorksEvent):
            foreign = self._own.tenant not in {"", body.tenant_id}
            return NOTHING if foreign or self._own.source != "dataworks" else dataworks.read(body, one.at)
        return openlineage.read(body, one.at) if self._own.source == "openlineage" else NOTHING

    def known_runs(self, connection: Connection, runs: Iterable[str]) -> dict[str, str]:
        """The instances that OpenLineage's runs are of, by the run's id, where one was named."""
        own = mirror_run.c
        wanted = select(own.run, own.instance).where(own.mirror == self._own.name, own.run.in_(sorted(runs)))
        return {row[0]: row[1] for row in connection.execute(wanted)}

    def _real(
        self, connection: Connection, states: list[Mirrored], same: list[tuple[str, str]], at: datetime
    ) -> Iterable[Mirrored]:
        """The states under the names of the instances that they turned out, or turn out now, to be of."""
        if self._own.source != "openlineage":
            return states
        if same:
            rows = [{"mirror": self._own.name, "run": run, "instance": id, "at": at} for run, id in sorted(set(same))]
            connection.execute(self._new_run, rows)
            self.instances.move(connection, same)
        real = self.known_runs(connection, {state.id for state in states})
        return [join(Mirrored(real[state.id]), state) if state.id in real else state for state in states]

    def _hear(self, connection: Connection, at: datetime) -> None:
        """Whoever hears of a mirror for the first time has missed all that was before."""
        row = {"mirror": self._own.name, "at": at, "gap_from": at}
        if not connection.execute(self._new_heard, row).rowcount:
            self.note_gap(connection, at - self.silent)
            connection.execute(update(mirror_heard).where(self._heard_here, mirror_heard.c.at < at).values(at=at))

    @property
    def _heard_here(self) -> ColumnElement[bool]:
        return mirror_heard.c.mirror == self._own.name
