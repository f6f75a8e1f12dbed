"""A pasted alert above what was found about it: what it says, what in it does not fit, and what it counts but does not list."""

from collections.abc import Iterator
from datetime import datetime

from core.alerts import Alert, Reading
from core.cards import Block, Field, Fields, Note, Text
from core.results import AlertReport
from core.schedulers.base import Instance
from core.views import buttons
from core.views.instances import item
from core.views.reader import Reader, plain

LISTED = 10
"""Most instances shown of one paste; the rest is counted."""
TOLD = 3
"""Most alerts of which rule, dates and contradictions are told one by one."""


def blocks(reader: Reader, report: AlertReport) -> Iterator[Block]:
    """What stands on top of the first card."""
    reading = report.reading
    yield Text(_headline(reader, reading), "strong")
    yield from _warnings(reader, reading)
    for alert in reading.alerts[:TOLD]:
        if fields := tuple(_fields(reader, alert, report.as_of)):
            yield Fields(fields)
    if len(report.located) > 1:
        shown = [one.instance for one in report.located if one.instance]
        yield from _items(reader, report, tuple(shown))
        yield from _not_found(reader, report)
    yield from _completed(reader, report)


def _headline(reader: Reader, reading: Reading) -> str:
    first = reading.alerts[0]
    if len(reading.alerts) == 1:
        kind = reader.words(f"alerts.kind.{first.kind or 'other'}")
        source, status = reader.words(f"alerts.source.{first.source}"), reader.words(f"alerts.status.{first.status}")
        return reader.words("alerts.one", source=source, kind=kind, status=status)
    over = sum(alert.status == "recovered" for alert in reading.alerts)
    return reader.words("alerts.several", count=len(reading.alerts), over=over, firing=len(reading.alerts) - over)


def _warnings(reader: Reader, reading: Reading) -> Iterator[Block]:
    if reading.injection:
        lines = ", ".join(map(str, reading.injection[:LISTED]))
        yield Text(reader.words("alerts.injection", lines=lines, count=len(reading.injection)), "strong")
    doubts = dict.fromkeys(alert.values["contradiction"] for alert in reading.alerts if "contradiction" in alert.values)
    for doubt in list(doubts)[:TOLD]:
        yield Text(reader.words("alerts.contradiction", what=plain(doubt, 300)), "strong")
    if reading.left_out:
        yield Note(reader.words("alerts.left_out"))


def _fields(reader: Reader, alert: Alert, now: datetime) -> Iterator[Field]:
    if alert.business_date:
        days = reader.words("alerts.dates", business=alert.business_date, run=alert.due_day)
        yield Field(reader.words("views.field.business_date"), days)
    if logical := alert.times.get("logical"):
        yield Field(reader.words("alerts.logical"), reader.words("alerts.not_run_date", at=plain(logical)))
    for name in ("occurred", "promised"):
        if said := alert.times.get(name):
            yield Field(reader.words(f"alerts.{name}"), _time(reader, said, now))
    for label, said in (("rule", alert.rule), ("severity", alert.severity), ("error", alert.error)):
        if said:
            yield Field(reader.words(f"alerts.{label}"), plain(said, 200))


def _time(reader: Reader, said: str, now: datetime) -> str:
    """A time as it was written; seconds or milliseconds since 1970 as a time."""
    if said.isdecimal() and len(said) in {10, 13}:
        return reader.moment(datetime.fromtimestamp(int(said[:10]), reader.zone), now)
    return plain(said)


def _items(reader: Reader, report: AlertReport, instances: tuple[Instance, ...]) -> Iterator[Block]:
    for instance in instances[:LISTED]:
        yield item(reader, instance, report.as_of, buttons.listed(reader, instance))
    if len(instances) > LISTED:
        yield Note(reader.words("alerts.and_more", count=len(instances) - LISTED))


def _not_found(reader: Reader, report: AlertReport) -> Iterator[Block]:
    unknown = [one.name for one in report.located if not one.instance and not one.choices]
    several = [one.name for one in report.located if one.choices]
    if unknown:
        yield Text(reader.words("alerts.unknown", names=reader.listed(unknown)))
    if several:
        yield Text(reader.words("alerts.ambiguous", names=reader.listed(several)))


def _completed(reader: Reader, report: AlertReport) -> Iterator[Block]:
    """What the alert counts and does not list: from the scheduler, and said to be."""
    if not (unlisted := report.reading.unlisted):
        return
    if not report.project or report.day is None:
        yield Text(reader.words("alerts.unlisted", count=unlisted))
        return
    yield Text(
        reader.words(
            "alerts.completed",
            count=unlisted,
            project=plain(report.project),
            day=reader.day(report.day),
            found=len(report.added),
        )
    )
    yield from _items(reader, report, report.added)
