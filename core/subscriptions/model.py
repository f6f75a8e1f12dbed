"""What a subscription is, and whether it is about something that happened. Pure."""

from dataclasses import dataclass
from datetime import datetime, time, tzinfo
from typing import Literal

from core.messages import Conversation

Kind = Literal["all", "project", "owner", "task", "table", "baseline", "tool"]
Severity = Literal["info", "warning", "critical"]
RANK: dict[Severity, int] = {"info": 0, "warning": 1, "critical": 2}


@dataclass(frozen=True, slots=True)
class Subscription:
    """One thing that a chat wants to hear of.

    Attributes:
        id: short and sayable, e.g. `S-7K3QX`; empty for one of the settings.
        conversation: the chat.
        subject: name of the project, owner, table, baseline or tool, reference of the task; a project may be
            `scheduler:project`. Empty for `all`.
        severity: the least that is told.
        quiet: `HH:MM-HH:MM`, when only what is critical is told; empty for never.
        person: whose rights count; empty for one of the settings, which an administrator wrote.
    """

    id: str
    conversation: Conversation
    kind: Kind
    subject: str
    severity: Severity
    quiet: str
    person: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Topic:
    """What something that happened is about; what is not known is empty.

    Attributes:
        projects: the project by its name and, where the platform tells that only, by its id.
        task: its reference.
    """

    severity: Severity
    scheduler: str = ""
    projects: frozenset[str] = frozenset()
    owners: frozenset[str] = frozenset()
    task: str = ""
    tables: frozenset[str] = frozenset()
    baselines: frozenset[str] = frozenset()
    tool: str = ""


@dataclass(frozen=True, slots=True)
class SubscriptionList:
    """What a chat hears of; or the one that was just made, or ended.

    Attributes:
        what: `made`, `ended` or `listed`.
    """

    what: Literal["made", "ended", "listed"]
    subscriptions: tuple[Subscription, ...]
    as_of: datetime


@dataclass(frozen=True, slots=True)
class Quiet:
    """A chat in its quiet hours, e.g. `22:00-08:00`, and when they end."""

    conversation: Conversation
    hours: str
    until: datetime


def hears(wanted: Subscription, topic: Topic, now: datetime, zone: tzinfo) -> bool:
    """Whether a subscription is about this, and tells it at this moment."""
    return concerns(wanted, topic) and not holds_back(wanted, topic, now, zone)


def holds_back(wanted: Subscription, topic: Topic, now: datetime, zone: tzinfo) -> bool:
    """Whether it is quiet now, and this not critical."""
    return topic.severity != "critical" and quiet(wanted.quiet, now.astimezone(zone).time())


def concerns(wanted: Subscription, topic: Topic) -> bool:
    """Whether a subscription is about this, at whatever hour."""
    if RANK[topic.severity] < RANK[wanted.severity]:
        return False
    match wanted.kind:
        case "all":
            return True
        case "project":
            qualified = {f"{topic.scheduler}:{project}" for project in topic.projects}
            return wanted.subject in topic.projects | qualified
        case "owner":
            return wanted.subject in topic.owners
        case "task":
            return wanted.subject == topic.task
        case "table":
            return wanted.subject in topic.tables
        case "baseline":
            return wanted.subject in topic.baselines
        case "tool":
            return wanted.subject == topic.tool


def quiet(hours: str, at: time) -> bool:
    """Whether a time of day is within `22:00-08:00`, the end excluded. Hours may go past midnight."""
    if not hours:
        return False
    start, end = (time.fromisoformat(part) for part in hours.split("-"))
    return start <= at < end if start < end else at >= start or at < end
