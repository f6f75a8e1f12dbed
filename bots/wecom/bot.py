"""The AI bot's side of `core.channel.Channel`: answers as streams that grow, buttons as template cards below them.

What is to be said is written down first (`core.sent_cards`) and said as soon as there is a way: in answer to the message
that asked, as an edit of the card that was just pressed, or as a message of its own. While there is no way (the connection
is down, another replica holds it, a webhook's bot may not speak first) it waits there, and whoever has a way says it.
"""

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar
from weakref import WeakValueDictionary

import structlog

from bots.wecom.cards import BOT_LIMITS, Rendered, bot_surface, render
from bots.wecom.client import next_edition, reference_of
from bots.wecom.elements import Json
from bots.wecom.inbound import BOT
from bots.wecom.pace import Pace
from core.background import Background
from core.cards import Card
from core.channel import Limits
from core.errors import NotFound, Refused, Throttled, Unreachable
from core.i18n import Words
from core.messages import Actor, Click, Conversation, Event
from core.sent_cards import SentCard, SentCards

ANSWER_SECONDS = 330.0
"""How long a message can be answered with a stream; WeCom allows six minutes."""

EDIT_SECONDS = 4.5
"""How long a click can be answered with an edit; WeCom allows five seconds."""

FRAME_SECONDS = 2.0
"""Least time between two versions of one stream, so that a chat's thirty messages a minute suffice."""

REMEMBERED = 1000
"""Events that can still be answered, at most."""

T = TypeVar("T")
_log = structlog.get_logger(__name__)


class Line(Protocol):
    """How the bot reaches WeCom: the long connection, or a webhook's answers."""

    async def push(self, conversation: str, kind: str, message: Json) -> None:
        """Say something of one's own accord.

        Raises:
            Unreachable: there is no way at present.
            Refused: WeCom said no.
        """
        ...

    async def answer(self, handle: str, message: Json) -> bool:
        """Answer a message. Returns False when WeCom will come and ask for the answer instead.

        Raises:
            Unreachable, Refused: as above.
        """
        ...

    async def edit(self, handle: str, card: Json) -> None:
        """Answer a click with an edit of the card that was pressed.

        Raises:
            Unreachable, Refused: as above.
        """
        ...


@dataclass(frozen=True, slots=True)
class _Heard:
    """An event that can still be answered, by what WeCom calls it."""

    handle: str
    until: float


