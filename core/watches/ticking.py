"""The one clock of all promises: twice a minute, on one replica, the world is looked at and rows are moved.

However many promises there are, a tick asks each scheduler once for a day: all instances of the projects that are watched.
A table is asked about by itself only when the instance that writes it did something, or its deadline has come.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from core.access import Access, Person
from core.errors import NotFound, RemoteError, Stale
from core.execution import Queue
from core.results import Diagnosed, TableReport
from core.schedulers.base import Instance, InstanceQuery, RunType
from core.schedulers.fleet import Fleet
from core.tools.look import Look
from core.watches import course
from core.watches.model import CALENDAR, Watch, WatchView
from core.watches.register import Watches
from core.watches.telling import Teller
from core.watches.terms import Calendar

EVERY = "*/30 * * * * *"
"""When a tick is due: each half minute, in a cron expression with seconds."""
TICK, TELL = "watches", "watch"
"""Kinds of durable work: a tick, and the telling of one change."""
SINGLY = 20
"""Most instances a tick asks for one by one: those that no list of a day held."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What a tick saw: instances by reference, and today's runs by the reference of their task."""

    instances: Mapping[str, Instance]
    runs: Mapping[str, Sequence[Instance]]


class Ticker:
    """Keeps promises.

    Args:
        look: asked about tables and blockers, with the rights of whoever asked.
        access: whether they still may.
        watches: the table.
        teller: shows what changed.
        work: the durable queue.
        calendar: when daily cards come round.
        patience: how long someone who is called has to answer.
        clock: the present, with zone.
    """

    def __init__(
        self,
        look: Look,
        access: Access,
        watches: Watches,
        teller: Teller,
        work: Queue,
        calendar: Calendar,
        *,
        patience: timedelta,
        clock: Callable[[], datetime],
    ) -> None:
        self._look = look
        self._access = access
        self._watches = watches
        self._teller = teller
        self._work = work
        self._calendar = calendar
        self._patience = patience
        self._clock = clock
        work.on(TICK, self._tick)
        work.on(TELL, self._tell)

    async def notice(self, watch: Watch) -> None:
        """Have a change told, once; if this is never reached, the next tick does it."""
        minute = int(self._clock().timestamp() // 60)  # what failed for good is tried again a minute later
        await self._work.submit(TELL, f"watch:{watch.id}:{watch.seq}:{minute}", {"watch": watch.id})

    async def tick(self) -> None:
        """Look, move what has to move, and have it told."""
        await self._access.refresh()
        going_on = await self._watches.going_on()
        sight = await see(self._look.fleet, going_on, self._clock())
        for watch in going_on:
            after = await self._next(watch, sight)
            if after != watch:
                with suppress(Stale):  # another replica, or the person, was first
                    await self._watches.move(watch, after, aloud=course.tells(watch, after))
        for watch in await self._watches.untold():
            await self.notice(watch)
        await self._watches.forget_old()

    async def _tick(self, _work_id: str, _payload: Mapping[str, str]) -> None:
        await self.tick()

    async def _tell(self, _work_id: str, payload: Mapping[str, str]) -> None:
        await self._access.refresh()
        watch = await self._watches.get(payload["watch"])
        await self._teller.tell(WatchView(watch, self._clock()))
        await self._watches.told(watch)

    async def _next(self, watch: Watch, sight: Sight) -> Watch:
        now = self._clock()
        person = self._access.named(watch.person)
        if person is None or not person.has("viewer"):
            return course.ended(watch, "rights")
        if watch.ref and watch.ref.partition(":")[0] not in self._look.fleet.names:
            return course.ended(watch, "gone")
        if watch.kind in CALENDAR:
            return course.came_round(watch, now, self._calendar)
        if watch.kind == "follow":
            return course.followed(watch, sight.instances.get(watch.ref), now)
        if watch.kind == "mute":
            about = watch.memory.instance
            return course.muted(watch, sight.runs.get(about.task.ref, ()) if about else (), now)
        return await self._awaited(watch, person, sight, now)

    async def _awaited(self, watch: Watch, person: Person, sight: Sight, now: datetime) -> Watch:
        writer = watch.memory.instance
        if not course.looks_at_table(watch, sight.instances.get(writer.ref) if writer else None, now):
            return watch
        report = await self._look.table(person, watch.ref, day=self._day(watch))
        after = course.awaited(watch, report if isinstance(report, TableReport) else None, now, self._patience)
        if watch.state == "open" and after.state == "late" and after.memory.instance is not None:
            found = await self._look.diagnose(person, after.memory.instance.ref)
            return course.blocked(after, found.diagnosis) if isinstance(found, Diagnosed) else after
        return after

    def _day(self, watch: Watch) -> str:
        return watch.until.astimezone(self._calendar.zone).date().isoformat() if watch.until else ""


async def see(fleet: Fleet, watches: Iterable[Watch], now: datetime) -> Sight:
    """All instances that promises are about, as they are now.

    Args:
        fleet: who is asked.
        watches: promises that are not over.
        now: today's runs of muted tasks are looked at as well.
    """
    asked: dict[date, set[str]] = defaultdict(set)
    sought: list[Instance] = []
    for watch in watches:
        one = watch.memory.instance
        if one is None or one.task.scheduler not in fleet.names:
            continue
        due = now if watch.kind == "mute" else one.scheduled_at or now
        day = due.astimezone(fleet.scheduler(one.ref)[0].zone).date()
        asked[day].add(f"{one.task.scheduler}:{one.task.project}")
        sought += [one] if watch.kind != "mute" else []
    found: dict[str, Instance] = {}
    runs: dict[str, list[Instance]] = defaultdict(list)
    for day, projects in sorted(asked.items()):
        query = InstanceQuery(day=day, projects=frozenset(projects), run_types=frozenset(RunType))
        instances, _ = await fleet.every(query)
        found |= {one.ref: one for one in instances}
    for one in found.values():
        runs[one.task.ref].append(one)
    return Sight(found | await _singly(fleet, [one for one in sought if one.ref not in found]), runs)


async def _singly(fleet: Fleet, missing: Sequence[Instance]) -> dict[str, Instance]:
    found: dict[str, Instance] = {}
    for one in missing[:SINGLY]:
        with suppress(NotFound, RemoteError):  # looked for again at the next tick
            found[one.ref] = await fleet.instance(one.ref)
    return found
