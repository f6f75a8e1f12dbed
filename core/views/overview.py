"""The day at a glance: what failed, what failed again, how far everything else is."""

from collections.abc import Iterator
from datetime import date

from core.cards import Block, Button, Card, Chart, Field, Item, Text, Tone
from core.results import Overview, Tally
from core.schedulers.base import Status
from core.views import buttons
from core.views.grounds import seen_at
from core.views.reader import Reader
from core.views.status import TONES


def card(reader: Reader, result: Overview) -> Card:
    """The overview card."""
    return Card(
        title=reader.words("views.overview.title", day=reader.day(result.day)),
        subtitle=reader.as_of(seen_at(result)),
        tone=_tone(result),
        blocks=tuple(_blocks(reader, result)),
    )


def _blocks(reader: Reader, result: Overview) -> Iterator[Block]:
    yield Text(_summary(reader, result.operable), "strong")
    yield Text(reader.words(f"views.overview.next.{_next(result)}"))
    yield _highlight(reader, "failed", result.day, result.operable.failed, result.mine.failed)
    yield _highlight(reader, "repeated", result.day, result.operable.repeated, result.mine.repeated)
    everything = "operable" if reader.person.projects else "visible"
    for key, tally in ((everything, result.operable), ("mine", result.mine)):
        if tally.total:
            yield _chart(reader, reader.words(f"views.overview.{key}", total=tally.total), tally)
    again = Button(reader.words("views.button.refresh"), "overview", {"day": result.day.isoformat()})
    yield from buttons.row(buttons.command(reader, "mine"), again, buttons.command(reader, "help"))


def _summary(reader: Reader, tally: Tally) -> str:
    done = sum(count for status, count in tally.counts.items() if status.succeeded)
    unfinished = sum(count for status, count in tally.counts.items() if not status.finished)
    return reader.words(
        "views.overview.summary", total=tally.total, succeeded=done, unfinished=unfinished, failed=tally.failed
    )


def _next(result: Overview) -> str:
    if result.operable.repeated:
        return "repeated"
    if result.operable.failed:
        return "failed"
    if not result.operable.total:
        return "nothing"
    return "unfinished" if any(not status.finished for status in result.operable.counts) else "done"


def _highlight(reader: Reader, kind: str, day: date, operable: int, mine: int) -> Item:
    shown = [
        Button(
            reader.words(f"views.overview.{group}_button", count=count),
            "instances",
            {"kind": kind, "day": day.isoformat(), **({"subject": "mine"} if group == "mine" else {})},
            "primary" if group == "operable" else "default",
        )
        for group, count in (("operable", operable), ("mine", mine))
        if count
    ]
    return Item(
        title=reader.words(f"views.overview.{kind}", count=operable),
        subtitle=reader.words(f"views.overview.{kind}_means"),
        tone="danger" if operable or mine else "success",
        fields=(Field(reader.words("views.overview.mine_count"), str(mine)),) if operable or mine else (),
        buttons=tuple(shown),
    )


def _chart(reader: Reader, title: str, tally: Tally) -> Chart:
    points: Iterator[tuple[str, float, Tone]] = (
        (reader.words(f"status.{status}"), float(tally.counts[status]), TONES.get(status, "neutral"))
        for status in Status
        if tally.counts.get(status)
    )
    return Chart("pie", tuple(points), title)


def _tone(result: Overview) -> Tone:
    if result.operable.failed:
        return "danger"
    return "warning" if result.outages else "success" if result.operable.total else "neutral"
