"""Dataphin on loopback: projects, nodes, three days of instances, and the rules by which operations are taken.

    async with FakeDataphin() as dataphin:
        scheduler = DataphinScheduler(dataphin.connection(), zone=…, clock=dataphin.clock)

Rules, from Dataphin's reference and Alibaba Cloud's own tools for it: whatever is wrong with a question is told inside an HTTP
200, with `Success` false and a code that begins with `DPN.`; every call names the tenant; instances are asked for within their
project; lists are about one project and come in no order; operations answer instance by instance; what ended can run again,
what runs can be stopped, what failed can be set successful, what waits can be paused, and keeps its status then. A rerun with
downstream makes new runs of old instances, and an instance that had succeeded says so throughout.
"""

import json
import ssl
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, ClassVar, Final
from zoneinfo import ZoneInfo

from core.settings import SchedulerConnection
from tests.fakes.aliyun import KEY, SECRET, AliyunGateway, Fault, Json
from tests.fakes.aliyun_rules import Rule
from tests.fakes.dataphin_alerts import alerts, sent
from tests.fakes.dataphin_night import (
    BY_NAME,
    MEMBERS,
    NODES,
    PEOPLE,
    PROJECTS,
    TABLES,
    milliseconds,
    night,
    run,
)

ZONE: Final = ZoneInfo("Asia/Shanghai")
NOW: Final = datetime(2026, 11, 23, 8, tzinfo=ZONE)
TODAY: Final = NOW.date()
TENANT: Final = "300115489"
NO_SUCH_INSTANCE: Final = "The instance does not exist."


class Refusal(Exception):
    """A failure inside a 200."""

    def __init__(self, code: str, words: str, status: int = 400) -> None:
        super().__init__(code)
        self.body = {"Success": False, "Code": code, "Message": words, "HttpStatusCode": status}


