"""How a day plays out: from what was planned, what goes wrong and what people ordered, to what each instance is at any moment.

Nothing ticks. An instance is a row of phases ("from then on, it was this"), worked out once, upstream first, also for the
hours to come; to look at it is to find the phase of the moment. An order cuts the row at its moment and continues it
differently, and what waits downstream continues differently with it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import NamedTuple

from core.schedulers.base import Flags, Instance, Operation, RunType, Status, Task
from core.schedulers.simulated.catalogue import Definition
from core.schedulers.simulated.clock import later, midnight
from core.schedulers.simulated.plan import Plan, Slot
from core.schedulers.simulated.troubles import HANG, KILLED, Fault, Queue

RETRY_AFTER = timedelta(minutes=20)
"""After a slip of an earlier night, this long until the platform's own retry."""
RAW = {
    Status.NOT_RUN: "NotRun",
    Status.WAIT_UPSTREAM: "NotRun",
    Status.WAIT_TIME: "WaitTime",
    Status.WAIT_RESOURCE: "WaitResource",
    Status.RUNNING: "Running",
    Status.SUCCESS: "Success",
    Status.FORCED_SUCCESS: "Success",
    Status.FAILED: "Failure",
    Status.KILLED: "Failure",
}
"""The platform's own words, as poor as DataWorks': a killed instance has failed, a forced one succeeded."""


@dataclass(frozen=True, slots=True)
class Act:
    """An order, as it bears on one instance."""

    at: datetime
    operation: Operation


class Phase(NamedTuple):
    """What an instance is from a moment on.

    Attributes:
        run: number of the run; while it waits for a rerun, already the coming one.
        fault: what the run suffers or suffered from.
        ordered: whether it came of an order, so that things go at the demonstration's speed.
        queue: what holds it back.
        until: of a running phase, when the run would be through if nobody stopped it.
    """

    at: datetime
    status: Status
    run: int = 0
    flags: Flags = Flags()
    note: str = ""
    fault: Fault | None = None
    ordered: bool = False
    queue: Queue | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """One try: the phase in which it ran, and the one that ended it, None while it lasts."""

    begun: Phase
    ended: Phase | None

    @property
    def number(self) -> int:
        """Which try, from 1."""
        return self.begun.run


@dataclass(slots=True)
class Track:
    """An instance and its phases, oldest first."""

    slot: Slot
    phases: list[Phase]
    _shown: tuple[Phase, Instance] | None = field(default=None, repr=False)

    def at(self, moment: datetime) -> Phase:
        """The phase at a moment."""
        for phase in reversed(self.phases):
            if phase.at <= moment:
                return phase
        return self.phases[0]

    def runs(self, moment: datetime) -> list[Run]:
        """All tries up to a moment, oldest first. One that never started but ended (frozen) counts as a try."""
        seen = [phase for phase in self.phases if phase.at <= moment]
        runs: list[Run] = []
        for phase, following in zip(seen, [*seen[1:], None], strict=True):
            if phase.status is Status.RUNNING:
                runs.append(Run(phase, following))
            elif phase.flags.frozen and phase.status is Status.FAILED:
                runs.append(Run(phase, phase))
        return runs

    def instance(self, moment: datetime) -> Instance:
        """What the platform says of it at a moment."""
        phase = self.at(moment)
        if self._shown is None or self._shown[0] is not phase:
            self._shown = phase, self._show(phase)
        return self._shown[1]

    def _show(self, phase: Phase) -> Instance:
        run = next((run for run in reversed(self.runs(phase.at)) if run.number == phase.run), None)
        return Instance(
            id=self.slot.id,
            task=self.slot.definition.task,
            status=phase.status,
            raw_status=RAW[phase.status],
            flags=phase.flags,
            run_type=self.slot.run_type,
            run_number=phase.run,
            business_date=self.slot.business_date,
            scheduled_at=self.slot.due,
            started_at=run and run.begun.at,
            finished_at=run and run.ended and run.ended.at,
            waiting_since=phase.at if phase.status.startswith("wait_") else None,
            note=phase.note,
        )


