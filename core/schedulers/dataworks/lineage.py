"""What an instance waits for and what waits for it, hop by hop: DataWorks tells only direct neighbours.

Each instance met costs a call, so a walk is bounded by a number of calls that fits the time an answer has at the edition's
pace; nearer ones come first, and a walk that ends at the bound says so (`Related.cut`). Neighbours are remembered for a
moment: a diagnosis asks for the same ones from several sides.
"""

import asyncio
from dataclasses import dataclass, replace
from typing import Final, Literal

from core.schedulers.base import Instance, Related
from core.schedulers.dataworks.client import Client
from core.schedulers.dataworks.model import letters, number
from core.schedulers.dataworks.reader import Reader
from core.schedulers.dataworks.wire import Neighbour, TaskInstance
from core.schedulers.memory import Memory
from core.schedulers.model import MOST_RELATED

Direction = Literal["ListUpstreamTaskInstances", "ListDownstreamTaskInstances"]
UPSTREAM: Final = "ListUpstreamTaskInstances"
DOWNSTREAM: Final = "ListDownstreamTaskInstances"

PAGE: Final = 100
NEIGHBOURS: Final = 500
"""Most direct neighbours of one instance that are looked at."""
SECONDS: Final = 10.0
"""How long neighbours are remembered."""
WALK_SECONDS: Final = 8.0
"""How long a walk may take at the connection's pace."""
CROSS_CYCLE: Final = letters("CrossCycle")


@dataclass(frozen=True, slots=True)
class _Step:
    """An instance met on a walk, by the ties from the ring before."""

    distance: int
    ties: tuple[tuple[str, Neighbour], ...]


class Lineage:
    """Walks along dependencies.

    Args:
        client: the connection.
        reader: for the instances.
        calls_per_second: the connection's pace.
    """

    def __init__(self, client: Client, reader: Reader, calls_per_second: float) -> None:
        self._client = client
        self._reader = reader
        self._calls = max(1, int(calls_per_second * WALK_SECONDS))
        self._near: Memory[tuple[Direction, str], tuple[Neighbour, ...]] = Memory(
            self._fetch, seconds=SECONDS, of=client.system
        )

    async def walk(self, direction: Direction, start: str, depth: int) -> tuple[Related, ...]:
        """Instances up- or downstream, nearest first. Raises `NotFound`."""
        steps, cut = await self._steps(direction, start, depth)
        if not steps:
            await self._reader.raw(start)  # nobody's id has no neighbours either
            return ()
        known = await self._reader.known([step.ties[0][1].task_instance for step in steps])
        *others, last = (_related(instance, step) for instance, step in zip(known, steps, strict=True))
        return (*others, replace(last, cut=cut))

    async def waiting(self, start: str) -> tuple[TaskInstance, ...]:
        """All instances downstream, in DataWorks' words."""
        steps, _ = await self._steps(DOWNSTREAM, start, MOST_RELATED)
        return tuple(step.ties[0][1].task_instance for step in steps)

    def forget(self) -> None:
        """After something was changed."""
        self._near.forget()

    async def close(self) -> None:
        """Stop what is being fetched."""
        await self._near.close()

    async def _steps(self, direction: Direction, start: str, depth: int) -> tuple[tuple[_Step, ...], bool]:
        """What a walk meets, and whether it ended for want of calls."""
        found: dict[str, _Step] = {}
        edge, calls, cut = [start], self._calls, False
        for distance in range(1, depth + 1):
            asked = edge[:calls]
            calls, cut = calls - len(asked), len(asked) < len(edge)
            reached = await asyncio.gather(*(self._near.get((direction, one)) for one in asked))
            ring: dict[str, list[tuple[str, Neighbour]]] = {}
            for parent, neighbours in zip(asked, reached, strict=True):
                for one in neighbours:
                    ring.setdefault(one.task_instance.id, []).append((parent, one))
            edge = [id_ for id_ in ring if id_ not in found and id_ != start]
            found |= {id_: _Step(distance, tuple(ring[id_])) for id_ in edge}
            if not edge or cut or len(found) >= MOST_RELATED:
                break
        return tuple(found.values())[:MOST_RELATED], cut

    async def _fetch(self, key: tuple[Direction, str]) -> tuple[Neighbour, ...]:
        direction, instance_id = key
        given = {"Id": number(instance_id, "instance")}
        return await self._client.every(direction, Neighbour, given, size=PAGE, most=NEIGHBOURS)


def _related(instance: Instance, step: _Step) -> Related:
    crossing = all(letters(one.dependency_type) == CROSS_CYCLE for _, one in step.ties)
    return Related(instance, step.distance, tuple(dict.fromkeys(parent for parent, _ in step.ties)), crossing)
