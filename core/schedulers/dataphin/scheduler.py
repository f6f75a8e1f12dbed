"""Dataphin behind the scheduler seam: a project is a project, a node a task, a table of a compute source a table.

What Dataphin cannot tell is left empty: it has no list of baselines, does not say of a success that a person set it, and
never who rewrote which partition.
"""

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from time import monotonic
from typing import Final
from zoneinfo import ZoneInfo

from core.errors import Refused, RemoteError, Unauthorized
from core.schedulers.aliyun import Calls
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
    Status,
    Task,
)
from core.schedulers.dataphin.alerts import Alerts
from core.schedulers.dataphin.catalogue import Catalogue
from core.schedulers.dataphin.client import Client
from core.schedulers.dataphin.context import Context
from core.schedulers.dataphin.health import problems, version
from core.schedulers.dataphin.lineage import Lineage
from core.schedulers.dataphin.orders import EFFECTS, OPERATIONS, Orders
from core.schedulers.dataphin.reader import Reader
from core.schedulers.dataphin.tables import Tables
from core.schedulers.probes import Probe
from core.settings import SchedulerConnection

OLDER: Final = "This gateway takes signatures of version 2 only: set signature = 'v2'"


class DataphinScheduler:
    """One tenant of a Dataphin.

    Args:
        connection: where, who, which tenant, how fast.
        zone: in which its days begin, and in which it writes times.
        clock: the present moment, with zone.
        calls: runs the calls; made by the connection's pace unless given.
    """

    capabilities = frozenset(
        {
            Capability.LOGS,
            Capability.LINEAGE,
            Capability.OWNERS,
            Capability.CONSTRAINTS,
            Capability.TABLES,
            Capability.CHANGES,
        }
    )
    operations: frozenset[Operation] = OPERATIONS
    effects: Mapping[Operation, tuple[str, ...]] = EFFECTS

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
        self._connection = connection
        self._clock = clock
        self._client = Client(connection, zone, calls)
        self._catalogue = Catalogue(self._client, connection.projects, zone, clock)
        self._reader = Reader(self._client, self._catalogue, zone=zone, clock=clock)
        self._lineage = Lineage(self._client, self._reader)
        self._alerts = Alerts(self._client, self._catalogue, zone, clock)
        self._context = Context(self._client, self._catalogue, self._reader)
        self._tables = Tables(self._client, self._reader)
        self._orders = Orders(self._client, self._reader)
        self._probe = Probe(connection.name, connection.probe, zone)

    async def health(self) -> Health:
        """Ask for the version and the projects, then make one harmless call for each right; see `health`."""
        start = monotonic()
        try:
            told = await version(self._client)
        except (Unauthorized, Refused):
            if not await self._takes_older_signatures():
                raise
            return Health("", monotonic() - start, (OLDER,))
        found = await self._catalogue.projects()
        missing = sorted(set(self._connection.projects) - set(found.values()))
        wrong = [f"There is no project {name} in this tenant, or the user is no member of it" for name in missing]
        if not found:
            wrong.append("This user sees no project: add it to one, and check tenant")
        else:
            today = self._clock().astimezone(self.zone).date()
            wrong += await problems(self._client, next(iter(found)), today)
        wrong += await self._probe.problems()
        return Health(told, monotonic() - start, tuple(wrong))

    async def projects(self) -> tuple[str, ...]:
        """Names of the projects."""
        return tuple(sorted((await self._catalogue.projects()).values()))

    async def members(self, project: str) -> frozenset[str]:
        """Names of a project's members, as of now: rights rest on it."""
        project_id = await self._catalogue.project_id(project)
        return frozenset((await self._catalogue.fetch_members(project_id)).values())

    async def alert_rules(self, task_id: str) -> tuple[AlertRule, ...]:
        """Rules that called about a node in the last seven days, and whom."""
        return await self._alerts.about(task_id)

    async def alert_rule(self, rule_id: str) -> AlertRule:
        """The rule of an alert, by the alert's id."""
        return await self._alerts.one(rule_id)

    async def counts(self, query: InstanceQuery) -> Mapping[Status, int]:
        """How many instances match, by status; see `reader` for what it costs."""
        return await self._reader.counts(query)

    async def instances(self, query: InstanceQuery) -> Page[Instance]:
        """Instances that match, the most recently due first; see `reader` for what it costs."""
        return await self._reader.page(query)

    async def instance(self, instance_id: str) -> Instance:
        """One instance as it is now."""
        return await self._reader.one(instance_id)

    async def history(self, task_id: str, *, limit: int = 14) -> tuple[Instance, ...]:
        """Scheduled instances of a task, newest first, of the last 31 days."""
        return await self._reader.history(task_id, limit)

    async def tasks(self, text: str, *, limit: int = 10) -> tuple[Task, ...]:
        """Nodes whose name or id is or resembles the text."""
        return await self._catalogue.tasks(text, limit)

    async def log(self, instance_id: str, *, run_number: int = 0, tail: int = 2000) -> LogPage:
        """The last lines of a run's log. Dataphin gives the whole logs of all runs or nothing."""
        one, runs = await self._reader.with_log(instance_id)
        run = run_number or len(runs)
        if not 0 < run <= len(runs):
            return LogPage(run, ())
        running = run == len(runs) and one.status is Status.RUNNING
        return await asyncio.to_thread(LogPage.end_of, runs[run - 1].log_content, run, tail, running=running)

    async def upstream(self, instance_id: str, *, depth: int = 1) -> tuple[Related, ...]:
        """Instances it waits for, nearest first; see `lineage` for how far a walk goes."""
        return await self._lineage.walk("up", instance_id, depth)

    async def downstream(self, instance_id: str, *, depth: int = 1) -> tuple[Related, ...]:
        """Instances that wait for it, nearest first; see `lineage` for how far a walk goes."""
        return await self._lineage.walk("down", instance_id, depth)

    async def constraints(self, instance_id: str) -> Constraints:
        """When it is due, what throttles it, the resource group it waits for and who holds that, whether it is frozen."""
        return await self._context.constraints(instance_id)

    async def tables(self, text: str, *, limit: int = 10) -> tuple[DataTable, ...]:
        """Tables whose name is or resembles the text."""
        return await self._probe.measure(text, await self._tables.find(text, limit), limit)

    async def changes(self, task_id: str, since: datetime) -> tuple[Change, ...]:
        """What was done to the node."""
        return await self._context.changes(task_id, since)

    async def baselines(self, instance_id: str) -> tuple[Baseline, ...]:
        """None: Dataphin has baselines, and no operation that tells of them."""
        return ()

    async def operate(self, order: Order) -> Receipt:
        """Carry out an order; `orders` says how. What was remembered of instances is forgotten, whatever came of it."""
        try:
            return await self._orders.carry_out(order)
        finally:
            self._reader.forget()
            self._lineage.forget()

    async def close(self) -> None:
        """Stop what is being fetched."""
        parts = (self._catalogue, self._reader, self._lineage, self._alerts, self._probe)
        await asyncio.gather(*(part.close() for part in parts))
        self._client.calls.close()

    async def _takes_older_signatures(self) -> bool:
        older = self._connection.model_copy(update={"signature": "v2"})
        try:
            await version(Client(older, self.zone, self._client.calls))
        except RemoteError:
            return False
        return True
