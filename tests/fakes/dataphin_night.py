"""What the imitation of Dataphin holds: two projects, their people, nodes and tables, and one night's instances.

Times come as Dataphin sends them: due times as numbers, times of runs as local text, some numbers as text.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

Json = dict[str, Any]

TRADE: Final = 7283355458594816
FINANCE: Final = 7295715579274176
PROJECTS: Final[list[Json]] = [
    {"Id": TRADE, "Name": "trade", "DisplayName": "交易", "Env": "PROD", "Mode": "DEV_PROD"},
    {"Id": FINANCE, "Name": "finance", "DisplayName": "财务", "Env": "PROD", "Mode": "DEV_PROD"},
]
PEOPLE: Final = {"3001": "陈晓雯", "3002": "林志豪", "3003": "王敏"}
MEMBERS: Final[dict[int, list[str]]] = {TRADE: ["3001", "3002"], FINANCE: ["3003"]}


def _node(number: int, name: str, owner: str, project: int = TRADE, period: str = "DAILY", **more: Any) -> Json:
    return {
        "Id": f"n_{number}",
        "Name": name,
        "Type": "DATA_PROCESS",
        "SubDetailType": "MAX_COMPUTE_SQL",
        "From": "DATA_PROCESS",
        "OwnerList": [{"Id": owner, "Name": PEOPLE[owner]}],
        "PriorityList": ["HIGH"],
        "SchedulePeriodList": [period],
        "ResourceGroupList": ["group_a"],
        "SchedulePaused": False,
        "DryRun": False,
        "HasDev": True,
        "HasProd": True,
        "ProjectId": project,
        **more,
    }


NODES: Final[list[Json]] = [
    _node(8126482847401836501, "ods_order", "3001"),
    _node(8126482847401836502, "dwd_trade_order_di", "3001"),
    _node(8126482847401836503, "dws_trade_order_di", "3001"),
    _node(8126482847401836504, "ads_gmv_daily", "3002"),
    _node(8126482847401836505, "dwd_click_hourly", "3002", period="HOURLY"),
    _node(8126482847401836506, "dws_user_trial", "3002", DryRun=True),
    _node(8126482847401836507, "dim_region_full", "3002"),
    _node(8126482847401836508, "ads_frozen_report", "3002", SchedulePaused=True),
    _node(8126482847401836509, "ads_user_monthly", "3002", period="MONTHLY"),
    _node(8126482847401836601, "fin_settlement_di", "3003", project=FINANCE),
]
BY_NAME: Final = {node["Name"]: node for node in NODES}
UPSTREAM: Final[dict[str, list[str]]] = {
    "dwd_trade_order_di": ["ods_order"],
    "dws_trade_order_di": ["dwd_trade_order_di"],
    "ads_gmv_daily": ["dws_trade_order_di", "dim_region_full"],
    "ads_frozen_report": ["dwd_trade_order_di"],
}
HOURLY: Final = "dwd_click_hourly"
WITHOUT_INSTANCES: Final = "ads_user_monthly"
LAST_NIGHT: Final[dict[str, str]] = {
    "dws_trade_order_di": "FAILED",
    "ads_gmv_daily": "WAITING",
    "dim_region_full": "WAIT_RESOURCE",
    "ads_frozen_report": "WAIT_SCHEDULE",
}
"""Statuses of the newest night where they are not all successes."""


def _table(guid: str, name: str, writer: str, env: str = "prod", **more: Any) -> Json:
    return {
        "Guid": guid,
        "Name": name,
        "Env": env,
        "ProjectName": "trade",
        "Owner": "3001",
        "IsPartitionTable": True,
        "TableSizeInBytes": 1 << 20,
        "Writer": writer,
        **more,
    }


TABLES: Final[list[Json]] = [
    _table("odps.trade.dwd_trade_order_di", "dwd_trade_order_di", "dwd_trade_order_di"),
    _table("odps.trade_dev.dwd_trade_order_di", "dwd_trade_order_di", "dwd_trade_order_di", env="dev"),
    _table("odps.trade.ods_order", "ods_order", "ods_order", IsPartitionTable=False),
    _table("odps.closed.fin_settlement_di", "fin_settlement_di", "fin_settlement_di"),
    *(_table(f"odps.trade.dws_part{part}_di", f"dws_trade_part{part}_di", "dws_trade_order_di") for part in range(4)),
]


@dataclass
class Night:
    """The instances due on one day."""

    instances: dict[str, Json] = field(default_factory=dict[str, Json])
    ties: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    runs: dict[str, list[Json]] = field(default_factory=dict[str, list[Json]])


def night(day: date, zone: ZoneInfo, *, last: bool) -> Night:
    """A day's instances. On the last one a node failed, what waits for it has not run, another waits for resources."""
    made = Night()
    ids: dict[str, str] = {}
    for node in NODES:
        if node["Name"] == WITHOUT_INSTANCES:
            continue
        for hour in range(6) if node["Name"] == HOURLY else [2]:
            one = _instance(node, datetime.combine(day, time(hour, 15), zone), last=last)
            ids[node["Name"]] = one["Id"]
            made.instances[one["Id"]] = one
            made.runs[one["Id"]] = [run(one, zone)] if one["StartExecuteTime"] else []
    made.ties = {ids[child]: [ids[parent] for parent in parents] for child, parents in UPSTREAM.items()}
    return made


def _instance(node: Json, due: datetime, *, last: bool) -> Json:
    state = LAST_NIGHT.get(node["Name"], "SUCCESS") if last else "SUCCESS"
    started = state in {"SUCCESS", "FAILED"}
    biz = datetime.combine(due.date() - timedelta(days=1), time.min, due.tzinfo)
    return {
        "Id": f"t_{node['Id'][2:]}_{biz:%Y%m%d}_81270371730608{due.hour:02}",
        "BizDate": milliseconds(biz),
        "DueTime": milliseconds(due),
        "StartExecuteTime": milliseconds(due + timedelta(minutes=2)) if started else None,
        "EndExecuteTime": milliseconds(due + timedelta(minutes=9)) if started else None,
        "Duration": "420" if started else None,
        "Index": due.hour + 1,
        "StatusList": [state],
        "ScheduleType": "NORMAL",
        "NodeInfo": dict(node),
    }


def run(one: Json, zone: ZoneInfo, number: int = 1) -> Json:
    """A run of an instance that has ended, with its log."""
    (state,) = one["StatusList"]
    end = "FAILED: ODPS-0130131: Table not found" if state == "FAILED" else "OK"
    return {
        "TaskrunId": f"r_{one['Id'][2:]}_{number}",
        "Status": state,
        "StartTime": _local(one["StartExecuteTime"], zone),
        "EndTime": _local(one["EndExecuteTime"], zone),
        "Duration": "420",
        "LogContent": f"Schedule type: AUTO_SCHEDULED\nrunning {one['NodeInfo']['Name']}, run {number}\n{end}\n",
    }


def _local(moment: int, zone: ZoneInfo) -> str:
    return f"{datetime.fromtimestamp(moment / 1000, zone):%Y-%m-%d %H:%M:%S}"


def milliseconds(moment: datetime) -> int:
    """Milliseconds since 1970."""
    return int(moment.timestamp()) * 1000
