"""What an instance waits for and what waits for it: by the edges of its workflow, and by dependent tasks of other workflows.

Inside a workflow instance a walk costs no more than that instance (two calls); each other workflow it reaches costs one call
for its instances of the days concerned, and two for each of those. What was read is remembered for a moment: a diagnosis asks
for the same from several sides.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Final, Literal

from core.errors import NotFound
from core.schedulers.base import Instance, Related
from core.schedulers.dolphinscheduler.catalogue import Catalogue
from core.schedulers.dolphinscheduler.graph import Dependency, Workflow
from core.schedulers.dolphinscheduler.model import Key
from core.schedulers.dolphinscheduler.reader import Reader
from core.schedulers.dolphinscheduler.spans import crosses, days_after, span
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
        due = one.scheduled_at.astimezone(self._reader.zone)
        outside = self._waited_for(home, key.task, due) if direction == "up" else self._waiting(home, key.task, due)
        return (*near, *await outside)

    async def _waited_for(self, home: Workflow, task: str, due: datetime) -> tuple[_Tie, ...]:
        """What a dependent task waits for in other workflows."""
        ties: list[_Tie] = []
        for one in home.depends.get(task, ()):
            meant = span(one.when, due)
            met = await self._due(one.project, one.workflow, await self._counting(one), meant.days, meant.__contains__)
            ties += [_Tie(id_, crosses(one.when, due, at)) for at, id_ in met]
        return tuple(ties)

    async def _waiting(self, home: Workflow, task: str, due: datetime) -> tuple[_Tie, ...]:
        """Dependent tasks of other workflows that wait for a task, or for the whole workflow it is among the last of."""
        ties: list[_Tie] = []
        for waiter, code, one in await self._catalogue.dependents(home.code):
            if one.task != task and not (one.task == "" and task in home.ends):
                continue
            days, means = days_after(one.when, due), partial(_means, one.when, due)
            waiting = await self._due(waiter.project, waiter.code, frozenset({code}), days, means)
            ties += [_Tie(id_, crosses(one.when, at, due)) for at, id_ in waiting]
        return tuple(ties)

    async def _counting(self, one: Dependency) -> frozenset[str]:
        """Codes of the tasks that have to be done for a dependency; none in a project that is not looked at."""
        if one.project not in await self._catalogue.projects():
            return frozenset()
        home = (await self._catalogue.graph(one.project)).workflows.get(one.workflow)
        return frozenset({one.task}) if one.task else home.ends if home else frozenset()

    async def _due(
        self,
        project: str,
        workflow: str,
        tasks: frozenset[str],
        days: tuple[date, date],
        fits: Callable[[datetime], bool],
    ) -> list[tuple[datetime, str]]:
        """Instances of some tasks of a workflow that were due on these days and at a fitting moment, each with that moment."""
        runs = await self._reader.due(project, workflow, *days) if tasks else ()
        moments = [(run.schedule_time.astimezone(self._reader.zone), run.id) for run in runs if run.schedule_time]
        fitting = [(at, run) for at, run in moments if fits(at)]
        parts = await asyncio.gather(*(self._runs.get((project, run)) for _, run in fitting))
        return [
            (at, id_)
            for (at, _), part in zip(fitting, parts, strict=True)
            for id_ in part
            if Key.parse(id_).task in tasks
        ]

    async def _fetch(self, key: tuple[str, str]) -> dict[str, Instance]:
        return {one.id: one for one in await self._reader.instances(*key)}


def _means(when: str, due: datetime, at: datetime) -> bool:
    """Whether a run that was due at a moment waits, by such a dependency, for one that was due at another."""
    return due in span(when, at)
