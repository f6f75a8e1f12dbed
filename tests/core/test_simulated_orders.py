"""Orders to the embedded demonstration really run: in order, once, and with the outcome the failure calls for."""

import asyncio
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import BadInput, Refused
from core.schedulers.base import Instance, InstanceQuery, Operation, Order, Status
from tests.fakes.demo import Demo


@pytest.fixture
def demo() -> Demo:
    return Demo()


async def states(demo: Demo, task: str, seconds: int) -> list[Status]:
    """The statuses an instance goes through, each once."""
    seen: list[Status] = []
    for _ in range(seconds * 4):
        status = (await demo.of(task)).status
        if status not in seen[-1:]:
            seen.append(status)
        demo.clock.advance(0.25)
    return seen


async def test_a_passing_failure_is_cured_by_a_rerun(demo: Demo) -> None:
    one = await demo.of("dws_trade_order_di")
    receipt = await demo.order(Operation.RERUN, one)
    assert (receipt.instances, receipt.run_number) == ((one.id,), 2)
    assert await states(demo, "dws_trade_order_di", 30) == [Status.WAIT_RESOURCE, Status.RUNNING, Status.SUCCESS]
    cured = await demo.of("dws_trade_order_di")
    assert cured.run_number == 2
    assert cured.started_at
    assert one.finished_at
    assert cured.started_at > one.finished_at


async def test_a_rerun_takes_its_usual_time_divided_by_the_speed(demo: Demo) -> None:
    await demo.order(Operation.RERUN, await demo.of("dws_trade_order_di"))
    demo.clock.advance(60)
    seconds = (await demo.of("dws_trade_order_di")).seconds
    assert seconds
    assert 12 * 0.85 <= seconds <= 12 * 1.15, "12 minutes at 60 times the speed"


async def test_what_waited_downstream_runs_in_order(demo: Demo) -> None:
    names = ("dws_trade_order_di", "ads_gmv_daily", "ads_executive_morning_report", "push_morning_report")
    before = [(await demo.of(name)).status for name in names]
    assert before == [Status.FAILED, *[Status.WAIT_UPSTREAM] * 3]
    await demo.order(Operation.RERUN, await demo.of(names[0]))
    demo.clock.advance(120)
    after = [await demo.of(name) for name in names]
    assert {one.status for one in after} == {Status.SUCCESS}
    for above, below in pairwise(after):
        assert above.finished_at
        assert below.started_at
        assert above.finished_at <= below.started_at


async def test_an_error_in_the_code_fails_again_with_the_same_words_at_another_time(demo: Demo) -> None:
    one = await demo.of("algo_price_elasticity_df")
    await demo.order(Operation.RERUN, one)
    demo.clock.advance(60)
    again = await demo.of("algo_price_elasticity_df")
    assert (again.status, again.run_number, again.note) == (Status.FAILED, 2, one.note)
    first, second = await demo.lines(one, run=1), await demo.lines(one, run=2)
    assert len(first) == len(second)
    assert "KeyError: 'competitor_price'" in second
    assert first[0] != second[0]


async def test_a_table_is_up_to_date_once_its_producer_was_rerun(demo: Demo) -> None:
    (before,) = await demo.scheduler.tables("dws_trade_order_di")
    assert before.updates[0].at.date() < demo.today
    await demo.order(Operation.RERUN, await demo.of("dws_trade_order_di"))
    demo.clock.advance(60)
    (after,) = await demo.scheduler.tables("dws_trade_order_di")
    assert after.updates[0].at.date() == demo.today


async def test_killing_what_hangs_lets_the_queue_move(demo: Demo) -> None:
    hanging = await demo.of("dws_trade_nd_df")
    await demo.order(Operation.KILL, hanging)
    killed = await demo.of("dws_trade_nd_df")
    assert (killed.status, killed.raw_status) == (Status.KILLED, "Failure")
    assert "killed by user" in "\n".join(await demo.lines(killed))
    demo.clock.advance(120)
    assert (await demo.of("dws_user_retention_di")).status is Status.SUCCESS
    assert (await demo.of("algo_fraud_score_di")).status is Status.WAIT_RESOURCE, "another queue"


async def test_what_was_killed_can_be_rerun_and_ends(demo: Demo) -> None:
    await demo.order(Operation.KILL, await demo.of("dws_trade_nd_df"))
    await demo.order(Operation.RERUN, await demo.of("dws_trade_nd_df"))
    demo.clock.advance(60)
    assert (await demo.of("dws_trade_nd_df")).status is Status.SUCCESS
    assert "killed by user" in "\n".join(await demo.lines(await demo.of("dws_trade_nd_df"), run=1))


