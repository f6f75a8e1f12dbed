"""A scheduler that holds what a test puts into it, and can be slow or down."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from core.errors import NotFound, RemoteError
from core.schedulers.base import (
    AlertRule,
    Baseline,
    Capability,
    Change,
    Constraints,
    DataTable,
    Health,
    Instance,
    InstanceQuery,
    LogPage,
    Operation,
    Order,
    Page,
    Receipt,
    Related,
    Shift,
    Status,
    Task,
)
from core.schedulers.search import rank


class Shelf:
    """Implements `core.schedulers.base.Scheduler` over given instances.

    Args:
        name: configured name.
        instances: all there is; tasks are those of the instances.
        tables: all tables.

    Attributes:
        fails: raised by every call.
        hangs: no call answers.
        upstreams: by instance id, what it directly waits for.
        downstreams: by instance id, what waits for it.
        cut: whether walks end before they have reached all.
        logs: by instance id.
        held: by instance id.
        changed: by task id.
        promises: by instance id.
        rules: by task id.
        asked: names of the methods called, in order.
    """

    def __init__(self, name: str, instances: Iterable[Instance] = (), tables: Iterable[DataTable] = ()) -> None:
        self.name = name
        self.zone = ZoneInfo("Asia/Shanghai")
        self.capabilities = frozenset(Capability)
        self.operations = frozenset(Operation)
        self.effects: Mapping[Operation, tuple[str, ...]] = {}
        self.all = list(instances)
        self.shelved = list(tables)
        self.fails: RemoteError | None = None
        self.hangs = False
        self.upstreams: dict[str, tuple[str, ...]] = {}
        self.cut = False
        self.downstreams: dict[str, tuple[str, ...]] = {}
        self.logs: dict[str, tuple[str, ...]] = {}
        self.held: dict[str, Constraints] = {}
        self.rules: dict[str, tuple[AlertRule, ...]] = {}
        self.rosters: tuple[Shift, ...] = ()
        self.changed: dict[str, tuple[Change, ...]] = {}
        self.promises: dict[str, tuple[Baseline, ...]] = {}
        self.asked: list[str] = []

    async def health(self) -> Health:
        """Well, unless it is not."""
        await self._answer("health")
        return Health("1", 0.0)

    async def projects(self) -> tuple[str, ...]:
        """Projects of the instances."""
        await self._answer("projects")
        return tuple(dict.fromkeys(one.task.project for one in self.all))

    async def counts(self, query: InstanceQuery) -> Mapping[Status, int]:
        """By status."""
        await self._answer("counts")
        return Counter(one.status for one in self._matching(query))

    async def instances(self, query: InstanceQuery) -> Page[Instance]:
        """The most recently due first."""
        await self._answer("instances")
        found = sorted(self._matching(query), key=lambda one: one.scheduled_at or datetime.min.replace(tzinfo=UTC))[
            ::-1
        ]
        part = found[query.offset : query.offset + query.limit]
        return Page(tuple(part), len(found), datetime.now(UTC))

    async def instance(self, instance_id: str) -> Instance:
        """By id."""
        await self._answer("instance")
        for one in self.all:
            if one.id == instance_id:
                return one
        raise NotFound(f"no {instance_id}", kind="instance", name=instance_id)

    async def history(self, task_id: str, *, limit: int = 14) -> tuple[Instance, ...]:
        """Of the task."""
        return (await self.instances(InstanceQuery(task=task_id, limit=limit))).items

    async def tasks(self, text: str, *, limit: int = 10) -> tuple[Task, ...]:
        """As all schedulers search."""
        await self._answer("tasks")
        tasks = {one.task.id: one.task for one in self.all}
        return rank(text, tasks.values(), lambda task: (task.name, task.id), limit=limit)

    async def log(self, instance_id: str, *, run_number: int = 0, tail: int = 2000) -> LogPage:
        """What was put there."""
        await self._answer("log")
        lines = self.logs.get(instance_id, ())
        return LogPage(run_number or 1, lines, total=len(lines))

    async def upstream(self, instance_id: str, *, depth: int = 1) -> tuple[Related, ...]:
        """What was put there, one step only."""
        await self._answer("upstream")
        return await self._related(self.upstreams.get(instance_id, ()))

    async def downstream(self, instance_id: str, *, depth: int = 1) -> tuple[Related, ...]:
        """What was put there."""
        await self._answer("downstream")
        return await self._related(self.downstreams.get(instance_id, ()))

    async def constraints(self, instance_id: str) -> Constraints:
        """What was put there."""
        await self._answer("constraints")
        return self.held.get(instance_id, Constraints())

    async def tables(self, text: str, *, limit: int = 10) -> tuple[DataTable, ...]:
        """As all schedulers search."""
        await self._answer("tables")
        return rank(text, self.shelved, lambda table: (table.name,), limit=limit)

    async def changes(self, task_id: str, since: datetime) -> tuple[Change, ...]:
        """What was put there."""
        await self._answer("changes")
        return tuple(change for change in self.changed.get(task_id, ()) if change.at >= since)

    async def baselines(self, instance_id: str) -> tuple[Baseline, ...]:
        """What was put there."""
        await self._answer("baselines")
        return self.promises.get(instance_id, ())

    async def alert_rules(self, task_id: str) -> tuple[AlertRule, ...]:
        """What was put there."""
        await self._answer("alert_rules")
        return self.rules.get(task_id, ())

    async def alert_rule(self, rule_id: str) -> AlertRule:
        """What was put there, for whichever task."""
        await self._answer("alert_rule")
        found = [rule for rules in self.rules.values() for rule in rules if rule.id == rule_id]
        if not found:
            raise NotFound(f"no rule {rule_id}", kind="rule", name=rule_id)
        return found[0]

    async def shifts(self) -> tuple[Shift, ...]:
        """What was put there."""
        await self._answer("shifts")
        return self.rosters

    async def operate(self, order: Order) -> Receipt:
        """Nothing is ever carried out by what is tested over this fake."""
        raise AssertionError(f"{order.operation} was carried out")

    async def close(self) -> None:
        """Holds nothing."""
        await self._answer("close")

    async def _answer(self, method: str) -> None:
        self.asked.append(method)
        if self.hangs:
            await asyncio.Event().wait()
        if self.fails is not None:
            raise self.fails

    async def _related(self, ids: Iterable[str]) -> tuple[Related, ...]:
        return tuple([Related(await self.instance(one), 1, cut=self.cut) for one in ids])

    def _matching(self, query: InstanceQuery) -> list[Instance]:
        return [one for one in self.all if self._fits(one, query)]

    def _fits(self, one: Instance, query: InstanceQuery) -> bool:
        due = one.scheduled_at.astimezone(self.zone).date() if one.scheduled_at else None
        return (
            (query.day is None or due == query.day)
            and (not query.statuses or one.status in query.statuses)
            and (not query.projects or one.task.project in query.projects)
            and (not query.owner or query.owner in one.task.owners)
            and (not query.task or one.task.id == query.task)
            and query.name.lower() in one.task.name.lower()
            and (not query.run_types or one.run_type in query.run_types)
        )
