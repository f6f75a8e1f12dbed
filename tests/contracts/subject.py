"""What a suite of the scheduler contract is about, and the questions that its tests share."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date

from core.schedulers.base import Instance, InstanceQuery, Operation, Order, Scheduler


@dataclass(frozen=True, slots=True)
class Subject:
    """What is under test, and enough knowledge of it to ask questions.

    Attributes:
        scheduler: the implementation; the test may close it.
        failed: id of an instance that ran, failed, has a log and may be rerun; it has something upstream or downstream.
        succeeded: id of an instance that ran and succeeded.
        task: name of exactly one task.
        table: name of exactly one table, updated at least once by a run the scheduler knows.
        ended: waits until the instance's run of this number, or a later one, has ended, and gives it.
    """

    scheduler: Scheduler
    failed: str
    succeeded: str
    task: str
    table: str
    ended: Callable[[str, int], Awaitable[Instance]]

    def order(self, operation: Operation, instance: str = "") -> Order:
        """An order about an instance, the failed one unless another is named."""
        target = instance or self.failed
        return Order(operation, target, "asked by the contract", f"contract-{operation}-{target}")

    def day(self, instance: Instance) -> date:
        """The day on which an instance was due."""
        assert instance.scheduled_at
        return instance.scheduled_at.astimezone(self.scheduler.zone).date()

    async def whole_day(self) -> InstanceQuery:
        """Every instance of the day on which the failed one was due."""
        return InstanceQuery(day=self.day(await self.scheduler.instance(self.failed)), limit=1000)
