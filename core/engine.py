"""One inbound event from start to finish: who, which path, answer, record.

    click or /command ──▶ core.commands ─┐
    anything else ──────▶ core.agent ────┴─▶ results ─▶ cards ─▶ channel ─▶ history

Handling the same event twice is harmless: every card carries a key made from the event's, and the journal hands an event
out again only when a process died with it.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

import structlog

from core import views
from core.access import Person
from core.agent import Agent, Answer, Call
from core.agent.history import History
from core.audit import Audit
from core.cards import Block, Card, Text
from core.commands import Asked, Commands
from core.delivery import Delivery
from core.errors import Denied, NotFound, XOpsError
from core.execution import subject
from core.i18n import Words, closest, words
from core.messages import Click, Event, Message
from core.observe import EVENTS, REPLY_SECONDS, new_trace
from core.people.door import Door
from core.redact import mask
from core.results import Diagnosed, Missing, Problem, Proposal, Result
from core.store import Connection, Work
from core.watches.model import WatchView, promise

PATIENCE = 1.0
"""Seconds after which a person is told what is being looked up."""

T = TypeVar("T")
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer before it is sent.

    Attributes:
        answer: the results and how they were chosen.
        cards: one for each result, in the same order; that of a diagnosis also carries the model's words, if any.
    """

    answer: Answer
    cards: tuple[Card, ...]


