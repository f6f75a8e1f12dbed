"""A change in every state of its life: what exactly, to what, asked by whom, until when; then what became of it.

One card shows a proposal from the question to the end of the run; it is edited in place.
"""

from collections.abc import Iterator

from core.cards import Block, Button, Card, Field, Fields, Form, Input, Text, Tone
from core.drift import drift
from core.operations import RULES
from core.results import DaysWanted, Proposal
from core.schedulers.base import Instance, Operation
from core.views import buttons, members
from core.views.instances import business_date, owner
from core.views.notices import refused
from core.views.reader import SENTENCE, Reader, plain
from core.views.status import flags, status_and_run, tone

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
    "lost": "warning",
}
OVER = frozenset({"expired", "void", "cancelled", "rejected", "lost"})
"""Ends without anything done, after which one may ask anew."""


def card(reader: Reader, result: Proposal) -> Card:
    """The card of a proposal."""
    state = result.state if result.state in TONES else "unknown"
    operation = reader.words(f"operations.{result.operation}.name")
    return Card(
        title=reader.words(f"proposals.card.{_told(result, state)}", operation=operation, name=_name(reader, result)),
        subtitle=_subtitle(reader, result, state),
        tone=TONES[state],
        blocks=tuple(_blocks(reader, result, state)),
    )


def days(reader: Reader, result: DaysWanted) -> Card:
    """The card that asks for the days of a backfill."""
    name = plain(result.instance.task.name)
    wanted = (("start", result.start), ("end", result.end))
    inputs = tuple(
        Input(which, reader.words(f"proposals.backfill.{which}"), "date", required=True, value=day.isoformat())
        for which, day in wanted
    )
    submit = Button(
        reader.words("proposals.backfill.submit"), "backfill", {"target": result.instance.task.ref}, "primary"
    )
    return Card(
        title=reader.words("proposals.backfill.title", name=name),
        blocks=(
            Text(reader.words("proposals.backfill.next", count=result.most)),
            *([Form(inputs, submit)] if buttons.possible(reader, Operation.BACKFILL, result.instance) else []),
            *buttons.row(*buttons.about(reader, result.instance, "status")),
        ),
    )


def _name(reader: Reader, result: Proposal) -> str:
    name = plain(result.instance.task.name)
    return reader.words("proposals.card.several", name=name, count=len(result.members)) if result.batch else name


def _subtitle(reader: Reader, result: Proposal, state: str) -> str:
    if state != "open":
        return plain(result.id)
    return reader.words("proposals.card.subtitle", id=plain(result.id), until=reader.zoned(result.expires_at))


def _blocks(reader: Reader, result: Proposal, state: str) -> Iterator[Block]:
    yield Text(reader.words(f"proposals.next.{_told(result, state)}"), "strong")
    if state == "open":
        yield from _warnings(reader, result)
    if state == "void":
        yield from _changes(reader, result)
    yield Fields(tuple(_fields(reader, result)))
    if result.refusal:
        yield Text(refused(reader, result.refusal))
    elif result.message:
        yield Text(reader.words("proposals.card.message", message=plain(result.message, SENTENCE)))
    yield from members.blocks(reader, result, decides=_may(reader, result) or _asked(reader, result))
    yield from buttons.row(*_buttons(reader, result, state))


def _told(result: Proposal, state: str) -> str:
    """What the state is called: whether the platform refused it, or it was held back before it got there."""
    return "held_back" if result.refusal and state == "refused" else state


def _warnings(reader: Reader, result: Proposal) -> Iterator[Text]:
    yield Text(reader.words("proposals.card.one_by_one" if result.batch else f"operations.{result.operation}.effect"))
    yield Text(reader.words(f"operations.{result.operation}.risk"), "muted")
    for effect in result.effects:
        yield Text(reader.sentence(f"operations.beside.{effect}", {}, otherwise="operations.beside.other"), "muted")


def _changes(reader: Reader, result: Proposal) -> Iterator[Text]:
    """What was on the card and what was found instead, one line for each thing."""
    if result.found is None:
        return
    before, now = result.instance, result.found
    lines = [
        reader.words(
            f"proposals.drift.{facet}",
            before=_facet(reader, facet, before),
            now=_facet(reader, facet, now),
        )
        for facet in drift(before, now)
    ]
    yield Text("\n".join(lines) or reader.words("proposals.drift.downstream"))


