"""What was done to the tasks, instances and tables of a mirror, and what checks of tables found last."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Index,
    Row,
    String,
    Table,
    Text,
    bindparam,
    delete,
    or_,
    select,
    update,
)

from core.schedulers.base import Change, Task
from core.schedulers.mirror.facts import ChangeFact, QualityFact
from core.store import Store, metadata
from core.store.types import Moment

MOST: Final = 50
"""Largest answer, as `Scheduler.changes` promises."""

mirror_change = Table(
    "mirror_change",
    metadata,
    Column("mirror", Text, primary_key=True),
    Column("event", Text, primary_key=True),
    Column("ref_kind", String(16), primary_key=True),
    Column("ref", Text, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("what", Text, nullable=False),
    Column("who", Text, nullable=False),
    Index("ix_mirror_change_ref", "mirror", "ref_kind", "ref", "at"),
    Index("ix_mirror_change_at", "mirror", "at"),
)

mirror_quality = Table(
    "mirror_quality",
    metadata,
    Column("mirror", Text, primary_key=True),
    Column("data_table", Text, primary_key=True),
    Column("rule", Text, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("what", Text, nullable=False),
    Column("passed", Boolean, nullable=False),
)

_OLDER = (
    update(mirror_quality)
    .where(
        mirror_quality.c.mirror == bindparam("here"),
        mirror_quality.c.data_table == bindparam("of"),
        mirror_quality.c.rule == bindparam("by"),
        mirror_quality.c.at < bindparam("told"),
    )
    .values({column: bindparam(column.name) for column in mirror_quality.c if not column.primary_key})
)


class Changes:
    """The changes of one mirror.

    Args:
        store: the database.
        mirror: its name.
    """

    def __init__(self, store: Store, mirror: str) -> None:
        self._mirror = mirror
        self._new_change = store.insert_new(mirror_change)
        self._new_quality = store.insert_new(mirror_quality)

    def absorb(self, connection: Connection, facts: Iterable[tuple[str, ChangeFact]]) -> None:
        """Remember changes, each with the id of the event that told it."""
        rows = [self._row(event, fact) for event, fact in facts]
        if rows:
            connection.execute(self._new_change, rows)

    def judge(self, connection: Connection, facts: Iterable[QualityFact]) -> None:
        """Remember the newest result of each rule."""
        for fact in sorted(facts, key=lambda one: one.at):
            row = {"data_table": fact.table, "rule": fact.rule, "at": fact.at, "what": fact.what, "passed": fact.passed}
            connection.execute(self._new_quality, [{"mirror": self._mirror, **row}])
            key = {"here": self._mirror, "of": fact.table, "by": fact.rule, "told": fact.at}
            connection.execute(_OLDER, [{**key, **row}])

    def about(
        self, connection: Connection, task: Task, instances: Collection[str], tables: Collection[str], since: datetime
    ) -> list[Change]:
        """What was done to a task, to its instances, to tables and how they are checked; and which checks failed."""
        own, checked = mirror_change.c, mirror_quality.c
        rules = select(checked.rule).where(checked.mirror == self._mirror, checked.data_table.in_(tables))
        refs = or_(
            (own.ref_kind == "node") & (own.ref == task.id),
            (own.ref_kind == "file") & (own.ref == task.name),
            (own.ref_kind == "instance") & own.ref.in_(instances),
            (own.ref_kind == "table") & _named(own.ref, tables),
            (own.ref_kind == "rule") & own.ref.in_(rules),
        )
        chosen = select(mirror_change).where(own.mirror == self._mirror, own.at >= since, refs)
        done = [self._change(row) for row in connection.execute(chosen.order_by(own.at.desc()).limit(MOST))]
        failed = self._failed(connection, tables, since)
        return sorted((*done, *failed), key=lambda change: change.at, reverse=True)[:MOST]

    def forget(self, connection: Connection, before: datetime) -> None:
        """Delete what is older."""
        for table in (mirror_change, mirror_quality):
            connection.execute(delete(table).where(table.c.mirror == self._mirror, table.c.at < before))

    def _failed(self, connection: Connection, tables: Collection[str], since: datetime) -> list[Change]:
        own = mirror_quality.c
        fits = (own.mirror == self._mirror, own.data_table.in_(tables), own.at >= since, own.passed.is_(False))
        rows = connection.execute(select(mirror_quality).where(*fits).order_by(own.at.desc()).limit(MOST))
        return [Change(row.at, "quality", row.what, ref=row.data_table) for row in rows]

    def _change(self, row: Row[Any]) -> Change:
        ref = row.ref if row.ref_kind == "table" else f"{self._mirror}:{row.ref}"
        return Change(row.at, row.kind, row.what, row.who, ref)

    def _row(self, event: str, fact: ChangeFact) -> dict[str, Any]:
        kind, ref = fact.ref
        return {
            "mirror": self._mirror,
            "event": event,
            "ref_kind": kind,
            "ref": ref,
            "at": fact.at,
            "kind": fact.kind,
            "what": fact.what,
            "who": fact.who,
        }


def _named(column: ColumnElement[str], tables: Collection[str]) -> ColumnElement[bool]:
    """Whether a table is one of these, also where it is written with its project: `odps.project.table`."""
    return or_(column.in_(tables), *(column.endswith(f".{table}", autoescape=True) for table in sorted(tables)))
