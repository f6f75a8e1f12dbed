"""What the imitation of DataWorks holds: two workspaces, their people, tasks and tables, and one night's instances."""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

Json = dict[str, Any]

PROJECTS: Final[list[Json]] = [
    {"Id": 101, "Name": "trade", "DisplayName": "交易", "Status": "Available"},
    {"Id": 102, "Name": "finance", "DisplayName": "财务", "Status": "Available"},
]
MEMBERS: Final[dict[int, list[Json]]] = {
    101: [
        {"UserId": "2001", "UserName": "陈晓雯", "Status": "Normal", "Roles": [{"Code": "role_project_pe"}]},
        {"UserId": "2002", "UserName": "林志豪", "Status": "Normal", "Roles": [{"Code": "role_project_dev"}]},
        {"UserId": "2004", "UserName": "赵离职", "Status": "Forbidden", "Roles": [{"Code": "role_project_admin"}]},
    ],
    102: [{"UserId": "2003", "UserName": "王敏", "Status": "Normal", "Roles": [{"Code": "role_project_owner"}]}],
}


def _task(id_: int, name: str, owner: str, project: int = 101, cron: str = "00 15 02 * * ?", **more: Any) -> Json:
    trigger = {"Type": "Scheduler", "Cron": cron, "Recurrence": "Normal"}
    return {
        "Id": id_,
        "Name": name,
        "Owner": owner,
        "ProjectId": project,
        "Type": "ODPS_SQL",
        "Trigger": trigger,
        **more,
    }


TASKS: Final[list[Json]] = [
    _task(501, "ods_order", "2001"),
    _task(502, "dwd_trade_order_di", "2001"),
    _task(503, "dws_trade_order_di", "2001"),
    _task(504, "ads_gmv_daily", "2002", BaselineId=77, WorkflowId=88),
    _task(505, "dwd_click_hourly", "2002", cron="00 05 00-23/1 * * ?"),
    _task(506, "dws_user_weekly", "2002", cron="00 00 03 ? * 1"),
    _task(507, "dim_region_full", "2002"),
    _task(508, "ads_frozen_report", "2002"),
    _task(601, "fin_settlement_di", "2003", project=102),
]
UPSTREAM: Final[dict[int, list[int]]] = {502: [501], 503: [502], 504: [503, 507], 508: [502]}
HOURLY: Final = 505
LAST_NIGHT: Final[dict[int, str]] = {501: "Success", 502: "Success", 503: "Failure", 504: "NotRun", 507: "WaitResource"}
"""Statuses of the newest night where they are not all successes."""


def _table(task: int, name: str, project: str = "trade", keys: tuple[str, ...] = ("ds",), env: int = 1) -> Json:
    return {
        "TableGuid": f"odps.{project}.{name}",
        "Id": f"maxcompute-table:::{project}::{name}",
        "TableName": name,
        "ProjectName": project,
        "OwnerId": "2001",
        "EnvType": env,
        "Keys": list(keys),
        "UpstreamTasks": [{"Id": task, "Name": name}],
    }


TABLES: Final[list[Json]] = [
    _table(502, "dwd_trade_order_di"),
    _table(502, "dwd_trade_order_di", project="trade_dev", env=0),
    _table(501, "ods_order", keys=()),
    _table(601, "fin_settlement_di", project="closed", keys=()),
    *(_table(503, f"dws_trade_part{part}_di") for part in range(4)),
]


@dataclass
class Night:
    """The instances due on one day."""

    instances: dict[int, Json] = field(default_factory=dict[int, Json])
    ties: dict[int, list[int]] = field(default_factory=dict[int, list[int]])
    logs: dict[tuple[int, int], str] = field(default_factory=dict[tuple[int, int], str])


def night(day: date, zone: ZoneInfo, *, last: bool) -> Night:
    """A day's instances. On the last one a task failed, what waits for it has not run, another waits for resources."""
    made = Night()
    ids = {task["Id"]: day.toordinal() * 1000 + task["Id"] for task in TASKS}
    for task in TASKS:
        for hour in range(6) if task["Id"] == HOURLY else [2]:
            id_ = ids[task["Id"]] + (hour * 100_000_000 if task["Id"] == HOURLY else 0)
            one = made.instances[id_] = _instance(task, id_, datetime.combine(day, time(hour, 15), zone), last=last)
            if one["StartedTime"]:
                made.logs[id_, 1] = _log(one)
    made.ties = {ids[child]: [ids[parent] for parent in parents] for child, parents in UPSTREAM.items()}
    return made


def _instance(task: Json, id_: int, due: datetime, *, last: bool) -> Json:
    recurrence = {506: "SkipCycle", 508: "Pause"}.get(task["Id"], "Normal")
    status = "Failure" if recurrence == "Pause" else LAST_NIGHT.get(task["Id"], "Success") if last else "Success"
    started = status in {"Success", "Failure"}
    midnight = datetime.combine(due.date() - timedelta(days=1), time.min, due.tzinfo)
    return {
        "Id": id_,
        "TaskId": task["Id"],
        "TaskName": task["Name"],
        "TaskType": task["Type"],
        "Status": status,
        "Owner": task["Owner"],
        "ProjectId": task["ProjectId"],
        "ProjectEnv": "Prod",
        "Bizdate": _ms(midnight),
        "TriggerTime": _ms(due),
        "WaitingResourceTime": _ms(due + timedelta(minutes=1)) if status == "WaitResource" else 0,
        "WaitingTriggerTime": 0,
        "StartedTime": _ms(due + timedelta(minutes=2)) if started else 0,
        "FinishedTime": _ms(due + timedelta(minutes=9)) if started else 0,
        "Priority": 5,
        "RunNumber": 1,
        "RerunMode": "AllAllowed",
        "TriggerType": "Scheduler",
        "TriggerRecurrence": recurrence,
        "WorkflowInstanceType": "Normal",
        "OperationType": "",
        "BaselineId": 77 if task["Id"] == 504 else 0,
        "RuntimeResource": {"ResourceGroupId": "group_a", "Cu": "0.25"},
    }


def _log(one: Json) -> str:
    end = "FAILED: ODPS-0130131: Table not found" if one["Status"] == "Failure" else "OK"
    return f"SKYNET_ID={one['TaskId']}\nrunning {one['TaskName']}\n{end}\n"


def _ms(moment: datetime) -> int:
    return int(moment.timestamp()) * 1000
