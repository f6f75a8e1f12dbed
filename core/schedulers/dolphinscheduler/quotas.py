"""What a task that could begin still waits for: a place in its task group, or a worker of its group."""

import asyncio
from typing import Final

from core.errors import NotFound
from core.schedulers.base import Constraints, Instance, Status
from core.schedulers.dolphinscheduler.client import Client
from core.schedulers.dolphinscheduler.model import Key
from core.schedulers.dolphinscheduler.reader import Reader
from core.schedulers.dolphinscheduler.wire import Attempt, Queued, TaskGroup

HOLDERS: Final = 20
HOLDS: Final = 1
"""Status of a place in a task group that is taken (`TaskGroupQueueStatus.ACQUIRE_SUCCESS`)."""


class Quotas:
    """Looks for what holds an instance back.

    Args:
        client: the connection.
        reader: for rows.
    """

    def __init__(self, client: Client, reader: Reader) -> None:
        self._client = client
        self._reader = reader

    async def of(self, key: Key, one: Instance, *, paused: bool) -> Constraints:
        """Its constraints. Only what waits for a resource is held back by one."""
        if one.status is not Status.WAIT_RESOURCE:
            return Constraints(paused=paused)
        last = (await self._reader.attempts(key))[-1]
        group = await self._full(last)
        if group is not None:
            rule = f"task group {group.name}: {group.use_size} of {group.group_size} places are taken"
            return Constraints(throttled_by=(rule,), throttle_holders=await self._holders(group), paused=paused)
        workers = last.worker_group or ""
        running = await self._reader.running_in(key.project, workers, HOLDERS) if workers else ()
        holders = tuple(f"{self._client.system}:{holder}" for holder in running)
        return Constraints(resource_group=workers, resource_holders=holders, paused=paused)

    async def _full(self, row: Attempt) -> TaskGroup | None:
        """The task group of a row, if no place is left in it."""
        if not row.task_group_id:
            return None
        groups = await self._client.every(("task-group", "list-paging"), TaskGroup, {})
        mine = (group for group in groups if group.id == row.task_group_id and group.use_size >= group.group_size)
        return next(mine, None)

    async def _holders(self, group: TaskGroup) -> tuple[str, ...]:
        """Instances that hold a place. A place names its task, so the workflow instance is asked for the code."""
        given = {"groupId": group.id, "status": HOLDS}
        taken = await self._client.page(("task-group", "query-list-by-group-id"), Queued, given, size=HOLDERS)
        held = await asyncio.gather(*(self._holder(place) for place in taken.items))
        return tuple(ref for refs in held for ref in refs)

    async def _holder(self, place: Queued) -> tuple[str, ...]:
        """Who holds a place; nobody we may name where it is of a project that is not looked at."""
        try:
            instances = await self._reader.instances(place.project, place.run)
        except NotFound:
            return ()
        return tuple(one.ref for one in instances if one.task.name == place.task_name)
