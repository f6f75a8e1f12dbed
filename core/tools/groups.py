"""Groups of instances that people ask about: all I may operate, mine, a project's; and what of them failed.

A group is a few queries whose answers are put together: one for all, one for each name under which a person owns tasks.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal

from core.access import Person
from core.errors import Ambiguous, NotFound
from core.results import Tally
from core.schedulers.base import FAILED, Instance, InstanceQuery, Status
from core.schedulers.fleet import Fleet, newest_first
from core.schedulers.grounds import Outage
from core.tools.find import Finder

Kind = Literal["failed", "repeated", "running", "waiting", "project", "mine", "search", "all"]
FAILURES = frozenset({"failed", "repeated"})
STATUSES: Mapping[str, frozenset[Status]] = {
    "failed": FAILED,
    "repeated": FAILED,
    "running": frozenset({Status.RUNNING, Status.CHECKING}),
    "waiting": frozenset(status for status in Status if status.startswith("wait_")) | {Status.NOT_RUN},
}
"""Which statuses a kind of list holds; any when it is not here."""

Queries = tuple[InstanceQuery, ...]
Found = tuple[tuple[Instance, ...], tuple[Outage, ...]]


@dataclass(frozen=True, slots=True)
class Group:
    """What a question is about. `subject` is its name as resolved: the project's full name, and so on."""

    queries: Queries
    subject: str = ""


class Groups:
    """Makes groups, counts and lists them.

    Args:
        fleet: who is asked.
        find: resolves the names of projects.
    """

    def __init__(self, fleet: Fleet, find: Finder) -> None:
        self._fleet = fleet
        self._find = find

    def operable(self, person: Person) -> Queries:
        """All that a person may operate. A viewer operates nothing, and is shown everything there is."""
        if person.role == "viewer" or "*" in person.projects:
            return (InstanceQuery(),)
        return (InstanceQuery(projects=person.projects),) if person.projects else ()

    def owned(self, person: Person) -> Queries:
        """All that schedulers list a person as an owner of."""
        return tuple(InstanceQuery(owner=owner) for owner in sorted(person.owners))

    async def meant(self, person: Person, kind: Kind, subject: str) -> Group:
        """The group that a kind of list and its subject name.

        Raises:
            NotFound, Ambiguous: of a project, when it was asked for as one.
            NotFound: no project, owner or task bears the name. An empty list would say that nothing of it failed.
        """
        if kind == "mine" or subject == "mine":
            return Group(self.owned(person), person.name)
        if not subject:
            return Group(self.operable(person))
        if kind == "search":
            return Group((InstanceQuery(name=subject),), subject)
        try:
            project = await self._find.project(subject)
        except (NotFound, Ambiguous):
            if kind == "project":
                raise
            return Group((await self._owner_or_name(subject),), subject)
        return Group((InstanceQuery(projects=frozenset({project})),), project)

    async def _owner_or_name(self, subject: str) -> InstanceQuery:
        as_owner, named = InstanceQuery(owner=subject), InstanceQuery(name=subject)
        if any((await self._fleet.counts(as_owner))[0].values()):
            return as_owner
        counts, outages = await self._fleet.counts(named)
        if not any(counts.values()) and not outages:
            raise NotFound(f"nothing is called {subject}", kind="group", name=subject)
        return named

    async def listed(
        self, kind: Kind, queries: Queries, day: date, page: slice
    ) -> tuple[tuple[Instance, ...], int, tuple[Outage, ...]]:
        """A page of the group's instances of this kind; how many there are; who did not answer."""
        if kind not in FAILURES and len(queries) == 1:
            asked = replace(queries[0], day=day, statuses=STATUSES.get(kind, frozenset()))
            return await self._fleet.instances(replace(asked, offset=page.start, limit=page.stop - page.start))
        found, outages = await self._of_kind(kind, queries, day)
        return found[page], len(found), outages

    async def tally(self, queries: Queries, day: date) -> tuple[Tally, tuple[Outage, ...]]:
        """Counts of the group on a day. Frozen instances reported as failed are counted as not run."""
        dated = [replace(query, day=day) for query in queries]
        counted, (reported, outages), (before, _) = await asyncio.gather(
            asyncio.gather(*(self._fleet.counts(query) for query in dated)),
            self._every(queries, day, FAILED),
            self._every(queries, day - timedelta(days=1), FAILED),
        )
        counts: Counter[Status] = Counter()
        for part, _ in counted:
            counts.update(part)
        for frozen in (one for one in reported if one.flags.frozen):
            counts.update({frozen.status: -1, Status.NOT_RUN: 1})
        failed = _broken(reported)
        return Tally(+counts, len(failed), len(_tasks(failed) & _tasks(_broken(before)))), outages

    async def _of_kind(self, kind: Kind, queries: Queries, day: date) -> Found:
        found, outages = await self._every(queries, day, STATUSES.get(kind, frozenset()))
        if kind not in FAILURES:
            return found, outages
        failed = _broken(found)
        if kind == "failed":
            return failed, outages
        before, _ = await self._every(queries, day - timedelta(days=1), FAILED)
        again = _tasks(_broken(before))
        return tuple(one for one in _latest(failed) if one.task.ref in again), outages

    async def _every(self, queries: Sequence[InstanceQuery], day: date, statuses: frozenset[Status]) -> Found:
        """All instances of the group, each once, however many of its queries match it."""
        asked = (self._fleet.every(replace(query, day=day, statuses=statuses)) for query in queries)
        answers = await asyncio.gather(*asked)
        found = {instance.ref: instance for instances, _ in answers for instance in instances}
        missing = {outage.scheduler: outage for _, outages in answers for outage in outages}
        return newest_first(found.values()), tuple(missing.values())


def _broken(instances: Iterable[Instance]) -> tuple[Instance, ...]:
    return tuple(one for one in instances if one.status.failed and not one.flags.frozen)


def _tasks(instances: Iterable[Instance]) -> frozenset[str]:
    return frozenset(one.task.ref for one in instances)


def _latest(instances: Sequence[Instance]) -> tuple[Instance, ...]:
    """Of each task the first, which is the most recently due."""
    return tuple({one.task.ref: one for one in reversed(instances)}.values())[::-1]
