"""What Dataphin answers, as far as we use it.

Unknown fields are dropped and enumerations stay plain words, so that a newer server breaks nothing. Ids become strings. The
same time comes as milliseconds since 1970, as a number or as text, or as a local time (`2026-11-23 02:17:00`), whatever the
SDK's models say; all become times with a zone. Who reads an answer gives the zone of local times as context `zone`.
"""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Final, Generic, TypeVar, cast
from zoneinfo import ZoneInfo

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, model_validator
from pydantic.alias_generators import to_pascal

R = TypeVar("R")
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def _moment(value: object, info: ValidationInfo) -> datetime | None:
    text = str(value).strip()
    try:
        if text.isdecimal():
            return EPOCH + timedelta(milliseconds=int(text)) if int(text) else None
        told = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        return None
    return told if told.tzinfo else told.replace(tzinfo=_zone(info))


def _day(value: object, info: ValidationInfo) -> date | None:
    if re.fullmatch(r"(19|20)\d{6}", str(value)):
        return datetime.strptime(f"{value}Z", "%Y%m%d%z").date()
    moment = _moment(value, info)
    return moment.astimezone(_zone(info)).date() if moment else None


def _zone(info: ValidationInfo) -> ZoneInfo:
    return cast("dict[str, ZoneInfo]", info.context)["zone"]


Id = Annotated[str, BeforeValidator(str)]
Moment = Annotated[datetime | None, BeforeValidator(_moment)]
Day = Annotated[date | None, BeforeValidator(_day)]
"""A business date: `20261122`, or the moment at which it begins."""


class Wire(BaseModel):
    """Frozen, and tolerant of what it does not know. What is null is as good as absent."""

    model_config = ConfigDict(extra="ignore", frozen=True, alias_generator=to_pascal, populate_by_name=True)

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, given: object) -> object:
        if not isinstance(given, dict):
            return given
        return {name: value for name, value in cast("dict[str, object]", given).items() if value is not None}


class Paged(Wire, Generic[R]):
    """One page of a list; Dataphin names the list after what is in it."""

    items: tuple[R, ...] = Field(
        default=(),
        validation_alias=AliasChoices("Data", "NodeList", "ProjectList", "ProjectMemberList", "TableList"),
    )
    total: int = Field(default=0, validation_alias="TotalCount")


class Listing(Wire, Generic[R]):
    """An answer that holds a page."""

    page: Paged[R] = Field(default=Paged[R](), validation_alias=AliasChoices("PageResult", "ListResult"))


class Person(Wire):
    """Somebody of the tenant."""

    id: Id = Field(default="", validation_alias=AliasChoices("Id", "UserId"))
    name: str = Field(default="", validation_alias=AliasChoices("Name", "UserName", "DisplayName"))


class Project(Wire):
    """A project."""

    id: Id = Field(validation_alias=AliasChoices("Id", "ProjectId"))
    name: str = Field(default="", validation_alias=AliasChoices("Name", "ProjectName"))


class Node(Wire):
    """A node, as lists and instances carry it."""

    id: Id = ""
    name: str = ""
    kind: str = Field(default="", validation_alias="SubDetailType")
    owner_list: tuple[Person, ...] = ()
    priority_list: tuple[str, ...] = ()
    schedule_period_list: tuple[str, ...] = ()
    resource_group_list: tuple[str, ...] = ()
    schedule_paused: bool = False
    dry_run: bool = False


class PhysicalNode(Wire):
    """A node, as it is told when asked for alone: with its project, without flags."""

    id: Id
    name: str = ""
    project: Project = Field(validation_alias="ProjectInfo")
    last_modified_time: Moment = None
    modifier: Person = Person()


class OneNode(Wire):
    """What `GetPhysicalNode` answers."""

    node_info: PhysicalNode | None = None


class NodeInstance(Wire):
    """An instance. `wait_reason` and `block_type` are sent, though the SDK's models do not have them."""

    id: Id
    biz_date: Day = None
    due: Moment = Field(default=None, validation_alias="DueTime")
    started: Moment = Field(default=None, validation_alias="StartExecuteTime")
    finished: Moment = Field(default=None, validation_alias="EndExecuteTime")
    status_list: tuple[str, ...] = ()
    run_type: str = Field(default="NORMAL", validation_alias="Type")
    wait_reason: str = ""
    block_type: str = ""
    node: Node = Field(default=Node(), validation_alias="NodeInfo")


