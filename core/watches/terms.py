"""What people write about time: `2h`, `08:30`, `9点半`, `workdays`. Pure; every time carries a zone."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

from core.agent.rules.text import fold
from core.errors import BadInput
from core.watches.model import Days

_SPAN = re.compile(
    r"(\d{1,4}(?:\.\d)?) ?(分钟|分|小时|小時|个小时|個小時|天|日|minutes?|mins?|m|hours?|h|days?|d)", re.I
)
_CLOCK = re.compile(r"(?:(上午|早上|下午|晚上) ?)?(\d{1,2})(?:[:：](\d{2})|[点點](?:(半)|(\d{1,2})分?)?)")
_MERIDIEM = re.compile(r"(1[0-2]|[1-9])(?::(\d{2}))? ?([ap])m")
_TOMORROW = frozenset({"tomorrow", "明天", "明早", "明日"})
MORNING = time(9)
_SECONDS = {"m": 60, "分": 60, "h": 3600, "小": 3600, "个": 3600, "個": 3600, "d": 86400, "天": 86400, "日": 86400}
_WORKDAYS = frozenset({"workdays", "weekdays", "工作日", "每个工作日", "每個工作日"})
_DAILY = frozenset({"", "daily", "every day", "每天", "每日"})
SATURDAY = 5


def read_span(text: str) -> timedelta:
    """How long `2h`, `30 分钟` or `1d` is.

    Raises:
        BadInput: it is no length of time.
    """
    found = _SPAN.fullmatch(fold(text.strip()))
    if found is None or not float(found[1]):
        raise BadInput(f"{text!r} is no length of time", argument="duration")
    return timedelta(seconds=float(found[1]) * _SECONDS[found[2][0]])


def read_end(text: str, now: datetime, calendar: "Calendar") -> datetime:
    """When something is over that lasts `2h`, until `10am`, or until `tomorrow`, which begins at nine.

    Raises:
        BadInput: it is neither.
    """
    word = fold(text.strip())
    if word in _TOMORROW:
        day = now.astimezone(calendar.zone).date() + timedelta(days=1)
        return datetime.combine(day, MORNING, calendar.zone).astimezone(now.tzinfo)
    if _CLOCK.fullmatch(word) or _MERIDIEM.fullmatch(word):
        return calendar.following(read_clock(word), now)
    return now + read_span(text)


def read_clock(text: str) -> time:
    """The time of day that `08:30`, `8:30am`, `9点半` or `下午3点` names, without a zone.

    Raises:
        BadInput: it names none.
    """
    word = fold(text.strip())
    if english := _MERIDIEM.fullmatch(word):
        word = f"{int(english[1]) % 12 + (12 if english[3] == 'p' else 0)}:{english[2] or '00'}"
    found = _CLOCK.fullmatch(word)
    if found is not None:
        half, hour = found[1], int(found[2])
        minute = 30 if found[4] else int(found[3] or found[5] or 0)
        hour += 12 if half in {"下午", "晚上"} and hour < 12 else 0
        if hour < 24 and minute < 60:
            return time(hour, minute)
    raise BadInput(f"{text!r} is no time of day", argument="at")


def read_days(text: str) -> Days:
    """On which days: `daily` (also when nothing is said) or `workdays`.

    Raises:
        BadInput: it says neither.
    """
    word = fold(text.strip())
    if word in _WORKDAYS:
        return "workdays"
    if word in _DAILY:
        return "daily"
    raise BadInput(f"{text!r} are no days", argument="days")


@dataclass(frozen=True, slots=True)
class Calendar:
    """On which days people work, and where."""

    zone: tzinfo
    holidays: Collection[date] = ()
    workdays: Collection[date] = ()

    def works(self, day: date) -> bool:
        """Whether people work on that day."""
        return day in self.workdays or (day.weekday() < SATURDAY and day not in self.holidays)

    def following(self, at: time, after: datetime, days: Days = "daily") -> datetime:
        """The first time after a moment at which the clock shows `at`, on a day that counts.

        A time that a change of clocks leaves out comes an hour later, one that it repeats comes once.
        """
        day = after.astimezone(self.zone).date()
        while True:
            moment = datetime.combine(day, at, self.zone).astimezone(after.tzinfo)
            if moment > after and (days == "daily" or self.works(day)):
                return moment
            day += timedelta(days=1)
