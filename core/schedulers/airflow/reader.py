"""Reading task instances: one, those of a run, those that match a question.

A day is the calendar day, in the connection's zone, of `run_after`: when Airflow may start the run, the nearest thing it
has to a due time. (Its logical date is the data's date, and null when an asset started the run.)

Two ways to list, by what Airflow can do itself. A question about day, status and kind of run alone is answered page by
page, newest first, by the server, and counted by one call a status: ten thousand instances cost eleven small calls. A
question about certain tasks first finds these in the catalogue, then lists all their instances by the batch call; when
it names no day, those of the last `LOOKBACK`, since a task may have years of them.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from core.schedulers.airflow.catalogue import Catalogue, Graph
from core.schedulers.airflow.client import Client, Params
from core.schedulers.airflow.model import NO_STATE, RUN_TYPES, STATUSES, Key, TaskKey, instance
from core.schedulers.airflow.wire import Paged, TaskInstance
from core.schedulers.base import Instance, InstanceQuery, Page, RunType, Status, Task

ANYWHERE: Final = ("dags", "~", "dagRuns", "~", "taskInstances")
BATCH_LIST: Final = (*ANYWHERE, "list")
INSTANCES: Final = Paged[TaskInstance]
LOOKBACK: Final = timedelta(days=31)
KNOWN: Final = frozenset(STATUSES.values())
ALL_RUNS: Final = frozenset(RUN_TYPES.values())


class Reader:
    """Asks for task instances and gives them in our model.

    Args:
        client: the connection.
        catalogue: for owners, names and outputs.
        zone: in which days begin.
        clock: the present moment, with zone.
    """

    def __init__(self, client: Client, catalogue: Catalogue, *, zone: ZoneInfo, clock: Callable[[], datetime]) -> None:
        self._client = client
        self._catalogue = catalogue
        self._zone = zone
        self._clock = clock

    async def raw(self, key: Key) -> TaskInstance:
        """One task instance in Airflow's words. Raises `NotFound`."""
        return await self._client.get(key.path, TaskInstance, what="instance", name=key.id)

    async def one(self, key: Key) -> Instance:
        """One task instance as it is now. Raises `NotFound`."""
        (found,) = await self.instances([await self.raw(key)])
        return found

    async def run(self, dag: str, run: str) -> tuple[Instance, ...]:
        """All task instances of one run."""
        body = {"dag_ids": [dag], "dag_run_ids": [run]}
        return await self.instances(await self._client.listed(BATCH_LIST, INSTANCES, body))

    async def some(self, params: Params, *, dag: str = "~", limit: int) -> tuple[Instance, ...]:
        """The most recently due task instances that match, in a DAG or anywhere."""
        path = ("dags", dag, "dagRuns", "~", "taskInstances")
        newest = [*params, ("order_by", "-run_after")]
        return await self.instances((await self._client.some(path, INSTANCES, newest, offset=0, limit=limit)).items)

    async def page(self, query: InstanceQuery) -> Page[Instance]:
        """Task instances that match, the most recently due first."""
        as_of = self._clock()
        if _impossible(query):
            return Page((), 0, as_of)
        if _particular(query):
            found = await self._listed(query)
            return Page(found[query.offset : query.offset + query.limit], len(found), as_of)
        params = [*self._filters(query), *_states(query.statuses), ("order_by", "-run_after")]
        page = await self._client.some(ANYWHERE, INSTANCES, params, offset=query.offset, limit=query.limit)
        return Page(await self.instances(page.items), page.total_entries, as_of)

    async def counts(self, query: InstanceQuery) -> Mapping[Status, int]:
        """How many match, by status."""
        if _impossible(query):
            return {}
        if _particular(query):
            return Counter(found.status for found in await self._listed(query))
        wanted = KNOWN & (query.statuses or KNOWN)
        totals = await asyncio.gather(*(self._total(query, {status}) for status in wanted))
        counts = Counter(dict(zip(wanted, totals, strict=True)))
        if not query.statuses:
            counts[Status.UNKNOWN] = await self._total(query, ()) - counts.total()
        return +counts

    async def instances(self, raw: Iterable[TaskInstance]) -> tuple[Instance, ...]:
        """Airflow's words in ours; in a thread, since ten thousand take 0.4 s."""
        raw = tuple(raw)
        graphs = await self._catalogue.graphs(one.dag_id for one in raw)
        return await asyncio.to_thread(lambda: tuple(self._instance(one, graphs[one.dag_id]) for one in raw))

    def _instance(self, raw: TaskInstance, graph: Graph) -> Instance:
        key = Key.of(raw)
        task = graph.tasks.get(key.task) or self._catalogue.lost(TaskKey(key.dag, key.task))
        return instance(raw, task, zone=self._zone, url=self._client.link(key.page))

    async def _listed(self, query: InstanceQuery) -> tuple[Instance, ...]:
        """All that match, the most recently due first: the batch call, narrowed to the tasks in question."""
        tasks = await self._tasks(query)
        if tasks is not None and not tasks:
            return ()
        body: dict[str, object] = {
            "dag_ids": sorted({task.dag for task in tasks}) if tasks else None,
            "task_ids": sorted({task.task for task in tasks}) if tasks else None,
            "state": [None if word == NO_STATE else word for word in _words(query.statuses)] or None,
            **dict(self._window(query) or [("run_after_gte", (self._clock() - LOOKBACK).isoformat())]),
        }
        raw = await self._client.listed(BATCH_LIST, INSTANCES, body)
        found = [one for one in await self.instances(raw) if _matches(one.task, query)]
        return tuple(sorted((one for one in found if one.run_type in query.run_types), key=_newest_first))

    async def _tasks(self, query: InstanceQuery) -> frozenset[TaskKey] | None:
        """The tasks in question; None when they are all."""
        if not _names_tasks(query):
            return None
        dags = await self._catalogue.dags()
        within = [dag for dag in dags if not query.projects or dag in query.projects]
        found = await self._catalogue.tasks(within)
        return frozenset(TaskKey.parse(task.id) for task in found if _matches(task, query))

    async def _total(self, query: InstanceQuery, statuses: Collection[Status]) -> int:
        params = [*self._filters(query), *_states(statuses)]
        return (await self._client.some(ANYWHERE, INSTANCES, params, offset=0, limit=1)).total_entries

    def _filters(self, query: InstanceQuery) -> Params:
        """Day and kinds of run. Airflow drops the underscores of a prefix: an id like `scheduled-again` passes too."""
        kinds = [kind for kind, run_type in RUN_TYPES.items() if run_type in query.run_types]
        prefix = [] if query.run_types >= ALL_RUNS else [("run_id_prefix_pattern", "|".join(kinds))]
        return [*self._window(query), *prefix]

    def _window(self, query: InstanceQuery) -> Params:
        if query.day is None:
            return []
        first, last = (datetime.combine(query.day, moment, self._zone) for moment in (time.min, time.max))
        return [("run_after_gte", first.isoformat()), ("run_after_lte", last.isoformat())]


