"""The nouns every scheduler is spoken about in: tasks, instances, their status, logs, tables.

The model keeps three things apart that platforms mix: the *status*, the *flags* beside it (a frozen DataWorks instance is
reported as failed, a dry run as successful), and the platform's *raw* word. Unknown raw words become `Status.UNKNOWN`;
they never raise. Import from `core.schedulers.base`, which adds the verbs.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Generic, Literal, TypeVar


class Status(StrEnum):
    """What an instance is doing, in every scheduler's words at once."""

    NOT_RUN = "not_run"
    WAIT_UPSTREAM = "wait_upstream"
    WAIT_TIME = "wait_time"
    WAIT_RESOURCE = "wait_resource"
    WAIT_TRIGGER = "wait_trigger"
    WAIT_HUMAN = "wait_human"
    RUNNING = "running"
    CHECKING = "checking"
    SUCCESS = "success"
    FORCED_SUCCESS = "forced_success"
    FAILED = "failed"
    UPSTREAM_FAILED = "upstream_failed"
    KILLED = "killed"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"

    @property
    def finished(self) -> bool:
        """Whether nothing more happens by itself. A rerun opens any finished instance again."""
        return self in FINISHED

    @property
    def failed(self) -> bool:
        """Whether it counts as failed in an overview: it ran and did not succeed."""
        return self in FAILED

    @property
    def succeeded(self) -> bool:
        """Whether downstream may start, for whatever reason."""
        return self in {Status.SUCCESS, Status.FORCED_SUCCESS, Status.SKIPPED}


FINISHED = frozenset(
    {Status.SUCCESS, Status.FORCED_SUCCESS, Status.FAILED, Status.UPSTREAM_FAILED, Status.KILLED, Status.SKIPPED}
)
FAILED = frozenset({Status.FAILED, Status.KILLED})


class RunType(StrEnum):
    """Why an instance exists. Test and backfill runs never count towards an overview or a table's freshness."""

    NORMAL = "normal"
    BACKFILL = "backfill"
    MANUAL = "manual"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class Flags:
    """Facts orthogonal to the status.

    Attributes:
        frozen: suspended by a person; a frozen instance that fires is reported failed by some platforms.
        dry_run: succeeds at once and writes nothing.
        forced: set successful by a person, or started past its upstream.
        off_cycle: not due in this cycle (a weekly task on another day); succeeds at once and writes nothing.
    """

    frozen: bool = False
    dry_run: bool = False
    forced: bool = False
    off_cycle: bool = False

    @property
    def wrote_nothing(self) -> bool:
        """Whether a success under these flags left no data behind."""
        return self.dry_run or self.off_cycle or self.frozen


@dataclass(frozen=True, slots=True)
class Task:
    """The definition that instances are made from (DataWorks node, Dataphin node, Airflow task, DolphinScheduler task).

    Attributes:
        scheduler: configured name of the connection.
        id: the platform's own id, as a string; unique within the scheduler.
        name: what people call it.
        project: workspace, project or DAG.
        owners: names as the platform gives them; the first is the one to call.
        kind: the platform's type word: `ODPS_SQL`, `SHELL`, `python` …
        cycle: `daily`, `hourly`, `weekly`, `monthly`, `minute`, `manual`, or empty when unknown.
        outputs: names of tables or assets it writes.
        flags: frozen and dry-run as defined on the task.
    """

    scheduler: str
    id: str
    name: str
    project: str
    owners: tuple[str, ...] = ()
    kind: str = ""
    cycle: str = ""
    priority: int = 0
    outputs: tuple[str, ...] = ()
    flags: Flags = Flags()

    @property
    def ref(self) -> str:
        """Name across schedulers: `scheduler:id`."""
        return f"{self.scheduler}:{self.id}"

    @property
    def owner(self) -> str:
        """The one to call; empty when the platform does not say."""
        return self.owners[0] if self.owners else ""


