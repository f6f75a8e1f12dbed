"""Dataphin keeps the promises of the seam, against a gateway that holds requests to the official SDK's models."""

from collections.abc import AsyncGenerator

import pytest

from core.schedulers.base import Instance
from core.schedulers.dataphin import DataphinScheduler
from tests.contracts.schedulers import SchedulerContract, Subject
from tests.fakes.dataphin import ZONE, FakeDataphin


class TestDataphin(SchedulerContract):
    """The contract over one night of two projects."""

    @pytest.fixture
    async def subject(self) -> AsyncGenerator[Subject]:
        async with FakeDataphin() as dataphin:
            scheduler = DataphinScheduler(dataphin.connection(), zone=ZONE, clock=dataphin.clock)

            async def ended(instance_id: str, run_number: int) -> Instance:
                dataphin.finish(instance_id)
                one = await scheduler.instance(instance_id)
                assert one.run_number >= run_number
                return one

            node = dataphin.of("dws_trade_order_di")["NodeInfo"]["Id"]
            edited = {"NodeId": node, "OperationType": "EDIT", "OperatorName": "林志豪", "Context": ""}
            dataphin.operations = [edited | {"OperationTime": "2026-11-22 09:00:00"}]
            yield Subject(
                scheduler,
                failed=dataphin.id("dws_trade_order_di"),
                succeeded=dataphin.id("dwd_trade_order_di"),
                task="ads_gmv_daily",
                table="dwd_trade_order_di",
                ended=ended,
            )
            await scheduler.close()
