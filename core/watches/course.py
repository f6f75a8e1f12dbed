"""What becomes of a promise at a moment: pure, so that every rule is a line of a test.

Each function gives the promise as it is from now on; the same one when nothing changed.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, time, timedelta

from core.diagnosis.model import Diagnosis
from core.results import TableReport
from core.schedulers.base import Instance
from core.watches.model import Watch
from core.watches.terms import Calendar
from core.work import LATE

RERUN_WITHIN = timedelta(hours=12)
"""How long a follow outlives a failure: a rerun is followed on."""
LOOK_AGAIN = timedelta(minutes=5)
"""Between two looks at a table whose writer says nothing."""
GIVEN_UP = timedelta(hours=24)
"""After a deadline, how long anybody still waits to hear that the table came."""


def ended(watch: Watch, outcome: str, by: str = "") -> Watch:
    """It is over."""
    return replace(watch, state="ended", memory=replace(watch.memory, outcome=outcome, ended_by=by))


def followed(watch: Watch, seen: Instance | None, now: datetime) -> Watch:
    """A follow: told at each change, over when the instance succeeded, or a while after it failed.

    Args:
        watch: the follow.
        seen: the instance now; None when its scheduler did not tell.
        now: the present.
    """
    if watch.until is not None and watch.until <= now:
        return ended(watch, "time")
    if seen is None or _sign(seen) == _sign(watch.memory.instance):
        return watch
    changed = replace(watch, until=now + RERUN_WITHIN, memory=replace(watch.memory, instance=seen))
    return ended(changed, "done") if seen.status.succeeded else changed


def muted(watch: Watch, runs: Iterable[Instance], now: datetime) -> Watch:
    """A mute: over at its time, or once the object really worked again.

    Args:
        watch: the mute.
        runs: instances of the muted task, or of the one that writes the muted table.
        now: the present.
    """
    if watch.until is not None and watch.until <= now:
        return ended(watch, "time")
    well = next((run for run in runs if _worked_since(run, watch.created_at)), None)
    return ended(replace(watch, memory=replace(watch.memory, instance=well)), "recovered") if well else watch


def looks_at_table(watch: Watch, writer: Instance | None, now: datetime) -> bool:
    """Whether it is time to ask about the table itself: its writer did something, or the promise is due."""
    return watch.next_at <= now or (writer is not None and _sign(writer) != _sign(watch.memory.instance))


def awaited(watch: Watch, report: TableReport | None, now: datetime, patience: timedelta) -> Watch:
    """A table that was promised: over once it is there; late at its deadline, and then one person after the other is called.

    Args:
        watch: the promise.
        report: the table now; None when its scheduler did not tell, which makes no deadline wait.
        now: the present.
        patience: how long each one who is called has to answer.
    """
    memory, deadline = watch.memory, watch.until or now
    if report is not None:
        memory = replace(memory, instance=report.producer, verdict=report.verdict, expected_at=report.expected_at)
    if report is not None and report.verdict == "updated":
        return ended(replace(watch, memory=memory), "done")
    if deadline + GIVEN_UP <= now:
        return ended(replace(watch, memory=memory), "time")
    if now < deadline:
        return replace(watch, next_at=min(now + LOOK_AGAIN, deadline), memory=memory)
    if watch.state == "acknowledged" or (watch.state == "late" and watch.memory.called == len(watch.memory.call)):
        return replace(watch, next_at=now + LOOK_AGAIN, memory=memory)
    if watch.state == "late" and now < watch.next_at:
        return replace(watch, memory=memory)
    called = min(watch.memory.called + 1, len(memory.call))
    return replace(watch, state="late", next_at=now + patience, memory=replace(memory, called=called))


def blocked(watch: Watch, found: Diagnosis) -> Watch:
    """What a diagnosis names as the thing to deal with, for those who are called."""
    return replace(watch, memory=replace(watch.memory, blocker=found.blocker))


def acknowledged(watch: Watch, by: str) -> Watch:
    """Someone took it on: nobody else is called, or the shift is theirs."""
    return replace(watch, state="acknowledged", memory=replace(watch.memory, acknowledged_by=by))


def came_round(watch: Watch, now: datetime, calendar: Calendar) -> Watch:
    """A daily card: due at its time, skipped when that is long past, and due again at the next; nobody has taken over then."""
    if now < watch.next_at:
        return watch
    at = time.fromisoformat(watch.memory.at)
    following = calendar.following(at, now, watch.memory.days)
    slot = watch.memory.slot if now - watch.next_at > LATE else watch.next_at
    memory = replace(watch.memory, slot=slot, acknowledged_by="")
    return replace(watch, state="open", next_at=following, memory=memory)


def tells(before: Watch, after: Watch) -> bool:
    """Whether a change is one that people hear of; the others are only written down."""
    if before.kind in {"digest", "handover"}:
        return after.over or before.memory.slot != after.memory.slot
    said = (before.state, before.memory.called, before.memory.acknowledged_by)
    if (after.state, after.memory.called, after.memory.acknowledged_by) != said:
        return True
    return before.kind == "follow" and _sign(before.memory.instance) != _sign(after.memory.instance)


def _sign(instance: Instance | None) -> tuple[str, int, bool] | None:
    """What tells one state of an instance from another."""
    return instance and (instance.status.value, instance.run_number, instance.flags.frozen)


def _worked_since(run: Instance, moment: datetime) -> bool:
    really = run.status.succeeded and not run.flags.wrote_nothing and not run.flags.forced
    return really and run.finished_at is not None and run.finished_at > moment
