"""What a promise is, and the results that show one."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from core.messages import Conversation
from core.schedulers.base import AlertRule, Instance

Kind = Literal["follow", "mute", "ready", "digest", "handover"]
State = Literal["open", "late", "acknowledged", "ended"]
"""`late` is of `ready` only: the deadline passed. `acknowledged`: someone who was called took it on, or took over a shift."""

SubjectType = Literal["instance", "task", "table", "project"]
Days = Literal["daily", "workdays"]
CALENDAR = frozenset({"digest", "handover"})
"""Kinds that come round at a time of day until they are ended."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What a promise keeps from one look to the next.

    Attributes:
        instance: the followed instance, or the one that writes the table, as it was last seen.
        outcome: why it ended: `done`, `recovered`, `time`, `hand`, `gone` (the object), `rights` (the person's).
        ended_by: who ended it, when a person did.
        verdict: of a table, as in `core.results.TableReport`.
        expected_at: when it is usually there.
        blocker: what holds it up, once it is late.
        call: whom to call when it is late, in order.
        called: how many of them were.
        acknowledged_by: who took it on, or took over.
        at: time of day of a digest, `HH:MM`.
        days: on which days.
        slot: the time it was last due for.
    """

    instance: Instance | None = None
    outcome: str = ""
    ended_by: str = ""
    verdict: str = ""
    expected_at: datetime | None = None
    blocker: Instance | None = None
    call: tuple[str, ...] = ()
    called: int = 0
    acknowledged_by: str = ""
    at: str = ""
    days: Days = "daily"
    slot: datetime | None = None


@dataclass(frozen=True, slots=True)
class Watch:
    """A promise.

    Attributes:
        id: short and sayable, e.g. `W-7K3QX`.
        person: whose it is.
        conversation: where they are told.
        subject: `type:reference`, e.g. `table:demo:dws_orders`; empty for what is about everything.
        name: what people call the subject.
        next_at: when it has to be looked at whatever the schedulers say.
        until: when it ends, or its deadline; None when it has neither.
        seq: grows with every change; a change that was seen with another is void.
        created_at: since when it holds.
    """

    id: str
    kind: Kind
    person: str
    conversation: Conversation
    subject: str
    name: str
    state: State
    next_at: datetime
    until: datetime | None
    seq: int
    created_at: datetime
    memory: Memory = field(default_factory=Memory)

    @property
    def over(self) -> bool:
        """Whether nothing more comes of it."""
        return self.state == "ended"

    @property
    def ref(self) -> str:
        """The reference of its subject."""
        return self.subject.partition(":")[2]

    @property
    def callees(self) -> tuple[str, ...]:
        """Names of those who were called."""
        return self.memory.call[: self.memory.called]

    @property
    def asks(self) -> bool:
        """Whether its card asks somebody to take it on: a table that is late, or the shift of the latest hand-over."""
        shift = self.kind == "handover" and self.state == "open" and self.memory.slot is not None
        return self.state == "late" or shift

    @property
    def loud(self) -> bool:
        """Whether its latest change deserves a card of its own: an edited one rings nobody's phone."""
        if self.kind == "follow" and not self.over:
            return self.memory.instance is not None and self.memory.instance.status.failed
        return self.over or self.state in {"late", "acknowledged"} or self.kind in CALENDAR


def promise(watch_id: str, *, call: bool = False) -> str:
    """The name under which `core.delivery` knows the cards of a promise: that of who asked, or of those who were called."""
    return f"watch:{watch_id}" + (":call" if call else "")


@dataclass(frozen=True, slots=True)
class WatchView:
    """A promise as it is now. `call` shows it to someone who is called about it."""

    watch: Watch
    as_of: datetime
    call: bool = False


@dataclass(frozen=True, slots=True)
class WatchList:
    """Promises: a person's own, or all mutes."""

    kind: Literal["mine", "mutes"]
    watches: tuple[Watch, ...]
    as_of: datetime


@dataclass(frozen=True, slots=True)
class MutePreview:
    """What a mute would have hidden in the last days, before anybody mutes anything.

    Attributes:
        subject: as in `Watch`.
        until: when it would end.
        hidden: (when it was due, name) of each failure that nobody would have heard of, newest first.
        days: how many days were looked at.
        partial: whether a scheduler did not answer, so that there may have been more.
        instance: a run of the task, or of the one that writes the table: its next success ends the mute.
        alert_rules: rules of the task's scheduler that call people all the same.
    """

    subject: str
    name: str
    until: datetime
    hidden: tuple[tuple[datetime, str], ...]
    as_of: datetime
    days: int
    partial: bool = False
    instance: Instance | None = None
    alert_rules: tuple[AlertRule, ...] = ()

    @property
    def lasts(self) -> timedelta:
        """How long it would last from now."""
        return self.until - self.as_of
