"""What an instance waits for and what waits for it: within its run by the DAG's own edges, between DAGs by assets."""

from collections.abc import Awaitable, Callable
from typing import Final

from core.errors import NotFound
from core.schedulers.airflow.catalogue import Catalogue
from core.schedulers.airflow.client import Client
from core.schedulers.airflow.model import Key
from core.schedulers.airflow.reader import Reader
from core.schedulers.airflow.wire import AssetEvent, Paged
from core.schedulers.base import Instance, Related

MOST: Final = 500
"""Largest answer, as `Scheduler.upstream` promises."""
ASSET_RUN: Final = "asset_triggered__"

Neighbours = Callable[[Key], Awaitable[tuple[Instance, ...]]]


class Lineage:
    """One walk along the edges. Made for one question: it reads each run once and does not look again.

    Args:
        client: for asset events.
        catalogue: for the edges.
        reader: for the instances.
    """

    def __init__(self, client: Client, catalogue: Catalogue, reader: Reader) -> None:
        self._client = client
        self._catalogue = catalogue
        self._reader = reader
        self._runs: dict[tuple[str, str], tuple[Instance, ...]] = {}

    async def upstream(self, start: Key, depth: int) -> tuple[Related, ...]:
        """Instances it waits for, nearest first."""
        return await self._walk(start, depth, self._above)

    async def downstream(self, start: Key, depth: int) -> tuple[Related, ...]:
        """Instances that wait for it, nearest first."""
        return await self._walk(start, depth, self._below)

    async def _walk(self, start: Key, depth: int, neighbours: Neighbours) -> tuple[Related, ...]:
        if start.id not in {one.id for one in await self._run(start.dag, start.run)}:
            raise NotFound(f"no instance {start.id}", kind="instance", name=start.id)
        found: list[Related] = []
        seen = {start.id}
        edge = [start]
        for distance in range(1, depth + 1):
            reached: dict[str, Instance] = {}
            parents: dict[str, tuple[str, ...]] = {}
            for key in edge:
                for one in await neighbours(key):
                    reached[one.id] = one
                    parents[one.id] = (*parents.get(one.id, ()), key.id)
            fresh = [one for one in reached.values() if one.id not in seen]
            edge = [Key.parse(one.id) for one in fresh]
            found += [
                Related(one, distance, parents[one.id], by_itself=(key.dag, key.run) != (start.dag, start.run))
                for one, key in zip(fresh, edge, strict=True)
            ]
            seen |= reached.keys()
            if not edge or len(found) >= MOST:
                break
        return tuple(found[:MOST])

    async def _above(self, key: Key) -> tuple[Instance, ...]:
        graph = await self._catalogue.graph(key.dag)
        within = await self._of(key.dag, key.run, frozenset(graph.above.get(key.task, ())))
        return within if within or key.task not in graph.roots else await self._writers(key)

    async def _below(self, key: Key) -> tuple[Instance, ...]:
        graph = await self._catalogue.graph(key.dag)
        within = await self._of(key.dag, key.run, frozenset(graph.below.get(key.task, ())))
        writes = key.task in graph.tasks and graph.tasks[key.task].outputs
        return (*within, *await self._started(key)) if writes else within

    async def _writers(self, key: Key) -> tuple[Instance, ...]:
        """Who wrote the assets that started this run."""
        if not key.run.startswith(ASSET_RUN):
            return ()
        path = ("dags", key.dag, "dagRuns", key.run, "upstreamAssetEvents")
        found: list[Instance] = []
        for event in (await self._client.get(path, Paged[AssetEvent], what="instance", name=key.id)).items:
            if (writer := source(event)) is not None:
                found += [one for one in await self._run(writer.dag, writer.run) if one.id == writer.id]
        return tuple(found)

    async def _started(self, key: Key) -> tuple[Instance, ...]:
        """The first tasks of the runs that this instance's assets started."""
        params = [("source_dag_id", key.dag), ("source_run_id", key.run), ("source_task_id", key.task)]
        index = [("source_map_index", str(key.map_index))]
        events = await self._client.every(("assets", "events"), Paged[AssetEvent], params + index)
        found: list[Instance] = []
        for dag, run in dict.fromkeys((r.dag_id, r.run_id) for event in events for r in event.created_dagruns):
            found += await self._of(dag, run, (await self._catalogue.graph(dag)).roots)
        return tuple(found)

    async def _of(self, dag: str, run: str, tasks: frozenset[str]) -> tuple[Instance, ...]:
        if not tasks:
            return ()
        return tuple(one for one in await self._run(dag, run) if Key.parse(one.id).task in tasks)

    async def _run(self, dag: str, run: str) -> tuple[Instance, ...]:
        if (dag, run) not in self._runs:
            self._runs[dag, run] = await self._reader.run(dag, run)
        return self._runs[dag, run]


def source(event: AssetEvent) -> Key | None:
    """The instance that reported an asset event; None when a program outside Airflow did."""
    if event.source_dag_id and event.source_run_id and event.source_task_id:
        return Key(event.source_dag_id, event.source_run_id, event.source_task_id, event.source_map_index)
    return None
