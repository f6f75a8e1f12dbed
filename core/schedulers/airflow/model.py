"""Airflow's words in ours: ids, statuses, run types, cycles.

An instance's id is `dag/run/task`, and `dag/run/task/index` when the task is mapped; a task's is `dag/task`. Airflow's
own UUID of a task instance changes with every clear, this does not. A slash or percent sign inside a part is written
`%2F` or `%25`, so that every id splits one way only.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote
from zoneinfo import ZoneInfo

from core.errors import NotFound
from core.schedulers.airflow.wire import TaskInstance
from core.schedulers.base import Flags, Instance, RunType, Status, Task

LONGEST_PART: Final = 250
"""Characters of an id in Airflow's tables."""
NO_STATE: Final = "none"
"""Airflow's word, in filters, for a task instance whose state is null."""

STATUSES: Mapping[str, Status] = {
    NO_STATE: Status.NOT_RUN,
    "scheduled": Status.WAIT_RESOURCE,
    "queued": Status.WAIT_RESOURCE,
    "up_for_retry": Status.WAIT_TIME,
    "up_for_reschedule": Status.WAIT_TIME,
    "deferred": Status.WAIT_TRIGGER,
    "awaiting_input": Status.WAIT_HUMAN,
    "running": Status.RUNNING,
    "restarting": Status.RUNNING,
    "success": Status.SUCCESS,
    "failed": Status.FAILED,
    "upstream_failed": Status.UPSTREAM_FAILED,
    "skipped": Status.SKIPPED,
    "removed": Status.SKIPPED,
}
"""Airflow marks neither a kill nor a success set by a person: they are `failed` and `success` here too."""

RUN_TYPES: Mapping[str, RunType] = {
    "scheduled": RunType.NORMAL,
    "asset_triggered": RunType.NORMAL,
    "operator_triggered": RunType.NORMAL,
    "backfill": RunType.BACKFILL,
    "asset_materialization": RunType.MANUAL,
    "manual": RunType.MANUAL,
}
"""By what a run's id begins with, before two underscores. Task instances do not carry the run's type; Airflow itself
reads it from the id in this way (`DagRunType.from_run_id`), and takes any other id for a manual run. A scheduled run
that a backfill repeats keeps its id, and so stays a scheduled one here."""


@dataclass(frozen=True, slots=True)
class TaskKey:
    """Names a task.

    Attributes:
        dag: id of the DAG, which is our project.
        task: id of the task within it.
    """

    dag: str
    task: str

    @classmethod
    def parse(cls, task_id: str) -> "TaskKey":
        """Read one of our ids. Raises `NotFound` for anything that cannot be one."""
        parts = _split(task_id)
        if len(parts) != 2:
            raise NotFound(f"{task_id[:LONGEST_PART]!r} is no task's id", kind="task", name=task_id[:LONGEST_PART])
        return cls(*parts)

    @property
    def id(self) -> str:
        """Our id of it."""
        return _join(self.dag, self.task)


@dataclass(frozen=True, slots=True)
class Key:
    """Names a task instance.

    Attributes:
        map_index: which instance of a mapped task; -1 when the task is not mapped.
    """

    dag: str
    run: str
    task: str
    map_index: int = -1

    @classmethod
    def parse(cls, instance_id: str) -> "Key":
        """Read one of our ids. Raises `NotFound` for anything that cannot be one."""
        match _split(instance_id):
            case [dag, run, task]:
                return cls(dag, run, task)
            case [dag, run, task, index] if index.isascii() and index.isdecimal():
                return cls(dag, run, task, int(index))
            case _:
                name = instance_id[:LONGEST_PART]
                raise NotFound(f"{name!r} is no instance's id", kind="instance", name=name)

    @classmethod
    def of(cls, instance: TaskInstance) -> "Key":
        """The key of what Airflow answered."""
        return cls(instance.dag_id, instance.dag_run_id, instance.task_id, instance.map_index)

    @property
    def id(self) -> str:
        """Our id of it."""
        return _join(self.dag, self.run, self.task, *self._index)

    @property
    def path(self) -> tuple[str, ...]:
        """Where the API has it."""
        return ("dags", self.dag, "dagRuns", self.run, "taskInstances", self.task, *self._index)

    @property
    def page(self) -> tuple[str, ...]:
        """Where Airflow's own pages show it."""
        mapped = ("mapped", *self._index) if self._index else ()
        return ("dags", self.dag, "runs", self.run, "tasks", self.task, *mapped)

    @property
    def marker(self) -> str | list[str | int]:
        """How the API names it when a run is cleared."""
        return [self.task, self.map_index] if self._index else self.task

    @property
    def _index(self) -> tuple[str, ...]:
        return () if self.map_index < 0 else (str(self.map_index),)


def instance(raw: TaskInstance, task: Task, *, zone: ZoneInfo, url: str) -> Instance:
    """What Airflow answered about a task instance, in our model.

    A cleared instance keeps the times of its last run until the next one begins; they are left out, since nothing runs.

    Args:
        raw: as answered.
        task: its definition.
        zone: in which its business date is meant.
        url: Airflow's own page of it.
    """
    state = raw.state or NO_STATE
    status = STATUSES.get(state, Status.UNKNOWN)
    waits = not status.finished and status is not Status.RUNNING
    return Instance(
        id=Key.of(raw).id,
        task=task,
        status=status,
        raw_status=state,
        flags=Flags(frozen=task.flags.frozen and waits),
        run_type=run_type(raw.dag_run_id),
        run_number=raw.try_number,
        business_date=(raw.logical_date or raw.run_after).astimezone(zone).date(),
        scheduled_at=raw.run_after,
        started_at=None if waits or not raw.try_number else raw.start_date,
        finished_at=raw.end_date if status.finished else None,
        waiting_since=(raw.queued_when or raw.scheduled_when) if waits else None,
        url=url,
        note=(raw.note or "").partition("\n")[0],
    )


def run_type(run_id: str) -> RunType:
    """Why a run exists, by its id."""
    kind, separator, _ = run_id.partition("__")
    return RUN_TYPES.get(kind, RunType.MANUAL) if separator else RunType.MANUAL


def cycle(timetable: str | None) -> str:
    """How often a DAG is due: a word of `Task.cycle`, by the summary Airflow gives of its timetable."""
    if timetable is None:
        return "manual"
    match timetable.split():
        case [minute, _, _, _, _] if _many(minute):
            return "minute"
        case [_, hour, _, _, _] if _many(hour):
            return "hourly"
        case [_, _, "*", "*", "*"]:
            return "daily"
        case [_, _, "*", "*", _]:
            return "weekly"
        case [_, _, _, "*", "*"]:
            return "monthly"
        case _:
            return ""


def _many(field: str) -> bool:
    return any(sign in field for sign in "*/,-")


def _join(*parts: str) -> str:
    return "/".join(part.replace("%", "%25").replace("/", "%2F") for part in parts)


def _split(joined: str) -> list[str]:
    """The parts of an id; none when one of them can be nobody's or would change the path of a URL."""
    parts = [unquote(part) for part in joined.split("/")] if len(joined) <= 4 * LONGEST_PART else []
    fit = all(part.isprintable() and part not in {"", ".", ".."} and len(part) <= LONGEST_PART for part in parts)
    return parts if fit else []
