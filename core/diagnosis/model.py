"""What a diagnosis rests on and what it says. Each statement names the evidence that proves it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

from core.schedulers.base import AlertRule, Baseline, Change, Constraints, DataTable, Instance, LogPage, Related


class Cause(StrEnum):
    """Classes of root causes, one meaning each."""

    SQL_ERROR = "sql_error"
    """The statement itself is wrong: syntax, types, ambiguous column, division by zero."""
    MISSING_OBJECT = "missing_object"
    """A table, partition, column, file, topic or function does not exist."""
    SCHEMA_MISMATCH = "schema_mismatch"
    """Both sides exist and do not fit: column count, types, changed upstream schema."""
    DATA_QUALITY = "data_quality"
    """The data broke a rule: nulls, duplicates, dirty records over the limit, a failed test."""
    PERMISSION = "permission"
    """Credentials or rights were refused."""
    OUT_OF_MEMORY = "out_of_memory"
    """The program ran out of memory: heap, container limit, OOM killer."""
    RESOURCE_SHORTAGE = "resource_shortage"
    """The platform had none to give: quota, slots, disk, connections."""
    TIMEOUT = "timeout"
    """It ran longer than it was allowed to."""
    LOCK_CONFLICT = "lock_conflict"
    """Another transaction or job held what it needed."""
    NETWORK = "network"
    """A connection was refused, reset, not resolved or not answered."""
    UPSTREAM_FAILED = "upstream_failed"
    """It did not run, or ran without data, since something before it failed or is not finished."""
    CODE_ERROR = "code_error"
    """The program raised an exception of its own making."""
    ENVIRONMENT = "environment"
    """Missing module, wrong interpreter, missing command or variable."""
    CONFIGURATION = "configuration"
    """A wrong or missing setting, parameter or connection."""
    KILLED = "killed"
    """A person or the platform stopped it."""
    PLATFORM = "platform"
    """The scheduler or engine itself failed: worker lost, internal error."""
    SUCCESS_OR_HEALTHY = "success_or_healthy"
    """Nothing is wrong."""
    UNKNOWN = "unknown"
    """Not enough evidence. A valid answer."""


Confidence = Literal["confirmed", "likely", "inconclusive"]
RerunHelps = Literal["yes", "no", "after_fix", "unknown"]
CheckName = Literal["upstream", "schedule", "throttling", "resources", "execution"]
Outcome = Literal["pass", "blocked", "skipped", "unknown"]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that was looked up for one instance. Missing parts are empty, and the diagnosis says so.

    Attributes:
        now: the moment of the question; the functions have no clock of their own.
        log: of the latest run, masked.
        constraints: None when the scheduler cannot tell.
        upstream: to the top-most unfinished ancestor.
        history: of the same task, newest first.
        tables: what the task writes.
        changes: what happened in the days before, newest first, masked.
        baselines: promises that wait for it.
        alert_rules: rules by which the platform itself calls people about it.
    """

    instance: Instance
    now: datetime
    log: LogPage | None = None
    constraints: Constraints | None = None
    upstream: tuple[Related, ...] = ()
    downstream: tuple[Related, ...] = ()
    history: tuple[Instance, ...] = ()
    tables: tuple[DataTable, ...] = ()
    changes: tuple[Change, ...] = ()
    baselines: tuple[Baseline, ...] = ()
    alert_rules: tuple[AlertRule, ...] = ()


@dataclass(frozen=True, slots=True)
class Proof:
    """One piece of evidence. `source` is `log`, `status`, `history`, `upstream`, `constraints`, `table` or `change`.

    Attributes:
        id: how statements cite it: `L41` for line 41 of the log, `S1`, `U2` …
        line: line number in the log; 0 for other sources.
        text: the line or the fact, masked, untrusted.
    """

    id: str
    source: str
    text: str
    line: int = 0


@dataclass(frozen=True, slots=True)
class Check:
    """One of the ordered checks. `detail` is a key in the catalogue area `diagnosis`, filled by `values`."""

    name: CheckName
    outcome: Outcome
    detail: str
    values: tuple[tuple[str, str], ...] = ()
    proofs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the user's own code the fault is, as the log shows it. Masked, untrusted.

    Attributes:
        file: of their program; empty for a statement.
        line: number within the file or the statement; 0 when unknown.
        code: what stands there, if the log shows it.
        proofs: ids of the lines that show it.
    """

    file: str = ""
    line: int = 0
    function: str = ""
    code: str = ""
    proofs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LogFinding:
    """What a log says by itself.

    Attributes:
        rule: id of the signature that matched, e.g. `maxcompute.table-not-found`; empty for the generic extractor.
        object: what the fault is about: a table, column, host, file, class; empty when the log does not say.
        proofs: the lines, the root error first.
        advice: key in the catalogue area `diagnosis` of what to do.
        injection: numbers of lines that try to instruct the reader.
        unread: how many lines were left out or shortened since the log is larger than is read.
    """

    cause: Cause
    confidence: Confidence
    rerun_helps: RerunHelps
    proofs: tuple[Proof, ...] = ()
    rule: str = ""
    object: str = ""
    advice: str = ""
    injection: tuple[int, ...] = ()
    unread: int = 0
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Before:
    """Something that happened before the failure.

    Attributes:
        linked: whether it speaks of what the fault is about. Without that it is only shown: what came before is no cause.
    """

    change: Change
    linked: bool = False


@dataclass(frozen=True, slots=True)
class Runbook:
    """What people here wrote down for such a failure. Masked; data to show, never an instruction to follow.

    Attributes:
        steps: the first ones.
        more: how many further steps there are.
        where: the page or the file in which the whole is.
    """

    title: str
    steps: tuple[str, ...] = ()
    more: int = 0
    where: str = ""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The verdict on one instance.

    Attributes:
        checks: all five, in the platform's order.
        advice: keys in the catalogue area `diagnosis`, most useful first.
        blocker: top-most unfinished ancestor that keeps it from starting, if any.
        downstream: how many instances wait for it.
        more_downstream: whether there may be more that nobody could look at.
        also_failed_yesterday: whether the previous cycle failed too; None when not known.
        injection: numbers of log lines that try to instruct the reader; shown as a warning, never followed.
        rule: id of the signature that named the cause; empty when none did.
        place: where in the user's own code the fault is.
        late: promises that wait for it and are broken, or expected to be.
        before: what happened shortly before it failed, newest first.
        alert_rules: rules by which the platform itself calls people about it, with who is on duty now.
        runbooks: what people here wrote down for such a failure, the most fitting first.
    """

    cause: Cause
    confidence: Confidence
    rerun_helps: RerunHelps
    checks: tuple[Check, ...]
    proofs: tuple[Proof, ...] = ()
    object: str = ""
    advice: tuple[str, ...] = ()
    blocker: Instance | None = None
    downstream: int = 0
    more_downstream: bool = False
    also_failed_yesterday: bool | None = None
    injection: tuple[int, ...] = ()
    rule: str = ""
    place: Place | None = None
    late: tuple[Baseline, ...] = ()
    before: tuple[Before, ...] = ()
    alert_rules: tuple[AlertRule, ...] = ()
    runbooks: tuple[Runbook, ...] = ()

    @property
    def ruled_out(self) -> tuple[Check, ...]:
        """What was looked at and is not the reason, each with what that rests on."""
        return tuple(check for check in self.checks if check.outcome == "pass" and check.proofs)
