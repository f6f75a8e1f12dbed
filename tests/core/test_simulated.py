"""The embedded demonstration shows a believable, troubled night, and the same one every time."""

import asyncio
import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from graphlib import TopologicalSorter
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.schedulers.base import InstanceQuery, Status
from core.schedulers.simulated.clock import later, simulated
from core.schedulers.simulated.plan import Plan
from core.schedulers.simulated.troubles import EMPTY, FLAGS, HANG, QUEUES, QUIET, SLOW, TROUBLES, Trouble
from tests.fakes.demo import Demo

SHANGHAI = ZoneInfo("Asia/Shanghai")
PLAN = Plan("demo", 20, SHANGHAI)
TONIGHT = [trouble for trouble in TROUBLES if 0 in trouble.nights and trouble.fault not in {HANG, QUIET}]


@pytest.fixture
def demo() -> Demo:
    return Demo()


def test_the_platform_is_as_large_as_a_real_one() -> None:
    tasks = [one.task for one in PLAN.named.values()]
    owners = Counter(task.owner for task in tasks)
    assert len({task.project for task in tasks}) >= 6
    assert len(tasks) >= 300
    assert len(owners) >= 10
    assert 35 <= owners["陈晓雯"] <= 45
    assert {task.cycle for task in tasks} == {"daily", "hourly", "weekly"}
    assert len(PLAN.by_id) == len(tasks), "two tasks share an id"


def test_the_graph_has_no_cycle_and_crosses_projects() -> None:
    upstream = {one.task.name: one.upstream for one in PLAN.named.values()}
    order = list(TopologicalSorter(upstream).static_order())
    assert set(order) == set(upstream)
    project = {one.task.name: one.task.project for one in PLAN.named.values()}
    assert sum(project[name] != project[one] for name, above in upstream.items() for one in above) > 100


def test_an_hourly_task_waits_only_for_hourly_ones() -> None:
    """A daily task waits for the first hour of its hourly upstream; the other way round an hour would wait for a day."""
    hourly = {name for name, one in PLAN.named.items() if one.hourly}
    assert all(set(PLAN.named[name].upstream) <= hourly for name in hourly)


def test_everything_that_is_declared_names_a_task() -> None:
    holders = {name for queue in QUEUES.values() for name in queue.holders}
    declared = {trouble.task for trouble in TROUBLES} | set(FLAGS) | set(SLOW) | EMPTY | set(QUEUES) | holders
    assert declared <= set(PLAN.named)


@pytest.mark.parametrize("trouble", TONIGHT, ids=lambda trouble: trouble.task)
async def test_each_declared_trouble_strikes(demo: Demo, trouble: Trouble) -> None:
    for hour in trouble.hours:
        one = await demo.of(trouble.task, hour=hour)
        assert (one.status, one.run_number, one.note) == (trouble.fault.status, 1, trouble.fault.note)


def test_there_are_at_least_fifteen_kinds_of_failure() -> None:
    assert len({trouble.fault.log for trouble in TONIGHT}) >= 15


async def test_some_tasks_failed_yesterday_too_and_some_only_then(demo: Demo) -> None:
    failed = [
        {one.task.name for one in await demo.day(demo.today - timedelta(days=ago)) if one.status.failed}
        for ago in (0, 1)
    ]
    assert len(failed[0] & failed[1]) >= 5
    assert failed[0] - failed[1]
    assert failed[1] - failed[0]


async def test_every_way_of_waiting_and_running_is_there(demo: Demo) -> None:
    counts = await demo.scheduler.counts(InstanceQuery(day=demo.today))
    for status in ("wait_upstream", "wait_time", "wait_resource", "running", "not_run", "success", "failed", "killed"):
        assert counts[Status(status)] >= 1, status


async def test_frozen_dry_run_and_off_cycle_instances_say_so(demo: Demo) -> None:
    frozen = await demo.of("dws_user_address_df")
    assert (frozen.status, frozen.flags.frozen) == (Status.FAILED, True)
    dry = await demo.of("ads_member_level_daily")
    assert (dry.status, dry.flags.dry_run) == (Status.SUCCESS, True)
    weekly = [one for one in await demo.day() if one.task.cycle == "weekly"]
    assert {one.flags.off_cycle for one in weekly} == {True}, "on a Sunday none of them is due"


