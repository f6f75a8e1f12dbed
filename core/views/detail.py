"""One instance: what it is doing, what it waits for, how it went before, and what to do next."""

from collections.abc import Iterator

from core.cards import Block, Card, Chart, Field, Fields, Text, Tone
from core.results import InstanceDetail
from core.schedulers.base import Constraints, Instance, Status
from core.views import buttons, watch
from core.views.grounds import seen_at
from core.views.instances import business_date, item, owner
from core.views.reader import SENTENCE, Reader, plain
from core.views.status import flags, next_step, status_line, tone

BLOCKERS = 5
RUNS = 14


def card(reader: Reader, result: InstanceDetail) -> Card:
    """The card of one instance."""
    instance = result.instance
    return Card(
        title=reader.words("views.detail.title", name=plain(instance.task.name), status=status_line(reader, instance)),
        subtitle=reader.as_of(seen_at(result), instance.business_date),
        tone=tone(instance),
        blocks=tuple(_blocks(reader, result)),
    )


def _blocks(reader: Reader, result: InstanceDetail) -> Iterator[Block]:
    instance = result.instance
    yield Text(next_step(reader, instance), "strong")
    yield from (Text(reader.words(f"status.flag_means.{name}")) for name in flags(instance.flags))
    if instance.note:
        yield Text(reader.words("views.detail.note", note=plain(instance.note, SENTENCE)))
    yield Fields(tuple(_fields(reader, result)))
    yield from watch.muted(reader, result.mute)
    yield from buttons.row(*_buttons(reader, instance))
    yield from _blockers(reader, result)
    yield from _history(reader, result.history)


def _fields(reader: Reader, result: InstanceDetail) -> Iterator[Field]:
    instance = result.instance
    label = reader.words
    yield owner(reader, instance)
    yield Field(label("views.field.project"), f"{plain(instance.task.project)} · {plain(instance.task.scheduler)}")
    yield business_date(reader, instance)
    for key, at in (
        ("due", instance.scheduled_at),
        ("started", instance.started_at),
        ("waiting", instance.waiting_since if not instance.started_at else None),
        ("ended", instance.finished_at),
    ):
        if at is not None:
            yield Field(label(f"views.when.{key}"), reader.moment_and_age(at, result.as_of))
    if instance.seconds is not None:
        yield Field(label("views.field.duration"), reader.duration(instance.seconds))
    yield Field(label("views.field.run"), str(instance.run_number) if instance.run_number else label("views.never_ran"))
    yield Field(label("views.field.run_type"), label(f"status.run_type.{instance.run_type}"))
    if instance.raw_status:
        yield Field(label("views.field.raw_status"), plain(instance.raw_status))
    yield from _constraints(reader, result)


def _constraints(reader: Reader, result: InstanceDetail) -> Iterator[Field]:
    held: Constraints = result.constraints
    label = reader.words
    if held.due_at is not None and held.due_at > result.as_of:
        yield Field(label("views.held.due"), reader.moment_and_age(held.due_at, result.as_of), "warning")
    for key, values in (
        ("throttled", held.throttled_by),
        ("throttle_holders", held.throttle_holders),
        ("resource_group", (held.resource_group,)),
        ("resource_holders", held.resource_holders),
    ):
        if any(values):
            yield Field(label(f"views.held.{key}"), reader.listed(values), "warning")
    if held.paused:
        yield Field(label("views.held.paused"), label("views.held.paused_means"), "warning")


def _buttons(reader: Reader, instance: Instance) -> Iterator[buttons.Button]:
    yield from buttons.asking(reader, instance)
    yield from buttons.changing(reader, instance)
    yield from buttons.about(reader, instance, "upstream", "downstream")
    yield from buttons.promising(reader, instance)
    yield from buttons.page(reader, instance)


def _blockers(reader: Reader, result: InstanceDetail) -> Iterator[Block]:
    if result.blockers:
        yield Text(reader.words("views.detail.blockers", count=len(result.blockers)), "strong")
    for blocker in result.blockers[:BLOCKERS]:
        yield item(reader, blocker, result.as_of, buttons.about(reader, blocker, "status", "diagnose"))


def _history(reader: Reader, history: tuple[Instance, ...]) -> Iterator[Chart]:
    points = [point for run in history[:RUNS] for point in _point(reader, run)]
    if len(points) > 1:
        title = reader.words("views.detail.history", count=len(points))
        yield Chart("bar", tuple(reversed(points)), title, reader.words("views.seconds"))


def _point(reader: Reader, run: Instance) -> Iterator[tuple[str, float, Tone]]:
    """How long a run took, by when it was due; with its status, which colour alone must not say."""
    if run.seconds is None or run.scheduled_at is None:
        return
    due = reader.moment(run.scheduled_at, run.scheduled_at)
    label = due if run.status is Status.SUCCESS else f"{due} {reader.words(f'status.{run.status}')}"
    yield label, float(round(run.seconds)), tone(run)
