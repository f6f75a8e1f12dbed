"""Alerts that the imitation of Dataphin sent, and how they are looked for: by time, project, and a part of a name."""

from typing import Any

Json = dict[str, Any]


def _alert(number: int, node: str, reason: str, at: str, *receivers: Json, status: str = "ALERTING") -> Json:
    return {
        "Id": str(number),
        "Status": status,
        "AlertObject": {"Name": node, "Type": "VDM_BATCH_MAX_COMPUTE_SQL", "SourceSystemType": "VDM_BATCH"},
        "AlertReason": {"Type": reason, "BizDate": "2026-11-22", "UniqueKey": f"{node}-{number}"},
        "AlertReceiverList": list(receivers),
        "BelongProject": {"ProjectName": "trade", "BizName": None},
        "FirstAlertTime": at,
        "LatestAlertTime": at,
        "DoNotDisturbEndTime": None,
        "TotalAlertTimes": 1,
    }


def alerts() -> list[Json]:
    """What Dataphin sent about nodes of `trade`, the oldest first."""
    owner = {"Type": "OWNER", "UserList": [{"Name": "陈晓雯"}], "AlertChannelTypeList": ["SMS"]}
    roster = {"Type": "ON_CALL_TABLE", "OnCallTableName": "夜班", "UserList": [{"Name": "林志豪"}]}
    channel = {"Type": "USER_DEFINED", "UserList": None, "CustomAlertChannelIdList": ["c-7"]}
    return [
        _alert(60, "dws_trade_order_di", "VDM_BATCH_ERROR", "2026-10-01 02:24:00", channel),
        _alert(71, "dws_trade_order_di", "VDM_BATCH_ERROR", "2026-11-20 02:24:00", owner, status="FINISH"),
        _alert(72, "dws_trade_order_di", "VDM_BATCH_UNDONE", "2026-11-21 05:00:00", roster, status="DO_NOT_DISTURB"),
        _alert(73, "dws_trade_order_di_v2", "VDM_BATCH_ERROR", "2026-11-22 02:24:00", owner),
        _alert(74, "dws_trade_order_di", "VDM_BATCH_ERROR", "2026-11-23 02:24:00", owner, roster, channel),
    ]


def sent(known: list[Json], given: Json) -> list[Json]:
    """Those that a question is about."""
    query = given["ListQuery"]
    return [
        one
        for one in known
        if query["AlertStartTime"] <= one["LatestAlertTime"] <= query["AlertEndTime"]
        and query.get("Keyword", "") in one["AlertObject"]["Name"]
        and one["BelongProject"]["ProjectName"] in query["ProjectNameList"]
    ]
