"""Instances: their status, what people do or are about to do to them; runs of workflows."""

from typing import ClassVar

from core.events.dataworks.base import DataWorksEvent
from core.events.dataworks.words import DagType, Environment, InstanceStatus, SchedulerType
from core.events.values import Id, Ids, Open, Time


class InstanceStatusChanged(DataWorksEvent):
    """An instance of a scheduled node changed its status. Names, owner and day are not told; they must be looked up."""

    type: ClassVar = "dataworks:InstanceStatusChanges:InstanceStatusChanges"
    code: ClassVar = "instance-status-changes"
    about: ClassVar = (("instance", "task_id"), ("node", "node_id"))
    project_fields: ClassVar = ("app_id", "project_id")

    task_id: Id = ""
    """The instance."""
    node_id: Id = ""
    """The node it is an instance of."""
    app_id: Id = ""
    """The workspace, by its other name."""
    status: Open[InstanceStatus] = ""
    """Its status."""
    task_type: Open[SchedulerType] = ""
    """How the node was scheduled when the instance was made: a failure with `PAUSE` only means that it is frozen."""
    dag_id: Id = ""
    """The run of the workflow it belongs to."""
    dag_type: Open[DagType] = ""
    """What that run is for."""
    flow_id: Id = ""
    """The workflow; 1 for ordinary scheduled instances."""
    op_code: Id = ""
    """Code of the operation; the platform says to ignore it."""
    begin_wait_time_time: Time = None
    """When it began to wait for its time."""
    begin_wait_res_time: Time = None
    """When it began to wait for resources."""
    begin_running_time: Time = None
    """When it began to run."""
    finish_time: Time = None
    """When it ended."""
    create_time: Time = None
    """When it was made."""
    modify_time: Time = None
    """When it was last changed: events may arrive in any order, this one decides."""


class InstancesOperated(DataWorksEvent):
    """Somebody did something to instances."""

    about: ClassVar = (("instance", "task_ids"),)

    task_ids: Ids = ()
    """The instances."""
    project_type: Open[Environment] = ""
    """The environment they run in."""


class InstancesFrozen(InstancesOperated):
    """Instances were frozen."""

    type: ClassVar = "dataworks:InstanceChange:FreezeInstance"
    code: ClassVar = "freeze-instance"


class InstancesUnfrozen(InstancesOperated):
    """Instances were unfrozen."""

    type: ClassVar = "dataworks:InstanceChange:UnfreezeInstance"
    code: ClassVar = "unfreeze-instance"


class InstancesKilled(InstancesOperated):
    """Instances were stopped."""

    type: ClassVar = "dataworks:InstanceChange:KillInstance"
    code: ClassVar = "kill-instance"


class InstancesRerun(InstancesOperated):
    """Instances were run again, alone or with what is downstream."""

    type: ClassVar = "dataworks:InstanceChange:RerunInstance"
    code: ClassVar = "rerun-instance"


class InstancesSetSuccess(InstancesOperated):
    """Instances were set to success by hand."""

    type: ClassVar = "dataworks:InstanceChange:SetInstanceSuccess"
    code: ClassVar = "set-instance-success"


class InstancesOperation(DataWorksEvent):
    """Somebody is about to do something to instances."""

    before: ClassVar = True
    about: ClassVar = (("instance", "task_ids"),)

    task_ids: Ids = ()
    """The instances."""


class FreezeInstances(InstancesOperation):
    """Instances are about to be frozen."""

    type: ClassVar = "dataworks:InstanceChange:PreFreezeInstance"
    code: ClassVar = "pre-freeze-instance"


class UnfreezeInstances(InstancesOperation):
    """Instances are about to be unfrozen."""

    type: ClassVar = "dataworks:InstanceChange:PreUnfreezeInstance"
    code: ClassVar = "pre-unfreeze-instance"


class RerunInstances(InstancesOperation):
    """Instances are about to be run again."""

    type: ClassVar = "dataworks:InstanceChange:PreRerunInstance"
    code: ClassVar = "pre-rerun-instance"


class SetInstancesSuccess(InstancesOperation):
    """Instances are about to be set to success."""

    type: ClassVar = "dataworks:InstanceChange:PreSetInstanceSuccess"
    code: ClassVar = "pre-set-instance-success"


class KillInstances(InstancesOperation):
    """Instances are about to be stopped."""

    type: ClassVar = "dataworks:InstanceChange:PreKillInstance"
    code: ClassVar = "pre-kill-instance"


class InstanceDependenciesDeleted(DataWorksEvent):
    """An instance no longer waits for some of those above it."""

    type: ClassVar = "dataworks:InstanceChange:DeleteTaskInstanceDependencies"
    code: ClassVar = "delete-task-instance-dependencies"
    about: ClassVar = (("instance", "task_instance_id"),)
    project_fields: ClassVar = ("app_id", "project_id")

    task_instance_id: Id = ""
    """The instance."""
    upstream_task_instance_ids: Ids = ()
    """Those it no longer waits for."""
    app_id: Id = ""
    """The workspace, by its other name."""
    operation_time: Time = None
    """When that was done."""


class ExpiredInstancesDeleted(DataWorksEvent):
    """The platform deleted instances that are too old."""

    type: ClassVar = "dataworks:InstanceChange:ExpiredTaskInstancesDeleted"
    code: ClassVar = "expired-task-instances-deleted"
    about: ClassVar = (("instance", "deleted_task_instance_ids"),)
    project_fields: ClassVar = ("app_id", "project_id")

    deleted_task_instance_ids: Ids = ()
    """Those that are gone."""
    owner: Id = ""
    """Their owner."""
    app_id: Id = ""
    """The workspace, by its other name."""
    operation_time: Time = None
    """When that was done."""


class DagStatusChanged(DataWorksEvent):
    """A run of a workflow changed its status: a backfill, or a workflow started by hand."""

    type: ClassVar = "dataworks:DagStatusChanges:DagStatusChanges"
    code: ClassVar = "dag-status-changes"
    about: ClassVar = (("dag", "dag_id"),)

    dag_id: Id = ""
    """The run."""
    dag_name: str = ""
    """Its name."""
    dag_type: Open[DagType] = ""
    """What it is for."""
    status: Open[InstanceStatus] = ""
    """Its status: not run, running, failure or success."""
    flow_id: Id = ""
    """The workflow."""
    flow_name: str = ""
    """Its name."""
    biz_date: Time = None
    """The day its data is of."""
    create_time: Time = None
    """When it was made."""
    project_env: Open[Environment] = ""
    """The environment it runs in."""
