"""DataWorks' extension points: what is answered at once, what people are asked, and what happens when nobody answers."""

from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime, Field, model_validator

from core.settings.section import Section
from core.settings.subscriptions import HOURS

Answer = Literal["allow", "refuse", "ask"]


class ExtensionRule(Section):
    """A policy. It holds when all its conditions hold; a fact that cannot be looked up is taken for the worse."""

    answer: Answer
    """`allow` or `refuse` at once, or `ask` people by an approval ticket (task type `extension_point`)."""
    tip: str = Field(default="", max_length=200)
    """What whoever works in the console reads."""
    events: tuple[str, ...] = ()
    """Codes of extension points, e.g. `pre-rerun-instance`, `deploy-file`; any when empty."""
    projects: tuple[str, ...] = ()
    """Workspaces, by name or id: those that are protected; any when empty."""
    operators: tuple[str, ...] = ()
    """User ids of those who do it; any when empty. X-Ops' own belongs here with `allow`."""
    hours: str = Field(default="", pattern=HOURS)
    """A freeze window of each day, `22:00-08:00`."""
    start: AwareDatetime | None = None
    """A freeze from this moment on, with zone…"""
    end: AwareDatetime | None = None
    """…and until this one."""
    downstream: int | None = Field(default=None, ge=0)
    """More instances than this wait for those it is about."""
    without_owner: bool = False
    """Something it is about has no owner."""

    def covers(self, moment: datetime) -> bool:
        """Whether a moment is within its freeze."""
        return (self.start is None or self.start <= moment) and (self.end is None or moment < self.end)


class ExtensionSettings(Section):
    """An extension of yours on DataWorks' open platform. Off while `code` is empty."""

    code: str = ""
    """Its code, from the console's Open Platform → Extensions."""
    scheduler: str = ""
    """Name of the `dataworks` connection that answers for it; the first one when empty."""
    rules: tuple[ExtensionRule, ...] = ()
    """The first that holds answers."""
    otherwise: Answer = "ask"
    """When no rule holds."""
    unanswered: Literal["allow", "refuse"] = "refuse"
    """When nobody could be asked, or nobody answered in time."""
    answer_minutes: int = Field(default=30, ge=1, le=1440)
    """How long people have; keep it below the platform's own limit."""

    @model_validator(mode="after")
    def _ordered(self) -> "ExtensionSettings":
        if any(rule.start and rule.end and rule.end <= rule.start for rule in self.rules):
            raise ValueError("extensions.rules: a freeze ends before it starts")
        return self
