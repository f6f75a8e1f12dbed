"""What DataWorks' events say about instances, nodes and tables.

Status events name neither the task nor the day: the task comes from node events or an API, the day from when the instance
began to wait or to run. The sign that a node writes a table is that it started a check of that table.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from typing import Any, Final

from core.events.dataworks import DataWorksEvent
from core.events.dataworks.files import CommitFile, DeleteFile, DeployFile, FileOperation, TableOperation
from core.events.dataworks.instances import (
    ExpiredInstancesDeleted,
    InstanceDependenciesDeleted,
    InstancesFrozen,
    InstancesKilled,
    InstancesOperated,
    InstancesRerun,
    InstancesSetSuccess,
    InstanceStatusChanged,
    InstancesUnfrozen,
)
from core.events.dataworks.nodes import Backfill, NodeChange, NodeDeleted, NodesOperation, SyncStart
from core.events.dataworks.quality import (
    CheckFeedback,
    CheckFinished,
    CloneMonitor,
    DeleteRules,
    MonitorOperation,
    RulesOperation,
    UpdateRule,
)
from core.events.dataworks.tenant import Upload
from core.events.dataworks.words import CheckResult, DagType, InstanceStatus, SchedulerType
from core.schedulers.base import Flags, RunType, Status
from core.schedulers.cron import cycle
from core.schedulers.mirror.facts import NOTHING, ChangeFact, Facts, FlowFact, QualityFact, TaskFact
from core.schedulers.mirror.members import FOLLOWED
from core.schedulers.mirror.state import Frozen, Mirrored, Run, Said
from core.schedulers.model import ChangeKind

STATUSES: Final[Mapping[str, Status]] = {
    InstanceStatus.NOT_RUN: Status.NOT_RUN,
    InstanceStatus.WAIT_TIME: Status.WAIT_TIME,
    InstanceStatus.WAIT_RESOURCE: Status.WAIT_RESOURCE,
    InstanceStatus.RUNNING: Status.RUNNING,
    InstanceStatus.FAILURE: Status.FAILED,
    InstanceStatus.SUCCESS: Status.SUCCESS,
    InstanceStatus.CHECKING_QUALITY: Status.CHECKING,
    InstanceStatus.CHECKING_CONDITION: Status.CHECKING,
}
FLAGS: Final[Mapping[str, Flags]] = {
    SchedulerType.PAUSE: Flags(frozen=True),
    SchedulerType.SKIP: Flags(dry_run=True),
    SchedulerType.SKIP_UNCHOOSE: Flags(dry_run=True),
    SchedulerType.CONDITION_UNCHOOSE: Flags(dry_run=True),
    SchedulerType.REALTIME_DEPRECATED: Flags(dry_run=True),
    SchedulerType.SKIP_CYCLE: Flags(off_cycle=True),
}
RUN_TYPES: Final[Mapping[str, RunType]] = {
    DagType.SCHEDULED: RunType.NORMAL,
    DagType.BACKFILL: RunType.BACKFILL,
    DagType.SMOKE_TEST: RunType.TEST,
    "": RunType.NORMAL,
}
"""All others are manual, so that they disturb no overview."""

CHANGED: Final = frozenset({"node", "instance", "table", "rule"})
"""What a change is remembered of."""

Reader = Callable[[Any, datetime], Facts]
"""What an event of a model says, at a time of the platform's clock. Its sentence stands in docs/events-dataworks.md."""


@cache
def reader(model: type[DataWorksEvent]) -> Reader | None:
    """Who reads events of a model; None when they say nothing to a mirror."""
    return next((read for models, read in READERS if issubclass(model, models)), None)


def read(body: DataWorksEvent, at: datetime) -> Facts:
    """What an event says.

    Args:
        body: the event.
        at: its time by the platform's clock.
    """
    found = reader(type(body))
    return found(body, at) if found else NOTHING


def _status(body: InstanceStatusChanged, at: datetime) -> Facts:
    """The instance's status, times and runs."""
    if not body.task_id:
        return NOTHING
    status = STATUSES.get(body.status, Status.UNKNOWN)
    waiting = {Status.WAIT_TIME: body.begin_wait_time_time, Status.WAIT_RESOURCE: body.begin_wait_res_time}
    began = [moment for moment in (body.begin_wait_res_time, body.begin_running_time) if moment]
    kind = RUN_TYPES.get(body.dag_type, RunType.MANUAL)
    return Facts(
        instances=(
            Mirrored(
                id=body.task_id,
                task=body.node_id,
                project=body.project,
                run_type=kind,
                began_at=min(began, default=None),
                made_at=body.create_time,
                said=Said(at, status, _word(body.status), FLAGS.get(body.task_type, Flags()), waiting.get(status)),
                runs=_run(body, at, status),
            ),
        ),
        members=((body.dag_id, body.task_id),) if body.dag_id and kind in FOLLOWED else (),
    )


def _run(body: InstanceStatusChanged, at: datetime, status: Status) -> dict[str, Run]:
    """A rerun that waits still carries the times of the run before: it says nothing about a run."""
    began = body.begin_running_time
    if began is None or not (status.finished or status in {Status.RUNNING, Status.CHECKING}):
        return {}
    return {began.isoformat(): Run(at, status, began, body.finish_time if status.finished else None)}


