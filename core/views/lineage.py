"""Instances up- or downstream of one: the unfinished and failed first, since those are what one looks for."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from core.cards import Block, Card, Field, Item, Note, Text
from core.results import Lineage
from core.schedulers.base import Related, incomplete
from core.views import buttons
from core.views.grounds import seen_at
from core.views.instances import item
from core.views.reader import Reader, plain
from core.views.status import tone

SHOWN = 15


def card(reader: Reader, result: Lineage) -> Card:
    """The card of one direction."""
    name, count = plain(result.instance.task.name), _count(reader, result)
    return Card(
        title=reader.words(f"views.lineage.{result.direction}", name=name, count=count),
        subtitle=reader.as_of(seen_at(result), result.instance.business_date),
        tone=tone(result.instance),
        blocks=tuple(_blocks(reader, result)),
    )


def _blocks(reader: Reader, result: Lineage) -> Iterator[Block]:
    instance = result.instance
    open_ones = [related for related in result.related if not related.instance.status.succeeded]
    yield Text(reader.words(_next(result, open_ones), count=len(open_ones), total=_count(reader, result)), "strong")
    for related in sorted(result.related, key=_urgency)[:SHOWN]:
        yield _item(reader, related, result.as_of)
    if incomplete(result.related):
        yield Note(reader.words("views.lineage.cut"))
    if len(result.related) > SHOWN:
        yield Note(reader.words("views.lineage.part", shown=SHOWN, total=len(result.related)))
    other = "downstream" if result.direction == "upstream" else "upstream"
    yield from buttons.row(*buttons.about(reader, instance, "status", other))


def _next(result: Lineage, open_ones: list[Related]) -> str:
    clear = "clear_so_far" if incomplete(result.related) else "clear"
    state = "none" if not result.related else "open" if open_ones else clear
    return f"views.lineage.{state}.{result.direction}"


def _count(reader: Reader, result: Lineage) -> str:
    return reader.count(len(result.related), more=incomplete(result.related))


def _urgency(related: Related) -> tuple[bool, bool, int]:
    status = related.instance.status
    return (status.succeeded, not status.failed, related.distance)


def _item(reader: Reader, related: Related, now: datetime) -> Item:
    shown = item(reader, related.instance, now, buttons.asking(reader, related.instance))
    key = "views.lineage.hops_cross_cycle" if related.cross_cycle else "views.lineage.hops"
    place = Field(reader.words("views.lineage.place"), reader.words(key, count=related.distance))
    return replace(shown, fields=(*shown.fields, place))
