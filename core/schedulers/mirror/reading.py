"""What the mirror is asked, answered from the store: each answer from one transaction, so that its parts fit together."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from core.errors import NotFound
from core.schedulers.base import (
    Change,
    DataTable,
    Instance,
    InstanceQuery,
    Page,
    Related,
    RunType,
    Status,
    TableUpdate,
    Task,
)
from core.schedulers.mirror.facts import Direction
from core.schedulers.mirror.feed import Feed
from core.schedulers.mirror.lineage import walk
from core.schedulers.mirror.state import Mirrored, instance
from core.schedulers.search import LONGEST_QUERY, rank
from core.store import Connection

UPDATES: Final = 20
HISTORY: Final = 60
"""Successful instances of its producers among which a table's updates are looked for."""
RECENT: Final = 50
"""Instances of a task whose operations count as its changes."""
SUCCEEDED: Final = (Status.SUCCESS, Status.FORCED_SUCCESS)
WRITERS: Final = (RunType.NORMAL, RunType.MANUAL)
WRITING: Final[dict[Direction, Direction]] = {"in": "out", "out": "in"}


@dataclass(frozen=True, slots=True)
class Reading:
    """One transaction's view of a mirror.

    Attributes:
        connection: the transaction.
        feed: the mirror's tables.
        name: of the mirror.
        zone: in which its days begin.
    """

    connection: Connection
    feed: Feed
    name: str
    zone: ZoneInfo

    def page(self, query: InstanceQuery, now: datetime) -> Page[Instance]:
        """Instances that match. They are as of when anything was last heard."""
        own = self._own(query)
        total = sum(self.feed.instances.counts(self.connection, own).values())
        items = self.shown(self.feed.instances.page(self.connection, own))
        return Page(items, total, self.feed.heard_at(self.connection) or now)

    def counts(self, query: InstanceQuery) -> dict[Status, int]:
        """How many match, by status."""
        return self.feed.instances.counts(self.connection, self._own(query))

    def state(self, id: str) -> Mirrored:
        """What is known of an instance, which a run of it may stand for. Raises `NotFound`."""
        wanted = _storable(id)
        found = self.feed.instances.some(self.connection, [wanted])
        if not found and (real := self.feed.known_runs(self.connection, [wanted])):
            found = self.feed.instances.some(self.connection, list(real.values()))
        if not found:
            raise NotFound(f"no instance {id[:80]!r} was heard of", kind="instance", name=id[:80])
        return found[0]

    def history(self, task_id: str, limit: int) -> tuple[Instance, ...]:
        """Scheduled instances of a task. Raises `NotFound` where there is no such task."""
        self._known(task_id)
        return self.shown(self.feed.instances.history(self.connection, [task_id], limit=limit))

    def tasks(self, text: str, limit: int) -> tuple[Task, ...]:
        """Tasks whose name or id is or resembles the text."""
        found = rank(text, self.feed.tasks.names(self.connection), lambda task: task, limit=limit)
        described = self.feed.tasks.some(self.connection, [id for id, _ in found])
        return tuple(described[id] for id, _ in found)

    def tables(self, text: str, limit: int) -> tuple[DataTable, ...]:
        """Tables whose name is or resembles the text."""
        names = self.feed.tasks.all_tables(self.connection)
        return tuple(self._table(name) for name in rank(text, names, lambda name: (name,), limit=limit))

    def changes(self, task_id: str, since: datetime) -> tuple[Change, ...]:
        """What was done to a task, to its instances and to the tables it reads or writes."""
        self._known(task_id)
        recent = self.feed.instances.history(self.connection, [task_id], limit=RECENT)
        tables = {name for way in WRITING for name in self.feed.tasks.tables(self.connection, [task_id], way)}
        task = self.feed.tasks.some(self.connection, [task_id])[task_id]
        found = self.feed.changes.about(self.connection, task, [one.id for one in recent], tables, since)
        return tuple(found)

    def related(self, id: str, reads: Direction, depth: int) -> tuple[Related, ...]:
        """Instances up- (`in`) or downstream (`out`) by the tables in between. Raises `NotFound`."""
        steps = walk(self, self.state(id), reads, depth)
        instances = self.shown([step.state for step in steps])
        return tuple(Related(one, step.distance, step.parents) for one, step in zip(instances, steps, strict=True))

    def projects(self) -> tuple[str, ...]:
        """Names of projects."""
        names = self.feed.tasks.projects(self.connection)
        return tuple(sorted({names.get(id, id) for id in self.feed.instances.projects(self.connection)}))

    def shown(self, states: Sequence[Mirrored]) -> tuple[Instance, ...]:
        """States in the words of the seam."""
        tasks = self.feed.tasks.some(self.connection, {state.task for state in states})
        names = self.feed.tasks.projects(self.connection)
        return tuple(instance(state, _placed(tasks[state.task], state, names)) for state in states)

    def neighbours(self, task: str, reads: Direction) -> set[str]:
        """See `lineage.Known`."""
        tables = self.feed.tasks.tables(self.connection, [task], reads)
        return self.feed.tasks.touching(self.connection, tables, WRITING[reads])

    def due_on_the_day_of(self, state: Mirrored, tasks: set[str]) -> Iterable[Mirrored]:
        """See `lineage.Known`."""
        day = state.due_at.astimezone(self.zone).date()
        between = (self.feed.instances.midnight(day), self.feed.instances.midnight(day + timedelta(days=1)))
        return self.feed.instances.history(self.connection, tasks, limit=1000, between=between)

    def _table(self, name: str) -> DataTable:
        """A table as its producers' successes tell: what ran dry or off its cycle wrote nothing, a backfill an old day."""
        producers = self.feed.tasks.touching(self.connection, [name], "out")
        tasks = self.feed.tasks.some(self.connection, producers)
        runs = self.feed.instances.history(self.connection, producers, limit=HISTORY, statuses=SUCCEEDED, kinds=WRITERS)
        updates = [update for run in runs if (update := self._update(run, name))]
        newest = sorted(updates, key=lambda update: update.at, reverse=True)[:UPDATES]
        first = next(iter(tasks.values()), None)
        owner, project = (first.owner, first.project) if first else ("", "")
        return DataTable(self.name, name, project, owner, tuple(tasks.values()), tuple(newest))

    def _update(self, state: Mirrored, table: str) -> TableUpdate | None:
        """What a run wrote. Of a run by hand only its own word counts: it may have been about anything."""
        run, written = state.run, state.written.get(table)
        if state.run_type is RunType.MANUAL and not written:
            return None
        if run is None or run.finished_at is None or state.flags.wrote_nothing or (state.written and not written):
            return None
        rows, size = (written.rows, written.bytes) if written else (None, None)
        return TableUpdate(run.finished_at, f"{self.name}:{state.id}", rows=rows, bytes=size)

    def _known(self, task_id: str) -> None:
        id = _storable(task_id)
        task = self.feed.tasks.described(self.connection, id)
        if not task and not self.feed.instances.history(self.connection, [id], limit=1):
            raise NotFound(f"no task {task_id[:80]!r} was heard of", kind="task", name=task_id[:80])

    def _own(self, query: InstanceQuery) -> InstanceQuery:
        """The query with projects as events name them, and without what no database stores."""
        names = self.feed.tasks.projects(self.connection) if query.projects else {}
        wanted = {_storable(project) for project in query.projects}
        ids = wanted | {id for id, name in names.items() if name in wanted}
        return replace(
            query,
            projects=frozenset(ids),
            task=_storable(query.task),
            name=_storable(query.name[:LONGEST_QUERY]),
            owner=_storable(query.owner),
        )


def _storable(text: str) -> str:
    """PostgreSQL takes no NUL; nobody's name has one."""
    return text.replace("\0", "\ufffd")


def _placed(task: Task, state: Mirrored, names: dict[str, str]) -> Task:
    project = state.project or state.workspace
    return replace(task, project=names.get(project) or project or task.project)