def _names_tasks(query: InstanceQuery) -> bool:
    return bool(query.projects or query.owner or query.task or query.name)


def _particular(query: InstanceQuery) -> bool:
    """Whether Airflow cannot filter by itself: certain tasks, or manual runs alone, whose ids begin with anything."""
    return _names_tasks(query) or (RunType.MANUAL in query.run_types and not query.run_types >= ALL_RUNS)


def _matches(task: Task, query: InstanceQuery) -> bool:
    return (
        (not query.projects or task.project in query.projects)
        and (not query.owner or query.owner in task.owners)
        and (not query.task or query.task == task.id)
        and query.name.casefold() in task.name.casefold()
    )


def _impossible(query: InstanceQuery) -> bool:
    """Whether only what Airflow does not tell apart is asked for: a kill, a test run."""
    return (bool(query.statuses) and not query.statuses & KNOWN) or not query.run_types & ALL_RUNS


def _words(statuses: Collection[Status]) -> list[str]:
    return [word for word, status in STATUSES.items() if status in statuses]


def _states(statuses: Collection[Status]) -> Params:
    return [("state", word) for word in _words(statuses)]


def _newest_first(one: Instance) -> tuple[float, str]:
    return -one.scheduled_at.timestamp() if one.scheduled_at else 0.0, one.id