async def test_what_wrote_nothing_does_not_update_its_table(demo: Demo) -> None:
    (table,) = await demo.scheduler.tables("ads_member_level_daily")
    assert table.updates == ()
    (table,) = await demo.scheduler.tables("dws_trade_cohort_wi")
    assert {update.at.date().isoweekday() for update in table.updates} == {2}


async def test_a_table_may_be_empty_or_late(demo: Demo) -> None:
    (empty,) = await demo.scheduler.tables("dws_logistics_return_di")
    assert empty.updates[0].rows == 0
    assert all(update.rows for update in empty.updates[1:])
    (late,) = await demo.scheduler.tables("dws_user_visit_di")
    today, *before = [update.at - update.at.replace(hour=0, minute=0, second=0) for update in late.updates]
    assert today > max(before) + timedelta(hours=1)


async def test_a_table_with_two_producers_knows_both(demo: Demo) -> None:
    (table,) = await demo.scheduler.tables("dws_user_tag_df")
    assert {task.name for task in table.producers} == {"dws_user_tag_base", "dws_user_tag_behavior"}


async def test_nothing_ran_before_its_upstream_had_succeeded(demo: Demo) -> None:
    ran = [one for one in await demo.day() if one.started_at]
    assert len(ran) > 400
    for one in ran:
        for related in await demo.scheduler.upstream(one.id):
            above = related.instance
            assert above.status.succeeded
            assert above.finished_at
            assert one.started_at
            assert above.finished_at <= one.started_at


async def test_who_waits_for_a_resource_is_told_who_holds_it(demo: Demo) -> None:
    waiting = await demo.of("dws_user_retention_di")
    constraints = await demo.scheduler.constraints(waiting.id)
    assert (waiting.status, constraints.resource_group) == (Status.WAIT_RESOURCE, "rg_spark_batch")
    assert constraints.resource_holders
    for ref in constraints.resource_holders:
        assert (await demo.scheduler.instance(ref.removeprefix("demo:"))).status is Status.RUNNING


async def test_who_is_throttled_is_told_the_rule_and_who_fills_it(demo: Demo) -> None:
    constraints = await demo.scheduler.constraints((await demo.of("algo_fraud_score_di")).id)
    holder = await demo.of("algo_demand_forecast_df")
    assert constraints.throttled_by
    assert constraints.throttle_holders == (holder.ref,)


async def test_an_hour_that_waits_for_the_hour_before_is_tied_across_cycles(demo: Demo) -> None:
    above = await demo.scheduler.upstream((await demo.of("dws_trade_order_hi", hour=5)).id)
    before = await demo.of("dws_trade_order_hi", hour=4)
    assert [related.instance.id for related in above if related.cross_cycle] == [before.id]


@pytest.mark.parametrize("wall", ["00:00", "00:07", "03:30", "09:09", "09:10", "12:00", "23:50"])
async def test_the_night_is_over_whatever_the_wall_clock_says(demo: Demo, wall: str) -> None:
    demo.clock.now = datetime.fromisoformat(f"2026-11-22T{wall}:00+08:00")
    counts = await demo.scheduler.counts(InstanceQuery(day=demo.today))
    assert counts[Status.FAILED] == 32
    assert counts[Status.SUCCESS] >= 390
    assert max(one.finished_at for one in await demo.day() if one.finished_at) <= simulated(
        demo.clock.now.astimezone(SHANGHAI)
    )


MOMENTS = st.datetimes(datetime(2026, 11, 20), datetime(2026, 11, 26), timezones=st.just(SHANGHAI))  # noqa: DTZ001 - zone follows


@given(MOMENTS, st.floats(0, 200_000))
def test_the_clock_keeps_its_day_never_runs_back_and_waits_as_long_as_we_do(wall: datetime, seconds: float) -> None:
    now = simulated(wall)
    after = simulated(wall + timedelta(seconds=seconds))
    assert now.date() == wall.date()
    assert now <= after
    assert abs(later(now, seconds) - after) < timedelta(milliseconds=1)


async def test_two_of_the_same_seed_are_the_same_and_another_seed_is_not(demo: Demo) -> None:
    assert await demo.day() == await Demo().day()
    assert await demo.day() != await Demo(seed=21).day()
    one = await demo.of("dws_trade_order_di")
    assert await demo.lines(one) == await Demo().lines(one)


