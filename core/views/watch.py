"""Promises: what is promised until when, what happened, whom it waits for, and how to end it."""

from collections.abc import Iterator
from datetime import timedelta

from core.cards import Block, Button, Card, Field, Fields, Item, Note, Text, Tone
from core.views import buttons, calling
from core.views.instances import item, owner
from core.views.reader import Reader, plain
from core.views.status import next_step, status_and_run, tone
from core.watches.model import CALENDAR, MutePreview, Watch, WatchList, WatchView

LISTED = 20
SHOWN = 5
TABLE_TONES: dict[str, Tone] = {"open": "info", "late": "danger", "acknowledged": "warning", "ended": "success"}


def card(reader: Reader, result: WatchView) -> Card:
    """A promise as it is now."""
    watch = result.watch
    return Card(_title(reader, watch), tuple(_blocks(reader, result)), _tone(watch), reader.as_of(result.as_of))


def listed(reader: Reader, result: WatchList) -> Card:
    """A person's promises, or all mutes, each with the button that ends it."""
    items = tuple(entry(reader, watch) for watch in result.watches[:LISTED])
    title = reader.words(f"watches.list.{result.kind}", count=len(result.watches))
    rest = len(result.watches) - len(items)
    more = (Note(reader.words("watches.list.more", count=rest)),) if rest else ()
    empty = () if items else (Text(reader.words(f"watches.nothing.{result.kind}")),)
    return Card(title, (*empty, *items, *more), "info", reader.as_of(result.as_of))


def preview(reader: Reader, result: MutePreview) -> Card:
    """What a mute would have hidden, and the button that mutes."""
    name, count = plain(result.name), len(result.hidden)
    key = "hidden" if count else "hidden_none"
    blocks: list[Block] = [Text(reader.words(f"watches.preview.{key}", count=count, days=result.days), "strong")]
    lines = [f"· {reader.moment(at, result.as_of)} {plain(task)}" for at, task in result.hidden[:SHOWN]]
    lines += [reader.words("watches.list.more", count=count - SHOWN)] if count > SHOWN else []
    blocks += [Text("\n".join(lines))] if lines else []
    blocks += [Text(reader.words("watches.preview.partial"))] if result.partial else []
    blocks.append(Text(reader.words("watches.preview.next", until=reader.zoned(result.until))))
    blocks += calling.about(reader, result.alert_rules, reader.words("calling.still"))
    blocks += [Text(reader.words("calling.switch"))] if result.alert_rules else []
    arguments = {"target": result.subject, "duration": _minutes(result.lasts), "sure": "yes"}
    label = reader.words("watches.button.mute", lasts=reader.duration(result.lasts.total_seconds()))
    blocks += buttons.row(Button(label, "mute", arguments, "danger"), buttons.command(reader, "mutes"))
    blocks.append(Note(reader.words("watches.preview.note")))
    return Card(reader.words("watches.preview.title", name=name), tuple(blocks), "warning", reader.as_of(result.as_of))


def entry(reader: Reader, watch: Watch) -> Item:
    """A promise in a list."""
    fields = (Field(reader.words("watches.field.person"), plain(watch.person)), *_until(reader, watch))
    end = Button(reader.words("watches.button.end"), "unwatch", {"target": watch.id})
    return Item(_title(reader, watch), plain(watch.id), _tone(watch), fields, (end,))


def muted(reader: Reader, watch: Watch | None) -> Iterator[Note]:
    """That alerts about what the card shows are muted, by whom and until when."""
    if watch is not None and watch.until is not None:
        until = reader.zoned(watch.until)
        yield Note(reader.words("watches.muted", name=plain(watch.name), person=plain(watch.person), until=until))


def _title(reader: Reader, watch: Watch) -> str:
    state = watch.memory.outcome or "done" if watch.over else watch.state
    values = {"name": plain(watch.name), "at": watch.memory.at, "by": plain(watch.memory.ended_by)}
    values["status"] = status_and_run(reader, watch.memory.instance) if watch.memory.instance else ""
    values["days"] = reader.words(f"watches.days.{watch.memory.days}")
    return reader.sentence(f"watches.title.{watch.kind}.{state}", values, otherwise="watches.title.over")


