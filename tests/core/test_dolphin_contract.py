"""DolphinScheduler keeps the promises of the seam in three versions, against a server that holds requests to their API."""

from collections.abc import AsyncGenerator
from typing import ClassVar

import pytest

from core.http import Http
from core.schedulers.base import Instance
from core.schedulers.dolphinscheduler import DolphinScheduler
from tests.contracts.schedulers import SchedulerContract, Subject
from tests.fakes.dolphin import FakeDolphin
from tests.fakes.dolphin_night import ZONE


class DolphinContract(SchedulerContract):
    """The contract over one night of two projects."""

    version: ClassVar[str]
    zone: ClassVar[str] = "UTC"

    @pytest.fixture
    async def subject(self) -> AsyncGenerator[Subject]:
        http = Http()
        await http.start()
        async with FakeDolphin(self.version, zone=self.zone) as dolphin:
            scheduler = DolphinScheduler(dolphin.connection(), http, zone=ZONE, clock=dolphin.clock)

            async def ended(instance_id: str, run_number: int) -> Instance:
                dolphin.finish(int(instance_id.split("/")[1]))
                one = await scheduler.instance(instance_id)
                assert one.run_number >= run_number
                return one

            yield Subject(
                scheduler,
                failed=dolphin.id("dws_trade_order_di"),
                succeeded=dolphin.id("dwd_trade_order_di"),
                task="ads_gmv_daily",
                table="dwd_trade_order_di",
                ended=ended,
            )
            await scheduler.close()
        await http.stop()


class TestDolphin34(DolphinContract):
    """The newest, with `workflow` in its names."""

    version = "3.4.3"


class TestDolphin32(DolphinContract):
    """The last with `process` in its names, on a server that writes moments in Shanghai's zone."""

    version = "3.2.2"
    zone = "Asia/Shanghai"


class TestDolphin31(DolphinContract):
    """The oldest."""

    version = "3.1.9"

    @pytest.mark.xfail(strict=True, reason="3.1 has no execute-task: it cannot run chosen tasks again")
    async def test_a_rerun_with_downstream_runs_exactly_what_was_chosen(self, subject: Subject) -> None:
        await super().test_a_rerun_with_downstream_runs_exactly_what_was_chosen(subject)
