"""The tasks of a mirror, the names of its projects, and which tables a task reads and writes."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Integer,
    Row,
    Select,
    String,
    Table,
    Text,
    bindparam,
    select,
    update,
)

from core.schedulers.base import Flags, Task
from core.schedulers.mirror.facts import FlowFact, TaskFact
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


@dataclass(frozen=True, slots=True)
class Flow:
    """Which tables each task reads and writes, and the other way round."""

    pairs: frozenset[tuple[str, str, str]]

    def tables(self, task: str, direction: str) -> set[str]:
        """Tables that a task reads (`in`) or writes (`out`)."""
        return {table for one, way, table in self.pairs if one == task and way == direction}

    def tasks(self, tables: Collection[str], direction: str) -> set[str]:
        """Tasks that read or write any of these tables."""
        return {task for task, way, one in self.pairs if one in tables and way == direction}


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

    def join_projects(self, connection: Connection, names: Iterable[tuple[str, str]]) -> None:
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

    def flow(self, connection: Connection) -> Flow:
        """Everything that is read and written."""
        own = mirror_flow.c
        rows = connection.execute(select(own.task, own.direction, own.data_table).where(own.mirror == self._mirror))
        return Flow(frozenset((row[0], row[1], row[2]) for row in rows))

    def projects(self, connection: Connection) -> dict[str, str]:
        """Names of projects by id, as far as an API told them."""
        chosen = select(mirror_project.c.id, mirror_project.c.name).where(mirror_project.c.mirror == self._mirror)
        return {row[0]: row[1] for row in connection.execute(chosen)}

    def some(self, connection: Connection, ids: Collection[str]) -> dict[str, Task]:
        """Definitions of tasks by id; one that was never described bears its id as its name."""
        if not ids:
            return {}
        if len(ids) == 1:
            rows = self._rows(connection, mirror_task.c.id == next(iter(ids)))
        else:
            rows = self._rows(connection, mirror_task.c.id.in_(sorted(ids)))
        found = self._made(connection, rows)
        return {id: found.get(id) or Task(self._mirror, id, id or "?", "") for id in ids}

    def all(self, connection: Connection) -> list[Task]:
        """Tasks that were not deleted."""
        return list(self._made(connection, self._rows(connection, mirror_task.c.deleted.is_(False))).values())

    def _rows(self, connection: Connection, fits: ColumnElement[bool]) -> Sequence[Row[Any]]:
        return connection.execute(select(mirror_task).where(mirror_task.c.mirror == self._mirror, fits)).all()

    def _made(self, connection: Connection, rows: Sequence[Row[Any]]) -> dict[str, Task]:
        names = self.projects(connection)
        return {row.id: self._task(row, names) for row in rows}

    def _task(self, row: Row[Any], names: dict[str, str]) -> Task:
        return Task(
            self._mirror,
            row.id,
            row.name,
            names.get(row.project) or row.project,
            tuple(orjson.loads(row.owners)),
            row.kind,
            row.cycle,
            row.priority,
            flags=Flags(frozen=row.frozen, dry_run=row.dry_run),
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
