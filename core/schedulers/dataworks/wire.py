"""What DataWorks answers, as far as we use it.

Unknown fields are dropped and enumerations stay plain words, so that a newer server breaks nothing. Ids become strings, and
milliseconds since 1970 times with a zone; 0 is how some operations write that there is none.
"""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, Generic, TypeVar

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_pascal

R = TypeVar("R")
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def _id(value: object) -> str:
    return "" if value is None or str(value) == "0" else str(value)


def _moment(value: object) -> datetime | None:
    try:
        return EPOCH + timedelta(milliseconds=int(value)) if isinstance(value, int | str) and int(value) else None
    except OverflowError:
        return None


Id = Annotated[str, BeforeValidator(_id)]
Moment = Annotated[datetime | None, BeforeValidator(_moment)]


class Wire(BaseModel):
    """Frozen, and tolerant of what it does not know."""

    model_config = ConfigDict(extra="ignore", frozen=True, alias_generator=to_pascal, populate_by_name=True)


class Paged(Wire, Generic[R]):
    """One page of a list; DataWorks names the list after what is in it. The plain list of lineage is deprecated."""

    items: tuple[R, ...] = Field(
        default=(),
        validation_alias=AliasChoices(
            "UpstreamTaskInstances",
            "DownstreamTaskInstances",
            "TaskInstances",
            "WorkflowInstances",
            "Tasks",
            "Projects",
            "ProjectMembers",
            "OperationLogs",
            "PartitionList",
            "Instances",
            "DataEntityList",
            "BaselineStatuses",
            "AlertRules",
            "ShiftSchedules",
            "ShiftPersons",
        ),
    )
    total: int = Field(default=0, validation_alias="TotalCount")


class Listing(Wire, Generic[R]):
    """An answer that holds a page."""

    page: Paged[R] = Field(default=Paged[R](), validation_alias=AliasChoices("PagingInfo", "Data", "Paging"))


class Resource(Wire):
    """Where it runs."""

    resource_group_id: str = ""


class TaskInstance(Wire):
    """An instance, as 2024-05-18 gives it."""

    id: Id
    task_id: Id
    task_name: str = ""
    kind: str = Field(default="", validation_alias="TaskType")
    status: str = ""
    recurrence: str = Field(default="", validation_alias="TriggerRecurrence")
    run_type: str = Field(default="", validation_alias="WorkflowInstanceType")
    operation: str = Field(default="", validation_alias="OperationType")
    owner: Id = ""
    project_id: Id = ""
    priority: int = 0
    run_number: int = 1
    baseline_id: Id = ""
    bizdate: Moment = None
    due: Moment = Field(default=None, validation_alias="TriggerTime")
    started: Moment = Field(default=None, validation_alias="StartedTime")
    finished: Moment = Field(default=None, validation_alias="FinishedTime")
    waiting_due: Moment = Field(default=None, validation_alias="WaitingTriggerTime")
    waiting_resource: Moment = Field(default=None, validation_alias="WaitingResourceTime")
    resource: Resource = Field(default=Resource(), validation_alias="RuntimeResource")


class PastInstance(TaskInstance):
    """An instance, as 2020-05-18 gives it: under other names, without owner, run number, type and resource group."""

    id: Id = Field(validation_alias="InstanceId")
    task_id: Id = Field(validation_alias="NodeId")
    task_name: str = Field(default="", validation_alias="NodeName")
    kind: str = Field(default="", validation_alias="ProgramType")
    recurrence: str = Field(default="", validation_alias="TaskType")
    run_type: str = Field(default="", validation_alias="DagType")
    due: Moment = Field(default=None, validation_alias="CycTime")
    started: Moment = Field(default=None, validation_alias="BeginRunningTime")
    finished: Moment = Field(default=None, validation_alias="FinishTime")
    waiting_due: Moment = Field(default=None, validation_alias="BeginWaitTimeTime")
    waiting_resource: Moment = Field(default=None, validation_alias="BeginWaitResTime")


class OneInstance(Wire):
    """What `GetTaskInstance` answers; None where there is no such instance and the server is polite about it."""

    task_instance: TaskInstance | None = None


class Neighbour(Wire):
    """One hop of lineage."""

    dependency_type: str = "Normal"
    task_instance: TaskInstance


class Trigger(Wire):
    """When a task runs."""

    type: str = ""
    cron: str = ""
    recurrence: str = ""


class TaskDefinition(Wire):
    """A task."""

    id: Id
    name: str = ""
    kind: str = Field(default="", validation_alias="Type")
    owner: Id = ""
    project_id: Id = ""
    priority: int = 0
    baseline_id: Id = ""
    workflow_id: Id = ""
    modify_time: Moment = None
    modify_user: Id = ""
    trigger: Trigger = Trigger()


class OneTask(Wire):
    """What `GetTask` answers."""

    task: TaskDefinition | None = None


class Project(Wire):
    """A workspace."""

    id: Id
    name: str