class OneInstance(Wire):
    """What `GetPhysicalInstance` answers; None where there is no such instance and the server is polite about it."""

    instance: NodeInstance | None = None


class TaskRun(Wire):
    """One run of an instance, with its log."""

    status: str = ""
    log_content: str = ""


class TaskRuns(Wire):
    """What `GetPhysicalInstanceLog` answers: all runs, the latest last."""

    runs: tuple[TaskRun, ...] = Field(default=(), validation_alias="TaskrunLogList")


class Neighbour(Wire):
    """An instance one hop away, without its status."""

    id: Id
    name: str = ""
    node_id: Id = ""


class Neighbours(Wire):
    """The instances around one."""

    up: tuple[Neighbour, ...] = Field(default=(), validation_alias="UpInstanceList")
    down: tuple[Neighbour, ...] = Field(default=(), validation_alias="DownInstanceList")


class Dag(Wire):
    """What `GetInstanceUpDownStream` answers."""

    around: Neighbours = Field(default=Neighbours(), validation_alias="InstanceDagInfo")


class Operation(Wire):
    """Something a person did to a node."""

    at: Moment = Field(default=None, validation_alias="OperationTime")
    operation_type: str = ""
    context: str = ""
    operator_name: str = ""


class OperationLog(Wire):
    """What `GetPhysicalNodeOperationLog` answers."""

    operations: tuple[Operation, ...] = Field(default=(), validation_alias="OperationLogList")


class FoundTable(Wire):
    """A table, as the search knows it."""

    guid: str
    name: str = ""
    env: str = ""
    project_name: str = ""


class Producer(Wire):
    """A node that writes a table."""

    node_id: Id
    node_name: str = ""
    env: str = ""
    sub_biz_type: str = ""
    owners: tuple[Person, ...] = ()
    project: Project | None = None


class Table(Wire):
    """A table. `last_dml_time` is about data; `LastDdlTime`, which is about columns, is left alone."""

    owner: Id = ""
    is_partition_table: bool = False
    last_dml_time: Moment = None
    table_size_in_bytes: int | None = None
    producers: tuple[Producer, ...] = Field(default=(), validation_alias="SimpleNodeInfos")


class OneTable(Wire):
    """What `GetTable` answers."""

    data: Table | None = None


class AlertObject(Wire):
    """What an alert is about, by its name: a node, a table, a baseline."""

    name: str = ""


class AlertReason(Wire):
    """Why an alert was sent, e.g. `VDM_BATCH_ERROR`."""

    type: str = ""


class Receiver(Wire):
    """Whom an alert went to: people, those of a roster among them, and channels."""

    roster: str = Field(default="", validation_alias="OnCallTableName")
    users: tuple[Person, ...] = Field(default=(), validation_alias="UserList")
    channels: tuple[str, ...] = Field(default=(), validation_alias="CustomAlertChannelIdList")


class AlertEvent(Wire):
    """An alert, with all times it was sent again."""

    id: Id
    status: str = ""
    about: AlertObject = Field(default=AlertObject(), validation_alias="AlertObject")
    reason: AlertReason = Field(default=AlertReason(), validation_alias="AlertReason")
    receivers: tuple[Receiver, ...] = Field(default=(), validation_alias="AlertReceiverList")
    latest_alert_time: Moment = None


class OneAlertEvent(Wire):
    """What `GetAlertEvent` answers."""

    event: AlertEvent | None = Field(default=None, validation_alias="AlertEventInfo")


class InstanceResult(Wire):
    """What became of one instance of an operation."""

    id: Id = ""
    status: str = ""
    error_message: str = ""


class Operated(Wire):
    """What `OperateInstance` answers: HTTP 200, and then instance by instance."""

    results: tuple[InstanceResult, ...] = Field(default=(), validation_alias="InstanceStatusList")


class Submitted(Wire):
    """What starts something long answers."""

    submit_id: Id = ""


class DagRun(Wire):
    """The part of a backfill that is about one day."""

    id: Id
    status: str = ""


class DagRuns(Wire):
    """What `GetSupplementDagrun` answers."""

    runs: tuple[DagRun, ...] = Field(default=(), validation_alias="DagrunList")


class DagRunInstances(Wire):
    """What `GetSupplementDagrunInstance` answers."""

    instances: tuple[NodeInstance, ...] = Field(default=(), validation_alias="InstanceList")


class Version(Wire):
    """What `GetServerVersion` answers."""

    data: str = ""
