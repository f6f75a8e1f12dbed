"""Airflow behind the scheduler seam: a DAG is a project, a task instance an instance, an asset a table.

What Airflow cannot tell is left empty: it has no due time for one task, and no mark on a success that a person set or a
failure that is a kill. A DAG's pause is shown as the frozen flag of what has not begun.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from time import monotonic
from typing import Final
from zoneinfo import ZoneInfo

from core.errors import NotFound
from core.http import Http
from core.schedulers.airflow.catalogue import Catalogue
from core.schedulers.airflow.client import Client, Params
from core.schedulers.airflow.health import problems, rights
from core.schedulers.airflow.lineage import Lineage
from core.schedulers.airflow.logs import lines
from core.schedulers.airflow.model import NO_STATE, RUN_TYPES, STATUSES, Key, TaskKey
from core.schedulers.airflow.orders import EFFECTS, Orders
from core.schedulers.airflow.reader import Reader
from core.schedulers.airflow.tables import tables
from core.schedulers.airflow.wire import Dag, Dependency, LogPart, Paged, TaskInstance, Version
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
    RunType,
    Status,
    Task,
)
from core.schedulers.probes import Probe
from core.schedulers.search import rank
from core.settings import SchedulerConnection

"""First version whose API has all that is asked here (filters by run id prefix, batch lists by `run_after`)."""
LOG_PARTS: Final = 50
"""Most parts read of one log; local files come in one, remote stores in several."""
HOLDERS: Final = 20
QUOTAS: Final = frozenset({"Dagrun Running", "Task Instance Slots Available", "Task Concurrency"})
"""Names of Airflow's checks that fail while a limit on runs or tasks of a DAG is used up."""
ABOUT_TO_START: Final = frozenset({"scheduled", "queued"})
"""States in which the next run already has its number and has not begun."""

Walk = Callable[[Lineage, Key, int], Awaitable[tuple[Related, ...]]]


