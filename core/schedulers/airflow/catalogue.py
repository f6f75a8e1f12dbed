"""What can run: DAGs, their tasks, and the assets these write. Remembered for a while, since it changes with deployments.

One call lists a hundred DAGs; the tasks of a DAG cost one call each, so a search over a thousand DAGs costs a thousand
calls, once in ten minutes.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from core.errors import NotFound
from core.schedulers.airflow.client import Client
from core.schedulers.airflow.model import TaskKey, cycle
from core.schedulers.airflow.wire import Asset, Dag, Paged, TaskDefinition
from core.schedulers.base import Flags, Task
from core.schedulers.memory import Memory

DAGS_SECONDS: Final = 15.0
"""Short, since a DAG is paused and unpaused by hand."""
ASSETS_SECONDS: Final = 60.0
TASKS_SECONDS: Final = 600.0
ALL: Final = ""


@dataclass(frozen=True, slots=True)
class _Assets:
    all: tuple[Asset, ...]
    written_by: Mapping[TaskKey, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Graph:
    """The tasks of one DAG and how they depend on each other, by Airflow's own task ids."""

    tasks: Mapping[str, Task]
    above: Mapping[str, tuple[str, ...]]
    below: Mapping[str, tuple[str, ...]]

    @property
    def roots(self) -> frozenset[str]:
        """Tasks that wait for no other."""
        return frozenset(task for task in self.tasks if not self.above.get(task))


class Catalogue:
    """The definitions one connection can see.

    Args:
        client: asked for what is not remembered.
        scheduler: configured name of the connection.
    """

    def __init__(self, client: Client, scheduler: str) -> None:
        self._client = client
        self._scheduler = scheduler
        self._dags: Memory[str, Mapping[str, Dag]] = Memory(self._fetch_dags, seconds=DAGS_SECONDS)
        self._assets: Memory[str, _Assets] = Memory(self._fetch_assets, seconds=ASSETS_SECONDS)
        self._tasks: Memory[str, tuple[TaskDefinition, ...]] = Memory(self._fetch_tasks, seconds=TASKS_SECONDS)

    async def dags(self) -> Mapping[str, Dag]:
        """All DAGs by id."""
        return await self._dags.get(ALL)

    async def assets(self) -> tuple[Asset, ...]:
        """All assets."""
        return (await self._assets.get(ALL)).all

    async def graph(self, dag_id: str) -> Graph:
        """One DAG; empty when there is none of this name (any more)."""
        dag = (await self.dags()).get(dag_id)
        if dag is None:
            return Graph({}, {}, {})
        outputs = (await self._assets.get(ALL)).written_by
        definitions = await self._tasks.get(dag_id)
        below = {definition.task_id: definition.downstream_task_ids or () for definition in definitions}
        above: dict[str, tuple[str, ...]] = defaultdict(tuple)
        for upper, lowers in below.items():
            for lower in lowers:
                above[lower] += (upper,)
        keys = {TaskKey(dag_id, one.task_id): one for one in definitions}
        tasks = {key.task: self._task(key, dag, one, outputs.get(key, ())) for key, one in keys.items()}
        return Graph(tasks, above, below)

    async def graphs(self, dag_ids: Iterable[str]) -> Mapping[str, Graph]:
        """Several DAGs, by id."""
        wanted = tuple(dict.fromkeys(dag_ids))
        return dict(zip(wanted, await asyncio.gather(*map(self.graph, wanted)), strict=True))

    async def task(self, key: TaskKey) -> Task:
        """One task; one that is not defined (any more) has a name and nothing else."""
        return (await self.graph(key.dag)).tasks.get(key.task) or self.lost(key)

    async def tasks(self, dag_ids: Iterable[str] | None = None) -> tuple[Task, ...]:
        """All tasks of some DAGs, or of all."""
        graphs = await self.graphs(await self.dags() if dag_ids is None else dag_ids)
        return tuple(task for graph in graphs.values() for task in graph.tasks.values())

    def lost(self, key: TaskKey) -> Task:
        """A task that ran once and is not in its DAG now."""
        return Task(self._scheduler, key.id, key.task, key.dag)

    def forget_pauses(self) -> None:
        """After a DAG was paused or unpaused."""
        self._dags.forget()

    async def close(self) -> None:
        """Stop what is being fetched."""
        await asyncio.gather(self._dags.close(), self._assets.close(), self._tasks.close())

    def _task(self, key: TaskKey, dag: Dag, definition: TaskDefinition, outputs: tuple[str, ...]) -> Task:
        return Task(
            self._scheduler,
            key.id,
            definition.task_display_name or key.task,
            key.dag,
            owners=owners(definition.owner or ""),
            kind=definition.operator_name or "",
            cycle=cycle(dag.timetable_summary),
            outputs=outputs,
            flags=Flags(frozen=dag.is_paused),
        )

    async def _fetch_dags(self, _: str) -> Mapping[str, Dag]:
        return {dag.dag_id: dag for dag in await self._client.every(("dags",), Paged[Dag])}

    async def _fetch_assets(self, _: str) -> _Assets:
        assets = await self._client.every(("assets",), Paged[Asset])
        written: dict[TaskKey, tuple[str, ...]] = defaultdict(tuple)
        for asset in assets:
            for producer in asset.producing_tasks:
                written[TaskKey(producer.dag_id, producer.task_id)] += (asset.name,)
        return _Assets(assets, dict(written))

    async def _fetch_tasks(self, dag_id: str) -> tuple[TaskDefinition, ...]:
        try:
            return (await self._client.get(("dags", dag_id, "tasks"), Paged[TaskDefinition])).items
        except NotFound:  # listed a moment ago, deleted or not yet serialised now
            return ()


def owners(words: str) -> tuple[str, ...]:
    """Airflow keeps one string of owners, separated by commas where there are several."""
    return tuple(word for part in words.split(",") if (word := part.strip()))
