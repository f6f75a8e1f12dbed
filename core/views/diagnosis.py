"""A diagnosis: the cause in words, the lines that prove it, whether a rerun would help, and whom to call.

What only came before is shown with its time and called no cause; a runbook is quoted, with where the rest of it is.
"""

from collections.abc import Iterator, Mapping, Sequence

from core.cards import Block, Card, Field, Fields, Log, Note, Table, Text, Tone
from core.diagnosis.model import Before, Cause, Check, Diagnosis, LogFinding, Place, Runbook
from core.results import Diagnosed
from core.schedulers.base import Instance, Operation
from core.views import buttons, calling, watch
from core.views.grounds import seen_at
from core.views.instances import item, owner
from core.views.log import injection
from core.views.reader import SENTENCE, Reader, plain, plain_line
from core.views.status import status_line, tone

MARKS = {"pass": "✓", "blocked": "✗", "skipped": "–", "unknown": "?"}
PROOFS = 12


def card(reader: Reader, result: Diagnosed) -> Card:
    """The card of a diagnosis."""
    instance, cause = result.instance, result.diagnosis.cause
    return Card(
        title=reader.words(
            "views.diagnosis.title", name=plain(instance.task.name), cause=reader.words(f"diagnosis.cause.{cause}")
        ),
        subtitle=reader.as_of(seen_at(result), instance.business_date),
        tone=_tone(instance, cause),
        blocks=tuple(_blocks(reader, result)),
    )


def pasted(reader: Reader, found: LogFinding) -> Card:
    """The card of a log that was pasted: what it says by itself, of an instance that nobody named."""
    return Card(
        title=reader.words("views.diagnosis.pasted", cause=reader.words(f"diagnosis.cause.{found.cause}")),
        tone="success" if found.cause is Cause.SUCCESS_OR_HEALTHY else "danger",
        blocks=(
            *injection(reader, frozenset(found.injection)),
            *_verdict(reader, found),
            *_about(reader, found),
            *_lines(reader, found),
            *_advice(reader, (found.advice,) if found.advice else ()),
            Note(reader.words("views.diagnosis.pasted_next")),
        ),
    )


def _verdict(reader: Reader, found: Diagnosis | LogFinding) -> Iterator[Text]:
    confidence, meaning = (
        reader.words(f"diagnosis.{part}") for part in (f"confidence.{found.confidence}", f"meaning.{found.cause}")
    )
    yield Text(reader.words("views.diagnosis.headline", confidence=confidence, meaning=meaning), "strong")
    yield Text(reader.words(f"diagnosis.rerun.{found.rerun_helps}"), "strong")


def _about(reader: Reader, found: LogFinding) -> Iterator[Fields]:
    if said := tuple(_fault(reader, found)):
        yield Fields(said)


def _fault(reader: Reader, found: Diagnosis | LogFinding) -> Iterator[Field]:
    """What the fault is about, and where in people's own code it is."""
    if found.object:
        yield Field(reader.words("views.diagnosis.object"), plain(found.object))
    if found.place is not None:
        yield Field(reader.words("diagnosis.card.place"), _place(reader, found.place))


def _tone(instance: Instance, cause: Cause) -> Tone:
    """A success that is none must not look like one."""
    if cause is Cause.SUCCESS_OR_HEALTHY:
        return "success"
    return "warning" if instance.status.succeeded else tone(instance)


def _blocks(reader: Reader, result: Diagnosed) -> Iterator[Block]:
    found = result.diagnosis
    yield from injection(reader, frozenset(found.injection))
    yield from _verdict(reader, found)
    yield Fields(tuple(_fields(reader, result)))
    yield from _proofs(reader, found)
    yield from _advice(reader, found.advice)
    yield from (_runbook(reader, book) for book in found.runbooks)
    yield from _blocker(reader, result)
    yield from _before(reader, result)
    yield from calling.about(reader, found.alert_rules, reader.words("calling.title"))
    yield from watch.muted(reader, result.mute)
    yield from buttons.row(*_buttons(reader, result))
    yield _checks(reader, found)


def _fields(reader: Reader, result: Diagnosed) -> Iterator[Field]:
    found, label = result.diagnosis, reader.words
    yield Field(label("views.field.status"), status_line(reader, result.instance), tone(result.instance))
    yield from _fault(reader, found)
    yield owner(reader, result.instance)
    yield from calling.on_duty(reader, found.alert_rules)
    waiting = reader.count(found.downstream, more=found.more_downstream)
    yield Field(label("views.diagnosis.downstream"), label("views.diagnosis.waiting", count=waiting))
    if found.late:
        named = [f"{one.name} {reader.moment(one.promised_at, result.as_of)}" for one in found.late]
        yield Field(label("diagnosis.card.late"), reader.listed(named), "danger")
    if found.also_failed_yesterday is not None:
        key = "also_failed" if found.also_failed_yesterday else "first_failure"
        yield Field(label("views.diagnosis.before"), label(f"views.diagnosis.{key}"))


def _lines(reader: Reader, found: Diagnosis | LogFinding) -> Iterator[Log]:
    """The lines of the log that prove it, the root error and people's own code marked."""
    lines = {proof.line: plain_line(proof.text) for proof in found.proofs[:PROOFS] if proof.line > 0}
    if lines:
        root = next(proof.line for proof in found.proofs if proof.line > 0)
        own = {proof.line for proof in found.proofs if found.place and proof.id in found.place.proofs}
        yield Log(tuple(sorted(lines.items())), frozenset({root, *own}), reader.words("views.diagnosis.proof_log"))


