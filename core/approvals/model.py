"""What an approval flow and a ticket are, and the limits of each value.

A definition is written by an administrator, over REST, on the page or in YAML, so it is a pydantic model: one check for all
three. Limits are those of ODC's documentation ("任务流程管理"): names of at most 110 letters, digits and Chinese characters,
remarks of 200, 1 to 10 levels, validities of at most 240 hours. Tickets are ours alone, so they are dataclasses.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from core.access import Person, Role
from core.messages import Conversation

NAME = r"^[0-9A-Za-z\u3400-\u4dbf\u4e00-\u9fff]{1,110}$"
WORD = r"^[a-z][a-z0-9_]{0,39}$"
APPROVER = r"^(auto|(viewer|operator|ops_admin|admin)@(project|org)|(group|user):[^\s:@]{1,80})$"
LABEL = r"^[^\s\x00-\x1f]{1,120}$"

Name = Annotated[str, Field(pattern=NAME)]
Word = Annotated[str, Field(pattern=WORD)]
Label = Annotated[str, Field(pattern=LABEL)]
Remark = Annotated[str, Field(max_length=200, pattern=r"^[^\x00]*$")]
Approver = Annotated[str, Field(pattern=APPROVER)]
Minutes = Annotated[int, Field(ge=10, le=240 * 60)]
Count = Annotated[int, Field(ge=0, le=10**12)]

AUTO = "auto"
LONGEST = timedelta(days=30)
"""No ticket waits for approval longer than this, however many nodes it has."""

Strategy = Literal["automatic", "manual", "timed"]
State = Literal[
    "approving",
    "waiting",
    "executing",
    "unknown",
    "succeeded",
    "failed",
    "rejected",
    "withdrawn",
    "cancelled",
    "approval_expired",
    "wait_expired",
    "execution_expired",
]
OPEN: tuple[State, ...] = ("approving", "waiting", "executing", "unknown")
REFUSED: tuple[State, ...] = ("rejected", "withdrawn", "cancelled", "approval_expired", "wait_expired")
"""Ended before anything was carried out."""


class Frozen(BaseModel):
    """A part of a definition. Unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Range(Frozen):
    """How much may be touched: at least `least` and at most `most`, both included."""

    measure: Literal["instances", "rows"]
    least: Count = 0
    most: Count | None = None
    """No upper end when it is not given."""

    @model_validator(mode="after")
    def _ordered(self) -> "Range":
        if self.most is not None and self.most < self.least:
            raise ValueError("most is less than least")
        return self


class Node(Frozen):
    """One step of approval."""

    approver: Approver
    """`role@project`, `role@org`, `group:name`, `user:name`; or `auto`, which approves by itself."""
    need: int = Field(default=1, ge=1, le=20)
    """How many different people have to approve."""
    comment_required: bool = False


class Level(Frozen):
    """One level of risk: when it applies, and who approves. A condition that is empty always holds."""

    operations: tuple[Word, ...] = Field(default=(), max_length=50)
    """Kinds of the task type, e.g. `update` and `delete` of `database_change`."""
    environments: tuple[Label, ...] = Field(default=(), max_length=50)
    ranges: tuple[Range, ...] = Field(default=(), max_length=4)
    nodes: tuple[Node, ...] = Field(min_length=1, max_length=10)


class Validity(Frozen):
    """How long each phase may take; a ticket that takes longer has expired."""

    approval_minutes: Minutes = 24 * 60
    """For each node anew."""
    waiting_minutes: Minutes = 24 * 60
    """Between the last approval and the execution, when that is started by hand or at a time."""
    execution_minutes: Minutes = 24 * 60


class Scope(Frozen):
    """Which targets a flow is for: whatever is named here, or all when nothing is."""

    schedulers: tuple[Label, ...] = Field(default=(), max_length=200)
    projects: tuple[Label, ...] = Field(default=(), max_length=200)
    """`project`, or `scheduler:project`."""
    environments: tuple[Label, ...] = Field(default=(), max_length=200)


class Definition(Frozen):
    """What an administrator writes."""

    name: Name
    task_type: Word
    remark: Remark = ""
    enabled: bool = True
    levels: tuple[Level, ...] = Field(min_length=1, max_length=10)
    """The first is level 1, the lowest risk."""
    validity: Validity = Validity()
    scope: Scope = Scope()
    self_approval: bool = False
    """Whether whoever asked may approve, at level 1 only."""
    distinct_approvers: bool | None = None
    """Whether one person may approve at one node only. When not given: from level 3 on."""
    escalate_to: Approver = "admin@org"
    """Who may approve as well once `escalate_percent` of the time has passed, or when nobody else can."""
    escalate_percent: Annotated[int, Field(ge=1, le=99)] | None = None
    """When not given: 50 from level 3 on, never below."""
    break_glass: bool = False
    """Whether people with that permission may carry out at once in an emergency, and be reviewed afterwards."""


class Flow(Definition):
    """A definition with what is kept about it. `id` is `F-` and a number."""

    id: str
    version: int
    rank: int
    """The lowest of a task type that covers the target is taken."""
    creator: str
    created_at: datetime
    changed_by: str
    changed_at: datetime

    def definition(self) -> Definition:
        """Only what was written."""
        return Definition.model_validate(self.model_dump(include=set(Definition.model_fields)))