class Engine:
    """Answers events.

    Args:
        door: who people are, and who is answered.
        commands: what needs no model.
        agent: everything else.
        history: what was said.
        delivery: where answers go.
        audit: refusals are recorded.
        house: how the installation speaks.
        clock: the present, with zone.
    """

    def __init__(
        self,
        door: Door,
        commands: Commands,
        agent: Agent,
        history: History,
        delivery: Delivery,
        audit: Audit,
        house: views.House,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._door = door
        self._commands = commands
        self._agent = agent
        self._history = history
        self._delivery = delivery
        self._audit = audit
        self._house = house
        self._clock = clock

    async def handle(self, event: Event) -> Work:
        """Answer one event. Called by the inbox, one event of a conversation at a time.

        Returns:
            What was said, to be written together with the event's outcome.
        """
        trace, began = new_trace(), time.perf_counter()
        path = _path(event)
        try:
            answer, edited = await self._answer_and_send(event)
        except Exception:
            EVENTS.labels(event.conversation.channel, event.type, path, "failed").inc()
            await self._apologise(event, trace)
            raise  # the inbox, at the edge of the lane, logs it and records the outcome
        seconds = time.perf_counter() - began
        EVENTS.labels(event.conversation.channel, event.type, path, "answered").inc()
        REPLY_SECONDS.labels(path).observe(seconds)
        log.info("answered", event_key=event.key, path=path, seconds=round(seconds, 4), trace=trace)
        said = f"/{event.command} {' '.join(event.arguments.values())}" if isinstance(event, Click) else event.text

        def record(connection: Connection) -> None:
            self._history.entry(connection, event.conversation, event.key, said, answer)
            if edited:
                self._delivery.forget(connection, event.key)

        return record

    async def busy(self, event: Event) -> None:
        """Say that too much is waiting in this conversation already."""
        person = self._door.person(event.actor)
        await self._delivery.send(event.conversation, views.busy(self._words(person, event)), key=f"{event.key}:busy")

    async def reply(self, event: Event, progress: Callable[[str], None]) -> Reply:
        """What would be sent, without sending it.

        Args:
            event: the question.
            progress: told the name of each tool when it starts.
        """
        person = self._door.person(event.actor)
        try:
            answer = await self._answer(event, person, progress)
        except XOpsError as error:
            answer = Answer((_explain(error),), (), (), "rules")
        await self._record_refusals(event, person, answer)
        chosen = self._words(person, event)
        zone, operations = self._house.zone, self._house.operations
        cards = tuple(views.show(result, chosen, zone, person, operations) for result in answer.results)
        above = views.pasted(answer.alert, chosen, zone, person) if answer.alert else ()
        return Reply(answer, _with_words(cards, answer, chosen, above))

    async def _apologise(self, event: Event, trace: str) -> None:
        """Say that it went wrong, with the number under which the log tells why."""
        person = self._door.person(event.actor)
        card = views.apology(self._words(person, event), trace)
        with suppress(XOpsError):  # the messenger itself may be what fails
            await self._delivery.send(event.conversation, card, key=f"{event.key}:failed")

    async def _answer(self, event: Event, person: Person, progress: Callable[[str], None]) -> Answer:
        word, arguments = self._asked(event)
        if away := await self._turn_away(event, person, word):
            return away
        if isinstance(event, Message) and not word:
            return await self._agent.answer(event, person, progress=progress)
        progress(word)
        if isinstance(event, Click) and event.card and "proposal" in arguments:
            live = subject(arguments["proposal"])
            await self._delivery.attach(live, event.conversation, event.card, self._words(person, event).language)
        pressed = isinstance(event, Click) and bool(event.card)
        asked = Asked(person, event.conversation, arguments, pressed, event.actor)
        result = await self._commands.run(word, asked)
        return Answer((result,) if result else (), (), (Call(word, arguments),), "rules")

    def _asked(self, event: Event) -> tuple[str, Mapping[str, str]]:
        """The command's word and its arguments by name; no word for free words."""
        if isinstance(event, Click):
            return event.command, {**event.form, **event.arguments}
        return self._commands.parse(event.text)

    async def _turn_away(self, event: Event, person: Person, word: str) -> Answer | None:
        """The answer of the door, which is on record; None for whoever is let in."""
        away = self._door.turn_away(person, event.actor, word)
        if away is None:
            return None
        target = event.conversation.key
        await self._audit.record(actor=person.name, action=word or "ask", target=target, outcome="turned_away")
        return Answer((away,), (), (), "rules")

    async def _answer_and_send(self, event: Event) -> tuple[Answer, bool]:
        """The answer, and whether a progress card became it."""
        steps: list[str] = []
        changed = asyncio.Event()

        def progress(step: str) -> None:
            steps.append(step)
            changed.set()

        chosen = self._words(self._door.person(event.actor), event)
        under_way = asyncio.ensure_future(self.reply(event, progress))
        reference = ""
        try:
            if not await _done_within(under_way, PATIENCE):
                card = views.progress(chosen, steps)
                reference = await self._delivery.send(event.conversation, card, key=f"{event.key}:progress")
                await self._delivery.attach(event.key, event.conversation, reference, chosen.language)
                await self._show_progress(event, reference, under_way, steps, changed, chosen)
            reply = await under_way
        finally:
            under_way.cancel()
        reference = reference or await self._left_behind(event)
        await self._send(event, reply, reference, chosen.language)
        return reply.answer, bool(reference)

    async def _show_progress(
        self,
        event: Event,
        reference: str,
        under_way: asyncio.Future[Reply],
        steps: list[str],
        changed: asyncio.Event,
        chosen: Words,
    ) -> None:
        """Edit the progress card whenever another tool starts, until the answer is there."""
        while not under_way.done():
            changed.clear()
            waiting = asyncio.ensure_future(changed.wait())
            await asyncio.wait({waiting, under_way}, return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
            if not under_way.done():
                card = views.progress(chosen, steps)
                await self._delivery.edit(event.conversation.channel, reference, card, key=f"{event.key}:p{len(steps)}")

    async def _left_behind(self, event: Event) -> str:
        """The progress card that a process which died with this event had shown, if any."""
        if self._clock() - event.at < timedelta(seconds=PATIENCE):
            return ""
        live = await self._delivery.live(event.key)
        return live[0].reference if live else ""

    async def _send(self, event: Event, reply: Reply, reference: str, language: str) -> None:
        for number, card in enumerate(reply.cards):
            key = f"{event.key}:{number}"
            if number == 0 and reference:
                await self._delivery.edit(event.conversation.channel, reference, card, key=f"{key}:done")
                sent = reference
            else:
                sent = await self._delivery.send(event.conversation, card, key=key)
            if live := _live(reply.answer.results[number]):
                await self._delivery.attach(live, event.conversation, sent, language)

    async def _record_refusals(self, event: Event, person: Person, answer: Answer) -> None:
        for result in answer.results:
            if isinstance(result, Problem) and result.text == Denied.text:
                word, arguments = self._asked(event)
                await self._audit.record(
                    actor=person.name,
                    action=word or (answer.calls[0].name if answer.calls else "ask"),
                    target=event.conversation.key,
                    outcome="denied",
                    details={**{name: mask(value) for name, value in arguments.items()}, **result.details},
                )

    def _words(self, person: Person, event: Event) -> Words:
        return words(closest(event.actor.locale or person.language or self._house.language))


def _live(result: Result) -> str:
    """The matter of which this result's card is the live one; empty when it is of none."""
    match result:
        case Proposal():
            return subject(result.id)
        case WatchView() if not result.watch.over:
            return promise(result.watch.id)
        case _:
            return ""


def _explain(error: XOpsError) -> Result:
    if isinstance(error, NotFound):
        return Missing(error.kind, error.name, error.nearest)
    return Problem(error.text, error.details)


async def _done_within(under_way: asyncio.Future[T], seconds: float) -> bool:
    done, _ = await asyncio.wait({under_way}, timeout=seconds)
    return bool(done)


def _path(event: Event) -> str:
    if isinstance(event, Click):
        return "click"
    return "command" if event.text.startswith("/") else "agent"


def _with_words(
    cards: tuple[Card, ...], answer: Answer, chosen: Words, above: tuple[Block, ...] = ()
) -> tuple[Card, ...]:
    """A note about who answered, and the alert, on top of the first card; what a model says of a diagnosis below it."""
    note = (*((Text(chosen(answer.note), "muted"),) if answer.note else ()), *above)
    said = tuple(views.claims(chosen, answer.claims))
    return tuple(
        replace(
            card,
            blocks=(
                *(note if number == 0 else ()),
                *card.blocks,
                *(said if isinstance(answer.results[number], Diagnosed) else ()),
            ),
        )
        for number, card in enumerate(cards)
    )
