"""Gathers what a diagnosis rests on: at once, bounded, and without failing when one part cannot be had."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar

from core.diagnosis.model import Evidence
from core.errors import NotFound, RemoteError
from core.redact import clean, mask
from core.schedulers.base import (
    AlertRule,
    Baseline,
    Capability,
    Change,
    Constraints,
    DataTable,
    Instance,
    KnowsAlertRules,
    LogPage,
    Related,
    Scheduler,
)
from core.schedulers.fleet import Fleet

T = TypeVar("T")
HOPS = 25
"""How far up to look for the ancestor that blocks."""
WIDTH = 8
"""Most unfinished ancestors followed at each hop: they usually meet in one."""
REACH = 25
"""How far down to count who waits."""
OUTPUTS = 3
"""Most tables looked up."""
BACK = timedelta(days=3)
"""How long before it was due a change is worth showing."""


async def gather(fleet: Fleet, instance: Instance, now: datetime) -> Evidence:
    """Everything that can be looked up about an instance. A part that fails is empty, and the diagnosis says so."""
    look = Lookup(fleet, instance)
    (log, constraints, upstream, downstream), (history, tables, changes, baselines, rules) = await asyncio.gather(
        asyncio.gather(look.log(), look.told_constraints(), look.ancestors(), look.dependants()),
        asyncio.gather(look.history(), look.tables(), look.changes(now), look.baselines(), look.alert_rules()),
    )
    return Evidence(instance, now, log, constraints, upstream, downstream, history, tables, changes, baselines, rules)


def masked(page: LogPage) -> LogPage:
    """The page as it may be stored, read by a model, and shown. The number of lines stays."""
    return replace(page, lines=tuple(mask(clean("\n".join(page.lines))).split("\n")) if page.lines else ())


class Lookup:
    """The parts, each empty when the scheduler cannot tell, has nothing, or fails.

    Args:
        fleet: who is asked.
        instance: what about.
    """

    def __init__(self, fleet: Fleet, instance: Instance) -> None:
        self._fleet = fleet
        self._instance = instance
        self._can = fleet.scheduler(instance.ref)[0].capabilities

    async def log(self) -> LogPage | None:
        """The latest run's log, masked; None when there is none."""
        if Capability.LOGS not in self._can or not self._instance.run_number:
            return None
        page = await self._part(lambda asked: asked.log(self._instance.id), LogPage(0, ()))
        return await asyncio.to_thread(masked, page) if page.lines else None

    async def constraints(self) -> Constraints:
        """What besides upstream holds it back; nothing when that cannot be told."""
        return await self.told_constraints() or Constraints()

    async def told_constraints(self) -> Constraints | None:
        """The same; None when it cannot be told."""
        if Capability.CONSTRAINTS not in self._can:
            return None
        return await self._part(lambda asked: asked.constraints(self._instance.id), None)

    async def changes(self, now: datetime) -> tuple[Change, ...]:
        """What happened in the days before it was due, masked."""
        if Capability.CHANGES not in self._can:
            return ()
        since = (self._instance.scheduled_at or now) - BACK
        found = await self._part(lambda asked: asked.changes(self._instance.task.id, since), ())
        return tuple(replace(one, what=mask(clean(one.what)), who=clean(one.who)) for one in found)

    async def baselines(self) -> tuple[Baseline, ...]:
        """Promises that wait for it."""
        if Capability.BASELINES not in self._can:
            return ()
        return await self._part(lambda asked: asked.baselines(self._instance.id), ())

    async def alert_rules(self) -> tuple[AlertRule, ...]:
        """Rules by which its scheduler itself calls people about its task."""
        scheduler, _ = self._fleet.scheduler(self._instance.ref)
        if not isinstance(scheduler, KnowsAlertRules):
            return ()
        return await self._part(lambda _: scheduler.alert_rules(self._instance.task.id), ())

    async def history(self) -> tuple[Instance, ...]:
        """Instances of the same task, newest first."""
        return await self._part(lambda asked: asked.history(self._instance.task.id), ())

    async def dependants(self) -> tuple[Related, ...]:
        """Who waits for it, however far down."""
        if Capability.LINEAGE not in self._can:
            return ()
        return await self._part(lambda asked: asked.downstream(self._instance.id, depth=REACH), ())

    async def parents(self, instance_id: str = "") -> tuple[Related, ...]:
        """What it, or another instance of the same scheduler, directly waits for."""
        if Capability.LINEAGE not in self._can:
            return ()
        return await self._part(lambda asked: asked.upstream(instance_id or self._instance.id), ())

    async def ancestors(self) -> tuple[Related, ...]:
        """Direct parents, and upward from those that have not succeeded, to the top-most that keeps the rest waiting."""
        found: dict[str, Related] = {}
        known = {self._instance.ref}  # dependencies may run in a circle
        frontier = [self._instance.id]
        for hop in range(1, HOPS + 1):
            steps = await asyncio.gather(*(self.parents(instance_id) for instance_id in frontier[:WIDTH]))
            fresh = [related for step in steps for related in step if related.instance.ref not in known]
            found |= {related.instance.ref: replace(related, distance=hop) for related in fresh}
            known |= found.keys()
            frontier = list(dict.fromkeys(one.instance.id for one in fresh if not one.instance.status.succeeded))
            if not frontier:
                break
        return tuple(found.values())

    async def tables(self) -> tuple[DataTable, ...]:
        """What its task writes."""
        if Capability.TABLES not in self._can:
            return ()
        looked = await asyncio.gather(*(self._table(name) for name in self._instance.task.outputs[:OUTPUTS]))
        return tuple(table for tables in looked for table in tables)

    async def _table(self, name: str) -> tuple[DataTable, ...]:
        tables = await self._part(lambda asked: asked.tables(name, limit=1), ())
        return tuple(table for table in tables if table.name == name)

    async def _part(self, call: Callable[[Scheduler], Awaitable[T]], otherwise: T) -> T:
        try:
            return await self._fleet.one(self._instance.ref, lambda scheduler, _: call(scheduler))
        except (NotFound, RemoteError):
            return otherwise
