"""DolphinScheduler on loopback, in the version asked for, under its own rules.

    async with FakeDolphin("3.4.3") as dolphin:
        scheduler = DolphinScheduler(dolphin.connection(), http, zone=ZONE, clock=dolphin.clock)

Rules, from its sources: every answer is an envelope, errors come with HTTP 200; a wrong token is 401 without a body; an unknown
route is the user interface's page; lists select by when something began; a rerun writes a new row and takes the flag from the
old; orders about tasks need a workflow instance that stands still. Each request is held to the published contract
(`dolphin_rules`); what breaks it is answered as a fault of the server's, and `broken` names it.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from types import TracebackType
from typing import Any, Final, Self
from zoneinfo import ZoneInfo

from aiohttp import web

from core.settings import SchedulerConnection
from tests.fakes.dolphin_night import NOW, PROJECTS, TASK_GROUP, TODAY, FakeRun, Flow, Job, Json, Night, Row
from tests.fakes.dolphin_people import USERS, XOPS, Deed, People
from tests.fakes.dolphin_rules import Matched, Refusal, match, paged, violations

TOKEN: Final = "dolphin-token-of-a-test"
ROOT: Final = "/dolphinscheduler/"
PAGE: Final = "<!DOCTYPE html><html><body>DolphinScheduler</body></html>"
FORMAT: Final = "%Y-%m-%d %H:%M:%S"
STANDING: Final = {"SUCCESS", "FAILURE", "STOP", "PAUSE"}
LONG_AGO: Final = datetime(1, 1, 1, tzinfo=UTC)
FAR_AHEAD: Final = datetime(9999, 1, 1, tzinfo=UTC)
WORKER_GONE: Final = "worker-gone:1234"


class FakeDolphin:
    """The server.

    Attributes:
        night: what is defined and what ran.
        people: who is known, and their rights.
        asked: method and route of each request that came through the door, in order.
        given: parameters of the orders, in order.
        broken: what the published contract does not allow.
        token: the only one it accepts.
        trouble: when it gives a response, that is the answer.
        open: answers wait until it is set.
        task_groups: as `task-group/list-paging` gives them.
        now: the present moment.
    """

    def __init__(self, version: str = "3.4.3", *, zone: str = "UTC") -> None:
        self.version = version
        self.zone = ZoneInfo(zone)
        self.noun = "workflow" if version >= "3.3" else "process"
        self.night = Night()
        self.people = People()
        self.asked: list[str] = []
        self.given: list[Json] = []
        self.broken: list[str] = []
        self.token = TOKEN
        self.trouble: Callable[[web.Request], web.Response | None] = lambda _: None
        self.open = asyncio.Event()
        self.open.set()
        self.task_groups: list[Json] = [{"id": TASK_GROUP, "name": "ledger", "groupSize": 2, "useSize": 0}]
        self.now = NOW
        self.url = ""
        app = web.Application()
        app.router.add_route("*", ROOT + "{path:.*}", self._answer)
        self._runner = web.AppRunner(app)

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"{site.name}{ROOT}".rstrip("/")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()
        assert self.broken == []

    def clock(self) -> datetime:
        """The present moment."""
        return self.now

    @property
    def count(self) -> Counter[str]:
        """How often each route was asked."""
        return Counter(self.asked)

    def connection(self, **settings: Any) -> SchedulerConnection:
        """Settings that reach it."""
        given = {
            "name": "ds",
            "kind": "dolphinscheduler",
            "url": self.url,
            "token": self.token,
            "server_zone": self.zone.key,
            "tables": {"dwd_trade_order_di": "dwd_trade_order_di"},
        }
        return SchedulerConnection.model_validate(given | settings)

    def id(self, task: str, day: date = TODAY) -> str:
        """Our id of the instance of a task that was due on a day."""
        for run in self.night.runs.values():
            for job in run.flow.jobs:
                if job.name == task and run.due and run.due.date() == day:
                    return f"{run.flow.project}/{run.id}/{job.code}"
        raise LookupError(task)

    def finish(self, run: int, state: str = "SUCCESS") -> None:
        """What runs in a workflow instance comes to its end."""
        self.now += timedelta(minutes=1)
        one = self.night.runs[run]
        for row in self._rows_of(one):
            if row.state == "RUNNING_EXECUTION":
                row.state, row.ended = state, self.now
        failed = any(row.state == "FAILURE" for row in self._rows_of(one))
        one.state, one.ended = "FAILURE" if failed else "SUCCESS", self.now

    def many(self, instances: int, *, failed: int = 0, hour: int = 1) -> None:
        """Let there be so many more instances today, ten to a workflow instance, the first few of them failed."""
        flow = Flow(101, 299, "many", hour, tuple(Job(9000 + n, f"job_{n}") for n in range(10)), "zhang_san")
        self.night.flows.append(flow)
        for number in range(instances // 10):
            run = FakeRun(100_000 + number, flow, NOW.replace(hour=hour), NOW.replace(hour=hour), ended=NOW)
            self.night.runs[run.id] = run
            for job in flow.jobs:
                id_ = 1_000_000 + number * 10 + job.code - 9000
                state = "FAILURE" if id_ - 1_000_000 < failed else "SUCCESS"
                self.night.rows[id_] = Row(id_, run, job, state, run.begun, run.begun, run.begun)

    async def _answer(self, request: web.Request) -> web.Response:
        if request.headers.get("token") != self.token:
            return web.Response(status=401)
        path = request.path.removeprefix(ROOT)
        matched = match(self.version, request.method, path)
        self.asked.append(matched.route if matched else f"{request.method} {path}")
        await self.open.wait()
        if answer := self.trouble(request):
            return answer
        if matched is None:
            return web.Response(text=PAGE, content_type="text/html")
        given = (
            dict(request.query) if request.method == "GET" else {k: str(v) for k, v in (await request.post()).items()}
        )
        if broken := violations(self.version, matched.route, given):
            self.broken += broken
            return _enveloped(10001, f"request parameter {broken[0]} is not valid")
        try:
            return _enveloped(0, "success", self._data(matched, given))
        except Refusal as refusal:
            return _enveloped(refusal.code, str(refusal))

    def _data(self, matched: Matched, given: Mapping[str, str]) -> object:
        project = int(matched.places.get("projectCode", "101"))
        if project not in PROJECTS:
            raise Refusal(10018, f"project {project} not found ")
        id_ = int(matched.places.get("id", "0"))
        method, _, path = matched.route.partition(" ")
        if method == "POST" and path != "projects/{projectCode}/schedules/list":
            self.given.append(dict(given))
        ways: Mapping[str, Callable[[], object]] = {
            "projects": lambda: self.people.projects(given),
            "projects/authed-user": lambda: self.people.authorized(given),
            "projects/project-with-authorized-level-list-paging": lambda: self.people.levels(given),
            "projects/audit/audit-log-list": lambda: self._audit(given),
            "users/get-user-info": lambda: {"id": XOPS, "userName": USERS[XOPS], "userType": "GENERAL_USER"},
            f"{self.noun}-definition/list": lambda: [
                self._dag(flow) for flow in self.night.flows if flow.project == project
            ],
            f"{self.noun}-instances": lambda: self._runs(project, given),
            f"{self.noun}-instances/{{id}}": lambda: self._run(self._known(project, id_), detailed=True),
            "task-instances": lambda: self._rows(project, given),
            "task-instances/{id}/force-success": lambda: self._force(project, id_),
            "schedules/list": lambda: [self._schedule(one) for one in self.night.scheduled(project)],
            "schedules/{id}/online": lambda: self._line(id_, online=True),
            "schedules/{id}/offline": lambda: self._line(id_, online=False),
            "executors/execute": lambda: self._execute(project, given),
            "executors/execute-task": lambda: self._execute_task(project, given),
            f"executors/start-{self.noun}-instance": lambda: self._start(project, given),
            "log/detail": lambda: self._log(given),
            "task-group/list-paging": lambda: paged(self.task_groups, given, dict),
            "task-group/query-list-by-group-id": lambda: paged(self._places(), given, dict),
        }
        return ways[path.removeprefix("projects/{projectCode}/")]()

    def _dag(self, flow: Flow) -> Json:
        edges = [(above, job.code) for job in flow.jobs for above in job.above or (0,)]
        return {
            f"{self.noun}Definition": {
                "code": flow.code,
                "name": flow.name,
                "version": flow.version,
                "userName": flow.owner,
                "updateTime": self._moment(NOW - timedelta(days=1)),
                "modifyBy": "li_si",
            },
            f"{self.noun}TaskRelationList": [{"preTaskCode": above, "postTaskCode": code} for above, code in edges],
            "taskDefinitionList": [self._job(job) for job in flow.jobs],
        }

    def _job(self, job: Job) -> Json:
        return {
            "code": job.code,
            "name": job.name,
            "taskType": job.type,
            "flag": "YES",
            "taskPriority": "MEDIUM",
            "taskParams": job.settings if self.version >= "3.2" else json.dumps(job.settings),
            "updateTime": self._moment(NOW - timedelta(days=90)),
            "aFieldOfTomorrow": {"x": 1},
        }

    def _schedule(self, flow: Flow) -> Json:
        return {
            "id": flow.code + 1000,
            f"{self.noun}DefinitionCode": flow.code,
            "crontab": f"0 0 {flow.hour} * * ? *",
            "releaseState": "ONLINE" if flow.online else "OFFLINE",
            "updateTime": self._moment(NOW - timedelta(days=30)),
            "userName": flow.owner,
        }

    def _runs(self, project: int, given: Mapping[str, str]) -> Json:
        wanted = int(given.get("workflowDefinitionCode") or given.get("processDefineCode") or 0)
        first, last = self._span(given)
        mine = [
            run
            for run in self.night.runs.values()
            if run.flow.project == project and wanted in {0, run.flow.code} and first <= run.begun <= last
        ]
        mine.sort(key=lambda run: run.begun, reverse=True)
        return paged(mine, given, lambda run: self._run(run, detailed=self.version >= "3.2"))

    def _run(self, run: FakeRun, *, detailed: bool) -> Json:
        told = {
            "id": run.id,
            f"{self.noun}DefinitionCode": run.flow.code,
            f"{self.noun}DefinitionVersion": run.version,
            "name": f"{run.flow.name}-{run.version}-{run.id}",
            "state": run.state,
            "commandType": run.commands[-1],
            "scheduleTime": self._moment(run.due),
            "startTime": self._moment(run.begun),
            "endTime": self._moment(run.ended),
            "restartTime": self._moment(run.again),
            "runTimes": len(run.commands),
            "dryRun": run.dry_run,
        }
        return told | ({"historyCmd": ",".join(run.commands), "testFlag": run.test_flag} if detailed else {})

    def _rows(self, project: int, given: Mapping[str, str]) -> Json:
        wanted = int(given.get(f"{self.noun}InstanceId", "0"))
        first, last = self._span(given)
        mine = [
            row
            for row in self.night.rows.values()
            if row.run.flow.project == project
            and wanted in {0, row.run.id}
            and given.get("stateType") in {None, row.state}
            and given.get("taskName") in {None, row.job.name}
            and ("startDate" not in given or (row.begun is not None and first <= row.begun <= last))
        ]
        mine.sort(key=lambda row: row.submitted, reverse=True)
        return paged(mine, given, self._row)

    def _row(self, row: Row) -> Json:
        return {
            "id": row.id,
            "name": row.job.name,
            "taskType": row.job.type,
            f"{self.noun}InstanceId": row.run.id,
            "taskCode": row.job.code,
            "state": row.state,
            "submitTime": self._moment(row.submitted),
            "startTime": self._moment(row.begun),
            "endTime": self._moment(row.ended),
            "host": row.host,
            "flag": row.flag,
            "workerGroup": row.worker_group,
            "taskGroupId": row.job.group,
            "dryRun": row.run.dry_run,
            "taskParams": json.dumps({"sql": "select 1"}),
        }

    def _audit(self, given: Mapping[str, str]) -> Json:
        def told(one: Deed) -> Json:
            return {
                "modelType": one.kind,
                "modelName": one.name,
                "operation": one.operation,
                "userName": USERS[one.who],
                "createTime": self._moment(one.at),
                "description": None,
                "detail": "3",
                "latency": "12",
            }

        return paged(self.people.audit(given, *self._span(given)), given, told)

    def _log(self, given: Mapping[str, str]) -> Json:
        row = self.night.rows.get(int(given["taskInstanceId"]))
        if row is None:
            raise Refusal(10008, "task instance not found")
        if not row.host:
            raise Refusal(10191, "task instance host is null")
        if row.host == WORKER_GONE:
            raise Refusal(10103, "view task instance log error: connect refused")
        skip, limit = int(given["skipLineNum"]), int(given["limit"])
        head = [f"[LOG-PATH]: /logs/{row.id}.log, [HOST]: {row.host}"] if skip == 0 else []
        lines = row.log[skip : skip + limit]
        return {"lineNum": len(head + lines), "message": "\r\n".join(head + lines)}

    def _places(self) -> list[Json]:
        taken = [row for row in self.night.rows.values() if row.job.group and row.state == "RUNNING_EXECUTION"]
        run = "workflowInstanceId" if self.version >= "3.3" else "processId"
        return [
            {
                "taskName": row.job.name,
                run: row.run.id,
                "projectCode": str(row.run.flow.project),
                "status": "ACQUIRE_SUCCESS",
            }
            for row in taken
        ]

    def _force(self, project: int, id_: int) -> None:
        row = self.night.rows.get(id_)
        if row is None or row.run.flow.project != project:
            raise Refusal(10008, "task instance not found")
        self._stands(row.run)
        if row.state not in {"FAILURE", "KILL", "NEED_FAULT_TOLERANCE"}:
            raise Refusal(10166, f"task instance {id_} state is {row.state}, can not be forced to success")
        row.state, row.ended = "FORCED_SUCCESS", self.now

    def _execute(self, project: int, given: Mapping[str, str]) -> None:
        run = self._known(project, int(given[f"{self.noun}InstanceId"]))
        what = given["executeType"]
        if what == "STOP":
            if run.state in STANDING:
                raise Refusal(50006, f"the status is {run.state}, Cannot perform STOP operation")
            for row in self._rows_of(run):
                if row.state == "RUNNING_EXECUTION":
                    row.state, row.ended = "KILL", self.now
            run.state, run.ended = "STOP", self.now
            return
        if what != "START_FAILURE_TASK_PROCESS" or run.state != "FAILURE":
            raise Refusal(50006, f"the status is {run.state}, Cannot perform {what} operation")
        self._again(run, what, [row.job for row in self._rows_of(run) if row.state == "FAILURE"])

    def _execute_task(self, project: int, given: Mapping[str, str]) -> None:
        run = self._known(project, int(given[f"{self.noun}InstanceId"]))
        if run.state not in STANDING:
            raise Refusal(50071, "the workflow instance is not finished, can not do this operation")
        codes = {int(given["startNodeList"])}
        for job in run.flow.jobs:
            if given["taskDependType"] == "TASK_POST" and codes & set(job.above):
                codes.add(job.code)
        self._again(run, "EXECUTE_TASK", [job for job in run.flow.jobs if job.code in codes])

    def _again(self, run: FakeRun, command: str, jobs: Iterable[Job]) -> None:
        self.now += timedelta(minutes=1)
        run.state, run.ended, run.again = "RUNNING_EXECUTION", None, self.now
        run.commands.append(command)
        for job in jobs:
            self.night.row(run, job, "RUNNING_EXECUTION", self.now)

    def _start(self, project: int, given: Mapping[str, str]) -> object:
        code = int(given[f"{self.noun}DefinitionCode"])
        flow = next(flow for flow in self.night.flows if flow.code == code and flow.project == project)
        span = json.loads(given["scheduleTime"])
        first, last = (self._read(span[name]) for name in ("complementStartDate", "complementEndDate"))
        begun: list[int] = []
        for ago in range((last - first).days + 1):
            run = self.night.fire(flow, first.astimezone(NOW.tzinfo).date() + timedelta(days=ago))
            if run:
                run.commands, run.begun = [given["execType"]], self.now
                begun.append(run.id)
        return begun if self.version >= "3.3" else None

    def _line(self, id_: int, *, online: bool) -> bool:
        next(flow for flow in self.night.flows if flow.code + 1000 == id_).online = online
        return True

    def _stands(self, run: FakeRun) -> None:
        if run.state not in STANDING and self.version >= "3.3":
            raise Refusal(10000, f"Internal Server Error: The workflow instance is not finished: {run.state}")

    def _known(self, project: int, id_: int) -> FakeRun:
        run = self.night.runs.get(id_)
        if run is None or run.flow.project != project:
            raise Refusal(50001, f"{self.noun} instance {id_} does not exist")
        return run

    def _rows_of(self, run: FakeRun) -> list[Row]:
        return [row for row in self.night.rows.values() if row.run is run and row.flag == "YES"]

    def _span(self, given: Mapping[str, str]) -> tuple[datetime, datetime]:
        if "startDate" not in given:
            return LONG_AGO, FAR_AHEAD
        return self._read(given["startDate"]), self._read(given["endDate"])

    def _moment(self, moment: datetime | None) -> str | None:
        return moment.astimezone(self.zone).strftime(FORMAT) if moment else None

    def _read(self, moment: str) -> datetime:
        return datetime.strptime(moment, FORMAT).replace(tzinfo=self.zone)


def _enveloped(code: int, words: str, data: object = None) -> web.Response:
    return web.json_response({"code": code, "msg": words, "data": data, "success": code == 0, "failed": code != 0})