@dataclass(frozen=True, slots=True)
class TaskType:
    """What can be asked for.

    Attributes:
        operations: its kinds, which levels may name; empty when it has none.
        multi_level: whether its flows may have more than one level.
    """

    name: str
    operations: tuple[str, ...] = ()
    multi_level: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody wants to have done.

    Attributes:
        key: unique for ever; a second request with it is the same ticket. Empty for none.
        requester: name of the person.
        involved: others who may not decide either, e.g. on whose behalf it is asked.
        conversation: where the requester is told what becomes of it; None when another card tells them.
        operations: kinds of everything in it, e.g. (`update`, `drop`); empty when unknown or the type has none.
        facts: counts by measure (`instances`, `rows`), from a parser or the scheduler and never from a model.
        payload: what exactly is to be done; approvals hold for this and nothing else.
        execute_at: for the strategy `timed`.
        parent: id of the ticket it repeats or reviews.
    """

    task_type: str
    title: str
    requester: str
    involved: tuple[str, ...] = ()
    conversation: Conversation | None = None
    scheduler: str = ""
    project: str = ""
    environment: str = ""
    operations: tuple[str, ...] = ()
    facts: Mapping[str, int] = field(default_factory=dict[str, int])
    payload: Mapping[str, str] = field(default_factory=dict[str, str])
    strategy: Strategy = "automatic"
    execute_at: datetime | None = None
    parent: str = ""
    key: str = ""

    def digest(self) -> str:
        """Of the task type, the target and the exact payload."""
        exact = [self.task_type, self.scheduler, self.project, self.environment, dict(self.payload)]
        return hashlib.sha256(json.dumps(exact, sort_keys=True, ensure_ascii=True).encode()).hexdigest()


REQUEST: TypeAdapter[Request] = TypeAdapter(Request)


@dataclass(frozen=True, slots=True)
class Match:
    """Which flow and level a request falls under, and why.

    Attributes:
        reason: `only` (the flow has one level), `fits` (its conditions hold), `unknown` (a fact is missing, so the highest),
            `none` (no level fits, so the highest).
        fact: what decided: the operation, or the name of the missing fact.
    """

    flow: Flow
    level: int
    reason: Literal["only", "fits", "unknown", "none"]
    fact: str = ""


@dataclass(frozen=True, slots=True)
class Ticket:
    """One request on its way.

    Attributes:
        match: the flow as it was when the ticket was opened: later changes do not touch it.
        node: place of the node that is asked now; the number of nodes when all have approved.
        votes: approvals of this node so far.
        since: when the present phase began.
        deadline: when it ends.
        wake: when something is due next.
        escalated: whether `escalate_to` may approve this node as well.
        reminded: how many reminders went out for this node.
        path: `normal`; `break_glass` when it was carried out without approval; `review` of such a one.
        seq: number of the last event.
        message: what the runner or the decider said.
    """

    id: str
    request: Request
    match: Match
    digest: str
    state: State
    node: int
    votes: int
    since: datetime
    deadline: datetime
    wake: datetime
    escalated: bool
    reminded: int
    path: Literal["normal", "break_glass", "review"]
    seq: int
    created_at: datetime
    changed_at: datetime
    message: str = ""

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The nodes of its level, in order."""
        return self.match.flow.levels[self.match.level - 1].nodes

    @property
    def open(self) -> bool:
        """Whether it is still under way."""
        return self.state in OPEN


@dataclass(frozen=True, slots=True)
class TicketEvent:
    """One thing that happened to a ticket.

    Attributes:
        kind: `opened`, `approve`, `reject`, `withdraw`, `execute`, `break_glass`, `escalate`, `expire`, `report`, `outcome`, or
            `denied` for an attempt that was refused.
        via: `card`, `command`, `page`, `api` or `system`.
    """

    seq: int
    at: datetime
    kind: str
    actor: str
    via: str
    from_state: str
    to_state: str
    node: int
    comment: str


@dataclass(frozen=True, slots=True)
class TicketView:
    """A ticket as somebody sees it.

    Attributes:
        candidates: names of those who may decide it now.
        now: when this was true.
        decide: whether the reader may decide it.
        steward: whether the reader may withdraw it, start it, or report how it ended.
        by_hand: whether a person carries it out, and so has to report how it ended.
        address: of the page on which it is decided, for messengers that cannot ask for a reason; empty when there is none.
        freeze: what is told of the freeze in which it cannot be carried out now (`XOpsError.said`); empty when there is none.
        purpose: `show` it; ask for the words that go with `approve` or `reject`; or `remind` a candidate.
    """

    ticket: Ticket
    events: tuple[TicketEvent, ...]
    candidates: tuple[str, ...]
    now: datetime
    decide: bool = False
    steward: bool = False
    by_hand: bool = False
    address: str = ""
    freeze: Mapping[str, str] = field(default_factory=dict[str, str])
    purpose: Literal["show", "approve", "reject", "remind"] = "show"


@dataclass(frozen=True, slots=True)
class TicketList:
    """Tickets that wait for the reader (`pending`), or that they asked for (`mine`)."""

    kind: Literal["pending", "mine"]
    tickets: tuple[Ticket, ...]
    now: datetime


@dataclass(frozen=True, slots=True)
class Act:
    """What somebody does to a ticket, for its history.

    Attributes:
        kind: see `TicketEvent`.
        actor: name of the person, or `system`.
        via: as in `TicketEvent`.
        details: more for the audit trail only.
    """

    kind: str
    actor: str = "system"
    via: str = "system"
    comment: str = ""
    details: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Saying:
    """What somebody says about a ticket.

    Attributes:
        via: as in `Act`.
        comment: their words; a reason where one is needed.
        node: which node the card showed that was pressed; None when no card was.
        digest: what the card showed of the payload; empty when no card was pressed.
    """

    person: Person
    ticket: str
    via: str
    comment: str = ""
    node: int | None = None
    digest: str = ""


def approver_role(approver: str) -> tuple[Role, str]:
    """`ops_admin@project` as (`ops_admin`, `project`)."""
    role, _, place = approver.partition("@")
    return role, place  # pyright: ignore[reportReturnType]  # `APPROVER` lets only roles pass
