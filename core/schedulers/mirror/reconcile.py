"""After a gap, the mirror asks the API how things are, and takes the answer in like any other news.

What an API tells has no time of change, only the time at which it was asked. It counts as said a few seconds before that, so
that an event of the same moment wins, whichever clock is ahead.
"""

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from functools import partial
from typing import Final

from core.schedulers.base import Flags, Instance, InstanceQuery, RunType, Scheduler, Task
from core.schedulers.mirror.facts import Facts, TaskFact
from core.schedulers.mirror.scheduler import MirrorScheduler
from core.schedulers.mirror.state import Mirrored, Run, Said
from core.store import Store

SKEW: Final = timedelta(seconds=5)
"""How far two clocks may be apart."""

LONGEST_GAP: Final = timedelta(days=3)
"""What is further back is history: nobody waits for it."""

PAGE: Final = 1000


class Reconciler:
    """Asks for what one mirror may have missed.

    Args:
        mirror: with an API.
        store: its database.
        clock: the present moment, with zone.
    """

    def __init__(self, mirror: MirrorScheduler, store: Store, *, clock: Callable[[], datetime]) -> None:
        self._mirror = mirror
        self._store = store
        self._clock = clock

    async def fill(self) -> bool:
        """Ask for what is missing, if anything is; returns whether it asked. What fails is asked for again next time.

        Instances that were due the day before a gap may have ended within it, so that day is asked for too.

        Raises:
            RemoteError: the API failed.
        """
        now, api, feed = self._clock(), self._mirror.api, self._mirror.feed
        since = await self._store.read(lambda connection: feed.gap_from(connection, now))
        if api is None or since is None:
            return False
        day = (max(since, now - LONGEST_GAP) - timedelta(days=1)).astimezone(self._mirror.zone).date()
        while day <= now.astimezone(self._mirror.zone).date():
            await self._day(api, day)
            day += timedelta(days=1)
        await self._store.write(lambda connection: feed.close_gap(connection, self._clock()))
        return True

    async def _day(self, api: Scheduler, day: date) -> None:
        seen = 0
        while True:
            asked_at = self._clock()
            page = await api.instances(InstanceQuery(day=day, run_types=frozenset(RunType), limit=PAGE, offset=seen))
            facts = told(page.items, asked_at - SKEW)
            await self._store.write(partial(self._mirror.feed.absorb, facts=[("", facts)], heard_at=asked_at))
            seen += len(page.items)
            if not page.items or seen >= page.total:
                return


def told(instances: Iterable[Instance], at: datetime) -> Facts:
    """What an API's answer says.

    Args:
        instances: the answer.
        at: since when it is certainly so.
    """
    found = tuple(instances)
    tasks = {one.task.id: one.task for one in found}
    return Facts(tuple(_state(one, at) for one in found), tuple(_task(task, at) for task in tasks.values()))


def _state(one: Instance, at: datetime) -> Mirrored:
    flags = Flags(one.flags.frozen, one.flags.dry_run, off_cycle=one.flags.off_cycle)
    run = Run(at, one.status, one.started_at, one.finished_at, one.run_number)
    return Mirrored(
        id=one.id,
        task=one.task.id,
        workspace=one.task.project,
        run_type=one.run_type,
        business_date=one.business_date,
        told_due_at=one.scheduled_at,
        said=Said(at, one.status, one.raw_status, flags, one.waiting_since, one.note),
        runs={f"#{one.run_number}": run} if one.run_number and one.started_at else {},
    )


def _task(task: Task, at: datetime) -> TaskFact:
    return TaskFact(at, task.id, task.name, task.project, task.owners, task.kind, task.cycle, task.priority, task.flags)