def _facet(reader: Reader, facet: str, instance: Instance) -> str:
    match facet:
        case "status":
            return reader.words(f"status.{instance.status}")
        case "run":
            return str(instance.run_number)
        case "flags":
            named = [reader.words(f"status.flag.{name}") for name in flags(instance.flags)]
            return " · ".join(named) or reader.words("proposals.drift.no_flags")
        case "owner":
            return reader.listed(instance.task.owners, 3) or reader.words("views.no_owner")
        case "project":
            return plain(instance.task.project)
        case _:
            return " · ".join(plain(part, 60) for part in (instance.task.name, instance.task.kind, instance.task.cycle))


def _fields(reader: Reader, result: Proposal) -> Iterator[Field]:
    instance, label = result.instance, reader.words
    if not result.batch:
        yield Field(label("proposals.card.target"), f"{plain(instance.task.name)} · {plain(instance.ref)}")
        yield Field(label("views.field.status"), status_and_run(reader, instance), tone(instance))
        yield _when(reader, result)
        yield Field(label("views.field.project"), f"{plain(instance.task.project)} · {plain(instance.task.scheduler)}")
        yield owner(reader, instance)
    if result.affected > 1 and result.start is None:
        count = label("proposals.card.instances", count=result.affected)
        yield Field(label("proposals.card.affected"), count, "warning")
    if result.state == "open":
        risk = RULES[result.operation].risk
        tint = "danger" if risk == "high" else "neutral"
        yield Field(label("proposals.card.risk"), label(f"operations.level.{risk}"), tint)
    yield Field(label("proposals.card.requester"), plain(result.requester))
    if result.decider:
        yield Field(label("proposals.card.decider"), plain(result.decider))
    if result.ticket:
        yield Field(label("proposals.card.ticket"), plain(result.ticket))


def _when(reader: Reader, result: Proposal) -> Field:
    if result.start is None or result.end is None:
        return business_date(reader, result.instance)
    first, last = result.start.isoformat(), result.end.isoformat()
    days = reader.words("proposals.card.span", first=first, last=last, count=result.affected)
    return Field(reader.words("proposals.card.days"), days, "warning")


def _buttons(reader: Reader, result: Proposal, state: str) -> Iterator[Button]:
    instance = result.instance
    if state == "open":
        yield from _decision(reader, result)
    elif result.batch:
        yield buttons.command(reader, "failed")
    elif state == "succeeded":
        yield from buttons.about(reader, instance, "status", "downstream")
    elif state in {"following", "executing", "confirmed"}:
        yield from buttons.about(reader, instance, "status", "log")
    elif state == "failed":
        yield from buttons.about(reader, instance, "diagnose", "log")
    elif state in OVER:
        yield from buttons.about(reader, instance, "status")
        yield from _again(reader, result)
    else:
        yield from buttons.about(reader, instance, "status", "diagnose")
        if state == "unknown" and RULES[result.operation].repeatable:
            yield from _again(reader, result)
    if not result.batch:
        yield from buttons.page(reader, instance)


def _again(reader: Reader, result: Proposal) -> Iterator[Button]:
    """To ask anew, where what was found allows it."""
    now = result.found or result.instance
    if RULES[result.operation].fits(now) and buttons.possible(reader, result.operation, now):
        yield buttons.propose(reader, result.operation, now)


def _decision(reader: Reader, result: Proposal) -> Iterator[Button]:
    """Confirming is for who may carry it out; withdrawing also for who asked."""
    may, arguments = _may(reader, result), {"proposal": result.id}
    if may:
        operation = reader.words(f"operations.{result.operation}.name")
        label = reader.words("proposals.card.confirm", operation=operation)
        risky = RULES[result.operation].risk == "high" or result.batch
        yield Button(label, "confirm", arguments, "danger" if risky else "primary")
    if may or _asked(reader, result):
        yield Button(reader.words("proposals.card.cancel"), "cancel", arguments)


def _may(reader: Reader, result: Proposal) -> bool:
    """Whether the reader may do this; of a batch, to at least one of its entries."""
    tasks = [member.instance.task for member in result.chosen] if result.batch else [result.instance.task]
    return any(reader.person.may(result.operation, task) for task in tasks)


def _asked(reader: Reader, result: Proposal) -> bool:
    return reader.person.name == result.requester
