"""DataWorks keeps the promises of the seam, against a gateway that holds requests to the official SDK's models."""

from collections.abc import AsyncGenerator

import pytest

from core.schedulers.base import Instance
from core.schedulers.dataworks import DataWorksScheduler
from tests.contracts.schedulers import SchedulerContract, Subject
from tests.fakes.dataworks import NOW, ZONE, FakeDataWorks
from tests.fakes.dataworks_rules import milliseconds


class TestDataWorks(SchedulerContract):
    """The contract over one night of two workspaces."""

    @pytest.fixture
    async def subject(self) -> AsyncGenerator[Subject]:
        async with FakeDataWorks() as dataworks:
            scheduler = DataWorksScheduler(dataworks.connection(), zone=ZONE, clock=dataworks.clock)

            async def ended(instance_id: str, run_number: int) -> Instance:
                dataworks.finish(int(instance_id))
                one = await scheduler.instance(instance_id)
                assert one.run_number >= run_number
                return one

            now = milliseconds(NOW)
            dataworks.operations = [{"TaskId": 503, "User": "2002", "OperationContent": "edited", "CreateTime": now}]
            promise = {"BaselineId": 77, "BaselineName": "core", "FinishStatus": "UNFINISH", "Owner": "2002"}
            dataworks.baselines = [promise | {"SlaTime": now, "EndCast": now}]
            yield Subject(
                scheduler,
                failed=str(dataworks.of("dws_trade_order_di")["Id"]),
                succeeded=str(dataworks.of("dwd_trade_order_di")["Id"]),
                task="ads_gmv_daily",
                table="dwd_trade_order_di",
                ended=ended,
            )
            await scheduler.close()
