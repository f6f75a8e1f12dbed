"""What an instance waits for and what waits for it: by the edges of its workflow, and by dependent tasks of other workflows.

Inside a workflow instance a walk costs no more than that instance (two calls); each other workflow it reaches costs one call
for its instances of the days concerned, and two for each of those. What was read is remembered for a moment: a diagnosis asks
for the same from several sides.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal

from core.errors import NotFound
from core.schedulers.base import Instance, Related
from core.schedulers.dolphinscheduler.catalogue import Catalogue
from core.schedulers.dolphinscheduler.graph import Dependency, Workflow
from core.schedulers.dolphinscheduler.model import Key
from core.schedulers.dolphinscheduler.reader import Reader
from core.schedulers.memory import Memory

Direction = Literal["up", "down"]
MOST: Final = 500
"""Largest answer, as `Scheduler.upstream` promises."""
SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class _Tie:
    """A neighbour, by its id, and whether it is of another cycle."""

    id: str
    cross_cycle: bool = False


class Lineage:
    """Walks along dependencies.

    Args:
        catalogue: for definitions.
        reader: for instances.
        system: configured name of the connection.
    """

    def __init__(self, catalogue: Catalogue, reader: Reader, system: str) -> None:
        self._catalogue = catalogue
        self._reader = reader
        self._runs: Memory[tuple[str, str], dict[str, Instance]] = Memory(self._fetch, seconds=SECONDS, of=system)

    async def walk(self, direction: Direction, start: str, depth: int) -> tuple[Related, ...]:
        """Instances up- or downstream, nearest first. Raises `NotFound`."""
        await self._known(start)
        found: dict[str, Related] = {}
        edge = [start]
        for distance in range(1, depth + 1):
            reached = await asyncio.gather(*(self._near(direction, one) for one in edge))
            ring: dict[str, list[tuple[str, _Tie]]] = {}
            for parent, ties in zip(edge, reached, strict=True):
                for tie in ties:
                    ring.setdefault(tie.id, []).append((parent, tie))
            edge = [id_ for id_ in ring if id_ not in found and id_ != start]
            for id_ in edge:
                parents = tuple(dict.fromkeys(parent for parent, _ in ring[id_]))
                crossing = all(tie.cross_cycle for _, tie in ring[id_])
                found[id_] = Related(await self._known(id_), distance, parents, crossing)
            if not edge or len(found) >= MOST:
                break
        return tuple(found.values())[:MOST]

    def forget(self) -> None:
        """After something was changed."""
        self._runs.forget()

    async def close(self) -> None:
        """Stop what is being fetched."""
        await self._runs.close()

    async def _known(self, identity: str) -> Instance:
        key = Key.parse(identity)
        run = await self._runs.get((key.project, key.run))
        if identity not in run:
            raise NotFound(f"no instance {identity}", kind="instance", name=identity)
        return run[identity]

    async def _near(self, direction: Direction, identity: str) -> tuple[_Tie, ...]:
        key, one = Key.parse(identity), await self._known(identity)
        home = (await self._catalogue.graph(key.project)).homes.get(key.task)
        if home is None:
            return ()
        inside = home.above(key.task) if direction == "up" else home.below(key.task)
        run = await self._runs.get((key.project, key.run))
        near = [_Tie(id_) for code in sorted(inside) if (id_ := Key(key.project, key.run, code).id) in run]
        if one.scheduled_at is None:
            return tuple(near)
        day = one.scheduled_at.astimezone(self._reader.zone).date()
        outside = self._waited_for(home, key.task, day) if direction == "up" else self._waiting(home, key.task, day)
        return (*near, *await outside)

    async def _waited_for(self, home: Workflow, task: str, day: date) -> tuple[_Tie, ...]:
        """What a dependent task waits for in other workflows."""
        ties: list[_Tie] = []
        for one in home.depends.get(task, ()):
            nearest, farthest = one.days
            days = (day - timedelta(days=farthest), day - timedelta(days=nearest))
            for codes, run in await self._met(one, days):
                ties += [_Tie(id_, cross_cycle=nearest > 0) for id_ in run if Key.parse(id_).task in codes]
        return tuple(ties)

    async def _waiting(self, home: Workflow, task: str, day: date) -> tuple[_Tie, ...]:
        """Dependent tasks of other workflows that wait for a task, or for the whole workflow it is among the last of."""
        ties: list[_Tie] = []
        for waiter, code, one in await self._catalogue.dependents(home.code):
            if one.task != task and not (one.task == "" and task in home.ends):
                continue
            nearest, farthest = one.days
            days = (day + timedelta(days=nearest), day + timedelta(days=farthest))
            for run in await self._due(waiter.project, waiter.code, days):
                ties += [_Tie(id_, cross_cycle=nearest > 0) for id_ in run if Key.parse(id_).task == code]
        return tuple(ties)

    async def _met(self, one: Dependency, days: tuple[date, date]) -> list[tuple[Iterable[str], dict[str, Instance]]]:
        """Workflow instances that meet a dependency, each with the codes of the tasks that count."""
        if one.project not in await self._catalogue.projects():
            return []
        home = (await self._catalogue.graph(one.project)).workflows.get(one.workflow)
        codes: frozenset[str] = frozenset({one.task}) if one.task else home.ends if home else frozenset()
        return [(codes, run) for run in await self._due(one.project, one.workflow, days)]

    async def _due(self, project: str, workflow: str, days: tuple[date, date]) -> list[dict[str, Instance]]:
        runs = await self._reader.due(project, workflow, *days)
        return list(await asyncio.gather(*(self._runs.get((project, run.id)) for run in runs)))

    async def _fetch(self, key: tuple[str, str]) -> dict[str, Instance]:
        return {one.id: one for one in await self._reader.instances(*key)}
