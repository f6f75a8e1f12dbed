"""What all of DataWorks' events share.

Every field may be missing and may be new: the reference's own samples leave out what its tables promise. A model names what
is known, keeps what is not (`model_extra`), and never stands in the way of storing an event.
"""

from datetime import datetime
from typing import ClassVar

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from core.events.values import Id

TIMES = ("modify_time", "operation_time", "update_time", "timestamp")
"""Fields that tell when the platform itself changed something, best first. Events are put in order by these."""


class Part(BaseModel):
    """A piece of an event: names as on the wire (`nodeId`) outside, as in Python (`node_id`) inside."""

    model_config = ConfigDict(
        extra="allow",
        frozen=True,
        alias_generator=to_camel,
        coerce_numbers_to_str=True,
        defer_build=True,
    )


class DataWorksEvent(Part):
    """One event's message body.

    Attributes:
        type: the event's type at EventBridge, `dataworks:<group>:<name>`.
        code: the same event's `eventCode` at Extensions.
        before: whether it is sent before the operation, which an extension can then allow or refuse.
        about: (kind of thing, field) for each field that names what the event is about.
        project_fields: fields that may hold the workspace's id.
    """

    type: ClassVar[str]
    code: ClassVar[str]
    before: ClassVar[bool] = False
    about: ClassVar[tuple[tuple[str, str], ...]] = ()
    project_fields: ClassVar[tuple[str, ...]] = ("project_id",)

    event_code: str = ""
    """The event's code; the other key to its type."""
    tenant_id: Id = ""
    """The tenant: an Alibaba Cloud account has one."""
    project_id: Id = ""
    """The workspace."""
    operator: Id = ""
    """User id of whoever did it, or is about to."""
    event_category_type: str = ""
    """Group of the event, where Function Compute is the way it came."""
    extension_biz_id: Id = ""
    """The check under way in an extension."""
    extension_biz_name: str = ""
    """Name of what is operated on; several names are joined, or cut off with dots."""
    block_business: bool = False
    """Whether the operation waits for an extension's decision."""

    @property
    def at(self) -> datetime | None:
        """When the platform changed what this event is about; None when the event does not tell."""
        return next((found for name in TIMES if (found := getattr(self, name, None)) is not None), None)

    @property
    def project(self) -> str:
        """The workspace's id; empty when the event names none."""
        return next((found for name in self.project_fields if (found := getattr(self, name))), "")

    @property
    def subjects(self) -> tuple[tuple[str, str], ...]:
        """(kind, id) of everything the event is about, in the order of `about`."""
        return tuple((kind, id) for kind, name in self.about for id in _several(getattr(self, name)))


def _several(value: str | tuple[str, ...]) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else (value,) if value else ()