@pytest.mark.parametrize("seed", [1, 7, 4711])
async def test_other_seeds_have_the_same_troubles(seed: int) -> None:
    counts = await Demo(seed=seed).scheduler.counts(InstanceQuery(day=Demo().today))
    assert counts[Status.FAILED] == 32
    assert counts[Status.WAIT_RESOURCE] == 4


async def test_two_weeks_of_history_have_durations(demo: Demo) -> None:
    history = await demo.scheduler.history((await demo.of("dwd_trade_order_di")).task.id, limit=100)
    assert len(history) == 15
    seconds = [one.seconds for one in history if one.seconds]
    assert len(seconds) == 15
    assert 1 < max(seconds) / min(seconds) < 1.5


async def test_a_history_of_hours_does_not_begin_with_the_hours_to_come(demo: Demo) -> None:
    newest = (await demo.scheduler.history((await demo.of("ads_gmv_realtime_hi")).task.id))[0]
    assert newest.scheduled_at
    assert newest.scheduled_at <= demo.clock()


async def test_logs_are_long_and_filled_and_begin_and_end_with_the_run(demo: Demo) -> None:
    failed = [one for one in await demo.day() if one.status.failed and not one.flags.frozen]
    for one in failed:
        lines = await demo.lines(one)
        assert 40 <= len(lines) <= 400, one.task.name
        assert not any("{{" in line or "}}" in line for line in lines), one.task.name
        assert one.started_at
        assert one.started_at.strftime("%Y-%m-%d %H:%M:%S") in lines[0]


async def test_one_log_holds_a_password_one_an_access_key_and_one_an_instruction(demo: Demo) -> None:
    """What masking and fencing have to prove themselves on; all of it obviously made up."""
    failed = [one for one in await demo.day() if one.status.failed]
    logs = {one.task.name: "\n".join(await demo.lines(one)) for one in failed}
    found = {
        what: {name for name, text in logs.items() if what in text}
        for what in ("Fake-Demo-Passw0rd", "LTAI5tFAKE", "ignore previous instructions")
    }
    assert found["Fake-Demo-Passw0rd"] == {"ods_finance_tax_item_df"}
    assert found["LTAI5tFAKE"] == {"dws_user_path_di", "algo_item_embedding_df"}
    assert found["ignore previous instructions"] == {"ods_shop_staff_df"}


async def test_a_false_success_shows_in_its_log_and_its_table_only(demo: Demo) -> None:
    one = await demo.of("ods_weather_area_df")
    assert (one.status, one.note) == (Status.SUCCESS, "")
    assert any("command not found" in line for line in await demo.lines(one))
    (table,) = await demo.scheduler.tables("ods_weather_area_df")
    assert table.updates[0].rows == 0


async def test_the_log_of_what_runs_grows_and_of_what_hangs_does_not(demo: Demo) -> None:
    demo.clock.now = datetime.fromisoformat("2026-11-22T10:14:00+08:00")
    runs, hangs = await demo.of("dwd_traffic_exposure_hi", hour=10), await demo.of("dws_trade_nd_df")
    assert runs.status is hangs.status is Status.RUNNING
    before = [await demo.lines(one) for one in (runs, hangs)]
    demo.clock.advance(90)
    after = [await demo.lines(one) for one in (runs, hangs)]
    assert after[0][: len(before[0])] == before[0] != after[0]
    assert after[1] == before[1]
    assert (await demo.scheduler.log(runs.id)).running


async def test_at_midnight_the_night_is_played_for_the_new_day(demo: Demo) -> None:
    demo.clock.now = datetime(2026, 11, 22, 15, 59, tzinfo=UTC)
    one = await demo.of("dws_trade_order_di")
    demo.clock.advance(120)
    again = await demo.of("dws_trade_order_di")
    assert one.status.failed
    assert again.status.failed
    assert again.id != one.id
    assert (await demo.scheduler.instance(one.id)).status is Status.SUCCESS


def test_a_look_at_the_day_takes_a_few_milliseconds(demo: Demo) -> None:
    """Generous, as machines that test are busy: 1 ms where nothing else runs."""

    async def look() -> float:
        query = InstanceQuery(day=demo.today)
        await demo.scheduler.counts(query)
        times: list[float] = []
        for _ in range(20):
            started = time.perf_counter()
            await demo.scheduler.counts(query)
            await demo.scheduler.instances(replace(query, statuses=frozenset({Status.FAILED})))
            times.append(time.perf_counter() - started)
        return min(times)

    assert asyncio.run(look()) < 0.02