class Night:
    """All instances of one calendar day, each worked out when it is first looked at.

    Args:
        plan: of all days.
        day: which one.
        ago: how many nights ago that is.
        extra: slots that were ordered on this day besides the plan (backfills), by id.
        acts: what was ordered, by instance, oldest first.
        speed: how many times faster than usual things go after an order.
    """

    def __init__(
        self,
        plan: Plan,
        day: date,
        ago: int,
        extra: Mapping[str, Slot],
        acts: Mapping[str, Sequence[Act]],
        speed: float,
    ) -> None:
        self._plan = plan
        self._day = day
        self._ago = ago
        self._extra = extra
        self._acts = acts
        self._speed = speed
        self._slots: dict[str, dict[str, Slot]] = {}
        self._tracks: dict[str, Track] = {}

    def track(self, id_: str) -> Track:
        """One instance.

        Raises:
            KeyError: this day has no such instance.
        """
        if id_ not in self._tracks:
            self._play(self._extra.get(id_) or self._of_task(self._plan.by_id[id_.partition("-")[0]])[id_])
        return self._tracks[id_]

    def of_task(self, definition: Definition) -> list[Track]:
        """The task's scheduled instances, earliest first."""
        return [self.track(id_) for id_ in self._of_task(definition)]

    def tracks(self, wanted: Callable[[Task], bool]) -> Iterator[Track]:
        """All instances of the wanted tasks, backfills too."""
        for definition in self._plan.named.values():
            if wanted(definition.task):
                yield from self.of_task(definition)
        for slot in self._extra.values():
            if wanted(slot.definition.task):
                yield self.track(slot.id)

    @cached_property
    def downstream(self) -> Mapping[str, list[str]]:
        """Ids of the instances that wait for each instance."""
        found: dict[str, list[str]] = {}
        for track in self.tracks(lambda _: True):
            for upstream in track.slot.upstream:
                found.setdefault(upstream, []).append(track.slot.id)
        return found

    def holders(self, queue: Queue, moment: datetime) -> tuple[str, ...]:
        """Ids of the instances that fill a queue at a moment."""
        running = (track for track in self._holding(queue) if track.at(moment).status is Status.RUNNING)
        return tuple(track.slot.id for track in running)

    def _of_task(self, definition: Definition) -> dict[str, Slot]:
        name = definition.task.name
        if name not in self._slots:
            self._slots[name] = {slot.id: slot for slot in self._plan.slots(definition, self._day, self._ago)}
        return self._slots[name]

    def _play(self, slot: Slot) -> None:
        track = self._tracks[slot.id] = Track(slot, [])
        backfill = slot.run_type is RunType.BACKFILL
        since = slot.due if backfill else midnight(slot.due)
        self._continue(track, Phase(since, Status.NOT_RUN, flags=slot.flags, ordered=backfill))
        failed = track.phases[-1]
        if slot.retried and failed.status.failed:
            self._continue(track, failed._replace(at=failed.at + RETRY_AFTER, run=failed.run + 1, note="", fault=None))
        for act in self._acts.get(slot.id, ()):
            self._carry_out(track, act)

    def _carry_out(self, track: Track, act: Act) -> None:
        track.phases = [phase for phase in track.phases if phase.at <= act.at]
        now = track.phases[-1]._replace(at=act.at, note="", fault=None, ordered=True)
        plain = now._replace(flags=replace(now.flags, frozen=False, forced=False))
        match act.operation:
            case Operation.KILL:
                track.phases.append(now._replace(status=KILLED.status, fault=KILLED, note=KILLED.note))
            case Operation.SET_SUCCESS:
                forced = replace(now.flags, forced=True)
                track.phases.append(now._replace(status=Status.FORCED_SUCCESS, flags=forced))
            case Operation.FREEZE:
                track.phases.append(now._replace(flags=replace(now.flags, frozen=True)))
            case _:
                again = now.status.finished
                self._continue(track, plain._replace(run=now.run + 1 if again else now.run))

    def _continue(self, track: Track, since: Phase) -> None:
        """Let it wait, run and end, from a phase on that says since when, with which flags, and for which run."""
        slot, add = track.slot, track.phases.append
        above = [self.track(one) for one in slot.upstream]
        ready = self._ready(above, since.at)
        if ready != since.at:
            if since.at < slot.due:
                add(since._replace(status=Status.NOT_RUN))
            if ready is None or slot.due < ready:
                add(since._replace(at=max(since.at, slot.due), status=Status.WAIT_UPSTREAM))
        if ready is None:
            return
        if ready < slot.due:
            add(since._replace(at=ready, status=Status.WAIT_TIME))
        go = max(ready, slot.due, since.at)
        hurried = since.ordered or any(one.at(go).ordered and one.at(go).at == go for one in above)
        self._run(track, since._replace(at=go, run=max(since.run, 1), ordered=hurried))

    def _run(self, track: Track, go: Phase) -> None:
        slot, add = track.slot, track.phases.append
        if go.flags.wrote_nothing:
            status = Status.FAILED if go.flags.frozen else Status.SUCCESS
            if not go.flags.frozen:
                add(go._replace(status=Status.RUNNING))
            add(go._replace(status=status, note="节点已冻结,未执行" if go.flags.frozen else ""))
            return
        waiting = go._replace(status=Status.WAIT_RESOURCE, run=go.run if go.run > 1 else 0)
        start = self._pass(go.at, slot.queuing, go.ordered)
        begins, ordered = self._room(slot.queue, start) if slot.queue else (start, False)
        if begins == start:
            add(waiting)
        else:
            add(waiting._replace(queue=slot.queue, note=slot.queue.note if slot.queue else ""))
        if begins is None:
            return
        hurried = go.ordered or ordered
        fault = slot.fault if go.run == 1 or (slot.fault and not slot.fault.rerun_helps) else None
        through = self._pass(begins, slot.usual, hurried)
        ends = self._pass(begins, slot.usual * fault.share, hurried) if fault else through
        until = through if fault in {KILLED, HANG} else ends
        running = go._replace(at=begins, status=Status.RUNNING, fault=fault, ordered=hurried, until=until)
        add(running)
        if fault is not HANG:
            status, note = (fault.status, fault.note) if fault else (Status.SUCCESS, "")
            add(running._replace(at=ends, status=status, note=note, until=None))

    def _pass(self, moment: datetime, span: timedelta, hurried: bool) -> datetime:
        return later(moment, span.total_seconds() / self._speed) if hurried else moment + span

    def _ready(self, above: list[Track], since: datetime) -> datetime | None:
        """The first moment, not before `since`, at which all upstream has succeeded."""
        if not above:
            return since
        opened = (phase.at for track in above for phase in track.phases if phase.status.succeeded)
        moments = [since, *(at for at in opened if at > since)]
        return _first(moments, lambda at: all(track.at(at).status.succeeded for track in above))

    def _room(self, queue: Queue, since: datetime) -> tuple[datetime | None, bool]:
        """The first moment at which a holder is not running, and whether somebody ordered what made the room."""
        holding = self._holding(queue)
        moments = [since, *(phase.at for track in holding for phase in track.phases if phase.at > since)]
        found = _first(moments, lambda at: any(track.at(at).status is not Status.RUNNING for track in holding))
        return found, found is not None and found > since and any(track.at(found).ordered for track in holding)

    def _holding(self, queue: Queue) -> list[Track]:
        return [track for name in queue.holders for track in self.of_task(self._plan.named[name])]


def _first(moments: list[datetime], holds: Callable[[datetime], bool]) -> datetime | None:
    return next((moment for moment in sorted(moments) if holds(moment)), None)
