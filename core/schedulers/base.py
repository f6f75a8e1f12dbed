"""The seam to schedulers: the Protocol that each module of this package implements, and what can be asked and ordered."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Literal, Protocol, runtime_checkable
from zoneinfo import ZoneInfo

from core.errors import BadInput
from core.schedulers.model import (
    FAILED,
    FINISHED,
    AlertRule,
    Baseline,
    Change,
    ChangeKind,
    Constraints,
    DataTable,
    Flags,
    Instance,
    InstanceQuery,
    LogPage,
    Page,
    Related,
    RunType,
    Shift,
    Status,
    TableUpdate,
    Task,
    incomplete,
)

__all__ = [
    "FAILED",
    "FINISHED",
    "AlertRule",
    "AnswersExtensions",
    "Baseline",
    "Capability",
    "Change",
    "ChangeKind",
    "Constraints",
    "DataTable",
    "ExtensionAnswer",
    "ExtensionCallback",
    "Flags",
    "Health",
    "Instance",
    "InstanceQuery",
    "KnowsAlertRules",
    "KnowsDuty",
    "KnowsMembers",
    "LogPage",
    "Operation",
    "Order",
    "Page",
    "Receipt",
    "Related",
    "RunType",
    "Scheduler",
    "Shift",
    "Status",
    "TableUpdate",
    "Task",
    "incomplete",
]


class Operation(StrEnum):
    """What can be changed. `core.tools.act` proposes these; only a confirmed proposal runs one."""

    RERUN = "rerun"
    RERUN_DOWNSTREAM = "rerun_downstream"
    SET_SUCCESS = "set_success"
    KILL = "kill"
    FREEZE = "freeze"
    UNFREEZE = "unfreeze"
    BACKFILL = "backfill"


class Capability(StrEnum):
    """What a scheduler can tell. Operations it can perform are in `Scheduler.operations`."""

    LOGS = "logs"
    LINEAGE = "lineage"
    OWNERS = "owners"
    CONSTRAINTS = "constraints"
    TABLES = "tables"
    CHANGES = "changes"
    BASELINES = "baselines"


@dataclass(frozen=True, slots=True)
class Order:
    """One change to make.

    Attributes:
        instance: id within the scheduler.
        note: who asked and why, for the platform's own trail.
        request_id: stable id of this order; platforms that can, use it to refuse a second execution.
        start: first day of a backfill, inclusive.
        end: last day of a backfill, inclusive.
        instances: of a rerun with downstream: ids of those downstream that run again too. Exactly these: whoever confirmed
            it saw this list.
    """

    operation: Operation
    instance: str
    note: str
    request_id: str
    start: date | None = None
    end: date | None = None
    instances: tuple[str, ...] = ()

    @property
    def days(self) -> tuple[date, date]:
        """First and last day of a backfill. Raises `BadInput` where they are missing or in the wrong order."""
        if self.start is None or self.end is None or self.end < self.start:
            raise BadInput("a backfill needs a first and a last day, in this order")
        return self.start, self.end


@dataclass(frozen=True, slots=True)
class Receipt:
    """The platform took the order. Accepted is not finished: follow `instances` until they end.

    Attributes:
        instances: ids of all instances it touches, the ordered one first.
        run_number: the run number the ordered instance has or will have; later states with a lower one are old news.
        message: the platform's own words, untrusted.
    """

    instances: tuple[str, ...]
    run_number: int = 0
    message: str = ""


@dataclass(frozen=True, slots=True)
class Health:
    """Result of harmless calls.

    Attributes:
        version: of the platform, or of its API.
        seconds: how long it took.
        problems: sentences for `xops doctor`, each saying what to do.
        may_change: whether orders are allowed; None where that cannot be asked without giving one.
    """

    version: str
    seconds: float
    problems: tuple[str, ...] = ()
    may_change: bool | None = None


class Scheduler(Protocol):
    """A connection to one scheduler.

    Methods raise `NotFound` for ids and names that do not exist, `RemoteError` and its subclasses when the platform
    fails, and never anything of a vendor's own. What a platform cannot tell is empty, never invented.
    """

    @property
    def name(self) -> str:
        """Configured name of the connection; no colon, no slash."""
        ...

    @property
    def zone(self) -> ZoneInfo:
        """Zone in which its days begin."""
        ...

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What it can tell."""
        ...

    @property
    def operations(self) -> frozenset[Operation]:
        """What it can do."""
        ...

    @property
    def effects(self) -> Mapping[Operation, tuple[str, ...]]:
        """What operations do here besides what their names say: keys of `operations.beside` in the catalogues.

        A person reads them before confirming: that set-success makes Airflow rerun failed descendants, for example.
        """
        ...

    async def health(self) -> Health:
        """Prove that address, credentials and rights work."""
        ...

    async def projects(self) -> tuple[str, ...]:
        """Names of the projects this connection can see."""
        ...

    async def counts(self, query: InstanceQuery) -> Mapping[Status, int]:
        """How many instances match, by status. `limit` and `offset` are ignored."""
        ...

    async def instances(self, query: InstanceQuery) -> Page[Instance]:
        """Instances that match, the most recently due first."""
        ...

    async def instance(self, instance_id: str) -> Instance:
        """One instance as it is now."""
        ...

    async def history(self, task_id: str, *, limit: int = 14) -> tuple[Instance, ...]:
        """Scheduled instances of a task, newest first."""
        ...

    async def tasks(self, text: str, *, limit: int = 10) -> tuple[Task, ...]:
        """Tasks whose name or id is or resembles the text, best first; an exact name comes alone."""
        ...

    async def log(self, instance_id: str, *, run_number: int = 0, tail: int = 2000) -> LogPage:
        """The last `tail` lines of a run's log; the latest run when `run_number` is 0; no lines when it never ran."""
        ...

    async def upstream(self, instance_id: str, *, depth: int = 1) -> tuple[Related, ...]:
        """Instances it waits for, nearest first, at most `MOST_RELATED`; `incomplete` tells whether there may be more."""
        ...

    async def downstream(self, instance_id: str, *, depth: int = 1) -> tuple[Related, ...]:
        """Instances that wait for it, as `upstream`."""
        ...

    async def constraints(self, instance_id: str) -> Constraints:
        """What besides upstream may hold it back."""
        ...

    async def tables(self, text: str, *, limit: int = 10) -> tuple[DataTable, ...]:
        """Tables whose name is or resembles the text, best first; an exact name comes alone."""
        ...

    async def changes(self, task_id: str, since: datetime) -> tuple[Change, ...]:
        """What happened since then to the task, to what it runs on and to the tables it reads; newest first, at most 50."""
        ...

    async def baselines(self, instance_id: str) -> tuple[Baseline, ...]:
        """Promises that still wait for this instance, directly or through others; the earliest promised first."""
        ...

    async def operate(self, order: Order) -> Receipt:
        """Carry out an order. Called once per confirmed proposal; must not retry by itself.

        Raises:
            Refused: the platform said no, e.g. the state does not allow it.
            Unreachable: no answer; the order may or may not have been carried out.
        """
        ...

    async def close(self) -> None:
        """Let go of what it holds. The shared HTTP session is not its own."""
        ...


