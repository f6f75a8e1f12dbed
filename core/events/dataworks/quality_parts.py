"""What rules and monitors of data quality are made of."""

from core.events.dataworks.base import Part
from core.events.dataworks.words import (
    DatabaseType,
    HookType,
    Metric,
    NoticeChannel,
    Severity,
    ThresholdType,
    TriggerType,
)
from core.events.values import Id, Ids, Open


class Target(Part):
    """A table that is checked."""

    database_type: Open[DatabaseType] = ""
    """Where it is."""
    table_guid: str = ""
    """Its id in Data Map."""


class SamplingConfig(Part):
    """What a rule measures."""

    metric: Open[Metric] = ""
    """The measure."""


class Threshold(Part):
    """A condition on what was measured."""

    expression: str = ""
    """E.g. `$checkValue > 0`."""


class Thresholds(Part):
    """Conditions of a rule."""

    expected: Threshold | None = None
    """All is well."""
    warned: Threshold | None = None
    """A warning."""
    critical: Threshold | None = None
    """A critical alert."""


class CheckingConfig(Part):
    """How what was measured is judged."""

    type: Open[ThresholdType] = ""
    """How thresholds are found."""
    thresholds: Thresholds | None = None
    """The thresholds."""


class Rule(Part):
    """A rule."""

    id: Id = ""
    """The rule; empty while it is being made."""
    name: str = ""
    """Its name."""
    enabled: bool | None = None
    """Whether it is checked."""
    severity: Open[Severity] = ""
    """How important it is."""
    description: str = ""
    """What it is for."""
    template_code: str = ""
    """Template it was made from."""
    sampling_config: SamplingConfig | None = None
    """What it measures."""
    checking_config: CheckingConfig | None = None
    """How it judges."""


class Trigger(Part):
    """What starts a monitor."""

    type: Open[TriggerType] = ""
    """Kind of trigger."""
    task_ids: Ids = ()
    """Nodes whose instances start it when they succeed."""


class Hook(Part):
    """What a monitor does to the node that started it."""

    type: Open[HookType] = ""
    """What."""
    condition: str = ""
    """When, as an expression of `${severity}` and `${status}`."""


class Receiver(Part):
    """Who is told."""

    receiver_type: str = ""
    """Kind of address, e.g. `AliUid`, `DingdingUrl`."""
    receiver_values: tuple[str, ...] = ()
    """The addresses."""
    extension: str = ""
    """More about it, as JSON text, e.g. `atAll`."""


class Notification(Part):
    """Who is told how."""

    channels: tuple[Open[NoticeChannel], ...] = ()
    """How."""
    notificaion_receivers: tuple[Receiver, ...] = ()
    """Who. The platform spells the field so."""


class Notifications(Part):
    """Whom a monitor tells, and when."""

    condition: str = ""
    """When, as an expression of `${severity}` and `${status}`."""
    notifications: tuple[Notification, ...] = ()
    """Whom."""
