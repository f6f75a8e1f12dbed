"""Reading instances: one, those of a day, those of a task.

A day is the one on which an instance is due; Dataphin asks for the day before it, the business date. `ListInstances` lists one
project and one kind of run, selected by any number of statuses, `PAGE` at a time and in an order of its own. So whatever is
to come newest first is read up to a bound and sorted here. Dataphin counts nothing, but each list tells its total: a project
of many instances is counted by asking for one instance of each status.

How often an instance ran is told by its log alone, so only an instance asked for by itself says so (`one`).

Lists are remembered for `LIST_SECONDS`, so that a group looking at one card makes no calls; `Page.as_of` tells when Dataphin
was asked. An instance by itself is always asked for anew.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from core.errors import BadInput, NotFound
from core.schedulers.base import Instance, InstanceQuery, Page, Status
from core.schedulers.dataphin.catalogue import Catalogue
from core.schedulers.dataphin.client import Client
from core.schedulers.dataphin.model import (
    FILTERS,
    NODE_ID,
    RUN_TYPES,
    UNSELECTABLE,
    business_day,
    instance,
    node_of,
    span,
    status,
    task,
    with_runs,
)
from core.schedulers.dataphin.wire import NodeInstance, OneInstance, Paged, TaskRun, TaskRuns
from core.schedulers.memory import Memory

LIST_SECONDS: Final = 15.0
ENOUGH: Final = 1000
"""Most instances read of one list whose total Dataphin tells. A project with no more is counted by reading it."""
MOST: Final = 5000
"""Most instances read of one list that we have to select from ourselves: fifty pages."""
LOOKBACK: Final = timedelta(days=31)
RECENT: Final = timedelta(days=1)
"""How far back a question without a day goes for one task, and for many."""

Key = tuple[tuple[str, object], ...]
"""A list: what selects it. Lists of words are tuples here, so that an answer can be remembered by its key."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """A list, and when it was asked for."""

    page: Paged[NodeInstance]
    at: datetime


@dataclass(frozen=True, slots=True)
class Found:
    """One instance in Dataphin's words, and its project."""

    raw: NodeInstance
    project: str


