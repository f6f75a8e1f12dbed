"""What the table of operations takes for a sign that an order was carried out is what a real Airflow shows."""

from datetime import UTC, date, datetime, timedelta

import pytest

from core import downstream
from core.execution.watching import changed, look
from core.operations import RULES
from core.proposals import Record
from core.results import Member, Proposal
from core.schedulers.airflow import AirflowScheduler
from core.schedulers.base import Operation, Order, Status
from core.schedulers.fleet import Fleet
from tests.airflow.server import Airflow
from tests.airflow.test_operating import Operator
from tests.waiting import eventually

pytestmark = pytest.mark.airflow


class Prover:
    """Gives orders as the execution does, and asks what became of them."""

    def __init__(self, airflow: Airflow, scheduler: AirflowScheduler) -> None:
        self.operator = Operator(airflow, scheduler)
        self.airflow = airflow
        self.scheduler = scheduler
        self.fleet = Fleet([scheduler])

    async def carry_out(
        self,
        operation: Operation,
        instance_id: str,
        *,
        members: tuple[Member, ...] = (),
        start: date | None = None,
        end: date | None = None,
    ) -> str:
        """Propose, find it unchanged, order, and follow to the end; gives the end's sign."""
        now, before = datetime.now(UTC), await self.scheduler.instance(instance_id)
        assert RULES[operation].fits(before)
        id_ = f"P-{operation}-{now:%H%M%S%f}"
        days = (end - start).days + 1 if start and end else 1
        shown = Proposal(
            id_, operation, before, "following", "chen", now, affected=days, start=start, end=end, members=members
        )
        assert (await changed(self.fleet, shown))[0] == ()
        chosen = tuple(member.instance.id for member in shown.chosen)
        order = Order(operation, instance_id, "chen asked", id_, start, end, chosen)
        receipt = await self.scheduler.operate(order)
        record = Record(shown, "chat:1", now, receipt.run_number, now)

        async def over() -> str:
            sign = (await look(self.fleet, record)).sign
            return sign if sign in {"succeeded", "failed"} else ""

        return await eventually(over, within=90, every=0.3)


@pytest.fixture
async def prover(airflow: Airflow, scheduler: AirflowScheduler) -> Prover:
    return Prover(airflow, scheduler)


async def test_a_success_by_hand_is_seen_and_failed_descendants_run_as_the_card_said(prover: Prover) -> None:
    run = await prover.operator.failed_trade("proven_success")
    assert prover.scheduler.effects[Operation.SET_SUCCESS] == ("failed_descendants_run",)
    assert await prover.carry_out(Operation.SET_SUCCESS, f"{run}/transform") == "succeeded"
    await prover.operator.until(f"{run}/load", Status.SUCCESS)


async def test_a_kill_is_seen(prover: Prover) -> None:
    prover.airflow.trigger("slow_copy", "proven_kill")
    await prover.operator.until("slow_copy/proven_kill/sleeper", Status.RUNNING)
    assert await prover.carry_out(Operation.KILL, "slow_copy/proven_kill/sleeper") == "succeeded"


async def test_a_pause_is_seen_on_an_instance_that_has_ended(prover: Prover) -> None:
    """Only the task of such an instance shows it."""
    ended = f"{prover.airflow.scheduled('daily_stats')}/count"
    try:
        assert await prover.carry_out(Operation.FREEZE, ended) == "succeeded"
    finally:
        assert await prover.carry_out(Operation.UNFREEZE, ended) == "succeeded"


async def test_a_rerun_with_a_part_of_what_is_downstream_leaves_the_rest(prover: Prover) -> None:
    """`load` waits for `transform` and could run again; nobody chose it."""
    run = await prover.operator.failed_trade("proven_part")
    (prover.airflow.fixes / "proven_part").touch()
    load = await prover.scheduler.instance(f"{run}/load")
    below = downstream.members(await prover.scheduler.downstream(f"{run}/extract", depth=downstream.REACH))
    assert [member.instance.id for member in below] == [f"{run}/transform", f"{run}/load"]
    members = downstream.choose(below, "failed")
    assert await prover.carry_out(Operation.RERUN_DOWNSTREAM, f"{run}/extract", members=members) == "succeeded"
    assert (await prover.scheduler.instance(f"{run}/transform")).run_number == 2
    prover.airflow.wait_until_idle()
    assert await prover.scheduler.instance(f"{run}/load") == load


async def test_a_rerun_has_failed_when_what_was_chosen_downstream_fails_again(prover: Prover) -> None:
    run = await prover.operator.failed_trade("proven_again")
    below = downstream.members(await prover.scheduler.downstream(f"{run}/extract", depth=downstream.REACH))
    members = downstream.choose(below, "unsuccessful")
    assert await prover.carry_out(Operation.RERUN_DOWNSTREAM, f"{run}/extract", members=members) == "failed"


async def test_a_backfill_is_over_when_all_its_days_are(prover: Prover) -> None:
    last = datetime.now(UTC).date() - timedelta(days=6)
    first = last - timedelta(days=1)
    prover.airflow.wait_until_backfilled("daily_stats")
    count = f"{prover.airflow.scheduled('daily_stats')}/count"
    assert await prover.carry_out(Operation.BACKFILL, count, start=first, end=last) == "succeeded"
