"""The instances of a mirror, and how many there are of each status: two tables that change in the same transaction.

`state` holds everything known (`state.py`); the columns beside it are what is selected by. A row's `run_type` is empty until
a status was heard of it: what somebody did to an instance that was never seen is remembered, but shown in no list. Counts by
day, project, kind of run and status are kept up with every change, so that an overview reads some rows instead of a million.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Date,
    Index,
    Integer,
    Select,
    String,
    Table,
    Text,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)

from core.schedulers.base import InstanceQuery, RunType, Status
from core.schedulers.mirror.state import Mirrored, dump, join, joined, load
from core.schedulers.mirror.tasks import matching
from core.store import metadata
from core.store.types import Moment

AT_ONCE: Final = 500
"""Ids in one SELECT: both databases plan a list of this length by the index."""

mirror_instance = Table(
    "mirror_instance",
    metadata,
    Column("mirror", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("task", Text, nullable=False),
    Column("project", Text, nullable=False),
    Column("run_type", String(8), nullable=False),
    Column("status", String(16), nullable=False),
    Column("due_at", Moment, nullable=False),
    Column("state", Text, nullable=False),
    Index("ix_mirror_instance_due", "mirror", "due_at", "id"),
    Index("ix_mirror_instance_status", "mirror", "status", "due_at", "id"),
    Index("ix_mirror_instance_task", "mirror", "task", "due_at"),
)

mirror_count = Table(
    "mirror_count",
    metadata,
    Column("mirror", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("run_type", String(8), primary_key=True),
    Column("project", Text, primary_key=True),
    Column("status", String(16), primary_key=True),
    Column("instances", Integer, nullable=False),
)

Key = tuple[date, str, str, str]
"""Day, kind of run, project, status: what is counted together."""

_HERE = (mirror_instance.c.mirror == bindparam("here"), mirror_instance.c.id == bindparam("which"))
_CHANGE = update(mirror_instance).where(*_HERE)
_COUNTED = (
    mirror_count.c.mirror == bindparam("here"),
    mirror_count.c.day == bindparam("on"),
    mirror_count.c.run_type == bindparam("kind"),
    mirror_count.c.project == bindparam("where"),
    mirror_count.c.status == bindparam("what"),
)
_ADD = update(mirror_count).where(*_COUNTED).values(instances=mirror_count.c.instances + bindparam("more"))


class Instances:
    """The instances of one mirror.

    Args:
        mirror: its name.
        zone: in which its days begin.
    """

    def __init__(self, mirror: str, zone: ZoneInfo) -> None:
        self._mirror = mirror
        self._zone = zone

    def absorb(self, connection: Connection, states: Iterable[Mirrored]) -> list[Mirrored]:
        """Join states with what is known; returns those that are different now.

        The caller sees to it that nobody else does so at the same time.
        """
        new = joined(states)
        known = {state.id: state for state in self.some(connection, sorted(new))}
        after = {id: join(known[id], state) if id in known else state for id, state in new.items()}
        changed = [state for id, state in after.items() if state != known.get(id)]
        fresh = [self._row(state) for state in changed if state.id not in known]
        if fresh:
            connection.execute(insert(mirror_instance), fresh)
        rows = [self._row(state) for state in changed if state.id in known]
        if rows:
            connection.execute(_CHANGE, [{"here": row["mirror"], "which": row["id"], **row} for row in rows])
        self._count(connection, [known[state.id] for state in changed if state.id in known], changed)
        return changed

    def move(self, connection: Connection, aliases: Iterable[tuple[str, str]]) -> None:
        """Join what came under a run's id with the instance that it turned out to be a run of."""
        real = dict(aliases)
        found = self.some(connection, sorted(real))
        if found:
            gone = [state.id for state in found]
            connection.execute(delete(mirror_instance).where(self._mine, mirror_instance.c.id.in_(gone)))
            self._count(connection, found, [])
            self.absorb(connection, [join(Mirrored(real[state.id]), state) for state in found])

    def some(self, connection: Connection, ids: Sequence[str]) -> list[Mirrored]:
        """Those of these that are known."""
        chunks = (ids[start : start + AT_ONCE] for start in range(0, len(ids), AT_ONCE))
        chosen = (self._select().where(mirror_instance.c.id.in_(chunk)) for chunk in chunks)
        return [load(text) for one in chosen for text in connection.scalars(one)]

    def page(self, connection: Connection, query: InstanceQuery) -> list[Mirrored]:
        """Those that match, the most recently due first."""
        newest = (mirror_instance.c.due_at.desc(), mirror_instance.c.id.desc())
        chosen = self._select().where(*self._fits(query)).order_by(*newest).limit(query.limit).offset(query.offset)
        return [load(text) for text in connection.scalars(chosen)]

    def counts(self, connection: Connection, query: InstanceQuery) -> dict[Status, int]:
        """How many match, by status: from what is counted already, unless the query is about some tasks only."""
        if query.task or query.name or query.owner:
            number, table, fits = func.count(), mirror_instance, self._fits(query)
        else:
            number, table, fits = func.sum(mirror_count.c.instances), mirror_count, self._counted(query)
        rows = connection.execute(select(table.c.status, number).where(*fits).group_by(table.c.status)).all()
        return {Status(row[0]): int(row[1]) for row in rows if row[1]}

    def history(
        self,
        connection: Connection,
        tasks: Collection[str],
        *,
        limit: int,
        statuses: Collection[Status] = (),
        kinds: Collection[RunType] = (RunType.NORMAL,),
        between: tuple[datetime, datetime] | None = None,
    ) -> list[Mirrored]:
        """Instances of tasks, newest first.

        Args:
            connection: where.
            tasks: ids.
            limit: largest number.
            statuses: only these; all when empty.
            kinds: why they ran; scheduled ones by default.
            between: only those due from the first until before the second.
        """
        own = mirror_instance.c
        chosen = self._select().where(own.task.in_(tasks), own.run_type.in_([kind.value for kind in kinds]))
        if statuses:
            chosen = chosen.where(own.status.in_([status.value for status in statuses]))
        if between:
            chosen = chosen.where(own.due_at >= between[0], own.due_at < between[1])
        return [load(text) for text in connection.scalars(chosen.order_by(own.due_at.desc()).limit(limit))]

    def projects(self, connection: Connection) -> list[str]:
        """Projects as events name them."""
        return list(connection.scalars(select(mirror_count.c.project).where(self._counts_mine).distinct()))

    def forget(self, connection: Connection, before: date, most: int) -> int:
        """Delete what was due before a day, at most so many; returns how many went."""
        old = select(mirror_instance.c.id).where(self._mine, mirror_instance.c.due_at < self.midnight(before))
        gone = connection.execute(delete(mirror_instance).where(self._mine, mirror_instance.c.id.in_(old.limit(most))))
        if gone.rowcount < most:
            connection.execute(delete(mirror_count).where(self._counts_mine, mirror_count.c.day < before))
        return gone.rowcount

    def midnight(self, day: date) -> datetime:
        """When a day begins."""
        return datetime.combine(day, time.min, self._zone)

    @property
    def _mine(self) -> ColumnElement[bool]:
        return mirror_instance.c.mirror == self._mirror

    @property
    def _counts_mine(self) -> ColumnElement[bool]:
        return mirror_count.c.mirror == self._mirror

    def _select(self) -> Select[Any]:
        return select(mirror_instance.c.state).where(self._mine)

    def _fits(self, query: InstanceQuery) -> list[ColumnElement[bool]]:
        own = mirror_instance.c
        kinds = [kind.value for kind in query.run_types]
        found = [self._mine, own.run_type == kinds[0] if len(kinds) == 1 else own.run_type.in_(kinds)]
        if query.day:
            next_day = query.day + timedelta(days=1)
            found += [own.due_at >= self.midnight(query.day), own.due_at < self.midnight(next_day)]
        if query.statuses:
            found.append(own.status.in_([status.value for status in query.statuses]))
        if query.projects:
            found.append(own.project.in_(query.projects))
        if query.task:
            found.append(own.task == query.task)
        if query.name or query.owner:
            found.append(own.task.in_(matching(self._mirror, query.name, query.owner)))
        return found

    def _counted(self, query: InstanceQuery) -> list[ColumnElement[bool]]:
        own = mirror_count.c
        found = [self._counts_mine, own.run_type.in_([kind.value for kind in query.run_types])]
        if query.day:
            found.append(own.day == query.day)
        if query.statuses:
            found.append(own.status.in_([status.value for status in query.statuses]))
        if query.projects:
            found.append(own.project.in_(query.projects))
        return found

    def _row(self, state: Mirrored) -> dict[str, Any]:
        return {
            "mirror": self._mirror,
            "id": state.id,
            "task": state.task,
            "project": state.project or state.workspace,
            "run_type": state.run_type.value if state.said else "",
            "status": state.status.value,
            "due_at": state.due_at,
            "state": dump(state),
        }

    def _key(self, state: Mirrored) -> Key:
        day = state.due_at.astimezone(self._zone).date()
        return (day, state.run_type.value, state.project or state.workspace, state.status.value)

    def _count(self, connection: Connection, before: Iterable[Mirrored], after: Iterable[Mirrored]) -> None:
        more = Counter(self._key(state) for state in after if state.said)
        more.subtract(self._key(state) for state in before if state.said)
        for (day, kind, project, status), number in sorted(more.items()):
            if number:
                key = {"here": self._mirror, "on": day, "kind": kind, "where": project, "what": status}
                if not connection.execute(_ADD, {**key, "more": number}).rowcount:
                    row = {"mirror": self._mirror, "day": day, "run_type": kind, "project": project, "status": status}
                    connection.execute(insert(mirror_count), {**row, "instances": number})
