"""What the mirror knows of an instance, and how two pieces of knowledge become one.

A state is a handful of registers, each kept with the time at which the platform set it. `join` takes the newer of each, so it
does not matter in which order, how often or how late events come: joined in any order they make the same state. What a
person sees (`Mirrored.status`, `due_at`, `run_number`) is computed from the registers, never stored beside them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final, TypeVar

from pydantic import TypeAdapter

from core.schedulers.base import Flags, Instance, RunType, Status, Task

EVENING: Final = timedelta(hours=2)
"""DataWorks makes the instances of a day in the last two hours of the day before."""

RANKS: Final = {
    status: rank
    for rank, status in enumerate(
        (
            Status.UNKNOWN,
            Status.NOT_RUN,
            Status.WAIT_UPSTREAM,
            Status.WAIT_TIME,
            Status.WAIT_RESOURCE,
            Status.WAIT_TRIGGER,
            Status.WAIT_HUMAN,
            Status.RUNNING,
            Status.CHECKING,
            Status.SKIPPED,
            Status.UPSTREAM_FAILED,
            Status.KILLED,
            Status.FAILED,
            Status.FORCED_SUCCESS,
            Status.SUCCESS,
        )
    )
}
"""Of two statuses told with the same time the later stage of a run wins."""

T = TypeVar("T", datetime, date)


@dataclass(frozen=True, slots=True)
class Said:
    """A status as it was told.

    Attributes:
        at: when the platform set it.
        flags: how the task was scheduled when the instance was made.
    """

    at: datetime
    status: Status
    raw: str = ""
    flags: Flags = Flags()
    waiting_since: datetime | None = None
    note: str = ""

    @property
    def order(self) -> tuple[datetime, int, str, str, bool, bool]:
        """What decides between two of them."""
        return (self.at, RANKS[self.status], self.raw, self.note, self.flags.frozen, self.waiting_since is not None)


@dataclass(frozen=True, slots=True)
class Run:
    """One run of an instance. `at` is when it was last told of, `number` the platform's own count where it tells it."""

    at: datetime
    status: Status
    started_at: datetime | None = None
    finished_at: datetime | None = None
    number: int = 0


@dataclass(frozen=True, slots=True)
class Written:
    """What a run wrote into a table."""

    at: datetime
    rows: int | None = None
    bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Frozen:
    """That a person froze or unfroze it."""

    at: datetime
    frozen: bool


@dataclass(frozen=True, slots=True)
class Mirrored:
    """Everything told of one instance. What was not told is empty.

    Attributes:
        project: id of the project, as events name it.
        workspace: name of the project, as an API names it.
        told_due_at: when it is due, where somebody says so.
        began_at: the earliest time at which it is known to have run or to have queued for resources.
        made_at: when the platform made it.
        said: the newest status.
        frozen: the newest freezing or unfreezing by a person.
        forced_at: when a person last set it successful.
        stopped_at: when a person last stopped it.
        concluded: what the end of the run it belongs to said of it; by itself this makes no instance.
        runs: its runs, by what names a run: when it began, or an id.
        written: what it wrote, by table.
    """

    id: str
    task: str = ""
    project: str = ""
    workspace: str = ""
    run_type: RunType = RunType.NORMAL
    business_date: date | None = None
    told_due_at: datetime | None = None
    began_at: datetime | None = None
    made_at: datetime | None = None
    said: Said | None = None
    frozen: Frozen | None = None
    forced_at: datetime | None = None
    stopped_at: datetime | None = None
    concluded: Said | None = None
    runs: Mapping[str, Run] = field(default_factory=dict[str, Run])
    written: Mapping[str, Written] = field(default_factory=dict[str, Written])

    @property
    def due_at(self) -> datetime:
        """When it is due, or the best that is known of it."""
        if found := self.told_due_at or self.began_at:
            return found
        if self.made_at:
            return self.made_at + EVENING
        told = (*(one.at for one in (self.said, self.concluded, self.frozen) if one), self.forced_at, self.stopped_at)
        return min(at for at in told if at)

    @property
    def run(self) -> Run | None:
        """The newest run."""
        return max(self.runs.values(), key=lambda run: (run.started_at or run.at, run.at), default=None)

    @property
    def run_number(self) -> int:
        """How often it ran: the platform's count, or ours where that is higher."""
        counted = sum(1 for run in self.runs.values() if not run.number)
        return max(counted, *(run.number for run in self.runs.values()), 0)

    @property
    def status(self) -> Status:
        """The newest status. A failure after a person stopped this run is a stop, a success after one forced it is forced."""
        if self.said is None:
            return Status.UNKNOWN
        if self.concluded and self.concluded.at >= self.said.at:
            return self.concluded.status
        began = self.run.started_at if self.run else None
        if self.said.status is Status.FAILED and _since(self.stopped_at, began):
            return Status.KILLED
        if self.said.status is Status.SUCCESS and _since(self.forced_at, began):
            return Status.FORCED_SUCCESS
        return self.said.status

    @property
    def flags(self) -> Flags:
        """The flags told with the status, and what a person did since."""
        told = self.said.flags if self.said else Flags()
        by_hand = self.frozen and (self.said is None or self.frozen.at >= self.said.at)
        frozen = self.frozen.frozen if self.frozen and by_hand else told.frozen
        return Flags(frozen, told.dry_run, self.status is Status.FORCED_SUCCESS, told.off_cycle)


