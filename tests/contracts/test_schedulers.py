"""The embedded scheduler keeps the promises of the seam. Others reuse the contract, e.g. Airflow in tests/airflow."""

import pytest

from core.schedulers.base import Instance
from core.schedulers.simulated import SimulatedScheduler
from core.settings import SchedulerConnection
from tests.contracts.schedulers import SchedulerContract, Subject
from tests.fakes.wall_clock import WallClock


class TestSimulated(SchedulerContract):
    """The contract over one night."""

    @pytest.fixture
    async def subject(self) -> Subject:
        clock = WallClock()
        scheduler = SimulatedScheduler(SchedulerConnection(name="demo", kind="simulated"), clock=clock)

        async def ended(instance_id: str, run_number: int) -> Instance:
            for _ in range(1000):
                one = await scheduler.instance(instance_id)
                if one.run_number >= run_number and one.status.finished:
                    return one
                clock.advance(1.0)
            raise AssertionError(f"{instance_id} did not end")

        async def of(task: str) -> str:
            (found,) = await scheduler.tasks(task)
            return (await scheduler.history(found.id, limit=1))[0].id

        return Subject(
            scheduler,
            failed=await of("dws_trade_order_di"),
            succeeded=await of("dwd_trade_order_di"),
            task="ads_gmv_daily",
            table="dwd_trade_order_di",
            ended=ended,
        )
