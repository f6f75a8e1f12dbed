"""The promises of the scheduler seam, kept by a real Airflow."""

from collections.abc import AsyncGenerator

import pytest

from core.schedulers.airflow import AirflowScheduler
from core.schedulers.base import Instance, Operation, Order
from tests.airflow.server import Airflow
from tests.contracts.schedulers import SchedulerContract, Subject
from tests.waiting import eventually

pytestmark = pytest.mark.airflow


class TestAirflow(SchedulerContract):
    """Yesterday's failed `transform`, which fails again whenever it runs, so that a rerun puts back what a test did to it.

    Its note is wiped before each test, since a note says which orders were carried out.
    """

    @pytest.fixture
    async def subject(self, airflow: Airflow, scheduler: AirflowScheduler) -> AsyncGenerator[Subject]:
        run = airflow.scheduled("trade_daily", days_ago=1)
        failed = f"{run}/transform"
        airflow.api("PATCH", airflow.path(failed), {"note": ""})

        async def ended(instance_id: str, run_number: int) -> Instance:
            async def look() -> Instance | None:
                one = await scheduler.instance(instance_id)
                return one if one.status.finished and one.run_number >= run_number else None

            one = await eventually(look, within=60, every=0.3)
            assert one is not None
            airflow.wait_until_idle()
            return one

        yield Subject(scheduler, failed, f"{run}/extract", task="transform", table="orders_raw", ended=ended)
        airflow.wait_until_idle()
        airflow.wait_until_backfilled("trade_daily")
        if not (await scheduler.instance(failed)).status.failed:
            await scheduler.operate(Order(Operation.RERUN, failed, "put back", "contract-put-back"))
            airflow.wait_until_idle()
