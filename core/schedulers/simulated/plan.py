"""What is planned for a day: each task's instances, how long they will take, and what they will suffer from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from core.schedulers.base import Flags, RunType
from core.schedulers.simulated.catalogue import Definition, load
from core.schedulers.simulated.clock import dice
from core.schedulers.simulated.troubles import EMPTY, FLAGS, PLATFORM, QUEUES, SLOW, TROUBLES, Fault, Queue, Trouble

OFF_CYCLE = Flags(off_cycle=True)
SLIP = 0.004
"""How likely a run of an earlier night failed once and was retried."""
TROUBLED: Mapping[str, Sequence[Trouble]] = {
    name: [trouble for trouble in TROUBLES if trouble.task == name] for name in {trouble.task for trouble in TROUBLES}
}


@dataclass(frozen=True, slots=True)
class Slot:
    """An instance as planned, before its day.

    Attributes:
        upstream: ids of the instances it waits for, of its own cycle or another.
        previous: the one of these that is of another cycle; empty when there is none.
        usual: how long it takes when all goes well.
        queuing: how long it queues when nothing holds it back.
        fault: what it suffers from.
        retried: whether the platform retries it by itself.
        rows: how many rows it writes.
    """

    id: str
    definition: Definition
    due: datetime
    business_date: date
    usual: timedelta
    queuing: timedelta
    rows: int
    upstream: tuple[str, ...] = ()
    previous: str = ""
    flags: Flags = Flags()
    fault: Fault | None = None
    retried: bool = False
    queue: Queue | None = None
    run_type: RunType = RunType.NORMAL


class Plan:
    """The platform's tasks, and their instances on any day.

    Args:
        scheduler: name of the connection.
        seed: which run of the dice.
        zone: in which days begin.
    """

    def __init__(self, scheduler: str, seed: int, zone: ZoneInfo) -> None:
        self._seed = seed
        self._zone = zone
        self.named = load(scheduler, FLAGS)
        self.by_id: Mapping[str, Definition] = {one.task.id: one for one in self.named.values()}
        self.producers: dict[str, list[Definition]] = {}
        for one in self.named.values():
            for table in one.task.outputs:
                self.producers.setdefault(table, []).append(one)

    def slots(self, definition: Definition, day: date, ago: int) -> list[Slot]:
        """The task's instances of a day, earliest first.

        Args:
            definition: of the task.
            day: calendar day on which they are due.
            ago: how many nights ago that is; tonight (0) has its troubles, and so have the nights before.
        """
        start = datetime.combine(day, time(), self._zone)
        stamp = f"{day:%Y%m%d}"
        return [self._slot(definition, start, stamp, hour, ago) for hour in range(24 if definition.hourly else 1)]

    def backfill(self, definition: Definition, first: date, days: int, ordered: datetime, number: int) -> list[Slot]:
        """Instances that run a task again for past business dates, one after the other.

        Args:
            definition: of a task with one instance a day.
            first: first business date.
            days: how many.
            ordered: when; the instances are due then.
            number: of the first one, counted over the day of the order.
        """
        faults = [one.fault for one in TROUBLED.get(definition.task.name, ()) if 0 in one.nights]
        slots: list[Slot] = []
        for offset in range(days):
            id_ = f"{definition.task.id}-{ordered:%Y%m%d}-backfill-{number + offset}"
            previous = slots[-1].id if slots else ""
            slots.append(
                Slot(
                    id=id_,
                    definition=definition,
                    due=ordered,
                    business_date=first + timedelta(days=offset),
                    usual=self._usual(definition, id_),
                    queuing=self._queuing(id_),
                    rows=self._rows(definition, id_),
                    upstream=(previous,) if previous else (),
                    previous=previous,
                    fault=next((fault for fault in faults if not fault.rerun_helps), None),
                    run_type=RunType.BACKFILL,
                )
            )
        return slots

    def _slot(self, definition: Definition, start: datetime, stamp: str, hour: int, ago: int) -> Slot:
        name = definition.task.name
        id_ = _id(definition, stamp, hour)
        due = start + definition.due + timedelta(hours=hour)
        covers = due - timedelta(hours=1 if definition.hourly else 24)
        above = [_id(self.named[one], stamp, hour) for one in definition.upstream]
        previous = _id(definition, stamp, hour - 1) if definition.previous and hour else ""
        fault = next((one.fault for one in TROUBLED.get(name, ()) if ago in one.nights and hour in one.hours), None)
        slip = ago > 0 and name not in TROUBLED and dice(self._seed, id_, "slip") < SLIP
        return Slot(
            id=id_,
            definition=definition,
            due=due,
            business_date=covers.date(),
            usual=self._usual(definition, id_) * (SLOW.get(name, 1.0) if ago == 0 else 1.0),
            queuing=self._queuing(id_),
            rows=0 if ago == 0 and name in EMPTY else self._rows(definition, id_),
            upstream=(*above, previous) if previous else tuple(above),
            previous=previous,
            flags=OFF_CYCLE if definition.weekday not in {0, due.isoweekday()} else definition.task.flags,
            fault=PLATFORM if slip else fault,
            retried=slip,
            queue=QUEUES.get(name) if ago == 0 else None,
        )

    def _usual(self, definition: Definition, id_: str) -> timedelta:
        return definition.usual * (0.85 + 0.3 * dice(self._seed, id_, "usual"))

    def _queuing(self, id_: str) -> timedelta:
        return timedelta(seconds=4 + 50 * dice(self._seed, id_, "queuing"))

    def _rows(self, definition: Definition, id_: str) -> int:
        return int(definition.rows * (0.92 + 0.16 * dice(self._seed, id_, "rows")))


def _id(definition: Definition, stamp: str, hour: int) -> str:
    return f"{definition.task.id}-{stamp}{hour:02d}" if definition.hourly else f"{definition.task.id}-{stamp}"
