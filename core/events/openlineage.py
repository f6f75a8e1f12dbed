"""OpenLineage events: runs of jobs, and what is known of jobs and datasets without a run.

Any scheduler with an OpenLineage integration (Airflow, Spark, dbt, Flink) sends these. Facets are kept as they are: each
producer has its own, and who needs one reads it there.

Source: the OpenLineage specification, version 2-0-2.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, cast

from pydantic import Field, TypeAdapter

from core.events.dataworks.base import Part
from core.events.values import Id, Open, Time, Word


class RunState(Word):
    """What happened to a run."""

    START = "START"
    RUNNING = "RUNNING"
    COMPLETE = "COMPLETE"
    ABORT = "ABORT"
    """Stopped from outside."""
    FAIL = "FAIL"
    OTHER = "OTHER"
    """Something worth telling besides, e.g. metadata found later."""


class Job(Part):
    """A job: a task, a query, a model."""

    namespace: str = Field(min_length=1)
    """The system it belongs to."""
    name: str = Field(min_length=1)
    """Its name there; Airflow's is `dag.task`."""
    facets: Mapping[str, Any] = {}
    """More about it."""


class Dataset(Part):
    """A table, a file, a topic."""

    namespace: str = Field(min_length=1)
    """Where it is, e.g. `postgres://host:5432`."""
    name: str = Field(min_length=1)
    """Its name there, e.g. `shop.public.orders`."""
    facets: Mapping[str, Any] = {}
    """More about it."""
    input_facets: Mapping[str, Any] = {}
    """More about it as something that is read."""
    output_facets: Mapping[str, Any] = {}
    """More about it as something that is written, e.g. how many rows."""


class Run(Part):
    """One run of a job."""

    run_id: Id = Field(min_length=1)
    """A UUID that all events of the run repeat."""
    facets: Mapping[str, Any] = {}
    """More about it: `parent`, `nominalTime`, `errorMessage`."""


class LineageEvent(Part):
    """What all three kinds have.

    Attributes:
        type: `openlineage:` and the kind.
    """

    type: ClassVar[str]

    event_time: Time
    """When it happened."""
    producer: str = ""
    """What sent it."""
    schema_url: str = Field(default="", alias="schemaURL")
    """The schema it follows."""

    @property
    def at(self) -> datetime | None:
        """When it happened."""
        return self.event_time

    @property
    def key(self) -> str:
        """What a redelivery repeats; empty where only the whole event can tell."""
        return ""

    @property
    def project(self) -> str:
        """The namespace of the job."""
        return ""

    @property
    def subjects(self) -> tuple[tuple[str, str], ...]:
        """(kind, id) of what it is about."""
        return ()


class JobEvent(LineageEvent):
    """What a job reads and writes, told without a run."""

    type: ClassVar[str] = "openlineage:JobEvent"

    job: Job
    """The job."""
    inputs: tuple[Dataset, ...] = ()
    """What it reads."""
    outputs: tuple[Dataset, ...] = ()
    """What it writes."""

    @property
    def project(self) -> str:
        """The namespace of the job."""
        return self.job.namespace

    @property
    def subjects(self) -> tuple[tuple[str, str], ...]:
        """The job and what it writes."""
        return (("job", self.job.name), *(("table", output.name) for output in self.outputs))


class RunEvent(JobEvent):
    """Something happened to a run."""

    type: ClassVar[str] = "openlineage:RunEvent"

    event_type: Open[RunState] = RunState.OTHER
    """What."""
    run: Run
    """The run."""

    @property
    def key(self) -> str:
        """A run tells each thing once at one time."""
        return f"{self.run.run_id}/{self.event_type}/{self.event_time.isoformat() if self.event_time else ''}"

    @property
    def subjects(self) -> tuple[tuple[str, str], ...]:
        """The run, the job, and what it writes."""
        return (("run", self.run.run_id), *super().subjects)


class DatasetEvent(LineageEvent):
    """Something became known of a dataset."""

    type: ClassVar[str] = "openlineage:DatasetEvent"

    dataset: Dataset
    """The dataset."""

    @property
    def subjects(self) -> tuple[tuple[str, str], ...]:
        """The dataset."""
        return (("table", self.dataset.name),)


def lineage_model(event: Mapping[str, Any]) -> type[LineageEvent]:
    """Which of the three it is: a run is told by its run, a dataset event by its dataset."""
    if "run" in event:
        return RunEvent
    return DatasetEvent if "dataset" in event else JobEvent


def facet(value: object, *names: str) -> object:
    """What lies under a path of names in facets; None where a producer wrote something else."""
    for name in names:
        if not isinstance(value, Mapping):
            return None
        value = cast("Mapping[str, object]", value).get(name)
    return value


def facet_text(value: object, *names: str) -> str:
    """The text under a path of names; empty where there is none."""
    found = facet(value, *names)
    return found if isinstance(found, str) else ""


def facet_time(value: object, *names: str) -> datetime | None:
    """The time under a path of names; None where there is none."""
    return _TIME.validate_python(facet_text(value, *names))


_TIME: TypeAdapter[datetime | None] = TypeAdapter(Time)
