"""Changing things on DataWorks: who it says asked, what is refused, what becomes of each instance."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from dataclasses import replace
from datetime import date

import pytest

from core.errors import BadInput, NotFound, Refused, Throttled, Unreachable
from core.operations import RULES
from core.schedulers.aliyun import Calls
from core.schedulers.base import InstanceQuery, Operation, Order, RunType, Status
from core.schedulers.dataworks import DataWorksScheduler
from tests.fakes.aliyun import Fault
from tests.fakes.dataworks import TODAY, ZONE, FakeDataWorks


@pytest.fixture
async def dataworks() -> AsyncGenerator[FakeDataWorks]:
    async with FakeDataWorks() as server:
        yield server


async def at_once(_: float) -> None:
    """Waits for nothing."""


@pytest.fixture
async def scheduler(dataworks: FakeDataWorks) -> AsyncGenerator[DataWorksScheduler]:
    calls = Calls("dw", per_second=2000, concurrency=4, sleep=at_once)
    one = DataWorksScheduler(dataworks.connection(), zone=ZONE, clock=dataworks.clock, calls=calls)
    yield one
    await one.close()


def order(
    operation: Operation, dataworks: FakeDataWorks, task: str = "dws_trade_order_di", instances: tuple[str, ...] = ()
) -> Order:
    """Somebody's order about today's instance of a task."""
    target = str(dataworks.of(task)["Id"])
    return Order(operation, target, "asked by 陈晓雯", "P-7K3QX", instances=instances)


def backfill(dataworks: FakeDataWorks, days: int) -> Order:
    """Somebody's order to backfill so many days from the 18th."""
    span = {"start": date(2026, 11, 18), "end": date(2026, 11, 17 + days)}
    return replace(order(Operation.BACKFILL, dataworks), **span)


WAYS: Mapping[Operation, tuple[str, Mapping[str, str], str]] = {
    Operation.RERUN: ("dws_trade_order_di", {"Status": "Running"}, "RerunTaskInstances"),
    Operation.SET_SUCCESS: ("dws_trade_order_di", {"Status": "Success"}, "SetSuccessTaskInstances"),
    Operation.KILL: ("dim_region_full", {"Status": "Failure"}, "StopTaskInstances"),
    Operation.FREEZE: ("ads_gmv_daily", {"TriggerRecurrence": "Pause"}, "SuspendTaskInstances"),
    Operation.UNFREEZE: ("ads_frozen_report", {"TriggerRecurrence": "Normal"}, "ResumeTaskInstances"),
}


@pytest.mark.parametrize("operation", WAYS)
async def test_an_order_is_one_call_that_names_the_person(
    dataworks: FakeDataWorks, scheduler: DataWorksScheduler, operation: Operation
) -> None:
    task, after, action = WAYS[operation]
    receipt = await scheduler.operate(order(operation, dataworks, task))
    assert receipt.instances == (str(dataworks.of(task)["Id"]),)
    assert after.items() <= dataworks.of(task).items()
    assert dataworks.comments == ["[P-7K3QX] asked by 陈晓雯"]
    assert dataworks.count[action] == 1


@pytest.mark.parametrize(
    ("operation", "task"),
    [
        (Operation.SET_SUCCESS, "ods_order"),
        (Operation.KILL, "ods_order"),
        (Operation.FREEZE, "ods_order"),
        (Operation.UNFREEZE, "ods_order"),
        (Operation.RERUN, "ads_gmv_daily"),
    ],
)
async def test_what_the_state_does_not_allow_is_refused_inside_a_200(
    dataworks: FakeDataWorks, scheduler: DataWorksScheduler, operation: Operation, task: str
) -> None:
    before = dict(dataworks.of(task))
    with pytest.raises(Refused) as refusal:
        await scheduler.operate(order(operation, dataworks, task))
    assert "The instance" in str(refusal.value) or "Only failed" in str(refusal.value)
    assert dataworks.of(task) == before


@pytest.mark.parametrize("mode", ["AllDenied", "FailureAllowed"])
async def test_a_task_may_forbid_its_rerun(dataworks: FakeDataWorks, scheduler: DataWorksScheduler, mode: str) -> None:
    dataworks.of("ods_order")["RerunMode"] = mode
    with pytest.raises(Refused):
        await scheduler.operate(order(Operation.RERUN, dataworks, "ods_order"))


