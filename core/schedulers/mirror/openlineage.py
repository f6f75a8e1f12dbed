"""What OpenLineage's events say: a job is a task, a run a run of an instance, a dataset a table.

Airflow names its run in a facet of some of a run's events, not of all. Such an event ties the run's id to the instance that
Airflow itself would name, `dag/run/task[/map_index]`, so that tries of one task are runs of one instance, and what came under
the run's id alone joins it. For every other producer an instance is one run.

Source: OpenLineage 2-0-2; its facets NominalTime, ErrorMessage, OutputStatistics, Ownership, JobType. For Airflow's own see
`airflow.py`.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, cast

from core.events.openlineage import JobEvent, LineageEvent, RunEvent, RunState, facet, facet_text, facet_time
from core.schedulers.airflow.model import TaskKey
from core.schedulers.base import RunType, Status
from core.schedulers.mirror.airflow import Try, concluded, members, told_try
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


def read(body: LineageEvent, at: datetime) -> Facts:
    """What an event says.

    Args:
        body: the event.
        at: its time by the producer's clock.
    """
    if not isinstance(body, JobEvent):
        return NOTHING
    if is_dag(body):
        return _dag(body, at)
    place = _place(body)
    tasks = (_task(body, at, place),)
    if not isinstance(body, RunEvent):
        return Facts(tasks=tasks, flows=_flows(body, place[0]))
    tried = told_try(body)
    same = ((body.run.run_id, tried.key.id),) if tried else ()
    instances = (_instance(body, at, tried, place),)
    return Facts(instances, tasks, _flows(body, place[0], tried), members=members(instances), same=same)


def is_dag(body: JobEvent) -> bool:
    """Whether it is about a DAG's own run rather than a task's."""
    return facet_text(body.job.facets, "jobType", "jobType") == "DAG"


def _dag(body: JobEvent, at: datetime) -> Facts:
    """A DAG's own run says at its end what became of its tasks."""
    ended = concluded(body, at) if isinstance(body, RunEvent) else ()
    tasks = tuple(TaskFact(EPOCH, one.task, TaskKey.parse(one.task).task, one.project) for one in ended)
    return Facts(ended, tasks, members=members(ended)) if ended else NOTHING


def _flows(body: JobEvent, task: str, tried: Try | None = None) -> tuple[FlowFact, ...]:
    reads = (*(table.name for table in body.inputs), *(tried.reads if tried else ()))
    writes = (*(table.name for table in body.outputs), *(tried.writes if tried else ()))
    return (*(FlowFact(task, name, "in") for name in reads), *(FlowFact(task, name, "out") for name in writes))


def _place(body: JobEvent) -> Place:
    """Id, name and project of a task.

    Where a job's name begins with that of the run it is part of, that is its DAG, and all is named as Airflow's API does.
    """
    name = body.job.name
    dag = facet_text(body.run.facets, "parent", "job", "name") if isinstance(body, RunEvent) else ""
    if dag and name.startswith(f"{dag}."):
        own = name[len(dag) + 1 :]
        return TaskKey(dag, own).id, own, dag
    return name, name, body.job.namespace


def _task(body: JobEvent, at: datetime, place: Place) -> TaskFact:
    """A job is described by some of its events; the others only mention it."""
    job = body.job
    owners = facet(job.facets, "ownership", "owners")
    names = (
        tuple(facet_text(owner, "name") for owner in cast("list[object]", owners)) if isinstance(owners, list) else ()
    )
    kind = facet_text(job.facets, "jobType", "jobType")
    return TaskFact(at if kind or names else EPOCH, *place, names, kind)


def _instance(body: RunEvent, at: datetime, tried: Try | None, place: Place) -> Mirrored:
    status = STATUSES.get(body.event_type)
    facets = body.run.facets
    assets = {name: Written(at, rows) for name, rows in tried.writes.items()} if tried else {}
    state = Mirrored(
        tried.key.id if tried else body.run.run_id,
        task=place[0],
        project=place[2],
        run_type=tried.run_type if tried else RunType.NORMAL,
        told_due_at=tried.due_at if tried else facet_time(facets, "nominalTime", "nominalStartTime"),
        began_at=at,
        written={output.name: _written(at, output.output_facets) for output in body.outputs} | assets,
    )
    if status is None:
        return state
    began, ended = body.event_type == RunState.START, status.finished
    run = Run(at, status, at if began else None, at if ended else None, tried.number if tried else 0)
    note = facet_text(facets, "errorMessage", "message")[:LONGEST_NOTE].partition("\n")[0]
    now = Status.WAIT_TIME if tried and tried.again else status
    return replace(state, said=Said(at, now, str(body.event_type), note=note), runs={body.run.run_id: run})


def _written(at: datetime, facets: Mapping[str, Any]) -> Written:
    rows, size = facet(facets, "outputStatistics", "rowCount"), facet(facets, "outputStatistics", "size")
    return Written(at, rows if isinstance(rows, int) else None, size if isinstance(size, int) else None)
