"""DataWorks on loopback: workspaces, tasks, three days of instances, and the rules by which operations are taken.

    async with FakeDataWorks() as dataworks:
        scheduler = DataWorksScheduler(dataworks.connection(), zone=…, clock=dataworks.clock)

Rules, from DataWorks' reference: `ListTaskInstances` is about one workspace and one bizdate, which is the day before the
instances are due; operations on instances answer 200 and tell instance by instance; a rerun is allowed by `RerunMode`; success
is set on what failed; what runs can be stopped; what has not started can be suspended, and then fails when its time comes.
"""

import json
from collections.abc import Callable, Mapping
from copy import deepcopy
from datetime import UTC, date, datetime, timedelta
from typing import Any, ClassVar, Final
from zoneinfo import ZoneInfo

from core.settings import SchedulerConnection
from tests.fakes.aliyun import KEY, SECRET, AliyunGateway, Fault, Json
from tests.fakes.dataworks_alerts import AlertDesk
from tests.fakes.dataworks_night import MEMBERS, PROJECTS, TABLES, TASKS, night
from tests.fakes.dataworks_rules import milliseconds, page, rerun, resume, set_success, stop, suspend

ZONE: Final = ZoneInfo("Asia/Shanghai")
NOW: Final = datetime(2026, 11, 23, 8, tzinfo=ZONE)
TODAY: Final = NOW.date()
PAST_STATUS: Final = {
    "NotRun": "NOT_RUN(1)",
    "WaitTime": "WAIT_TIME(2)",
    "WaitResource": "WAIT_RESOURCE(3)",
    "Running": "RUNNING(4)",
    "Failure": "FAILURE(5)",
    "Success": "SUCCESS(6)",
    "Checking": "CHECKING(7)",
}
PAST_RECURRENCE: Final = {"Pause": "PAUSE(2)", "Skip": "SKIP(3)", "SkipCycle": "SKIP_CYCLE(5)"}
PAST_RUN: Final = {"Normal": "DAILY", "SupplementData": "SUPPLY_DATA", "SmokeTest": "SMOKE_TEST", "Manual": "MANUAL"}
RUN_MODES: Final = {"0": "Normal", "2": "Pause"}
COUNTED: Final = {
    "Failure": "FailureCount",
    "NotRun": "NotRunCount",
    "Running": "RunningCount",
    "Success": "SuccessCount",
    "WaitResource": "WaitResCount",
    "WaitTime": "WaitTimeCount",
}


