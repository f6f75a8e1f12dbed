"""A scheduler as its events tell it: everything is read from the store, and stays readable while the scheduler is down.

Events hold no logs and take no orders. For these, for dependencies between DataWorks' nodes and for baselines the mirror asks
the connection named by `api`, if there is one; what it answers is shown under the mirror's own name.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from time import monotonic
from typing import TypeVar
from zoneinfo import ZoneInfo

from core.errors import NotFound, Refused
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
    KnowsAlertRules,
    KnowsDuty,
    KnowsMembers,
    LogPage,
    Operation,
    Order,
    Page,
    Receipt,
    Related,
    Scheduler,
    Shift,
    Status,
    Task,
)
from core.schedulers.grounds import Source, rests_on
from core.schedulers.mirror.feed import Feed
from core.schedulers.mirror.reading import Reading
from core.settings import SchedulerConnection
from core.store import Connection, Store

T = TypeVar("T")
TOLD = frozenset({Capability.OWNERS, Capability.TABLES, Capability.CHANGES})
"""What events tell by themselves; OpenLineage's also tell lineage."""


class MirrorScheduler:
    """What is known of a scheduler by its events.

    Args:
        connection: which events, kept for how long.
        store: where they are.
        zone: in which its days begin.
        clock: the present moment, with zone.
        api: the same scheduler, to be asked; closed together with the mirror.
    """

    def __init__(
        self,
        connection: SchedulerConnection,
        store: Store,
        *,
        zone: ZoneInfo,
        clock: Callable[[], datetime],
        api: Scheduler | None = None,
    ) -> None:
        self.name = connection.name
        self.zone = zone
        self.api = api
        self.feed = Feed(store, connection, zone)
        self._source = connection.source
        self._store = store
        self._clock = clock

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What events tell, and what the API can be asked."""
        told = TOLD | {Capability.LINEAGE} if self._source == "openlineage" else TOLD
        return told | self.api.capabilities if self.api else told

    @property
    def operations(self) -> frozenset[Operation]:
        """What the API can do."""
        return self.api.operations if self.api else frozenset()

    @property
    def effects(self) -> Mapping[Operation, tuple[str, ...]]:
        """What the API's operations do besides."""
        return self.api.effects if self.api else {}

    async def health(self) -> Health:
        """Whether anything is heard, and whether the API works."""
        start = monotonic()
        heard = await self._store.read(self.feed.heard_at)
        told: list[str] = []
        if heard is None:
            told.append(f"{self.name}: no event of {self._source} was ever heard: see docs/events.md")
        elif self._clock() - heard > self.feed.silent:
            told.append(f"{self.name}: nothing was heard since {heard.astimezone(self.zone):%m-%d %H:%M}")
        may_change = False
        if self.api:
            behind = await self.api.health()
            told += behind.problems
            may_change = behind.may_change
        return Health(f"events of {self._source}", monotonic() - start, tuple(told), may_change)

    async def projects(self) -> tuple[str, ...]:
        """Names of the projects that were heard of."""
        return await self._read(Reading.projects)

    async def members(self, project: str) -> frozenset[str]:
        """Whom the API lists; nobody without one, or where it knows no project of this name."""
        if not isinstance(self.api, KnowsMembers):
            return frozenset()
        try:
            return await self.api.members(project)
        except NotFound:
            return frozenset()

    async def alert_rules(self, task_id: str) -> tuple[AlertRule, ...]:
        """The API's; none without one."""
        return await self.api.alert_rules(task_id) if isinstance(self.api, KnowsAlertRules) else ()

    async def alert_rule(self, rule_id: str) -> AlertRule:
        """The API's."""
        if isinstance(self.api, KnowsAlertRules):
            return await self.api.alert_rule(rule_id)
        raise NotFound(f"{self.name}: no rule {rule_id[:80]!r}", kind="rule", name=rule_id[:80])

    async def shifts(self) -> tuple[Shift, ...]:
        """The API's; none without one."""
        return await self.api.shifts() if isinstance(self.api, KnowsDuty) else ()

    async def counts(self, query: InstanceQuery) -> Mapping[Status, int]:
        """How many instances match, by status; kept up with every event."""
        return await self._read(lambda reading: reading.counts(query))

    async def progress(self, run: str) -> Mapping[Status, int]:
        """How many instances of a followed run of a workflow are known, by status; none for a run that was never heard of."""
        return await self._read(lambda reading: self.feed.members.counts(reading.connection, run))

    async def instances(self, query: InstanceQuery) -> Page[Instance]:
        """Instances that match, the most recently due first."""
        now = self._clock()
        return await self._read(lambda reading: reading.page(query, now))

    async def instance(self, instance_id: str) -> Instance:
        """One instance as it was last heard of."""
        return await self._read(lambda reading: reading.shown([reading.state(instance_id)])[0])

    async def history(self, task_id: str, *, limit: int = 14) -> tuple[Instance, ...]:
        """Scheduled instances of a task, newest first."""
        return await self._read(lambda reading: reading.history(task_id, limit))

    async def tasks(self, text: str, *, limit: int = 10) -> tuple[Task, ...]:
        """Tasks whose name or id is or resembles the text."""
        return await self._read(lambda reading: reading.tasks(text, limit))

    async def log(self, instance_id: str, *, run_number: int = 0, tail: int = 2000) -> LogPage:
        """The API's log; none without an API."""
        if self.api:
            return await self.api.log(instance_id, run_number=run_number, tail=tail)
        return LogPage(run_number or (await self.instance(instance_id)).run_number, ())

    async def upstream(self, instance_id: str, *, depth: int = 1) -> tuple[Related, ...]:
        """Instances it waits for: as the API says, or by the tables it reads."""
        if self.api:
            return tuple(map(self._related, await self.api.upstream(instance_id, depth=depth)))
        return await self._read(lambda reading: reading.related(instance_id, "in", depth))

    async def downstream(self, instance_id: str, *, depth: int = 1) -> tuple[Related, ...]:
        """Instances that wait for it: as the API says, or by the tables it writes."""
        if self.api:
            return tuple(map(self._related, await self.api.downstream(instance_id, depth=depth)))
        return await self._read(lambda reading: reading.related(instance_id, "out", depth))

    async def constraints(self, instance_id: str) -> Constraints:
        """What the API says holds it back; without one, whether it is frozen."""
        if self.api is None:
            return Constraints(paused=(await self.instance(instance_id)).flags.frozen)
        found = await self.api.constraints(instance_id)
        return replace(
            found,
            throttle_holders=tuple(map(self._ref, found.throttle_holders)),
            resource_holders=tuple(map(self._ref, found.resource_holders)),
        )

    async def tables(self, text: str, *, limit: int = 10) -> tuple[DataTable, ...]:
        """Tables that were heard of; where none fits, those that the API knows."""
        found = await self._read(lambda reading: reading.tables(text, limit))
        if found or self.api is None:
            return found
        return tuple(map(self._table, await self.api.tables(text, limit=limit)))

    async def changes(self, task_id: str, since: datetime) -> tuple[Change, ...]:
        """What was done to a task, its instances and its tables, and which checks of these failed."""
        return await self._read(lambda reading: reading.changes(task_id, since))

    async def baselines(self, instance_id: str) -> tuple[Baseline, ...]:
        """The API's promises; none without an API."""
        return await self.api.baselines(instance_id) if self.api else ()

    async def operate(self, order: Order) -> Receipt:
        """Let the API carry out an order. What comes of it is heard like anything else."""
        await self.instance(order.instance)
        if self.api is None:
            raise Refused(f"{self.name} only listens: name a connection as its api", system=self.name)
        return await self.api.operate(order)

    async def close(self) -> None:
        """Close the API's connection."""
        if self.api:
            await self.api.close()

    async def _read(self, answer: Callable[[Reading], T]) -> T:
        def work(connection: Connection) -> tuple[T, Source]:
            return answer(Reading(connection, self.feed, self.name, self.zone)), self._heard(connection)

        found, source = await self._store.read(work)
        rests_on(source)
        return found

    def _heard(self, connection: Connection) -> Source:
        """How old all this is. Without an API nobody ever asks for what was missed, so that is no news."""
        now, heard = self._clock(), self.feed.heard_at(connection)
        since = self.feed.gap_from(connection, now) if self.api else None
        age, gap = ((now - at).total_seconds() if at else None for at in (heard, since))
        return Source(self.name, age, mirror=True, gap=gap)

    def _task(self, task: Task) -> Task:
        return replace(task, scheduler=self.name)

    def _related(self, related: Related) -> Related:
        return replace(related, instance=replace(related.instance, task=self._task(related.instance.task)))

    def _ref(self, ref: str) -> str:
        return f"{self.name}:{ref.partition(':')[2]}"

    def _table(self, table: DataTable) -> DataTable:
        updates = tuple(replace(one, instance=self._ref(one.instance) if one.instance else "") for one in table.updates)
        return replace(table, scheduler=self.name, producers=tuple(map(self._task, table.producers)), updates=updates)
