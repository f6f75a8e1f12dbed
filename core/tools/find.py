"""From what a person wrote to the one thing they meant.

In this order: a reference (`scheduler:id`), an id, an exact name, the only name that holds the words, the only name one
slip of the keyboard away. Several candidates raise `Ambiguous`, none raises `NotFound` with the nearest names; never a
guess. When a scheduler did not answer, "nothing found" is not claimed: that raises `Unreachable`.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from difflib import SequenceMatcher
from typing import Literal, TypeVar

from core.errors import Ambiguous, NotFound, RemoteError, Unreachable
from core.schedulers.base import DataTable, Instance, InstanceQuery, RunType, Task
from core.schedulers.fleet import Fleet, newest_first
from core.schedulers.grounds import Outage, lacks
from core.schedulers.search import SEPARATORS, rank
from core.tools.days import read_day

T = TypeVar("T")
Interest = Literal["latest", "failure", "activity"]
"""Which of a task's instances of the day is meant: the latest due, the one that failed, or the one that is going on."""

SLIP = 0.87
"""Least likeness, 0 to 1, at which the only similar name is taken as meant: one letter wrong in eight."""


class Finder:
    """Resolves names against the fleet.

    Args:
        fleet: who is asked.
        clock: the present moment, with zone.
    """

    def __init__(self, fleet: Fleet, clock: Callable[[], datetime]) -> None:
        self._fleet = fleet
        self._clock = clock

    def day(self, text: str) -> date:
        """The calendar day a word names, in the fleet's zone. Raises `BadInput` when it names none."""
        return read_day(text, self._clock().astimezone(self._fleet.zone).date())

    async def instance(self, target: str, *, day: str = "", interest: Interest = "latest") -> Instance:
        """The instance meant by a reference, an id or a task's name.

        Args:
            target: what the person wrote, or a reference from a card.
            day: the day it was due; empty for today, or the last time it was due if not today.
            interest: which one, when the task is due several times a day.

        Raises:
            NotFound: nothing has this name, or it was not due on that day.
            Ambiguous: several tasks have it; the choices are references of tasks.
            RemoteError: the scheduler that would know failed.
        """
        wanted = target.strip()
        found = await self._by_id(wanted)
        if isinstance(found, Instance):
            return found
        return await self._of_task(found or await self.task(wanted), day, interest)

    async def task(self, name: str) -> Task:
        """The task of this name, id, reference, or `project.name`. Raises as `instance` does."""
        if name.partition(":")[0] in self._fleet.names:
            found = await self._by_reference(name)
            return found.task if isinstance(found, Instance) else found
        tasks, outages = await self._fleet.tasks(name)
        project, _, last = name.replace("/", ".").rpartition(".")
        if not tasks and project:
            similar, outages = await self._fleet.tasks(last)
            tasks = tuple(task for task in similar if _plain(task.project) == _plain(project)) or similar
        return _the_one("task", name, tasks, _task_names, _task_choice, outages)

    async def table(self, name: str) -> DataTable:
        """The table or asset of this name; `scheduler:name` names one of several. Raises as `instance` does."""
        wanted = name.strip()
        prefix, _, rest = wanted.partition(":")
        if prefix in self._fleet.names:
            tables = await self._fleet.one(wanted, lambda scheduler, text: scheduler.tables(text))
            return _the_one("table", rest, tables, lambda table: (table.name,), _table_choice, ())
        tables, outages = await self._fleet.tables(wanted)
        return _the_one("table", wanted, tables, lambda table: (table.name,), _table_choice, outages)

    async def project(self, name: str) -> str:
        """The project of this name, or of the only one that resembles it; `scheduler:name` is that scheduler's alone.

        Raises as `instance` does.
        """
        prefix, _, rest = name.partition(":")
        if prefix in self._fleet.names:
            own = await self._fleet.one(name, lambda scheduler, _: scheduler.projects())
            meant = _the_one("project", rest, rank(rest, own, _named), _named, lambda project: (project, project), ())
            return f"{prefix}:{meant}"
        projects, outages = await self._fleet.projects()
        found = rank(name, projects, _named)
        return _the_one("project", name, found, _named, lambda project: (project, project), outages)

    async def _by_id(self, wanted: str) -> Instance | Task | None:
        """What has this reference or id; None when it is none, or none that anyone knows."""
        if wanted.partition(":")[0] in self._fleet.names:
            return await self._by_reference(wanted)
        if not any(character.isdigit() for character in wanted):
            return None
        asked = (self._maybe_instance(f"{name}:{wanted}") for name in self._fleet.names)
        found = [instance for instance in await asyncio.gather(*asked) if instance]
        if len(found) > 1:
            choices = tuple(map(_instance_choice, found))
            raise Ambiguous(f"several have the id {wanted}", kind="instance", name=wanted, choices=choices)
        return found[0] if found else None

    async def _by_reference(self, ref: str) -> Instance | Task:
        if instance := await self._maybe_instance(ref):
            return instance
        tasks = await self._fleet.one(ref, lambda scheduler, identity: scheduler.tasks(identity))
        for task in tasks:
            if task.ref == ref:
                return task
        raise NotFound(f"nothing is {ref}", kind="instance", name=ref, nearest=tuple(task.name for task in tasks[:3]))

    async def _maybe_instance(self, ref: str) -> Instance | None:
        try:
            return await self._fleet.instance(ref)
        except NotFound:
            return None
        except RemoteError as error:  # asked again under its name, where it is told if nobody else knows the id
            lacks(self._fleet.outage(error.system, error))
            return None

    async def _of_task(self, task: Task, day: str, interest: Interest) -> Instance:
        due = InstanceQuery(day=self.day(day), task=task.id, limit=200)
        found = (await self._fleet.one(task.ref, lambda scheduler, _: scheduler.instances(due))).items
        if not found and not day:
            ever = InstanceQuery(task=task.id, run_types=frozenset(RunType) - {RunType.TEST}, limit=50)
            found = (await self._fleet.one(task.ref, lambda scheduler, _: scheduler.instances(ever))).items
        if not found:
            raise NotFound(f"{task.ref} was not due", kind="instance", name=f"{task.name} {day}".strip())
        return pick(found, interest, self._clock())