class AirflowScheduler:
    """One Airflow, version 3.3 or newer.

    Args:
        connection: address, credentials, time-out.
        http: the process's session; not closed here.
        zone: in which its days begin.
        clock: the present moment, with zone.
    """

    capabilities = frozenset(Capability) - {Capability.CHANGES, Capability.BASELINES}

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
        self._clock = clock
        self._client = Client(connection, http)
        self._catalogue = Catalogue(self._client, connection.name)
        self._reader = Reader(self._client, self._catalogue, zone=zone, clock=clock)
        self._orders = Orders(self._client, self._catalogue, self._reader, zone)
        self._probe = Probe(connection.name, connection.probe, zone)

    @property
    def operations(self) -> frozenset[Operation]:
        """All of them; freezing and backfilling concern the whole DAG."""
        return self._orders.operations

    @property
    def effects(self) -> Mapping[Operation, tuple[str, ...]]:
        """As measured on 3.3.2."""
        return EFFECTS

    async def health(self) -> Health:
        """Ask for the version, for the beats of Airflow's own processes, and for what the account may; see `health`."""
        start = monotonic()
        version = (await self._client.get(("version",), Version)).version
        wrong, (denied, changes) = await asyncio.gather(problems(self._client, version), rights(self._client))
        told = (*wrong, *denied, *await self._probe.problems())
        return Health(version, monotonic() - start, told, changes)

    async def projects(self) -> tuple[str, ...]:
        """Ids of the DAGs."""
        return tuple(sorted(await self._catalogue.dags()))

    async def counts(self, query: InstanceQuery) -> Mapping[Status, int]:
        """How many instances match, by status; see `reader` for what it costs."""
        return await self._reader.counts(query)

    async def instances(self, query: InstanceQuery) -> Page[Instance]:
        """Instances that match, the most recently due first; see `reader` for what a day is."""
        return await self._reader.page(query)

    async def instance(self, instance_id: str) -> Instance:
        """One task instance as it is now."""
        return await self._reader.one(Key.parse(instance_id))

    async def history(self, task_id: str, *, limit: int = 14) -> tuple[Instance, ...]:
        """Scheduled instances of a task, newest first; of a mapped task, all instances of the newest runs."""
        key = TaskKey.parse(task_id)
        if key.task not in (await self._catalogue.graph(key.dag)).tasks:
            raise NotFound(f"{self.name} has no task {key.id}", kind="task", name=key.id)
        scheduled = "|".join(kind for kind, run_type in RUN_TYPES.items() if run_type is RunType.NORMAL)
        params = [("task_id", key.task), ("run_id_prefix_pattern", scheduled)]
        return await self._reader.some(params, dag=key.dag, limit=limit)

    async def tasks(self, text: str, *, limit: int = 10) -> tuple[Task, ...]:
        """Tasks whose name, id or DAG is or resembles the text."""
        return rank(text, await self._catalogue.tasks(), lambda task: (task.name, task.id), limit=limit)

    async def log(self, instance_id: str, *, run_number: int = 0, tail: int = 2000) -> LogPage:
        """The last lines of a run's log. A run that waits, or never began, has none."""
        key = Key.parse(instance_id)
        raw = await self._reader.raw(key)
        run = run_number or raw.try_number
        begun = run > 0 and not (run == raw.try_number and raw.state in ABOUT_TO_START)
        written = await self._written(key, run, ended=run < raw.try_number or _finished(raw)) if begun else []
        first = max(0, len(written) - tail)
        running = run == raw.try_number and raw.state == "running"
        return LogPage(run, tuple(written[first:]), first + 1, len(written), running=running)

    async def upstream(self, instance_id: str, *, depth: int = 1) -> tuple[Related, ...]:
        """Instances it waits for: in its run, and those that wrote the assets that started its run."""
        return await self._lineage(instance_id, depth, Lineage.upstream)

    async def downstream(self, instance_id: str, *, depth: int = 1) -> tuple[Related, ...]:
        """Instances that wait for it: in its run, and the first of runs that its assets started."""
        return await self._lineage(instance_id, depth, Lineage.downstream)

    async def constraints(self, instance_id: str) -> Constraints:
        """A pause of its DAG, limits of the DAG that are used up, the pool it waits for a slot of."""
        key = Key.parse(instance_id)
        raw = await self._reader.raw(key)
        dag = await self._client.get(("dags", key.dag), Dag, what="instance", name=key.id)
        if _finished(raw) or raw.state == "running":
            return Constraints(paused=dag.is_paused)
        checks = await self._client.get((*key.path, "dependencies"), Paged[Dependency], what="instance", name=key.id)
        quotas = () if dag.is_paused else tuple(check.reason for check in checks.items if check.name in QUOTAS)
        pool = raw.pool if raw.state in ABOUT_TO_START else ""
        return Constraints(
            due_at=raw.run_after if raw.run_after > self._clock() else None,
            throttled_by=quotas,
            throttle_holders=await self._running([], key.dag) if quotas else (),
            resource_group=pool,
            resource_holders=await self._running([("pool", pool)], "~") if pool else (),
            paused=dag.is_paused,
        )

    async def tables(self, text: str, *, limit: int = 10) -> tuple[DataTable, ...]:
        """Assets whose name is or resembles the text."""
        found = await tables(self._client, self._catalogue, self.name, text, limit)
        return await self._probe.measure(text, found, limit)

    async def changes(self, task_id: str, since: datetime) -> tuple[Change, ...]:
        """Airflow does not tell."""
        return ()

    async def baselines(self, instance_id: str) -> tuple[Baseline, ...]:
        """Airflow has none."""
        return ()

    async def operate(self, order: Order) -> Receipt:
        """Carry out an order; `orders` says how each is done, and how often."""
        return await self._orders.carry_out(order)

    async def close(self) -> None:
        """Stop what is being fetched."""
        await asyncio.gather(self._catalogue.close(), self._probe.close())

    async def _lineage(self, instance_id: str, depth: int, walk: Walk) -> tuple[Related, ...]:
        return await walk(Lineage(self._client, self._catalogue, self._reader), Key.parse(instance_id), depth)

    async def _running(self, params: Params, dag: str) -> tuple[str, ...]:
        return tuple(
            one.ref for one in await self._reader.some([*params, ("state", "running")], dag=dag, limit=HOLDERS)
        )

    async def _written(self, key: Key, run: int, *, ended: bool) -> list[str]:
        """The lines of one run. The log of a run that goes on is read up to now, however long it may become."""
        path = ("dags", key.dag, "dagRuns", key.run, "taskInstances", key.task, "logs", str(run))
        params = [("full_content", "true"), ("map_index", str(key.map_index))]
        part = await self._client.get(path, LogPart, params, what="instance", name=key.id)
        content = list(part.content)
        for _ in range(LOG_PARTS):
            if not ended or not part.continuation_token:
                break
            part = await self._client.get(path, LogPart, [*params, ("token", part.continuation_token)])
            content += part.content
        return await asyncio.to_thread(lines, content)


def _finished(raw: TaskInstance) -> bool:
    return STATUSES.get(raw.state or NO_STATE, Status.UNKNOWN).finished
