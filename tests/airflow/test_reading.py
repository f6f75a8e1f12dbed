"""What X-Ops says about a real Airflow, where Airflow is particular."""

from datetime import UTC, datetime

import pytest

from core.errors import NotFound, Refused, Unauthorized, Unreachable
from core.results import Diagnosed
from core.schedulers.airflow import AirflowScheduler
from core.schedulers.base import Instance, InstanceQuery, RunType, Status
from core.schedulers.fleet import Fleet
from core.tools.look import Look
from tests.airflow.conftest import ZONE, Connect, WatchedHttp
from tests.airflow.server import ROOT, Airflow, free_port
from tests.core.costs import AIRFLOW
from tests.fakes.desk import ADMIN, access
from tests.waiting import eventually

pytestmark = pytest.mark.airflow

STEPS = 120
EVERY_RUN = frozenset(RunType)


async def test_an_expired_token_costs_one_log_in_however_many_notice(
    scheduler: AirflowScheduler, airflow: Airflow, http: WatchedHttp
) -> None:
    run = airflow.scheduled("trade_daily")
    await scheduler.instance(f"{run}/extract")
    http.asked.clear()
    http.token = airflow.expired_token()
    assert (await scheduler.instance(f"{run}/extract")).status is Status.SUCCESS
    assert http.asked.count("POST /auth/token") == 1


@pytest.mark.parametrize("token", ["garbled", "a.b.c", "查"])
async def test_a_garbled_token_is_replaced_by_a_fresh_one(
    scheduler: AirflowScheduler, http: WatchedHttp, token: str
) -> None:
    await scheduler.projects()
    http.token = token
    assert (await scheduler.health()).problems == ()


async def test_refused_credentials_are_said_to_be_refused(connect: Connect, airflow: Airflow) -> None:
    for settings in ({"password": "wrong"}, {"token": "garbled"}, {"token": airflow.expired_token()}):
        with pytest.raises(Unauthorized):
            await connect(**settings).projects()


async def test_a_token_from_the_settings_is_used_as_it_is(
    connect: Connect, airflow: Airflow, http: WatchedHttp
) -> None:
    assert await connect(token=airflow.token("viewer"), username="").projects()
    assert "POST /auth/token" not in http.asked


async def test_a_server_that_is_not_there_is_unreachable(connect: Connect) -> None:
    with pytest.raises(Unreachable):
        await connect(url=f"http://127.0.0.1:{free_port()}").instances(InstanceQuery())


async def test_another_page_of_the_same_server_is_not_airflows_api(connect: Connect, airflow: Airflow) -> None:
    with pytest.raises((Refused, NotFound)):
        await connect(url=f"{airflow.url}/docs").projects()


async def test_a_run_id_with_every_sign_airflow_allows_is_found_again(
    scheduler: AirflowScheduler, airflow: Airflow
) -> None:
    run = "by.hand_1-2~3:4+5"
    airflow.trigger("daily_stats", run)
    id_ = f"daily_stats/{run}/count"
    one = await _ended(scheduler, id_)
    assert (one.id, one.run_type) == (id_, RunType.MANUAL)
    assert one.url == f"{airflow.url}/dags/daily_stats/runs/by.hand_1-2~3%3A4%2B5/tasks/count"
    assert "counted" in "\n".join((await scheduler.log(id_)).lines)
    listed = await scheduler.instances(InstanceQuery(task="daily_stats/count", run_types=frozenset({RunType.MANUAL})))
    assert one in listed.items


async def test_a_traceback_reads_as_python_prints_it(scheduler: AirflowScheduler, airflow: Airflow) -> None:
    log = await scheduler.log(f"{airflow.scheduled('trade_daily')}/transform", run_number=1)
    at = log.lines.index("KeyError: 'unit_price'")
    assert log.lines[at - 1].endswith(f'trade_daily.py", line {_line("unit_price")}, in total')
    assert log.lines[at + 1 : at + 5] == (
        "",
        "The above exception was the direct cause of the following exception:",
        "",
        "Traceback (most recent call last):",
    )
    assert "ValueError: order without column 'unit_price'" in log.lines[at:]
    assert any(line.endswith("INFO transforming orders") for line in log.lines)
    assert not any("::group::" in line or "Log message source" in line for line in log.lines)


async def test_what_its_upstream_kept_from_running_has_no_log(scheduler: AirflowScheduler, airflow: Airflow) -> None:
    id_ = f"{airflow.scheduled('trade_daily')}/load"
    one = await scheduler.instance(id_)
    assert (one.status, one.run_number, one.started_at) == (Status.UPSTREAM_FAILED, 0, None)
    log = await scheduler.log(id_)
    assert (log.lines, log.run_number, log.running) == ((), 0, False)


async def test_each_instance_of_a_mapped_task_is_an_instance(scheduler: AirflowScheduler, airflow: Airflow) -> None:
    airflow.trigger("parts", "mapped")
    merge = await _ended(scheduler, "parts/mapped/merge")
    assert merge.status is Status.UPSTREAM_FAILED
    above = [(related.instance.id, related.instance.status) for related in await scheduler.upstream(merge.id)]
    assert sorted(above) == [
        ("parts/mapped/copy/0", Status.SUCCESS),
        ("parts/mapped/copy/1", Status.FAILED),
        ("parts/mapped/copy/2", Status.SUCCESS),
    ]
    failed = await scheduler.instance("parts/mapped/copy/1")
    assert failed.url.endswith("/tasks/copy/mapped/1")
    assert "RuntimeError: checksum of part 1 differs" in (await scheduler.log(failed.id)).lines
    with pytest.raises(NotFound):
        await scheduler.instance("parts/mapped/copy")


