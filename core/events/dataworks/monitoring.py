"""What the platform's own monitoring says: baselines, rules, events, resource groups."""

from typing import ClassVar

from core.events.dataworks.base import DataWorksEvent
from core.events.dataworks.words import (
    AlarmType,
    BaselineStatus,
    InstanceStatus,
    RemindType,
    RemindUnit,
    ResourceGroupType,
)
from core.events.values import Id, Ids, Open, Time


class MonitorAlert(DataWorksEvent):
    """An alert of the platform's monitoring. `alarm_type` tells which of the fields are there."""

    type: ClassVar = "dataworks:MonitorAlert:WorkbenchMonitorAlert"
    code: ClassVar = "workbench-monitor-alert"
    about: ClassVar = (
        ("instance", "task_id"),
        ("instance", "task_ids"),
        ("node", "node_id"),
        ("node", "node_ids"),
        ("baseline", "baseline_id"),
        ("rule", "remind_id"),
        ("resource_group", "resource_group_identifier"),
    )

    alarm_type: Open[AlarmType] = ""
    """Whether a baseline, a rule or an event speaks."""
    task_id: Id = ""
    """Baseline, event: the instance that is to blame."""
    node_id: Id = ""
    """Baseline, event: its node."""
    baseline_id: Id = ""
    """Baseline: which."""
    baseline_name: str = ""
    """Baseline: its name."""
    baseline_status: Open[BaselineStatus] = ""
    """Baseline: how it stands."""
    biz_date: Time = None
    """Baseline: the day its data is of."""
    in_group_id: Id = ""
    """Baseline: which cycle of the day; 1 for a daily one, 1 to 24 for an hourly one."""
    topic_id: Id = ""
    """Event: which."""
    task_status: Open[InstanceStatus] = ""
    """Event: status of the instance."""
    remind_id: Id = ""
    """Rule: which."""
    remind_name: str = ""
    """Rule: its name."""
    remind_type: Open[RemindType] = ""
    """Rule: what happened."""
    remind_unit: Open[RemindUnit] = ""
    """Rule: what it watches."""
    node_ids: Ids = ()
    """Rule: the nodes; on the wire one text with commas."""
    task_ids: Ids = ()
    """Rule: the instances; on the wire one text with commas."""
    resource_group_identifier: str = ""
    """Rule for a resource group: which."""
    resource_group_name: str = ""
    """Rule for a resource group: its name."""
    resource_group_type: Open[ResourceGroupType] = ""
    """Rule for a resource group: what it serves."""
