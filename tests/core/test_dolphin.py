"""What DolphinScheduler answers, in our words: versions, errors, states, days, lineage, limits, logs, tables."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadInput, ConfigurationError, NotFound, Refused, Throttled, Unauthorized, Unreachable
from core.results import Overview
from core.schedulers.base import Flags, InstanceQuery, Operation, RunType, Status
from core.schedulers.dolphinscheduler import logs
from core.schedulers.dolphinscheduler.model import STATUSES, Key, status
from core.schedulers.fleet import Fleet
from core.settings import SchedulerConnection
from core.tools.look import Look
from tests.core.dolphins import dolphin
from tests.fakes.desk import ADMIN, access
from tests.fakes.dolphin import WORKER_GONE
from tests.fakes.dolphin_night import NOW, TASK_GROUP, TODAY, ZONE
from tests.fakes.dolphin_rules import VERSIONS, contract


@pytest.mark.parametrize(
    ("version", "told"), [("3.1.9", "3.1"), ("3.2.2", "3.2"), ("3.3.2", "3.3 or newer"), ("3.4.3", "3.3 or newer")]
)
async def test_the_version_is_known_by_its_routes_and_asked_for_once(version: str, told: str) -> None:
    async with dolphin(version) as pair:
        health = await pair.scheduler.health()
        assert (health.version, health.problems) == (told, ())
        pair.server.asked.clear()
        await pair.scheduler.instance(pair.server.id("ods_order"))
        assert len(pair.server.asked) == 4, "the workflow instance, its rows, the definitions, the schedules"
        assert (Operation.RERUN_DOWNSTREAM in pair.scheduler.operations) == (told != "3.1")


async def test_a_page_that_is_no_dolphinscheduler_is_said_to_be_none() -> None:
    async with dolphin() as pair:
        pair.server.trouble = lambda _: web.Response(text="<html>Sign in</html>", content_type="text/html")
        with pytest.raises(Refused, match="must end in /dolphinscheduler"):
            await pair.scheduler.health()


async def test_an_expired_token_is_said_and_never_shown() -> None:
    async with dolphin() as pair:
        pair.server.token = "another"
        with pytest.raises(Unauthorized) as told:
            await pair.scheduler.projects()
        assert "token" in str(told.value)
        assert "dolphin-token-of-a-test" not in f"{told.value!r}{told.value}{pair.scheduler!r}"


async def test_health_names_the_projects_that_are_missing() -> None:
    async with dolphin(projects=("trade", "moon")) as pair:
        health = await pair.scheduler.health()
        assert len(health.problems) == 1
        assert "no project moon, or xops" in health.problems[0]
        assert await pair.scheduler.projects() == ("trade",)


async def test_health_sees_that_the_server_writes_moments_in_another_zone() -> None:
    async with dolphin(zone="Asia/Shanghai", server_zone="UTC") as pair:
        assert ["set server_zone" in one for one in (await pair.scheduler.health()).problems] == [True]


@pytest.mark.parametrize(
    ("code", "error"), [(30001, Refused), (10000, Unreachable), (50001, NotFound), (99_999, Refused)]
)
async def test_an_error_inside_a_200_is_an_error(code: int, error: type[Exception]) -> None:
    async with dolphin() as pair:
        await pair.scheduler.projects()
        body = {"code": code, "msg": "no", "data": None}
        pair.server.trouble = lambda _: web.json_response(body)
        with pytest.raises(error):
            await pair.scheduler.instance(pair.server.id("ods_order"))


async def test_an_answer_of_another_shape_is_refused_without_showing_it() -> None:
    async with dolphin() as pair:
        pair.server.trouble = lambda _: web.json_response({"code": 0, "data": "secret words"})
        with pytest.raises(Refused) as told:
            await pair.scheduler.projects()
        assert told.value.code == "unexpected"
        assert "secret words" not in str(told.value)


async def test_a_server_that_does_not_answer_is_asked_twice_and_no_more() -> None:
    async with dolphin(timeout_seconds=0.05) as pair:
        pair.server.open.clear()
        with pytest.raises(Unreachable):
            await pair.scheduler.projects()
        pair.server.open.set()
        assert pair.server.asked == ["GET projects"] * 2


async def test_a_server_that_asks_us_to_slow_down_is_asked_no_more() -> None:
    async with dolphin() as pair:
        pair.server.trouble = lambda _: web.Response(status=429, headers={"Retry-After": "7"})
        with pytest.raises(Throttled) as told:
            await pair.scheduler.counts(InstanceQuery(day=TODAY))
        assert told.value.retry_after == 7
        assert len(pair.server.asked) == 1


@given(st.text())
def test_any_word_for_a_state_means_something(word: str) -> None:
    assert status(word) is STATUSES.get(word, Status.UNKNOWN)


@pytest.mark.parametrize("version", VERSIONS)
def test_every_state_of_every_version_is_known(version: str) -> None:
    """The states are those by which the published contract lets rows be selected."""
    (rows,) = [rules for route, rules in contract()[version].items() if route.endswith("/task-instances")]
    assert set(rows["stateType"]["enum"]) <= STATUSES.keys()


@given(st.text())
def test_an_id_is_a_key_or_nobodys(text: str) -> None:
    try:
        assert Key.parse(text).id == text
    except NotFound:
        assert (
            text.count("/") != 2
            or not all(part.isdecimal() and part.isascii() for part in text.split("/"))
            or len(text) > 19
        )


async def test_an_unknown_state_is_kept_as_it_is_said() -> None:
    async with dolphin() as pair:
        pair.server.night.of("ods_order").state = "HIBERNATING"
        one = await pair.scheduler.instance(pair.server.id("ods_order"))
        assert (one.status, one.raw_status) == (Status.UNKNOWN, "HIBERNATING")
        assert (await pair.scheduler.counts(InstanceQuery(day=TODAY)))[Status.UNKNOWN] == 1


async def test_flags_stand_beside_the_status() -> None:
    async with dolphin() as pair:
        row = pair.server.night.of("fin_ledger")
        row.state, row.run.dry_run = "PAUSE", 1
        one = await pair.scheduler.instance(pair.server.id("fin_ledger"))
        assert (one.status, one.flags) == (Status.WAIT_HUMAN, Flags(frozen=True, dry_run=True))


async def test_a_test_run_is_in_no_overview() -> None:
    async with dolphin() as pair:
        pair.server.night.of("fin_ledger").run.test_flag = 1
        found = await pair.scheduler.instances(InstanceQuery(day=TODAY, name="fin_ledger"))
        assert found.total == 0
        one = await pair.scheduler.instance(pair.server.id("fin_ledger"))
        assert one.run_type is RunType.TEST


@pytest.mark.parametrize("zone", ["UTC", "Asia/Shanghai", "America/New_York"])
async def test_moments_are_the_same_in_whatever_zone_the_server_writes(zone: str) -> None:
    async with dolphin(zone=zone) as pair:
        one = await pair.scheduler.instance(pair.server.id("ods_order"))
        assert one.scheduled_at == NOW.replace(hour=2)
        assert one.business_date == TODAY - timedelta(days=1)
        assert (await pair.scheduler.instances(InstanceQuery(day=TODAY, task=one.task.id))).items == (one,)


async def test_the_last_row_counts_and_all_of_them_number_the_run() -> None:
    async with dolphin() as pair:
        failed = pair.server.night.of("dws_trade_order_di")
        pair.server.night.row(failed.run, failed.job, "SUCCESS", NOW)
        one = await pair.scheduler.instance(pair.server.id("dws_trade_order_di"))
        assert (one.status, one.run_number) == (Status.SUCCESS, 2)
        assert (await pair.scheduler.log(one.id, run_number=1)).lines[-1].startswith("ERROR")
        assert (await pair.scheduler.log(one.id)).lines == ("start", "ends with SUCCESS")


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("FAILURE", Status.UPSTREAM_FAILED),
        ("RUNNING_EXECUTION", Status.UPSTREAM_FAILED),
        ("STOP", Status.UPSTREAM_FAILED),
    ],
)
async def test_what_stands_behind_a_failure_has_no_row_and_is_told(state: str, expected: Status) -> None:
    async with dolphin() as pair:
        pair.server.night.of("dws_trade_order_di").run.state = state
        one = await pair.scheduler.instance(pair.server.id("ads_gmv_daily"))
        assert (one.status, one.raw_status, one.run_number) == (expected, "", 0)


@pytest.mark.parametrize(
    ("state", "expected"),
    [("RUNNING_EXECUTION", Status.WAIT_UPSTREAM), ("SERIAL_WAIT", Status.NOT_RUN), ("STOP", Status.NOT_RUN)],
)
async def test_what_waits_for_its_turn_is_told_by_its_workflow(state: str, expected: Status) -> None:
    async with dolphin() as pair:
        pair.server.night.of("wait_for_trade").run.state = state
        assert (await pair.scheduler.instance(pair.server.id("rpt_board"))).status is expected


async def test_a_success_has_no_instances_of_branches_not_taken() -> None:
    async with dolphin() as pair:
        run = pair.server.night.of("wait_for_trade").run
        run.state = "SUCCESS"
        with pytest.raises(NotFound):
            await pair.scheduler.instance(pair.server.id("rpt_board"))


async def test_what_ran_by_an_older_definition_is_not_filled_up_by_the_new_one() -> None:
    async with dolphin() as pair:
        pair.server.night.of("dws_trade_order_di").run.version = 2
        with pytest.raises(NotFound):
            await pair.scheduler.instance(pair.server.id("ads_gmv_daily"))
        assert (await pair.scheduler.instance(pair.server.id("dws_trade_order_di"))).status is Status.FAILED


async def test_a_row_that_has_not_begun_is_in_the_day() -> None:
    """Lists select by start time, which such a row lacks; it is found by its state."""
    async with dolphin() as pair:
        row = pair.server.night.of("fin_ledger")
        row.state, row.begun, row.ended, row.run.state = "DISPATCH", None, None, "RUNNING_EXECUTION"
        found = await pair.scheduler.instances(InstanceQuery(day=TODAY, statuses=frozenset({Status.WAIT_RESOURCE})))
        assert [one.task.name for one in found.items] == ["fin_ledger"]
        assert found.items[0].waiting_since == row.submitted


async def test_a_run_of_days_ago_that_ran_again_today_is_told_as_it_is_now() -> None:
    """Its new row began outside the days that are listed for it."""
    async with dolphin() as pair:
        day = TODAY - timedelta(days=2)
        pair.server.now = NOW + timedelta(days=3)
        row = pair.server.night.of("ods_order", day)
        row.run.again = pair.server.now
        pair.server.night.row(row.run, row.job, "FAILURE", pair.server.now)
        found = await pair.scheduler.instances(InstanceQuery(day=day, name="ods_order"))
        assert [(one.status, one.run_number) for one in found.items] == [(Status.FAILED, 2)]


@pytest.mark.parametrize("version", ["3.1.9", "3.4.3"])
async def test_a_backfill_that_ran_again_is_still_a_backfill(version: str) -> None:
    """3.1 lists only the last command; the first is asked for."""
    async with dolphin(version) as pair:
        pair.server.night.of("fin_ledger").run.commands = ["COMPLEMENT_DATA", "REPEAT_RUNNING"]
        one = await pair.scheduler.instance(pair.server.id("fin_ledger"))
        assert one.run_type is RunType.BACKFILL
        assert (await pair.scheduler.instances(InstanceQuery(day=TODAY, name="fin_ledger"))).total == 0


async def test_history_tells_the_state_of_days_without_a_row() -> None:
    async with dolphin() as pair:
        history = await pair.scheduler.history("304")
        assert [one.status for one in history] == [Status.UPSTREAM_FAILED, Status.SUCCESS, Status.SUCCESS]


async def test_a_dependent_task_ties_workflows_together_from_either_end() -> None:
    async with dolphin() as pair:
        waiter, last = pair.server.id("wait_for_trade"), pair.server.id("ads_gmv_daily")
        above = await pair.scheduler.upstream(waiter)
        below = await pair.scheduler.downstream(last)
        assert [(one.instance.id, one.cross_cycle) for one in above] == [(last, False)]
        assert [one.instance.id for one in below] == [waiter]
        assert [one.instance.task.name for one in await pair.scheduler.upstream(waiter, depth=4)] == [
            "ads_gmv_daily",
            "dws_trade_order_di",
            "dwd_trade_order_di",
            "ods_order",
        ]


async def test_what_waits_for_yesterday_is_of_another_cycle() -> None:
    async with dolphin() as pair:
        waiter = pair.server.id("wait_for_yesterday")
        source = pair.server.id("dwd_trade_order_di", TODAY - timedelta(days=1))
        (above,) = await pair.scheduler.upstream(waiter)
        assert (above.instance.id, above.cross_cycle) == (source, True)
        assert waiter in {one.instance.id for one in await pair.scheduler.downstream(source)}


@pytest.mark.parametrize("version", ["3.2.2", "3.4.3"])
async def test_a_full_task_group_is_named_with_who_holds_it(version: str) -> None:
    async with dolphin(version) as pair:
        waits = pair.server.night.of("fin_ledger")
        waits.state, waits.run.state = "SUBMITTED_SUCCESS", "RUNNING_EXECUTION"
        holder = pair.server.night.of("fin_ledger", TODAY - timedelta(days=1))
        holder.state, holder.run.state = "RUNNING_EXECUTION", "RUNNING_EXECUTION"
        pair.server.task_groups = [{"id": TASK_GROUP, "name": "ledger", "groupSize": 1, "useSize": 1}]
        held = await pair.scheduler.constraints(pair.server.id("fin_ledger"))
        assert held.throttled_by == ("task group ledger: 1 of 1 places are taken",)
        assert held.throttle_holders == (f"ds:{pair.server.id('fin_ledger', TODAY - timedelta(days=1))}",)


async def test_a_holder_in_a_project_that_is_not_looked_at_is_not_named() -> None:
    async with dolphin(projects=("finance",)) as pair:
        waits = pair.server.night.of("fin_ledger")
        waits.state, waits.run.state = "SUBMITTED_SUCCESS", "RUNNING_EXECUTION"
        holder = pair.server.night.of("wait_for_trade")
        holder.job = replace(holder.job, group=TASK_GROUP)
        pair.server.task_groups = [{"id": TASK_GROUP, "name": "ledger", "groupSize": 1, "useSize": 1}]
        held = await pair.scheduler.constraints(pair.server.id("fin_ledger"))
        assert (len(held.throttled_by), held.throttle_holders) == (1, ())


async def test_a_backfill_of_another_workflow_is_not_what_a_scheduled_task_waits_for() -> None:
    async with dolphin("3.1.9") as pair:
        pair.server.night.of("ods_order").run.commands = ["COMPLEMENT_DATA", "REPEAT_RUNNING"]
        assert await pair.scheduler.upstream(pair.server.id("wait_for_trade")) == ()


async def test_production_and_test_are_asked_together() -> None:
    """Two servers of different versions, one overview; an order goes to the one its reference names."""
    async with dolphin("3.1.9", name="test") as test, dolphin("3.4.3", name="prod") as prod:
        look = Look(Fleet([test.scheduler, prod.scheduler]), access(), clock=prod.server.clock)
        found = await look.overview(ADMIN)
        assert isinstance(found, Overview)
        assert found.operable.counts[Status.FAILED] == 2
        await look.fleet.one(f"test:{test.server.id('ods_order')}", lambda asked, identity: asked.instance(identity))
        assert "GET projects/{projectCode}/process-instances/{id}" in test.server.asked
        assert "GET projects/{projectCode}/workflow-instances/{id}" not in prod.server.asked


async def test_a_task_without_a_place_waits_for_its_worker_group() -> None:
    async with dolphin() as pair:
        row = pair.server.night.of("rpt_board", TODAY - timedelta(days=1))
        row.state, row.run.state, row.worker_group = "DISPATCH", "RUNNING_EXECUTION", "default"
        held = await pair.scheduler.constraints(pair.server.id("rpt_board", TODAY - timedelta(days=1)))
        assert held.resource_group == "default"
        assert held.resource_holders == (f"ds:{pair.server.id('wait_for_trade')}",)


async def test_an_offline_schedule_is_a_pause() -> None:
    async with dolphin() as pair:
        pair.server.night.flows[0].online = False
        assert (await pair.scheduler.constraints(pair.server.id("ods_order"))).paused
        assert (await pair.scheduler.tasks("ods_order"))[0].flags.frozen


@pytest.mark.parametrize("lines", [0, 1, logs.PART - 1, logs.PART, logs.PART + 1, 2 * logs.PART + 3])
async def test_a_log_of_any_length_is_read_to_its_end(lines: int) -> None:
    async with dolphin() as pair:
        pair.server.night.of("ods_order").log = [f"line {n}" for n in range(lines)]
        page = await pair.scheduler.log(pair.server.id("ods_order"), tail=10)
        assert page.total == lines
        assert page.lines == tuple(f"line {n}" for n in range(max(0, lines - 10), lines))
        assert page.first == max(0, lines - 10) + 1


async def test_a_log_whose_worker_is_gone_cannot_be_reached() -> None:
    async with dolphin() as pair:
        pair.server.night.of("ods_order").host = WORKER_GONE
        with pytest.raises(Unreachable, match="worker-gone:1234 does not give the log"):
            await pair.scheduler.log(pair.server.id("ods_order"))


async def test_what_no_worker_took_has_no_log() -> None:
    async with dolphin() as pair:
        pair.server.night.of("ods_order").host = None
        assert (await pair.scheduler.log(pair.server.id("ods_order"))).lines == ()
        assert (await pair.scheduler.log(pair.server.id("ads_gmv_daily"))).lines == ()


@pytest.mark.parametrize(
    ("task", "cycle", "owner"), [("ods_order", "daily", "zhang_san"), ("repair", "manual", "wang_wu")]
)
async def test_a_task_tells_its_cycle_and_who_defined_it(task: str, cycle: str, owner: str) -> None:
    async with dolphin() as pair:
        (found,) = await pair.scheduler.tasks(task)
        assert (found.cycle, found.owner, found.kind) == (cycle, owner, "SQL")


async def test_a_declared_table_is_as_fresh_as_the_task_that_writes_it() -> None:
    async with dolphin() as pair:
        (table,) = await pair.scheduler.tables("dwd_trade_order_di")
        assert [task.outputs for task in table.producers] == [("dwd_trade_order_di",)]
        assert [update.at.astimezone(ZONE).date() for update in table.updates] == [
            TODAY - timedelta(days=ago) for ago in (0, 1, 2)
        ]


async def test_what_dbt_measured_is_an_update_and_what_it_could_not_is_none(tmp_path: Path) -> None:
    file = tmp_path / "sources.json"
    results = [
        {"unique_id": "source.shop.raw.orders", "max_loaded_at": "2026-11-23T01:02:03Z", "status": "pass"},
        {"unique_id": "source.shop.raw.refunds", "error": "no access", "status": "runtime error"},
    ]
    file.write_text(json.dumps({"metadata": {}, "results": results}))
    async with dolphin(dbt_sources=str(file)) as pair:
        (table,) = await pair.scheduler.tables("orders")
        assert [update.at.isoformat() for update in table.updates] == ["2026-11-23T01:02:03+00:00"]
        assert await pair.scheduler.tables("refunds") == ()
        file.write_text("[]")
        with pytest.raises(ConfigurationError, match="dbt_sources"):
            await pair.scheduler.tables("orders")


async def test_changes_tell_when_task_workflow_and_schedule_were_last_changed() -> None:
    async with dolphin() as pair:
        told = await pair.scheduler.changes("303", NOW - timedelta(days=40))
        assert [(one.what, one.who) for one in told] == [
            ("its workflow was changed", "li_si"),
            ("its schedule was changed; it is ONLINE", "zhang_san"),
        ]


async def test_too_many_rows_for_one_question_are_refused() -> None:
    async with dolphin() as pair:
        await pair.scheduler.tasks("ods_order")
        pair.server.trouble = lambda request: (
            web.json_response({"code": 0, "data": {"totalList": [], "total": 60_000}})
            if request.path.endswith("task-instances")
            else None
        )
        with pytest.raises(BadInput, match="60000 rows"):
            await pair.scheduler.counts(InstanceQuery(day=TODAY))


@pytest.mark.parametrize(
    ("settings", "words"),
    [({}, "give url"), ({"url": "http://x/dolphinscheduler"}, "token"), ({"server_zone": "Mars/Base"}, "server_zone")],
)
def test_settings_that_cannot_work_are_said_at_start(settings: dict[str, str], words: str) -> None:
    complete = {"url": "http://x/dolphinscheduler", "token": "t"} if "server_zone" in settings else {}
    with pytest.raises(ValueError, match=words):
        SchedulerConnection.model_validate({"name": "ds", "kind": "dolphinscheduler", **complete, **settings})
