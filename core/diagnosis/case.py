"""One instance under diagnosis: the evidence, what follows from it, and a ledger of the proofs that were cited."""

from dataclasses import dataclass
from functools import cached_property
from itertools import count

from core.diagnosis.log import read_log
from core.diagnosis.model import Before, Cause, Confidence, Evidence, LogFinding, Place, Proof, RerunHelps
from core.diagnosis.rulebook import Rules
from core.schedulers.base import Change, Constraints, Instance, LogPage, Related, RunType, Status

CHANGES = 5
"""Most changes that are shown."""
SHORTEST = 4
"""A name shorter than this stands in too many sentences to link anything."""
STARTED = frozenset(
    {
        Status.RUNNING,
        Status.CHECKING,
        Status.SUCCESS,
        Status.FORCED_SUCCESS,
        Status.FAILED,
        Status.KILLED,
        Status.SKIPPED,
    }
)
"""What has passed every check but the last."""
_STUCK = {
    Status.FAILED: 0,
    Status.KILLED: 0,
    Status.WAIT_HUMAN: 1,
    Status.WAIT_TRIGGER: 1,
    Status.RUNNING: 2,
    Status.CHECKING: 2,
    Status.WAIT_RESOURCE: 3,
    Status.WAIT_TIME: 4,
    Status.NOT_RUN: 4,
    Status.UNKNOWN: 4,
    Status.WAIT_UPSTREAM: 5,
    Status.UPSTREAM_FAILED: 5,
}
"""How surely an unfinished ancestor is the one to deal with: what needs a person, before what moves, before what waits."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What it comes to; `advice`, `rule` and `place` as in `Diagnosis`."""

    cause: Cause
    confidence: Confidence
    rerun_helps: RerunHelps
    advice: tuple[str, ...] = ()
    object: str = ""
    rule: str = ""
    place: Place | None = None


class Case:
    """The evidence and what follows from it.

    Args:
        evidence: what was looked up.
        rules: what is known about logs.
    """

    def __init__(self, evidence: Evidence, rules: Rules) -> None:
        self.evidence = evidence
        self._rules = rules
        self.instance = evidence.instance
        self.proofs: list[Proof] = []
        self._numbers = count(1)

    def cite(self, source: str, text: str) -> str:
        """Add a fact to the ledger, once; returns the id by which a statement cites it."""
        for known in self.proofs:
            if (known.source, known.text) == (source, text):
                return known.id
        proof = Proof(f"{source[0].upper()}{next(self._numbers)}", source, text)
        self.proofs.append(proof)
        return proof.id

    def quote(self, finding: LogFinding) -> tuple[str, ...]:
        """Add the lines of a finding to the ledger; returns their ids."""
        self.proofs += [proof for proof in finding.proofs if proof not in self.proofs]
        return tuple(proof.id for proof in finding.proofs)

    @cached_property
    def log(self) -> LogFinding:
        """What the log of the latest run says."""
        return self._read(self.evidence.log or LogPage(0, ()), succeeded=self.instance.status.succeeded)

    @cached_property
    def note(self) -> LogFinding:
        """What the platform's one line about the run says, read like a log of one line."""
        return self._read(LogPage(0, (self.instance.note,)))

    def _read(self, page: LogPage, *, succeeded: bool = False) -> LogFinding:
        return read_log(page, succeeded=succeeded, kind=self.instance.task.kind, rules=self._rules)

    @cached_property
    def constraints(self) -> Constraints:
        """What besides upstream holds it back; nothing, where the scheduler cannot tell."""
        return self.evidence.constraints or Constraints()

    @property
    def status(self) -> str:
        """The platform's word about it, as a fact to cite."""
        instance = self.instance
        return " ".join(
            filter(None, (f"{instance.task.name}: {instance.raw_status or instance.status}", instance.note))
        )

    @cached_property
    def blocker(self) -> Instance | None:
        """The unfinished ancestor to deal with: of those that need a person first, the top-most."""
        unfinished = [related for related in self.evidence.upstream if not related.instance.status.succeeded]
        return min(unfinished, key=_urgency).instance if unfinished else None

    @cached_property
    def frozen(self) -> bool:
        """Whether a person suspended it. A task paused after a run began or ended says nothing about that run."""
        return self.instance.flags.frozen or (self.constraints.paused and self.instance.status not in STARTED)

    @property
    def downstream(self) -> int:
        """How many instances still wait for it."""
        return len({one.instance.ref for one in self.evidence.downstream if not one.instance.status.succeeded})

    def happened(self, thing: str) -> tuple[Before, ...]:
        """What happened in the days before it ended, newest first; `linked` where it names what the fault is about."""
        ended = self.instance.finished_at or self.evidence.now
        earlier = [change for change in self.evidence.changes if change.at <= ended]
        return tuple(Before(change, _speaks_of(change, thing)) for change in earlier[:CHANGES])

    @cached_property
    def before(self) -> tuple[Instance, ...]:
        """Its task's instances of the day before, or of the last day before on which it was due; empty when unknown."""
        mine = _day(self.instance)
        earlier = [
            one
            for one in self.evidence.history
            if one.run_type is RunType.NORMAL and len(_day(one)) > 0 and _day(one) < mine
        ]
        latest = max(map(_day, earlier), default="")
        return tuple(one for one in earlier if _day(one) == latest)

    @property
    def also_failed(self) -> bool | None:
        """Whether the previous cycle failed too: one failed instance is enough, frozen ones do not count."""
        finished = [one for one in self.before if one.status.finished]
        return any(one.status.failed and not one.flags.frozen for one in finished) if finished else None


def _speaks_of(change: Change, thing: str) -> bool:
    """Whether a change is about what a fault is about: it names it, or the last part of its name."""
    name = thing.rpartition(".")[2].strip("`\"'").casefold()
    return len(name) >= SHORTEST and name in f"{change.what} {change.ref}".casefold()


def _urgency(related: Related) -> tuple[int, int]:
    instance = related.instance
    return 0 if instance.flags.frozen else _STUCK.get(instance.status, 4), -related.distance


def _day(instance: Instance) -> str:
    """The calendar day it was due, in its own zone; sortable, empty when unknown."""
    return f"{instance.scheduled_at:%Y-%m-%d}" if instance.scheduled_at else ""
