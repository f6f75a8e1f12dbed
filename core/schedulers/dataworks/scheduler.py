"""DataWorks behind the scheduler seam: a workspace is a project, a node a task, a MaxCompute table a table.

What DataWorks cannot tell is left empty: it does not say that an instance waits for upstream (`NotRun` covers that), that a
failure was a stop, or which tables a task writes; that is known from the table's side only.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from time import monotonic
from typing import Final
from zoneinfo import ZoneInfo

from core.schedulers.aliyun import Calls
from core.schedulers.base import (
    AlertRule,
    Baseline,
    Capability,
    Change,
    Constraints,
    DataTable,
    ExtensionAnswer,
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
from core.schedulers.dataworks.alerts import Alerts
from core.schedulers.dataworks.catalogue import Catalogue
from core.schedulers.dataworks.client import EDITION_CALLS, Client
from core.schedulers.dataworks.context import Context
from core.schedulers.dataworks.extensions import answer_extension
from core.schedulers.dataworks.health import problems
from core.schedulers.dataworks.lineage import DOWNSTREAM, UPSTREAM, Lineage
from core.schedulers.dataworks.model import number
from core.schedulers.dataworks.orders import EFFECTS, OPERATIONS, Orders
from core.schedulers.dataworks.reader import Reader
from core.schedulers.dataworks.tables import Tables
from core.schedulers.dataworks.wire import Log
from core.settings import SchedulerConnection

HOLDERS: Final = 20
VERSION: Final = "2024-05-18"


class DataWorksScheduler:
    """DataWorks in one region.

    Args:
        connection: where, who, how fast.
        zone: in which its days begin.
        clock: the present moment, with zone.
        calls: runs the calls; made by the connection's edition unless given.
    """

    capabilities = frozenset(
        {
            Capability.LOGS,
            Capability.LINEAGE,
            Capability.OWNERS,
            Capability.CONSTRAINTS,
            Capability.TABLES,
            Capability.CHANGES,
            Capability.BASELINES,
        }
    )
    operations: frozenset[Operation] = OPERATIONS

    def __init__(
        self,
        connection: SchedulerConnection,
        *,
        zone: ZoneInfo,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        calls: Calls | None = None,
    ) -> None:
        self.name = connection.name
        self.zone = zone
        self.effects: Mapping[Operation, tuple[str, ...]] = EFFECTS[connection.freezes]
        self._connection = connection
        self._clock = clock
        self._client = Client(connection, calls)
        self._catalogue = Catalogue(self._client, connection.projects)
        self._reader = Reader(self._client, self._catalogue, zone=zone, clock=clock)
        rate = connection.calls_per_second or EDITION_CALLS[connection.edition]
        self._lineage = Lineage(self._client, self._reader, rate)
        self._tables = Tables(self._client, self._catalogue, self._reader)
        self._orders = Orders(self._client, self._reader, zone, connection.freezes)
        self._alerts = Alerts(self._client, self._catalogue, clock)
        self._context = Context(self._client, self._catalogue, self._reader, self._lineage, zone, clock)

    async def health(self) -> Health:
        """Ask for the workspaces, then make one harmless call for each right; see `health`."""
        start = monotonic()
        found = await self._catalogue.projects()
        missing = sorted(set(self._connection.projects) - set(found.values()))
        told = [f"There is no workspace {name} in this region, or the identity is no member of it" for name in missing]
        if not found:
            told.append("This identity sees no workspace: add it to one, with a role that may operate")
        else:
            today = self._clock().astimezone(self.zone).date()
            told += await problems(self._client, next(iter(found)), today, self.zone)
        return Health(VERSION, monotonic() - start, tuple(told))

    async def projects(self) -> tuple[str, ...]:
        """Names of the workspaces."""
        return tuple(sorted((await self._catalogue.projects()).values()))

    async def members(self, project: str) -> frozenset[str]:
        """Names of a workspace's owner, administrators and O&M engineers."""
        return await self._catalogue.operators(project)

    async def counts(self, query: InstanceQuery) -> Mapping[Status, int]:
        """How many instances match, by status; see `reader` for what it costs."""
        return await self._reader.counts(query)

    async def instances(self, query: InstanceQuery) -> Page[Instance]:
        """Instances that match, the most recently due first; see `reader` for what it costs."""
        return await self._reader.page(query)

    async def instance(self, instance_id: str) -> Instance:
        """One instance as it is now; where nodes are frozen, also whether its node is."""
        one = await self._reader.one(instance_id)
        if self._connection.freezes == "instance":
            return one
        node = await self._catalogue.task(one.task.id)
        return replace(one, task=replace(one.task, flags=node.flags))

    async def history(self, task_id: str, *, limit: int = 14) -> tuple[Instance, ...]:
        """Scheduled instances of a task, newest first, of the last 31 days."""
        return await self._reader.history(task_id, limit)

    async def tasks(self, text: str, *, limit: int = 10) -> tuple[Task, ...]:
        """Tasks whose name or id is or resembles the text."""
        return await self._catalogue.tasks(text, limit)

    async def log(self, instance_id: str, *, run_number: int = 0, tail: int = 2000) -> LogPage:
        """The last lines of a run's log. DataWorks gives the whole log or none."""
        one = await self._reader.one(instance_id)
        run = run_number or one.run_number
        if not 0 < run <= one.run_number:
            return LogPage(run, ())
        given = {"Id": number(instance_id, "instance"), "RunNumber": run}
        text = (await self._client.get("GetTaskInstanceLog", Log, given, what="instance", name=instance_id)).text
        running = run == one.run_number and one.status in {Status.RUNNING, Status.CHECKING}
        return await asyncio.to_thread(LogPage.end_of, text, run, tail, running=running)

    async def upstream(self, instance_id: str, *, depth: int = 1) -> tuple[Related, ...]:
        """Instances it waits for, nearest first; see `lineage` for how far a walk goes."""
        return await self._lineage.walk(UPSTREAM, instance_id, depth)

    async def downstream(self, instance_id: str, *, depth: int = 1) -> tuple[Related, ...]:
        """Instances that wait for it, nearest first; see `lineage` for how far a walk goes."""
        return await self._lineage.walk(DOWNSTREAM, instance_id, depth)

    async def constraints(self, instance_id: str) -> Constraints:
        """When it is due, the resource group it waits for and who holds that, whether it is frozen."""
        raw = await self._reader.raw(instance_id)
        (one,) = await self._reader.known([raw])
        waits = one.status is Status.WAIT_RESOURCE and one.scheduled_at is not None
        group = raw.resource.resource_group_id if waits else ""
        holders = ()
        if group and one.scheduled_at:
            holders = await self._reader.running_in(group, raw.project_id, one.scheduled_at, HOLDERS)
        return Constraints(
            due_at=one.scheduled_at if one.status is Status.WAIT_TIME else None,
            resource_group=group,
            resource_holders=tuple(holder.ref for holder in holders),
            paused=one.flags.frozen,
        )

    async def tables(self, text: str, *, limit: int = 10) -> tuple[DataTable, ...]:
        """Tables of MaxCompute whose name is or resembles the text."""
        return await self._tables.find(text, limit)

    async def changes(self, task_id: str, since: datetime) -> tuple[Change, ...]:
        """What was done to the task and its instances, at most a week back."""
        return await self._context.changes(task_id, since)

    async def baselines(self, instance_id: str) -> tuple[Baseline, ...]:
        """Unfinished baselines of its day that it, or one that waits for it, is on."""
        return await self._context.baselines(instance_id)

    async def alert_rules(self, task_id: str) -> tuple[AlertRule, ...]:
        """Rules that concern a task, those that are switched on first."""
        return await self._alerts.about(task_id)

    async def alert_rule(self, rule_id: str) -> AlertRule:
        """A rule by the id that its alerts carry."""
        return await self._alerts.one(rule_id)

    async def shifts(self) -> tuple[Shift, ...]:
        """All rosters of the account, with who is on duty now."""
        return await self._alerts.shifts()

    async def operate(self, order: Order) -> Receipt:
        """Carry out an order; `orders` says how. What was remembered of instances is forgotten, whatever came of it."""
        try:
            return await self._orders.carry_out(order)
        finally:
            self._reader.forget()
            self._lineage.forget()
            self._catalogue.forget()

    async def answer_extension(self, answer: ExtensionAnswer) -> None:
        """Tell a verdict on an operation that waits in the console."""
        await answer_extension(self._client, answer)

    async def close(self) -> None:
        """Stop what is being fetched."""
        parts = (self._catalogue, self._reader, self._lineage, self._alerts)
        await asyncio.gather(*(part.close() for part in parts))
        self._client.calls.close()