class FakeDataWorks(AliyunGateway):
    """The server.

    Attributes:
        instances: by id, as `GetTaskInstance` gives them.
        ties: ids of direct parents by id of the child.
        logs: by id and run number.
        members: who works in a workspace, by its id.
        tasks: as `GetTask` gives them.
        operations: the log of what was done, newest last.
        comments: the `Comment` of every operation, in order.
        workflows: what backfills made, by day.
        desk: alert rules and who is on duty.
        now: the present moment.
    """

    PACKAGES: ClassVar[Mapping[str, str]] = {
        "2024-05-18": "alibabacloud_dataworks_public20240518",
        "2020-05-18": "alibabacloud_dataworks_public20200518",
    }

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.instances: dict[int, Json] = {}
        self.ties: dict[int, list[int]] = {}
        self.logs: dict[tuple[int, int], str] = {}
        self.members = dict(MEMBERS)
        self.tasks = deepcopy(TASKS)
        self.operations: list[Json] = []
        self.comments: list[str] = []
        self.backfills: dict[str, list[int]] = {}
        self.workflows: list[Json] = []
        self.creation = "Created"
        self.baselines: list[Json] = []
        self.desk = AlertDesk(milliseconds(self.now))
        for ago in (2, 1, 0):
            made = night(TODAY - timedelta(days=ago), ZONE, last=ago == 0)
            self.instances |= made.instances
            self.ties |= made.ties
            self.logs |= made.logs

    def clock(self) -> datetime:
        """The present moment."""
        return self.now

    def connection(self, **settings: Any) -> SchedulerConnection:
        """Settings that reach it, fast enough for a test."""
        given = {
            "name": "dw",
            "kind": "dataworks",
            "url": self.url,
            "access_key_id": KEY,
            "access_key_secret": SECRET,
            "region": "cn-shanghai",
            "calls_per_second": 2000,
        }
        return SchedulerConnection.model_validate(given | settings)

    def of(self, task: str, day: date = TODAY) -> Json:
        """The instance of a task that is due on a day; the first of an hourly one."""
        return next(one for one in self.instances.values() if one["TaskName"] == task and due(one) == day)

    def many(self, number: int, *, failed: int = 0) -> None:
        """Let there be so many more instances today, the first few of them failed."""
        pattern = self.of("ods_order")
        for position in range(number):
            status = "Failure" if position < failed else "Success"
            id_ = 900_000_000 + position
            self.instances[id_] = pattern | {"Id": id_, "TaskId": id_, "TaskName": f"job_{position}", "Status": status}

    def finish(self, id_: int, status: str = "Success") -> None:
        """A run comes to its end."""
        one = self.instances[id_]
        self.now += timedelta(minutes=1)
        one |= {"Status": status, "FinishedTime": milliseconds(self.now)}
        self.logs[id_, one["RunNumber"]] = f"run {one['RunNumber']}\nends with {status}\n"

    async def answer(self, action: str, given: Json) -> Json:
        ways: dict[str, Callable[[Json], Json]] = {
            "ListProjects": lambda one: page(one, "Projects", PROJECTS),
            "ListProjectMembers": lambda one: page(one, "ProjectMembers", self.members[int(one["ProjectId"])]),
            "ListTasks": self._tasks,
            "GetTask": self._task,
            "ListTaskInstances": self._list,
            "GetTaskInstance": lambda one: {"TaskInstance": self._known(one["Id"])},
            "GetTaskInstanceLog": self._log,
            "ListUpstreamTaskInstances": self._above,
            "ListDownstreamTaskInstances": self._below,
            "ListInstances": self._past,
            "GetInstanceStatusStatistic": self._statistic,
            "RerunTaskInstances": lambda one: self._each(one, "rerun", rerun),
            "SetSuccessTaskInstances": lambda one: self._each(one, "set success", set_success),
            "StopTaskInstances": lambda one: self._each(one, "stop", stop),
            "SuspendTaskInstances": lambda one: self._each(one, "suspend", suspend),
            "ResumeTaskInstances": lambda one: self._each(one, "resume", resume),
            "UpdateNodeRunMode": self._run_mode,
            "CreateWorkflowInstances": self._create,
            "GetCreateWorkflowInstancesResult": self._created,
            "ListWorkflowInstances": self._workflows,
            "SearchMetaTables": self._search,
            "GetTable": self._table,
            "ListPartitions": self._partitions,
            "GetMetaTableBasicInfo": self._basic,
            "ListTaskOperationLogs": self._operations,
            "ListBaselineStatuses": lambda one: page(one, "BaselineStatuses", self.baselines, around="Data"),
        }
        return (ways | self.desk.ways)[action](given)

    def _known(self, id_: str) -> Json:
        if int(id_) not in self.instances:
            raise Fault(404, "Invalid.TaskInstance.NotExist", f"The task instance {id_} does not exist.")
        return self.instances[int(id_)]

    def _list(self, given: Json) -> Json:
        fields = {
            "Status": "Status",
            "TaskId": "TaskId",
            "Owner": "Owner",
            "WorkflowInstanceType": "WorkflowInstanceType",
        }
        found = [
            one
            for one in self.instances.values()
            if str(one["ProjectId"]) == given["ProjectId"]
            and str(one["Bizdate"]) == given["Bizdate"]
            and all(str(one[field]) == given[name] for name, field in fields.items() if name in given)
            and given.get("TaskName", "").casefold() in one["TaskName"].casefold()
            and given.get("RuntimeResource", "") in one["RuntimeResource"]["ResourceGroupId"]
        ]
        field, _, order = given.get("SortBy", "Id Desc").partition(" ")
        found.sort(key=lambda one: (one[field], one["Id"]), reverse=order == "Desc")
        return page(given, "TaskInstances", found)

    def _tasks(self, given: Json) -> Json:
        wanted = given.get("Name", "").casefold()
        found = [
            one
            for one in self.tasks
            if str(one["ProjectId"]) == given["ProjectId"] and wanted in one["Name"].casefold()
        ]
        return page(given, "Tasks", found)

    def _task(self, given: Json) -> Json:
        found = [one for one in self.tasks if str(one["Id"]) == given["Id"]]
        if not found:
            raise Fault(404, "Invalid.Task.NotExist", "The task does not exist.")
        return {"Task": found[0]}

    def _log(self, given: Json) -> Json:
        one = self._known(given["Id"])
        text = self.logs.get((one["Id"], int(given.get("RunNumber", one["RunNumber"]))))
        if text is None:
            raise Fault(404, "Invalid.TaskInstanceLog.NotExist", "There is no log.")
        return {"TaskInstanceLog": text}

    def _above(self, given: Json) -> Json:
        found = [_tie(self.instances[id_]) for id_ in self.ties.get(int(given["Id"]), [])]
        return page(given, "UpstreamTaskInstances", found)

    def _below(self, given: Json) -> Json:
        found = [_tie(self.instances[id_]) for id_, parents in self.ties.items() if int(given["Id"]) in parents]
        return page(given, "DownstreamTaskInstances", found)

    def _past(self, given: Json) -> Json:
        first, last = given.get("BeginBizdate", "0")[:10], given.get("EndBizdate", "9")[:10]
        found = [
            past(one)
            for one in self.instances.values()
            if str(one["ProjectId"]) == given["ProjectId"]
            and first <= str(due(one) - timedelta(days=1)) <= last
            and given.get("NodeId", str(one["TaskId"])) == str(one["TaskId"])
            and given.get("Owner", one["Owner"]) == one["Owner"]
            and given.get("NodeName", "").casefold() in one["TaskName"].casefold()
        ]
        found.sort(key=lambda one: one["InstanceId"], reverse=True)
        return page(given, "Instances", found, around="Data") | {"Success": True, "HttpStatusCode": 200}

    def _statistic(self, given: Json) -> Json:
        found = [
            one["Status"]
            for one in self.instances.values()
            if str(one["ProjectId"]) == given["ProjectId"]
            and str(due(one) - timedelta(days=1)) == given["BizDate"]
            and PAST_RUN[one["WorkflowInstanceType"]] == given.get("DagType", "DAILY")
        ]
        return {"StatusCount": {name: found.count(word) for word, name in COUNTED.items()} | {"TotalCount": len(found)}}

    def _each(self, given: Json, verb: str, change: Callable[[Json, int], str]) -> Json:
        self.comments.append(given.get("Comment", ""))
        told: Json = {}
        for id_ in json.loads(given["Ids"]):
            one = self.instances.get(id_)
            words = change(one, milliseconds(self.now)) if one else "The instance does not exist."
            told[str(id_)] = {"Success": not words, "Message": words}
            if one and not words:
                self.operations.append(
                    {
                        "TaskId": one["TaskId"],
                        "TaskInstanceId": id_,
                        "OperationContent": verb,
                        "User": "bot",
                        "CreateTime": milliseconds(self.now),
                    }
                )
        return {"SuccessInfo": told}

    def _run_mode(self, given: Json) -> Json:
        (node,) = [one for one in self.tasks if str(one["Id"]) == given["NodeId"]]
        node["Trigger"]["Recurrence"] = RUN_MODES[given["SchedulerType"]]
        return {"Success": True}

    def _create(self, given: Json) -> Json:
        self.comments.append(given["Comment"])
        how = json.loads(given["DefaultRunProperties"])
        (span,) = json.loads(given["Periods"])["BizDates"]
        days = (date.fromisoformat(span["EndBizDate"]) - date.fromisoformat(span["StartBizDate"])).days + 1
        pattern = next(one for one in self.instances.values() if one["TaskId"] == how["RootTaskIds"][0])
        made = [800_000_000 + len(self.backfills) * 1000 + position for position in range(days)]
        for position, id_ in enumerate(made):
            biz = datetime.combine(date.fromisoformat(span["StartBizDate"]), datetime.min.time(), ZONE) + timedelta(
                days=position
            )
            kind = {"WorkflowInstanceType": "SupplementData", "Status": "NotRun", "StartedTime": 0, "FinishedTime": 0}
            self.instances[id_] = pattern | kind | {"Id": id_, "Bizdate": milliseconds(biz)}
            self.workflows.append({"Id": id_ + 50_000_000, "Name": given["Name"], "BizDate": milliseconds(biz)})
        self.backfills[f"op-{len(self.backfills)}"] = made
        return {"OperationId": f"op-{len(self.backfills) - 1}"}

    def _created(self, given: Json) -> Json:
        made = self.backfills[given["OperationId"]] if self.creation == "Created" else []
        failure = "the analysis found a circle" if self.creation == "CreateFailure" else ""
        return {"Result": {"Status": self.creation, "WorkflowTaskInstanceIds": made, "FailureMessage": failure}}

    def _workflows(self, given: Json) -> Json:
        made = self.workflows if self.creation == "Created" else []
        found = [one for one in made if given["Name"] in one["Name"] and str(one["BizDate"]) == given["BizDate"]]
        return page(given, "WorkflowInstances", found)

    def _search(self, given: Json) -> Json:
        words = given["Keyword"].casefold().split("_")
        found = [
            {key: table[key] for key in ("TableGuid", "TableName", "ProjectName", "OwnerId", "EnvType")}
            for table in TABLES
            if all(word in table["TableName"].split("_") for word in words)
        ]
        return page(given, "DataEntityList", found, around="Data") | {"Success": True, "HttpStatusCode": 200}

    def _table(self, given: Json) -> Json:
        (found,) = [one for one in TABLES if one["Id"] == given["Id"]]
        producers = {"UpstreamTasks": found["UpstreamTasks"]}
        return {
            "Success": True,
            "Table": {"Id": found["Id"], "PartitionKeys": found["Keys"], "BusinessMetadata": producers},
        }

    def _partitions(self, given: Json) -> Json:
        (found,) = [one for one in TABLES if one["Id"] == given["TableId"]]
        writes = sorted(
            (self.of(found["TableName"], TODAY - timedelta(days=ago)) for ago in (0, 1, 2)), key=due, reverse=True
        )
        made = [
            {
                "Name": f"ds={due(one) - timedelta(days=1):%Y%m%d}",
                "ModifyTime": one["FinishedTime"],
                "RecordCount": 42_000,
                "DataSize": 1 << 20,
            }
            for one in writes
            if one["Status"] == "Success"
        ]
        return page(given, "PartitionList", made) | {"Success": True}

    def _basic(self, given: Json) -> Json:
        (found,) = [one for one in TABLES if one["TableGuid"] == given["TableGuid"]]
        if found["ProjectName"] == "closed":
            words = {"ErrorCode": "1010040007", "ErrorMessage": "no right to see this table"}
            return {"Success": False, "HttpStatusCode": 200, **words}
        written = self.of(found["TableName"], TODAY)["FinishedTime"]
        return {"Success": True, "Data": {"LastModifyTime": written, "DataSize": 4096}}

    def _operations(self, given: Json) -> Json:
        day = int(given.get("Date", 0))
        found = [
            one
            for one in self.operations
            if str(one["TaskId"]) == given["Id"] and day <= one["CreateTime"] < day + 86_400_000
        ]
        return page(given, "OperationLogs", found)


def due(one: Json) -> date:
    """The day on which an instance is due."""
    return datetime.fromtimestamp(one["Bizdate"] / 1000, UTC).astimezone(ZONE).date() + timedelta(days=1)


def past(one: Json) -> Json:
    """An instance as 2020-05-18 gives it."""
    return {
        "InstanceId": one["Id"],
        "NodeId": one["TaskId"],
        "NodeName": one["TaskName"],
        "Status": PAST_STATUS.get(one["Status"], one["Status"]),
        "TaskType": PAST_RECURRENCE.get(one["TriggerRecurrence"], "NORMAL(0)"),
        "DagType": PAST_RUN[one["WorkflowInstanceType"]],
        "Bizdate": one["Bizdate"],
        "CycTime": one["TriggerTime"],
        "BeginRunningTime": one["StartedTime"],
        "FinishTime": one["FinishedTime"],
        "Priority": one["Priority"],
    }


def _tie(one: Json) -> Json:
    return {"DependencyType": "Normal", "TaskInstance": one}
