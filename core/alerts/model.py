"""What an alert says, whoever sent it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

AlertStatus = Literal["firing", "recovered", "unknown"]


@dataclass(frozen=True, slots=True)
class AlertObject:
    """Something an alert is about.

    Attributes:
        type: `instance`, `task`, `workflow`, `table`, `baseline`, `host`, `metric`.
        name: as the alert writes it; may be empty when there is an id.
        id: the platform's id; for Airflow `dag/run/task[/map_index]` as `core.schedulers.airflow` writes it.
    """

    type: str
    name: str = ""
    id: str = ""


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert, with everything it says and nothing it does not: what is missing is empty.

    Attributes:
        source: who sent it: `dataworks`, `dataphin`, `dolphinscheduler`, `airflow`, `alertmanager` …; `unknown`.
        kind: `failed`, `not_finished`, `timeout`, `retrying`, `failover`, `baseline`, `quality`, `freshness`, `resource`,
            `success`, `test`; empty when it does not say.
        business_date: ISO date the data is about.
        times: by meaning (`started`, `ended`, `occurred`, `promised`), as written.
        severity: as written.
        rule: name of the alerting rule.
        values: other labelled values, as written.
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


@dataclass(frozen=True, slots=True)
class Reading:
    """What was pasted. `chat` means that it is no alert; `left_out` that only the beginning was read."""

    kind: Literal["alert", "chat"]
    alerts: tuple[Alert, ...] = ()
    left_out: bool = False
