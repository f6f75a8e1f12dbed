"""Lists of instances: each with its owner, when, its business date and what can be done about it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from core.cards import Block, Button, Card, Field, Item, Note, Text, Tone
from core.results import InstanceList
from core.schedulers.base import Instance, Operation
from core.views import buttons
from core.views.grounds import seen_at
from core.views.reader import Reader, plain
from core.views.status import status_and_run, tone

URGENT = frozenset({"failed", "repeated"})
TITLED = frozenset({"project", "mine", "search"})
"""Kinds whose title names the subject already."""


def card(reader: Reader, result: InstanceList) -> Card:
    """The card of a list, with a button for the next page when there is more."""
    return Card(
        title=reader.words(f"views.list.{result.kind}", count=result.total, subject=plain(result.subject)),
        subtitle=reader.words("views.list.subtitle", as_of=reader.as_of(seen_at(result)), day=reader.day(result.day)),
        tone=_tone(result),
        blocks=tuple(_blocks(reader, result)),
    )


def item(reader: Reader, instance: Instance, now: datetime, shown: tuple[Button, ...]) -> Item:
    """One instance as an entry of a list."""
    return Item(
        title=plain(instance.task.name) or plain(instance.id),
        subtitle=status_and_run(reader, instance),
        tone=tone(instance),
        fields=tuple(_fields(reader, instance, now)),
        buttons=shown,
    )


def when(reader: Reader, instance: Instance, now: datetime) -> Field:
    """The time that says most about an instance: its end, its start, since when it waits, or when it is due."""
    for key, at in (
        ("ended", instance.finished_at),
        ("started", instance.started_at),
        ("waiting", instance.waiting_since),
        ("due", instance.scheduled_at),
    ):
        if at is not None:
            return Field(reader.words(f"views.when.{key}"), reader.moment_and_age(at, now))
    return Field(reader.words("views.when.due"), reader.words("views.unknown"))


def owner(reader: Reader, instance: Instance) -> Field:
    """Whom to call; says so when the scheduler names nobody."""
    names = reader.listed(instance.task.owners, 3)
    return Field(reader.words("views.field.owner"), names or reader.words("views.no_owner"))


def business_date(reader: Reader, instance: Instance) -> Field:
    """The day the data is about."""
    day = instance.business_date
    return Field(reader.words("views.field.business_date"), day.isoformat() if day else reader.words("views.unknown"))


def _fields(reader: Reader, instance: Instance, now: datetime) -> Iterator[Field]:
    yield owner(reader, instance)
    yield when(reader, instance, now)
    yield business_date(reader, instance)
    where = (instance.task.project, instance.task.scheduler) if reader.several else (instance.task.project,)
    yield Field(reader.words("views.field.project"), " · ".join(map(plain, where)))
    if instance.note:
        yield Field(reader.words("views.field.note"), plain(instance.note, 200))


def _blocks(reader: Reader, result: InstanceList) -> Iterator[Block]:
    if not result.instances:
        partly = result.outages or any(source.gap is not None or source.age is None for source in result.sources)
        yield Text(reader.words("views.list.empty_partly" if partly else "views.list.empty"))
        yield from buttons.row(*(buttons.command(reader, word) for word in ("overview", "help")))
        return
    if result.subject and result.kind not in TITLED:
        yield Text(reader.words("views.list.scope", subject=plain(result.subject)))
    yield Text(reader.words("views.list.next_urgent" if result.kind in URGENT else "views.list.next"))
    for number, instance in enumerate(result.instances, result.offset + 1):
        shown = item(reader, instance, result.as_of, buttons.listed(reader, instance))
        yield replace(shown, title=f"{number}. {shown.title}")
    yield from buttons.row(*_together(reader, result))
    yield from _paging(reader, result)


def _together(reader: Reader, result: InstanceList) -> Iterator[Button]:
    """To rerun what is listed, when there are several and this person may: it makes a list to confirm."""
    again = [one for one in result.instances if buttons.possible(reader, Operation.RERUN, one)]
    if result.kind in URGENT and len(again) > 1:
        yield buttons.command(
            reader,
            "batch",
            operation=Operation.RERUN.value,
            kind=result.kind,
            subject=_subject(reader, result),
            day=result.day.isoformat(),
        )


def _subject(reader: Reader, result: InstanceList) -> str:
    """The word that the list was asked with; a person's own name would be looked up as a project."""
    return "mine" if result.subject == reader.person.name else result.subject


def _paging(reader: Reader, result: InstanceList) -> Iterator[Block]:
    upto = result.offset + len(result.instances)
    if upto - result.offset < result.total:
        yield Note(reader.words("views.list.part", first=result.offset + 1, last=upto, total=result.total))
    if upto < result.total:
        arguments = {
            "kind": result.kind,
            "subject": _subject(reader, result),
            "day": result.day.isoformat(),
            "offset": str(upto),
        }
        more = Button(reader.words("views.button.more", count=result.total - upto), "instances", arguments)
        yield from buttons.row(more, buttons.command(reader, "overview"))


def _tone(result: InstanceList) -> Tone:
    if result.total and result.kind in URGENT:
        return "danger"
    return "warning" if result.outages else "neutral" if result.total else "success"
