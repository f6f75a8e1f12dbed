"""Alert rules and rosters of the imitation of DataWorks.

Rules, from the reference: rules belong to the account; lists leave out whom a rule calls; a roster is asked about for a span of
time, by the kind of duty.
"""

from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Final

from tests.fakes.aliyun import Fault
from tests.fakes.dataworks_rules import Json, page

HOURS: Final = 3_600_000
ROBOT: Final = "https://oapi.dingtalk.com/robot/send?access_token=0badcafe"


def _rule(
    id_: int, name: str, on: str, kind: str, ids: list[int], called: Mapping[str, list[str]], **more: object
) -> Json:
    receivers = [{"ReceiverType": kind, "ReceiverValues": values} for kind, values in called.items()]
    return {
        "Id": id_,
        "Name": name,
        "Owner": "2002",
        "Enabled": True,
        "TriggerCondition": {"Type": on, "Target": {"Type": kind, "Ids": ids, "AllowTasks": []}},
        "Notification": {"Channels": ["Phone"], "Receivers": receivers},
        **more,
    }


RULES: Final[list[Json]] = [
    _rule(9001, "trade errors", "Error", "Project", [101], {"ShiftSchedule": ["roster-1"], "DingdingUrl": [ROBOT]}),
    _rule(
        9002, "orders late", "UnFinished", "Task", [503], {"TaskOwner": [], "AliUid": ["2002", "7777"]}, Enabled=False
    ),
    _rule(9003, "finance errors", "Error", "Project", [102], {"AliUid": ["2003"]}),
]
ROSTERS: Final[list[Json]] = [{"ShiftScheduleIdentifier": "roster-1", "ShiftScheduleName": "交易值班"}]


class AlertDesk:
    """Who is called by DataWorks itself.

    Attributes:
        rules: as `GetAlertRule` gives them.
        duty: turns by roster: kind of duty, account, name, first and last moment in milliseconds.
    """

    def __init__(self, now: int) -> None:
        self.rules = deepcopy(RULES)
        self.duty: dict[str, list[tuple[str, str, str, int, int]]] = {
            "roster-1": [
                ("BACKUP", "2002", "lin.zhihao", now - HOURS, now + HOURS),
                ("PRIMARY", "2001", "chen.xiaowen", now - HOURS, now + HOURS),
                ("PRIMARY", "9999", "night.guest", now + HOURS, now + 9 * HOURS),
            ]
        }

    @property
    def ways(self) -> dict[str, Callable[[Json], Json]]:
        """By operation, who answers it."""
        return {
            "ListAlertRules": self._list,
            "GetAlertRule": self._one,
            "ListShiftSchedules": lambda given: page(given, "ShiftSchedules", ROSTERS, around="Paging"),
            "ListShiftPersonnels": self._personnel,
        }

    def _list(self, given: Json) -> Json:
        return page(
            given, "AlertRules", [{key: one[key] for key in one if key != "Notification"} for one in self.rules]
        )

    def _one(self, given: Json) -> Json:
        found = [one for one in self.rules if str(one["Id"]) == given["Id"]]
        if not found:
            raise Fault(404, "Invalid.AlertRule.NotExist", "The rule does not exist.")
        return {"AlertRule": found[0]}

    def _personnel(self, given: Json) -> Json:
        begin, end = int(given["BeginTime"]), int(given["EndTime"])
        found = [
            {"ShiftPersonUID": uid, "ShiftPersonName": name, "BeginTime": first, "EndTime": last}
            for kind, uid, name, first, last in self.duty.get(given["ShiftScheduleIdentifier"], [])
            if given.get("UserType", "ALL") in {"ALL", kind} and first < end and last > begin
        ]
        return page(given, "ShiftPersons", found, around="Paging")
