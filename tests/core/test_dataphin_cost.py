"""How many calls of Dataphin's OpenAPI a question costs with ten thousand instances: the figures of docs/dataphin.md."""

from collections.abc import AsyncGenerator

import pytest

from core.results import Diagnosed, InstanceList, Overview
from core.schedulers.base import Status
from core.schedulers.dataphin import DataphinScheduler
from core.schedulers.fleet import Fleet
from core.tools.look import Look
from tests.core.costs import DATAPHIN
from tests.fakes.aliyun import Fault
from tests.fakes.dataphin import ZONE, FakeDataphin
from tests.fakes.desk import ADMIN, access


@pytest.fixture
async def dataphin() -> AsyncGenerator[FakeDataphin]:
    async with FakeDataphin() as server:
        server.many(10_000, failed=40)
        yield server


@pytest.fixture
async def scheduler(dataphin: FakeDataphin) -> AsyncGenerator[DataphinScheduler]:
    one = DataphinScheduler(dataphin.connection(projects=("trade",)), zone=ZONE, clock=dataphin.clock)
    await one.members("trade")  # names of people and projects are remembered for an hour
    dataphin.calls.clear()
    yield one
    await one.close()


@pytest.fixture
def look(dataphin: FakeDataphin, scheduler: DataphinScheduler) -> Look:
    return Look(Fleet([scheduler]), access(), clock=dataphin.clock)


async def test_an_overview_costs_eleven_calls_a_project_and_then_none(look: Look, dataphin: FakeDataphin) -> None:
    found = await look.overview(ADMIN)
    assert isinstance(found, Overview)
    assert found.operable.counts[Status.FAILED] + found.operable.counts[Status.SUCCESS] > 10_000
    assert dataphin.count == {"ListInstances": DATAPHIN.overview}
    dataphin.calls.clear()
    await look.overview(ADMIN)
    assert dataphin.calls == []


async def test_the_list_of_failures_costs_one_call_a_project(look: Look, dataphin: FakeDataphin) -> None:
    found = await look.instances(ADMIN, kind="failed")
    assert isinstance(found, InstanceList)
    assert found.total == 41
    assert dataphin.calls == ["ListInstances"] * DATAPHIN.failed


async def test_a_diagnosis_costs_seventeen_calls_and_its_alerts_one_now_and_then(
    look: Look, dataphin: FakeDataphin
) -> None:
    """Alerts are remembered for five minutes."""
    found = await look.diagnose(ADMIN, f"dp:{dataphin.id('dws_trade_order_di')}")
    assert isinstance(found, Diagnosed)
    assert [rule.on for rule in found.diagnosis.alert_rules] == ["VDM_BATCH_ERROR", "VDM_BATCH_UNDONE"]
    assert (len(dataphin.calls), dataphin.count["ListAlertEvents"]) == (DATAPHIN.diagnosis + 1, 1), dataphin.count


async def test_a_group_that_asks_during_a_refusal_makes_no_storm(look: Look, dataphin: FakeDataphin) -> None:
    """A limit is met once: a hundred people asking cost no call more."""
    dataphin.faults = [Fault(429, "Throttling.Api.Risk")] * 1000
    for _ in range(100):
        assert isinstance(await look.overview(ADMIN), Overview)
    assert len(dataphin.calls) <= DATAPHIN.refused
