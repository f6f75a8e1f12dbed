"""What DolphinScheduler answers, as far as we use it: both generations of its names, 3.1 to 3.4.

Unknown fields are dropped and enumerations stay plain words, so that a newer server breaks nothing. Codes and ids are numbers
on the wire and strings here. Moments carry no zone on the wire: validation is given the server's as its context.
"""

import json
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo
from pydantic.alias_generators import to_camel

R = TypeVar("R")
FORMAT = "%Y-%m-%d %H:%M:%S"
"""How moments are written, in the server's zone."""


def _identity(value: object) -> str:
    return "" if value is None else str(value)


def _moment(value: object, info: ValidationInfo) -> object:
    if not isinstance(value, str):
        return value
    at = datetime.fromisoformat(value)
    return at if at.tzinfo else at.replace(tzinfo=info.context)


def _listed(value: object) -> object:
    return () if value is None else value


def _settings(value: object) -> object:
    """Settings of a task are JSON, or JSON written as a string; what is neither holds nothing for us."""
    if not isinstance(value, str):
        return value or {}
    try:
        return json.loads(value)
    except ValueError:
        return {}


Identity = Annotated[str, BeforeValidator(_identity)]
Moment = Annotated[datetime | None, BeforeValidator(_moment)]


class Wire(BaseModel):
    """Frozen, and tolerant of what it does not know."""

    model_config = ConfigDict(extra="ignore", frozen=True, alias_generator=to_camel, populate_by_name=True)


class Envelope(Wire):
    """Around every answer: 0 is success, and an error comes with HTTP 200 as well."""

    code: int
    msg: str | None = None
    data: Any = None


class Paged(Wire, Generic[R]):
    """One page of a list; `total` counts all that match."""

    items: Annotated[tuple[R, ...], BeforeValidator(_listed)] = Field(validation_alias="totalList")
    total: int = 0


class Project(Wire):
    """A project that the token's owner made or was granted; `perm` is the level at which somebody who was asked for has it."""

    code: Identity
    name: str
    user_name: str | None = None
    perm: int = 0


class User(Wire):
    """Somebody; `state` is 0 of one who may not log in."""

    id: Identity = ""
    user_name: str = ""
    state: int = 1

    @property
    def enabled(self) -> bool:
        """Whether they may do anything at all."""
        return self.state != 0


class Audited(Wire):
    """Something that somebody did."""

    model_type: str = ""
    model_name: str = ""
    operation: str = ""
    user_name: str = ""
    create_time: Moment = None


class Run(Wire):
    """A workflow instance. 3.1 lists it without `history_cmd`, the commands it had so far, the first being its origin."""

    id: Identity
    workflow: Identity = Field(validation_alias=AliasChoices("workflowDefinitionCode", "processDefinitionCode"))
    version: int = Field(
        default=0, validation_alias=AliasChoices("workflowDefinitionVersion", "processDefinitionVersion")
    )
    state: str
    command_type: str | None = None
    history_cmd: str | None = None
    schedule_time: Moment = None
    start_time: Moment = None
    end_time: Moment = None
    restart_time: Moment = None
    dry_run: int = 0
    test_flag: int = 0

    @property
    def due(self) -> datetime | None:
        """When it was to run; of one that a person started, when that was."""
        return self.schedule_time or self.start_time


class Attempt(Wire):
    """A task instance: a task begins a new one with every retry and rerun, and the older become invalid (`flag` NO)."""

    id: int
    name: str
    run: Identity = Field(validation_alias=AliasChoices("workflowInstanceId", "processInstanceId"))
    task: Identity = Field(validation_alias="taskCode")
    task_type: str = ""
    state: str
    submit_time: Moment = None
    start_time: Moment = None
    end_time: Moment = None
    host: str | None = None
    worker_group: str | None = None
    task_group_id: int = 0
    dry_run: int = 0


class DependItem(Wire):
    """What a dependent task waits for. `dep_task_code` is 0 or -1 for a whole workflow."""

    project: Identity = Field(default="", validation_alias="projectCode")
    workflow: Identity = Field(default="", validation_alias="definitionCode")
    task: int = Field(default=0, validation_alias="depTaskCode")
    date_value: str = ""


class DependGroup(Wire):
    """Items that are waited for together."""

    items: tuple[DependItem, ...] = Field(default=(), validation_alias="dependItemList")


class Dependence(Wire):
    """All that a dependent task waits for."""

    groups: tuple[DependGroup, ...] = Field(default=(), validation_alias="dependTaskList")


class TaskSettings(Wire):
    """The settings of a task, as far as they tell of other workflows."""

    dependence: Dependence | None = None


class TaskDefinition(Wire):
    """A task of a workflow. `flag` NO means that it is skipped when its turn comes."""

    code: Identity
    name: str
    task_type: str = ""
    flag: str = "YES"
    task_priority: str | None = None
    update_time: Moment = None
    modify_by: str | None = None
    task_params: Annotated[TaskSettings, BeforeValidator(_settings)] = TaskSettings()


class Relation(Wire):
    """An edge between two tasks; `pre` is 0 for a task that waits for none."""

    pre: Identity = Field(validation_alias="preTaskCode")
    post: Identity = Field(validation_alias="postTaskCode")


class WorkflowDefinition(Wire):
    """A workflow as it is now."""

    code: Identity
    name: str = ""
    version: int = 0
    user_name: str | None = None
    modify_by: str | None = None
    update_time: Moment = None


class Dag(Wire):
    """A workflow with its tasks and edges."""

    workflow: WorkflowDefinition = Field(validation_alias=AliasChoices("workflowDefinition", "processDefinition"))
    relations: Annotated[tuple[Relation, ...], BeforeValidator(_listed)] = Field(
        default=(), validation_alias=AliasChoices("workflowTaskRelationList", "processTaskRelationList")
    )
    tasks: Annotated[tuple[TaskDefinition, ...], BeforeValidator(_listed)] = Field(
        default=(), validation_alias="taskDefinitionList"
    )


class Schedule(Wire):
    """When a workflow is due; at most one a workflow."""

    id: Identity
    workflow: Identity = Field(validation_alias=AliasChoices("workflowDefinitionCode", "processDefinitionCode"))
    crontab: str = ""
    release_state: str = ""
    user_name: str | None = None
    update_time: Moment = None


class TaskGroup(Wire):
    """A quota that tasks of several workflows share."""

    id: int
    name: str
    group_size: int = 0
    use_size: int = 0


class Queued(Wire):
    """A task that holds a place in a task group, or waits for one."""

    task_name: str = ""
    run: Identity = Field(
        default="", validation_alias=AliasChoices("workflowInstanceId", "processInstanceId", "processId")
    )
    project: Identity = Field(default="", validation_alias="projectCode")


class LogPart(Wire):
    """Some lines of a log, from the worker that ran the task."""

    message: str | None = None
