"""A scheduler's past as the DataWorks events that would have told it, and a mirror that is fed with them."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from core.events.dataworks.words import InstanceStatus, SchedulerType
from core.events.incoming import DATAWORKS, Incoming, read_event
from core.events.journal import Events
from core.schedulers.base import Instance, Scheduler, Status, Task
from core.schedulers.mirror import MirrorScheduler
from core.settings import SchedulerConnection
from core.store import Store
from tests.core.event_samples import cloud_event
from tests.fakes.wall_clock import WallClock

ZONE = ZoneInfo("Asia/Shanghai")
CODES = {
    Status.NOT_RUN: InstanceStatus.NOT_RUN,
    Status.WAIT_UPSTREAM: InstanceStatus.NOT_RUN,
    Status.WAIT_TIME: InstanceStatus.WAIT_TIME,
    Status.WAIT_RESOURCE: InstanceStatus.WAIT_RESOURCE,
    Status.RUNNING: InstanceStatus.RUNNING,
    Status.CHECKING: InstanceStatus.CHECKING_QUALITY,
    Status.SUCCESS: InstanceStatus.SUCCESS,
    Status.FORCED_SUCCESS: InstanceStatus.SUCCESS,
    Status.SKIPPED: InstanceStatus.SUCCESS,
    Status.FAILED: InstanceStatus.FAILURE,
    Status.UPSTREAM_FAILED: InstanceStatus.NOT_RUN,
    Status.KILLED: InstanceStatus.FAILURE,
}


def mirror(
    store: Store, clock: WallClock, api: Scheduler | None = None, *, name: str = "prod", **more: Any
) -> MirrorScheduler:
    """A mirror of DataWorks unless told otherwise."""
    connection = SchedulerConnection(name=name, kind="mirror", **more)
    return MirrorScheduler(connection, store, zone=ZONE, clock=clock, api=api)


def journal(store: Store, *mirrors: MirrorScheduler) -> Events:
    """A journal that feeds mirrors."""
    return Events(store, clock=lambda: datetime.now(UTC), zone=ZONE, appliers=[one.feed.apply for one in mirrors])


def event(type: str, data: dict[str, Any], at: datetime) -> Incoming:
    """An event at its time."""
    id = f"{type}/{sorted(data.items())}"
    return read_event(DATAWORKS, {**cloud_event(type, data, id), "time": at.isoformat()}, at)


def described(task: Task, at: datetime) -> Iterator[Incoming]:
    """That a task is there, and which tables it writes."""
    data = {
        "nodeId": task.id,
        "nodeName": task.name,
        "ownerId": task.owner,
        "projectId": task.project,
        "programType": task.kind,
        "modifyTime": ms(at),
    }
    yield event("dataworks:NodeChange:NodeChangeCreated", data, at)
    for table in task.outputs:
        check = {"tableName": table, "ruleId": "1", "checkResult": 0, "externalId": task.id, "endTime": ms(at)}
        yield event("dataworks:DqcCheck:DqcCheckFinishedEvent", check, at)


def lived(instance: Instance) -> Iterator[Incoming]:
    """What happened to an instance up to now: it was made, it ran, it ended."""
    due = instance.scheduled_at or instance.started_at
    assert due is not None
    yield changed(instance, Status.NOT_RUN, due, ran=False)
    if instance.started_at:
        yield changed(instance, Status.RUNNING, instance.started_at, ran=True)
    last = instance.finished_at or instance.started_at or due + timedelta(seconds=1)
    yield changed(instance, instance.status, last, ran=instance.started_at is not None)


def changed(instance: Instance, status: Status, at: datetime, *, ran: bool) -> Incoming:
    """That an instance changed its status."""
    flags = instance.flags
    kind = SchedulerType.PAUSE if flags.frozen else SchedulerType.SKIP if flags.dry_run else SchedulerType.NORMAL
    data: dict[str, Any] = {
        "taskId": instance.id,
        "nodeId": instance.task.id,
        "appId": instance.task.project,
        "status": CODES[status].value,
        "taskType": (SchedulerType.SKIP_CYCLE if flags.off_cycle else kind).value,
        "dagType": "0",
        "beginWaitResTime": ms(instance.scheduled_at) if instance.scheduled_at else 0,
        "modifyTime": ms(at),
    }
    if ran and instance.started_at:
        data["beginRunningTime"] = ms(instance.started_at)
    if status.finished:
        data["finishTime"] = ms(at)
    return event("dataworks:InstanceStatusChanges:InstanceStatusChanges", data, at)


async def night(scheduler: Scheduler, instances: Iterable[Instance]) -> list[Incoming]:
    """Everything that would have been told of these instances and their tasks."""
    found: dict[str, Task] = {}
    events: list[Incoming] = []
    for one in instances:
        found[one.task.id] = one.task
        events += lived(one)
    dawn = min(one.at for one in events)
    return [told for task in found.values() for told in described(task, dawn)] + events


def ms(at: datetime) -> int:
    """A time as DataWorks writes it."""
    return int(at.timestamp() * 1000)
