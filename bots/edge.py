"""What every way in needs, whichever messenger uses it: verify before parsing, journal before acknowledging.

A messenger gives two functions: `decode` turns a request into an event (or into an answer on the spot), `acknowledge`
says what its platform wants to hear. Everything else is here: the size limit, the status of each failure, cleaning of
text, the journal, the metric. The caller never learns more than a status. `Webhook` is for requests; `Intake` is the
same for frames of a long connection.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any

import orjson
import structlog
from aiohttp import web
from prometheus_client import Counter

from core.errors import BadInput, BadSignature, XOpsError
from core.messages import Click, Event, Message
from core.redact import clean

WEBHOOKS = Counter("xops_webhook", "Requests of messengers, by what became of them", ["channel", "outcome"])
CONTENT_TYPE = "application/json"

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Reply:
    """A request that is answered on the spot and leads to no event: a challenge, or something not meant for us.

    Attributes:
        outcome: one of a few fixed words, for the metric.
        body: what the platform wants to hear.
    """

    outcome: str
    body: bytes = b"{}"


Received = Event | Reply
Decode = Callable[[Mapping[str, str], bytes], Awaitable[Received]]
"""Headers (by any case), or the query, and raw body to an event. Raises `BadSignature` or `BadInput`."""


class TooLarge(BadInput):
    """A body beyond the limit."""


class Intake:
    """Takes in whatever arrives: cleaned, journalled once, counted.

    Args:
        channel: name of the channel, for metrics and logs.
        accept: journals an event; returns whether it is new.
        acknowledge: the body that tells the platform we have it.
    """

    def __init__(
        self, channel: str, accept: Callable[[Event], Awaitable[bool]], acknowledge: Callable[[Event], bytes]
    ) -> None:
        self._channel = channel
        self._accept = accept
        self._acknowledge = acknowledge

    async def take(self, decoding: Awaitable[Received]) -> tuple[int, bytes]:
        """Wait for the event and journal it; returns the HTTP status and the body of the answer."""
        status, outcome, body = await self._answer(decoding)
        WEBHOOKS.labels(self._channel, outcome).inc()
        return status, body

    async def _answer(self, decoding: Awaitable[Received]) -> tuple[int, str, bytes]:
        try:
            received = await decoding
            if isinstance(received, Reply):
                return 200, received.outcome, received.body
            new = await self._accept(cleaned(received))
            return 200, "accepted" if new else "duplicate", self._acknowledge(received)
        except XOpsError as error:
            status, outcome = _refusal(error)
            _log.warning("webhook_refused", channel=self._channel, outcome=outcome, reason=str(error))
            return status, outcome, b""
        except Exception:  # noqa: BLE001  # the edge of a request: whatever it was, the platform may try again
            _log.exception("webhook_failed", channel=self._channel)
            return 500, "failed", b""


class Webhook:
    """One messenger's webhook; `handle` is its aiohttp handler.

    Args:
        channel: name of the channel, for metrics and logs.
        decode: verifies and reads one request; must verify first.
        accept: journals an event; returns whether it is new. The request is acknowledged once this has returned.
        acknowledge: the body that tells the platform we have it.
        body_limit: largest body in bytes.
        read_seconds: longest time a body may take; platforms themselves give up after two or three seconds.
        content_types: what a body may call itself; None where the platform does not say.
        parameters: where the signature travels, the headers or the query; `decode` gets these.
    """

    def __init__(
        self,
        channel: str,
        decode: Decode,
        accept: Callable[[Event], Awaitable[bool]],
        acknowledge: Callable[[Event], bytes],
        *,
        body_limit: int,
        read_seconds: float = 5.0,
        content_types: frozenset[str] | None = frozenset({CONTENT_TYPE}),
        parameters: Callable[[web.Request], Mapping[str, str]] = lambda request: request.headers,
    ) -> None:
        self._intake = Intake(channel, accept, acknowledge)
        self._decode = decode
        self._body_limit = body_limit
        self._read_seconds = read_seconds
        self._content_types = content_types
        self._parameters = parameters

    async def handle(self, request: web.Request) -> web.Response:
        """Answer one request."""
        status, body = await self._intake.take(self._received(request))
        response = web.Response(status=status, body=body, content_type=CONTENT_TYPE)
        if status == web.HTTPRequestEntityTooLarge.status_code:
            response.force_close()
        return response

    async def _received(self, request: web.Request) -> Received:
        if self._content_types is not None and request.content_type not in self._content_types:
            raise BadInput("the body is not of the type the platform sends")
        body = await read_body(request, limit=self._body_limit, seconds=self._read_seconds)
        return await self._decode(self._parameters(request), body)


async def read_body(request: web.Request, *, limit: int, seconds: float) -> bytes:
    """A whole body, uncompressed.

    Raises:
        TooLarge: more bytes than the limit, announced or found.
        BadInput: it took longer than so many seconds.
    """
    if (request.content_length or 0) > limit:
        raise TooLarge("the body is announced as larger than the limit")
    body = b""
    try:
        async with nullcontext() if request.content.is_eof() else asyncio.timeout(seconds):  # a small one is there
            while chunk := await request.content.readany():
                body += chunk
                if len(body) > limit:
                    raise TooLarge("the body is larger than the limit")
    except TimeoutError as error:
        raise BadInput("the body took too long") from error
    return body


def parse(text: bytes | str) -> dict[str, Any]:
    r"""Read a JSON object from outside, also one with lone surrogates (`\ud800`), which phones do send.

    Raises:
        BadInput: not JSON, nested too deeply, or not an object.
    """
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        value = _parse_leniently(text)
    if not isinstance(value, dict):
        raise BadInput("not a JSON object")
    return value  # pyright: ignore[reportUnknownVariableType]  # JSON: read field by field, each checked


def cleaned(event: Event) -> Event:
    """The event with invisible and control characters taken out of everything a person wrote."""
    match event:
        case Message():
            return replace(event, text=clean(event.text), quoted=clean(event.quoted))
        case Click():
            arguments = {clean(name): clean(value) for name, value in event.arguments.items()}
            form = {clean(name): clean(value) for name, value in event.form.items()}
            return replace(event, command=clean(event.command), arguments=arguments, form=form)


def _parse_leniently(text: bytes | str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadInput("not JSON") from error


def _refusal(error: XOpsError) -> tuple[int, str]:
    match error:
        case BadSignature():
            return 401, "unauthorized"
        case TooLarge():
            return 413, "too_large"
        case BadInput():
            return 400, "malformed"
        case _:
            return 503, "unavailable"