@runtime_checkable
class KnowsMembers(Scheduler, Protocol):
    """A scheduler that can also tell who belongs to a project; see `core.people.members`."""

    async def members(self, project: str) -> frozenset[str]:
        """Names, as in `Task.owners`, of those who may operate a project. Raises as the others do."""
        ...


@runtime_checkable
class KnowsAlertRules(Scheduler, Protocol):
    """A scheduler that calls people by rules of its own, and can say by which, and whom."""

    async def alert_rules(self, task_id: str) -> tuple[AlertRule, ...]:
        """Rules that concern a task, at most five, with whom each would call now. Raises as the others do."""
        ...

    async def alert_rule(self, rule_id: str) -> AlertRule:
        """One rule, e.g. that of an alert it sent. Raises `NotFound`, and as the others do."""
        ...


@runtime_checkable
class KnowsDuty(Scheduler, Protocol):
    """A scheduler that keeps rosters, and can say who of them is on duty."""

    async def shifts(self) -> tuple[Shift, ...]:
        """All rosters, each with who is on duty now. Raises as the others do."""
        ...


ExtensionCallback = Literal["ide", "workbench", "extension"]
"""Which part of the platform waits: development, operation, or any other."""


@dataclass(frozen=True, slots=True)
class ExtensionAnswer:
    """Whether an operation that waits in the platform's own console may go on.

    Attributes:
        callback: who waits for it.
        message: id of the message that asked.
        extension: code of the extension that answers.
        passes: whether it may go on.
        tip: what whoever works in the console reads.
    """

    callback: ExtensionCallback
    message: str
    extension: str
    passes: bool
    tip: str


@runtime_checkable
class AnswersExtensions(Scheduler, Protocol):
    """A scheduler whose console asks before it does something; see `core.extensions`."""

    async def answer_extension(self, answer: ExtensionAnswer) -> None:
        """Tell a verdict. Telling the same again is harmless. Raises as `operate` does."""
        ...
