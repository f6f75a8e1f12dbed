"""What a tool found, as types. Cards are built from these (`core.views`), never from prose, and so is what a model reads.

Every result says what was asked and when; one that found nothing says where it looked. `Outage` names a scheduler that
could not be asked, so that a partial answer never passes for a whole one, and `Source` one that answered from what it knew
already, so that an old answer never passes for a new one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from core.access import Person
from core.alerts.model import Reading
from core.approvals.model import TicketList, TicketView
from core.diagnosis.model import Diagnosis, LogFinding
from core.schedulers.base import Constraints, DataTable, Instance, LogPage, Operation, Related, Status, TableUpdate
from core.schedulers.grounds import Outage, Source
from core.subscriptions.model import SubscriptionList
from core.watches.model import MutePreview, Watch, WatchList, WatchView


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of one group of instances: all a person may operate, or their own."""

    counts: Mapping[Status, int]
    failed: int
    repeated: int

    @property
    def total(self) -> int:
        """All instances of the group."""
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class Overview:
    """How the day went. `failed` counts instances that failed today up to now; `repeated` tasks that also failed yesterday.

    Attributes:
        day: calendar day of the runs.
        operable: all that the person may operate.
        mine: those they own.
    """

    day: date
    as_of: datetime
    operable: Tally
    mine: Tally
    outages: tuple[Outage, ...] = ()
    sources: tuple[Source, ...] = ()


@dataclass(frozen=True, slots=True)
class InstanceList:
    """Instances that match a question.

    Attributes:
        kind: why they are listed; chooses the title.
        subject: the project, owner or text asked for; empty for "all".
        total: how many match; more than are listed when the list was cut.
        offset: how many come before the first one listed.
    """

    kind: Literal["failed", "repeated", "running", "waiting", "project", "mine", "search", "all"]
    day: date
    as_of: datetime
    instances: tuple[Instance, ...]
    total: int
    subject: str = ""
    outages: tuple[Outage, ...] = ()
    offset: int = 0
    sources: tuple[Source, ...] = ()


@dataclass(frozen=True, slots=True)
class InstanceDetail:
    """What one instance is doing.

    Attributes:
        blockers: unfinished direct upstream instances, when it waits.
        history: instances of the same task, newest first, itself included.
        mute: what hides alerts about it now.
    """

    instance: Instance
    as_of: datetime
    constraints: Constraints = Constraints()
    blockers: tuple[Instance, ...] = ()
    history: tuple[Instance, ...] = ()
    mute: Watch | None = None
    outages: tuple[Outage, ...] = ()
    sources: tuple[Source, ...] = ()


@dataclass(frozen=True, slots=True)
class TableReport:
    """Whether a table was updated.

    Attributes:
        verdict: `updated` for the day asked about, `pending` (not yet, still expected), `late` (should have been),
            `empty` (updated, without rows), `failed` (its producer failed), `unknown` (the platform does not tell).
        day: calendar day asked about.
        update: the newest real update, whichever day it was.
        producer: instance of the producing task for that day.
        expected_at: when it usually is there, from the producer's history.
        reason: key of a sentence in the catalogue area `tables`, e.g. `dry_run`: why a success does not count.
    """

    table: DataTable
    verdict: Literal["updated", "pending", "late", "empty", "failed", "unknown"]
    day: date
    as_of: datetime
    update: TableUpdate | None = None
    producer: Instance | None = None
    expected_at: datetime | None = None
    reason: str = ""
    outages: tuple[Outage, ...] = ()
    sources: tuple[Source, ...] = ()


@dataclass(frozen=True, slots=True)
class LogView:
    """Part of a log, masked. `marked` are line numbers that look like the fault; `injection`, lines that try to instruct."""

    instance: Instance
    page: LogPage
    as_of: datetime
    marked: frozenset[int] = frozenset()
    injection: frozenset[int] = frozenset()
    outages: tuple[Outage, ...] = ()
    sources: tuple[Source, ...] = ()


@dataclass(frozen=True, slots=True)
class Lineage:
    """Instances up- or downstream of one."""

    instance: Instance
    direction: Literal["upstream", "downstream"]
    related: tuple[Related, ...]
    as_of: datetime
    outages: tuple[Outage, ...] = ()
    sources: tuple[Source, ...] = ()


@dataclass(frozen=True, slots=True)
class Located:
    """What an alert names, and the instance that is meant.

    Attributes:
        name: as the alert writes it.
        asked: its id, or its name when the alert gives no id.
        target: what it was found by: one of these, or the name within the project.
        choices: how many have this name, when it is several.
    """

    name: str
    asked: str
    target: str
    instance: Instance | None = None
    choices: int = 0


@dataclass(frozen=True, slots=True)
class AlertReport:
    """A pasted alert, and what the schedulers know of it. No result by itself: it stands above what else was found.

    Attributes:
        located: what the alerts name, in their order.
        project: where it was looked for what is counted and not listed; empty when the alert does not tell.
        day: the day that was looked at for that.
        added: what failed there besides.
    """

    reading: Reading
    located: tuple[Located, ...]
    as_of: datetime
    project: str = ""
    day: date | None = None
    added: tuple[Instance, ...] = ()


@dataclass(frozen=True, slots=True)
class Diagnosed:
    """A diagnosis and what it is of. `mute` is what hides alerts about it now."""

    instance: Instance
    diagnosis: Diagnosis
    as_of: datetime
    mute: Watch | None = None
    outages: tuple[Outage, ...] = ()
    sources: tuple[Source, ...] = ()