@dataclass(frozen=True, slots=True)
class Instance:
    """One run of a task for one cycle.

    Attributes:
        id: stable across reruns (Airflow: `dag/run/task[/map_index]`, since its own UUID changes on every clear).
        status: normalised.
        raw_status: the platform's own word.
        run_number: 1 for the first try; grows with every rerun. 0 when it never started.
        counted: whether the platform told that number; otherwise any instance that ran is taken to be at its first run. It says
            how the instance was asked for, and makes it no other.
        business_date: the day the data is about (DataWorks `bizdate`, Airflow's logical date in the zone), if known.
        scheduled_at: when it was due; with zone, as are all times.
        waiting_since: since when it has been in its current waiting status, if known.
        url: the platform's own page of it; built by us from ids, empty when there is none.
        note: one line the platform adds (block reason, wait reason), untrusted.
    """

    id: str
    task: Task
    status: Status
    raw_status: str = ""
    flags: Flags = Flags()
    run_type: RunType = RunType.NORMAL
    run_number: int = 0
    counted: bool = field(default=True, compare=False)
    business_date: date | None = None
    scheduled_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    waiting_since: datetime | None = None
    url: str = ""
    note: str = ""

    @property
    def ref(self) -> str:
        """Name across schedulers: `scheduler:id`. The scheduler's name holds no colon; the id may."""
        return f"{self.task.scheduler}:{self.id}"

    @property
    def seconds(self) -> float | None:
        """How long the last run took, once it has ended."""
        if self.started_at is None or self.finished_at is None:
            return None
        return (self.finished_at - self.started_at).total_seconds()


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A part of a list. `total` counts all that match; `as_of` is when the platform was asked."""

    items: tuple[T, ...]
    total: int
    as_of: datetime


@dataclass(frozen=True, slots=True)
class InstanceQuery:
    """Which instances. Empty means "any".

    Attributes:
        day: the calendar day, in the scheduler's zone, on which the instance is due to run (not the business date).
        name: part of the task's name, case-insensitive.
        task: exact task id.
        owner: exact owner name.
        run_types: which kinds of run; only scheduled ones unless said otherwise.
        limit: largest number of items to return, 1..1000.
    """

    day: date | None = None
    statuses: frozenset[Status] = frozenset()
    projects: frozenset[str] = frozenset()
    owner: str = ""
    task: str = ""
    name: str = ""
    run_types: frozenset[RunType] = frozenset({RunType.NORMAL})
    limit: int = 200
    offset: int = 0

    def fits(self, one: Instance) -> bool:
        """Whether an instance of these days and projects is one that is meant, for what a platform does not select itself."""
        return (
            (not self.statuses or one.status in self.statuses)
            and one.run_type in self.run_types
            and (not self.task or self.task == one.task.id)
            and (not self.owner or self.owner in one.task.owners)
            and self.name.casefold() in one.task.name.casefold()
        )


@dataclass(frozen=True, slots=True)
class Related:
    """An instance up- or downstream of another. `distance` counts hops, from 1; `cross_cycle` is a tie to another cycle.

    `by_itself` says that what the other writes makes the scheduler start a new one, so a rerun never names it. `cut` says of
    the last one of a walk that it ended there for want of time, and that there may be more.
    """

    instance: Instance
    distance: int
    parents: tuple[str, ...] = ()
    cross_cycle: bool = False
    by_itself: bool = False
    cut: bool = False


MOST_RELATED = 500
"""Most instances that a walk up- or downstream gives."""


def incomplete(related: Sequence[Related]) -> bool:
    """Whether there may be more than a walk gave, so that a count of them says "at least"."""
    return len(related) >= MOST_RELATED or any(one.cut for one in related)


@dataclass(frozen=True, slots=True)
class LogPage:
    """Lines of one run's log, unmasked: `core.redact` comes before anything is stored or shown.

    Attributes:
        run_number: which run.
        lines: consecutive lines.
        first: number of the first line given, from 1.
        total: lines in the whole log; equals `first - 1 + len(lines)` when the end is included.
        running: whether more may come.
    """

    run_number: int
    lines: tuple[str, ...]
    first: int = 1
    total: int = 0
    running: bool = False

    @classmethod
    def end_of(cls, text: str, run_number: int, tail: int, *, running: bool) -> "LogPage":
        """The last `tail` lines of a whole log."""
        lines = text.splitlines()
        first = max(0, len(lines) - tail)
        return cls(run_number, tuple(lines[first:]), first + 1, len(lines), running=running)


@dataclass(frozen=True, slots=True)
class Constraints:
    """What besides upstream may keep an instance from starting, in the platform's own order of checks.

    Attributes:
        due_at: it starts no earlier.
        throttled_by: rules that hold it back, as the platform words them.
        throttle_holders: references of instances that fill the quota.
        resource_group: name of the group it waits for; empty when it waits for none.
        resource_holders: references of instances that hold the group now.
        paused: whether its task or DAG is frozen.
    """

    due_at: datetime | None = None
    throttled_by: tuple[str, ...] = ()
    throttle_holders: tuple[str, ...] = ()
    resource_group: str = ""
    resource_holders: tuple[str, ...] = ()
    paused: bool = False


@dataclass(frozen=True, slots=True)
class TableUpdate:
    """One time data arrived. `instance` is the reference of the run that wrote it, if the platform knows."""

    at: datetime
    instance: str = ""
    partition: str = ""
    rows: int | None = None
    bytes: int | None = None


@dataclass(frozen=True, slots=True)
class DataTable:
    """A table or asset, and when it really changed.

    Attributes:
        producers: tasks that write it.
        updates: newest first, at most some twenty; runs that wrote nothing (dry run, off cycle) are not in it.
        unmeasured: why it could not be measured, if it was to be; see `core.schedulers.probes`. Untrusted.
    """

    scheduler: str
    name: str
    project: str = ""
    owner: str = ""
    producers: tuple[Task, ...] = ()
    updates: tuple[TableUpdate, ...] = ()
    partitioned: bool = False
    unmeasured: str = ""


ChangeKind = Literal["task", "table", "environment", "operation", "quality"]
"""A task's code or settings; a table's columns; what tasks run on and with (images, connections, rights); what a person
did to an instance or task; the result of a quality rule."""


@dataclass(frozen=True, slots=True)
class Change:
    """Something that happened to a task or to what it depends on. That it came before a failure does not make it the cause.

    Attributes:
        what: the platform's own words, untrusted.
        who: name of the person as the platform gives it; empty when nobody is named.
        ref: what it was done to: a reference, or the name of a table.
    """

    at: datetime
    kind: ChangeKind
    what: str
    who: str = ""
    ref: str = ""


@dataclass(frozen=True, slots=True)
class Shift:
    """A roster, and who of it is on duty now; empty when nobody is."""

    name: str
    people: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AlertRule:
    """A rule by which the platform itself calls people.

    Attributes:
        on: the platform's word for what makes it call: `Error`, `Timeout` …
        owner: who answers for the rule.
        people: names of those it calls, whoever is on duty.
        shifts: rosters of which it calls whoever is on duty.
        elsewhere: the platform's words for receivers that are nobody by name: `DingdingUrl`, `WebhookUrl` …
        enabled: whether it calls at all.
    """

    id: str
    name: str
    on: str = ""
    owner: str = ""
    people: tuple[str, ...] = ()
    shifts: tuple[Shift, ...] = ()
    elsewhere: tuple[str, ...] = ()
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class Baseline:
    """A promise about when data is there, as the platform keeps it (DataWorks and Dataphin call it so).

    Attributes:
        promised_at: when it was promised.
        expected_at: when the platform now expects it; None when it does not say.
    """

    name: str
    promised_at: datetime
    expected_at: datetime | None = None
    owner: str = ""

    def late(self, now: datetime) -> bool:
        """Whether it is broken, or expected to be."""
        return max(self.expected_at or now, now) > self.promised_at