async def test_more_instances_than_one_page_are_all_there_both_ways(
    scheduler: AirflowScheduler, airflow: Airflow, http: WatchedHttp
) -> None:
    airflow.trigger("wide", "wide_1")
    airflow.wait_until_idle()
    of_dag = InstanceQuery(projects=frozenset({"wide"}), run_types=EVERY_RUN, limit=1000)
    by_batch = await scheduler.instances(of_dag)
    assert by_batch.total == len({one.id for one in by_batch.items}) == STEPS
    assert await scheduler.counts(of_dag) == {Status.SUCCESS: STEPS}
    http.asked.clear()
    by_page = await scheduler.instances(InstanceQuery(run_types=EVERY_RUN, limit=1000))
    assert set(by_batch.items) <= set(by_page.items)
    assert sum(path.endswith("/taskInstances") for path in http.asked) == -(-by_page.total // 100)


async def test_what_questions_cost(scheduler: AirflowScheduler, airflow: Airflow, http: WatchedHttp) -> None:
    """Calls once definitions are known: the figures of docs/schedulers.md."""
    run = airflow.scheduled("trade_daily")
    day = datetime.fromisoformat(run.partition("__")[2]).astimezone(ZONE).date()
    await scheduler.tasks("anything")
    http.asked.clear()
    assert (await scheduler.counts(InstanceQuery(day=day)))[Status.FAILED] == 1
    assert len(http.asked) <= 11
    http.asked.clear()
    assert (await scheduler.instances(InstanceQuery(day=day, statuses=frozenset({Status.FAILED})))).total == 1
    assert len(http.asked) == 1
    http.asked.clear()
    await scheduler.counts(InstanceQuery(day=day, owner="wang.lei"))
    assert len(http.asked) == 1


async def test_what_a_diagnosis_costs(scheduler: AirflowScheduler, airflow: Airflow, http: WatchedHttp) -> None:
    """Nothing of it is about the rest of the night. What wrote the tables it reads is looked up when several runs did."""
    look = Look(Fleet([scheduler]), access(), clock=lambda: datetime.now(UTC))
    await scheduler.tasks("anything")
    http.asked.clear()
    found = await look.diagnose(ADMIN, f"air:{airflow.scheduled('trade_daily', days_ago=1)}/transform")
    assert isinstance(found, Diagnosed)
    assert len(http.asked) <= AIRFLOW.diagnosis + 2, http.asked


@pytest.mark.parametrize(("user", "may_change"), [("op", True), ("viewer", False)])
async def test_health_tells_whether_an_account_may_change_anything_and_changes_nothing(
    connect: Connect, airflow: Airflow, user: str, may_change: bool
) -> None:
    """By a dry run of clearing the newest instance."""
    scheduler = connect(username=user, password=user)
    before = await scheduler.instance(f"{airflow.scheduled('trade_daily')}/transform")
    health = await scheduler.health()
    assert (health.problems, health.may_change) == ((), may_change)
    assert await scheduler.instance(before.id) == before


async def test_a_day_begins_at_midnight_of_the_connection(scheduler: AirflowScheduler, airflow: Airflow) -> None:
    """Midnight UTC is eight in the morning in Shanghai: the run belongs to that day, and no other."""
    run = airflow.scheduled("trade_daily", days_ago=1)
    due = datetime.fromisoformat(run.partition("__")[2])
    one = await scheduler.instance(f"{run}/extract")
    assert one.scheduled_at == due
    assert one.business_date == due.astimezone(ZONE).date()
    page = await scheduler.instances(InstanceQuery(day=due.astimezone(ZONE).date(), limit=1000))
    assert {item.scheduled_at for item in page.items if item.task.project == "trade_daily"} == {due}


async def test_a_table_tells_rows_and_the_run_that_wrote_them(scheduler: AirflowScheduler, airflow: Airflow) -> None:
    (raw,) = await scheduler.tables("orders_raw")
    update = next(one for one in raw.updates if one.instance.startswith(f"air:{airflow.scheduled('trade_daily')}/"))
    assert update.rows == 42
    newest = raw.updates[0]
    run = newest.instance.removeprefix("air:trade_daily/").removesuffix("/extract")
    events = airflow.api("GET", "/assets/events?order_by=-timestamp&source_task_id=extract&limit=100")["asset_events"]
    event = next(event for event in events if event["source_run_id"] == run)
    assert newest.at == datetime.fromisoformat(event["timestamp"]) >= update.at
    assert (raw.project, raw.owner) == ("trade_daily", "chen.xiaowen")


def _line(text: str) -> int:
    """Number of the first line of code that holds a text, in the DAG that fails."""
    code = (ROOT / "tests/airflow/dags/trade_daily.py").read_text().splitlines()
    return next(number for number, line in enumerate(code, 1) if text in line)


async def _ended(scheduler: AirflowScheduler, id_: str) -> Instance:
    async def look() -> Instance | None:
        one = await scheduler.instance(id_)
        return one if one.status.finished else None

    found = await eventually(look, within=60, every=0.3)
    assert found
    return found