@dataclass(frozen=True, slots=True)
class Member:
    """One instance of a change that touches several.

    Attributes:
        instance: as it was when proposed.
        distance: hops downstream of the target; 0 for an entry of a batch.
        chosen: whether it is to be run again; what has not ended yet follows by itself and never is.
        state: of an entry of a batch, as `Proposal.state`; or `queued` until its turn, `denied` when the person who
            confirmed may not change it, `skipped` when the batch stopped before it.
        message: what the platform said of it; safe to show.
        refusal: as `Proposal.refusal`.
    """

    instance: Instance
    distance: int = 0
    chosen: bool = True
    state: str = ""
    message: str = ""
    refusal: Mapping[str, str] = field(default_factory=dict[str, str], hash=False)


Scope = Literal["all", "failed", "unsuccessful", "none"]
"""Which of those downstream run again: all that ended, those that failed, or those that did not succeed."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A change that waits for a person, or what became of it.

    Attributes:
        id: short and sayable, e.g. `P-7K3QX`.
        state: `open` → `awaiting` (others' approval) → `confirmed` → `executing` → `following` → `succeeded` | `failed`;
            or `cancelled`, `expired`, `rejected` (not approved), `void` (the target changed), `refused` (the platform or a
            rule said no), `unknown` (no answer; being checked), `lost` (no answer, and no sign that it was carried out).
        requester: name of the person who asked.
        decider: name of the person who confirmed or cancelled; empty while open.
        instance: the target as it was when proposed, or as it is now once confirmed.
        affected: how many instances it touches, the target included; days of a backfill.
        message: what the platform or the check said; safe to show.
        refusal: why a rule or a check of X-Ops said no, as `XOpsError.said`; empty when the platform did.
        ticket: id of the approval it waits for; empty when none is needed.
        effects: what this scheduler does besides, as `Scheduler.effects` names it.
        start: first day of a backfill, inclusive.
        end: its last day, inclusive.
        members: those downstream, nearest first; or the entries of a batch, in their order.
        batch: whether it is one, of its members; `instance` is then the first of them.
        total: how many the person asked for, when a batch takes fewer.
        found: the target as it was found when the proposal became void.
    """

    id: str
    operation: Operation
    instance: Instance
    state: str
    requester: str
    expires_at: datetime
    decider: str = ""
    affected: int = 1
    message: str = ""
    ticket: str = ""
    effects: tuple[str, ...] = ()
    start: date | None = None
    end: date | None = None
    members: tuple[Member, ...] = ()
    batch: bool = False
    total: int = 0
    found: Instance | None = None
    refusal: Mapping[str, str] = field(default_factory=dict[str, str], hash=False)

    @property
    def chosen(self) -> tuple[Member, ...]:
        """The members that are part of the order."""
        return tuple(member for member in self.members if member.chosen)


@dataclass(frozen=True, slots=True)
class DaysWanted:
    """A backfill of a task that still lacks its days. `most` is how many it may have."""

    instance: Instance
    start: date
    end: date
    most: int


@dataclass(frozen=True, slots=True)
class Choice:
    """Several things were meant. `options` are (reference, label); picking one repeats `command` with it.

    Attributes:
        kind: what was looked for, as in `core.errors.NotFound`.
        command: a command word, e.g. `log`; the picked reference becomes its `target` (`name` for `table`).
        arguments: its other arguments, e.g. `operation` of `propose`.
    """

    kind: str
    name: str
    options: tuple[tuple[str, str], ...]
    command: str
    arguments: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Missing:
    """Nothing has this name. `searched` names the schedulers that were asked; `command` and `arguments` as in `Choice`."""

    kind: str
    name: str
    nearest: tuple[str, ...] = ()
    searched: tuple[str, ...] = ()
    command: str = ""
    arguments: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Problem:
    """It could not be done.

    Attributes:
        text: a key of the catalogue area `errors`.
        details: its values.
        outage: the scheduler that failed, when it was one.
    """

    text: str
    details: Mapping[str, str] = field(default_factory=dict[str, str])
    outage: Outage | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence of the catalogue area `notices`: help, greeting, "who am I", a question back."""

    text: str
    details: Mapping[str, str] = field(default_factory=dict[str, str])
    suggestions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Account:
    """Who someone is here, and how the switches stand for everyone. A stranger is told how to become known.

    Attributes:
        identity: `channel:id` under which they asked.
        ends: of some of their projects, when the right to it ends.
        channels: where they are known.
        assistant: `on` or `off`.
        model: the model that may be used; empty for none.
    """

    person: Person
    identity: str
    ends: Mapping[str, datetime] = field(default_factory=dict[str, datetime])
    channels: tuple[str, ...] = ()
    assistant: str = ""
    model: str = ""


@dataclass(frozen=True, slots=True)
class LinkCode:
    """A code that makes whoever sends it from another messenger the person who asked for it."""

    code: str
    expires_at: datetime


Observed = Overview | InstanceList | InstanceDetail | TableReport | LogView | Lineage | Diagnosed
"""What was seen in schedulers: says whose part is missing (`outages`; of an answer about one thing, who might know another of
its name) and how old the others' are (`sources`)."""

Result = (
    Overview
    | InstanceList
    | InstanceDetail
    | TableReport
    | LogView
    | Lineage
    | Diagnosed
    | LogFinding
    | TicketView
    | TicketList
    | Proposal
    | DaysWanted
    | Choice
    | Missing
    | Problem
    | Notice
    | Account
    | LinkCode
    | WatchView
    | WatchList
    | MutePreview
    | SubscriptionList
)
