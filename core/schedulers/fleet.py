"""Several schedulers asked at once, so that one that is slow or down costs its own part of the answer and no more.

Each call has a deadline of its own. Whoever fails or is late becomes an `Outage`, with the time of its last answer in
this process; the others' parts are merged. Calls about one thing (`one`, `instance`) raise instead: there is no other
part to show.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

from core.errors import NotFound, RemoteError, Unreachable
from core.schedulers.base import DataTable, Instance, InstanceQuery, Operation, Page, Scheduler, Status, Task
from core.schedulers.grounds import Outage, lacks
from core.schedulers.search import rank

T = TypeVar("T")
PAGE = 1000
"""Largest `InstanceQuery.limit`."""
DAWN = datetime.min.replace(tzinfo=UTC)


class Fleet:
    """All configured schedulers.

    Args:
        schedulers: at least one; the first one's zone decides when a day begins.
        timeout: seconds one scheduler has for one call.
        clock: the present moment, with zone.
    """

    def __init__(
        self,
        schedulers: Sequence[Scheduler],
        *,
        timeout: float = 15.0,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._schedulers = {scheduler.name: scheduler for scheduler in schedulers}
        self._timeout = timeout
        self._clock = clock
        self._last_answer: dict[str, datetime] = {}

    @property
    def schedulers(self) -> tuple[Scheduler, ...]:
        """In the order of the settings."""
        return tuple(self._schedulers.values())

    @property
    def names(self) -> tuple[str, ...]:
        """Configured names, in the order of the settings."""
        return tuple(self._schedulers)

    @property
    def operations(self) -> Mapping[str, frozenset[Operation]]:
        """What each can do, by name."""
        return {scheduler.name: scheduler.operations for scheduler in self.schedulers}

    @property
    def zone(self) -> ZoneInfo:
        """Zone in which "today" is meant."""
        return self.schedulers[0].zone

    def scheduler(self, ref: str) -> tuple[Scheduler, str]:
        """Who knows a reference, and the id by which: `demo:abc` is `abc` of `demo`.

        Raises:
            NotFound: the part before the first colon names no scheduler.
        """
        name, _, identity = ref.partition(":")
        if name not in self._schedulers or not identity:
            raise NotFound(f"{ref} names no scheduler", kind="instance", name=ref)
        return self._schedulers[name], identity

    def outage(self, name: str, error: RemoteError) -> Outage:
        """That a scheduler failed, with when it last answered."""
        return Outage(name, error.text, self._last_answer.get(name))

    async def one(self, ref: str, call: Callable[[Scheduler, str], Awaitable[T]]) -> T:
        """Ask the scheduler of a reference about it.

        Raises:
            NotFound: no such scheduler, or the scheduler knows no such id.
            RemoteError: the scheduler failed, or was late (`Unreachable`).
        """
        scheduler, identity = self.scheduler(ref)
        return await self._in_time(scheduler, call(scheduler, identity))

    async def each(self, call: Callable[[Scheduler], Awaitable[T]]) -> tuple[tuple[T, ...], tuple[Outage, ...]]:
        """Ask all at once.

        Returns:
            The answers in the order of the settings, and an `Outage` for each that gave none.
        """
        return await self._gathered(self._attempt(scheduler, call(scheduler)) for scheduler in self.schedulers)

    async def instance(self, ref: str) -> Instance:
        """One instance as it is now. Raises as `one` does."""
        return await self.one(ref, lambda scheduler, identity: scheduler.instance(identity))

    async def instances(self, query: InstanceQuery) -> tuple[tuple[Instance, ...], int, tuple[Outage, ...]]:
        """A page of all instances that match, the most recently due first; how many match; who did not answer.

        A project in the query may be written `scheduler:project`; then only that scheduler is asked about it.
        """
        reach = replace(query, offset=0, limit=min(query.offset + query.limit, PAGE))
        pages, outages = await self._about(reach, lambda scheduler, own: scheduler.instances(own))
        merged = newest_first(item for page in pages for item in page.items)
        return merged[query.offset : query.offset + query.limit], sum(page.total for page in pages), outages

    async def every(self, query: InstanceQuery, *, most: int = 5000) -> tuple[tuple[Instance, ...], tuple[Outage, ...]]:
        """All instances that match, page by page, at most `most` of each scheduler."""
        parts, outages = await self._about(query, lambda scheduler, own: _every(scheduler, own, most))
        return newest_first(item for part in parts for item in part), outages

    async def counts(self, query: InstanceQuery) -> tuple[Mapping[Status, int], tuple[Outage, ...]]:
        """How many instances match, by status, over all schedulers."""
        parts, outages = await self._about(query, lambda scheduler, own: scheduler.counts(own))
        total: Counter[Status] = Counter()
        for part in parts:
            total.update(part)
        return total, outages

    async def tasks(self, text: str, *, limit: int = 10) -> tuple[tuple[Task, ...], tuple[Outage, ...]]:
        """Tasks whose name or id is or resembles the text, best first; exact names come alone."""
        parts, outages = await self.each(lambda scheduler: scheduler.tasks(text, limit=limit))
        found = (task for part in parts for task in part)
        return rank(text, found, lambda task: (task.name, task.id), limit=limit), outages

    async def tables(self, text: str, *, limit: int = 10) -> tuple[tuple[DataTable, ...], tuple[Outage, ...]]:
        """Tables whose name is or resembles the text, best first; exact names come alone."""
        parts, outages = await self.each(lambda scheduler: scheduler.tables(text, limit=limit))
        found = (table for part in parts for table in part)
        return rank(text, found, lambda table: (table.name,), limit=limit), outages

    async def projects(self) -> tuple[tuple[str, ...], tuple[Outage, ...]]:
        """Names of all projects, sorted."""
        parts, outages = await self.each(lambda scheduler: scheduler.projects())
        return tuple(sorted({name for part in parts for name in part})), outages

    async def close(self) -> None:
        """Close all schedulers."""
        await asyncio.gather(*(scheduler.close() for scheduler in self.schedulers))

    async def _about(
        self, query: InstanceQuery, call: Callable[[Scheduler, InstanceQuery], Awaitable[T]]
    ) -> tuple[tuple[T, ...], tuple[Outage, ...]]:
        """Ask all that a query is about, each with its own names of the projects."""
        own = [(scheduler, self._own_projects(scheduler, query.projects)) for scheduler in self.schedulers]
        return await self._gathered(
            self._attempt(scheduler, call(scheduler, replace(query, projects=projects)))
            for scheduler, projects in own
            if projects or not query.projects
        )

    def _own_projects(self, scheduler: Scheduler, projects: frozenset[str]) -> frozenset[str]:
        named = (name.partition(":") for name in projects)
        return frozenset(
            project if prefix == scheduler.name else prefix + colon + project
            for prefix, colon, project in named
            if prefix == scheduler.name or prefix not in self._schedulers or not colon
        )

    async def _gathered(
        self, attempts: Iterable[Awaitable[tuple[T] | Outage]]
    ) -> tuple[tuple[T, ...], tuple[Outage, ...]]:
        outcomes = await asyncio.gather(*attempts)
        answers = tuple(outcome[0] for outcome in outcomes if not isinstance(outcome, Outage))
        return answers, tuple(outcome for outcome in outcomes if isinstance(outcome, Outage))

    async def _attempt(self, scheduler: Scheduler, answer: Awaitable[T]) -> tuple[T] | Outage:
        try:
            return (await self._in_time(scheduler, answer),)
        except RemoteError as error:
            outage = self.outage(scheduler.name, error)
            lacks(outage)
            return outage

    async def _in_time(self, scheduler: Scheduler, answer: Awaitable[T]) -> T:
        try:
            async with asyncio.timeout(self._timeout):
                found = await answer
        except TimeoutError as error:
            message = f"{scheduler.name}: no answer in {self._timeout:g} s"
            raise Unreachable(message, system=scheduler.name, code="timeout") from error
        self._last_answer[scheduler.name] = self._clock()
        return found


def newest_first(instances: Iterable[Instance]) -> tuple[Instance, ...]:
    """Instances by due time, the most recent first; those without one last, and ties by reference."""
    by_name = sorted(instances, key=lambda instance: instance.ref)
    return tuple(sorted(by_name, key=lambda instance: instance.scheduled_at or DAWN, reverse=True))


async def _every(scheduler: Scheduler, query: InstanceQuery, most: int) -> list[Instance]:
    found: list[Instance] = []
    total = 1
    while len(found) < min(total, most):
        page: Page[Instance] = await scheduler.instances(replace(query, offset=len(found), limit=PAGE))
        if not page.items:
            break
        found.extend(page.items)
        total = page.total
    return found
