"""A diagnosis: the cause in words, the lines that prove it, whether a rerun would help, and whom to call."""

from collections.abc import Iterator

from core.cards import Block, Card, Field, Fields, Log, Table, Text
from core.diagnosis.model import Cause, Check, Diagnosis
from core.results import Diagnosed
from core.schedulers.base import Operation
from core.views import buttons
from core.views.instances import item, owner
from core.views.log import injection
from core.views.reader import Reader, plain, plain_line
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
        subtitle=reader.as_of(result.as_of, instance.business_date),
        tone="success" if cause is Cause.SUCCESS_OR_HEALTHY else tone(instance),
        blocks=tuple(_blocks(reader, result)),
    )


def _blocks(reader: Reader, result: Diagnosed) -> Iterator[Block]:
    found = result.diagnosis
    yield from injection(reader, frozenset(found.injection))
    confidence, meaning = (
        reader.words(f"diagnosis.{part}") for part in (f"confidence.{found.confidence}", f"meaning.{found.cause}")
    )
    yield Text(reader.words("views.diagnosis.headline", confidence=confidence, meaning=meaning), "strong")
    yield Text(reader.words(f"diagnosis.rerun.{found.rerun_helps}"), "strong")
    yield Fields(tuple(_fields(reader, result)))
    yield from _proofs(reader, found)
    yield from _advice(reader, found)
    yield from _blocker(reader, result)
    yield from buttons.row(*_buttons(reader, result))
    yield _checks(reader, found.checks)


def _fields(reader: Reader, result: Diagnosed) -> Iterator[Field]:
    found, label = result.diagnosis, reader.words
    yield Field(label("views.field.status"), status_line(reader, result.instance), tone(result.instance))
    if found.object:
        yield Field(label("views.diagnosis.object"), plain(found.object))
    yield owner(reader, result.instance)
    yield Field(label("views.diagnosis.downstream"), label("views.diagnosis.waiting", count=found.downstream))
    if found.also_failed_yesterday is not None:
        key = "also_failed" if found.also_failed_yesterday else "first_failure"
        yield Field(label("views.diagnosis.before"), label(f"views.diagnosis.{key}"))


def _proofs(reader: Reader, found: Diagnosis) -> Iterator[Block]:
    lines = {proof.line: plain_line(proof.text) for proof in found.proofs[:PROOFS] if proof.line > 0}
    if lines:
        root = next(proof.line for proof in found.proofs if proof.line > 0)
        yield Log(tuple(sorted(lines.items())), frozenset({root}), reader.words("views.diagnosis.proof_log"))
    facts = [proof for proof in found.proofs[:PROOFS] if proof.line <= 0]
    if facts:
        said = "\n".join(f"· {plain(proof.text, 300)}" for proof in facts)
        yield Text(f"{reader.words('views.diagnosis.proof_facts')}\n{said}")


def _advice(reader: Reader, found: Diagnosis) -> Iterator[Text]:
    if found.advice:
        said = [
            reader.sentence(f"diagnosis.advice.{key}", {}, otherwise="views.diagnosis.read_log") for key in found.advice
        ]
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


def _checks(reader: Reader, checks: tuple[Check, ...]) -> Table:
    columns = tuple(reader.words(f"views.diagnosis.column.{key}") for key in ("check", "outcome", "detail"))
    return Table(columns, tuple(_row(reader, check) for check in checks), len(checks))


def _row(reader: Reader, check: Check) -> tuple[str, ...]:
    return (
        reader.words(f"diagnosis.check.{check.name}"),
        f"{MARKS[check.outcome]} {reader.words(f'diagnosis.outcome.{check.outcome}')}",
        reader.sentence(f"diagnosis.detail.{check.detail}", dict(check.values), otherwise="views.diagnosis.no_detail"),
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
