"""Approvals, and tokens for the REST interface."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, model_validator

from core.settings.section import Secret, Section

Word = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]

Repeats = Literal["weekly", "monthly", "yearly"]
SHORTEST: Mapping[Repeats, timedelta] = {
    "weekly": timedelta(days=7),
    "monthly": timedelta(days=28),
    "yearly": timedelta(days=365),
}
LAST_DAY, FEBRUARY = 28, 2


class TaskTypeSettings(Section):
    """A kind of task of your own that can go through approval; a person carries it out and reports how it ended."""

    name: Word
    operations: tuple[Word, ...] = ()
    """Its kinds, which the levels of its flows may name."""
    multi_level: bool = False
    """Whether its flows may have more than one level."""


class FreezeSettings(Section):
    """A time in which nothing is carried out, approved or not; an emergency does not lift it. For all, or what is named."""

    name: str = Field(min_length=1, max_length=110)
    """What people are told, e.g. `11.11`."""
    by: str = Field(default="", max_length=120)
    """Who decided it and can be asked to end it; people are told."""
    reason: str = Field(default="", max_length=400)
    """Why; people are told."""
    start: AwareDatetime
    """With its zone: `2026-11-10T18:00:00+08:00`."""
    end: AwareDatetime
    repeats: Repeats | None = None
    """Comes round on the same weekday, day of the month or day of the year, at the same hours; never when left out."""
    schedulers: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()
    """`project`, or `scheduler:project`."""
    environments: tuple[str, ...] = ()
    """A target whose environment nobody knows counts as in each of them."""
    task_types: tuple[Word, ...] = ()
    """What is forbidden, e.g. `kill`, `set_success`; everything when empty."""

    @model_validator(mode="after")
    def _ordered(self) -> "FreezeSettings":
        if self.end <= self.start:
            raise ValueError(f"freeze {self.name}: end is not after start")
        if self.repeats and self.end - self.start > SHORTEST[self.repeats]:
            raise ValueError(f"freeze {self.name}: longer than it takes to come round")
        if self.start.day > LAST_DAY and (
            self.repeats == "monthly" or (self.repeats == "yearly" and self.start.month == FEBRUARY)
        ):
            raise ValueError(f"freeze {self.name}: begins on a day that not every month or year has")
        return self


class ApprovalSettings(Section):
    """Whether risky changes need others' approval. Off, the confirmation of an entitled person is enough."""

    enabled: bool = False
    bulk: int = Field(default=20, ge=2)
    """From so many instances on, any change is risky, so that it needs approval also where nobody made a flow."""
    task_types: tuple[TaskTypeSettings, ...] = ()
    freeze: tuple[FreezeSettings, ...] = ()


class ApiToken(Section):
    """A token for scripts that use the REST interface."""

    person: str = Field(min_length=1)
    """Name of the person it stands for; it may do what they may."""
    token: Secret
