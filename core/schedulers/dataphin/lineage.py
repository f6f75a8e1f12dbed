"""What an instance waits for and what waits for it, hop by hop.

Dataphin tells several hops at once, but then neither how far each instance is nor between which two the ties are, and never
their state. So each instance met costs some calls: its neighbours, itself, the log of its runs, and once the project of its
node. A walk is bounded by how many of these fit the time an answer has at the connection's pace; nearer ones come first, and
beyond the bound a walk ends without a word. Neighbours are remembered for a moment.
"""

import asyncio
from dataclasses import dataclass
from typing import Final, Literal

from core.errors import NotFound, Refused
from core.schedulers.base import Instance, Related, Status, Task
from core.schedulers.dataphin.client import Client
from core.schedulers.dataphin.model import cycle_of
from core.schedulers.dataphin.reader import Reader
from core.schedulers.dataphin.wire import Dag, Neighbour, Neighbours
from core.schedulers.memory import Memory

Direction = Literal["up", "down"]
MOST: Final = 500
"""Largest answer, as `Scheduler.upstream` promises."""
CALLS_EACH: Final = 4
"""Most calls an instance met on a walk costs."""
SECONDS: Final = 10.0
"""How long neighbours are remembered."""
WALK_SECONDS: Final = 8.0
"""How long a walk may take at the connection's pace."""
ROOT: Final = "virtual_root_node"
"""What the name of the node above all others begins with: it never runs, and says nothing."""


@dataclass(frozen=True, slots=True)
class _Step:
    """An instance met on a walk, and those of the ring before that it is tied to."""

    distance: int
    met: Neighbour
    parents: tuple[str, ...]


class Lineage:
    """Walks along dependencies.

    Args:
        client: the connection.
        reader: for the instances.
    """

    def __init__(self, client: Client, reader: Reader) -> None:
        self._client = client
        self._reader = reader
        self._most = min(MOST, max(1, int(client.rate * WALK_SECONDS / CALLS_EACH)))
        self._near: Memory[str, Neighbours] = Memory(self._fetch, seconds=SECONDS, of=client.system)

    async def walk(self, direction: Direction, start: str, depth: int) -> tuple[Related, ...]:
        """Instances up- or downstream, nearest first. Raises `NotFound`."""
        await self._reader.raw(start)  # nobody's id has no neighbours either
        steps = await self._steps(direction, start, depth)
        return tuple(await asyncio.gather(*(self._related(step) for step in steps)))

    def forget(self) -> None:
        """After something was changed."""
        self._near.forget()

    async def close(self) -> None:
        """Stop what is being fetched."""
        await self._near.close()

    async def _steps(self, direction: Direction, start: str, depth: int) -> tuple[_Step, ...]:
        found: dict[str, _Step] = {}
        edge = [start]
        for distance in range(1, depth + 1):
            around = await asyncio.gather(*(self._near.get(one) for one in edge))
            ring: dict[str, _Step] = {}
            for parent, neighbours in zip(edge, around, strict=True):
                for met in neighbours.up if direction == "up" else neighbours.down:
                    parents = ring[met.id].parents if met.id in ring else ()
                    ring[met.id] = _Step(distance, met, (*parents, parent))
            edge = [id_ for id_ in ring if id_ not in found and id_ != start][: self._most - len(found)]
            found |= {id_: ring[id_] for id_ in edge}
            if not edge or len(found) >= self._most:
                break
        return tuple(found.values())

    async def _related(self, step: _Step) -> Related:
        crossing = all(cycle_of(parent) != cycle_of(step.met.id) for parent in step.parents)
        return Related(await self._instance(step.met), step.distance, step.parents, crossing)

    async def _instance(self, met: Neighbour) -> Instance:
        """The instance; by its name alone where it is in a project that we may not see."""
        try:
            return await self._reader.one(met.id)
        except (NotFound, Refused):
            return Instance(met.id, Task(self._client.system, met.node_id, met.name, ""), Status.UNKNOWN)

    async def _fetch(self, instance_id: str) -> Neighbours:
        try:
            project = await self._reader.project(instance_id)
            depths = {"UpStreamDepth": 1, "DownStreamDepth": 1}
            given = {"ProjectId": int(project), "InstanceId": {"Id": instance_id}, **depths}
            around = (await self._client.get("GetInstanceUpDownStream", Dag, given)).around
        except (NotFound, Refused):  # in a project that we may not see
            return Neighbours()
        return Neighbours(up=_real(around.up), down=_real(around.down))


def _real(neighbours: tuple[Neighbour, ...]) -> tuple[Neighbour, ...]:
    return tuple(one for one in neighbours if not one.name.startswith(ROOT))
