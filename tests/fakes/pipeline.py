"""A scheduler with one failed instance, which does what a test tells it to."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from core.errors import NotFound
from core.schedulers.base import (
    Baseline,
    Capability,
    Change,
    Constraints,
    DataTable,
    Flags,
    Health,
    Instance,
    InstanceQuery,
    LogPage,
    Operation,
    Order,
    Page,
    Receipt,
    Related,
    Status,
    Task,
)

TASK = Task("demo", "1", "dws_trade_order_di", "trade", owners=("陈晓雯",), outputs=("dws_trade_order_di",))


class Pipeline:
    """Implements `core.schedulers.base.Scheduler` over one instance.

    Attributes:
        now: the instance as it is.
        orders: every order it was given.
        before: called with each order before it is carried out; may raise.
        after: called with each order after it was carried out; may raise.
    """

    name = "demo"
    zone = ZoneInfo("Asia/Shanghai")
    capabilities = frozenset(Capability)
    operations = frozenset(Operation)
    effects: Mapping[Operation, tuple[str, ...]] = {}

    def __init__(self) -> None:
        self.now = Instance(
            "1", TASK, Status.FAILED, "FAILED", run_number=1, scheduled_at=datetime(2026, 11, 21, tzinfo=UTC)
        )
        self.orders: list[Order] = []
        self.before: Callable[[Order], None] = lambda _order: None
        self.after: Callable[[Order], None] = lambda _order: None

    def become(self, status: Status) -> None:
        """Something happened to the instance."""
        self.now = replace(self.now, status=status, raw_status=status.upper())

    async def operate(self, order: Order) -> Receipt:
        """Take an order."""
        self.before(order)
        self.orders.append(order)
        match order.operation:
            case Operation.RERUN | Operation.RERUN_DOWNSTREAM:
                self.now = replace(self.now, status=Status.RUNNING, run_number=self.now.run_number + 1)
            case Operation.SET_SUCCESS:
                self.now = replace(self.now, status=Status.FORCED_SUCCESS, flags=Flags(forced=True))
            case Operation.KILL:
                self.become(Status.KILLED)
            case Operation.FREEZE | Operation.UNFREEZE:
                self.now = replace(self.now, flags=Flags(frozen=order.operation is Operation.FREEZE))
            case Operation.BACKFILL:
                pass
        self.after(order)
        return Receipt((self.now.id,), self.now.run_number)

    async def instance(self, instance_id: str) -> Instance:
        """The one instance."""
        if instance_id != self.now.id:
            raise NotFound(f"no instance {instance_id}", kind="instance", name=instance_id)
        return self.now

    async def instances(self, query: InstanceQuery) -> Page[Instance]:
        """The one instance, if it matches."""
        fits = not query.statuses or self.now.status in query.statuses
        found = (self.now,) if fits else ()
        return Page(found[query.offset :], len(found), datetime.now(UTC))

    async def counts(self, query: InstanceQuery) -> dict[Status, int]:
        """Counts of one."""
        return {instance.status: 1 for instance in (await self.instances(query)).items}

    async def history(self, task_id: str, *, limit: int = 14) -> tuple[Instance, ...]:
        """Only the present."""
        return (self.now,)

    async def tasks(self, text: str, *, limit: int = 10) -> tuple[Task, ...]:
        """The one task."""
        return (TASK,) if text in TASK.name else ()

    async def log(self, instance_id: str, *, run_number: int = 0, tail: int = 2000) -> LogPage:
        """Two lines."""
        return LogPage(1, ("starting", "FAILED: ODPS-0130131: Table not found - dwd_trade_order_di"), total=2)

    async def upstream(self, instance_id: str, *, depth: int = 1) -> tuple[Related, ...]:
        """None."""
        return ()

    async def downstream(self, instance_id: str, *, depth: int = 1) -> tuple[Related, ...]:
        """None."""
        return ()

    async def constraints(self, instance_id: str) -> Constraints:
        """None."""
        return Constraints()

    async def tables(self, text: str, *, limit: int = 10) -> tuple[DataTable, ...]:
        """The one table."""
        return (DataTable(self.name, TASK.name, TASK.project, producers=(TASK,)),) if text in TASK.name else ()

    async def changes(self, task_id: str, since: datetime) -> tuple[Change, ...]:
        """None."""
        return ()

    async def baselines(self, instance_id: str) -> tuple[Baseline, ...]:
        """None."""
        return ()

    async def projects(self) -> tuple[str, ...]:
        """The one project."""
        return (TASK.project,)

    async def health(self) -> Health:
        """Always well."""
        return Health("1", 0.0)

    async def close(self) -> None:
        """Holds nothing."""


class Plant(Pipeline):
    """Several failed instances, the first of them with the others downstream. What is ordered is over at once.

    Attributes:
        all: every instance as it is, by id.
        ends: what a rerun of an instance comes to, where it is not success.
    """

    def __init__(self, *names: str, project: str = "trade") -> None:
        super().__init__()
        self.all = {
            name: replace(self.now, id=name, task=replace(TASK, id=name, name=name, project=project)) for name in names
        }
        self.ends: dict[str, Status] = {}

    def change(self, name: str, **changes: object) -> None:
        """Something happened to an instance."""
        self.all[name] = replace(self.all[name], **changes)

    async def operate(self, order: Order) -> Receipt:
        """Take an order; all it names run again, and end."""
        self.before(order)
        self.orders.append(order)
        touched = (order.instance, *order.instances)
        for name in touched:
            self.change(name, status=self.ends.get(name, Status.SUCCESS), run_number=self.all[name].run_number + 1)
        self.after(order)
        return Receipt(touched, self.all[order.instance].run_number)

    async def instance(self, instance_id: str) -> Instance:
        """By id."""
        if instance_id not in self.all:
            raise NotFound(f"no instance {instance_id}", kind="instance", name=instance_id)
        return self.all[instance_id]

    async def instances(self, query: InstanceQuery) -> Page[Instance]:
        """Those of the task that is asked for."""
        found = tuple(one for one in self.all.values() if query.task in {"", one.task.id})
        return Page(found, len(found), datetime.now(UTC))

    async def downstream(self, instance_id: str, *, depth: int = 1) -> tuple[Related, ...]:
        """All but the first."""
        return tuple(Related(one, 1) for one in list(self.all.values())[1:])

    async def tasks(self, text: str, *, limit: int = 10) -> tuple[Task, ...]:
        """By exact name."""
        return tuple(one.task for one in self.all.values() if one.task.name == text)

    async def history(self, task_id: str, *, limit: int = 14) -> tuple[Instance, ...]:
        """The one instance of the task."""
        return (self.all[task_id],)
