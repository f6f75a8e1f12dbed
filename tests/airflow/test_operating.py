"""Changing things in a real Airflow, and what Airflow makes of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from core.errors import BadInput, Refused
from core.schedulers.airflow import AirflowScheduler
from core.schedulers.base import Instance, InstanceQuery, LogPage, Operation, Order, RunType, Status
from tests.airflow.conftest import Connect
from tests.airflow.server import Airflow
from tests.waiting import eventually

pytestmark = pytest.mark.airflow

PATIENCE = 180.0
"""Seconds that a run may take. Each task starts a process of five seconds' computing, a DAG runs one at a time, and the
machine may be busy; alone, ten are enough."""


class Operator:
    """Someone who gives orders and waits for what comes of them."""

    def __init__(self, airflow: Airflow, scheduler: AirflowScheduler) -> None:
        self.airflow = airflow
        self.scheduler = scheduler
        self._orders = 0

    def order(self, operation: Operation, instance: str) -> Order:
        """An order of its own each time."""
        self._orders += 1
        return Order(operation, instance, "chen asked: data repaired", f"P-{id(self)}-{self._orders}")

    async def until(self, instance: str, *statuses: Status, run_number: int = 0) -> Instance:
        """The instance once it is in one of these statuses, in this run or a later one."""

        async def look() -> Instance | None:
            one = await self.scheduler.instance(instance)
            return one if one.status in statuses and one.run_number >= run_number else None

        found = await eventually(look, within=PATIENCE, every=0.3)
        assert found is not None
        return found

    async def failed_trade(self, run: str) -> str:
        """A run of `trade_daily` whose `transform` failed; gives the run."""
        self.airflow.trigger("trade_daily", run)
        await self.until(f"trade_daily/{run}/load", Status.UPSTREAM_FAILED)
        return f"trade_daily/{run}"


@pytest.fixture
async def operator(airflow: Airflow, scheduler: AirflowScheduler) -> Operator:
    return Operator(airflow, scheduler)


async def test_a_repaired_run_turns_green_and_its_tables_and_readers_follow(operator: Operator) -> None:
    run = await operator.failed_trade("repaired")
    (operator.airflow.fixes / "repaired").touch()
    order = replace(operator.order(Operation.RERUN_DOWNSTREAM, f"{run}/transform"), instances=(f"{run}/load",))
    receipt = await operator.scheduler.operate(order)
    assert (set(receipt.instances), receipt.run_number) == ({f"{run}/transform", f"{run}/load"}, 2)
    assert (await operator.until(f"{run}/transform", Status.SUCCESS, run_number=2)).run_number == 2
    await operator.until(f"{run}/load", Status.SUCCESS)
    seen = operator.airflow.api("GET", operator.airflow.path(f"{run}/transform"))
    assert (seen["try_number"], seen["state"]) == (2, "success")
    assert "chen asked" in seen["note"]

    (report,) = await operator.scheduler.tables("orders_report")
    assert (report.updates[0].instance, report.updates[0].rows) == (f"air:{run}/load", 7)

    (reader,) = await eventually(lambda: operator.scheduler.downstream(f"{run}/load"), within=60, every=0.3)
    assert (reader.instance.task.id, reader.instance.run_type) == ("orders_export/publish", RunType.NORMAL)
    assert [one.instance.id for one in await operator.scheduler.upstream(reader.instance.id)] == [f"{run}/load"]


async def test_the_same_order_twice_is_carried_out_once(operator: Operator) -> None:
    run = await operator.failed_trade("twice")
    order = operator.order(Operation.RERUN, f"{run}/transform")
    first = await operator.scheduler.operate(order)
    assert (await operator.scheduler.operate(order)).run_number == first.run_number == 2
    await operator.until(f"{run}/transform", Status.FAILED, run_number=2)
    assert (await operator.scheduler.operate(order)).run_number == 2
    operator.airflow.wait_until_idle()
    assert (await operator.scheduler.instance(f"{run}/transform")).run_number == 2


async def test_a_success_is_rerun_too_and_a_rerun_touches_nothing_else(operator: Operator) -> None:
    run = await operator.failed_trade("alone")
    receipt = await operator.scheduler.operate(operator.order(Operation.RERUN, f"{run}/extract"))
    assert receipt.instances == (f"{run}/extract",)
    await operator.until(f"{run}/extract", Status.SUCCESS, run_number=2)
    assert (await operator.scheduler.instance(f"{run}/transform")).run_number == 1


async def test_one_index_of_a_mapped_task_is_rerun_alone(operator: Operator) -> None:
    operator.airflow.trigger("parts", "index")
    await operator.until("parts/index/merge", Status.UPSTREAM_FAILED)
    receipt = await operator.scheduler.operate(operator.order(Operation.RERUN, "parts/index/copy/1"))
    assert receipt.instances == ("parts/index/copy/1",)
    await operator.until("parts/index/copy/1", Status.FAILED, run_number=2)
    assert (await operator.scheduler.instance("parts/index/copy/0")).run_number == 1


async def test_a_success_by_hand_lets_downstream_run_and_updates_no_table(operator: Operator) -> None:
    run = await operator.failed_trade("forced")
    receipt = await operator.scheduler.operate(operator.order(Operation.SET_SUCCESS, f"{run}/transform"))
    assert receipt.instances == (f"{run}/transform",)
    assert (await operator.scheduler.instance(f"{run}/transform")).status is Status.SUCCESS
    await operator.until(f"{run}/load", Status.SUCCESS)
    with pytest.raises(Refused, match="already in success state"):
        await operator.scheduler.operate(operator.order(Operation.SET_SUCCESS, f"{run}/transform"))


async def test_a_table_is_not_updated_by_a_success_by_hand(operator: Operator) -> None:
    run = await operator.failed_trade("by_hand")
    await operator.scheduler.operate(operator.order(Operation.SET_SUCCESS, f"{run}/load"))
    assert (await operator.scheduler.instance(f"{run}/load")).status is Status.SUCCESS
    (report,) = await operator.scheduler.tables("orders_report")
    assert f"air:{run}/load" not in {update.instance for update in report.updates}


async def test_a_kill_ends_what_runs_and_nothing_else(operator: Operator) -> None:
    operator.airflow.trigger("slow_copy", "endless")
    id_ = "slow_copy/endless/sleeper"
    await operator.until(id_, Status.RUNNING)
    log = await eventually(lambda: _log_with(operator.scheduler, id_, "copying"), within=60, every=0.3)
    assert log
    assert log.running
    with pytest.raises(Refused):
        await operator.scheduler.operate(operator.order(Operation.RERUN, id_))
    order = operator.order(Operation.KILL, id_)
    assert (await operator.scheduler.operate(order)).run_number == 1
    await operator.until(id_, Status.FAILED)
    assert (await operator.scheduler.operate(order)).run_number == 1
    with pytest.raises(Refused, match="not running"):
        await operator.scheduler.operate(operator.order(Operation.KILL, id_))
    ended = await eventually(lambda: _log_with(operator.scheduler, id_, "Task killed!"), within=60, every=0.3)
    assert ended
    assert not ended.running


async def test_a_paused_dag_freezes_what_has_not_begun_until_it_is_unpaused(operator: Operator) -> None:
    before = f"{operator.airflow.scheduled('daily_stats')}/count"
    id_ = "daily_stats/frozen/count"
    await operator.scheduler.operate(operator.order(Operation.FREEZE, before))
    try:
        operator.airflow.trigger("daily_stats", "frozen")
        one = await operator.until(id_, Status.NOT_RUN)
        assert one.flags.frozen
        assert (await operator.scheduler.constraints(id_)).paused
        assert not (await operator.scheduler.instance(before)).flags.frozen
        assert (await operator.scheduler.log(id_)).lines == ()
    finally:
        await operator.scheduler.operate(operator.order(Operation.UNFREEZE, before))
    assert not (await operator.until(id_, Status.SUCCESS)).flags.frozen


async def test_a_backfill_runs_each_day_of_its_span_once(operator: Operator) -> None:
    scheduler = operator.scheduler
    last = datetime.now(UTC).date() - timedelta(days=3)
    first = last - timedelta(days=1)
    operator.airflow.wait_until_backfilled("daily_stats")
    today = operator.order(Operation.BACKFILL, f"{operator.airflow.scheduled('daily_stats')}/count")
    order = Order(today.operation, today.instance, today.note, today.request_id, start=first, end=last)
    receipt = await scheduler.operate(order)
    assert len(receipt.instances) == 2
    assert (await scheduler.operate(order)).instances == receipt.instances
    for id_ in receipt.instances:
        done = await operator.until(id_, Status.SUCCESS)
        assert done.run_type is RunType.BACKFILL
        assert done.business_date in {first, last}
    assert operator.airflow.api("GET", "/backfills?dag_id=daily_stats")["total_entries"] == 1
    scheduled = await scheduler.instances(InstanceQuery(task="daily_stats/count"))
    assert not set(receipt.instances) & {one.id for one in scheduled.items}


async def test_a_backfill_that_cannot_be_is_refused(operator: Operator) -> None:
    day = datetime.now(UTC).date()
    without_days = operator.order(Operation.BACKFILL, f"{operator.airflow.scheduled('daily_stats')}/count")
    with pytest.raises(BadInput):
        await operator.scheduler.operate(without_days)
    operator.airflow.trigger("parts", "unplanned")
    order = Order(Operation.BACKFILL, "parts/unplanned/merge", "chen", "P-unplanned", start=day, end=day)
    with pytest.raises(Refused):
        await operator.scheduler.operate(order)


async def test_a_viewer_looks_and_changes_nothing(connect: Connect, operator: Operator, airflow: Airflow) -> None:
    viewer = connect(username="viewer", password="viewer")
    id_ = f"{airflow.scheduled('trade_daily')}/transform"
    before = await viewer.instance(id_)
    assert (await viewer.log(id_)).lines
    for operation in (Operation.RERUN, Operation.SET_SUCCESS, Operation.FREEZE):
        with pytest.raises(Refused) as refusal:
            await viewer.operate(operator.order(operation, id_))
        assert refusal.value.code == "403"
    assert await viewer.instance(id_) == before


async def _log_with(scheduler: AirflowScheduler, id_: str, text: str) -> LogPage | None:
    log = await scheduler.log(id_)
    return log if any(text in line for line in log.lines) else None
