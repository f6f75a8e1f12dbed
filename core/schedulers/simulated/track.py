"""An instance as a row of phases: from this moment on it was this, from that moment on that."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from core.schedulers.base import Flags, Instance, Status
from core.schedulers.simulated.plan import Slot
from core.schedulers.simulated.troubles import Fault, Queue

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
