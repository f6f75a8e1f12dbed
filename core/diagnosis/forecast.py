"""When an instance will probably be done, from how its task went before."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from statistics import median

from core.schedulers.base import Instance, RunType, Status

ENOUGH = 3
"""Fewer finished runs than this foretell nothing."""
RECENT = 14
"""Older runs than this many say little about today."""


def expected_finish(history: Sequence[Instance], instance: Instance | None, now: datetime) -> datetime | None:
    """The usual moment of finishing for this cycle: its due time and the median delay after it.

    The median, since one bad night must not move every forecast. What ended without doing anything (dry runs, off
    cycle, set successful) and what was not scheduled does not count.

    Args:
        history: instances of the same task, newest first; may include the one asked about.
        instance: the one asked about; None, or one without a due time, has no forecast.
        now: runs that were due after it are not history.

    Returns:
        The moment, which may already have passed; None when too little is known.
    """
    if instance is None or instance.scheduled_at is None:
        return None
    delays = [delay for one in history if one.id != instance.id and (delay := _delay(one, now)) is not None][:RECENT]
    return instance.scheduled_at + timedelta(seconds=median(delays)) if len(delays) >= ENOUGH else None


def usual_seconds(history: Sequence[Instance], instance: Instance) -> float | None:
    """How long the task usually runs; None when too little is known."""
    taken = [one.seconds for one in history if one.id != instance.id and _worked(one) and one.seconds is not None][
        :RECENT
    ]
    return median(taken) if len(taken) >= ENOUGH else None


def _delay(one: Instance, now: datetime) -> float | None:
    if not _worked(one) or one.scheduled_at is None or one.finished_at is None or one.scheduled_at > now:
        return None
    return (one.finished_at - one.scheduled_at).total_seconds()


def _worked(one: Instance) -> bool:
    return one.status is Status.SUCCESS and one.run_type is RunType.NORMAL and not one.flags.wrote_nothing