async def test_a_forced_success_lets_downstream_run_but_writes_nothing(demo: Demo) -> None:
    one = await demo.of("dws_trade_area_di")
    await demo.order(Operation.SET_SUCCESS, one)
    demo.clock.advance(60)
    forced = await demo.of("dws_trade_area_di")
    assert (forced.status, forced.flags.forced, forced.run_number) == (Status.FORCED_SUCCESS, True, 1)
    assert (await demo.of("ads_gmv_area_daily")).status is Status.SUCCESS
    (table,) = await demo.scheduler.tables("dws_trade_area_di")
    assert table.updates[0].at.date() < demo.today


async def test_frozen_while_waiting_it_stays_until_unfrozen(demo: Demo) -> None:
    await demo.order(Operation.FREEZE, await demo.of("ads_gmv_daily"))
    await demo.order(Operation.RERUN, await demo.of("dws_trade_order_di"))
    demo.clock.advance(120)
    frozen = await demo.of("ads_gmv_daily")
    assert (frozen.status, frozen.flags.frozen, frozen.run_number) == (Status.WAIT_UPSTREAM, True, 0)
    assert (await demo.scheduler.constraints(frozen.id)).paused
    receipt = await demo.order(Operation.UNFREEZE, frozen)
    assert receipt.run_number == 1
    demo.clock.advance(60)
    thawed = await demo.of("ads_gmv_daily")
    assert (thawed.status, thawed.flags.frozen, thawed.run_number) == (Status.SUCCESS, False, 1)


async def test_a_frozen_node_runs_once_unfrozen(demo: Demo) -> None:
    await demo.order(Operation.UNFREEZE, await demo.of("dws_user_address_df"))
    demo.clock.advance(60)
    one = await demo.of("dws_user_address_df")
    assert (one.status, one.flags.frozen, one.run_number) == (Status.SUCCESS, False, 2)


async def test_a_rerun_with_downstream_runs_all_again_in_order(demo: Demo) -> None:
    start = await demo.of("dwd_trade_payment_di")
    related = await demo.scheduler.downstream(start.id, depth=9)
    chosen = tuple(one.instance.id for one in related if one.instance.status.finished)
    order = Order(Operation.RERUN_DOWNSTREAM, start.id, "a test asks", "downstream-1", instances=chosen)
    receipt = await demo.scheduler.operate(order)
    below = await demo.of("ads_payment_success_daily")
    assert receipt.instances == (start.id, *chosen)
    assert below.id in chosen
    assert below.status is Status.WAIT_UPSTREAM
    demo.clock.advance(600)
    first, last = await demo.of("dwd_trade_payment_di"), await demo.of("ads_payment_success_daily")
    assert (first.run_number, last.run_number) == (2, 2)
    assert first.finished_at
    assert last.started_at
    assert first.finished_at < last.started_at


async def test_a_backfill_runs_day_after_day_beside_the_schedule(demo: Demo) -> None:
    one = await demo.of("dwd_trade_order_di")
    first, last = date(2026, 11, 10), date(2026, 11, 12)
    order = Order(Operation.BACKFILL, one.id, "a test asks", "backfill-1", start=first, end=last)
    total = (await demo.scheduler.instances(InstanceQuery(day=demo.today))).total
    receipt = await demo.scheduler.operate(order)
    assert receipt.instances[0] == one.id
    assert len(receipt.instances) == 4
    demo.clock.advance(120)
    runs = [await demo.scheduler.instance(id_) for id_ in receipt.instances[1:]]
    assert [run.business_date for run in runs] == [first + timedelta(days=n) for n in range(3)]
    assert {run.status for run in runs} == {Status.SUCCESS}
    starts = [run.started_at for run in runs if run.started_at]
    assert starts == sorted(starts)
    assert (await demo.scheduler.instances(InstanceQuery(day=demo.today))).total == total
    assert {run.id for run in await demo.backfills()} == set(receipt.instances[1:])
    (table,) = await demo.scheduler.tables("dwd_trade_order_di")
    assert table.updates[0].instance == one.ref, "a backfill does not make a table fresh"