class Reader:
    """Asks for instances and gives them in our model.

    Args:
        client: the connection.
        catalogue: for names.
        zone: in which days begin.
        clock: the present moment, with zone.
    """

    def __init__(self, client: Client, catalogue: Catalogue, *, zone: ZoneInfo, clock: Callable[[], datetime]) -> None:
        self._client = client
        self._catalogue = catalogue
        self._zone = zone
        self._clock = clock
        self._lists: Memory[tuple[Key, int], _Seen] = Memory(self._fetch_list, seconds=LIST_SECONDS, of=client.system)
        self._totals: Memory[Key, int] = Memory(self._fetch_total, seconds=LIST_SECONDS, of=client.system)

    async def project(self, instance_id: str) -> str:
        """Id of the project of an instance. Raises `NotFound`, also of one in a project that is not looked at."""
        try:
            return (await self._catalogue.node(node_of(instance_id))).project.id
        except NotFound as error:
            raise NotFound(str(error), kind="instance", name=instance_id[:80]) from error

    async def raw(self, instance_id: str) -> Found:
        """One instance in Dataphin's words, as it is now. Raises `NotFound`."""
        project = await self.project(instance_id)
        given = {"ProjectId": int(project), "InstanceId": instance_id}
        found = await self._client.get("GetPhysicalInstance", OneInstance, given, what="instance", name=instance_id)
        if found.instance is None:
            raise NotFound(f"{self._client.system}: no instance {instance_id}", kind="instance", name=instance_id)
        return Found(found.instance, project)

    async def known(self, found: Found) -> Instance:
        """Dataphin's words in ours, but for how often it ran."""
        return self._known([found.raw], (await self._catalogue.projects())[found.project])[0]

    async def one(self, instance_id: str) -> Instance:
        """One instance as it is now. Raises `NotFound`."""
        return (await self.with_log(instance_id))[0]

    async def with_log(self, instance_id: str) -> tuple[Instance, tuple[TaskRun, ...]]:
        """One instance as it is now, and its runs with their logs, the latest last. Raises `NotFound`."""
        found = await self.raw(instance_id)
        known = await self.known(found)
        if found.raw.started is None:
            return known, ()
        given = {"ProjectId": int(found.project), "InstanceId": instance_id}
        runs = (await self._client.get("GetPhysicalInstanceLog", TaskRuns, given)).runs
        return with_runs(known, runs), runs

    async def page(self, query: InstanceQuery) -> Page[Instance]:
        """Instances that match, the most recently due first.

        Raises:
            BadInput: more than `MOST` would have to be read.
        """
        exact = not query.name and not query.statuses & UNSELECTABLE
        words = tuple(word for word, meaning in FILTERS.items() if meaning in query.statuses)
        keys = await self._keys(query)
        if query.statuses and not query.statuses & UNSELECTABLE:
            keys = tuple((*key, ("RunStatusList", words)) for key in keys if words)
        if not exact:
            await self._refuse_too_many(keys)
        most = max(ENOUGH, query.offset + query.limit) if exact else MOST
        seen = await asyncio.gather(*(self._lists.get((key, most)) for key in keys))
        fitting = await self._fitting(query, keys, seen)
        total = sum(one.page.total for one in seen) if exact else len(fitting)
        as_of = min((one.at for one in seen), default=self._clock())
        return Page(fitting[query.offset : query.offset + query.limit], total, as_of)

    async def counts(self, query: InstanceQuery) -> Mapping[Status, int]:
        """How many match, by status. What no status selects, in a project too large to read, is counted as unknown."""
        if query.name:
            return Counter(one.status for one in (await self.page(replace(query, offset=0, limit=MOST))).items)
        tallies = await asyncio.gather(*(self._tally(key) for key in await self._keys(query)))
        total = sum(tallies, Counter[Status]())
        return {found: n for found, n in total.items() if n and found in (query.statuses or total)}

    async def history(self, task_id: str, limit: int) -> tuple[Instance, ...]:
        """Scheduled instances of a task, newest first. They do not say how often they ran."""
        await self._catalogue.node(task_id)
        return (await self.page(InstanceQuery(task=task_id, limit=limit))).items

    async def running_in(self, resource_group: str, project: str, due: datetime, limit: int) -> tuple[str, ...]:
        """References of instances of a project that hold a resource group now, of those due on the same day."""
        day = business_day(due.astimezone(self._zone).date())
        key = (("ProjectId", int(project)), ("ScheduleType", "NORMAL"), *span(day, day).items())
        seen = await self._lists.get(((*key, ("RunStatusList", ("RUNNING",))), ENOUGH))
        holders = (one for one in seen.page.items if resource_group in one.node.resource_group_list)
        return tuple(f"{self._client.system}:{one.id}" for one in holders)[:limit]

    def forget(self) -> None:
        """After something was changed."""
        self._lists.forget()
        self._totals.forget()

    async def close(self) -> None:
        """Stop what is being fetched."""
        await asyncio.gather(self._lists.close(), self._totals.close())

    def _known(self, raw: list[NodeInstance], project: str) -> tuple[Instance, ...]:
        return tuple(instance(one, task(self._client.system, one.node, project)) for one in raw)

    async def _fitting(self, query: InstanceQuery, keys: tuple[Key, ...], seen: list[_Seen]) -> tuple[Instance, ...]:
        """What of the lists fits, sorted; in a thread, since ten thousand take a while."""
        projects = await self._catalogue.projects()
        parts = [
            (list(one.page.items), projects[str(dict(key)["ProjectId"])]) for key, one in zip(keys, seen, strict=True)
        ]

        def work() -> tuple[Instance, ...]:
            known = (one for raw, project in parts for one in self._known(raw, project))
            return tuple(sorted((one for one in known if query.fits(one)), key=_newest_first))

        return await asyncio.to_thread(work)

    async def _refuse_too_many(self, keys: tuple[Key, ...]) -> None:
        totals = await asyncio.gather(*(self._totals.get(key) for key in keys))
        if any(total > MOST for total in totals):
            raise BadInput(f"too many instances of {self._client.system}: ask for one status, or for fewer tasks")

    async def _keys(self, query: InstanceQuery) -> tuple[Key, ...]:
        """The lists that hold what matches, whatever its status."""
        projects = await self._catalogue.among(query.projects)
        chosen: dict[str, object] = {"SearchText": query.name} if query.name else {}
        if query.task:
            home = await self._home(query.task)
            projects = tuple(project for project in projects if project == home)
            chosen["NodeId"] = query.task
        kinds = [word for word, run_type in RUN_TYPES.items() if run_type in query.run_types]
        keys: list[Key] = []
        for project in projects:
            owners = await self._catalogue.accounts(project, query.owner) if query.owner else ()
            if query.owner and not owners:
                continue
            own: dict[str, object] = {"OwnerList": owners} if owners else {}
            given = {"ProjectId": int(project), **self._days(query), **chosen, **own}
            keys += [(*given.items(), ("ScheduleType", kind)) for kind in kinds]
        return tuple(keys)

    def _days(self, query: InstanceQuery) -> Mapping[str, str]:
        if query.day:
            return span(business_day(query.day), business_day(query.day))
        today = self._clock().astimezone(self._zone).date()
        return span(business_day(today) - (LOOKBACK if query.task else RECENT), today)

    async def _home(self, task_id: str) -> str:
        """The project of a task; empty when there is no such task."""
        if not NODE_ID.fullmatch(task_id):
            return ""
        try:
            return (await self._catalogue.node(task_id)).project.id
        except NotFound:
            return ""

    async def _tally(self, key: Key) -> Counter[Status]:
        total = await self._totals.get(key)
        if total <= ENOUGH:
            return Counter(status(one.status_list) for one in (await self._lists.get((key, ENOUGH))).page.items)
        each = await asyncio.gather(*(self._totals.get((*key, ("RunStatusList", (word,)))) for word in FILTERS))
        tally = Counter[Status]()
        for meaning, number in zip(FILTERS.values(), each, strict=True):
            tally[meaning] += number
        return tally + Counter({Status.UNKNOWN: total - tally.total()})

    async def _fetch_list(self, asked: tuple[Key, int]) -> _Seen:
        (key, most), at = asked, self._clock()
        page = await self._client.every("ListInstances", NodeInstance, _parameters(key), most)
        told = {"run_type": dict(key)["ScheduleType"]}
        return _Seen(page.model_copy(update={"items": tuple(one.model_copy(update=told) for one in page.items)}), at)

    async def _fetch_total(self, key: Key) -> int:
        return (await self._client.page("ListInstances", NodeInstance, _parameters(key), size=1)).total


def _parameters(key: Key) -> dict[str, object]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in key}  # pyright: ignore[reportUnknownArgumentType]


def _newest_first(one: Instance) -> tuple[float, str]:
    """Key by which the most recently due come first, and what is due together always comes in the same order."""
    return (-one.scheduled_at.timestamp() if one.scheduled_at else 0.0, one.id)