def _tone(watch: Watch) -> Tone:
    if watch.kind == "follow":
        return tone(watch.memory.instance) if watch.memory.instance else "info"
    if watch.kind == "ready":
        return "warning" if watch.over and watch.memory.outcome != "done" else TABLE_TONES[watch.state]
    return "neutral" if watch.over else "info"


def _blocks(reader: Reader, result: WatchView) -> Iterator[Block]:
    watch = result.watch
    if watch.kind == "follow":
        yield from _instance(reader, watch)
        return
    if watch.kind == "ready":
        yield from _table(reader, result)
        return
    key = f"{watch.kind}_over" if watch.over else watch.kind
    yield Text(reader.words(f"watches.next.{key}"))
    if not watch.over:
        following = (Field(reader.words("watches.field.next_at"), reader.zoned(watch.next_at)),)
        yield Fields(following if watch.kind in CALENDAR else _until(reader, watch))
    yield from buttons.row(*_ending(reader, watch), buttons.command(reader, "watches"))


def _instance(reader: Reader, watch: Watch) -> Iterator[Block]:
    instance = watch.memory.instance
    if instance is not None:
        project = Field(reader.words("views.field.project"), plain(instance.task.project))
        yield Text(next_step(reader, instance), "strong")
        yield Fields((owner(reader, instance), project))
    about = (*buttons.asking(reader, instance), *buttons.mending(reader, instance)) if instance else ()
    yield from buttons.row(*about, *_ending(reader, watch), buttons.command(reader, "watches"))


def _table(reader: Reader, result: WatchView) -> Iterator[Block]:
    watch, memory = result.watch, result.watch.memory
    key = "over" if watch.over and memory.outcome != "done" else watch.state
    yield Text(reader.words(f"watches.ready.{'called' if result.call and key == 'late' else key}"), "strong")
    yield Fields(tuple(_table_fields(reader, result)))
    blocker = memory.blocker or memory.instance
    if blocker is not None and not watch.over:
        yield Text(reader.words("watches.ready.blocker"), "muted")
        yield item(reader, blocker, result.as_of, buttons.listed(reader, blocker))
    acknowledge = Button(reader.words("watches.button.ack"), "ack", {"watch": watch.id}, "primary")
    asked = [acknowledge] if result.call and watch.state == "late" else []
    own = [] if result.call else [*_ending(reader, watch)]
    again = Button(reader.words("watches.button.table"), "table", {"name": watch.ref})
    yield from buttons.row(*asked, again, *own)


def _table_fields(reader: Reader, result: WatchView) -> Iterator[Field]:
    watch, memory, label = result.watch, result.watch.memory, reader.words
    yield from _until(reader, watch)
    if memory.verdict:
        yield Field(
            label("watches.field.verdict"),
            reader.sentence(f"watches.verdict.{memory.verdict}", {}, otherwise="watches.verdict.unknown"),
        )
    if memory.expected_at is not None and not watch.over:
        yield Field(label("views.table.expected_at"), reader.moment_and_age(memory.expected_at, result.as_of))
    if memory.call:
        yield Field(label("watches.field.call"), reader.listed(memory.call))
    if watch.callees:
        yield Field(label("watches.field.called"), reader.listed(watch.callees))
    if memory.acknowledged_by:
        yield Field(label("watches.field.acknowledged"), plain(memory.acknowledged_by))
    yield Field(label("watches.field.person"), plain(watch.person))


def _until(reader: Reader, watch: Watch) -> tuple[Field, ...]:
    if watch.until is None or watch.kind in CALENDAR:
        return ()
    return (Field(reader.words(f"watches.until.{watch.kind}"), reader.zoned(watch.until)),)


def _ending(reader: Reader, watch: Watch) -> Iterator[Button]:
    if not watch.over:
        yield Button(reader.words("watches.button.end"), "unwatch", {"target": watch.id})


def _minutes(lasts: timedelta) -> str:
    return f"{max(1, round(lasts.total_seconds() / 60))}m"
