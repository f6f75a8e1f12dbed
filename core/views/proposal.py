"""A change in every state of its life: what exactly, to what, asked by whom, until when; then what became of it.

One card shows a proposal from the question to the end of the run; it is edited in place.
"""

from collections.abc import Iterator

from core.cards import Block, Button, Card, Field, Fields, Text, Tone
from core.results import Proposal
from core.schedulers.base import Operation
from core.views import buttons
from core.views.instances import business_date, owner
from core.views.reader import SENTENCE, Reader, plain
from core.views.status import status_and_run, tone

TONES: dict[str, Tone] = {
    "open": "warning",
    "awaiting": "info",
    "confirmed": "info",
    "executing": "info",
    "following": "info",
    "succeeded": "success",
    "failed": "danger",
    "cancelled": "neutral",
    "expired": "neutral",
    "rejected": "danger",
    "void": "warning",
    "refused": "danger",
    "unknown": "warning",
}
RISKY = frozenset({Operation.SET_SUCCESS, Operation.KILL, Operation.BACKFILL, Operation.RERUN_DOWNSTREAM})
"""Operations whose confirming button says "danger"; the same that need an administrator, and the one that spreads."""


def card(reader: Reader, result: Proposal) -> Card:
    """The card of a proposal."""
    state = result.state if result.state in TONES else "unknown"
    operation = reader.words(f"operations.{result.operation}.name")
    name = plain(result.instance.task.name)
    return Card(
        title=reader.words(f"views.proposal.{state}", operation=operation, name=name),
        subtitle=_subtitle(reader, result, state),
        tone=TONES[state],
        blocks=tuple(_blocks(reader, result, state)),
    )


def _subtitle(reader: Reader, result: Proposal, state: str) -> str:
    if state != "open":
        return plain(result.id)
    return reader.words("views.proposal.subtitle", id=plain(result.id), until=reader.zoned(result.expires_at))


def _blocks(reader: Reader, result: Proposal, state: str) -> Iterator[Block]:
    yield Text(reader.words(f"views.proposal.next.{state}"), "strong")
    if state == "open":
        yield Text(reader.words(f"operations.{result.operation}.effect"))
        yield Text(reader.words(f"operations.{result.operation}.risk"), "muted")
        for effect in result.effects:
            yield Text(reader.words(f"operations.beside.{effect}"), "muted")
    yield Fields(tuple(_fields(reader, result)))
    if result.message:
        yield Text(reader.words("views.proposal.message", message=plain(result.message, SENTENCE)))
    yield from buttons.row(*_buttons(reader, result, state))


def _fields(reader: Reader, result: Proposal) -> Iterator[Field]:
    instance, label = result.instance, reader.words
    yield Field(label("views.proposal.target"), f"{plain(instance.task.name)} · {plain(instance.ref)}")
    yield Field(label("views.field.status"), status_and_run(reader, instance), tone(instance))
    yield business_date(reader, instance)
    yield Field(label("views.field.project"), f"{plain(instance.task.project)} · {plain(instance.task.scheduler)}")
    yield owner(reader, instance)
    if result.affected > 1:
        yield Field(
            label("views.proposal.affected"), label("views.proposal.instances", count=result.affected), "warning"
        )
    yield Field(label("views.proposal.requester"), plain(result.requester))
    if result.decider:
        yield Field(label("views.proposal.decider"), plain(result.decider))
    if result.ticket:
        yield Field(label("views.proposal.ticket"), plain(result.ticket))


def _buttons(reader: Reader, result: Proposal, state: str) -> Iterator[Button]:
    instance = result.instance
    if state == "open":
        yield from _decision(reader, result)
    elif state == "succeeded":
        yield from buttons.about(reader, instance, "status", "downstream")
    elif state in {"following", "executing", "confirmed"}:
        yield from buttons.about(reader, instance, "status", "log")
    elif state == "failed":
        yield from buttons.about(reader, instance, "diagnose", "log")
    elif state in {"expired", "void", "cancelled", "rejected"}:
        yield from buttons.about(reader, instance, "status")
        if reader.person.may(result.operation, instance.task):
            yield buttons.propose(reader, result.operation, instance)
    else:
        yield from buttons.about(reader, instance, "status", "diagnose")
    yield from buttons.page(reader, instance)


def _decision(reader: Reader, result: Proposal) -> Iterator[Button]:
    """Confirming is for who may carry it out; withdrawing also for who asked."""
    may = reader.person.may(result.operation, result.instance.task)
    arguments = {"proposal": result.id}
    if may:
        operation = reader.words(f"operations.{result.operation}.name")
        label = reader.words("views.proposal.confirm", operation=operation)
        yield Button(label, "confirm", arguments, "danger" if result.operation in RISKY else "primary")
    if may or reader.person.name == result.requester:
        yield Button(reader.words("views.proposal.cancel"), "cancel", arguments)
