"""Nodes: made, changed, deleted, taken down, frozen; backfills; synchronisation tasks about to start."""

from typing import ClassVar

from core.events.dataworks.base import DataWorksEvent, Part
from core.events.dataworks.words import Order, SchedulerType
from core.events.values import Id, Ids, Open, Time


class NodeChange(DataWorksEvent):
    """A change of one node."""

    about: ClassVar = (("node", "node_id"), ("baseline", "baseline_id"))

    node_id: Id = ""
    """The node."""
    node_name: str = ""
    """Its name."""
    program_type: str = ""
    """Type of its code, e.g. `ODPS_SQL`; `ListFileType` lists them."""
    cron_express: str = ""
    """When it runs, as a cron expression with seconds: `00 30 05 * * ?` is half past five every day."""
    scheduler_type: Open[SchedulerType] = ""
    """How it is scheduled."""
    owner_id: Id = ""
    """Account of its owner, or of whoever schedules it when it has none."""
    priority: int | None = None
    """1, 3, 5, 7 or 8; the greater the more urgent."""
    baseline_id: Id = ""
    """The baseline it belongs to."""
    repeatability: bool | None = None
    """Whether it may be run again."""
    datasource: str = ""
    """The data source it works on."""
    modify_time: Time = None
    """When it was last changed."""
    create_time: Time = None
    """When it was made."""


class NodeCreated(NodeChange):
    """A node was made and deployed."""

    type: ClassVar = "dataworks:NodeChange:NodeChangeCreated"
    code: ClassVar = "node-change-created"


class NodeUpdated(NodeChange):
    """A node was changed, in development or by deploying the change."""

    type: ClassVar = "dataworks:NodeChange:NodeChangeUpdated"
    code: ClassVar = "node-change-updated"


class NodeDeleted(NodeChange):
    """A node was deleted from production or from the recycle bin."""

    type: ClassVar = "dataworks:NodeChange:NodeChangeDeleted"
    code: ClassVar = "node-change-deleted"


class NodesOperation(DataWorksEvent):
    """Something is about to be done to nodes in production."""

    before: ClassVar = True
    about: ClassVar = (("node", "node_ids"),)

    node_ids: Ids = ()
    """The nodes."""


class UndeployNodes(NodesOperation):
    """Nodes are about to be taken down from production."""

    type: ClassVar = "dataworks:NodeChange:UndeployNode"
    code: ClassVar = "undeploy-node"


class FreezeNodes(NodesOperation):
    """Nodes are about to be frozen."""

    type: ClassVar = "dataworks:NodeChange:FreezeNode"
    code: ClassVar = "freeze-node"


class UnfreezeNodes(NodesOperation):
    """Nodes are about to be unfrozen."""

    type: ClassVar = "dataworks:NodeChange:UnFreezeNode"
    code: ClassVar = "unfreeze-node"


class Backfill(DataWorksEvent):
    """Data is about to be backfilled."""

    type: ClassVar = "dataworks:BackfillDataOperate:BackfillData"
    code: ClassVar = "backfill-data"
    before: ClassVar = True
    about: ClassVar = (("node", "root_node_id"), ("node", "include_node_ids"))

    name: str = ""
    """Name of the workflow that the backfill makes."""
    root_node_id: Id = ""
    """The node it starts from."""
    root_node_project_id: Id = ""
    """Workspace of that node."""
    include_node_ids: Ids = ()
    """Nodes that run."""
    exclude_node_ids: Ids = ()
    """Nodes that only seem to: their instances are dry runs, successful at once."""
    biz_begin_time: str = ""
    """Hourly nodes only: from this time of day, `HH:mm:ss`."""
    biz_end_time: str = ""
    """Hourly nodes only: to this time of day."""
    is_parallel: bool | None = None
    """Whether different days may run at once."""
    parallel_group: int | None = None
    """In how many groups that run at once; 1 means not grouped."""
    start_future_instance_immediately: bool | None = None
    """Whether instances of times to come start now."""
    use_multiple_time_periods: bool | None = None
    """Whether `multiple_time_periods` holds the days."""
    multiple_time_periods: str = ""
    """The days, as JSON text: a list of `bizBeginTime` and `bizEndTime`."""
    order: Open[Order] = ""
    """In which order the days are taken."""


class TableMapping(Part):
    """From which table to which a synchronisation task writes. Names may be regular expressions."""

    src_datasource_name: str = ""
    """The source."""
    src_database_name: str = ""
    """Database in the source."""
    src_table: str = ""
    """Table in the source."""
    dst_datasource_name: str = ""
    """The destination."""
    dst_table: str = ""
    """Table in the destination."""


class StartSettings(Part):
    """How a synchronisation task is started."""

    last_start_position: str = ""
    """The position it last started from."""
    start_date_time: str = ""
    """From when on it reads, in `time_zone`."""
    time_zone: str = ""
    """Zone of that time, e.g. `Asia/Shanghai`."""


class SyncStart(DataWorksEvent):
    """Synchronisation tasks of Data Integration are about to start."""

    before: ClassVar = True
    project_fields: ClassVar = ("project_id", "app_id")

    app_id: Id = ""
    """The workspace, by its other name."""
    show_table_mapping: bool | None = None
    """Whether the tables are listed; false above 500 of them."""
    setting: StartSettings | None = None
    """How it starts."""


class StartSyncTask(SyncStart):
    """A synchronisation task is about to start."""

    type: ClassVar = "dataworks:NodeChange:StartDiJob"
    code: ClassVar = "start-diJob"
    about: ClassVar = (("sync", "id"), ("sync", "job_id"))

    id: Id = ""
    """The task, in its first version."""
    job_id: Id = ""
    """The task, in its second version."""
    force_run: bool | None = None
    """Whether it runs whatever the checks before say."""
    start_as_v2: bool | None = None
    """Whether it runs as the second version."""
    table_mapping: tuple[TableMapping, ...] = ()
    """Its tables."""

    @property
    def subjects(self) -> tuple[tuple[str, str], ...]:
        """The task and the tables it writes."""
        return (*super().subjects, *_written(self.table_mapping))


class SyncTables(Part):
    """The tables of one of several synchronisation tasks."""

    id: Id = ""
    """The task."""
    extension_biz_name: str = ""
    """Its name."""
    table_mapping: tuple[TableMapping, ...] = ()
    """Its tables."""


class StartSyncTasks(SyncStart):
    """Several synchronisation tasks are about to start."""

    type: ClassVar = "dataworks:NodeChange:BatchStartDiJob"
    code: ClassVar = "batch-start-diJob"
    about: ClassVar = (("sync", "job_ids"),)

    job_ids: Ids = ()
    """The tasks."""
    env: str = ""
    """The environment, e.g. `prod`."""
    need_error_message: bool | None = None
    """Whether the caller wants to read what went wrong."""
    error_message_only_failed_file_ids: bool | None = None
    """Whether only the failed ones are to be named."""
    table_mappings: tuple[SyncTables, ...] = ()
    """The tables of each."""

    @property
    def subjects(self) -> tuple[tuple[str, str], ...]:
        """The tasks and the tables they write."""
        return (*super().subjects, *(ref for task in self.table_mappings for ref in _written(task.table_mapping)))


def _written(mappings: tuple[TableMapping, ...]) -> tuple[tuple[str, str], ...]:
    """Tables that are written, each once: those of several sources may go into one."""
    return tuple(dict.fromkeys(("table", mapping.dst_table) for mapping in mappings if mapping.dst_table))
