"""What is defined in a project: workflows, their tasks, and which waits for which, also across workflows.

A task of type `DEPENDENT` waits for tasks of other workflows, or for the whole of one; which runs it means is told by `spans`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Final

from core.schedulers.base import Flags, Task
from core.schedulers.cron import cycle
from core.schedulers.dolphinscheduler.spans import WORDS
from core.schedulers.dolphinscheduler.wire import Attempt, Dag, Schedule, TaskDefinition, TaskSettings

NO_TASK: Final = "0"
ONLINE: Final = "ONLINE"
SKIPPED: Final = "NO"
PRIORITIES: Final[Mapping[str, int]] = {"HIGHEST": 5, "HIGH": 4, "MEDIUM": 3, "LOW": 2, "LOWEST": 1}


@dataclass(frozen=True, slots=True)
class Dependency:
    """What a dependent task waits for.

    Attributes:
        project: code of its project.
        workflow: code of its workflow.
        task: its code; empty when the whole workflow is waited for.
        when: which of its runs, one of `spans.WORDS`.
    """

    project: str
    workflow: str
    task: str
    when: str


@dataclass(frozen=True)
class Workflow:
    """A workflow's definition.

    Attributes:
        project: code.
        code: its own.
        name: what people call it.
        version: grows with every change.
        tasks: by code.
        parents: codes of the tasks each waits for.
        depends: what of other workflows its dependent tasks wait for.
        changed: when, what and by whom, for its tasks and schedule.
        schedule: None when only people start it.
    """

    project: str
    code: str
    name: str
    version: int
    tasks: Mapping[str, Task]
    parents: Mapping[str, frozenset[str]]
    depends: Mapping[str, tuple[Dependency, ...]]
    changed: Mapping[str, tuple[tuple[datetime, str, str], ...]]
    schedule: Schedule | None

    def above(self, task: str) -> frozenset[str]:
        """Tasks it waits for directly."""
        return self.parents.get(task, frozenset())

    def below(self, task: str) -> tuple[str, ...]:
        """Tasks that wait for it directly."""
        return tuple(code for code in self.tasks if task in self.above(code))

    def descendants(self, task: str) -> frozenset[str]:
        """All tasks that wait for it, through others too."""
        found: set[str] = set()
        edge = [task]
        while edge:
            edge = [code for one in edge for code in self.below(one) if code not in found]
            found |= set(edge)
        return frozenset(found)

    @property
    def ends(self) -> frozenset[str]:
        """Tasks for which no other waits: when they are done, the workflow is."""
        return frozenset(self.tasks) - {code for codes in self.parents.values() for code in codes}


@dataclass(frozen=True)
class Graph:
    """All that is defined in a project."""

    scheduler: str
    project: str
    name: str
    workflows: Mapping[str, Workflow]

    @cached_property
    def homes(self) -> Mapping[str, Workflow]:
        """The workflow of each task, by the task's code."""
        return {code: workflow for workflow in self.workflows.values() for code in workflow.tasks}

    def task(self, attempt: Attempt) -> Task:
        """The task of a row, also of one that is defined no more."""
        home = self.homes.get(attempt.task)
        if home is not None:
            return home.tasks[attempt.task]
        return Task(self.scheduler, attempt.task, attempt.name, self.name, kind=attempt.task_type)


class Drawing:
    """Draws graphs.

    Args:
        scheduler: configured name of the connection.
        tables: the code or name of the task that writes it, by name of a table.
    """

    def __init__(self, scheduler: str, tables: Mapping[str, str]) -> None:
        self._scheduler = scheduler
        self._tables = tables

    def graph(self, project: str, name: str, dags: Iterable[Dag], schedules: Iterable[Schedule]) -> Graph:
        """A project's graph."""
        timed = {one.workflow: one for one in schedules}
        drawn = (self._workflow(project, name, dag, timed.get(dag.workflow.code)) for dag in dags)
        return Graph(self._scheduler, project, name, {one.code: one for one in drawn})

    def _workflow(self, project: str, name: str, dag: Dag, schedule: Schedule | None) -> Workflow:
        parents: dict[str, set[str]] = {}
        for edge in dag.relations:
            if edge.pre != NO_TASK:
                parents.setdefault(edge.post, set()).add(edge.pre)
        return Workflow(
            project=project,
            code=dag.workflow.code,
            name=dag.workflow.name,
            version=dag.workflow.version,
            tasks={one.code: self._task(name, dag, one, schedule) for one in dag.tasks},
            parents={code: frozenset(above) for code, above in parents.items()},
            depends={one.code: tuple(_dependencies(project, one.task_params)) for one in dag.tasks},
            changed={one.code: tuple(_changes(dag, one, schedule)) for one in dag.tasks},
            schedule=schedule,
        )

    def _task(self, project: str, dag: Dag, one: TaskDefinition, schedule: Schedule | None) -> Task:
        owner = dag.workflow.user_name or dag.workflow.modify_by or ""
        offline = schedule is not None and schedule.release_state != ONLINE
        return Task(
            self._scheduler,
            one.code,
            one.name,
            project,
            owners=(owner,) if owner else (),
            kind=one.task_type,
            cycle=cycle(schedule.crontab) if schedule else "manual",
            priority=PRIORITIES.get(one.task_priority or "", 0),
            outputs=tuple(table for table, writer in self._tables.items() if writer in {one.code, one.name}),
            flags=Flags(frozen=offline or one.flag == SKIPPED),
        )


def _changes(dag: Dag, task: TaskDefinition, schedule: Schedule | None) -> Iterator[tuple[datetime, str, str]]:
    if task.update_time:
        yield task.update_time, "the task's definition was changed", task.modify_by or ""
    if dag.workflow.update_time:
        yield dag.workflow.update_time, "its workflow was changed", dag.workflow.modify_by or ""
    if schedule and schedule.update_time:
        yield (
            schedule.update_time,
            f"its schedule was changed; it is {schedule.release_state}",
            schedule.user_name or "",
        )


def _dependencies(project: str, settings: TaskSettings) -> Iterator[Dependency]:
    for group in settings.dependence.groups if settings.dependence else ():
        for item in group.items:
            if item.date_value in WORDS:
                task = str(item.task) if item.task > 0 else ""
                yield Dependency(item.project or project, item.workflow, task, item.date_value)
