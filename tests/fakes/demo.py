"""The embedded scheduler with a clock in the test's hand."""

from datetime import date

from core.schedulers.base import Instance, InstanceQuery, Operation, Order, Receipt, RunType
from core.schedulers.simulated import SimulatedScheduler
from core.settings import SchedulerConnection
from tests.fakes.wall_clock import WallClock


class Demo:
    """One night, and shorthand to ask about it by task name.

    Args:
        seed: which night.
    """

    def __init__(self, *, seed: int = 20) -> None:
        self.clock = WallClock()
        connection = SchedulerConnection(name="demo", kind="simulated", seed=seed)
        self.scheduler = SimulatedScheduler(connection, clock=self.clock)
        self._orders = 0

    @property
    def today(self) -> date:
        """The calendar day in the scheduler's zone."""
        return self.clock().astimezone(self.scheduler.zone).date()

    async def day(self, day: date | None = None) -> tuple[Instance, ...]:
        """All scheduled instances of a day, today unless said otherwise."""
        return (await self.scheduler.instances(InstanceQuery(day=day or self.today, limit=1000))).items

    async def of(self, task: str, *, hour: int = 0) -> Instance:
        """Today's instance of a task."""
        (found,) = await self.scheduler.tasks(task)
        page = await self.scheduler.instances(InstanceQuery(day=self.today, task=found.id, limit=24))
        return page.items[-1 - hour]

    async def backfills(self) -> tuple[Instance, ...]:
        """Today's instances of backfills."""
        query = InstanceQuery(day=self.today, run_types=frozenset({RunType.BACKFILL}))
        return (await self.scheduler.instances(query)).items

    async def order(self, operation: Operation, instance: Instance) -> Receipt:
        """Give an order of its own id."""
        self._orders += 1
        return await self.scheduler.operate(Order(operation, instance.id, "a test asks", f"test-{self._orders}"))

    async def lines(self, instance: Instance, *, run: int = 0) -> tuple[str, ...]:
        """The whole log of a run."""
        return (await self.scheduler.log(instance.id, run_number=run)).lines
