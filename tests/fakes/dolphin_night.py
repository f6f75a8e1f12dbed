"""Three days of two projects in DolphinScheduler: what is defined, and what became of it."""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

Json = dict[str, Any]
ZONE: Final = ZoneInfo("Asia/Shanghai")
NOW: Final = datetime(2026, 11, 23, 8, tzinfo=ZONE)
TODAY: Final = NOW.date()
PROJECTS: Final = {101: "trade", 102: "finance"}
TASK_GROUP: Final = 7


@dataclass(frozen=True)
class Job:
    """A task that is defined."""

    code: int
    name: str
    above: tuple[int, ...] = ()
    type: str = "SQL"
    settings: Json = field(default_factory=dict[str, Any])
    group: int = 0


@dataclass
class Flow:
    """A workflow that is defined; `hour` is when it is due every day, None when only people start it."""

    project: int
    code: int
    name: str
    hour: int | None
    jobs: tuple[Job, ...]
    owner: str
    version: int = 3
    online: bool = True


@dataclass
class FakeRun:
    """A workflow instance."""

    id: int
    flow: Flow
    due: datetime | None
    begun: datetime
    state: str = "SUCCESS"
    commands: list[str] = field(default_factory=lambda: ["SCHEDULER"])
    ended: datetime | None = None
    again: datetime | None = None
    version: int = 3
    dry_run: int = 0
    test_flag: int = 0


@dataclass
class Row:
    """A task instance."""

    id: int
    run: FakeRun
    job: Job
    state: str
    submitted: datetime
    begun: datetime | None
    ended: datetime | None
    host: str | None = "worker-1:1234"
    worker_group: str = "default"
    flag: str = "YES"
    log: list[str] = field(default_factory=list[str])


def waits_for(workflow: int, task: int, day: str = "today") -> Json:
    """Settings of a dependent task."""
    item = {"projectCode": 101, "definitionCode": workflow, "depTaskCode": task, "cycle": "day", "dateValue": day}
    return {"dependence": {"relation": "AND", "dependTaskList": [{"relation": "AND", "dependItemList": [item]}]}}


def flows() -> list[Flow]:
    """What is defined."""
    return [
        Flow(
            101,
            201,
            "trade_daily",
            2,
            (
                Job(301, "ods_order"),
                Job(302, "dwd_trade_order_di", (301,)),
                Job(303, "dws_trade_order_di", (302,)),
                Job(304, "ads_gmv_daily", (303,)),
            ),
            "zhang_san",
        ),
        Flow(
            101,
            202,
            "report_daily",
            5,
            (
                Job(311, "wait_for_trade", type="DEPENDENT", settings=waits_for(201, 0)),
                Job(312, "rpt_board", (311,)),
                Job(313, "wait_for_yesterday", type="DEPENDENT", settings=waits_for(201, 302, "last1Days")),
            ),
            "li_si",
        ),
        Flow(102, 203, "finance_daily", 3, (Job(321, "fin_ledger", group=TASK_GROUP),), "wang_wu"),
        Flow(102, 204, "by_hand", None, (Job(331, "repair"),), "wang_wu"),
    ]


@dataclass
class Night:
    """All runs and rows by id; ids grow."""

    flows: list[Flow] = field(default_factory=flows)
    runs: dict[int, FakeRun] = field(default_factory=dict[int, FakeRun])
    rows: dict[int, Row] = field(default_factory=dict[int, Row])

    def __post_init__(self) -> None:
        for ago in (2, 1, 0):
            for flow in self.flows:
                self.fire(flow, TODAY - timedelta(days=ago))
        failed = self.of("dws_trade_order_di")
        failed.state, failed.run.state = "FAILURE", "FAILURE"
        failed.log = ["start", *(f"line {n}" for n in range(8)), "ERROR: Table not found: dim_shop"]
        del self.rows[self.of("ads_gmv_daily").id]
        waiting = self.of("wait_for_trade")
        waiting.state, waiting.ended, waiting.run.state, waiting.run.ended = (
            "RUNNING_EXECUTION",
            None,
            "RUNNING_EXECUTION",
            None,
        )
        del self.rows[self.of("rpt_board").id]

    def scheduled(self, project: int) -> list[Flow]:
        """Workflows of a project that have a schedule."""
        return [flow for flow in self.flows if flow.project == project and flow.hour is not None]

    def fire(self, flow: Flow, day: date, *, hour: int | None = None) -> FakeRun | None:
        """A workflow runs on a day as it should."""
        at = flow.hour if hour is None else hour
        if at is None:
            return None
        due = datetime.combine(day, time(at), ZONE)
        run = FakeRun(len(self.runs) + 1001, flow, due, due, ended=due + timedelta(minutes=10 * len(flow.jobs)))
        self.runs[run.id] = run
        for position, job in enumerate(flow.jobs):
            self.row(run, job, "SUCCESS", due + timedelta(minutes=10 * position))
        return run

    def row(self, run: FakeRun, job: Job, state: str, at: datetime) -> Row:
        """A task begins once more; what it had before becomes invalid."""
        for old in self.rows.values():
            if old.run is run and old.job is job:
                old.flag = "NO"
        ended = at + timedelta(minutes=5) if state in {"SUCCESS", "FAILURE"} else None
        one = Row(max(self.rows, default=5000) + 1, run, job, state, at, at, ended)
        one.log = ["start", f"ends with {state}"]
        self.rows[one.id] = one
        return one

    def of(self, task: str, day: date = TODAY) -> Row:
        """The newest row of a task that was due on a day."""
        return max(
            (one for one in self.rows.values() if one.job.name == task and one.run.due and one.run.due.date() == day),
            key=lambda one: one.id,
        )