async def test_of_several_instances_the_receipt_names_those_that_were_taken(
    dataworks: FakeDataWorks, scheduler: DataWorksScheduler
) -> None:
    """One of two downstream forbids its rerun; the ordered one and the other run."""
    ended, denied = dataworks.of("dim_region_full"), dataworks.of("ads_frozen_report")
    ended["Status"] = "Success"
    denied["RerunMode"] = "AllDenied"
    chosen = (str(ended["Id"]), str(denied["Id"]))
    receipt = await scheduler.operate(order(Operation.RERUN_DOWNSTREAM, dataworks, instances=chosen))
    root = str(dataworks.of("dws_trade_order_di")["Id"])
    assert receipt.instances == (root, chosen[0])
    assert receipt.message == f"{chosen[1]}: The instance cannot be rerun."
    assert receipt.run_number == 2
    assert dataworks.count["RerunTaskInstances"] == 1


async def test_orders_keep_a_pace_of_their_own(dataworks: FakeDataWorks, scheduler: DataWorksScheduler) -> None:
    """Twenty a second, however many calls the connection may make."""
    loop = asyncio.get_running_loop()
    wanted = order(Operation.RERUN, dataworks)
    await scheduler.instance(wanted.instance)
    start = loop.time()
    await asyncio.gather(*(scheduler.operate(wanted) for _ in range(7)), return_exceptions=True)
    assert dataworks.count["RerunTaskInstances"] == 7
    assert loop.time() - start > 5 / 20


async def test_an_order_about_too_many_is_not_sent(dataworks: FakeDataWorks, scheduler: DataWorksScheduler) -> None:
    chosen = tuple(str(position) for position in range(501))
    with pytest.raises(BadInput):
        await scheduler.operate(order(Operation.RERUN_DOWNSTREAM, dataworks, instances=chosen))
    assert dataworks.count["RerunTaskInstances"] == 0


@pytest.mark.parametrize(
    ("fault", "kind"),
    [(Fault(429, "Throttling.User"), Throttled), (Fault(500, "InternalError.System"), Unreachable)],
)
async def test_an_order_is_sent_once_whatever_comes_back(
    dataworks: FakeDataWorks, scheduler: DataWorksScheduler, fault: Fault, kind: type[Exception]
) -> None:
    wanted = order(Operation.RERUN, dataworks)
    await scheduler.instance(wanted.instance)
    dataworks.refusals["RerunTaskInstances"] = fault
    with pytest.raises(kind):
        await scheduler.operate(wanted)
    assert dataworks.count["RerunTaskInstances"] == 1


async def test_lists_are_asked_for_anew_after_an_order(dataworks: FakeDataWorks, scheduler: DataWorksScheduler) -> None:
    failed = InstanceQuery(day=TODAY, statuses=frozenset({Status.FAILED}), name="dws_trade_order_di")
    assert (await scheduler.instances(failed)).total == 1
    await scheduler.operate(order(Operation.SET_SUCCESS, dataworks))
    assert (await scheduler.instances(failed)).total == 0


# ── whole nodes
@pytest.fixture
async def of_nodes(dataworks: FakeDataWorks) -> AsyncGenerator[DataWorksScheduler]:
    """A connection where freezing is about nodes."""
    one = DataWorksScheduler(dataworks.connection(freezes="node"), zone=ZONE, clock=dataworks.clock)
    yield one
    await one.close()


async def test_a_node_is_frozen_with_all_its_cycles_to_come(
    dataworks: FakeDataWorks, of_nodes: DataWorksScheduler
) -> None:
    """The instance itself stays as it is; that its node is frozen shows on it at once, and proves the order."""
    wanted = order(Operation.FREEZE, dataworks, "ads_gmv_daily")
    rule, before = RULES[Operation.FREEZE], await of_nodes.instance(wanted.instance)
    assert rule.fits(before)
    await of_nodes.operate(wanted)
    now = await of_nodes.instance(wanted.instance)
    assert (now.flags.frozen, now.task.flags.frozen) == (False, True)
    assert rule.sign(before, now, 0) == "succeeded"
    assert dataworks.of("ads_gmv_daily")["TriggerRecurrence"] == "Normal"
    assert of_nodes.effects[Operation.FREEZE] == ("cycles_to_come", "frozen_counts_as_failed")


