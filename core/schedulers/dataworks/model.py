"""DataWorks' words in ours: statuses, kinds of run, days.

The two generations of the API spell the same words differently (`WaitTime`, `WAIT_TIME`, `WAIT_TIME(2)`), so words are
compared by their letters alone.
"""

import re
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from core.errors import NotFound
from core.schedulers.base import Flags, Instance, RunType, Status, Task
from core.schedulers.dataworks.wire import TaskInstance

LONGEST_ID: Final = 19
"""Digits of a 64-bit number."""

STATUSES: Final[Mapping[str, Status]] = {
    "NotRun": Status.NOT_RUN,
    "WaitTime": Status.WAIT_TIME,
    "WaitResource": Status.WAIT_RESOURCE,
    "WaitTrigger": Status.WAIT_TRIGGER,
    "Running": Status.RUNNING,
    "Checking": Status.CHECKING,
    "CheckingCondition": Status.CHECKING,
    "Success": Status.SUCCESS,
    "Failure": Status.FAILED,
}
"""`NotRun` covers waiting for upstream as well; a stopped instance is `Failure`."""

UNSELECTABLE: Final = frozenset({Status.CHECKING, Status.WAIT_TRIGGER, Status.UNKNOWN})
"""Statuses that exist, and by which neither lists select nor statistics count."""
FILTERS: Final[Mapping[Status, str]] = {status: word for word, status in STATUSES.items() if status not in UNSELECTABLE}
"""Statuses by which `ListTaskInstances` can select."""

RUN_TYPES: Final[Mapping[str, RunType]] = {
    "Normal": RunType.NORMAL,
    "Daily": RunType.NORMAL,
    "SupplementData": RunType.BACKFILL,
    "SupplyData": RunType.BACKFILL,
    "SmokeTest": RunType.TEST,
    "Manual": RunType.MANUAL,
    "ManualWorkflow": RunType.MANUAL,
    "ManualFlow": RunType.MANUAL,
    "BusinessProcessDag": RunType.MANUAL,
    "TriggerWorkflow": RunType.MANUAL,
}
"""`Normal` is 2024-05-18's word, `DAILY` that of 2020-05-18, and so on."""

RUN_FILTERS: Final[Mapping[str, RunType]] = {
    word: RUN_TYPES[word]
    for word in ("Normal", "SupplementData", "SmokeTest", "Manual", "ManualWorkflow", "TriggerWorkflow")
}
"""Kinds of run by which `ListTaskInstances` can select."""

RECURRENCES: Final[Mapping[str, Flags]] = {
    "Pause": Flags(frozen=True),
    "PauseCalendar": Flags(frozen=True),
    "Skip": Flags(dry_run=True),
    "SkipCalendar": Flags(dry_run=True),
    "SkipUnchoose": Flags(dry_run=True),
    "ConditionUnchoose": Flags(dry_run=True),
    "RealtimeDeprecated": Flags(dry_run=True),
    "SkipCycle": Flags(off_cycle=True),
}
"""What happens when an instance is triggered. Paused ones fail at once, skipped ones succeed at once."""


def letters(word: str) -> str:
    """A word as either generation spells it, so that both compare equal."""
    return re.sub(r"\(.*|[^a-z]", "", word.casefold())


_STATUSES = {letters(word): status for word, status in STATUSES.items()}
_RUN_TYPES = {letters(word): run_type for word, run_type in RUN_TYPES.items()}
_RECURRENCES = {letters(word): flags for word, flags in RECURRENCES.items()}
_FORCED = letters("SetSuccess")


def status(word: str) -> Status:
    """What a word for a status means; `UNKNOWN` for one we never heard of."""
    return _STATUSES.get(letters(word), Status.UNKNOWN)


def run_type(word: str) -> RunType:
    """Why an instance exists. An unknown kind is manual, so that it disturbs no overview."""
    return _RUN_TYPES.get(letters(word), RunType.MANUAL)


def recurrence(word: str) -> Flags:
    """The flags of how something is triggered."""
    return _RECURRENCES.get(letters(word), Flags())


def is_number(identity: str) -> bool:
    """Whether this can be an id of DataWorks."""
    return identity.isascii() and identity.isdecimal() and len(identity) <= LONGEST_ID


def number(identity: str, kind: str) -> int:
    """One of our ids as DataWorks takes it.

    Raises:
        NotFound: it can be nobody's.
    """
    if not is_number(identity):
        raise NotFound(f"{identity[:80]!r} is no id", kind=kind, name=identity[:80])
    return int(identity)


def business_day(day: date) -> date:
    """Bizdate of the instances that are due on a day: the day before."""
    return day - timedelta(days=1)


def milliseconds(day: date, zone: ZoneInfo) -> int:
    """A day as `Bizdate` takes it: when it begins, in milliseconds since 1970."""
    return int(datetime.combine(day, time.min, zone).timestamp()) * 1000


def instance(raw: TaskInstance, task: Task, zone: ZoneInfo) -> Instance:
    """What DataWorks answered about an instance, in our model.

    A rerun keeps the times of the run before until the next one begins; they are left out, since nothing runs.

    Args:
        raw: as answered.
        task: its definition.
        zone: in which its business date is meant.
    """
    now = status(raw.status)
    waits = not now.finished and now not in {Status.RUNNING, Status.CHECKING}
    flags = recurrence(raw.recurrence)
    forced = now is Status.SUCCESS and _FORCED in letters(raw.operation)
    return Instance(
        id=raw.id,
        task=task,
        status=now,
        raw_status=raw.status,
        flags=Flags(flags.frozen, flags.dry_run, forced, flags.off_cycle),
        run_type=run_type(raw.run_type),
        run_number=raw.run_number if raw.started or raw.run_number > 1 else 0,
        business_date=raw.bizdate.astimezone(zone).date() if raw.bizdate else None,
        scheduled_at=raw.due,
        started_at=None if waits else raw.started,
        finished_at=raw.finished if now.finished else None,
        waiting_since=_waiting_since(raw, now),
    )


def _waiting_since(raw: TaskInstance, now: Status) -> datetime | None:
    match now:
        case Status.WAIT_TIME:
            return raw.waiting_due
        case Status.WAIT_RESOURCE:
            return raw.waiting_resource
        case _:
            return None
