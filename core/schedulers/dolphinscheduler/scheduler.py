"""DolphinScheduler behind the scheduler seam: a task of a workflow instance is an instance, by the key of `model.Key`.

What DolphinScheduler cannot tell is left empty: it has no owners but those who defined a workflow, and no promises.
"""

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from time import monotonic
from zoneinfo import ZoneInfo

from core.http import Http
from core.schedulers.base import (
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
from core.schedulers.dolphinscheduler.assembly import Assembly
from core.schedulers.dolphinscheduler.catalogue import Catalogue
from core.schedulers.dolphinscheduler.changes import Changes
from core.schedulers.dolphinscheduler.client import Client
from core.schedulers.dolphinscheduler.graph import ONLINE, Drawing
from core.schedulers.dolphinscheduler.health import problems
from core.schedulers.dolphinscheduler.lineage import Lineage
from core.schedulers.dolphinscheduler.logs import tail as log_tail
from core.schedulers.dolphinscheduler.members import Members
from core.schedulers.dolphinscheduler.model import Key
from core.schedulers.dolphinscheduler.orders import Orders
from core.schedulers.dolphinscheduler.quotas import Quotas
from core.schedulers.dolphinscheduler.reader import Reader
from core.schedulers.dolphinscheduler.tables import Tables
from core.schedulers.probes import Probe
from core.settings import SchedulerConnection


class DolphinScheduler:
    """One DolphinScheduler, version 3.1 to 3.4.

    Args:
        connection: address, token, projects, declared tables.
        http: the process's session; not closed here.
        zone: in which its days begin.
        clock: the present moment, with zone.
    """

    capabilities = frozenset(Capability) - {Capability.BASELINES}

    def __init__(
        self,
        connection: SchedulerConnection,
        http: Http,
        *,
        zone: ZoneInfo,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.name = connection.name
        self.zone = zone
        self._connection = connection
        self._clock = clock
        self._client = Client(connection, http)
        self._catalogue = Catalogue(self._client, Drawing(connection.name, connection.tables), connection.projects)
        assembly = Assembly(zone, self._client.pages)
        self._reader = Reader(self._client, self._catalogue, assembly, zone=zone, clock=clock)
        self._lineage = Lineage(self._catalogue, self._reader, connection.name)
        self._orders = Orders(self._client, self._catalogue, self._reader)
        self._quotas = Quotas(self._client, self._reader)
        self._members = Members(self._client, self._catalogue)
        self._changes = Changes(self._client, self._catalogue)
        self._tables = Tables(self._catalogue, self._reader, connection.tables, connection.dbt_sources)
        self._probe = Probe(connection.name, connection.probe, zone)

    @property
    def operations(self) -> frozenset[Operation]:
        """All of them; before 3.2 no rerun with downstream. Freezing concerns the schedule of the whole workflow."""
        return self._orders.operations

    @property
    def effects(self) -> Mapping[Operation, tuple[str, ...]]:
        """As read in the sources of 3.1.9, 3.2.2 and 3.3."""
        return self._orders.effects

    async def health(self) -> Health:
        """Find out the version by its routes, then ask for our user, projects and the newest workflow instance."""
        start = monotonic()
        version = (await self._client.names()).version
        found = await self._catalogue.projects()
        told = await problems(self._client, found, self._connection.projects, self._clock())
        return Health(version, monotonic() - start, (*told, *await self._probe.problems()))

    async def projects(self) -> tuple[str, ...]:
        """Names of the projects."""
        return tuple(sorted((await self._catalogue.projects()).values()))

    async def members(self, project: str) -> frozenset[str]:
        """Names of who made a project and of those to whom it is granted with write permission."""
        return await self._members.of(project)

    async def counts(self, query: InstanceQuery) -> Mapping[Status, int]:
        """How many instances match, by status; see `reader` for what it costs."""
        return await self._reader.counts(query)

    async def instances(self, query: InstanceQuery) -> Page[Instance]:
        """Instances that match, the most recently due first; without a day, those of yesterday and today."""
        return await self._reader.page(query)

    async def instance(self, instance_id: str) -> Instance:
        """One instance as it is now."""
        return await self._reader.one(Key.parse(instance_id))

    async def history(self, task_id: str, *, limit: int = 14) -> tuple[Instance, ...]:
        """Scheduled instances of a task, newest first, among the newest fifty of its workflow."""
        return await self._reader.history(task_id, limit)

    async def tasks(self, text: str, *, limit: int = 10) -> tuple[Task, ...]:
        """Tasks whose name or code is or resembles the text."""
        return await self._catalogue.tasks(text, limit)

    async def log(self, instance_id: str, *, run_number: int = 0, tail: int = 2000) -> LogPage:
        """The last lines of a run's log; each run is a row of its own."""
        key = Key.parse(instance_id)
        one = await self._reader.one(key)
        rows = await self._reader.attempts(key)
        run = run_number or len(rows)
        if not 0 < run <= len(rows):
            return LogPage(run, ())
        running = run == len(rows) and one.status is Status.RUNNING
        return await log_tail(self._client, rows[run - 1], run, tail, running=running)

    async def upstream(self, instance_id: str, *, depth: int = 1) -> tuple[Related, ...]:
        """Instances it waits for: in its workflow instance, and those a dependent task names in others."""
        return await self._lineage.walk("up", instance_id, depth)

    async def downstream(self, instance_id: str, *, depth: int = 1) -> tuple[Related, ...]:
        """Instances that wait for it: in its workflow instance, and dependent tasks of others."""
        return await self._lineage.walk("down", instance_id, depth)

    async def constraints(self, instance_id: str) -> Constraints:
        """The task group or worker group it waits for and who holds that; whether its workflow's schedule is offline."""
        key = Key.parse(instance_id)
        one = await self._reader.one(key)
        home = (await self._catalogue.graph(key.project)).homes.get(key.task)
        schedule = home.schedule if home else None
        paused = one.flags.frozen or (schedule is not None and schedule.release_state != ONLINE)
        return await self._quotas.of(key, one, paused=paused)

    async def tables(self, text: str, *, limit: int = 10) -> tuple[DataTable, ...]:
        """Tables declared in the settings or measured, by dbt or by us, whose name is or resembles the text."""
        return await self._probe.measure(text, await self._tables.find(text, self.name, limit), limit)

    async def changes(self, task_id: str, since: datetime) -> tuple[Change, ...]:
        """When the task, its workflow and its schedule were last changed, and what the audit log tells of them."""
        return await self._changes.of(task_id, since, self._clock())

    async def baselines(self, instance_id: str) -> tuple[Baseline, ...]:
        """DolphinScheduler has none."""
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
        parts = (self._client, self._catalogue, self._reader, self._lineage, self._members, self._probe)
        await asyncio.gather(*(part.close() for part in parts))
