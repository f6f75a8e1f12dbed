"""What orders do to DolphinScheduler: what is sent, once, and what is refused before anything is sent."""

import json
from datetime import timedelta

import pytest
from aiohttp import web

from core.errors import BadInput, NotFound, Refused, Unauthorized, Unreachable
from core.schedulers.base import Operation, Order, Receipt, Status
from tests.core.dolphins import Pair, dolphin
from tests.fakes.dolphin_night import TODAY


def order(operation: Operation, instance: str, *chosen: str) -> Order:
    return Order(operation, instance, "asked by zhang_san", "request-1", instances=chosen)


async def backfill(pair: Pair, first: int, last: int) -> Receipt:
    start, end = TODAY - timedelta(days=first), TODAY - timedelta(days=last)
    return await pair.scheduler.operate(
        Order(Operation.BACKFILL, pair.server.id("dwd_trade_order_di"), "note", "request-1", start, end)
    )


@pytest.mark.parametrize("version", ["3.2.2", "3.4.3"])
async def test_a_rerun_runs_this_task_alone(version: str) -> None:
    async with dolphin(version) as pair:
        failed = pair.server.id("dws_trade_order_di")
        receipt = await pair.scheduler.operate(order(Operation.RERUN, failed))
        assert receipt == Receipt((failed,), 2)
        (sent,) = pair.server.given
        assert (sent["startNodeList"], sent["taskDependType"]) == ("303", "TASK_ONLY")
        now = await pair.scheduler.instance(failed)
        assert (now.status, now.run_number) == (Status.RUNNING, 2)


async def test_what_follows_a_task_that_ran_again_alone_is_still_told() -> None:
    """DolphinScheduler calls the workflow instance a success then, though its last task never ran."""
    async with dolphin() as pair:
        failed = pair.server.id("dws_trade_order_di")
        await pair.scheduler.operate(order(Operation.RERUN, failed))
        pair.server.finish(int(failed.split("/")[1]))
        assert (await pair.scheduler.instance(failed)).status is Status.SUCCESS
        assert (await pair.scheduler.instance(pair.server.id("ads_gmv_daily"))).status is Status.NOT_RUN
        assert "downstream_stays" in pair.scheduler.effects[Operation.RERUN]


async def test_a_rerun_waits_for_the_workflow_instance_to_stand_still() -> None:
    async with dolphin() as pair:
        with pytest.raises(Refused, match="wait for its end, or stop it") as told:
            await pair.scheduler.operate(order(Operation.RERUN, pair.server.id("wait_for_trade")))
        assert told.value.code == "still-running"
        assert pair.server.given == []


async def test_a_second_copy_of_an_order_is_refused_while_the_first_runs() -> None:
    async with dolphin() as pair:
        again = order(Operation.RERUN, pair.server.id("dws_trade_order_di"))
        await pair.scheduler.operate(again)
        with pytest.raises(Refused):
            await pair.scheduler.operate(again)
        assert len(pair.server.given) == 1


async def test_with_downstream_takes_one_call_when_all_that_follows_is_chosen() -> None:
    async with dolphin() as pair:
        first, rest = (
            pair.server.id("ods_order"),
            [pair.server.id(f"{name}") for name in ("dwd_trade_order_di", "dws_trade_order_di", "ads_gmv_daily")],
        )
        receipt = await pair.scheduler.operate(order(Operation.RERUN_DOWNSTREAM, first, *rest))
        assert receipt.instances == (first, *rest)
        assert [sent["taskDependType"] for sent in pair.server.given] == ["TASK_POST"]


async def test_a_part_of_what_follows_is_refused_before_anything_is_sent() -> None:
    async with dolphin() as pair:
        some = order(Operation.RERUN_DOWNSTREAM, pair.server.id("ods_order"), pair.server.id("dwd_trade_order_di"))
        with pytest.raises(Refused, match="alone or with all that follows"):
            await pair.scheduler.operate(some)
        assert pair.server.given == []


async def test_each_workflow_instance_that_is_chosen_from_takes_a_call_of_its_own() -> None:
    async with dolphin() as pair:
        pair.server.finish(int(pair.server.id("wait_for_trade").split("/")[1]))
        chosen = [pair.server.id(name) for name in ("ads_gmv_daily", "wait_for_trade", "rpt_board")]
        receipt = await pair.scheduler.operate(
            order(Operation.RERUN_DOWNSTREAM, pair.server.id("dws_trade_order_di"), *chosen)
        )
        assert set(receipt.instances[1:]) == set(chosen)
        assert [sent["startNodeList"] for sent in pair.server.given] == ["303", "311"]


async def test_what_could_not_follow_is_told_with_what_was_done() -> None:
    """The second workflow instance still runs, so it takes no order; the first already does what was asked."""
    async with dolphin() as pair:
        failed = pair.server.id("dws_trade_order_di")
        chosen = [pair.server.id(name) for name in ("ads_gmv_daily", "wait_for_trade", "rpt_board")]
        receipt = await pair.scheduler.operate(order(Operation.RERUN_DOWNSTREAM, failed, *chosen))
        assert receipt.instances == (failed, chosen[0])
        assert f"not {chosen[1]} and what follows" in receipt.message


