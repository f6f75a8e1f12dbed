"""The mirror keeps the promises of the scheduler seam: all it shows it was told by events, logs and orders go to the API."""

import asyncio
import shutil
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from core.schedulers.base import Instance, InstanceQuery
from core.schedulers.simulated import SimulatedScheduler
from core.settings import SchedulerConnection
from core.store import Store
from core.store.tables import declared
from tests.contracts.schedulers import SchedulerContract, Subject
from tests.fakes.event_stream import journal, lived, mirror, night
from tests.fakes.wall_clock import WallClock


def simulated(clock: WallClock) -> SimulatedScheduler:
    """The scheduler that is mirrored."""
    return SimulatedScheduler(SchedulerConnection(name="api", kind="simulated"), clock=clock)


async def newest(api: SimulatedScheduler, task: str) -> Instance:
    """A task's last instance."""
    (found,) = await api.tasks(task)
    return (await api.history(found.id, limit=1))[0]


async def fill(url: str) -> None:
    """Ingest the events of a night, as the journal would."""
    store, clock = Store(url), WallClock()
    await store.write(declared().create_all)
    api = simulated(clock)
    failed = await newest(api, "dws_trade_order_di")
    assert failed.scheduled_at
    today = await api.instances(InstanceQuery(day=failed.scheduled_at.astimezone(api.zone).date(), limit=1000))
    await journal(store, mirror(store, clock)).accept(await night(api, today.items))
    await store.stop()


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database to which the night was told, made once: telling it takes longer than any test."""
    path = tmp_path_factory.mktemp("told") / "told.sqlite"
    asyncio.run(fill(f"sqlite:///{path}"))
    return path


class TestMirror(SchedulerContract):
    """The contract over the events of a simulated night."""

    @pytest.fixture
    async def subject(self, told: Path, tmp_path: Path) -> AsyncGenerator[Subject]:
        store, clock = Store(f"sqlite:///{shutil.copy(told, tmp_path)}"), WallClock()
        api = simulated(clock)
        subject = mirror(store, clock, api, silent_minutes=10**9)

        async def ended(instance_id: str, run_number: int) -> Instance:
            for _ in range(1000):
                one = await api.instance(instance_id)
                if one.run_number >= run_number and one.status.finished:
                    await journal(store, subject).accept(list(lived(one)))
                    return await subject.instance(instance_id)
                clock.advance(1.0)
            raise AssertionError(f"{instance_id} did not end")

        yield Subject(
            subject,
            failed=(await newest(api, "dws_trade_order_di")).id,
            succeeded=(await newest(api, "dwd_trade_order_di")).id,
            task="ads_gmv_daily",
            table="dwd_trade_order_di",
            ended=ended,
        )
        await subject.close()
        await store.stop()
