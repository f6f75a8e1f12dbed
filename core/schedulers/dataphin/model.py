"""Dataphin's words in ours: statuses, cycles, priorities, ids."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Final

from core.errors import NotFound
from core.schedulers.base import Flags, Instance, RunType, Status, Task
from core.schedulers.dataphin.wire import Node, NodeInstance, TaskRun

NODE_ID: Final = re.compile(r"n_\d{1,30}")
INSTANCE_ID: Final = re.compile(r"t_(\d{1,30})_(\d{8,14})_\d{1,30}")
"""`t_<number of the node>_<business date>_<number>`."""

STATUSES: Final[Mapping[str, Status]] = {
    "FAILED": Status.FAILED,
    "KILLED": Status.KILLED,
    "RUNNING": Status.RUNNING,
    "DISPATCH_BLOCKED": Status.WAIT_RESOURCE,
    "WAIT_RESOURCE": Status.WAIT_RESOURCE,
    "WAITING": Status.WAIT_UPSTREAM,
    "WATING": Status.WAIT_UPSTREAM,
    "WAIT_SCHEDULE": Status.WAIT_TIME,
    "WAIT_SUBMISSION": Status.NOT_RUN,
    "PAUSED": Status.NOT_RUN,
    "INIT": Status.NOT_RUN,
    "SUCCESS": Status.SUCCESS,
}
"""In the order in which one of many (a logical table has a status for each field) is the status of the whole. `WATING` is how
Dataphin's own reference spells it."""

FILTERS: Final[Mapping[str, Status]] = {
    word: STATUSES[word]
    for word in (
        "INIT",
        "WAIT_SUBMISSION",
        "WAIT_SCHEDULE",
        "DISPATCH_BLOCKED",
        "WAIT_RESOURCE",
        "RUNNING",
        "SUCCESS",
        "FAILED",
    )
}
"""Words by which `ListInstances` can select."""
UNSELECTABLE: Final = frozenset({Status.WAIT_UPSTREAM, Status.UNKNOWN})
"""Statuses that exist, and by which it cannot. `KILLED` is no status of an instance in a list, so nothing is missed there."""

RUN_TYPES: Final[Mapping[str, RunType]] = {
    "NORMAL": RunType.NORMAL,
    "SUPPLEMENT": RunType.BACKFILL,
    "MANUAL": RunType.MANUAL,
}
CYCLES: Final[Mapping[str, str]] = {
    "MINUTELY": "minute",
    "HOURLY": "hourly",
    "DAILY": "daily",
    "WEEKLY": "weekly",
    "MONTHLY": "monthly",
}
PRIORITIES: Final = ("LOWEST", "LOW", "MIDDLE", "HIGH", "HIGHEST")
RUNNING: Final = "RUNNING"


def status(words: Iterable[str]) -> Status:
    """What the words for a status mean together; `UNKNOWN` when one of them is one we never heard of, or there is none."""
    said = {word.upper() for word in words}
    if said - STATUSES.keys():
        return Status.UNKNOWN
    return next((meaning for word, meaning in STATUSES.items() if word in said), Status.UNKNOWN)


def run_type(word: str) -> RunType:
    """Why an instance exists. An unknown kind is manual, so that it disturbs no overview."""
    return RUN_TYPES.get(word.upper(), RunType.MANUAL)


def node_of(instance_id: str) -> str:
    """Id of the node that an instance is of.

    Raises:
        NotFound: it can be no instance's id.
    """
    parts = INSTANCE_ID.fullmatch(instance_id)
    if parts is None:
        raise NotFound(f"{instance_id[:80]!r} is no id", kind="instance", name=instance_id[:80])
    return f"n_{parts[1]}"


def cycle_of(instance_id: str) -> str:
    """The business date in an instance's id; empty when there is none."""
    parts = INSTANCE_ID.fullmatch(instance_id)
    return parts[2] if parts else ""


def business_day(day: date) -> date:
    """Business date of the instances that are due on a day: the day before."""
    return day - timedelta(days=1)


def span(first: date, last: date) -> dict[str, str]:
    """Business dates from and to, both included, as lists take them."""
    return {"MinBizDate": f"{first:%Y%m%d}", "MaxBizDate": f"{last:%Y%m%d}"}


def task(system: str, node: Node, project: str) -> Task:
    """A node's definition, as far as a list or an instance tells."""
    priority = next((word for word in node.priority_list if word in PRIORITIES), "")
    return Task(
        system,
        node.id,
        node.name,
        project,
        owners=tuple(one.name or one.id for one in node.owner_list),
        kind=node.kind,
        cycle=next((CYCLES[word] for word in node.schedule_period_list if word in CYCLES), ""),
        priority=PRIORITIES.index(priority) + 1 if priority else 0,
        flags=Flags(frozen=node.schedule_paused, dry_run=node.dry_run),
    )


def instance(raw: NodeInstance, of: Task) -> Instance:
    """What Dataphin answered about an instance, in our model.

    It does not say how often an instance ran; see `with_runs`.

    Args:
        raw: as answered.
        of: the task.
    """
    now = status(raw.status_list)
    waits = not now.finished and now is not Status.RUNNING
    paused = raw.node.schedule_paused or "PAUSED" in raw.status_list
    return Instance(
        id=raw.id,
        task=of,
        status=now,
        raw_status=",".join(raw.status_list),
        flags=Flags(frozen=paused, dry_run=raw.node.dry_run),
        run_type=run_type(raw.run_type),
        run_number=1 if raw.started else 0,
        counted=raw.started is None,
        business_date=raw.biz_date,
        scheduled_at=raw.due,
        started_at=None if waits else raw.started,
        finished_at=raw.finished if now.finished else None,
        note=raw.wait_reason or raw.block_type,
    )


def with_runs(one: Instance, runs: tuple[TaskRun, ...]) -> Instance:
    """An instance that we know the runs of.

    A rerun together with others shows in the runs alone: until they end, the instance itself still says how it ended before.
    """
    again = bool(runs) and runs[-1].status.upper() == RUNNING and one.status.finished
    known = replace(one, run_number=len(runs), counted=True) if runs else one
    return replace(known, status=Status.RUNNING, started_at=None, finished_at=None) if again else known
