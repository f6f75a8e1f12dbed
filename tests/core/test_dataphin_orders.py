"""Changing things on Dataphin: what is sent, what is refused, what becomes of each instance."""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import replace
from datetime import date

import pytest

from core.drift import drift
from core.errors import BadInput, NotFound, Refused, Throttled, Unreachable
from core.schedulers.aliyun import Calls
from core.schedulers.base import InstanceQuery, Operation, Order, RunType, Status
from core.schedulers.dataphin import DataphinScheduler
from tests.fakes.aliyun import Fault
from tests.fakes.dataphin import TODAY, ZONE, FakeDataphin, Refusal
from tests.fakes.dataphin_night import TRADE


@pytest.fixture
async def dataphin() -> AsyncGenerator[FakeDataphin]:
    async with FakeDataphin() as server:
        yield server


async def at_once(_: float) -> None:
    """Waits for nothing."""


@pytest.fixture
async def scheduler(dataphin: FakeDataphin) -> AsyncGenerator[DataphinScheduler]:
    calls = Calls("dp", per_second=2000, concurrency=4, sleep=at_once)
    one = DataphinScheduler(dataphin.connection(), zone=ZONE, clock=dataphin.clock, calls=calls)
    yield one
    await one.close()


def order(
    operation: Operation, dataphin: FakeDataphin, node: str = "dws_trade_order_di", instances: tuple[str, ...] = ()
) -> Order:
    """Somebody's order about today's instance of a node."""
    return Order(operation, dataphin.id(node), "asked by 陈晓雯", "P-7K3QX", instances=instances)


def backfill(dataphin: FakeDataphin, days: int) -> Order:
    """Somebody's order to backfill so many days from the 18th."""
    return replace(order(Operation.BACKFILL, dataphin), start=date(2026, 11, 18), end=date(2026, 11, 17 + days))


WAYS: Mapping[Operation, tuple[str, str]] = {
    Operation.RERUN: ("dws_trade_order_di", "RERUN"),
    Operation.SET_SUCCESS: ("dws_trade_order_di", "SET_SUCCESS"),
    Operation.FREEZE: ("ads_gmv_daily", "PAUSE"),
    Operation.UNFREEZE: ("ads_frozen_report", "RESUME"),
}


@pytest.mark.parametrize("operation", WAYS)
async def test_an_order_is_one_call(dataphin: FakeDataphin, scheduler: DataphinScheduler, operation: Operation) -> None:
    node, word = WAYS[operation]
    receipt = await scheduler.operate(order(operation, dataphin, node))
    id_ = dataphin.id(node)
    assert receipt.instances == (id_,)
    assert dataphin.changes == [{"ProjectId": TRADE, "Operation": word, "InstanceIdList": [{"Id": id_}]}]


async def test_what_runs_can_be_stopped(dataphin: FakeDataphin, scheduler: DataphinScheduler) -> None:
    dataphin.of("ods_order")["StatusList"] = ["RUNNING"]
    await scheduler.operate(order(Operation.KILL, dataphin, "ods_order"))
    assert (await scheduler.instance(dataphin.id("ods_order"))).status is Status.FAILED


async def test_what_is_paused_is_frozen_until_it_is_resumed(
    dataphin: FakeDataphin, scheduler: DataphinScheduler
) -> None:
    """The status says nothing of it either way."""
    id_ = dataphin.id("ads_gmv_daily")
    for operation, frozen in ((Operation.FREEZE, True), (Operation.UNFREEZE, False)):
        await scheduler.operate(order(operation, dataphin, "ads_gmv_daily"))
        one = await scheduler.instance(id_)
        assert (one.status, one.flags.frozen) == (Status.WAIT_UPSTREAM, frozen)


@pytest.mark.parametrize(
    ("operation", "node"),
    [
        (Operation.SET_SUCCESS, "ods_order"),
        (Operation.KILL, "ods_order"),
        (Operation.FREEZE, "ods_order"),
        (Operation.RERUN, "ads_gmv_daily"),
    ],
)
async def test_what_the_state_does_not_allow_is_refused_inside_a_200(
    dataphin: FakeDataphin, scheduler: DataphinScheduler, operation: Operation, node: str
) -> None:
    before = dict(dataphin.of(node))
    with pytest.raises(Refused, match="is not allowed"):
        await scheduler.operate(order(operation, dataphin, node))
    assert dataphin.of(node) == before


