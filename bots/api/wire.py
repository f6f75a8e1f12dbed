"""What goes in and out as JSON, where it is not the model of the core itself."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from core.approvals.model import Count, Flow, Label, Name, State, Strategy, Ticket, TicketEvent, TicketView, Word
from core.settings.subscriptions import HOURS
from core.subscriptions.model import Kind as About
from core.subscriptions.model import Severity

Text = Annotated[str, Field(max_length=1024, pattern=r"^[^\x00]*$")]
Short = Annotated[str, Field(max_length=120, pattern=r"^[^\x00]*$")]
ChatKey = Annotated[str, Field(min_length=3, max_length=300, pattern=r"^[^\x00]*$")]
Target = Annotated[str, Field(min_length=1, max_length=400, pattern=r"^[^\x00]*$")]
FlowId = Annotated[str, Field(pattern=r"^F-[1-9][0-9]{0,8}$")]


class Wire(BaseModel):
    """Unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Page(Wire):
    """Which part of a list."""

    limit: int = Field(default=100, ge=1, le=500)
    offset: int = Field(default=0, ge=0, le=10**9)


class FlowQuery(Page):
    """Filters by column; texts match any part, in any case."""

    name: Short = ""
    task_type: Short = ""
    levels: int | None = Field(default=None, ge=1, le=10)
    creator: Short = ""
    enabled: bool | None = None


class FlowPage(Wire):
    """Part of a list of flows; `total` says how many match."""

    flows: tuple[Flow, ...]
    total: int


class FlowSaved(Wire):
    """A flow that was saved; `unmanned` are approvers that nobody answers to at present."""

    flow: Flow
    unmanned: tuple[str, ...]


class VersionQuery(Wire):
    """`version` is the one that was edited: another one saved meanwhile is not overwritten."""

    version: int = Field(ge=1, le=10**9)


class CopyBody(Wire):
    """Name of the copy."""

    name: Name


class Ids(Wire):
    """Several flows."""

    flows: tuple[FlowId, ...] = Field(min_length=1, max_length=500)


class IdsQuery(Wire):
    """Several flows, separated by commas."""

    ids: Annotated[str, Field(pattern=r"^F-[1-9][0-9]{0,8}(,F-[1-9][0-9]{0,8}){0,499}$")]


class TypeEntry(Wire):
    """A kind of task."""

    name: str
    operations: tuple[str, ...]
    multi_level: bool


class TicketQuery(Page):
    """Filters. `pending` lists only what waits for whoever asks."""

    state: State | None = None
    requester: Short = ""
    task_type: Short = ""
    pending: bool = False


class TicketBody(Wire):
    """A request for a task that a person will carry out."""

    task_type: Word
    title: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
    scheduler: Label | Literal[""] = ""
    project: Label | Literal[""] = ""
    environment: Label | Literal[""] = ""
    operations: tuple[Word, ...] = Field(default=(), max_length=50)
    facts: dict[Literal["instances", "rows"], Count] = Field(default_factory=dict)
    payload: dict[Word, Text] = Field(default_factory=dict, max_length=50)
    strategy: Strategy = "automatic"
    execute_at: AwareDatetime | None = None


class Decision(Wire):
    """What goes with a decision. With `node` and `digest`, it holds only for what the caller was shown."""

    comment: Text = ""
    node: int | None = Field(default=None, ge=0, le=9)
    digest: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""


class Emergency(Wire):
    """Why it cannot wait."""

    comment: Annotated[str, Field(min_length=20, max_length=1024, pattern=r"^[^\x00]*$")]
    incident: Annotated[str, Field(min_length=1, max_length=120, pattern=r"^[^\x00]*$")]


class Report(Wire):
    """How it ended."""

    outcome: Literal["succeeded", "failed"]
    comment: Text = ""


class EventEntry(Wire):
    """One thing that happened to a ticket."""

    seq: int
    at: datetime
    kind: str
    actor: str
    via: str
    from_state: str
    to_state: str
    node: int
    comment: str


class TicketEntry(Wire):
    """A ticket."""

    id: str
    state: State
    path: Literal["normal", "break_glass", "review"]
    task_type: str
    title: str
    requester: str
    scheduler: str
    project: str
    environment: str
    facts: dict[str, int]
    payload: dict[str, str]
    digest: str
    strategy: Strategy
    execute_at: datetime | None
    parent: str
    flow: Flow
    level: int
    reason: str
    fact: str
    node: int
    votes: int
    deadline: datetime
    escalated: bool
    created_at: datetime
    changed_at: datetime
    message: str


class TicketWhole(Wire):
    """A ticket with its history, and who may decide it now."""

    ticket: TicketEntry
    events: tuple[EventEntry, ...]
    candidates: tuple[str, ...]
    decide: bool
    steward: bool


class TicketPage(Wire):
    """Part of a list of tickets, the newest first."""

    tickets: tuple[TicketEntry, ...]


class SubscriptionEntry(Wire):
    """What a chat hears of. One of the settings has neither an id nor a person."""

    id: str
    about: About
    subject: str
    severity: Severity
    quiet: str
    person: str


class ChatEntry(Wire):
    """A chat by its key, e.g. `feishu:oc_1`."""

    chat: str
    kind: Literal["private", "group"]
    subscriptions: tuple[SubscriptionEntry, ...]


class SubscriptionBody(Wire):
    """What a chat of one's own is to hear of; the subject is empty for `all`, and only then."""

    chat: ChatKey
    about: About
    subject: Target | Literal[""] = ""
    severity: Severity = "warning"
    quiet: Annotated[str, Field(pattern=HOURS)] = ""


class PromiseEntry(Wire):
    """A promise: whose, about what, told where, until when."""

    id: str
    kind: str
    person: str
    chat: str
    subject: str
    name: str
    state: str
    until: datetime | None


class PromiseBody(Wire):
    """What to follow, or to mute: `2h`, `30m` or `1d` of a task, `table:NAME` or `project:NAME`."""

    kind: Literal["follow", "mute"]
    chat: ChatKey
    target: Target
    duration: Annotated[str, Field(pattern=r"^[1-9][0-9]{0,3}[mhd]$")] = "1h"


class Problem(Wire):
    """RFC 9457. `code` is one of X-Ops' own words; `errors` name each value that is wrong."""

    type: Literal["about:blank"] = "about:blank"
    title: str
    status: int
    detail: str
    code: str
    errors: tuple[str, ...] = ()


def entry(ticket: Ticket) -> TicketEntry:
    """A ticket on the wire."""
    request, match = ticket.request, ticket.match
    asked = (
        "task_type",
        "title",
        "requester",
        "scheduler",
        "project",
        "environment",
        "strategy",
        "execute_at",
        "parent",
    )
    kept = (
        "id",
        "state",
        "path",
        "digest",
        "node",
        "votes",
        "deadline",
        "escalated",
        "created_at",
        "changed_at",
        "message",
    )
    return TicketEntry(
        **{name: getattr(request, name) for name in asked},
        **{name: getattr(ticket, name) for name in kept},
        facts=dict(request.facts),
        payload=dict(request.payload),
        flow=match.flow,
        level=match.level,
        reason=match.reason,
        fact=match.fact,
    )


def whole(view: TicketView) -> TicketWhole:
    """A ticket with its history on the wire."""
    return TicketWhole(
        ticket=entry(view.ticket),
        events=tuple(_event(event) for event in view.events),
        candidates=view.candidates,
        decide=view.decide,
        steward=view.steward,
    )


def _event(event: TicketEvent) -> EventEntry:
    return EventEntry(**{name: getattr(event, name) for name in EventEntry.model_fields})
