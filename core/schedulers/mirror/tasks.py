"""The tasks of a mirror, the names of its projects, and which tables a task reads and writes."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import orjson
from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Index,
    Integer,
    Row,
    Select,
    String,
    Table,
    Text,
    bindparam,
    func,
    select,
    update,
)

from core.schedulers.base import Flags, Task
from core.schedulers.mirror.facts import Direction, FlowFact, TaskFact
from core.store import Store, metadata
from core.store.types import Moment

mirror_task = Table(
    "mirror_task",
    metadata,
    Column("mirror", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("name", Text, nullable=False),
    Column("project", Text, nullable=False),
    Column("owners", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("cycle", String(16), nullable=False),
    Column("priority", Integer, nullable=False),
    Column("frozen", Boolean, nullable=False),
    Column("dry_run", Boolean, nullable=False),
    Column("deleted", Boolean, nullable=False),
)

mirror_project = Table(
    "mirror_project",
    metadata,
    Column("mirror", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
)

mirror_flow = Table(
    "mirror_flow",
    metadata,
    Column("mirror", Text, primary_key=True),
    Column("task", Text, primary_key=True),
    Column("direction", String(3), primary_key=True),
    Column("data_table", Text, primary_key=True),
    Index("ix_mirror_flow_data_table", "mirror", "data_table", "direction"),
)

_OLDER = (
    update(mirror_task)
    .where(
        mirror_task.c.mirror == bindparam("here"),
        mirror_task.c.id == bindparam("which"),
        mirror_task.c.at < bindparam("told"),
    )
    .values({column: bindparam(column.name) for column in mirror_task.c if not column.primary_key})
)


class Tasks:
    """The tasks of one mirror.

    Args:
        store: the database.
        mirror: its name.
    """

    def __init__(self, store: Store, mirror: str) -> None:
        self._mirror = mirror
        self._new_task = store.insert_new(mirror_task)
        self._new_project = store.insert_new(mirror_project)
        self._new_flow = store.insert_new(mirror_flow)

    def absorb(self, connection: Connection, facts: Iterable[TaskFact]) -> None:
        """Take in what is newer than what is known."""
        newest: dict[str, TaskFact] = {}
        for fact in facts:
            newest[fact.id] = max(newest.get(fact.id, fact), fact, key=lambda one: one.at)
        rows = [self._row(newest[id]) for id in sorted(newest)]
        if rows:
            connection.execute(self._new_task, rows)
            changes = [{"here": self._mirror, "which": row["id"], "told": row["at"], **row} for row in rows]
            connection.execute(_OLDER, changes)

    def name_projects(self, connection: Connection, names: Iterable[tuple[str, str]]) -> None:
        """Remember the (id, name) of projects."""
        rows = [{"mirror": self._mirror, "id": id, "name": name} for id, name in sorted(set(names))]
        if rows:
            connection.execute(self._new_project, rows)

    def connect(self, connection: Connection, flows: Iterable[FlowFact]) -> None:
        """Remember what is read and written."""
        found = sorted({(flow.task, flow.direction, flow.table) for flow in flows})
        if found:
            rows = [{"mirror": self._mirror, "task": t, "direction": d, "data_table": n} for t, d, n in found]
            connection.execute(self._new_flow, rows)

    def tables(self, connection: Connection, tasks: Collection[str], direction: Direction) -> set[str]:
        """Tables that tasks read (`in`) or write (`out`)."""
        own = mirror_flow.c
        fits = (own.mirror == self._mirror, own.task.in_(tasks), own.direction == direction)
        return set(connection.scalars(select(own.data_table).where(*fits)))

    def all_tables(self, connection: Connection) -> list[str]:
        """Names of all tables that anything reads or writes."""
        own = mirror_flow.c
        return list(connection.scalars(select(own.data_table).where(own.mirror == self._mirror).distinct()))

    def touching(self, connection: Connection, tables: Collection[str], direction: Direction) -> set[str]:
        """Tasks that read (`in`) or write (`out`) any of these tables."""
        own = mirror_flow.c
        fits = (own.mirror == self._mirror, own.data_table.in_(tables), own.direction == direction)
        return set(connection.scalars(select(own.task).where(*fits)))

    def projects(self, connection: Connection) -> dict[str, str]:
        """Names of projects by id, as far as an API told them."""
        chosen = select(mirror_project.c.id, mirror_project.c.name).where(mirror_project.c.mirror == self._mirror)
        return {row[0]: row[1] for row in connection.execute(chosen)}

    def some(self, connection: Connection, ids: Collection[str]) -> dict[str, Task]:
        """Definitions of tasks by id; one that was never described bears its id as its name."""
        rows = self._rows(connection, mirror_task.c.id.in_(ids))
        written = self._written(connection, mirror_flow.c.task.in_(ids))
        return {id: self._undescribed(id, written) for id in ids} | self._made(rows, written)

    def described(self, connection: Connection, id: str) -> bool:
        """Whether a task was ever described."""
        return bool(self._rows(connection, mirror_task.c.id == id))

    def names(self, connection: Connection) -> list[tuple[str, str]]:
        """(id, name) of tasks that were described and not deleted."""
        own = mirror_task.c
        chosen = select(own.id, own.name).where(own.mirror == self._mirror, own.deleted.is_(False))
        return [(row[0], row[1]) for row in connection.execute(chosen)]

    def _rows(self, connection: Connection, fits: ColumnElement[bool]) -> Sequence[Row[Any]]:
        """Tasks with the names of their projects."""
        own, project = mirror_task.c, mirror_project.c
        named = mirror_task.outerjoin(mirror_project, (project.mirror == own.mirror) & (project.id == own.project))
        workspace = func.coalesce(project.name, own.project).label("workspace")
        return connection.execute(
            select(mirror_task, workspace).select_from(named).where(own.mirror == self._mirror, fits)
        ).all()

    def _written(self, connection: Connection, fits: ColumnElement[bool]) -> dict[str, list[str]]:
        """Tables by the task that writes them."""
        own = mirror_flow.c
        chosen = select(own.task, own.data_table).where(own.mirror == self._mirror, own.direction == "out", fits)
        found: dict[str, list[str]] = {}
        for task, table in connection.execute(chosen.order_by(own.data_table)):
            found.setdefault(task, []).append(table)
        return found

    def _undescribed(self, id: str, written: dict[str, list[str]]) -> Task:
        return Task(self._mirror, id, id or "?", "", outputs=tuple(written.get(id, ())))

    def _made(self, rows: Sequence[Row[Any]], written: dict[str, list[str]]) -> dict[str, Task]:
        return {row.id: self._task(row, tuple(written.get(row.id, ()))) for row in rows}

    def _task(self, row: Row[Any], outputs: tuple[str, ...]) -> Task:
        return Task(
            self._mirror,
            row.id,
            row.name,
            row.workspace,
            tuple(orjson.loads(row.owners)),
            row.kind,
            row.cycle,
            row.priority,
            outputs,
            Flags(frozen=row.frozen, dry_run=row.dry_run),
        )

    def _row(self, fact: TaskFact) -> dict[str, Any]:
        return {
            "mirror": self._mirror,
            "id": fact.id,
            "at": fact.at,
            "name": fact.name,
            "project": fact.project,
            "owners": orjson.dumps(fact.owners).decode(),
            "kind": fact.kind,
            "cycle": fact.cycle,
            "priority": fact.priority,
            "frozen": fact.flags.frozen,
            "dry_run": fact.flags.dry_run,
            "deleted": fact.deleted,
        }


def matching(mirror: str, name: str, owner: str) -> Select[Any]:
    """Ids of tasks by a part of their name, in any case, and by owner."""
    own = mirror_task.c
    found = select(own.id).where(own.mirror == mirror)
    if name:
        found = found.where(own.name.icontains(name, autoescape=True))
    if owner:
        found = found.where(own.owners.contains(orjson.dumps(owner).decode(), autoescape=True))
    return found
