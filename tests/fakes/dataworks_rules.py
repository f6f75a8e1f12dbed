"""By which rules the imitation of DataWorks takes operations on instances: each changes one, or says why not.

They stand in DataWorks' reference; pages and moments as all its operations write them are here as well.
"""

from datetime import datetime
from typing import Any

Json = dict[str, Any]


def milliseconds(moment: datetime) -> int:
    """Since 1970."""
    return int(moment.timestamp()) * 1000


def page(given: Json, name: str, found: list[Json], *, around: str = "PagingInfo") -> Json:
    """The part of a list that is asked for."""
    number, size = int(given.get("PageNumber", 1)), int(given.get("PageSize", 10))
    part = found[(number - 1) * size : number * size]
    return {around: {"PageNumber": number, "PageSize": size, "TotalCount": len(found), name: part}}


def rerun(one: Json, now: int) -> str:
    """What ended, by `RerunMode`."""
    ended = one["Status"] in {"Success", "Failure"}
    if (
        one["RerunMode"] == "AllDenied"
        or not ended
        or (one["RerunMode"] == "FailureAllowed" and one["Status"] != "Failure")
    ):
        return "The instance cannot be rerun."
    one |= {"Status": "Running", "RunNumber": one["RunNumber"] + 1, "StartedTime": now, "FinishedTime": 0}
    return ""


def set_success(one: Json, now: int) -> str:
    """What failed."""
    if one["Status"] != "Failure":
        return "Only failed instances can be set to success."
    one |= {"Status": "Success", "OperationType": "SetSuccess", "FinishedTime": now}
    return ""


def stop(one: Json, now: int) -> str:
    """What runs, or is about to."""
    if one["Status"] not in {"Running", "WaitResource", "Checking"}:
        return "The instance is not running."
    one |= {"Status": "Failure", "FinishedTime": now}
    return ""


def suspend(one: Json, _: int) -> str:
    """What has not started."""
    if one["Status"] not in {"NotRun", "WaitTime"}:
        return "The instance has started."
    one["TriggerRecurrence"] = "Pause"
    return ""


def resume(one: Json, _: int) -> str:
    """What is suspended."""
    if one["TriggerRecurrence"] != "Pause":
        return "The instance is not suspended."
    one["TriggerRecurrence"] = "Normal"
    return ""
