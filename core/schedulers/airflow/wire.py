"""What Airflow's REST API v2 answers, as far as we use it.

Unknown fields are dropped and enumerations stay plain words, so that a newer server breaks nothing.
"""

from datetime import datetime
from typing import Any, Generic, TypeVar

from pydantic import AliasChoices, AwareDatetime, BaseModel, ConfigDict, Field

R = TypeVar("R")


class Wire(BaseModel):
    """Frozen, and tolerant of what it does not know."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Paged(Wire, Generic[R]):
    """One page of a collection; Airflow names the list after what is in it."""

    items: tuple[R, ...] = Field(
        validation_alias=AliasChoices(
            "task_instances", "dags", "tasks", "assets", "asset_events", "dag_runs", "backfills", "dependencies"
        )
    )
    total_entries: int = 0


class TaskInstance(Wire):
    """`state` is null until the scheduler found the dependencies met; `map_index` is -1 for a task that is not mapped."""

    dag_id: str
    dag_run_id: str
    task_id: str
    map_index: int = -1
    task_display_name: str = ""
    state: str | None = None
    try_number: int = 0
    logical_date: AwareDatetime | None = None
    run_after: AwareDatetime
    start_date: AwareDatetime | None = None
    end_date: AwareDatetime | None = None
    queued_when: AwareDatetime | None = None
    scheduled_when: AwareDatetime | None = None
    pool: str = ""
    note: str | None = None


class Dag(Wire):
    """`timetable_summary` is a cron expression or preset, `Asset`, or null for a DAG that only people start."""

    dag_id: str
    is_paused: bool = False
    owners: tuple[str, ...] = ()
    timetable_summary: str | None = None


class TaskDefinition(Wire):
    """A task of a DAG's latest version."""

    task_id: str
    task_display_name: str = ""
    owner: str | None = None
    operator_name: str | None = None
    downstream_task_ids: tuple[str, ...] | None = None


class TaskReference(Wire):
    """A task that writes an asset."""

    dag_id: str
    task_id: str


class LastEvent(Wire):
    """When an asset was last written; null when it never was."""

    timestamp: AwareDatetime | None = None


class Asset(Wire):
    """What Airflow knows of a table."""

    id: int
    name: str
    producing_tasks: tuple[TaskReference, ...] = ()
    last_asset_event: LastEvent | None = None


class RunReference(Wire):
    """A run that an asset event started."""

    dag_id: str
    run_id: str


class AssetEvent(Wire):
    """One time an asset was written. No source when a program outside Airflow reported it."""

    timestamp: AwareDatetime
    extra: dict[str, Any] | None = None
    source_dag_id: str | None = None
    source_run_id: str | None = None
    source_task_id: str | None = None
    source_map_index: int = -1
    created_dagruns: tuple[RunReference, ...] = ()
    partition_key: str | None = None


class DagRun(Wire):
    """One run of a DAG."""

    dag_id: str
    dag_run_id: str
    logical_date: AwareDatetime | None = None


class Dependency(Wire):
    """Why a task instance that has not been scheduled is held back."""

    name: str
    reason: str


class Backfill(Wire):
    """One order to run a DAG for a span of days."""

    dag_id: str
    from_date: datetime
    to_date: datetime
    dag_run_conf: dict[str, Any] | None = None


class LogPart(Wire):
    """Part of a log: one object a line from Airflow 3 tasks, plain strings from foreign log stores."""

    content: list[dict[str, Any] | str]
    continuation_token: str | None = None


class Beat(Wire):
    """Health of one of Airflow's own processes; null when there is none."""

    status: str | None = None


class Monitor(Wire):
    """Health of Airflow's own processes."""

    scheduler: Beat = Beat()
    dag_processor: Beat | None = None


class Version(Wire):
    """Of the server."""

    version: str


class Login(Wire):
    """A bearer token."""

    access_token: str


class Problem(Wire):
    """Body of an error: a sentence, a list of validation errors, or an object with a reason."""

    detail: Any = ""