async def test_an_order_that_comes_twice_is_carried_out_once(demo: Demo) -> None:
    one = await demo.of("dws_trade_order_di")
    order = Order(Operation.RERUN, one.id, "a test asks", "same-id")
    first = await demo.scheduler.operate(order)
    demo.clock.advance(60)
    assert await demo.scheduler.operate(order) == first
    assert (await demo.of("dws_trade_order_di")).run_number == 2


@pytest.mark.parametrize(
    ("operation", "task"),
    [
        (Operation.RERUN, "dws_trade_nd_df"),
        (Operation.RERUN, "ads_gmv_daily"),
        (Operation.RERUN, "dws_user_address_df"),
        (Operation.RERUN_DOWNSTREAM, "ads_gmv_daily"),
        (Operation.SET_SUCCESS, "dwd_trade_order_di"),
        (Operation.SET_SUCCESS, "dws_user_address_df"),
        (Operation.KILL, "dws_trade_order_di"),
        (Operation.KILL, "dws_user_retention_di"),
        (Operation.FREEZE, "dwd_trade_order_di"),
        (Operation.UNFREEZE, "dwd_trade_order_di"),
        (Operation.BACKFILL, "dwd_trade_order_di"),
        (Operation.BACKFILL, "ads_gmv_realtime_hi"),
    ],
)
async def test_what_the_state_does_not_allow_is_refused_and_changes_nothing(
    demo: Demo, operation: Operation, task: str
) -> None:
    before = await demo.of(task)
    with pytest.raises((BadInput, Refused)):
        await demo.order(operation, before)
    assert await demo.of(task) == before


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (date(2026, 11, 12), date(2026, 11, 10)),
        (date(2026, 9, 1), date(2026, 11, 1)),
        (date(2026, 11, 21), date(2026, 11, 22)),
    ],
)
async def test_a_backfill_backwards_too_long_or_of_today_is_refused(demo: Demo, first: date, last: date) -> None:
    one = await demo.of("dwd_trade_order_di")
    with pytest.raises((BadInput, Refused)):
        await demo.scheduler.operate(Order(Operation.BACKFILL, one.id, "a test asks", "b", start=first, end=last))
    assert await demo.backfills() == ()


TASKS = (
    "dws_trade_order_di",
    "ads_gmv_daily",
    "ads_executive_morning_report",
    "dwd_trade_payment_di",
    "ods_shop_staff_df",
    "dwd_shop_deposit_df",
    "dws_trade_nd_df",
    "dws_user_retention_di",
    "dws_user_address_df",
    "ads_member_level_daily",
    "algo_price_elasticity_df",
    "dwd_traffic_search_hi",
)
STEPS = st.tuples(st.sampled_from(Operation), st.sampled_from(TASKS), st.floats(0, 40))


@settings(max_examples=40, deadline=None)
@given(st.lists(STEPS, max_size=10))
def test_whatever_is_ordered_the_night_stays_consistent(steps: list[tuple[Operation, str, float]]) -> None:
    asyncio.run(play(Demo(), steps))


async def play(demo: Demo, steps: list[tuple[Operation, str, float]]) -> None:
    """Give the orders one after the other, and look at what must always hold."""
    before = {task: await demo.of(task) for task in TASKS}
    for number, (operation, task, seconds) in enumerate(steps):
        order = Order(operation, before[task].id, "a test asks", f"step-{number}")
        try:
            receipt = await demo.scheduler.operate(order)
            assert await demo.scheduler.operate(order) == receipt
        except (BadInput, Refused):
            assert (await demo.of(task)) == before[task]
        demo.clock.advance(seconds)
        after = {task: await demo.of(task) for task in TASKS}
        for task_name, one in after.items():
            assert one.run_number >= before[task_name].run_number
            check_times(one, demo)
        before = after
    for one in before.values():
        await check_upstream(demo, one)


def check_times(one: Instance, demo: Demo) -> None:
    """Nothing started or ended in the future, or ended before it started."""
    now = demo.clock()
    assert one.started_at is None or one.started_at <= now
    assert one.finished_at is None or one.started_at is None or one.started_at <= one.finished_at <= now
    assert one.status is not Status.RUNNING or one.finished_at is None


async def check_upstream(demo: Demo, one: Instance) -> None:
    """What started had all its upstream's success behind it, unless the upstream was ordered to run again since."""
    for related in await demo.scheduler.upstream(one.id):
        above = related.instance
        if one.started_at and above.status is Status.SUCCESS and above.run_number == 1:
            assert above.finished_at
            assert above.finished_at <= one.started_at
        if one.started_at and above.run_number == 1:
            assert above.status.succeeded
