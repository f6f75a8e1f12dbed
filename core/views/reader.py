"""Who a card is for: their words, their zone, their rights. And how times, days and durations read to them.

Times on a card are in the reader's zone; the subtitle names the zone once, and a time whose offset differs from it (a
night when the clocks change) carries its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from core.access import Person
from core.i18n import Words
from core.redact import clean
from core.schedulers.base import Operation

NAME = 120
SENTENCE = 600
EVERYTHING: Mapping[str, frozenset[Operation]] = {}
"""What schedulers can do when nobody says what they cannot."""


def plain(text: str, limit: int = NAME) -> str:
    """Text from outside, safe to stand on a card: invisible characters out, one line, no longer than the limit.

    Everything that a scheduler, a log or a person wrote passes through here or, if a log, through `plain_line`.
    """
    return _cut(" ".join(clean(text[: limit * 4]).split()), limit)


def plain_line(text: str, limit: int = 300) -> str:
    """The same for a line of a log, whose indentation and columns tell something and so stay."""
    return _cut(clean(text[: limit * 4]).replace("\n", " ").expandtabs(4).rstrip(), limit)


@dataclass(frozen=True, slots=True)
class Reader:
    """The person a card is for."""

    words: Words
    zone: ZoneInfo
    person: Person
    operations: Mapping[str, frozenset[Operation]] = field(default_factory=lambda: EVERYTHING)

    def offered(self, operation: Operation, scheduler: str) -> bool:
        """Whether a scheduler can do this at all."""
        return operation in self.operations.get(scheduler, frozenset(Operation))

    @property
    def several(self) -> bool:
        """Whether there is more than one scheduler, so that cards say which one something is in."""
        return len(self.operations) > 1

    def moment(self, at: datetime, now: datetime) -> str:
        """`11-22 03:14`; with the year when it is another than now's, with the offset when that is another."""
        local, here = at.astimezone(self.zone), now.astimezone(self.zone)
        year = f"{local.year}-" if local.year != here.year else ""
        offset = f" {_offset(local)}" if local.utcoffset() != here.utcoffset() else ""
        return f"{year}{local.month:02}-{local.day:02} {local.hour:02}:{local.minute:02}{offset}"

    def moment_and_age(self, at: datetime, now: datetime) -> str:
        """`11-22 03:14（12 分钟前）`."""
        return self.words("views.moment_and_age", moment=self.moment(at, now), age=self.age(at, now))

    def zoned(self, at: datetime) -> str:
        """`11-22 03:14（北京时间 UTC+8）`, for a time that stands alone."""
        local = at.astimezone(self.zone)
        return self.words("views.zoned", moment=self.moment(at, at), zone=self._zone_name(local))

    def clock(self, at: datetime, now: datetime) -> str:
        """`03:12:08 UTC+8`, for a moment that seconds matter of; with the date when it was another day than now."""
        local = at.astimezone(self.zone)
        day = "" if local.date() == now.astimezone(self.zone).date() else f"{local:%m-%d} "
        return f"{day}{local:%H:%M:%S} {_offset(local)}"

    def as_of(self, now: datetime, business_date: date | None = None) -> str:
        """The subtitle: when the answer was true, in which zone, and the business date where there is one."""
        if business_date is None:
            return self.words("views.as_of", moment=self.zoned(now))
        return self.words("views.as_of_business", moment=self.zoned(now), business_date=business_date.isoformat())

    def age(self, at: datetime, now: datetime) -> str:
        """`12 分钟前`, `2 小时后`; the largest unit only."""
        seconds = (now - at).total_seconds()
        direction = "ago" if seconds >= 0 else "ahead"
        for unit, size in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
            if abs(seconds) >= size:
                return self.words(f"views.{direction}.{unit}", count=int(abs(seconds) // size))
        return self.words(f"views.{direction}.now")

    def duration(self, seconds: float) -> str:
        """`45 秒`, `3 分 20 秒`, `1 小时 5 分`: two units at most."""
        minutes, rest = divmod(round(seconds), 60)
        hours, minutes = divmod(minutes, 60)
        if hours:
            return self.words("views.duration.hours", hours=hours, minutes=minutes)
        if minutes:
            return self.words("views.duration.minutes", minutes=minutes, seconds=rest)
        return self.words("views.duration.seconds", seconds=rest)

    def day(self, day: date) -> str:
        """`2026-11-22 周日`."""
        return self.words("views.day", day=day.isoformat(), weekday=self.words(f"views.weekday.{day.weekday()}"))

    def count(self, number: int, *, more: bool) -> str:
        """`12`, or `至少 12` where there may be more."""
        return self.words("views.at_least", count=number) if more else str(number)

    def listed(self, texts: Sequence[str], most: int = 5) -> str:
        """`a、b、c 等 12 个`: names from outside in a row, with how many there are when not all are named."""
        shown = self.words("views.comma").join(plain(text, 60) for text in texts[:most])
        return shown if len(texts) <= most else self.words("views.and_more", shown=shown, count=len(texts))

    def sentence(self, key: str, values: Mapping[str, str], *, otherwise: str) -> str:
        """A sentence that another module chose by key; `otherwise`, when the catalogues or the values do not have it.

        A card with one vague sentence serves the reader at night; no card does not.
        """
        try:
            return self.words(key, **{name: plain(value, SENTENCE) for name, value in values.items()})
        except KeyError:
            return self.words(otherwise)

    def _zone_name(self, local: datetime) -> str:
        key = f"views.zone.{self.zone.key}"
        named = self.words(key) if key in self.words else self.zone.key or ""
        return f"{named} {_offset(local)}" if named != "UTC" else named


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _offset(local: datetime) -> str:
    text = f"{local:%z}"  # +0800
    hours, minutes = int(text[:3]), text[3:5]
    return f"UTC{hours:+d}" + (f":{minutes}" if minutes != "00" else "")
