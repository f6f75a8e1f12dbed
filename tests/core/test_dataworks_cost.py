"""How many calls of DataWorks' OpenAPI a question costs with ten thousand instances: the figures of docs/dataworks.md."""

from collections.abc import AsyncGenerator

import pytest

from core.results import Diagnosed, InstanceList, Overview
from core.schedulers.base import Status
from core.schedulers.dataworks import DataWorksScheduler
from core.schedulers.fleet import Fleet
from core.tools.look import Look
from tests.core.costs import DATAWORKS
from tests.fakes.aliyun import Fault
from tests.fakes.dataworks import ZONE, FakeDataWorks
from tests.fakes.desk import ADMIN, access


@pytest.fixture
async def dataworks() -> AsyncGenerator[FakeDataWorks]:
    async with FakeDataWorks() as server:
        server.many(10_000, failed=40)
        yield server


@pytest.fixture
async def scheduler(dataworks: FakeDataWorks) -> AsyncGenerator[DataWorksScheduler]:
    connection = dataworks.connection(projects=("trade",))
    one = DataWorksScheduler(connection, zone=ZONE, clock=dataworks.clock)
    await one.projects()
    await one.tasks("501")  # names of people and workspaces are remembered for an hour
    dataworks.calls.clear()
    yield one
    await one.close()


@pytest.fixture
def look(dataworks: FakeDataWorks, scheduler: DataWorksScheduler) -> Look:
    return Look(Fleet([scheduler]), access(), clock=dataworks.clock)


async def test_an_overview_costs_three_calls_a_workspace_and_then_none(look: Look, dataworks: FakeDataWorks) -> None:
    found = await look.overview(ADMIN)
    assert isinstance(found, Overview)
    assert found.operable.counts[Status.FAILED] + found.operable.counts[Status.SUCCESS] > 10_000
    assert dataworks.count == {"GetInstanceStatusStatistic": 1, "ListTaskInstances": DATAWORKS.overview - 1}
    dataworks.calls.clear()
    await look.overview(ADMIN)
    assert dataworks.calls == []


async def test_the_list_of_failures_costs_one_call_a_workspace(look: Look, dataworks: FakeDataWorks) -> None:
    found = await look.instances(ADMIN, kind="failed")
    assert isinstance(found, InstanceList)
    assert found.total == 41
    assert dataworks.calls == ["ListTaskInstances"] * DATAWORKS.failed


async def test_a_diagnosis_costs_fifteen_calls_and_its_alert_rules_five_now_and_then(
    look: Look, dataworks: FakeDataWorks
) -> None:
    """Two rules, one of them with a roster; they are remembered for ten minutes, as names are for longer."""
    failed = f"dw:{dataworks.of('dws_trade_order_di')['Id']}"
    found = await look.diagnose(ADMIN, failed)
    assert isinstance(found, Diagnosed)
    assert len(found.diagnosis.alert_rules) == 2
    rules = sum(n for action, n in dataworks.count.items() if "AlertRule" in action or "Shift" in action)
    assert (len(dataworks.calls), rules) == (DATAWORKS.diagnosis + 5, 5), dataworks.count


async def test_a_group_that_asks_during_a_refusal_makes_no_storm(look: Look, dataworks: FakeDataWorks) -> None:
    """The daily limit is met once: a hundred people asking cost no call more."""
    dataworks.faults = [Fault(429, "Throttling.Api.Risk")] * 1000
    for _ in range(100):
        assert isinstance(await look.overview(ADMIN), Overview)
    assert len(dataworks.calls) <= DATAWORKS.refused


async def test_an_overview_while_something_is_checked_costs_the_day_besides(
    look: Look, dataworks: FakeDataWorks
) -> None:
    """No operation counts this status, so the day is read whole, in pages of five hundred."""
    dataworks.of("ods_order")["Status"] = "Checking"
    found = await look.overview(ADMIN)
    assert isinstance(found, Overview)
    assert found.operable.counts[Status.CHECKING] == 1
    assert dataworks.count == {"GetInstanceStatusStatistic": 1, "ListTaskInstances": 23}