class Role(Wire):
    """What someone is in a workspace."""

    code: str = ""


class Member(Wire):
    """Someone who works in a workspace. `status` is `Forbidden` when the account is locked."""

    user_id: Id
    user_name: str = ""
    status: str = "Normal"
    roles: tuple[Role, ...] = ()


class Log(Wire):
    """What `GetTaskInstanceLog` answers: the whole log in one string."""

    text: str = Field(default="", validation_alias="TaskInstanceLog")


class StatusCount(Wire):
    """How many instances there are in each status that this operation knows."""

    failure_count: int = 0
    not_run_count: int = 0
    running_count: int = 0
    success_count: int = 0
    wait_res_count: int = 0
    wait_time_count: int = 0
    total_count: int = 0


class Statistic(Wire):
    """What `GetInstanceStatusStatistic` answers."""

    status_count: StatusCount = StatusCount()


class Success(Wire):
    """What became of one instance of a batch."""

    success: bool = False
    message: str = ""


class Batch(Wire):
    """What operations on several instances answer: HTTP 200, and then instance by instance."""

    success_info: dict[str, Success] = Field(default_factory=dict[str, Success])


class Begun(Wire):
    """What `CreateWorkflowInstances` answers: the work goes on."""

    operation_id: str = ""


class Creation(Wire):
    """How far creating instances has come: `Creating`, `Created`, `CreateFailure`."""

    status: str = ""
    failure_message: str = ""
    instances: tuple[Id, ...] = Field(default=(), validation_alias="WorkflowTaskInstanceIds")


class Created(Wire):
    """What `GetCreateWorkflowInstancesResult` answers."""

    result: Creation = Creation()


class WorkflowInstance(Wire):
    """What a backfill made for one day."""

    id: Id
    name: str = ""


class FoundTable(Wire):
    """A table of MaxCompute, as the search of 2020-05-18 knows it. `env_type` is 0 in development."""

    table_guid: str
    table_name: str = ""
    project_name: str = ""
    owner_id: Id = ""
    env_type: int = 1


class Producer(Wire):
    """A task that writes a table."""

    id: Id


class Business(Wire):
    """What DataWorks knows of a table beside its structure."""

    upstream_tasks: tuple[Producer, ...] = ()


class Table(Wire):
    """A table of the data map."""

    partition_keys: tuple[str, ...] = ()
    business_metadata: Business = Business()


class OneTable(Wire):
    """What `GetTable` answers."""

    table: Table | None = None


class Partition(Wire):
    """One partition. Times and numbers are MaxCompute's; other engines leave them out."""

    name: str = ""
    modify_time: Moment = None
    record_count: int | None = None
    data_size: int | None = None


class BasicInfo(Wire):
    """When a table's data, not its structure, last changed."""

    last_modify_time: Moment = None
    data_size: int | None = None


class OneBasicInfo(Wire):
    """What `GetMetaTableBasicInfo` answers."""

    data: BasicInfo | None = None


class Operation(Wire):
    """Something a person did to a task or instance."""

    create_time: Moment = None
    operation_content: str = ""
    user: Id = ""
    task_instance_id: Id = ""


class BaselineStatus(Wire):
    """A baseline on one day. `sla_time` is the promise; `end_cast` the forecast."""

    baseline_id: Id
    baseline_name: str = ""
    finish_status: str = ""
    owner: str = ""
    sla_time: Moment = None
    end_cast: Moment = None


class Target(Wire):
    """What a rule watches: things of a kind, but for some tasks."""

    type: str = ""
    ids: tuple[Id, ...] = ()
    spared: tuple[Id, ...] = Field(default=(), validation_alias="AllowTasks")


class Condition(Wire):
    """When a rule calls."""

    type: str = ""
    target: Target = Target()


class Receiver(Wire):
    """Whom a rule calls. Values of addresses hold secrets."""

    kind: str = Field(default="", validation_alias="ReceiverType")
    values: tuple[str, ...] = Field(default=(), validation_alias="ReceiverValues", repr=False)


class Notification(Wire):
    """How a rule calls."""

    receivers: tuple[Receiver, ...] = ()


class Rule(Wire):
    """A rule by which DataWorks calls people; lists leave out whom."""

    id: Id
    name: str = ""
    owner: Id = ""
    enabled: bool = True
    condition: Condition = Field(default=Condition(), validation_alias="TriggerCondition")
    notification: Notification = Notification()


class OneRule(Wire):
    """What `GetAlertRule` answers."""

    rule: Rule | None = Field(default=None, validation_alias="AlertRule")


class Roster(Wire):
    """A shift schedule."""

    id: str = Field(validation_alias="ShiftScheduleIdentifier")
    name: str = Field(default="", validation_alias="ShiftScheduleName")


class OnDuty(Wire):
    """Who is on duty in a span of time."""

    uid: Id = Field(default="", validation_alias="ShiftPersonUID")
    name: str = Field(default="", validation_alias="ShiftPersonName")
    begin_time: Moment = None
    end_time: Moment = None
