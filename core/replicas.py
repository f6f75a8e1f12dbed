"""Which processes on one PostgreSQL are alive, by the database's clock.

A process beats while it lives. One silent for longer than a lease is taken for dead, whatever the reason; should it wake
up again, its next beat brings it back, and what others took over meanwhile stays theirs.
"""

from collections.abc import Sequence

from sqlalchemy import Column, ColumnElement, Connection, String, Table, delete, select, update
from sqlalchemy.dialects import postgresql

from core.store import metadata
from core.store.clock import now
from core.store.types import Moment

replica = Table(
    "replica", metadata, Column("name", String(120), primary_key=True), Column("beat_at", Moment, nullable=False)
)


def beat(connection: Connection, name: str) -> None:
    """Say that this process is alive."""
    alive = postgresql.insert(replica).values(name=name, beat_at=now())
    connection.execute(alive.on_conflict_do_update(index_elements=[replica.c.name], set_={"beat_at": now()}))


def leave(connection: Connection, name: str, lease_seconds: float) -> None:
    """Say that this process is no more, so that others need not wait for the end of its lease."""
    gone = update(replica).where(replica.c.name == name).values(beat_at=now(-lease_seconds))
    connection.execute(gone)


def silent(connection: Connection, lease_seconds: float) -> Sequence[str]:
    """Names of those that were silent for longer than a lease."""
    return connection.scalars(select(replica.c.name).where(_silent(lease_seconds))).all()


def bury(connection: Connection, name: str, lease_seconds: float) -> None:
    """Forget a process whose work has been taken over, unless it came back meanwhile."""
    connection.execute(delete(replica).where(replica.c.name == name, _silent(lease_seconds)))


def _silent(lease_seconds: float) -> ColumnElement[bool]:
    return replica.c.beat_at <= now(-lease_seconds)
