"""What the page sends: messages and clicks, parsed once, bounded, and tied to the session that sent them.

A click says which card and which button, never what to do: the command and its arguments come from the stored card, and
form values only under the names, and from the options, that the card offered.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, TypeVar
from uuid import UUID

from aiohttp import web
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from bots.web.channel import WebChannel
from bots.web.gate import Gate, Visit
from core.cards import Button, Card, Form, Input, buttons
from core.errors import Busy
from core.messages import Click, Event, Message
from core.redact import clean

TEXT_BYTES = 200_000
"""Longest message, as UTF-8: room for a pasted alert storm or a log."""
BODY_BYTES = 2 * TEXT_BYTES + 4096
"""Longest request: such a message with every character escaped in JSON."""
VALUE_CHARACTERS = 4_000
"""Longest value of a form."""

Cleaned = Annotated[str, BeforeValidator(lambda value: clean(value) if isinstance(value, str) else value)]
Value = Annotated[Cleaned, Field(max_length=VALUE_CHARACTERS)]


class _Body(BaseModel):
    """`id` is made by the page, so that a request it repeats is recognised."""

    model_config = ConfigDict(extra="forbid")

    id: UUID


class Said(_Body):
    """A message."""

    text: Cleaned


class Pressed(_Body):
    """A click: the card, the number of the button in reading order, and the values of its form, if it has one."""

    reference: Annotated[str, Field(max_length=400)]
    button: Annotated[int, Field(ge=0, le=10_000)]
    form: Annotated[dict[Annotated[str, Field(max_length=200)], Value], Field(max_length=50)] = {}


B = TypeVar("B", bound=_Body)


class Posts:
    """Turns requests into events.

    Args:
        gate: admits the request.
        channel: shows what was said, knows the cards.
        accept: journals and queues an event (`core.inbox.Inbox.accept`).
        clock: the present, with zone.
    """

    def __init__(
        self,
        gate: Gate,
        channel: WebChannel,
        accept: Callable[[Event], Awaitable[bool]],
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._gate = gate
        self._channel = channel
        self._accept = accept
        self._clock = clock

    async def message(self, request: web.Request) -> web.Response:
        """Take a message. 202, also when it is a repetition."""
        visit = self._gate.need_own_script(request)
        said = await self._parse(request, Said)
        if not said.text.strip():
            self._gate.refuse(request, HTTPStatus.BAD_REQUEST, "web.error.malformed")
        if len(said.text.encode()) > TEXT_BYTES:
            self._gate.refuse(request, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "web.error.too_long")
        message = Message(_event_id(visit, said), visit.conversation, visit.actor, said.text, self._clock())
        await self._channel.said(message)
        return await self._hand_over(request, message)

    async def click(self, request: web.Request) -> web.Response:
        """Take a press of a button. 404 for a card of someone else's, just as for one that does not exist."""
        visit = self._gate.need_own_script(request)
        pressed = await self._parse(request, Pressed)
        entry = await self._channel.cards.get(visit.conversation.key, pressed.reference)
        offered = tuple(buttons(entry.card)) if entry else ()
        if entry is None or pressed.button >= len(offered) or not offered[pressed.button].command:
            self._gate.refuse(request, HTTPStatus.NOT_FOUND, "web.error.no_button")
        button = offered[pressed.button]
        values = _values(entry.card, button, pressed.form)
        if values is None:
            self._gate.refuse(request, HTTPStatus.BAD_REQUEST, "web.error.form")
        click = Click(
            _event_id(visit, pressed),
            visit.conversation,
            visit.actor,
            button.command,
            self._clock(),
            button.arguments,
            values,
            entry.reference,
        )
        return await self._hand_over(request, click)

    async def _hand_over(self, request: web.Request, event: Event) -> web.Response:
        try:
            await self._accept(event)
        except Busy:
            self._gate.refuse(request, HTTPStatus.SERVICE_UNAVAILABLE, "web.error.busy")
        return web.json_response({}, status=HTTPStatus.ACCEPTED)

    async def _parse(self, request: web.Request, kind: type[B]) -> B:
        body = bytearray()
        async for part in request.content.iter_any():
            body += part
            if len(body) > BODY_BYTES:
                self._gate.refuse(request, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "web.error.too_long")
        try:
            if request.content_type != "application/json":
                raise ValueError(request.content_type)
            return kind.model_validate(json.loads(body))  # not orjson: a lone surrogate is cleaned, not refused
        except (ValueError, RecursionError):
            self._gate.refuse(request, HTTPStatus.BAD_REQUEST, "web.error.malformed")


def _event_id(visit: Visit, body: _Body) -> str:
    return f"{visit.session.subject}/{body.id}"


def _values(card: Card, button: Button, given: Mapping[str, str]) -> dict[str, str] | None:
    """The values the button's form asked for; None when one is missing, or not among the options."""
    inputs = next((block.inputs for block in card.blocks if isinstance(block, Form) and block.submit is button), ())
    values = {field.name: given.get(field.name, "") for field in inputs}
    return values if all(_fits(field, values[field.name]) for field in inputs) else None


def _fits(field: Input, value: str) -> bool:
    if not value:
        return not field.required
    return field.kind != "select" or value in {option for option, _ in field.options}
