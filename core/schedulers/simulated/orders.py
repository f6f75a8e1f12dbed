"""Which orders the platform takes, and what they bear on."""

from collections.abc import Callable, Mapping
from datetime import date, datetime

from core.errors import Refused
from core.schedulers.base import Operation, Order, Status
from core.schedulers.simulated.night import Night
from core.schedulers.simulated.track import Phase, Track

LONGEST_BACKFILL = 31
WAITING = frozenset({Status.NOT_RUN, Status.WAIT_UPSTREAM, Status.WAIT_TIME, Status.WAIT_RESOURCE})

ALLOWED: Mapping[Operation, tuple[Callable[[Phase], bool], str]] = {
    Operation.RERUN: (lambda phase: phase.status.finished and not phase.flags.frozen, "ended and not frozen"),
    Operation.RERUN_DOWNSTREAM: (
        lambda phase: phase.status.finished and not phase.flags.frozen,
        "ended and not frozen",
    ),
    Operation.SET_SUCCESS: (lambda phase: phase.status.failed and not phase.flags.frozen, "failed and not frozen"),
    Operation.KILL: (lambda phase: phase.status is Status.RUNNING, "running"),
    Operation.FREEZE: (lambda phase: phase.status in WAITING and not phase.flags.frozen, "waiting and not frozen"),
    Operation.UNFREEZE: (lambda phase: phase.flags.frozen, "frozen"),
    Operation.BACKFILL: (lambda phase: not phase.flags.frozen, "not frozen"),
}
"""What an instance must be for an order to be taken, as on DataWorks and DolphinScheduler: success is set on failures only,
what runs can be killed, and what has not started can be frozen."""

EFFECTS: Mapping[Operation, tuple[str, ...]] = {
    Operation.FREEZE: ("only_this_cycle", "frozen_counts_as_failed"),
    Operation.UNFREEZE: ("only_this_cycle",),
    Operation.BACKFILL: ("without_downstream",),
}
"""See `Scheduler.effects`."""


def check(order: Order, track: Track, now: datetime, system: str) -> None:
    """Raises `Refused` when what the instance is doing now does not allow the order."""
    phase = track.at(now)
    allowed, needed = ALLOWED[order.operation]
    if not allowed(phase):
        message = f"{order.operation} needs an instance that is {needed}; {track.slot.id} is {phase.status}"
        raise Refused(message, system=system, code="INSTANCE_STATE")
    if order.operation is Operation.BACKFILL and track.slot.definition.hourly:
        raise Refused("an hourly task cannot be backfilled", system=system, code="HOURLY")


def downstream(night: Night, track: Track, order: Order, now: datetime, system: str) -> tuple[str, ...]:
    """Ids of the chosen instances downstream that have ended and so must run again; the others follow by themselves.

    Raises:
        Refused: a chosen one is not downstream.
    """
    found: dict[str, None] = {}
    ring = [track.slot.id]
    while ring:
        ring = [below for id_ in ring for below in night.downstream.get(id_, ()) if below not in found]
        found.update(dict.fromkeys(ring))
    if strangers := [id_ for id_ in order.instances if id_ not in found]:
        raise Refused(f"{strangers[0]} is not downstream of {track.slot.id}", system=system, code="NOT_DOWNSTREAM")
    rerun, _ = ALLOWED[Operation.RERUN]
    return tuple(id_ for id_ in order.instances if rerun(night.track(id_).at(now)))


def span(order: Order, now: datetime, system: str) -> tuple[date, int]:
    """First day of a backfill and how many days it has.

    Raises:
        BadInput: no days.
        Refused: too many, or days whose data cannot be there yet.
    """
    first, last = order.days
    days = (last - first).days + 1
    if days > LONGEST_BACKFILL or last >= now.date():
        message = f"a backfill covers at most {LONGEST_BACKFILL} days, the last of which is over"
        raise Refused(message, system=system, code="DAYS")
    return first, days