def instance(state: Mirrored, task: Task) -> Instance:
    """A state in the words of the seam.

    A rerun that waits has the times of no run: nothing runs.

    Args:
        state: what is known.
        task: its definition.
    """
    status, run = state.status, state.run
    waits = not status.finished and status not in {Status.RUNNING, Status.CHECKING}
    return Instance(
        id=state.id,
        task=task,
        status=status,
        raw_status=state.said.raw if state.said else "",
        flags=state.flags,
        run_type=state.run_type,
        run_number=state.run_number,
        business_date=state.business_date,
        scheduled_at=state.due_at,
        started_at=run.started_at if run and not waits else None,
        finished_at=run.finished_at if run and status.finished else None,
        waiting_since=state.said.waiting_since if state.said and waits else None,
        note=state.said.note if state.said else "",
    )


def join(one: Mirrored, other: Mirrored) -> Mirrored:
    """The two pieces of knowledge about one instance as one."""
    return Mirrored(
        id=one.id,
        task=max(one.task, other.task),
        project=max(one.project, other.project),
        workspace=max(one.workspace, other.workspace),
        run_type=max(one.run_type, other.run_type, key=lambda kind: (kind is not RunType.NORMAL, kind)),
        business_date=_latest(one.business_date, other.business_date),
        told_due_at=_latest(one.told_due_at, other.told_due_at),
        began_at=_earliest(one.began_at, other.began_at),
        made_at=_earliest(one.made_at, other.made_at),
        said=_newest(one.said, other.said),
        frozen=max(_both(one.frozen, other.frozen), key=lambda frozen: (frozen.at, frozen.frozen), default=None),
        forced_at=_latest(one.forced_at, other.forced_at),
        stopped_at=_latest(one.stopped_at, other.stopped_at),
        concluded=_newest(one.concluded, other.concluded),
        runs=_runs(one.runs, other.runs),
        written=_written(one.written, other.written),
    )


def joined(states: Iterable[Mirrored]) -> dict[str, Mirrored]:
    """Any number of states as one for each instance."""
    found: dict[str, Mirrored] = {}
    for state in states:
        known = found.get(state.id)
        found[state.id] = join(known, state) if known else state
    return found


def dump(state: Mirrored) -> str:
    """A state as it is stored."""
    return _STATE.dump_json(state, exclude_defaults=True).decode()


def load(text: str) -> Mirrored:
    """A state as it was stored."""
    return _STATE.validate_json(text)


_STATE: TypeAdapter[Mirrored] = TypeAdapter(Mirrored)
V = TypeVar("V")


def _both(one: V | None, other: V | None) -> list[V]:
    return [value for value in (one, other) if value is not None]


def _newest(one: Said | None, other: Said | None) -> Said | None:
    return max(_both(one, other), key=lambda said: said.order, default=None)


def _latest(one: T | None, other: T | None) -> T | None:
    return max(_both(one, other), default=None)


def _earliest(one: T | None, other: T | None) -> T | None:
    return min(_both(one, other), default=None)


def _since(at: datetime | None, began: datetime | None) -> bool:
    return at is not None and (began is None or at >= began)


def _runs(one: Mapping[str, Run], other: Mapping[str, Run]) -> dict[str, Run]:
    """By name; the newer status, the earliest beginning, the latest end."""
    found = {**one, **other}
    for name in one.keys() & other.keys():
        newer = max(one[name], other[name], key=lambda run: (run.at, RANKS[run.status]))
        found[name] = Run(
            newer.at,
            newer.status,
            _earliest(one[name].started_at, other[name].started_at),
            _latest(one[name].finished_at, other[name].finished_at),
            max(one[name].number, other[name].number),
        )
    return found


def _written(one: Mapping[str, Written], other: Mapping[str, Written]) -> dict[str, Written]:
    """By table; the newest figures, but never none instead of some."""
    found = {**one, **other}
    for name in one.keys() & other.keys():
        found[name] = max(
            one[name], other[name], key=lambda it: (it.rows is not None, it.at, it.rows or 0, it.bytes or 0)
        )
    return found