class FakeDataphin(AliyunGateway):
    """The server.

    Attributes:
        instances: by id, as `GetPhysicalInstance` gives them.
        ties: ids of direct parents by id of the child.
        runs: of each instance, the latest last.
        changes: what was changed: the operation's parameters, in order.
        operators: who asked, call by call.
        alerts: that were sent, the oldest first.
        inside: codes answered once, inside a 200, by the action they are for.
        now: the present moment.
    """

    PACKAGES: ClassVar[Mapping[str, str]] = {"2023-06-30": "alibabacloud_dataphin_public20230630"}

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(tls)
        self.now = NOW
        self.instances: dict[str, Json] = {}
        self.ties: dict[str, list[str]] = {}
        self.runs: dict[str, list[Json]] = {}
        self.changes: list[Json] = []
        self.operators: list[str] = []
        self.inside: dict[str, Refusal] = {}
        self.operations: list[Json] = []
        self.alerts = alerts()
        self.supplements: dict[str, list[str]] = {}
        self.creation = "RUNNING"
        for ago in (2, 1, 0):
            made = night(TODAY - timedelta(days=ago), ZONE, last=ago == 0)
            self.instances |= made.instances
            self.ties |= made.ties
            self.runs |= made.runs

    def clock(self) -> datetime:
        """The present moment."""
        return self.now

    def connection(self, **settings: Any) -> SchedulerConnection:
        """Settings that reach it, fast enough for a test."""
        given = {
            "name": "dp",
            "kind": "dataphin",
            "url": self.url,
            "access_key_id": KEY,
            "access_key_secret": SECRET,
            "tenant": TENANT,
            "calls_per_second": 2000,
        }
        return SchedulerConnection.model_validate(given | settings)

    def of(self, node: str, day: date = TODAY) -> Json:
        """The instance of a node that is due on a day; the first of an hourly one."""
        return next(one for one in self.instances.values() if one["NodeInfo"]["Name"] == node and due(one) == day)

    def id(self, node: str, day: date = TODAY) -> str:
        """Its id."""
        return self.of(node, day)["Id"]

    def many(self, number: int, *, failed: int = 0) -> None:
        """Let there be so many more instances today, the first few of them failed."""
        pattern = self.of("ods_order")
        for position in range(number):
            state = ["FAILED" if position < failed else "SUCCESS"]
            node = pattern["NodeInfo"] | {"Id": f"n_{900_000 + position}", "Name": f"job_{position}"}
            id_ = f"t_{900_000 + position}_20261122_1"
            self.instances[id_] = pattern | {"Id": id_, "NodeInfo": node, "StatusList": state}

    def finish(self, id_: str, state: str = "SUCCESS") -> None:
        """A run comes to its end."""
        one = self.instances[id_]
        self.now += timedelta(minutes=1)
        one |= {
            "StatusList": [state],
            "StartExecuteTime": milliseconds(self.now),
            "EndExecuteTime": milliseconds(self.now),
        }
        self.runs[id_][-1] = run(one, ZONE, len(self.runs[id_]))

    def rules(self, action: str, version: str) -> Mapping[str, Rule] | None:
        """As the SDK tells; but it leaves out that `ListInstances` takes SUPPLEMENT, which Alibaba Cloud's own tools send."""
        found = super().rules(action, version)
        if action != "ListInstances" or found is None:
            return found
        query = found["ListQuery"]
        inside = {**(query.inside or {}), "ScheduleType": Rule("str", required=True)}
        return {**found, "ListQuery": replace(query, inside=inside)}

    async def answer(self, action: str, given: Json) -> Json:
        try:
            if given.pop("OpTenantId") != TENANT:
                raise Refusal("DPN.Filter.ProjectNotFound", "no such project in this tenant")
            if action in self.inside:
                raise self.inside.pop(action)
            self.operators.append(given.pop("OpUserId", ""))
            if given.pop("Env", "PROD") != "PROD":
                raise Refusal("DPN.OP.NodeNotFound", "there is nothing in development")
            told = {"Success": True, "Code": "OK", "HttpStatusCode": 200, "Message": "successful"}
            return told | self._ways()[action]({name: _read(value) for name, value in given.items()})
        except Refusal as refusal:
            return refusal.body

    def _ways(self) -> Mapping[str, Callable[[Json], Json]]:
        return {
            "GetServerVersion": lambda _: {"Data": "v6.3.0"},
            "ListProjects": lambda one: _page(one, "ProjectList", PROJECTS),
            "ListProjectMembers": self._members,
            "ListNodes": self._nodes,
            "GetPhysicalNode": self._node,
            "GetPhysicalNodeOperationLog": lambda one: {
                "OperationLogList": [done for done in self.operations if done["NodeId"] == one["NodeId"]]
            },
            "ListInstances": self._list,
            "GetPhysicalInstance": lambda one: {"Instance": self._known(one["InstanceId"], one["ProjectId"])},
            "GetPhysicalInstanceLog": self._log,
            "GetInstanceUpDownStream": self._around,
            "ListTables": self._search,
            "GetTable": self._table,
            "ListAlertEvents": lambda one: {"ListResult": _page(one, "Data", sent(self.alerts, one))["PageResult"]},
            "GetAlertEvent": self._alert,
            "OperateInstance": self._operate,
            "FixData": self._fix,
            "CreateNodeSupplement": self._supplement,
            "GetSupplementDagrun": self._dagruns,
            "GetSupplementDagrunInstance": lambda one: {
                "InstanceList": [self.instances[id_] for id_ in self._supplemented(one["DagrunId"].partition("@")[0])]
            },
        }

    def _known(self, id_: str, project: int | str) -> Json:
        one = self.instances.get(id_)
        if one is None:
            raise Refusal("DPN.OP.InstanceNotExist", f"no instance {id_}")
        if str(one["NodeInfo"]["ProjectId"]) != str(project):
            raise Refusal("DPN.OP.ProjectNotExist", "the instance is not of this project")
        return one

    def _members(self, given: Json) -> Json:
        people = [{"UserId": id_, "UserName": PEOPLE[id_], "RoleIdList": [1]} for id_ in MEMBERS[given["Id"]]]
        return _page(given, "ProjectMemberList", people)

    def _nodes(self, given: Json) -> Json:
        query = given["ListQuery"]
        kinds = query["NodeSubBizTypeList"]
        found = [one for one in NODES if _matches(one, query) and one["SubDetailType"] in kinds]
        return _page(given, "NodeList", found)

    def _node(self, given: Json) -> Json:
        nodes = {one["NodeInfo"]["Id"]: one["NodeInfo"] for one in self.instances.values()}
        nodes |= {node["Id"]: node for node in NODES}
        if given["NodeId"] not in nodes:
            raise Refusal("DPN.OP.NodeNotExist", f"no node {given['NodeId']}")
        node = nodes[given["NodeId"]]
        name = next(one["Name"] for one in PROJECTS if one["Id"] == node["ProjectId"])
        told = {
            "ProjectInfo": {"Id": str(node["ProjectId"]), "Name": name},
            "Owner": node["OwnerList"][0],
            "OperatorType": node["SubDetailType"],
            "ScheduleType": node["SchedulePeriodList"][0],
            "LastModifiedTime": milliseconds(NOW - timedelta(days=40)),
            "Modifier": {"Id": "3002", "Name": PEOPLE["3002"]},
        }
        return {"NodeInfo": {"Id": node["Id"], "Name": node["Name"]} | told}

    def _list(self, given: Json) -> Json:
        query = given["ListQuery"]
        found = [
            one
            for one in self.instances.values()
            if _matches(one["NodeInfo"], query)
            and query["ScheduleType"] == one["ScheduleType"]
            and query.get("MinBizDate", "0") <= _bizdate(one) <= query.get("MaxBizDate", "9")
            and (not query.get("RunStatusList") or set(one["StatusList"]) & set(query["RunStatusList"]))
        ]
        return _page(given, "Data", sorted(found, key=lambda one: one["Id"][::-1]))

    def _log(self, given: Json) -> Json:
        return {"TaskrunLogList": self.runs[self._known(given["InstanceId"], given["ProjectId"])["Id"]]}

    def _around(self, given: Json) -> Json:
        id_ = self._known(given["InstanceId"]["Id"], given["ProjectId"])["Id"]
        if (given["UpStreamDepth"], given["DownStreamDepth"]) != (1, 1):
            raise Refusal("DPN.Commons.InvalidParam", "this imitation walks one hop")
        above = self.ties.get(id_, [])
        below = [child for child, parents in self.ties.items() if id_ in parents]
        root = {"Id": "t_0_20261122_1", "Name": f"virtual_root_node_{TENANT}", "NodeId": "n_0"}
        up = [self._neighbour(one) for one in above] or [root]
        return {"InstanceDagInfo": {"UpInstanceList": up, "DownInstanceList": [self._neighbour(one) for one in below]}}

    def _neighbour(self, id_: str) -> Json:
        node = self.instances[id_]["NodeInfo"]
        return {
            "Id": id_,
            "Name": node["Name"],
            "NodeId": node["Id"],
            "NodeType": "DATA_PROCESS",
            "FieldInstanceIdList": None,
        }

    def _search(self, given: Json) -> Json:
        words = given["ListQuery"]["Keyword"].casefold().split("_")
        found = [
            {key: table[key] for key in ("Guid", "Name", "Env", "ProjectName", "Owner")}
            for table in TABLES
            if all(word in table["Name"].split("_") for word in words)
        ]
        return _page(given, "TableList", found)

    def _table(self, given: Json) -> Json:
        (found,) = [one for one in TABLES if one["Guid"] == given["TableGuid"]]
        if "closed" in found["Guid"]:
            raise Refusal("DPN.Filter.NoPermission", "no right to see this table", 403)
        node = BY_NAME[found["Writer"]]
        writer = {
            "NodeId": node["Id"],
            "NodeName": node["Name"],
            "NodeScheduleType": "NORMAL",
            "SubBizType": "MAX_COMPUTE_SQL",
            "Owners": [{"UserId": one["Id"], "DisplayName": one["Name"]} for one in node["OwnerList"]],
            "Project": {"ProjectId": str(node["ProjectId"]), "ProjectName": "trade"},
        }
        ended = datetime.fromtimestamp(self.of(found["Writer"])["EndExecuteTime"] / 1000, ZONE)
        both = [writer | {"Env": environment} for environment in ("PROD", "DEV")]
        return {"Data": found | {"LastDmlTime": f"{ended:%Y-%m-%d %H:%M:%S}", "SimpleNodeInfos": both}}

    def _alert(self, given: Json) -> Json:
        for one in self.alerts:
            if one["Id"] == str(given["Id"]):
                return {"AlertEventInfo": one}
        raise Refusal("DPN.Alert.EventNotExist", f"no alert {given['Id']}")

    def _operate(self, given: Json) -> Json:
        command = given["OperateCommand"]
        self.changes.append(command)
        told: list[Json] = []
        for id_ in (one["Id"] for one in command["InstanceIdList"]):
            self._known(id_, command["ProjectId"])
            words = self._change(command["Operation"], id_)
            told.append({"Id": id_, "Status": "FAILED" if words else "SUCCESS", "ErrorMessage": words})
        return {"InstanceStatusList": told}

    def _change(self, operation: str, id_: str) -> str:
        """Do it; or say why not."""
        one = self.instances[id_]
        state = one["StatusList"][0]
        match operation:
            case "RERUN" if state in {"SUCCESS", "FAILED"}:
                self._run_again(id_)
                one |= {"StatusList": ["RUNNING"]}
            case "TERMINATE" if state == "RUNNING":
                one |= {"StatusList": ["FAILED"]}
            case "SET_SUCCESS" if state == "FAILED":
                one |= {"StatusList": ["SUCCESS"]}
            case "PAUSE" | "RESUME" if state.startswith("WAIT"):  # the status says nothing of it
                one["NodeInfo"]["SchedulePaused"] = operation == "PAUSE"
            case _:
                return f"The instance is {state}: {operation} is not allowed."
        return ""

    def _run_again(self, id_: str) -> None:
        number = len(self.runs[id_]) + 1
        begun = run(self.instances[id_], ZONE, number) if self.runs[id_] else {"TaskrunId": f"r_{number}"}
        self.runs[id_].append(
            begun | {"Status": "RUNNING", "EndTime": None, "LogContent": "Schedule type: RERUN_FORCIBLY\n"}
        )

    def _fix(self, given: Json) -> Json:
        command = given["FixDataCommand"]
        self.changes.append(command)
        root = self._known(command["RootInstanceId"]["Id"], command["ProjectId"])["Id"]
        chosen = [one["Id"] for one in command["DownStreamInstanceIdList"]]
        if not chosen and "DownstreamRange" not in command:
            raise Refusal("DPN.Commons.InvalidParam", "no downstream instances")
        for id_ in (root, *chosen):
            self._run_again(id_)
        return {"SubmitId": "s_1"}

    def _supplement(self, given: Json) -> Json:
        command = given["CreateCommand"]
        self.changes.append(command)
        (node,) = (one["Id"] for one in command["NodeIdList"])
        pattern = next(one for one in self.instances.values() if one["NodeInfo"]["Id"] == node)
        day, made = _date(command["StartBizDate"]), list[str]()
        while day <= _date(command["EndBizDate"]):
            biz = milliseconds(datetime.combine(day, datetime.min.time(), ZONE))
            id_ = f"t_{node[2:]}_{day:%Y%m%d}_9{len(self.supplements)}"
            kind = {
                "ScheduleType": "SUPPLEMENT",
                "Type": "SUPPLEMENT",
                "StatusList": ["INIT"],
                "StartExecuteTime": None,
            }
            self.instances[id_] = pattern | kind | {"Id": id_, "BizDate": biz}
            self.runs[id_] = []
            made.append(id_)
            day += timedelta(days=1)
        self.supplements[f"f_{len(self.supplements)}"] = made
        return {"SubmitId": f"f_{len(self.supplements) - 1}"}

    def _supplemented(self, id_: str) -> list[str]:
        if id_ not in self.supplements:
            raise Refusal("DPN.OP.FlowNotExist", f"no flow {id_}")
        return self.supplements[id_]

    def _dagruns(self, given: Json) -> Json:
        self._supplemented(given["SupplementId"])
        return {"DagrunList": [{"Id": f"{given['SupplementId']}@1", "Status": self.creation, "BizDate": "20261118"}]}


