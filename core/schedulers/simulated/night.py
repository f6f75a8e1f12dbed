"""How a day plays out: from what was planned, what goes wrong and what people ordered, to what each instance is at any moment.

Nothing ticks. An instance is a row of phases (`track.py`), worked out once, upstream first, also for the hours to come; to
look at it is to find the phase of the moment. An order cuts the row at its moment and continues it differently, and what
waits downstream continues differently with it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property

from core.schedulers.base import Operation, RunType, Status, Task
from core.schedulers.simulated.catalogue import Definition
from core.schedulers.simulated.clock import later, midnight
from core.schedulers.simulated.plan import Plan, Slot
from core.schedulers.simulated.track import Phase, Track
from core.schedulers.simulated.troubles import HANG, KILLED, Queue

RETRY_AFTER = timedelta(minutes=20)
"""After a slip of an earlier night, this long until the platform's own retry."""


@dataclass(frozen=True, slots=True)
class Act:
    """An order, as it bears on one instance."""

    at: datetime
    operation: Operation


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
        if since.at < slot.due:
            known = self._first(above, since.at)
            if known != since.at:
                add(since._replace(status=Status.NOT_RUN))
            if known and known < slot.due:
                add(since._replace(at=known, status=Status.WAIT_TIME))
        due = max(since.at, slot.due)
        ready = self._first(above, due)
        if ready != due:
            add(since._replace(at=due, status=Status.WAIT_UPSTREAM))
        if ready:
            hurried = since.ordered or any(one.at(ready).ordered and one.at(ready).at == ready for one in above)
            go = since._replace(at=ready, run=max(since.run, 1), ordered=hurried)
            if go.flags.wrote_nothing:
                self._pass_by(track, go)
            else:
                self._queue(track, go, above)

    def _pass_by(self, track: Track, go: Phase) -> None:
        """A frozen instance fails without having run; a dry run, and one not due in this cycle, succeeds at once."""
        if go.flags.frozen:
            track.phases.append(go._replace(status=Status.FAILED, note="节点已冻结,未执行"))
        else:
            track.phases.append(go._replace(status=Status.RUNNING))
            track.phases.append(go._replace(status=Status.SUCCESS))

    def _queue(self, track: Track, go: Phase, above: list[Track]) -> None:
        """It waits for resources, and starts when it has them and its upstream is still in order."""
        queue = track.slot.queue
        waiting = go._replace(status=Status.WAIT_RESOURCE, run=go.run if go.run > 1 else 0)
        soonest = self._after(go.at, track.slot.queuing, go.ordered)
        holding = self._holding(queue) if queue else []
        start = self._first(above, soonest, holding)
        if queue and start != soonest:
            waiting = waiting._replace(queue=queue, note=queue.note)
        track.phases.append(waiting)
        if start:
            freed = start != soonest and any(one.at(start).ordered for one in holding)
            self._run(track, go._replace(at=start, ordered=go.ordered or freed))

    def _run(self, track: Track, start: Phase) -> None:
        slot = track.slot
        fault = slot.fault if start.run == 1 or (slot.fault and not slot.fault.rerun_helps) else None
        through = self._after(start.at, slot.usual, start.ordered)
        ends = self._after(start.at, slot.usual * fault.share, start.ordered) if fault else through
        until = through if fault in {KILLED, HANG} else ends
        running = start._replace(status=Status.RUNNING, fault=fault, until=until)
        track.phases.append(running)
        if fault is not HANG:
            status, note = (fault.status, fault.note) if fault else (Status.SUCCESS, "")
            track.phases.append(running._replace(at=ends, status=status, note=note, until=None))

    def _after(self, moment: datetime, span: timedelta, hurried: bool) -> datetime:
        return later(moment, span.total_seconds() / self._speed) if hurried else moment + span

    @staticmethod
    def _first(above: Sequence[Track], since: datetime, holding: Sequence[Track] = ()) -> datetime | None:
        """The first moment, not before `since`, at which all upstream has succeeded and not every holder is running."""
        if not above and not holding:
            return since
        done = [phase.at for track in above for phase in track.phases if phase.status.succeeded]
        moved = [phase.at for track in holding for phase in track.phases]
        for moment in sorted({since, *(at for at in (*done, *moved) if at > since)}):
            room = not holding or any(track.at(moment).status is not Status.RUNNING for track in holding)
            if room and all(track.at(moment).status.succeeded for track in above):
                return moment
        return None

    def _holding(self, queue: Queue) -> list[Track]:
        return [track for name in queue.holders for track in self.of_task(self._plan.named[name])]
