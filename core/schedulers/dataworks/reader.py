"""Reading instances: one, those of a day, those of a task.

A day is the one on which an instance is due; DataWorks asks for the day before it, the bizdate.

`ListTaskInstances` lists one workspace and one day, selected by one status and one kind of run, 500 at a time. So a question
about a day costs a call for each combination it names. How many there are in each status is one call a workspace, unless
some are in a status that call does not know (a quality check, a wait for a trigger): then the day is read whole.

A question without a day is answered by `ListInstances` of 2020-05-18, which takes a span of days, from the newest `RECENT`
instances of a workspace.

Pages are remembered for `LIST_SECONDS`, so that a group looking at one card does not spend the quota; `Page.as_of` tells
when DataWorks was asked.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import product
from typing import Final
from zoneinfo import ZoneInfo

from core.errors import BadInput, NotFound
from core.schedulers.base import Instance, InstanceQuery, Page, RunType, Status
from core.schedulers.dataworks.catalogue import PRODUCTION, Catalogue
from core.schedulers.dataworks.client import Client, Parameters, collect
from core.schedulers.dataworks.model import (
    FILTERS,
    RUN_FILTERS,
    UNSELECTABLE,
    business_day,
    instance,
    is_number,
    milliseconds,
    number,
)
from core.schedulers.dataworks.wire import OneInstance, Paged, PastInstance, Statistic, TaskInstance
from core.schedulers.memory import Memory

LIST_SECONDS: Final = 15.0
PAGE: Final = 500
"""Largest page of `ListTaskInstances`."""
PAST_PAGE: Final = 100
"""Largest page of `ListInstances`."""
RECENT: Final = 1000
LOOKBACK: Final = timedelta(days=31)
"""Older instances are gone from DataWorks."""
MOST: Final = 20_000
"""Most instances read for one question: forty pages."""
DAY_FORMAT: Final = "%Y-%m-%d 00:00:00"
ALL_RUNS: Final = frozenset(RunType)
SCHEDULED: Final = frozenset({RunType.NORMAL})
PAST_PRODUCTION: Final = "PROD"

Key = tuple[tuple[str, object], ...]
"""Parameters of a call, so that pages can be remembered by them."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """A page, and when it was asked for."""

    page: Paged[TaskInstance]
    at: datetime


@dataclass(frozen=True, slots=True)
class _Plan:
    """Which lists answer a question. `exact` when DataWorks selects all by itself, so that its totals count."""

    lists: tuple[Key, ...]
    exact: bool


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
        self._pages: Memory[Key, _Seen] = Memory(self._fetch_page, seconds=LIST_SECONDS, of=client.system)
        self._statistics: Memory[tuple[str, date], Counter[Status]] = Memory(
            self._fetch_statistic, seconds=LIST_SECONDS, of=client.system
        )

    async def raw(self, instance_id: str) -> TaskInstance:
        """One instance in DataWorks' words. Raises `NotFound`, also of one in a workspace that is not looked at."""
        given = {"Id": number(instance_id, "instance")}
        found = await self._client.get("GetTaskInstance", OneInstance, given, what="instance", name=instance_id)
        one = found.task_instance
        if one is None or one.project_id not in await self._catalogue.projects():
            raise NotFound(f"{self._client.system}: no instance {instance_id}", kind="instance", name=instance_id)
        return one

    async def one(self, instance_id: str) -> Instance:
        """One instance as it is now. Raises `NotFound`."""
        return (await self.known([await self.raw(instance_id)]))[0]

    async def known(self, raw: Sequence[TaskInstance]) -> tuple[Instance, ...]:
        """DataWorks' words in ours; in a thread, since ten thousand take a while."""
        names = await self._catalogue.names(one.project_id for one in raw)
        return await asyncio.to_thread(lambda: tuple(instance(one, names.task(one), self._zone) for one in raw))

    async def page(self, query: InstanceQuery) -> Page[Instance]:
        """Instances that match, the most recently due first."""
        if query.day is None:
            found = await self._recent(query)
            return Page(found[query.offset : query.offset + query.limit], len(found), self._clock())
        plan = await self._plan(query, query.day)
        reach = query.offset + query.limit if plan.exact else MOST
        seen = await asyncio.gather(*(self._first(one, reach) for one in plan.lists))
        known = await self.known([raw for part in seen for raw in part.page.items])
        fitting = sorted((one for one in known if query.fits(one)), key=_newest_first)
        total = sum(part.page.total for part in seen) if plan.exact else len(fitting)
        as_of = min((part.at for part in seen), default=self._clock())
        return Page(tuple(fitting[query.offset : query.offset + query.limit]), total, as_of)

    async def counts(self, query: InstanceQuery) -> Mapping[Status, int]:
        """How many match, by status.

        Raises:
            BadInput: more than `MOST` would have to be read.
        """
        if query.day and query.run_types == SCHEDULED and not (query.owner or query.task or query.name):
            projects = await self._catalogue.among(query.projects)
            days = await asyncio.gather(*(self._statistics.get((project, query.day)) for project in projects))
            total = sum(days, Counter[Status]())
            if not total[Status.UNKNOWN]:
                return {found: n for found, n in total.items() if n and found in (query.statuses or total)}
        return Counter(one.status for one in (await self.page(replace(query, offset=0, limit=MOST))).items)

    async def history(self, task_id: str, limit: int) -> tuple[Instance, ...]:
        """Scheduled instances of a task, newest first: one call. They lack what 2020-05-18 does not tell (`PastInstance`)."""
        task, raw = await asyncio.gather(self._catalogue.task(task_id), self._past_of(task_id))
        known = (instance(one, task, self._zone) for one in raw)
        scheduled = (one for one in known if one.run_type is RunType.NORMAL)
        return tuple(sorted(scheduled, key=_newest_first)[:limit])

    async def running_in(self, resource_group: str, project_id: str, due: datetime, limit: int) -> tuple[Instance, ...]:
        """Instances of a workspace that hold a resource group now, of those due on the same day."""
        day = dict(self._day(project_id, due.astimezone(self._zone).date()))
        held = {"Status": FILTERS[Status.RUNNING], "RuntimeResource": resource_group}
        page = await self._client.page("ListTaskInstances", TaskInstance, day | held, number=1, size=limit)
        return await self.known(page.items)

    def forget(self) -> None:
        """After something was changed."""
        self._pages.forget()
        self._statistics.forget()

    async def close(self) -> None:
        """Stop what is being fetched."""
        await asyncio.gather(self._pages.close(), self._statistics.close())

    async def _plan(self, query: InstanceQuery, day: date) -> _Plan:
        lists: list[Key] = []
        exact = not query.name
        kinds = [word for word, run_type in RUN_FILTERS.items() if run_type in query.run_types]
        for project in await self._catalogue.among(query.projects):
            words = await self._status_words(project, query, day)
            exact = exact and (None not in words or not query.statuses)
            for given in await self._names(project, query):
                for word, kind in product(words, [None] if query.run_types >= ALL_RUNS else kinds):
                    chosen = (*given.items(), ("Status", word), ("WorkflowInstanceType", kind))
                    lists.append((*self._day(project, day), *((name, value) for name, value in chosen if value)))
        return _Plan(tuple(lists), exact)

    def _day(self, project: str, day: date) -> Key:
        bizdate = milliseconds(business_day(day), self._zone)
        return (
            ("ProjectId", int(project)),
            ("Bizdate", bizdate),
            ("ProjectEnv", PRODUCTION),
            ("SortBy", "TriggerTime Desc"),
        )

    async def _names(self, project: str, query: InstanceQuery) -> tuple[Parameters, ...]:
        """Parameters that select by task, by name and by each account that has the owner's name; none when nobody has."""
        if query.task and not is_number(query.task):
            return ()
        given = {"TaskId": int(query.task) if query.task else None, "TaskName": query.name or None}
        if not query.owner:
            return (given,)
        return tuple({**given, "Owner": account} for account in await self._catalogue.accounts(project, query.owner))

    async def _status_words(self, project: str, query: InstanceQuery, day: date) -> tuple[str | None, ...]:
        """Words to select by; None, which is all, where words do not suffice and there is something to miss."""
        if not query.statuses:
            return (None,)
        others = query.statuses & UNSELECTABLE
        if others and (query.run_types != SCHEDULED or (await self._statistics.get((project, day)))[Status.UNKNOWN]):
            return (None,)
        return tuple(word for found, word in FILTERS.items() if found in query.statuses)

    async def _first(self, one: Key, reach: int) -> _Seen:
        """The first `reach` instances of a list, and the total of all. Raises `BadInput` where all are too many."""
        total = (await self._pages.get((*one, ("PageNumber", 1)))).page.total
        if reach >= MOST < total:
            raise BadInput(f"{total} instances of {self._client.system}: ask for one status, or for fewer tasks")
        moments: list[datetime] = []

        async def page(number: int) -> Paged[TaskInstance]:
            seen = await self._pages.get((*one, ("PageNumber", number)))
            moments.append(seen.at)
            return seen.page

        whole = await collect(page, PAGE, reach)
        return _Seen(whole, min(moments))

    async def _fetch_page(self, key: Key) -> _Seen:
        at, parameters = self._clock(), dict(key)
        number = int(str(parameters.pop("PageNumber")))
        page = await self._client.page("ListTaskInstances", TaskInstance, parameters, number=number, size=PAGE)
        return _Seen(page, at)

    async def _fetch_statistic(self, key: tuple[str, date]) -> Counter[Status]:
        project, day = key
        given = {
            "ProjectId": int(project),
            "ProjectEnv": PAST_PRODUCTION,
            "BizDate": business_day(day).isoformat(),
            "DagType": "DAILY",
        }
        count = (await self._client.get("GetInstanceStatusStatistic", Statistic, given)).status_count
        known = Counter(
            {
                Status.NOT_RUN: count.not_run_count,
                Status.WAIT_TIME: count.wait_time_count,
                Status.WAIT_RESOURCE: count.wait_res_count,
                Status.RUNNING: count.running_count,
                Status.SUCCESS: count.success_count,
                Status.FAILED: count.failure_count,
            }
        )
        return known + Counter({Status.UNKNOWN: count.total_count - known.total()})

    async def _recent(self, query: InstanceQuery) -> tuple[Instance, ...]:
        """The newest of the last days, whatever day they are of."""
        if query.task:
            raw = await self._past_of(query.task) if is_number(query.task) else ()
        else:
            projects = await self._catalogue.among(query.projects)
            asked = [(project, given) for project in projects for given in await self._names(project, query)]
            parts = await asyncio.gather(*(self._past(project, given, RECENT) for project, given in asked))
            raw = tuple(one for part in parts for one in part)
        known = await self.known(raw)
        return tuple(sorted((one for one in known if query.fits(one)), key=_newest_first))

    async def _past_of(self, task_id: str) -> tuple[TaskInstance, ...]:
        try:
            definition = await self._catalogue.definition(task_id)
        except NotFound:
            return ()
        given = {"TaskId": int(task_id), "Owner": definition.owner}
        return await self._past(definition.project_id, given, PAST_PAGE)

    async def _past(self, project: str, given: Parameters, most: int) -> tuple[TaskInstance, ...]:
        """Instances by `ListInstances`, with what it leaves out although it was asked by it."""
        today = self._clock().astimezone(self._zone).date()
        parameters = {
            "ProjectId": number(project, "project"),
            "ProjectEnv": PAST_PRODUCTION,
            "NodeId": given.get("TaskId"),
            "NodeName": given.get("TaskName"),
            "Owner": given.get("Owner"),
            "BeginBizdate": format(today - LOOKBACK, DAY_FORMAT),
            "EndBizdate": format(today, DAY_FORMAT),
        }
        found = await self._client.every("ListInstances", PastInstance, parameters, size=PAST_PAGE, most=most)
        told = {"project_id": project, "owner": str(given.get("Owner") or "")}
        return tuple(one.model_copy(update=told) for one in found)


def _newest_first(one: Instance) -> float:
    """Key by which the most recently due come first; what is due together stays as DataWorks ordered it, so pages add up."""
    return -one.scheduled_at.timestamp() if one.scheduled_at else 0.0
