"""Whether a table was updated: when, by which instance, which partition, how many rows; or why not, and when to look again."""

from collections.abc import Iterator

from core.cards import Block, Button, Card, Field, Fields, Note, Table, Text, Tone
from core.results import TableReport
from core.schedulers.base import TableUpdate
from core.views import buttons
from core.views.grounds import seen_at
from core.views.instances import item
from core.views.reader import Reader, plain

UPDATES = 5
TONES: dict[str, Tone] = {
    "updated": "success",
    "pending": "info",
    "late": "warning",
    "empty": "warning",
    "failed": "danger",
    "unknown": "neutral",
}


def card(reader: Reader, result: TableReport) -> Card:
    """The card of a table."""
    business_date = result.producer.business_date if result.producer else None
    return Card(
        title=reader.words(f"views.table.{result.verdict}", name=plain(result.table.name)),
        subtitle=reader.as_of(seen_at(result), business_date),
        tone=TONES[result.verdict],
        blocks=tuple(_blocks(reader, result)),
    )


def _blocks(reader: Reader, result: TableReport) -> Iterator[Block]:
    yield Text(reader.words(f"views.table.next.{result.verdict}", day=reader.day(result.day)), "strong")
    if result.reason:
        yield Text(reader.sentence(f"tables.{result.reason}", {}, otherwise="tables.other"))
    if result.table.unmeasured:
        yield Note(reader.words("views.table.unmeasured", why=plain(result.table.unmeasured)))
    yield Fields(tuple(_fields(reader, result)))
    if (producer := result.producer) is not None:
        yield Text(reader.words("views.table.producer"), "muted")
        yield item(reader, producer, result.as_of, buttons.listed(reader, producer))
    yield from _earlier(reader, result)
    again = {"name": result.table.name, "day": result.day.isoformat()}
    hushing = buttons.mute_table(reader, result.table) if result.verdict in {"late", "failed"} else ()
    yield from buttons.row(Button(reader.words("views.button.refresh"), "table", again), *hushing)


def _fields(reader: Reader, result: TableReport) -> Iterator[Field]:
    label = reader.words
    update = result.update
    if update is None:
        yield Field(label("views.table.updated_at"), label("views.table.never"))
    else:
        yield Field(label("views.table.updated_at"), reader.moment_and_age(update.at, result.as_of))
        yield Field(label("views.table.partition"), plain(update.partition) or _no_partition(reader, result))
        yield Field(label("views.table.rows"), _rows(reader, update))
        if update.instance and (result.producer is None or update.instance != result.producer.ref):
            yield Field(label("views.table.by"), plain(update.instance))
    if result.expected_at is not None:
        yield Field(label("views.table.expected_at"), reader.moment_and_age(result.expected_at, result.as_of))
    yield Field(label("views.field.owner"), plain(result.table.owner) or label("views.no_owner"))
    if result.table.project:
        yield Field(label("views.field.project"), plain(result.table.project))


def _no_partition(reader: Reader, result: TableReport) -> str:
    return reader.words("views.unknown" if result.table.partitioned else "views.table.not_partitioned")


def _rows(reader: Reader, update: TableUpdate) -> str:
    return reader.words("views.unknown") if update.rows is None else f"{update.rows:,}"


def _earlier(reader: Reader, result: TableReport) -> Iterator[Table]:
    updates = result.table.updates[:UPDATES]
    if len(updates) > 1:
        yield Table(
            tuple(reader.words(f"views.table.{key}") for key in ("updated_at", "partition", "rows")),
            tuple(
                (reader.moment(update.at, result.as_of), plain(update.partition), _rows(reader, update))
                for update in updates
            ),
            len(result.table.updates),
        )