def _proofs(reader: Reader, found: Diagnosis) -> Iterator[Block]:
    yield from _lines(reader, found)
    elsewhere = {cited for check in found.ruled_out if check.name != "execution" for cited in check.proofs}
    facts = [proof for proof in found.proofs[:PROOFS] if proof.line <= 0 and proof.id not in elsewhere]
    if facts:
        said = "\n".join(f"· {plain(proof.text, 300)}" for proof in facts)
        yield Text(f"{reader.words('views.diagnosis.proof_facts')}\n{said}")


def _advice(reader: Reader, keys: Sequence[str]) -> Iterator[Text]:
    if keys:
        said = [reader.sentence(f"diagnosis.advice.{key}", {}, otherwise="views.diagnosis.read_log") for key in keys]
        listed = "\n".join(f"{number}. {sentence}" for number, sentence in enumerate(dict.fromkeys(said), 1))
        yield Text(f"{reader.words('views.diagnosis.advice')}\n{listed}")


def _blocker(reader: Reader, result: Diagnosed) -> Iterator[Block]:
    blocker = result.diagnosis.blocker
    if blocker is None:
        return
    name = plain(blocker.task.owner, 40)
    key = "views.diagnosis.blocker" if name else "views.diagnosis.blocker_unowned"
    yield Text(reader.words(key, owner=name), "strong")
    shown = (*buttons.about(reader, blocker, "diagnose", "status"), *buttons.mending(reader, blocker))
    yield item(reader, blocker, result.as_of, shown)


def _place(reader: Reader, place: Place) -> str:
    """`load.py:121 build_features`, or `line 4 of the statement: , SUM(amount`."""
    if place.file:
        return plain(f"{place.file}:{place.line} {place.function}", SENTENCE)
    key = "diagnosis.card.statement_line" if place.line else "diagnosis.card.statement"
    return reader.words(key, line=place.line, code=plain(place.code, SENTENCE))


def _runbook(reader: Reader, book: Runbook) -> Text:
    steps = "\n".join(f"{number}. {plain(step, 300)}" for number, step in enumerate(book.steps, 1))
    rest = reader.words("diagnosis.card.runbook_rest", count=book.more, where=plain(book.where, 300))
    return Text(
        f"{reader.words('diagnosis.card.runbook', title=plain(book.title))}\n{steps}\n{rest}".replace("\n\n", "\n")
    )


def _before(reader: Reader, result: Diagnosed) -> Iterator[Text]:
    """What happened before, by how long before; a change that names what the fault is about says so."""
    if result.diagnosis.before:
        listed = "\n".join(_happened(reader, result, one) for one in result.diagnosis.before)
        yield Text(f"{reader.words('diagnosis.card.changes')}\n{listed}")


def _happened(reader: Reader, result: Diagnosed, one: Before) -> str:
    change, ended = one.change, result.instance.finished_at or result.as_of
    said = reader.words(
        "diagnosis.card.change",
        moment=reader.moment(change.at, result.as_of),
        earlier=reader.duration((ended - change.at).total_seconds()),
        kind=reader.words(f"diagnosis.change.{change.kind}"),
        what=" · ".join(filter(None, (plain(change.what, 300), plain(change.who, 40)))),
    )
    return f"· {said} {reader.words('diagnosis.card.linked')}" if one.linked else f"· {said}"


def _checks(reader: Reader, found: Diagnosis) -> Table:
    named = (reader.words(f"views.diagnosis.column.{key}") for key in ("check", "outcome", "detail"))
    columns = (*named, reader.words("diagnosis.card.rests"))
    facts = {proof.id: proof.text for proof in found.proofs}
    out = [reader.words(f"diagnosis.check.{check.name}") for check in found.ruled_out]
    title = reader.words("diagnosis.card.ruled_out", names=reader.listed(out)) if out else ""
    rows = tuple(_row(reader, check, facts) for check in found.checks)
    return Table(columns, rows, len(rows), title, folded=bool(title))


def _row(reader: Reader, check: Check, facts: Mapping[str, str]) -> tuple[str, ...]:
    return (
        reader.words(f"diagnosis.check.{check.name}"),
        f"{MARKS[check.outcome]} {reader.words(f'diagnosis.outcome.{check.outcome}')}",
        reader.sentence(f"diagnosis.detail.{check.detail}", dict(check.values), otherwise="views.diagnosis.no_detail"),
        plain("; ".join(facts[cited] for cited in check.proofs[:1] if cited in facts)),
    )


def _buttons(reader: Reader, result: Diagnosed) -> Iterator[buttons.Button]:
    """The rerun comes first only where it would help; a viewer never sees it."""
    instance = result.instance
    helps = result.diagnosis.rerun_helps == "yes"
    changing = buttons.changing(reader, instance)
    reruns = tuple(button for button in changing if button.arguments["operation"] == Operation.RERUN)
    yield from reruns if helps else ()
    words = ("log", "upstream", "downstream") if buttons.ran(instance) else ("upstream", "downstream")
    yield from buttons.about(reader, instance, *words)
    yield from (button for button in changing if not (helps and button in reruns))
    yield from buttons.page(reader, instance)
