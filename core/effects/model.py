"""Something that happened, as an event tells it, and with what was found out about it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from pydantic import TypeAdapter

from core.diagnosis.model import Diagnosis
from core.results import AlertReport
from core.schedulers.base import AlertRule, DataTable, Instance, Status
from core.subscriptions.model import Severity

Kind = Literal[
    "failed", "recovered", "alert", "quality", "progress", "operated", "approval", "transfer", "deleted", "heard"
]


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that people may want to hear of.

    Attributes:
        key: unique for ever; the same event gives the same one.
        subject: `kind:id` of what it is about; what ends has the subject of what began.
        source: `dataworks`, `openlineage`, or the name of a tool.
        at: when it happened, by the platform's clock.
        over: it ended something: a recovery, a baseline that is safe, a check that passed.
        again: it was told before, and goes on.
        project: as the platform names it, by its id as a rule.
        instances: ids of the instances it is about.
        name: what people call the subject, where the event tells.
        word: the platform's word for what happened; chooses a sentence.
        values: more of what the event says.
        actor: the platform's id of whoever did it.
        text: what a tool said.
    """

    key: str
    kind: Kind
    subject: str
    source: str
    at: datetime
    severity: Severity = "warning"
    over: bool = False
    again: bool = False
    project: str = ""
    instances: tuple[str, ...] = ()
    name: str = ""
    word: str = ""
    values: Mapping[str, str] = field(default_factory=dict[str, str])
    actor: str = ""
    text: str = ""


HAPPENING: TypeAdapter[Happening] = TypeAdapter(Happening)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that happened, with what is known of it.

    Attributes:
        instance: what it is about, or what is to blame.
        diagnosis: why that failed.
        table: what was checked.
        report: what a tool's text says.
        rule: by which the platform raised an alert.
        progress: how many instances of a run of a workflow are known, by status.
    """

    happening: Happening
    as_of: datetime
    instance: Instance | None = None
    diagnosis: Diagnosis | None = None
    table: DataTable | None = None
    report: AlertReport | None = None
    rule: AlertRule | None = None
    progress: Mapping[Status, int] = field(default_factory=dict[Status, int])

    @property
    def subject(self) -> str:
        """What it turned out to be about: a tool's text about an instance is about that instance."""
        if self.report is None:
            return self.happening.subject
        if self.instance is not None:
            return f"instance:{self.instance.id}"
        alert = self.report.reading.alerts[0]
        named = next((thing.name or thing.id for thing in alert.objects), "")
        return f"{self.happening.source}:{alert.rule}:{named}"

    @property
    def ref(self) -> str:
        """What tells it apart from others in one card: a task of Airflow has many instances, also at the same time."""
        if self.instance is not None and self.happening.subject.startswith("task:"):
            return f"instance:{self.instance.id}"
        return self.subject

    @property
    def over(self) -> bool:
        """Whether it has ended: by the event, or by what has become of it since."""
        ended = self.instance is not None and self.instance.status.succeeded and self.happening.kind == "failed"
        recovered = self.report is not None and all(one.status == "recovered" for one in self.report.reading.alerts)
        return self.happening.over or ended or recovered
