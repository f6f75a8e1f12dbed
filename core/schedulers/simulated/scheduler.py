"""A scheduler that needs no server: the embedded demonstration, the double in tests, the benchmark's backend."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from itertools import chain
from zoneinfo import ZoneInfo

from core.errors import NotFound
from core.schedulers.base import (
    Baseline,
    Capability,
    Change,
    Constraints,
    DataTable,
    Health,
    Instance,
    InstanceQuery,
    LogPage,
    Operation,
    Order,
    Page,
    Receipt,
    Related,
    RunType,
    Status,
    Task,
)
from core.schedulers.search import rank
from core.schedulers.simulated import changes, logs, orders, tables
from core.schedulers.simulated.catalogue import Definition
from core.schedulers.simulated.clock import midnight, simulated
from core.schedulers.simulated.night import Act, Night
from core.schedulers.simulated.plan import Plan, Slot
from core.schedulers.simulated.track import Track
from core.settings import SchedulerConnection

NIGHTS = 15
"""How many days can be looked at: today and two weeks before."""
MOST_RELATED = 500
SHANGHAI = ZoneInfo("Asia/Shanghai")


class SimulatedScheduler:
    """One night of a shop's data platform, for ever anew.

    What it shows is worked out from the seed, the orders so far and the clock; nothing runs in the background and nothing
    is stored. Three things follow, and are meant:

    - "Today" always has its troubled night behind it, whatever the wall clock says: until 09:10 its own clock runs slower
      than ours (`clock.py`). From 09:10 on the times are the real ones, and the hourly tasks follow the hour.
    - The troubles belong to today and the days before, not to a date. At midnight the same night is played again for the
      new day, and the day that was keeps only the failures that `troubles.py` gives to yesterday.
    - Orders live in memory: after a restart the night is as fresh as it was.

    Args:
        connection: its `seed` decides durations, rows and small slips; its `speed`, how fast reruns go.
        clock: wall time, with any zone.
        zone: in which days begin.
    """

    capabilities = frozenset(Capability)
    operations = frozenset(Operation)
    effects = orders.EFFECTS

    def __init__(
        self,
        connection: SchedulerConnection,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        zone: ZoneInfo = SHANGHAI,
    ) -> None:
        self.name = connection.name
        self.zone = zone
        self._clock = clock
        self._speed = connection.speed
        self._plan = Plan(connection.name, connection.seed, zone)
        self._today = date.min
        self._nights: dict[date, Night] = {}
        self._acts: dict[date, dict[str, list[Act]]] = {}
        self._backfills: dict[date, dict[str, Slot]] = {}
        self._receipts: dict[str, Receipt] = {}

    async def health(self) -> Health:
        """Always well."""
        return Health(version="simulated", seconds=0.0, may_change=True)

    async def projects(self) -> tuple[str, ...]:
        """The platform's projects, in the order of the data's way through them."""
        return tuple(dict.fromkeys(one.task.project for one in self._plan.named.values()))

    async def members(self, project: str) -> frozenset[str]:
        """Everyone who owns a task there."""
        tasks = (one.task for one in self._plan.named.values())
        return frozenset(owner for task in tasks if task.project == project for owner in task.owners)

    async def counts(self, query: InstanceQuery) -> Mapping[Status, int]:
        """How many instances match, by status."""
        now = self._now()
        return Counter(track.at(now).status for track in await self._matching(query, now))

    async def instances(self, query: InstanceQuery) -> Page[Instance]:
        """Instances that match, the most recently due first."""
        now = self._now()
        found = await self._matching(query, now)
        found.sort(key=lambda track: (track.slot.due, track.slot.id), reverse=True)
        part = found[query.offset : query.offset + query.limit]
        return Page(tuple(track.instance(now) for track in part), len(found), now)

    async def instance(self, instance_id: str) -> Instance:
        """One instance as it is now."""
        now = self._now()
        return self._find(instance_id, now)[1].instance(now)

    async def history(self, task_id: str, *, limit: int = 14) -> tuple[Instance, ...]:
        """The task's instances, newest first; of an hourly task not those of the hours to come."""
        now = self._now()
        found: list[Instance] = []
        for track in self._newest_first(self._definition(task_id), now):
            if len(found) == limit:
                break
            found.append(track.instance(now))
        return tuple(found)

    async def tasks(self, text: str, *, limit: int = 10) -> tuple[Task, ...]:
        """Tasks whose name or id is or resembles the text."""
        tasks = (one.task for one in self._plan.named.values())
        return rank(text, tasks, lambda task: (task.name, task.id), limit=limit)

    async def log(self, instance_id: str, *, run_number: int = 0, tail: int = 2000) -> LogPage:
        """The last lines of a run's log."""
        now = self._now()
        track = self._find(instance_id, now)[1]
        number = run_number or track.at(now).run
        run = next((run for run in track.runs(now) if run.number == number), None)
        return logs.read(track, run, now, tail) if run else LogPage(number, ())

    async def upstream(self, instance_id: str, *, depth: int = 1) -> tuple[Related, ...]:
        """Instances it waits for, nearest first."""
        return self._walk(instance_id, depth, lambda night, id_: night.track(id_).slot.upstream)

    async def downstream(self, instance_id: str, *, depth: int = 1) -> tuple[Related, ...]:
        """Instances that wait for it, nearest first."""
        return self._walk(instance_id, depth, _downstream)

    async def constraints(self, instance_id: str) -> Constraints:
        """When it is due, and which quota it waits for."""
        now = self._now()
        night, track = self._find(instance_id, now)
        phase = track.at(now)
        queue = phase.queue if phase.status is Status.WAIT_RESOURCE else None
        holders = tuple(f"{self.name}:{id_}" for id_ in night.holders(queue, now)) if queue else ()
        return Constraints(
            due_at=track.slot.due,
            throttled_by=(queue.rule,) if queue and queue.rule else (),
            throttle_holders=holders if queue and queue.rule else (),
            resource_group=queue.group if queue else "",
            resource_holders=holders if queue and queue.group else (),
            paused=phase.flags.frozen,
        )

    async def tables(self, text: str, *, limit: int = 10) -> tuple[DataTable, ...]:
        """Tables whose name is or resembles the text."""
        now = self._now()
        names = rank(text, self._plan.producers, lambda name: (name,), limit=limit)
        return tuple(
            tables.describe(name, self._plan.producers[name], lambda one: self._newest_first(one, now), now)
            for name in names
        )

    async def changes(self, task_id: str, since: datetime) -> tuple[Change, ...]:
        """What people did to the task, and what quality rules said of it."""
        now = self._now()
        definition = self._definition(task_id)
        tracks = (track for track in self._newest_first(definition, now) if track.slot.due >= since)
        return changes.changes(definition.task, tracks, midnight(now), since)

    async def baselines(self, instance_id: str) -> tuple[Baseline, ...]:
        """Promises that still wait for it."""
        now = self._now()
        night, track = self._find(instance_id, now)
        waiting = [instance_id, *(one.instance.id for one in self._walk(instance_id, NIGHTS, _downstream))]
        steps = {one.slot.definition.task.name: one for one in map(night.track, waiting)}
        return changes.baselines(steps, self.zone, now) if track.slot.run_type is RunType.NORMAL else ()

    async def operate(self, order: Order) -> Receipt:
        """Carry out an order, once for each `request_id`.

        Raises:
            NotFound: no such instance.
            Refused: what it is doing now does not allow it.
        """
        if order.request_id in self._receipts:
            return self._receipts[order.request_id]
        now = self._now()
        night, track = self._find(order.instance, now)
        orders.check(order, track, now, self.name)
        day = track.slot.due.date()
        others: Iterable[str] = ()
        if order.operation is Operation.BACKFILL:
            day = now.date()
            others = self._backfill(order, track.slot.definition, now)
        else:
            others = orders.downstream(night, track, order, now, self.name) if order.instances else ()
            for id_ in (order.instance, *others):
                self._acts.setdefault(day, {}).setdefault(id_, []).append(Act(now, order.operation))
        self._nights.pop(day, None)
        run_number = max(1, self._find(order.instance, now)[1].at(now).run)
        receipt = self._receipts[order.request_id] = Receipt((order.instance, *others), run_number)
        return receipt

    async def close(self) -> None:
        """Nothing to let go of."""

    def _backfill(self, order: Order, definition: Definition, now: datetime) -> tuple[str, ...]:
        first, days = orders.span(order, now, self.name)
        known = self._backfills.setdefault(now.date(), {})
        new = {slot.id: slot for slot in self._plan.backfill(definition, first, days, now, len(known) + 1)}
        known.update(new)
        return tuple(new)

    def _now(self) -> datetime:
        now = simulated(self._clock().astimezone(self.zone))
        if now.date() != self._today:
            self._today = now.date()
            self._nights.clear()
        return now

    def _days(self) -> list[date]:
        return [self._today - timedelta(days=ago) for ago in range(NIGHTS)]

    def _night(self, day: date) -> Night:
        if day not in self._nights:
            ago = (self._today - day).days
            extra, acts = self._backfills.get(day, {}), self._acts.get(day, {})
            self._nights[day] = Night(self._plan, day, ago, extra, acts, self._speed)
        return self._nights[day]

    def _find(self, instance_id: str, now: datetime) -> tuple[Night, Track]:
        stamp = instance_id.partition("-")[2][:8]
        day = next((day for day in self._days() if f"{day:%Y%m%d}" == stamp), None)
        try:
            night = self._night(day or now.date())
            return night, night.track(instance_id)
        except KeyError:
            message = f"{self.name} has no instance {instance_id[:80]!r}"
            raise NotFound(message, kind="instance", name=instance_id) from None

    def _definition(self, task_id: str) -> Definition:
        if task_id not in self._plan.by_id:
            raise NotFound(f"{self.name} has no task {task_id[:80]!r}", kind="task", name=task_id)
        return self._plan.by_id[task_id]

    def _newest_first(self, definition: Definition, now: datetime) -> Iterable[Track]:
        """The task's instances, but for those of the hours to come."""
        tracks = chain.from_iterable(reversed(self._night(day).of_task(definition)) for day in self._days())
        return (track for track in tracks if track.slot.due <= now or not definition.hourly)

    async def _matching(self, query: InstanceQuery, now: datetime) -> list[Track]:
        name = query.name.casefold()
        found: list[Track] = []
        for day in self._days():
            if query.day in {None, day}:
                for track in self._night(day).tracks(lambda task: _wanted(task, query, name)):
                    known = track.slot.run_type in query.run_types
                    if known and (not query.statuses or track.at(now).status in query.statuses):
                        found.append(track)
                await asyncio.sleep(0)  # a whole night that is looked at for the first time takes some 20 ms
        return found

    def _walk(
        self, instance_id: str, depth: int, neighbours: Callable[[Night, str], Iterable[str]]
    ) -> tuple[Related, ...]:
        now = self._now()
        night, _ = self._find(instance_id, now)
        seen = {instance_id}
        ring: dict[str, list[str]] = {instance_id: []}
        found: list[Related] = []
        for distance in range(1, depth + 1):
            following: dict[str, list[str]] = {}
            for id_ in ring:
                for other in neighbours(night, id_):
                    if other not in seen:
                        following.setdefault(other, []).append(id_)
            seen.update(following)
            ring = following
            for id_, via in ring.items():
                tie = any(id_ == night.track(one).slot.previous or one == night.track(id_).slot.previous for one in via)
                found.append(Related(night.track(id_).instance(now), distance, tuple(via), cross_cycle=tie))
        return tuple(found[:MOST_RELATED])


def _wanted(task: Task, query: InstanceQuery, name: str) -> bool:
    return (
        (not query.projects or task.project in query.projects)
        and (not query.owner or query.owner in task.owners)
        and (not query.task or query.task == task.id)
        and (not name or name in task.name)
    )


def _downstream(night: Night, id_: str) -> Iterable[str]:
    return night.downstream.get(id_, ())
