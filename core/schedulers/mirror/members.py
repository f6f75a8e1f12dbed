"""Which instances belong to a run of a workflow that people follow: a backfill, or one that was started by hand.

Scheduled runs are not kept: there are a thousand times more of them, and an overview tells how far they are.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, Table, Text, func, select

from core.schedulers.base import RunType, Status
from core.schedulers.mirror.instances import mirror_instance
from core.store import Store, metadata
from core.store.types import Moment

FOLLOWED = frozenset({RunType.BACKFILL, RunType.MANUAL})

mirror_member = Table(
    "mirror_member",
    metadata,
    Column("mirror", Text, primary_key=True),
    Column("course", Text, primary_key=True),
    Column("instance", Text, primary_key=True),
    Column("at", Moment, nullable=False),
)
"""`course` is the run's id: DataWorks' `dagId`, Airflow's `dag/run`."""


class Members:
    """The followed runs of one mirror.

    Args:
        store: the database.
        mirror: its name.
    """

    def __init__(self, store: Store, mirror: str) -> None:
        self._mirror = mirror
        self._new = store.insert_new(mirror_member)

    def absorb(self, connection: Connection, members: Iterable[tuple[str, str]], at: datetime) -> None:
        """Remember (run, instance) that belong together."""
        found = sorted(set(members))
        rows: list[dict[str, Any]] = [
            {"mirror": self._mirror, "course": run, "instance": id, "at": at} for run, id in found
        ]
        if rows:
            connection.execute(self._new, rows)

    def counts(self, connection: Connection, run: str) -> dict[Status, int]:
        """How many instances of a run are known, by status."""
        own, one = mirror_member.c, mirror_instance.c
        joined = mirror_member.join(mirror_instance, (one.mirror == own.mirror) & (one.id == own.instance))
        fits = (own.mirror == self._mirror, own.course == run, one.run_type != "")
        counted = select(one.status, func.count()).select_from(joined).where(*fits).group_by(one.status)
        return {Status(status): number for status, number in connection.execute(counted)}

    def forget(self, connection: Connection, before: datetime) -> None:
        """Delete what is older."""
        own = mirror_member.c
        connection.execute(mirror_member.delete().where(own.mirror == self._mirror, own.at < before))