class WeComBotChannel:
    """The bot in all its chats.

    Args:
        line: how it reaches WeCom.
        sent: what was sent, and what waits.
        say: our own words, in the language of the installation.
        page: address that notices open; may be empty.
        pace: see `Pace`.
        clock: seconds.
    """

    name = BOT
    limits: Limits = BOT_LIMITS

    def __init__(
        self,
        line: Line,
        sent: SentCards,
        say: Words,
        *,
        page: str = "",
        pace: Pace,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.sent = sent
        self._line = line
        self._say = say
        self._surface = bot_surface(page)
        self._pace = pace
        self._clock = clock
        self._heard: OrderedDict[str, _Heard] = OrderedDict()
        self._framed: OrderedDict[str, float] = OrderedDict()
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._background = Background()

    async def start(self) -> None:
        """Begin to say what waits, also for other replicas, and to forget old cards."""
        self._background.repeat(self.say_waiting, 2.0, "wecom-bot-waiting")
        self._background.repeat(self.sent.forget_old, 3600, "wecom-bot-forget")

    async def stop(self) -> None:
        """Leave what waits to others."""
        await self._background.stop()

    def heard(self, event: Event, handle: str) -> None:
        """An event came that can be answered. Call it before the event is journalled."""
        is_click = isinstance(event, Click)
        name, seconds = (event.card, EDIT_SECONDS) if is_click else (event.key, ANSWER_SECONDS)
        _remember(self._heard, name, _Heard(handle, self._clock() + seconds))

    async def send(self, conversation: Conversation, card: Card, *, key: str) -> str:
        """Show a card; see `core.channel.Channel.send`. The first card about a message is the answer to it."""
        reference, asked = reference_of(key), key.rpartition(":")[0]
        async with self._lock(reference):
            if await self.sent.get(reference) is None:
                begun = SentCard(reference, conversation.id, conversation.kind)
                heard = self._still(asked)
                if heard is None:
                    await self._show(begun, card, key)
                else:
                    del self._heard[asked]
                    _remember(self._heard, reference, heard)
                    await self._stream(replace(begun, stream=stream_of(asked)), card, key, heard)
        return reference

    async def update(self, reference: str, card: Card, *, key: str) -> None:
        """Replace a card; see `core.channel.Channel.update`.

        An answer under way grows. A card that was pressed just now is edited. Anything else is said anew, since WeCom has
        no other way; steps on the way are not.
        """
        async with self._lock(reference):
            known = await self.sent.get(reference)
            if known is None:
                raise NotFound(f"no card {reference} was sent", kind="card", name=reference)
            heard = self._still(reference)
            if known.change == key:
                return
            if known.stream and heard:
                await self._stream(known, card, key, heard)
            elif not card.pending and not (heard and await self._edit(known, card, key, heard)):
                await self._show(replace(known, stream=""), card, key)

    async def lookup(self, actor_id: str) -> Actor:
        """The id is all a bot learns; whether it is the id of the directory is for the settings to say."""
        return Actor(self.name, actor_id)

    async def say_waiting(self) -> None:
        """Say what waits for a way, those first that wait longest."""
        for card in await self.sent.waiting():
            async with self._lock(card.reference):
                known = await self.sent.get(card.reference)
                if known is not None and known.waiting and not (known.stream and self._still(known.reference)):
                    await self._deliver(known, None)

    async def polled(self, stream: str) -> Json:
        """What WeCom hears when it asks how an answer is getting on; its last state takes a card of buttons along."""
        found = await self.sent.of_stream(stream)
        if found is None:
            return stream_frame(stream, self._say("wecom.received"), finish=False)
        async with self._lock(found.reference):
            known = await self.sent.get(found.reference) or found
            if not known.waiting or known.waiting[0]["msgtype"] != "stream":
                said = known.sent[0] if known.sent else self._say("wecom.late")  # WeCom did not get it the first time
                return stream_frame(stream, said, finish=True)
            first, *rest = known.waiting
            if not first["stream"]["finish"]:
                return first
            self._heard.pop(known.reference, None)
            await self.sent.put(replace(known, waiting=tuple(rest[1:]), sent=(first["stream"]["content"],)))
            return {**first, **rest[0], "msgtype": "stream_with_template_card"} if rest else first

    async def _show(self, known: SentCard, card: Card, key: str) -> None:
        """Say a card as messages of its own, together with others where too many were said lately."""
        async with self._pace.turn(known.conversation, card) as due:
            edition = known.edition + 1
            task = f"{known.reference}-{edition}"
            made = render(due, self._surface, self._say, task=task, edition=edition) if due else Rendered(())
            messages = (*(_markdown(text) for text in made.texts), *map(_card, made.cards))
            self._pace.count(known.conversation, len(messages))
            shown = replace(next_edition(known, made, key), task=task, waiting=messages)
            await self.sent.put(shown)
            await self._deliver(shown, None)

    async def _stream(self, known: SentCard, card: Card, key: str, heard: _Heard) -> None:
        """Show a card as the present state of an answer; its last state brings the buttons."""
        edition = known.edition + 1
        task = f"{known.reference}-{edition}"
        whole = replace(self._surface, compact=False)
        made = render(card, whole, self._say, task=task, edition=edition)
        if card.pending and self._clock() < self._framed.get(known.stream, 0.0) + FRAME_SECONDS:
            return
        _remember(self._framed, known.stream, self._clock())
        cards = () if card.pending else tuple(map(_card, made.cards))
        messages = (stream_frame(known.stream, made.texts[0], finish=not card.pending), *cards)
        shown = replace(next_edition(known, made, key), task=task, waiting=messages)
        self._pace.count(known.conversation, len(messages))
        await self.sent.put(shown)
        await self._deliver(shown, heard)

    async def _edit(self, known: SentCard, card: Card, key: str, heard: _Heard) -> bool:
        """Edit the card that was pressed, if the new one fits into it. A click can be answered once."""
        made = render(card, self._surface, self._say, task=known.task, edition=known.edition + 1)
        if not made.alone:
            return False
        del self._heard[known.reference]
        edited = next_edition(known, made, key)
        await self.sent.put(replace(edited, change=known.change))  # its buttons may be pressed at once
        try:
            await self._line.edit(heard.handle, made.cards[0])
        except (Refused, Unreachable) as error:
            _log.warning("wecom_bot_card_not_edited", reason=str(error))
            return False
        await self.sent.put(edited)
        return True

    async def _deliver(self, card: SentCard, heard: _Heard | None) -> None:
        """Say the waiting messages of a card as far as there is a way; the rest waits on."""
        waiting = list(card.waiting)
        stream = card.stream
        with suppress(Unreachable, Throttled):
            while waiting:
                message = waiting[0]
                is_stream = message["msgtype"] == "stream"
                if is_stream and heard is not None:
                    if not await self._answered(heard, message, card):
                        return
                else:
                    await self._push(card, _markdown(message["stream"]["content"]) if is_stream else message)
                if is_stream and (heard is None or message["stream"]["finish"]):
                    stream = ""
                waiting.pop(0)
        if len(waiting) < len(card.waiting):
            await self.sent.put(replace(card, waiting=tuple(waiting), stream=stream))

    async def _answered(self, heard: _Heard, message: Json, card: SentCard) -> bool:
        try:
            return await self._line.answer(heard.handle, message)
        except Unreachable:  # the next connection knows nothing of what came over this one: it waits to be a message
            self._heard.pop(card.reference, None)
            raise
        except Refused as error:  # too late for an answer (846605, 846608), so it becomes a message
            _log.warning("wecom_bot_answer_refused", code=error.code)
            self._heard.pop(card.reference, None)
            await self._push(card, _markdown(message["stream"]["content"]))
            return True

    async def _push(self, card: SentCard, message: Json) -> None:
        try:
            await self._line.push(card.conversation, card.kind, message)
        except Refused:
            await self.sent.put(replace(card, waiting=()))  # it would be refused for ever
            raise

    def _still(self, name: str) -> _Heard | None:
        heard = self._heard.get(name)
        return heard if heard is not None and self._clock() < heard.until else None

    def _lock(self, reference: str) -> asyncio.Lock:
        return self._locks.setdefault(reference, asyncio.Lock())


def stream_of(event_key: str) -> str:
    """The id of the stream that answers an event; the same on every replica."""
    return hashlib.sha256(f"stream {event_key}".encode()).hexdigest()[:40]


def stream_frame(stream: str, content: str, *, finish: bool) -> Json:
    """One state of an answer: all of its text so far, never only what is new."""
    return {"msgtype": "stream", "stream": {"id": stream, "finish": finish, "content": content}}


def _remember(where: OrderedDict[str, T], name: str, value: T) -> None:
    where[name] = value
    while len(where) > REMEMBERED:
        where.popitem(last=False)


def _markdown(text: str) -> Json:
    return {"msgtype": "markdown", "markdown": {"content": text}}


def _card(card: Json) -> Json:
    return {"msgtype": "template_card", "template_card": card}
