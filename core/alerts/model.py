"""What an alert says, whoever sent it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Literal

AlertStatus = Literal["firing", "recovered", "unknown"]
ObjectType = Literal["instance", "task", "workflow", "table", "baseline", "host", "service", "queue", "rule"]


@dataclass(frozen=True, slots=True)
class AlertObject:
    """Something an alert is about.

    Attributes:
        type: `host` is also a pod, a cluster or a worker; `table` also a model, a source or a test; `rule` only where
            nothing else is named.
        name: as the alert writes it; may be empty when there is an id.
        id: the platform's id; for Airflow `dag/run/task[/map_index]` as `core.schedulers.airflow` writes it, or
            `dag/task` when no run is named.
    """

    type: ObjectType
    name: str = ""
    id: str = ""


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert, with everything it says and nothing it does not: what is missing is empty.

    Attributes:
        source: who sent it: `dataworks`, `dataphin`, `dolphinscheduler`, `airflow`, `alertmanager` …; `unknown`.
        status: a recovery that keeps the words of the failure is still a recovery.
        kind: a name from `[kind]` of `keys.toml`; empty when it does not say.
        objects: what it is about, the most particular first.
        business_date: ISO date the data is about. Airflow's logical date is none: it is in `times`.
        times: by meaning (`started`, `ended`, `occurred`, `promised`, `logical`), as written.
        severity: `critical`, `warning` or `info`; as written where its words or numbers mean nothing to us.
        rule: name of the alerting rule.
        values: other labelled values, as written, among them counts that tell of more objects than are listed;
            `contradiction` holds what cannot both be true.
        error: what it quotes of the failure.
    """

    source: str
    status: AlertStatus = "unknown"
    kind: str = ""
    objects: tuple[AlertObject, ...] = ()
    project: str = ""
    business_date: str = ""
    times: Mapping[str, str] = field(default_factory=dict[str, str])
    severity: str = ""
    rule: str = ""
    values: Mapping[str, str] = field(default_factory=dict[str, str])
    error: str = ""

    @property
    def due_day(self) -> str:
        """ISO day on which runs of the business date are due: the day after (DataWorks, Dataphin); empty without one."""
        business = self.business_date
        return (date.fromisoformat(business) + timedelta(days=1)).isoformat() if business else ""

    @property
    def subjects(self) -> tuple[AlertObject, ...]:
        """What a scheduler can be asked about: tasks, instances and tables; a workflow only where none of these is named."""
        named = tuple(thing for thing in self.objects if thing.type in {"instance", "task", "table"})
        return named or tuple(thing for thing in self.objects if thing.type == "workflow")


STATED = ("task_size", "stated", "issues", "firing")
"""Values that tell how many things there are."""
MORE = ("more", "truncatedAlerts")
"""Values that tell how many are not listed."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What was pasted. `chat` means that it is no alert.

    Attributes:
        left_out: whether only a part was read: the text is too long, holds too many alerts, or JSON that is too deep.
        injection: numbers of lines, from 1, that try to instruct the reader.
    """

    kind: Literal["alert", "chat"]
    alerts: tuple[Alert, ...] = ()
    left_out: bool = False
    injection: tuple[int, ...] = ()

    @property
    def unlisted(self) -> int:
        """How many more things the alerts say there are than they list."""
        listed = max(len(self.alerts), sum(len(alert.subjects) for alert in self.alerts))
        return max(0, self._told(STATED) - listed, self._told(MORE))

    def _told(self, names: tuple[str, ...]) -> int:
        said = (alert.values.get(name, "") for alert in self.alerts for name in names)
        return max((int(value) for value in said if value.isdecimal() and len(value) < 7), default=0)
