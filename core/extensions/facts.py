"""Looks up what rules ask about: the project's name, how much waits for it, whether somebody owns it.

Whoever works in the console waits for this, so it is bounded in time and number; what is not known in time stays unknown.
"""

import asyncio

from core.errors import NotFound, XOpsError
from core.extensions.points import Point
from core.extensions.policy import Facts
from core.schedulers.base import Instance, Scheduler, Task, incomplete

SECONDS = 5.0
LOOKED_AT = 20
"""Most things of one operation that are looked up; where there are more, not all is known."""
REACH = 25
"""How far down to count who waits."""


class Surveyor:
    """Looks up.

    Args:
        scheduler: who is asked.
    """

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler

    async def survey(self, point: Point) -> Facts:
        """What is known in time."""
        bare = Facts(point.code, point.operator, frozenset({point.project} - {""}))
        try:
            async with asyncio.timeout(SECONDS):
                return await self._surveyed(point, bare)
        except (XOpsError, TimeoutError):
            return bare

    async def _surveyed(self, point: Point, bare: Facts) -> Facts:
        ids = [subject.partition(":") for subject in point.subjects[:LOOKED_AT]]
        instances = await asyncio.gather(*(self._scheduler.instance(id) for kind, _, id in ids if kind == "instance"))
        named = await asyncio.gather(*(self._task(id) for kind, _, id in ids if kind == "node"))
        tasks = [*(instance.task for instance in instances), *named]
        if not tasks:
            return bare
        whole = len(point.subjects) <= LOOKED_AT
        return Facts(
            point.code,
            point.operator,
            bare.projects | {task.project for task in tasks},
            named=True,
            things=tuple(dict.fromkeys(task.name for task in tasks)),
            downstream=await self._downstream(instances) if instances and whole else None,
            owned=all(task.owners for task in tasks) if whole else None,
        )

    async def _task(self, id: str) -> Task:
        found = {task.id: task for task in await self._scheduler.tasks(id, limit=5)}
        if id not in found:
            raise NotFound(f"no node {id}", kind="task", name=id)
        return found[id]

    async def _downstream(self, instances: list[Instance]) -> int | None:
        """How many instances still wait for any of these; None when there are more than can be counted."""
        found = await asyncio.gather(*(self._scheduler.downstream(one.id, depth=REACH) for one in instances))
        if any(incomplete(some) for some in found):
            return None
        unfinished = {related.instance.id for some in found for related in some if not related.instance.status.finished}
        return len(unfinished - {one.id for one in instances})
