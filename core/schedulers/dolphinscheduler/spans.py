"""Which runs a dependency means: those that were due in a span of time, reckoned from when the run that waits was due.

The words are those of `DependentUtils.getDateIntervalList`, the same from 3.1.9 to 3.3, and so is the reckoning: a week begins
on a Monday; `last24Hours` goes from one o'clock yesterday to one o'clock today; `thisMonthEnd` is the first day of the month,
as DolphinScheduler has it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

DAY: Final = timedelta(days=1)
HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Days:
    """A span of days.

    Attributes:
        of: its first and last day, from the day of the run that waits.
        reach: most days from the first to the day of the run that waits.
    """

    of: Callable[[date], tuple[date, date]]
    reach: int


def _ago(first: int, last: int) -> Days:
    return Days(lambda day: (day - first * DAY, day - last * DAY), first)


def _one(of: Callable[[date], date], reach: int) -> Days:
    return Days(lambda day: (of(day), of(day)), reach)


def _of_last_week(weekday: int) -> Days:
    return _one(lambda day: _monday(day) - (7 - weekday) * DAY, 13)


def _monday(day: date) -> date:
    return day - day.weekday() * DAY


def _first(day: date) -> date:
    return day.replace(day=1)


def _month_before(day: date) -> date:
    """Its last day."""
    return _first(day) - DAY


BY_DAY: Final[Mapping[str, Days]] = {
    "today": _ago(0, 0),
    "last1Days": _ago(1, 1),
    "last2Days": _ago(2, 1),
    "last3Days": _ago(3, 1),
    "last7Days": _ago(7, 1),
    "thisWeek": Days(lambda day: (_monday(day), day), 6),
    "lastWeek": Days(lambda day: (_monday(day) - 7 * DAY, _monday(day) - DAY), 13),
    "lastMonday": _of_last_week(0),
    "lastTuesday": _of_last_week(1),
    "lastWednesday": _of_last_week(2),
    "lastThursday": _of_last_week(3),
    "lastFriday": _of_last_week(4),
    "lastSaturday": _of_last_week(5),
    "lastSunday": _of_last_week(6),
    "thisMonth": Days(lambda day: (_first(day), day), 30),
    "thisMonthBegin": _one(_first, 30),
    "thisMonthEnd": _one(_first, 30),
    "lastMonth": Days(lambda day: (_first(_month_before(day)), _month_before(day)), 61),
    "lastMonthBegin": _one(lambda day: _first(_month_before(day)), 61),
    "lastMonthEnd": _one(_month_before, 31),
}
BY_HOUR: Final[Mapping[str, tuple[int, int]]] = {
    "currentHour": (0, 0),
    "last1Hour": (1, 1),
    "last2Hours": (2, 1),
    "last3Hours": (3, 1),
}
"""How many hours ago the first and the last hour of a span are."""
LAST_24_HOURS: Final = "last24Hours"
WORDS: Final = frozenset({*BY_DAY, *BY_HOUR, LAST_24_HOURS})


@dataclass(frozen=True, slots=True)
class Span:
    """From a moment up to another, which is not in it."""

    begins: datetime
    ends: datetime

    def __contains__(self, moment: datetime) -> bool:
        return self.begins <= moment < self.ends

    @property
    def days(self) -> tuple[date, date]:
        """The first and the last day it touches."""
        return self.begins.date(), (self.ends - timedelta(microseconds=1)).date()


def span(word: str, due: datetime) -> Span:
    """What a dependency means.

    Args:
        word: its `dateValue`, one of `WORDS`.
        due: when the run that waits was due, in the zone in which days begin.
    """
    if word in BY_HOUR:
        first, last = BY_HOUR[word]
        hour = due.replace(minute=0, second=0, microsecond=0)
        return Span(hour - first * HOUR, hour - (last - 1) * HOUR)
    midnight = due.replace(hour=0, minute=0, second=0, microsecond=0)
    if word == LAST_24_HOURS:
        return Span(midnight - DAY + HOUR, midnight + HOUR)
    first_day, last_day = (datetime.combine(day, time.min, due.tzinfo) for day in BY_DAY[word].of(due.date()))
    return Span(first_day, last_day + DAY)


def days_after(word: str, due: datetime) -> tuple[date, date]:
    """The first and the last day on which a run can be due that waits, by such a dependency, for one that was due then."""
    reach = BY_DAY[word].reach if word in BY_DAY else 1
    return due.date(), due.date() + reach * DAY


def crosses(word: str, waits: datetime, met: datetime) -> bool:
    """Whether a run is of another cycle than the one that waits for it: another day, or hour where hours are counted."""
    return met not in span("currentHour" if word in BY_HOUR else "today", waits)
