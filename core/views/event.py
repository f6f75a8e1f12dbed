"""What another system told: a failure with its diagnosis, an alert, a check of data, the progress of a backfill.

The card is the diagnosis or the state of the instance where there is one; what the event itself says stands above.
"""

from collections.abc import Iterator

from core.cards import Block, Card, Field, Fields, Log, Text, Tone
from core.effects.model import Finding
from core.results import Diagnosed, InstanceDetail
from core.schedulers.base import Status
from core.views import alert, buttons, calling, detail, diagnosis
from core.views.reader import SENTENCE, Reader, plain, plain_line

TONES: dict[str, Tone] = {"info": "info", "warning": "warning", "critical": "danger"}


def card(reader: Reader, found: Finding) -> Card:
    """The card of something that stands alone."""
    one, instance = found.happening, found.instance
    above = tuple(_above(reader, found))
    if instance is None:
        above = (*above, *_progress(reader, found))
        tone = "success" if found.over else TONES[one.severity]
        return Card(_title(reader, found), (*above, *_known(reader, found)), tone, reader.as_of(found.as_of))
    if found.diagnosis is not None:
        shown = diagnosis.card(reader, Diagnosed(instance, found.diagnosis, found.as_of))
    else:
        shown = detail.card(reader, InstanceDetail(instance, found.as_of))
    return Card(_title(reader, found), (*above, *shown.blocks), shown.tone, shown.subtitle)


def _title(reader: Reader, found: Finding) -> str:
    one, instance = found.happening, found.instance
    name = plain(instance.task.name if instance else one.name or one.subject.partition(":")[2])
    if found.over and one.kind != "progress":
        return reader.words("effects.title.over", name=name)
    if one.kind == "failed" and found.diagnosis is not None:
        cause = reader.words(f"diagnosis.cause.{found.diagnosis.cause}")
        return reader.words("views.diagnosis.title", name=name, cause=cause)
    if one.kind == "heard":
        return reader.words("effects.title.heard", tool=plain(one.source))
    key = f"effects.title.{one.kind}.{one.word}"
    return reader.words(key if key in reader.words else f"effects.title.{one.kind}.other", name=name)


def _above(reader: Reader, found: Finding) -> Iterator[Block]:
    """What the event says, beside what is known of the instance."""
    one = found.happening
    if found.report is not None:
        yield from alert.blocks(reader, found.report)
    elif one.kind == "heard":
        lines = [plain_line(line) for line in one.text.splitlines() if line.strip()][:20]
        yield Log(tuple(enumerate(lines, 1)))
    if one.kind == "failed" and found.diagnosis is None and not found.over:
        yield Text(reader.words("effects.not_looked_into"))
    if found.rule is not None:
        yield Text(reader.words("effects.rule", rule=calling.sentence(reader, found.rule)))
    named = {key: value for key, value in one.values.items() if value and f"effects.field.{key}" in reader.words}
    fields = [Field(reader.words(f"effects.field.{key}"), plain(value, SENTENCE)) for key, value in named.items()]
    fields += (
        [Field(reader.words("effects.field.actor"), plain(one.actor))] if one.actor and one.kind != "failed" else []
    )
    if fields:
        yield Fields(tuple(fields))


def _progress(reader: Reader, found: Finding) -> Iterator[Block]:
    """How far a run of a workflow is, as far as its instances are known."""
    if found.progress:
        counts = found.progress.items()
        known = sum(found.progress.values())
        done = sum(count for status, count in counts if status.succeeded or status is Status.SKIPPED)
        failed = sum(count for status, count in counts if status.failed)
        yield Text(reader.words("effects.progress", known=known, done=done, failed=failed, left=known - done - failed))


def _known(reader: Reader, found: Finding) -> Iterator[Block]:
    """What is known where no scheduler knows the instance."""
    one = found.happening
    fields = [Field(reader.words("effects.field.at"), reader.moment(one.at, found.as_of))]
    fields += [Field(reader.words("views.field.project"), plain(one.project))] if one.project else []
    fields += [Field(reader.words("effects.field.instances"), reader.listed(one.instances))] if one.instances else []
    yield Fields(tuple(fields))
    if found.table is not None:
        asked = buttons.command(reader, "table", name=f"{found.table.scheduler}:{found.table.name}")
        yield from buttons.row(asked, *(() if found.over else buttons.mute_table(reader, found.table)))