async def test_a_rerun_with_downstream_names_exactly_what_was_chosen(
    dataphin: FakeDataphin, scheduler: DataphinScheduler
) -> None:
    """One call, in which Dataphin is left no range to choose from; the chosen one runs though it says that it succeeded."""
    chosen = dataphin.id("ads_gmv_daily")
    dataphin.runs[chosen].append({"Status": "RUNNING"})
    dataphin.finish(chosen)
    receipt = await scheduler.operate(order(Operation.RERUN_DOWNSTREAM, dataphin, instances=(chosen, chosen)))
    root = dataphin.id("dws_trade_order_di")
    assert (receipt.instances, receipt.run_number) == ((root, chosen), 2)
    (sent,) = dataphin.changes
    assert (sent["RootInstanceId"], sent["DownStreamInstanceIdList"]) == ({"Id": root}, [{"Id": chosen}])
    assert "DownstreamRange" not in sent
    now = await scheduler.instance(chosen)
    assert (now.status, now.run_number, now.raw_status) == (Status.RUNNING, 2, "SUCCESS")


async def test_an_order_about_too_many_is_not_sent(dataphin: FakeDataphin, scheduler: DataphinScheduler) -> None:
    chosen = tuple(f"t_{number}_20261122_1" for number in range(500))
    with pytest.raises(BadInput):
        await scheduler.operate(order(Operation.RERUN_DOWNSTREAM, dataphin, instances=chosen))
    assert dataphin.changes == []


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault(429, "Throttling.User"), Throttled),
        (Fault(502, "Dataphin.OpenAPI.BadGateway"), Unreachable),
        (Refusal("DPN.Commons.InternalError", "trace", 500), Unreachable),
        (Refusal("DPN.OP.NoPermission", "no"), Refused),
    ],
)
async def test_an_order_is_sent_once_whatever_comes_back(
    dataphin: FakeDataphin, scheduler: DataphinScheduler, fault: Fault | Refusal, kind: type[Exception]
) -> None:
    if isinstance(fault, Fault):
        dataphin.refusals["OperateInstance"] = fault
    else:
        dataphin.inside["OperateInstance"] = fault
    with pytest.raises(kind):
        await scheduler.operate(order(Operation.RERUN, dataphin))
    assert dataphin.count["OperateInstance"] == 1


async def test_what_a_list_showed_is_the_same_by_itself_until_it_runs_again(
    dataphin: FakeDataphin, scheduler: DataphinScheduler
) -> None:
    """A list tells no run numbers: one that ran twice before it was listed has not changed since, for a batch that names it."""
    id_ = dataphin.id("dws_trade_order_di")
    await scheduler.operate(order(Operation.RERUN, dataphin))
    dataphin.finish(id_, "FAILED")
    (listed,) = (await scheduler.instances(InstanceQuery(day=TODAY, name="dws_trade_order_di"))).items
    alone = await scheduler.instance(id_)
    assert (listed.run_number, listed.counted, alone.run_number, alone.counted) == (1, False, 2, True)
    assert drift(listed, alone) == ()
    await scheduler.operate(order(Operation.RERUN, dataphin))
    dataphin.finish(id_, "FAILED")
    assert drift(listed, await scheduler.instance(id_)) == ("run",)


async def test_lists_are_asked_for_anew_after_an_order(dataphin: FakeDataphin, scheduler: DataphinScheduler) -> None:
    failed = InstanceQuery(day=TODAY, statuses=frozenset({Status.FAILED}))
    assert (await scheduler.instances(failed)).total == 1
    await scheduler.operate(order(Operation.SET_SUCCESS, dataphin))
    assert (await scheduler.instances(failed)).total == 0


# ── backfills
async def test_a_backfill_makes_instances_of_the_days_and_names_them(
    dataphin: FakeDataphin, scheduler: DataphinScheduler
) -> None:
    receipt = await scheduler.operate(backfill(dataphin, 3))
    made = [await scheduler.instance(id_) for id_ in receipt.instances]
    assert [one.business_date for one in made] == [date(2026, 11, 18), date(2026, 11, 19), date(2026, 11, 20)]
    assert {one.run_type for one in made} == {RunType.BACKFILL}
    (sent,) = dataphin.changes
    assert (sent["Name"], sent["ContainAllDownStream"]) == ("xops_P-7K3QX", False)


async def test_a_backfill_that_takes_long_is_a_receipt_without_instances(
    dataphin: FakeDataphin, scheduler: DataphinScheduler
) -> None:
    dataphin.creation = "INIT"
    receipt = await scheduler.operate(backfill(dataphin, 1))
    assert receipt.instances == ()
    assert "f_0" in receipt.message
    assert dataphin.count["CreateNodeSupplement"] == 1


async def test_a_backfill_that_fails_is_refused(dataphin: FakeDataphin, scheduler: DataphinScheduler) -> None:
    dataphin.creation = "CREATE_FAILED"
    with pytest.raises(Refused):
        await scheduler.operate(backfill(dataphin, 1))


async def test_an_order_about_nobody_changes_nothing(dataphin: FakeDataphin, scheduler: DataphinScheduler) -> None:
    with pytest.raises(NotFound):
        await scheduler.operate(Order(Operation.RERUN, "t_424242_20261122_1", "asked", "P-1"))
    assert dataphin.changes == []
