"""Approvals, and tokens for the REST interface."""

from typing import Annotated

from pydantic import Field

from core.settings.section import Secret, Section

Word = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


class TaskTypeSettings(Section):
    """A kind of task of your own that can go through approval; a person carries it out and reports how it ended."""

    name: Word
    operations: tuple[Word, ...] = ()
    """Its kinds, which the levels of its flows may name."""
    multi_level: bool = False
    """Whether its flows may have more than one level."""


class ApprovalSettings(Section):
    """Whether risky changes need others' approval. Off, the confirmation of an entitled person is enough."""

    enabled: bool = False
    bulk: int = Field(default=20, ge=2)
    """From so many instances on, any change is risky, so that it needs approval also where nobody made a flow."""
    task_types: tuple[TaskTypeSettings, ...] = ()


class ApiToken(Section):
    """A token for scripts that use the REST interface."""

    person: str = Field(min_length=1)
    """Name of the person it stands for; it may do what they may."""
    token: Secret
