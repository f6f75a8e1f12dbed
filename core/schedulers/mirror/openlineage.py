"""What OpenLineage's events say: a job is a task, a run a run of an instance, a dataset a table.

Airflow names its run in a facet of some of a run's events, not of all. Such an event ties the run's id to the instance that
Airflow itself would name, `dag/run/task[/map_index]`, so that tries of one task are runs of one instance, and what came under
the run's id alone joins it. For every other producer an instance is one run.

Source: OpenLineage 2-0-2; its facets NominalTime, ErrorMessage, OutputStatistics, Ownership, JobType, Airflow.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, cast

from pydantic import TypeAdapter

from core.events.openlineage import JobEvent, LineageEvent, RunEvent, RunState
from core.events.values import Time
from core.schedulers.airflow.model import Key, TaskKey
from core.schedulers.base import Status
from core.schedulers.mirror.facts import NOTHING, Facts, FlowFact, TaskFact
from core.schedulers.mirror.state import Mirrored, Run, Said, Written
from core.store.types import EPOCH

STATUSES: Final[Mapping[str, Status]] = {
    RunState.START: Status.RUNNING,
    RunState.RUNNING: Status.RUNNING,
    RunState.COMPLETE: Status.SUCCESS,
    RunState.FAIL: Status.FAILED,
    RunState.ABORT: Status.KILLED,
}
LONGEST_NOTE: Final = 500
Place = tuple[str, str, str]
"""Id, name and project of a task."""

_TIME: TypeAdapter[datetime | None] = TypeAdapter(Time)


def read(body: LineageEvent, at: datetime) -> Facts:
    """What an event says.

    Args:
        body: the event.
        at: its time by the producer's clock.
    """
    if not isinstance(body, JobEvent) or _text(body.job.facets, "jobType", "jobType") == "DAG":
        return NOTHING  # a DAG's own run says nothing that its tasks do not
    place = _place(body)
    task = place[0]
    flows = (
        *(FlowFact(task, table.name, "in") for table in body.inputs),
        *(FlowFact(task, table.name, "out") for table in body.outputs),
    )
    tasks = (_task(body, at, place),)
    if not isinstance(body, RunEvent):
        return Facts(tasks=tasks, flows=flows)
    instance = _airflow(body.run.facets) or body.run.run_id
    same = ((body.run.run_id, instance),) if instance != body.run.run_id else ()
    return Facts((_instance(body, at, instance, place),), tasks, flows, same=same)


def _place(body: JobEvent) -> Place:
    """Id, name and project of a task.

    Where a job's name begins with that of the run it is part of, that is its DAG, and all is named as Airflow's API does.
    """
    name = body.job.name
    dag = _text(body.run.facets, "parent", "job", "name") if isinstance(body, RunEvent) else ""
    if dag and name.startswith(f"{dag}."):
        own = name[len(dag) + 1 :]
        return TaskKey(dag, own).id, own, dag
    return name, name, body.job.namespace


def _task(body: JobEvent, at: datetime, place: Place) -> TaskFact:
    """A job is described by some of its events; the others only mention it."""
    job = body.job
    owners = _dig(job.facets, "ownership", "owners")
    names = tuple(_text(owner, "name") for owner in cast("list[object]", owners)) if isinstance(owners, list) else ()
    kind = _text(job.facets, "jobType", "jobType")
    return TaskFact(at if kind or names else EPOCH, *place, names, kind)


def _instance(body: RunEvent, at: datetime, id: str, place: Place) -> Mirrored:
    status = STATUSES.get(body.event_type)
    facets = body.run.facets
    state = Mirrored(
        id,
        task=place[0],
        project=place[2],
        told_due_at=_time(facets, "nominalTime", "nominalStartTime"),
        began_at=at,
        written={output.name: _written(at, output.output_facets) for output in body.outputs},
    )
    if status is None:
        return state
    run = Run(at, status, at if body.event_type == RunState.START else None, at if status.finished else None)
    note = _text(facets, "errorMessage", "message")[:LONGEST_NOTE].partition("\n")[0]
    said = Said(at, status, str(body.event_type), note=note)
    return replace(state, said=said, runs={body.run.run_id: run})


def _written(at: datetime, facets: Mapping[str, Any]) -> Written:
    rows, size = _dig(facets, "outputStatistics", "rowCount"), _dig(facets, "outputStatistics", "size")
    return Written(at, rows if isinstance(rows, int) else None, size if isinstance(size, int) else None)


def _airflow(facets: Mapping[str, Any]) -> str:
    """The instance as Airflow's own API names it; empty for other producers."""
    dag = _text(facets, "airflow", "dag", "dag_id")
    run = _text(facets, "airflow", "dagRun", "run_id")
    task = _text(facets, "airflow", "task", "task_id")
    index = _dig(facets, "airflow", "taskInstance", "map_index")
    return Key(dag, run, task, index if isinstance(index, int) else -1).id if dag and run and task else ""


def _time(facets: Mapping[str, Any], *names: str) -> datetime | None:
    return _TIME.validate_python(_text(facets, *names))


def _text(value: object, *names: str) -> str:
    found = _dig(value, *names)
    return found if isinstance(found, str) else ""


def _dig(value: object, *names: str) -> object:
    """What lies under a path of names; None where a producer wrote something else."""
    for name in names:
        if not isinstance(value, Mapping):
            return None
        value = cast("Mapping[str, object]", value).get(name)
    return value