def pick(instances: Sequence[Instance], interest: Interest, now: datetime) -> Instance:
    """The instance of a task that is meant among several: hourly tasks have 24 a day.

    Args:
        instances: at least one.
        interest: `failure` prefers the latest that failed, `activity` the latest that is unfinished and started.
        now: those due later are only taken when there are no others.
    """
    ordered = newest_first(instances)
    if interest == "failure" and (failed := [one for one in ordered if one.status.failed and not one.flags.frozen]):
        return failed[0]
    if interest == "activity" and (active := [one for one in ordered if one.started_at and not one.status.finished]):
        return active[0]
    if started := [one for one in ordered if one.started_at]:
        return started[0]
    due = [one for one in ordered if one.scheduled_at is None or one.scheduled_at <= now]
    return due[0] if due else ordered[-1]


def _the_one(
    kind: str,
    wanted: str,
    candidates: Sequence[T],
    names: Callable[[T], tuple[str, ...]],
    choice: Callable[[T], tuple[str, str]],
    outages: Iterable[Outage],
) -> T:
    """The one candidate that is meant. `names` gives the names of one, the one people call it by first."""
    meant = [one for one in candidates if any(_holds(name, wanted) for name in names(one))]
    meant = meant or [one for one in candidates if any(_slip(name, wanted) for name in names(one))]
    if not meant:
        for outage in outages:
            raise Unreachable(f"{kind} {wanted}: not everyone answered", system=outage.scheduler)
        nearest = tuple(dict.fromkeys(names(one)[0] for one in candidates))[:5]
        raise NotFound(f"no {kind} {wanted}", kind=kind, name=wanted, nearest=nearest)
    if len(meant) > 1:
        raise Ambiguous(f"several: {wanted}", kind=kind, name=wanted, choices=tuple(map(choice, meant[:8])))
    return meant[0]


def _plain(text: str) -> str:
    return text.casefold().translate(SEPARATORS)


def _holds(name: str, wanted: str) -> bool:
    """Whether a name holds every word that was asked for."""
    plain = _plain(name)
    return all(word in plain for word in _plain(wanted).split("_"))


def _slip(name: str, wanted: str) -> bool:
    return SequenceMatcher(None, _plain(name), _plain(wanted), autojunk=False).ratio() >= SLIP


def _task_names(task: Task) -> tuple[str, ...]:
    return task.name, task.id, f"{task.project}.{task.name}"


def _named(project: str) -> tuple[str]:
    return (project,)


def _task_choice(task: Task) -> tuple[str, str]:
    return task.ref, _label(task.name, task.scheduler, task.project, task.owner)


def _instance_choice(instance: Instance) -> tuple[str, str]:
    return instance.ref, _task_choice(instance.task)[1]


def _table_choice(table: DataTable) -> tuple[str, str]:
    return f"{table.scheduler}:{table.name}", _label(table.name, table.scheduler, table.project, table.owner)


def _label(*parts: str) -> str:
    """`load_orders · prod · trade · ann`: first where it is, since that is what tells namesakes apart."""
    return " · ".join(filter(None, parts))
