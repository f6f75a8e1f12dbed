"""What an event means to people: pure, so that every rule is a line of a test. Most events mean nothing to them.

Names are mostly not told: a DataWorks status names an instance by its id alone, and who reads this looks the rest up.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

from core.effects.model import Happening, Kind
from core.events.dataworks.approvals import Approval, TablePermissionRequest
from core.events.dataworks.base import DataWorksEvent
from core.events.dataworks.instances import (
    DagStatusChanged,
    InstanceDependenciesDeleted,
    InstancesOperated,
    InstanceStatusChanged,
)
from core.events.dataworks.monitoring import MonitorAlert
from core.events.dataworks.nodes import NodeDeleted
from core.events.dataworks.quality import CheckFinished
from core.events.dataworks.tenant import DataTransfer, Download, ProjectDeleted, Upload
from core.events.dataworks.words import (
    AlarmType,
    BaselineStatus,
    CheckResult,
    DagType,
    InstanceStatus,
    RemindType,
    RuleStrength,
    SchedulerType,
)
from core.events.incoming import Incoming
from core.events.openlineage import RunEvent, RunState
from core.schedulers.mirror import openlineage
from core.schedulers.mirror.airflow import by_airflow, followed

RUNS = frozenset({DagType.SCHEDULED, DagType.BACKFILL, DagType.MANUAL_WORKFLOW, ""})
"""Runs whose failure somebody has to know of. Tests are watched by whoever started them."""
EMPTY = frozenset(
    {SchedulerType.SKIP, SchedulerType.SKIP_CYCLE, SchedulerType.REALTIME_DEPRECATED, SchedulerType.PAUSE}
)
"""A success under these wrote nothing, and a failure only means that somebody froze it."""
FOLLOWED = frozenset({DagType.BACKFILL, DagType.MANUAL_WORKFLOW, DagType.TEMPORARY})
MOVED = frozenset({InstanceStatus.RUNNING, InstanceStatus.FAILURE, InstanceStatus.SUCCESS})

COURSES: Final[Mapping[str, str]] = {RunState.START: "running", RunState.FAIL: "failure", RunState.COMPLETE: "success"}


Reader = Callable[[Incoming, Any], Happening | None]
"""What an event with a body of some model means. Its sentence stands in docs/events-dataworks.md."""


@cache
def reader(model: type) -> Reader | None:
    """Who reads events of a model; None when nobody ever has to hear of them."""
    return next((read for models, read in READERS if issubclass(model, models)), None)


def happening(event: Incoming) -> Happening | None:
    """What an event means; None when nobody has to hear of it."""
    read = reader(type(event.body))
    return read(event, event.body) if read else None


def _said(event: Incoming, kind: Kind, subject: str, **more: Any) -> Happening:  # noqa: ANN401  # fields of a Happening
    source = "openlineage" if isinstance(event.body, RunEvent) else "dataworks"
    more.setdefault("project", event.body.project if event.body else "")
    if isinstance(event.body, DataWorksEvent):
        more.setdefault("actor", event.body.operator)
    return Happening(f"{event.source}/{event.id}", kind, subject, source, event.at, **more)


def _status(event: Incoming, body: InstanceStatusChanged) -> Happening | None:
    """A failure is diagnosed and told to subscribers and owners; a success after it turns the card green."""
    if not body.task_id or body.task_type in EMPTY or body.dag_type not in RUNS:
        return None
    about: dict[str, Any] = {"subject": f"instance:{body.task_id}", "instances": (body.task_id,)}
    if body.status == InstanceStatus.FAILURE:
        return _said(event, "failed", **about)
    return _said(event, "recovered", over=True, **about) if body.status == InstanceStatus.SUCCESS else None


def _run(event: Incoming, body: RunEvent) -> Happening | None:
    """A run that fails is diagnosed and told like an instance, unless another try follows; a later success ends it.

    The subject is the job: each of its runs has an id of its own. Airflow's job is a task with instances, of which each ends
    only what it began; not all of its events name theirs, but the mirror knows.
    """
    if openlineage.is_dag(body):
        return _course(event, body)
    (instance,) = openlineage.read(body, event.at).instances
    about: dict[str, Any] = {
        "subject": f"{'task' if by_airflow(body) else 'job'}:{body.job.namespace}/{body.job.name}",
        "instances": (instance.id,),
        "name": body.job.name,
    }
    if instance.status.failed:
        return _said(event, "failed", values={"error": instance.said.note if instance.said else ""}, **about)
    return _said(event, "recovered", over=True, **about) if body.event_type == RunState.COMPLETE else None


def _course(event: Incoming, body: RunEvent) -> Happening | None:
    """A run of a DAG by hand or by a backfill is one card for subscribers; its failing tasks have cards of their own."""
    run, word = followed(body), COURSES.get(body.event_type)
    if not run or word is None:
        return None
    return _said(event, "progress", f"dag:{run}", severity="info", over=word == "success", name=run, word=word)


def moved(event: Incoming) -> str:
    """The subject of the followed run of which an instance ended; empty for every other event."""
    body = event.body
    if isinstance(body, InstanceStatusChanged):
        ended = body.status in MOVED - {InstanceStatus.RUNNING} and body.dag_type in FOLLOWED
        return f"dag:{body.dag_id}" if ended else ""
    if isinstance(body, RunEvent) and body.event_type in COURSES and not openlineage.is_dag(body):
        run = followed(body)
        return f"dag:{run}" if run else ""
    return ""


def _dag(event: Incoming, body: DagStatusChanged) -> Happening | None:
    """Running, failed and done are one card for subscribers, for backfills and workflows by hand."""
    if body.dag_type not in FOLLOWED or body.status not in MOVED:
        return None
    return _said(
        event,
        "progress",
        f"dag:{body.dag_id}",
        severity="warning" if body.status == InstanceStatus.FAILURE else "info",
        over=body.status == InstanceStatus.SUCCESS,
        name=body.dag_name or body.flow_name or body.dag_id,
        word=str(InstanceStatus(body.status).name).lower(),
    )


def _monitor(event: Incoming, body: MonitorAlert) -> Happening | None:
    """An alert for subscribers and owners: the instance to blame is diagnosed, a late baseline is critical."""
    if body.alarm_type == AlarmType.BASELINE:
        return _baseline(event, body)
    ids = tuple(filter(None, (body.task_id, *body.task_ids)))
    rule = body.remind_id or body.topic_id or event.id
    return _said(
        event,
        "alert",
        f"rule:{rule}",
        severity="info" if body.remind_type == RemindType.FINISHED else "warning",
        instances=ids,
        name=body.remind_name or body.resource_group_name,
        values={"alert_rule": body.remind_id},
        word=str(body.remind_type or body.alarm_type).lower(),
    )


def _baseline(event: Incoming, body: MonitorAlert) -> Happening:
    late = body.baseline_status in {BaselineStatus.OVERTIME, BaselineStatus.ABNORMAL}
    return _said(
        event,
        "alert",
        f"baseline:{body.baseline_id}",
        severity="critical" if late else "warning",
        over=body.baseline_status == BaselineStatus.SAFE,
        instances=(body.task_id,) if body.task_id else (),
        name=body.baseline_name or body.baseline_id,
        word="baseline_late" if late else "baseline",
    )


def _quality(event: Incoming, body: CheckFinished) -> Happening | None:
    """A check that fails is told to subscribers and owners of the table, a check that passes ends that."""
    result = body.check_result or body.check_result_status
    passed = result == CheckResult.PASSED
    strong = body.block_type == RuleStrength.STRONG
    measured = next((str(sample.value) for sample in body.sample_value if sample.value is not None), "")
    values = {"rule": body.rule_name or body.rule_id, "partition": body.actual_expression, "measured": measured}
    values |= {"expected": f"{body.op} {body.expect_value}" if body.expect_value is not None else ""}
    return _said(
        event,
        "quality",
        f"check:{body.table_name}:{body.rule_id}",
        severity="critical" if strong and result == CheckResult.CRITICAL else "warning",
        over=passed,
        name=body.table_name,
        word="strong" if strong else "weak",
        values={**values, "node": body.external_id if body.external_id.isdecimal() else ""},
        project=body.project_name or body.project,
    )


def _operated(event: Incoming, body: InstancesOperated) -> Happening:
    """An entry in the audit trail for each instance, with who did it."""
    return _said(event, "operated", "", severity="info", instances=body.task_ids, word=body.code)


def _cut_off(event: Incoming, body: InstanceDependenciesDeleted) -> Happening:
    """An entry in the audit trail for the instance, with who did it."""
    return _said(event, "operated", "", severity="info", instances=(body.task_instance_id,), word=body.code)


def _approval(event: Incoming, body: Approval) -> Happening:
    """A card for subscribers, the same one from order to decision."""
    said = {"status": body.status, "comments": body.comments, "who": body.assignee_name}
    return _said(event, "approval", f"approval:{body.process_id}", severity="info", name=body.process_id, values=said)


def _request(event: Incoming, body: TablePermissionRequest) -> Happening:
    """A card for subscribers: which tables, and why."""
    tables = ", ".join(name for _, name in body.subjects)
    said = {"comments": body.order.apply_reason if body.order else ""}
    return _said(event, "approval", f"approval:{event.id}", severity="info", name=tables, values=said)


def _transfer(event: Incoming, body: DataTransfer) -> Happening:
    """A card for subscribers: who moves which file or table, and how much."""
    rows = body.data_row_size if isinstance(body, Download) else None
    name = body.file_name if isinstance(body, Download) else body.table_guid if isinstance(body, Upload) else ""
    said = {"rows": "" if rows is None else str(rows), "datasource": body.datasource_name}
    actor = body.operator_uid or body.operator
    return _said(
        event, "transfer", f"transfer:{event.id}", severity="info", name=name, word=body.code, values=said, actor=actor
    )


def _deleted(event: Incoming, body: NodeDeleted | ProjectDeleted) -> Happening:
    """A card for subscribers."""
    name = body.node_name or body.node_id if isinstance(body, NodeDeleted) else body.project_name
    return _said(event, "deleted", f"deleted:{event.id}", severity="info", name=name, word=body.code)


READERS: Final[tuple[tuple[type | tuple[type, ...], Reader], ...]] = (
    (RunEvent, _run),
    (InstanceStatusChanged, _status),
    (DagStatusChanged, _dag),
    (MonitorAlert, _monitor),
    (CheckFinished, _quality),
    (InstancesOperated, _operated),
    (InstanceDependenciesDeleted, _cut_off),
    (Approval, _approval),
    (TablePermissionRequest, _request),
    (DataTransfer, _transfer),
    ((NodeDeleted, ProjectDeleted), _deleted),
)
