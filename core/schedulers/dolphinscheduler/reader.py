"""Reading instances: one, those of a day, those of a task.

DolphinScheduler lists workflow instances and rows of tasks by when they *began*, not by when they were due, and rows do not
say when they were due. So a day is read whole: the workflow instances and rows that began on it or on the day after, and the
rows that have not begun. Questions about it (counts, failures, one owner's) are all answered from that, which is remembered
for `LIST_SECONDS` and shared with the day before; `Page.as_of` tells when DolphinScheduler was asked.

Workflow instances that went on for longer, or ran again later, are asked for one by one. Tasks inside a sub-workflow are in no
list of a day; the task that runs the sub-workflow stands for them.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from core.errors import NotFound
from core.schedulers.base import Instance, InstanceQuery, Page, RunType, Status
from core.schedulers.dolphinscheduler.assembly import Assembly
from core.schedulers.dolphinscheduler.catalogue import Catalogue
from core.schedulers.dolphinscheduler.client import Client, Params
from core.schedulers.dolphinscheduler.graph import Graph
from core.schedulers.dolphinscheduler.model import BEGINNING, SUCCESS, Key, origin, run_type
from core.schedulers.dolphinscheduler.wire import FORMAT, Attempt, Run
from core.schedulers.memory import Memory

LIST_SECONDS: Final = 15.0
SPAN: Final = timedelta(days=2)
"""How long after a day began its workflow instances may still begin."""
PAST: Final = 50
"""Newest workflow instances of a task that are looked at."""


@dataclass(frozen=True, slots=True)
class Begun:
    """What began on a day in a project."""

    runs: tuple[Run, ...]
    rows: tuple[Attempt, ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """The instances of a project that were due on a day, and when they were asked for."""

    instances: tuple[Instance, ...]
    at: datetime


class Reader:
    """Asks for instances and gives them in our model.

    Args:
        client: the connection.
        catalogue: for definitions.
        assembly: puts answers together.
        zone: in which days begin.
        clock: the present moment, with zone.
    """

    def __init__(
        self,
        client: Client,
        catalogue: Catalogue,
        assembly: Assembly,
        *,
        zone: ZoneInfo,
        clock: Callable[[], datetime],
    ) -> None:
        self._client = client
        self._catalogue = catalogue
        self._assembly = assembly
        self.zone = zone
        self._clock = clock
        self._days: Memory[tuple[str, date], Seen] = Memory(self._fetch_day, seconds=LIST_SECONDS, of=client.system)
        self._begun: Memory[tuple[str, date], Begun] = Memory(self._fetch_begun, seconds=LIST_SECONDS, of=client.system)
        self._beginning: Memory[str, tuple[Attempt, ...]] = Memory(
            self._fetch_beginning, seconds=LIST_SECONDS, of=client.system
        )

    async def run(self, project: str, run: str) -> Run:
        """A workflow instance. Raises `NotFound`, also of a project that is not looked at."""
        if project not in await self._catalogue.projects():
            raise NotFound(f"{self._client.system}: no project {project}", kind="instance", name=run)
        names = await self._client.names()
        return await self._client.get(("projects", project, names.runs, run), Run, what="instance", name=run)

    async def attempts(self, key: Key) -> tuple[Attempt, ...]:
        """Rows of a task in a workflow instance, oldest first."""
        return tuple(row for row in await self._rows_of(key.project, key.run) if row.task == key.task)

    async def instances(self, project: str, run: str) -> tuple[Instance, ...]:
        """All instances of a workflow instance as they are now. Raises `NotFound`."""
        found, rows, graph = await asyncio.gather(
            self.run(project, run), self._rows_of(project, run), self._catalogue.graph(project)
        )
        return self._assembly.instances(graph, found, rows)

    async def one(self, key: Key) -> Instance:
        """One instance as it is now. Raises `NotFound`."""
        for instance in await self.instances(key.project, key.run):
            if instance.id == key.id:
                return instance
        raise NotFound(f"{self._client.system}: no instance {key.id}", kind="instance", name=key.id)

    async def page(self, query: InstanceQuery) -> Page[Instance]:
        """Instances that match, the most recently due first."""
        if query.day is None and query.task:
            found, as_of = await self._of_task(query.task, query.run_types), self._clock()
        else:
            seen = await self._seen(query)
            found = [one for part in seen for one in part.instances]
            as_of = min((part.at for part in seen), default=self._clock())
        fitting = sorted((one for one in found if query.fits(one)), key=_newest_first)
        return Page(tuple(fitting[query.offset : query.offset + query.limit]), len(fitting), as_of)

    async def counts(self, query: InstanceQuery) -> Mapping[Status, int]:
        """How many match, by status."""
        seen = await self._seen(query)
        return Counter(one.status for part in seen for one in part.instances if query.fits(one))

    async def history(self, task: str, limit: int) -> tuple[Instance, ...]:
        """Scheduled instances of a task, newest first: two calls. Raises `NotFound`."""
        await self._catalogue.home(task)
        found = await self._of_task(task, frozenset({RunType.NORMAL}))
        return tuple(sorted(found, key=_newest_first)[:limit])

    async def due(self, project: str, workflow: str, first: date, last: date) -> tuple[Run, ...]:
        """Scheduled workflow instances of a workflow that were due from one day to another."""
        names = await self._client.names()
        given = {names.by_workflow: workflow, **self._span(first, last + timedelta(days=1))}
        runs = await self._client.every(("projects", project, names.runs), Run, given)
        due = (one for one in runs if one.schedule_time and first <= self._day(one.schedule_time) <= last)
        told = await asyncio.gather(*(self._told(project, one) for one in due))
        return tuple(one for one in told if run_type(one) is RunType.NORMAL)

    async def running_in(self, project: str, worker_group: str, limit: int) -> tuple[str, ...]:
        """Ids of instances of a project that run in a worker group now."""
        rows = await self._rows(project, {"stateType": "RUNNING_EXECUTION"})
        held = (Key(project, row.run, row.task).id for row in rows if row.worker_group == worker_group)
        return tuple(held)[:limit]

    def forget(self) -> None:
        """After something was changed."""
        self._days.forget()
        self._begun.forget()
        self._beginning.forget()

    async def close(self) -> None:
        """Stop what is being fetched."""
        await asyncio.gather(self._days.close(), self._begun.close(), self._beginning.close())

    async def _seen(self, query: InstanceQuery) -> tuple[Seen, ...]:
        """What was due on the day asked for; yesterday and today when none is."""
        today = self._clock().astimezone(self.zone).date()
        days = (query.day,) if query.day else (today, today - timedelta(days=1))
        projects = await self._catalogue.among(query.projects)
        asked = [(project, day) for project in projects for day in days]
        return tuple(await asyncio.gather(*(self._days.get(one) for one in asked)))

    async def _fetch_day(self, key: tuple[str, date]) -> Seen:
        project, day = key
        at, tomorrow = self._clock(), day + timedelta(days=1)
        days = [day] if self._begins(tomorrow) > at else [day, tomorrow]
        graph, beginning, begun = await asyncio.gather(
            self._catalogue.graph(project),
            self._beginning.get(project),
            asyncio.gather(*(self._begun.get((project, one)) for one in days)),
        )
        due = (one for part in begun for one in part.runs if one.due and self._day(one.due) == day)
        runs = await asyncio.gather(*(self._told(project, one) for one in due))
        rows: dict[str, dict[int, Attempt]] = {}
        for row in (*(row for part in begun for row in part.rows), *beginning):
            rows.setdefault(row.run, {})[row.id] = row
        late = [one.id for one in runs if _goes_beyond(one, self._begins(day) + SPAN, at)]
        for run, mine in zip(late, await asyncio.gather(*(self._rows_of(project, one) for one in late)), strict=True):
            rows[run] = {row.id: row for row in mine}
        return Seen(await asyncio.to_thread(self._assemble, graph, runs, rows), at)

    async def _fetch_begun(self, key: tuple[str, date]) -> Begun:
        project, day = key
        names, span = await self._client.names(), self._span(day, day)
        runs, rows = await asyncio.gather(
            self._client.every(("projects", project, names.runs), Run, span), self._rows(project, span)
        )
        return Begun(runs, rows)

    async def _fetch_beginning(self, project: str) -> tuple[Attempt, ...]:
        parts = await asyncio.gather(*(self._rows(project, {"stateType": state}) for state in sorted(BEGINNING)))
        return tuple(row for part in parts for row in part)

    def _assemble(
        self, graph: Graph, runs: Iterable[Run], rows: Mapping[str, Mapping[int, Attempt]]
    ) -> tuple[Instance, ...]:
        return tuple(one for run in runs for one in self._assembly.instances(graph, run, rows.get(run.id, {}).values()))

    async def _told(self, project: str, run: Run) -> Run:
        """A workflow instance with its origin, which 3.1 hides in lists once it ran again."""
        return run if origin(run) or run.history_cmd else await self.run(project, run.id)

    async def _of_task(self, task: str, run_types: frozenset[RunType]) -> list[Instance]:
        """The newest instances of a task, whatever day they are of; none when nobody knows it."""
        try:
            graph, workflow = await self._catalogue.home(task)
        except NotFound:
            return []
        names = await self._client.names()
        where = ("projects", graph.project)
        given = {names.by_workflow: workflow.code}
        runs, rows = await asyncio.gather(
            self._client.page((*where, names.runs), Run, given, size=PAST),
            self._client.page((*where, "task-instances"), Attempt, {"taskName": workflow.tasks[task].name}),
        )
        known = await asyncio.gather(*(self._told(graph.project, one) for one in runs.items))
        by_run: dict[str, list[Attempt]] = {}
        for row in rows.items:
            if row.task == task:
                by_run.setdefault(row.run, []).append(row)
        unmet = [one.id for one in known if one.id not in by_run and one.state != SUCCESS]
        parts = await asyncio.gather(*(self._rows_of(graph.project, run) for run in unmet))
        by_run |= {run: list(part) for run, part in zip(unmet, parts, strict=True)}  # what stands above tells why
        found = (one for run in known for one in self._assembly.instances(graph, run, by_run.get(run.id, ())))
        return [one for one in found if one.task.id == task and one.run_type in run_types]

    async def _rows_of(self, project: str, run: str) -> tuple[Attempt, ...]:
        names = await self._client.names()
        rows = await self._rows(project, {names.run_id: run})
        return tuple(sorted(rows, key=lambda row: row.id))

    async def _rows(self, project: str, given: Params) -> tuple[Attempt, ...]:
        return await self._client.every(("projects", project, "task-instances"), Attempt, given)

    def _span(self, first: date, last: date) -> Params:
        """Parameters for what began from the first day to the last, in the server's zone."""
        begin, end = self._begins(first), self._begins(last + timedelta(days=1)) - timedelta(seconds=1)
        zone = self._client.zone
        return {
            "startDate": begin.astimezone(zone).strftime(FORMAT),
            "endDate": end.astimezone(zone).strftime(FORMAT),
        }

    def _begins(self, day: date) -> datetime:
        return datetime.combine(day, time.min, self.zone)

    def _day(self, moment: datetime) -> date:
        return moment.astimezone(self.zone).date()


def _goes_beyond(run: Run, end: datetime, now: datetime) -> bool:
    """Whether rows of it may have begun after the span that was listed."""
    return now > end and max(moment for moment in (run.restart_time, run.end_time or now) if moment) > end


def _newest_first(one: Instance) -> tuple[float, str]:
    """Key by which the most recently due come first; what is due together comes by id, so that pages add up."""
    return (-one.scheduled_at.timestamp() if one.scheduled_at else 0.0, one.id)
