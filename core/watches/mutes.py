"""Whether alerts about something are muted, and what a mute would have hidden. Answers to questions are never muted."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import cast

from core.access import Access, Person, Role
from core.errors import Denied
from core.schedulers.base import FAILED, DataTable, Instance, InstanceQuery, Task
from core.schedulers.fleet import Fleet, newest_first
from core.settings import WatchSettings
from core.tools.evidence import Lookup
from core.watches.model import MutePreview, Watch
from core.watches.register import Watches

LOOKED_BACK = 7
"""Days of which a preview tells."""
LISTED = 1000
PRODUCERS = 3


class Mutes:
    """Asked by whoever pushes something.

    Args:
        watches: where mutes are.
        fleet: asked for what a mute would have hidden.
        access: who may mute what.
        settings: how long.
        clock: the present, with zone.
    """

    def __init__(
        self,
        watches: Watches,
        fleet: Fleet,
        access: Access,
        settings: WatchSettings,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._watches = watches
        self._fleet = fleet
        self._access = access
        self._clock = clock
        self._longest: Mapping[str, float] = {
            "operator": settings.mute_hours_operator,
            "ops_admin": settings.mute_hours_ops_admin,
            "admin": settings.mute_hours_admin,
        }

    async def muted(
        self, scheduler: str, projects: Collection[str], task: str = "", tables: Collection[str] = ()
    ) -> Watch | None:
        """The mute that hides alerts about something now; of several the one that holds longest.

        Args:
            scheduler: name of the connection.
            projects: names of the project, as the scheduler has them.
            task: id of the task, if it is about one.
            tables: names of the tables it is about, those included that the task writes.
        """
        things = [*(("project", name) for name in projects), ("task", task), *(("table", name) for name in tables)]
        subjects = [f"{kind}:{scheduler}:{name}" for kind, name in things if name]
        now = self._clock()
        found = await self._watches.going_on(kind="mute", subjects=subjects) if subjects else []
        holding = [one for one in found if one.until and one.until > now]
        return max(holding, key=lambda one: one.until or now, default=None)

    async def about(self, instance: Instance) -> Watch | None:
        """The mute that hides alerts about an instance now."""
        task = instance.task
        return await self.muted(task.scheduler, {task.project}, task.id, task.outputs)

    def may(self, person: Person, scheduler: str, project: str, lasts: timedelta) -> None:
        """Raises `Denied` unless the person may mute something of this project for so long now: it hides it from everyone."""
        self._access.needs(person, "operator")
        present = self._access.present(person)
        if not present.covers(scheduler, project):
            raise Denied(f"{present.name} does not operate {project}", person=present.name, needed=project)
        if lasts > timedelta(hours=self._longest[present.role]):
            longer = [role for role, hours in self._longest.items() if lasts <= timedelta(hours=hours)]
            needed = cast("Role", longer[0]) if longer else f"{self._longest['admin']:g} h"
            raise Denied(f"{present.name} may not mute for {lasts}", person=present.name, needed=needed)

    async def of_instance(self, instance: Instance, until: datetime) -> MutePreview:
        """What muting the task of an instance would have hidden."""
        look = Lookup(self._fleet, instance)
        failed, rules = await asyncio.gather(self._failed(instance.task), look.alert_rules())
        shown = self._preview(f"task:{instance.task.ref}", instance.task.name, until, failed)
        return replace(shown, instance=instance, alert_rules=tuple(rule for rule in rules if rule.enabled))

    async def of_table(self, table: DataTable, until: datetime) -> MutePreview:
        """What muting a table would have hidden: failures of the tasks that write it."""
        found = [one for task in table.producers[:PRODUCERS] for one in await self._failed(task)]
        shown = self._preview(f"table:{table.scheduler}:{table.name}", table.name, until, found)
        return replace(shown, instance=newest_first(found)[0] if found else None)

    async def of_project(self, ref: str, until: datetime) -> MutePreview:
        """What muting a project, `scheduler:name`, would have hidden."""
        today = self._clock().astimezone(self._fleet.zone).date()
        days = (today - timedelta(days=back) for back in range(LOOKED_BACK))
        queries = (InstanceQuery(day=day, projects=frozenset({ref}), statuses=FAILED) for day in days)
        answers = await asyncio.gather(*(self._fleet.every(query) for query in queries))
        found = [one for instances, _ in answers for one in instances]
        partial = any(outages for _, outages in answers)
        return replace(self._preview(f"project:{ref}", ref.partition(":")[2], until, found), partial=partial)

    async def _failed(self, task: Task) -> tuple[Instance, ...]:
        query = InstanceQuery(task=task.id, statuses=FAILED, limit=LISTED)
        return (await self._fleet.one(task.ref, lambda asked, _: asked.instances(query))).items

    def _preview(self, subject: str, name: str, until: datetime, failed: Sequence[Instance]) -> MutePreview:
        now = self._clock()
        since = now - timedelta(days=LOOKED_BACK)
        hidden = [
            (one.scheduled_at, one.task.name)
            for one in failed
            if one.scheduled_at and since <= one.scheduled_at <= now and not one.flags.frozen
        ]
        return MutePreview(subject, name, until, tuple(sorted(hidden, reverse=True)), now, LOOKED_BACK)
