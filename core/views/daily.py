"""The cards of the morning and of the end of a shift, and the one card of an alert storm."""

from collections.abc import Iterator, Sequence

from core.cards import Block, Button, Buttons, Card, Item, Note, Text
from core.results import InstanceList, Overview
from core.views import buttons, overview
from core.views.instances import item
from core.views.reader import Reader, plain
from core.views.watch import entry
from core.watches.digest import LISTED, Digest
from core.watches.storm import Storm

PROMISES = 5
NAMES = 8


def card(reader: Reader, result: Digest) -> Card:
    """How it went, what failed, what is late, what is promised and waits."""
    counted = overview.card(reader, result.overview) if isinstance(result.overview, Overview) else None
    blocks = (
        *_taken_over(reader, result),
        *(counted.blocks if counted else ()),
        *_section(reader, "failed", result.failed),
        *_section(reader, "repeated", result.repeated),
        *_late(reader, result),
        *_promises(reader, result),
        *_tickets(reader, result),
        *buttons.row(buttons.command(reader, "failed"), buttons.command(reader, "watches")),
    )
    title = reader.words(f"watches.daily.{result.watch.kind}", name=plain(result.watch.person))
    return Card(title, blocks, counted.tone if counted else "warning", reader.as_of(result.as_of))


def storm(reader: Reader, result: Storm) -> Card:
    """How many alerts, of what, and whom to call first."""
    opened = len(result.open)
    title = reader.words(
        "watches.storm.title" if opened else "watches.storm.over", name=plain(result.title), count=result.total
    )
    lines = [reader.words("watches.storm.open", open=opened, total=len(result.items))]
    for key, found in (
        ("causes", result.most(lambda one: one.cause)),
        ("projects", result.most(lambda one: one.project)),
        ("owners", result.most(lambda one: one.owner)),
    ):
        if found:
            named = reader.listed([f"{plain(name, 40)} ({count})" for name, count in found])
            lines.append(reader.words(f"watches.storm.{key}", names=named))
    names = reader.listed([plain(one.name) for one in result.open], NAMES)
    lines += [reader.words("watches.storm.names", names=names)] if names else []
    beyond = (Note(reader.words("watches.storm.beyond", count=result.beyond)),) if result.beyond else ()
    shown = buttons.row(buttons.command(reader, "failed"), buttons.command(reader, "overview"))
    tone = "danger" if opened else "success"
    return Card(title, (Text("\n".join(lines)), *beyond, *shown), tone, reader.as_of(result.last_at))


def _taken_over(reader: Reader, result: Digest) -> Iterator[Block]:
    """Who took over, or the button with which one does."""
    if by := result.watch.memory.acknowledged_by:
        yield Text(reader.words("watches.daily.taken_over", name=plain(by)), "strong")
    elif result.watch.asks:
        yield Text(reader.words("watches.daily.open"), "strong")
        yield Buttons((Button(reader.words("watches.button.take_over"), "ack", {"watch": result.watch.id}, "primary"),))


def _section(reader: Reader, kind: str, found: object) -> Iterator[Block]:
    if not isinstance(found, InstanceList) or not found.instances:
        return
    yield Text(reader.words(f"watches.daily.{kind}", count=found.total), "strong")
    for instance in found.instances:
        yield item(reader, instance, found.as_of, buttons.asking(reader, instance))


def _late(reader: Reader, result: Digest) -> Iterator[Block]:
    if result.late:
        yield Text(reader.words("watches.daily.late", count=len(result.late)), "strong")
    for instance in result.late[:LISTED]:
        yield item(reader, instance, result.as_of, buttons.asking(reader, instance))


def _promises(reader: Reader, result: Digest) -> Iterator[Block]:
    for key, found in (("promises", result.promises), ("mutes", result.mutes)):
        if found:
            yield Text(reader.words(f"watches.daily.{key}", count=len(found)), "strong")
            yield from _first(reader, [entry(reader, watch) for watch in found])


def _tickets(reader: Reader, result: Digest) -> Iterator[Block]:
    if result.tickets:
        named = reader.listed([f"{ticket.id} {plain(ticket.request.title)}" for ticket in result.tickets])
        yield Text(reader.words("watches.daily.tickets", count=len(result.tickets), names=named), "strong")
        yield Buttons((buttons.command(reader, "pending"),))


def _first(reader: Reader, items: Sequence[Item]) -> Iterator[Block]:
    yield from items[:PROMISES]
    if len(items) > PROMISES:
        yield Note(reader.words("watches.list.more", count=len(items) - PROMISES))
