"""What chats hear of without anybody asking in them."""

from typing import Literal

from pydantic import Field, model_validator

from core.settings.section import Section

HOURS = r"^(([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d)?$"


class SubscriptionSettings(Section):
    """A chat that hears of something. People make more of them with `/subscribe`."""

    channel: str = Field(min_length=1)
    """Name of the messenger, e.g. `feishu`."""
    chat: str = Field(min_length=1)
    """The messenger's id of the chat, e.g. `oc_…`."""
    kind: Literal["private", "group"] = "group"
    about: Literal["all", "project", "owner", "task", "table", "baseline", "tool"] = "project"
    subject: str = Field(default="", max_length=400)
    """Name of the project, owner, table, baseline or tool, reference of the task; empty for `all`."""
    severity: Literal["info", "warning", "critical"] = "warning"
    """The least that is told."""
    quiet: str = Field(default="", pattern=HOURS)
    """`22:00-08:00`: hours in which only what is critical is told."""

    @model_validator(mode="after")
    def _complete(self) -> "SubscriptionSettings":
        if (self.about == "all") != (not self.subject):
            raise ValueError("subscriptions: everything but `all` needs a subject")
        return self
