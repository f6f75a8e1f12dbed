"""docs/schedulers.md is what the suite, the schedulers and the tests of costs say now."""

from zoneinfo import ZoneInfo

from core.http import Http
from core.schedulers.airflow import AirflowScheduler
from core.schedulers.base import Capability, Operation, Scheduler
from core.schedulers.dataphin import DataphinScheduler
from core.schedulers.dataworks import DataWorksScheduler
from core.schedulers.simulated import SimulatedScheduler
from core.settings import SchedulerConnection
from tests.contracts.page import NOT_OFFERED, PAGE, page
from tests.core.dolphins import dolphin
from tests.fakes.airflow import FakeAirflow
from tests.fakes.dataphin import FakeDataphin
from tests.fakes.dataworks import FakeDataWorks

UTC = ZoneInfo("UTC")


def test_the_page_is_current() -> None:
    """`python -m tests.contracts.page` writes it anew."""
    assert PAGE.read_text("utf-8") == page()


async def test_what_the_page_says_is_not_offered_is_what_the_schedulers_say() -> None:
    """In the newest version, and of DolphinScheduler in the oldest besides."""
    schedulers: dict[str, Scheduler] = {
        "simulated": SimulatedScheduler(SchedulerConnection(name="demo", kind="simulated")),
        "airflow": AirflowScheduler(FakeAirflow().connection(url="http://127.0.0.1"), Http(), zone=UTC),
        "dataworks": DataWorksScheduler(FakeDataWorks().connection(url="http://127.0.0.1"), zone=UTC),
        "dataphin": DataphinScheduler(FakeDataphin().connection(url="http://127.0.0.1"), zone=UTC),
    }
    async with dolphin() as newest, dolphin("3.1.9") as oldest:
        await oldest.scheduler.health()
        schedulers |= {"dolphinscheduler": newest.scheduler, "dolphinscheduler 3.1": oldest.scheduler}
        missing = {(name, one.value) for name, scheduler in schedulers.items() for one in _missing(scheduler)}
    for scheduler in schedulers.values():
        await scheduler.close()
    assert missing - {("dolphinscheduler 3.1", "baselines")} == set(NOT_OFFERED)


def _missing(scheduler: Scheduler) -> set[Capability | Operation]:
    return {*(set(Capability) - scheduler.capabilities), *(set(Operation) - scheduler.operations)}