def _word(status: str) -> str:
    return status.name if isinstance(status, InstanceStatus) else status


def _frozen(body: InstancesOperated, at: datetime) -> Facts:
    """The instances are frozen; a change of them."""
    return _operated(body, at, frozen=Frozen(at, frozen=True))


def _unfrozen(body: InstancesOperated, at: datetime) -> Facts:
    """The instances are no longer frozen; a change of them."""
    return _operated(body, at, frozen=Frozen(at, frozen=False))


def _killed(body: InstancesOperated, at: datetime) -> Facts:
    """The failure that follows is a stop; a change of the instances."""
    return _operated(body, at, stopped_at=at)


def _set_success(body: InstancesOperated, at: datetime) -> Facts:
    """The success that follows is by hand; a change of the instances."""
    return _operated(body, at, forced_at=at)


def _operated(body: InstancesOperated, at: datetime, **known: Any) -> Facts:  # noqa: ANN401  # registers of a state
    return Facts(tuple(Mirrored(id, **known) for id in body.task_ids), changes=_changes(body, at, "operation"))


def _node(body: NodeChange, at: datetime) -> Facts:
    """The node's name, owner, cycle and priority, or that it is gone; a change of it."""
    if not body.node_id:
        return NOTHING
    task = TaskFact(
        at,
        body.node_id,
        body.node_name or body.node_id,
        body.project,
        (body.owner_id,) if body.owner_id else (),
        body.program_type,
        "manual" if body.scheduler_type == SchedulerType.MANUAL else cycle(body.cron_express),
        body.priority or 0,
        FLAGS.get(body.scheduler_type, Flags()),
        isinstance(body, NodeDeleted),
    )
    return Facts(tasks=(task,), changes=(_change(body, at, "task", ("node", body.node_id)),))


def _checked(body: CheckFinished, at: datetime) -> Facts:
    """The table's newest result by this rule, and which node writes the table; a failed check is a change of it."""
    if not body.table_name:
        return NOTHING
    result = body.check_result
    word = result.name.lower() if isinstance(result, CheckResult) else result
    what = f"{body.rule_name or body.rule_id}: {word}"
    found = QualityFact(body.end_time or at, body.table_name, body.rule_id, what, result == CheckResult.PASSED)
    by_node = body.external_id.isdecimal()
    flows = (FlowFact(body.external_id, body.table_name, "out"),) if by_node else ()
    return Facts(flows=flows, quality=(found,))


def _nodes_changed(body: NodesOperation, at: datetime) -> Facts:
    """A change of the nodes."""
    return Facts(changes=_changes(body, at, "task"))


def _file_changed(body: FileOperation, at: datetime) -> Facts:
    """A change of its node, or else of the node that bears its name."""
    ref = ("node", body.node_id) if body.node_id else ("file", body.file_name)
    return Facts(changes=(_change(body, at, "task", ref),))


def _table_changed(body: DataWorksEvent, at: datetime) -> Facts:
    """A change of the table."""
    return Facts(changes=_changes(body, at, "table"))


def _checking_changed(body: DataWorksEvent, at: datetime) -> Facts:
    """A change of how the table is checked."""
    return Facts(changes=_changes(body, at, "table"))


def _done(body: DataWorksEvent, at: datetime) -> Facts:
    """A change of what it is about: instances, nodes, or the tables that are written."""
    return Facts(changes=_changes(body, at, "operation"))


READERS: Final[tuple[tuple[tuple[type[DataWorksEvent], ...], Reader], ...]] = (
    ((InstanceStatusChanged,), _status),
    ((InstancesFrozen,), _frozen),
    ((InstancesUnfrozen,), _unfrozen),
    ((InstancesKilled,), _killed),
    ((InstancesSetSuccess,), _set_success),
    ((NodeChange,), _node),
    ((CheckFinished,), _checked),
    ((NodesOperation,), _nodes_changed),
    ((CommitFile, DeployFile, DeleteFile), _file_changed),
    ((TableOperation, Upload), _table_changed),
    ((UpdateRule, RulesOperation, DeleteRules, MonitorOperation, CloneMonitor, CheckFeedback), _checking_changed),
    ((InstancesRerun, InstanceDependenciesDeleted, ExpiredInstancesDeleted, Backfill, SyncStart), _done),
)
"""Who reads what. A rerun shows in the statuses that follow it."""


def _changes(body: DataWorksEvent, at: datetime, kind: ChangeKind) -> tuple[ChangeFact, ...]:
    return tuple(_change(body, at, kind, ref) for ref in body.subjects if ref[0] in CHANGED)


def _change(body: DataWorksEvent, at: datetime, kind: ChangeKind, ref: tuple[str, str]) -> ChangeFact:
    who = body.create_user if isinstance(body, CheckFeedback) else body.operator
    return ChangeFact(at, kind, " ".join((body.code, *_names(body))), who, ref)


def _names(body: Any) -> list[str]:  # noqa: ANN401  # any of the models
    if isinstance(body, FileOperation):
        return [body.file_name, f"v{body.file_version}"] if body.file_version else [body.file_name]
    named = ("node_name", "name", "extension_biz_name", "feedback_content")
    return [found for name in named if (found := getattr(body, name, ""))][:1]