def due(one: Json) -> date:
    """The day on which an instance is due."""
    return datetime.fromtimestamp(one["DueTime"] / 1000, ZONE).date()


def _bizdate(one: Json) -> str:
    return f"{datetime.fromtimestamp(one['BizDate'] / 1000, ZONE):%Y%m%d}"


def _date(compact: str) -> date:
    return date.fromisoformat(f"{compact[:4]}-{compact[4:6]}-{compact[6:]}")


def _read(value: str) -> Any:
    return json.loads(value) if value.startswith("{") or value.isdecimal() else value


def _matches(node: Json, query: Json) -> bool:
    text = query.get("SearchText", "").casefold()
    owners: list[str] = query.get("OwnerList") or []
    return (
        node["ProjectId"] == query["ProjectId"]
        and (text in node["Name"].casefold() or text == node["Id"])
        and query.get("NodeId", node["Id"]) == node["Id"]
        and (not owners or any(one["Id"] in owners for one in node["OwnerList"]))
    )


def _page(given: Json, name: str, found: list[Json]) -> Json:
    query = given["ListQuery"]
    number, size = query.get("Page") or query.get("PageNo") or 1, query.get("PageSize") or 20
    if size > 100:
        raise Fault(400, "InvalidParameter", "PageSize is too large")
    return {"PageResult": {"TotalCount": len(found), name: found[(number - 1) * size : number * size]}}