async def test_a_node_is_unfrozen_with_the_instance_that_it_had_frozen(
    dataworks: FakeDataWorks, of_nodes: DataWorksScheduler
) -> None:
    wanted = order(Operation.UNFREEZE, dataworks, "ads_frozen_report")
    await of_nodes.operate(replace(wanted, operation=Operation.FREEZE))
    rule, before = RULES[Operation.UNFREEZE], await of_nodes.instance(wanted.instance)
    assert rule.fits(before)
    await of_nodes.operate(wanted)
    now = await of_nodes.instance(wanted.instance)
    assert (now.flags.frozen, now.task.flags.frozen) == (False, False)
    assert rule.sign(before, now, 0) == "succeeded"


# ── backfills
async def test_a_backfill_makes_instances_of_the_days_and_names_them(
    dataworks: FakeDataWorks, scheduler: DataWorksScheduler
) -> None:
    receipt = await scheduler.operate(backfill(dataworks, 3))
    assert len(receipt.instances) == 3
    made = [await scheduler.instance(id_) for id_ in receipt.instances]
    assert [one.business_date for one in made] == [date(2026, 11, 18), date(2026, 11, 19), date(2026, 11, 20)]
    assert {one.run_type for one in made} == {RunType.BACKFILL}
    assert dataworks.comments == ["[P-7K3QX] asked by 陈晓雯"]


async def test_a_backfill_that_takes_long_is_a_receipt_without_instances(
    dataworks: FakeDataWorks, scheduler: DataWorksScheduler
) -> None:
    dataworks.creation = "Creating"
    receipt = await scheduler.operate(backfill(dataworks, 1))
    assert receipt.instances == ()
    assert "op-0" in receipt.message
    assert dataworks.count["CreateWorkflowInstances"] == 1


async def test_a_backfill_whose_answer_was_lost_is_found_by_its_name(
    dataworks: FakeDataWorks, scheduler: DataWorksScheduler
) -> None:
    dataworks.lost = {"CreateWorkflowInstances"}
    receipt = await scheduler.operate(backfill(dataworks, 2))
    assert str(dataworks.workflows[0]["Id"]) in receipt.message
    assert dataworks.count["CreateWorkflowInstances"] == 1


async def test_a_backfill_of_which_there_is_no_sign_stays_unknown(
    dataworks: FakeDataWorks, scheduler: DataWorksScheduler
) -> None:
    """Others' backfills of the same days, and of a longer name, are not taken for it."""
    wanted = backfill(dataworks, 1)
    await scheduler.operate(replace(wanted, request_id="P-7K3QX2"))
    dataworks.refusals["CreateWorkflowInstances"] = Fault(500, "InternalError.System")
    with pytest.raises(Unreachable):
        await scheduler.operate(wanted)
    assert dataworks.count["CreateWorkflowInstances"] == 2


async def test_a_backfill_that_was_taken_is_no_failure_when_its_instances_cannot_be_asked_for(
    dataworks: FakeDataWorks, scheduler: DataWorksScheduler
) -> None:
    dataworks.refusals["GetCreateWorkflowInstancesResult"] = Fault(500, "InternalError.System")
    assert "op-0" in (await scheduler.operate(backfill(dataworks, 1))).message


async def test_a_backfill_that_fails_is_refused_in_the_platforms_words(
    dataworks: FakeDataWorks, scheduler: DataWorksScheduler
) -> None:
    dataworks.creation = "CreateFailure"
    with pytest.raises(Refused, match="circle"):
        await scheduler.operate(backfill(dataworks, 1))


async def test_an_order_about_nobody_changes_nothing(dataworks: FakeDataWorks, scheduler: DataWorksScheduler) -> None:
    with pytest.raises(NotFound):
        await scheduler.operate(Order(Operation.RERUN, "424242", "asked", "P-1"))
    assert dataworks.comments == []
