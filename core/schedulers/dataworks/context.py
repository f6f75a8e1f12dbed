"""What surrounds an instance: what people did to its task before, and which promises wait for it."""

import asyncio
from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from core.schedulers.base import Baseline, Change, RunType
from core.schedulers.dataworks.catalogue import PRODUCTION, Catalogue, Names
from core.schedulers.dataworks.client import Client
from core.schedulers.dataworks.lineage import Lineage
from core.schedulers.dataworks.model import letters, milliseconds, run_type
from core.schedulers.dataworks.reader import Reader
from core.schedulers.dataworks.wire import BaselineStatus, Operation

CHANGES: Final = 50
CHANGE_DAYS: Final = 7
"""Operation logs cost a call a day; DataWorks keeps them for 31."""
PAGE: Final = 100
BASELINES: Final = 500
FINISHED: Final = letters("FINISH")


class Context:
    """Looks around an instance or task.

    Args:
        client: the connection.
        catalogue: for names.
        reader: for the instance.
        lineage: for who waits for it.
        zone: in which days begin.
        clock: the present moment, with zone.
    """

    def __init__(
        self,
        client: Client,
        catalogue: Catalogue,
        reader: Reader,
        lineage: Lineage,
        zone: ZoneInfo,
        clock: Callable[[], datetime],
    ) -> None:
        self._client = client
        self._catalogue = catalogue
        self._reader = reader
        self._lineage = lineage
        self._zone = zone
        self._clock = clock

    async def changes(self, task_id: str, since: datetime) -> tuple[Change, ...]:
        """What was done to a task and its instances, and when its definition last changed; newest first."""
        task = await self._catalogue.definition(task_id)
        today = self._clock().astimezone(self._zone).date()
        span = (today - since.astimezone(self._zone).date()).days + 1
        days = [today - timedelta(days=ago) for ago in range(max(0, min(span, CHANGE_DAYS)))]
        logs = await asyncio.gather(*(self._operations(task_id, milliseconds(day, self._zone)) for day in days))
        told = [(one.create_time, one) for log in logs for one in log if one.create_time]
        names = await self._catalogue.names([task.project_id])
        found = [
            Change(
                at,
                "operation",
                one.operation_content,
                names.person(task.project_id, one.user),
                self._ref(one, task.name),
            )
            for at, one in told
        ]
        if task.modify_time:
            editor = names.person(task.project_id, task.modify_user)
            found.append(Change(task.modify_time, "task", "the task's definition was changed", editor, task.name))
        recent = (change for change in found if change.at >= since)
        return tuple(sorted(recent, key=lambda change: change.at, reverse=True)[:CHANGES])

    async def baselines(self, instance_id: str) -> tuple[Baseline, ...]:
        """Unfinished baselines of the day with this instance, or one that waits for it, on them."""
        start = await self._reader.raw(instance_id)
        if run_type(start.run_type) is not RunType.NORMAL or start.bizdate is None:
            return ()
        waiting = (start, *await self._lineage.waiting(instance_id))
        concerned = {one.baseline_id for one in waiting if one.baseline_id}
        if not concerned:
            return ()
        day = datetime.combine(start.bizdate.astimezone(self._zone), time.min, self._zone)
        given = {"Bizdate": day.strftime("%Y-%m-%dT%H:%M:%S%z")}
        found = await self._client.every("ListBaselineStatuses", BaselineStatus, given, size=PAGE, most=BASELINES)
        names = await self._catalogue.names([start.project_id])
        promises = [
            Baseline(one.baseline_name, one.sla_time, one.end_cast, _owner(names, start.project_id, one.owner))
            for one in found
            if one.baseline_id in concerned and one.sla_time and letters(one.finish_status) != FINISHED
        ]
        return tuple(sorted(promises, key=lambda promise: promise.promised_at))

    async def _operations(self, task_id: str, day: int) -> tuple[Operation, ...]:
        given = {"Id": int(task_id), "Date": day, "ProjectEnv": PRODUCTION}
        return (await self._client.page("ListTaskOperationLogs", Operation, given, number=1, size=PAGE)).items

    def _ref(self, one: Operation, task: str) -> str:
        return f"{self._client.system}:{one.task_instance_id}" if one.task_instance_id else task


def _owner(names: Names, project: str, accounts: str) -> str:
    """The first of the accounts, which DataWorks separates by commas."""
    return names.person(project, accounts.partition(",")[0])