async def test_before_3_2_all_that_failed_runs_again_and_the_person_is_told() -> None:
    async with dolphin("3.1.9") as pair:
        await pair.scheduler.health()
        assert pair.scheduler.effects[Operation.RERUN] == ("all_failed_run",)
        await pair.scheduler.operate(order(Operation.RERUN, pair.server.id("dws_trade_order_di")))
        assert [sent["executeType"] for sent in pair.server.given] == ["START_FAILURE_TASK_PROCESS"]
        with pytest.raises(Refused, match=r"before 3\.2 only what failed"):
            await pair.scheduler.operate(order(Operation.RERUN, pair.server.id("fin_ledger")))


async def test_set_success_marks_the_row_and_leaves_what_follows() -> None:
    async with dolphin() as pair:
        await pair.scheduler.operate(order(Operation.SET_SUCCESS, pair.server.id("dws_trade_order_di")))
        one = await pair.scheduler.instance(pair.server.id("dws_trade_order_di"))
        assert (one.status, one.flags.forced) == (Status.FORCED_SUCCESS, True)
        assert (await pair.scheduler.instance(pair.server.id("ads_gmv_daily"))).status is Status.NOT_RUN


async def test_set_success_of_what_did_not_fail_or_never_ran_is_refused() -> None:
    async with dolphin() as pair:
        with pytest.raises(Refused) as told:
            await pair.scheduler.operate(order(Operation.SET_SUCCESS, pair.server.id("ods_order")))
        assert told.value.code == "10166"
        with pytest.raises(Refused, match="never ran"):
            await pair.scheduler.operate(order(Operation.SET_SUCCESS, pair.server.id("ads_gmv_daily")))


async def test_a_kill_stops_the_whole_workflow_instance() -> None:
    async with dolphin() as pair:
        await pair.scheduler.operate(order(Operation.KILL, pair.server.id("wait_for_trade")))
        assert (await pair.scheduler.instance(pair.server.id("wait_for_trade"))).status is Status.KILLED
        assert pair.scheduler.effects[Operation.KILL] == ("whole_workflow_stopped",)


async def test_freezing_twice_is_freezing_once_and_thaws_again() -> None:
    async with dolphin() as pair:
        one = pair.server.id("ods_order")
        for _ in range(2):
            await pair.scheduler.operate(order(Operation.FREEZE, one))
        assert (await pair.scheduler.instance(one)).task.flags.frozen
        assert len(pair.server.given) == 1
        await pair.scheduler.operate(order(Operation.UNFREEZE, one))
        assert not (await pair.scheduler.instance(one)).task.flags.frozen


async def test_what_has_no_schedule_cannot_be_frozen() -> None:
    async with dolphin() as pair:
        night = pair.server.night
        night.fire(night.flows[3], TODAY, hour=6)
        with pytest.raises(Refused, match="no schedule"):
            await pair.scheduler.operate(order(Operation.FREEZE, pair.server.id("repair")))


@pytest.mark.parametrize(
    ("version", "zone", "begins"),
    [("3.4.3", "UTC", "2026-11-20 16:00:00"), ("3.2.2", "Asia/Shanghai", "2026-11-21 00:00:00")],
)
async def test_a_backfill_of_two_days_runs_the_task_alone_on_the_days_after(
    version: str, zone: str, begins: str
) -> None:
    """Data about the 20th and 21st is made on the 21st and 22nd; moments are written in the server's zone."""
    async with dolphin(version, zone=zone) as pair:
        receipt = await backfill(pair, 3, 2)
        (sent,) = pair.server.given
        assert json.loads(sent["scheduleTime"])["complementStartDate"] == begins
        assert (sent["startNodeList"], sent["taskDependType"], sent["execType"]) == (
            "302",
            "TASK_ONLY",
            "COMPLEMENT_DATA",
        )
        known = [await pair.scheduler.instance(id_) for id_ in receipt.instances]
        days = [TODAY - timedelta(days=3), TODAY - timedelta(days=2)]
        assert [one.business_date for one in known] == (days if version == "3.4.3" else [])


async def test_a_backfill_from_the_last_day_to_the_first_is_refused() -> None:
    async with dolphin() as pair:
        with pytest.raises(BadInput):
            await backfill(pair, 2, 3)
        assert pair.server.given == []


@pytest.mark.parametrize("status", [500, 502, 503])
async def test_an_order_is_sent_once_whatever_comes_back(status: int) -> None:
    async with dolphin() as pair:
        sent: list[str] = []

        def fail(request: web.Request) -> web.Response | None:
            if "executors" not in request.path:
                return None
            sent.append(request.path)
            return web.Response(status=status)

        pair.server.trouble = fail
        with pytest.raises(Unreachable):
            await pair.scheduler.operate(order(Operation.RERUN, pair.server.id("dws_trade_order_di")))
        assert len(sent) == 1


async def test_a_token_that_expires_before_the_order_does_nothing() -> None:
    async with dolphin() as pair:
        one = pair.server.id("dws_trade_order_di")
        await pair.scheduler.instance(one)
        pair.server.token = "another"
        with pytest.raises(Unauthorized):
            await pair.scheduler.operate(order(Operation.RERUN, one))
        assert pair.server.given == []


async def test_an_order_about_a_project_that_is_not_looked_at_is_about_nobody() -> None:
    async with dolphin(projects=("finance",)) as pair:
        with pytest.raises(NotFound):
            await pair.scheduler.operate(order(Operation.RERUN, pair.server.id("dws_trade_order_di")))
