"""`/wecom/bot`: an AI bot without a long connection. WeCom calls, and speaking first is hardly possible.

A message is acknowledged by opening a stream, for which WeCom then asks again and again until it is finished. A click is
answered by an edit, for which its acknowledgement waits. Anything else goes to a `response_url`: every callback brings one,
good for one message within an hour. What finds no way waits for the next callback.

Source: developer.work.weixin.qq.com, paths 100719, 101031, 101138.
"""

import asyncio
import secrets
import time
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast

import orjson
import structlog
from aiohttp import web

from bots.edge import Received, Reply, Webhook, parse
from bots.wecom.bot import WeComBotChannel, stream_frame, stream_of
from bots.wecom.elements import Json
from bots.wecom.envelope import Envelope
from bots.wecom.hearing import understood
from bots.wecom.inbound import BOT
from bots.wecom.routes import echo
from core.errors import BadInput, BadSignature, Refused, Unreachable
from core.http import Http
from core.i18n import Words
from core.messages import Click, Event, Message
from core.settings import WeComBot

URL_SECONDS = 3500.0
EDIT_SECONDS = 4.0
"""How long the acknowledgement of a click waits for an edit; WeCom waits five seconds."""

KEPT_URLS = 20

_log = structlog.get_logger(__name__)


class WebhookLine:
    """`bots.wecom.bot.Line` by what callbacks bring along.

    Args:
        settings: where answers may go.
        http: the one session.
        clock: seconds.
    """

    def __init__(self, settings: WeComBot, http: Http, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._replies = settings.replies
        self._http = http
        self._clock = clock
        self._urls: defaultdict[str, deque[tuple[str, float]]] = defaultdict(lambda: deque(maxlen=KEPT_URLS))
        self._edits: dict[str, asyncio.Future[Json]] = {}

    def offer(self, conversation: str, url: str) -> None:
        """Keep an address for one message; one that is not WeCom's is not kept."""
        if url.startswith(self._replies):
            self._urls[conversation].append((url, self._clock() + URL_SECONDS))

    async def edited(self, handle: str) -> Json | None:
        """Wait for the edit that answers a click; None when none comes in time."""
        edit = self._edits[handle] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(EDIT_SECONDS):
                return await edit
        except TimeoutError:
            return None
        finally:
            del self._edits[handle]

    async def push(self, conversation: str, kind: str, message: Json) -> None:
        """See `Line.push`. In groups WeCom takes no cards this way, so their buttons stay unsaid."""
        if kind == "group" and message["msgtype"] == "template_card":
            _log.info("wecom_bot_buttons_not_shown", conversation=conversation)
            return
        urls = self._urls[conversation]
        while urls and urls[-1][1] <= self._clock():
            urls.pop()
        if not urls:
            raise Unreachable(f"{BOT}: nobody has written lately, so the bot may not speak", system=BOT)
        url, _ = urls.pop()
        answer = await self._http.request("POST", url, system=BOT, json=message, timeout=10)
        found = answer.json(system=BOT)
        code = cast("dict[str, Any]", found).get("errcode", 0) if isinstance(found, dict) else answer.status
        if code != 0:
            raise Refused(f"{BOT} refused: {code}", system=BOT, code=str(code))

    async def answer(self, handle: str, message: Json) -> bool:
        """See `Line.answer`: WeCom asks by itself."""
        return False

    async def edit(self, handle: str, card: Json) -> None:
        """See `Line.edit`."""
        edit = self._edits.get(handle)
        if edit is None or edit.done():
            raise Unreachable(f"{BOT}: the click waits no longer", system=BOT)
        edit.set_result({"response_type": "update_template_card", "template_card": card})


def bot_routes(
    settings: WeComBot,
    channel: WeComBotChannel,
    line: WebhookLine,
    accept: Callable[[Event], Awaitable[bool]],
    say: Words,
    *,
    body_limit: int,
    clock: Callable[[], float] = time.time,
) -> list[web.RouteDef]:
    """The routes of the bot.

    Args:
        settings: its secrets.
        channel: answers.
        line: keeps how it can be answered.
        accept: journals an event, `core.inbox.Inbox.accept`.
        say: our own words.
        body_limit: largest request body in bytes.
        clock: Unix seconds.
    """
    token, key = settings.callback_token.get_secret_value(), settings.encoding_aes_key.get_secret_value()
    envelope = Envelope(token, key, "")
    desk = _Desk(envelope, channel, line, accept, say, settings.name, clock)
    webhook = Webhook(
        BOT,
        desk.decode,
        desk.journal,
        desk.acknowledge,
        body_limit=body_limit,
        content_types=None,  # the signature tells whose it is
        parameters=lambda request: request.query,
    )
    return [web.get("/wecom/bot", echo(envelope, clock)), web.post("/wecom/bot", webhook.handle)]


class _Desk:
    """Takes callbacks, and answers them in the same breath."""

    def __init__(
        self,
        envelope: Envelope,
        channel: WeComBotChannel,
        line: WebhookLine,
        accept: Callable[[Event], Awaitable[bool]],
        say: Words,
        name: str,
        clock: Callable[[], float],
    ) -> None:
        self._envelope = envelope
        self._channel = channel
        self._line = line
        self._accept = accept
        self._say = say
        self._name = name
        self._clock = clock
        self._open: dict[str, tuple[str, str]] = {}
        self._bodies: dict[str, bytes] = {}

    async def decode(self, query: Mapping[str, str], body: bytes) -> Received:
        """See `bots.edge.Decode`."""
        payload, nonce = parse(self._opened(query, body)), query.get("nonce", "")
        if payload.get("msgtype") == "stream":
            return Reply("polled", self._sealed(await self._channel.polled(_stream_id(payload)), nonce))
        handle = secrets.token_hex(8)
        event = await understood(self._channel, payload, handle, name=self._name)
        if isinstance(event, Message | Click):
            self._open[event.key] = handle, nonce
            self._line.offer(event.conversation.id, str(payload.get("response_url", "")))
        return event

    async def journal(self, event: Event) -> bool:
        """Journal an event, and for a click give the answer a moment to become an edit."""
        handle, nonce = self._open.pop(event.key)
        if isinstance(event, Message):
            opening = stream_frame(stream_of(event.key), self._say("wecom.received"), finish=False)
            self._bodies[event.key] = self._sealed(opening, nonce)
            return await self._accept(event)
        editing = asyncio.ensure_future(self._line.edited(handle))
        await asyncio.sleep(0)  # so that it waits before anything can answer
        new = await self._accept(event)
        if not new:
            editing.cancel()
        elif edit := await editing:
            self._bodies[event.key] = self._sealed(edit, nonce)
        return new

    def acknowledge(self, event: Event) -> bytes:
        """What WeCom hears: the opening of a stream, an edit, or nothing."""
        return self._bodies.pop(event.key, b"")

    def _opened(self, query: Mapping[str, str], body: bytes) -> str:
        try:
            sealed = parse(body).get("encrypt")
        except BadInput as error:
            raise BadSignature("an envelope that cannot be read") from error
        return self._envelope.open(query, sealed if isinstance(sealed, str) else "", now=self._clock())

    def _sealed(self, answer: Json, nonce: str) -> bytes:
        plain = orjson.dumps(answer).decode()
        return orjson.dumps(self._envelope.seal(plain, timestamp=int(self._clock()), nonce=nonce))


def _stream_id(payload: Json) -> str:
    stream = payload.get("stream")
    found = cast("Json", stream).get("id") if isinstance(stream, dict) else None
    if not isinstance(found, str) or not found:
        raise BadInput("a question about no stream")
    return found
