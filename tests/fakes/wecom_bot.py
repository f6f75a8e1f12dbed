"""The gateway of WeCom's AI bots on loopback, with its rules, and people who talk to the bot through it.

One connection a bot: a new one displaces the old. Answers need the request id of a callback that came over this very
connection; streams grow, end, and run out after six minutes; a click is answered by an edit within five seconds or not at
all; unasked messages go only where somebody has written to the bot before.

Source: developer.work.weixin.qq.com, path 101463; codes as seen by others.
"""

import asyncio
import json
import secrets
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from core.settings import WeComBot
from tests.fakes.wecom_cards import MARKDOWN_BYTES, CardRefused, check, key_of, labels, lists, read_markdown, shown

Json = dict[str, Any]

STREAM_SECONDS, EDIT_SECONDS = 360.0, 5.0
SECRET = "the-secret-of-the-connection"


@dataclass
class Said:
    """A message of the bot. `versions` are its contents, oldest first; `finished` only matters to streams."""

    chat: str
    kind: str
    versions: list[Json]
    at: float
    finished: bool = True

    @property
    def is_card(self) -> bool:
        """Whether it is a template card."""
        return self.kind == "template_card"

    @property
    def content(self) -> Json:
        """What it shows now."""
        return self.versions[-1]

    @property
    def text(self) -> str:
        """What a reader sees now."""
        return shown(self.content) if self.is_card else read_markdown(self.content["content"])

    @property
    def labels(self) -> list[str]:
        """What can be pressed now."""
        return labels(self.content) if self.is_card else []


@dataclass
class Trouble:
    """What is wrong at present.

    Attributes:
        mute: nothing is acknowledged, pings neither; the socket stays open.
        forgotten: everything is refused with 846609 until the next subscription.
    """

    mute: bool = False
    forgotten: bool = False


@dataclass
class _Request:
    """A callback that can be answered."""

    chat: str
    at: float
    said: Said | None = None


@dataclass
class _Connection:
    """A socket, and the callbacks that came over it."""

    socket: web.WebSocketResponse
    transport: asyncio.WriteTransport
    requests: dict[str, _Request] = field(default_factory=dict[str, _Request])


class FakeWeComBot:
    """The gateway, as an async context manager.

    Attributes:
        settings: a bot that is known here.
        said: what the bot said, oldest first.
        refused: codes of frames that were refused.
        subscriptions: how often a bot subscribed.
        trouble: see `Trouble`.

    Args:
        clock: seconds.
    """

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        self.clock = clock
        self.said: list[Said] = []
        self.refused: list[int] = []
        self.subscriptions = 0
        self.trouble = Trouble()
        self.known_chats: set[str] = set()
        self._streams: dict[str, Said] = {}
        self._connection: _Connection | None = None
        self._changed = asyncio.Condition()
        application = web.Application()
        application.add_routes([web.get("/", self._serve)])
        self._server = TestServer(application)

    async def __aenter__(self) -> Self:
        await self._server.start_server()
        self.settings = WeComBot(
            bot_id="bot-1", secret=SecretStr(SECRET), url=str(self._server.make_url("/")).replace("http", "ws", 1)
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.drop()
        await self._server.close()

    @property
    def online(self) -> bool:
        """Whether the bot is subscribed."""
        return self._connection is not None

    @property
    def cards(self) -> list[Said]:
        """The template cards among `said`."""
        return [message for message in self.said if message.is_card]

    async def until(self, true: Callable[[], object], *, within: float = 10.0) -> None:
        """Wait until something is true; looked at again whenever the bot says something or comes or goes."""
        async with asyncio.timeout(within), self._changed:
            await self._changed.wait_for(lambda: bool(true()))

    async def say(self, user: str, text: str, *, chat: str = "", times: int = 1, **more: object) -> str:
        """Write to the bot, in a group if `chat` is given; returns the request id."""
        body: Json = {"msgid": secrets.token_hex(8), "msgtype": "text", "text": {"content": text}, **more}
        request = ""
        for _ in range(times):
            request = await self.bring("aibot_msg_callback", user, body, chat=chat)
        return request

    async def press(
        self, message: Said, label: str, *, user: str = "ann", choose: Mapping[str, str] | None = None
    ) -> str:
        """Press a button of a card, after choosing in its lists by what their options show."""
        card = message.content
        items = [
            {"question_key": one["question_key"], "option_ids": {"option_id": [_option(one, choose or {})]}}
            for one in lists(card)
        ]
        event = {
            "card_type": card["card_type"],
            "event_key": key_of(card, label),
            "task_id": card["task_id"],
            "selected_items": {"selected_item": items},
        }
        body: Json = {
            "msgid": secrets.token_hex(8),
            "msgtype": "event",
            "create_time": int(self.clock()),
            "event": {"eventtype": "template_card_event", "template_card_event": event},
        }
        group = message.chat if message.chat != user else ""
        return await self.bring("aibot_event_callback", user, body, chat=group, card=message)

    async def bring(self, command: str, user: str, body: Json, *, chat: str = "", card: Said | None = None) -> str:
        """Bring a callback over the present connection."""
        place = {"chattype": "group", "chatid": chat} if chat else {"chattype": "single"}
        self.known_chats.add(chat or user)
        request = secrets.token_hex(8)
        assert self._connection is not None
        self._connection.requests[request] = _Request(chat or user, self.clock(), card)
        await self._send(command, request, {"aibotid": "bot-1", "from": {"userid": user}, **place, **body})
        return request

    async def drop(self, *, code: int = 1000) -> None:
        """Close the connection properly."""
        if self._connection is not None:
            await self._connection.socket.close(code=code)

    def cut(self) -> None:
        """Reset the connection without a word."""
        assert self._connection is not None
        self._connection.transport.abort()

    async def displace(self) -> None:
        """Somebody else subscribes as this bot."""
        await self._send("aibot_event_callback", secrets.token_hex(8), _DISCONNECTED)
        await self.drop()

    async def frame(self, text: str) -> None:
        """Send something of one's own making."""
        assert self._connection is not None
        await self._connection.socket.send_str(text)

    async def _serve(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        assert isinstance(request.transport, asyncio.WriteTransport)
        connection = _Connection(socket, request.transport)
        try:
            async for message in socket:
                if message.type is aiohttp.WSMsgType.TEXT:
                    await self._answer(connection, json.loads(message.data))
        finally:
            if self._connection is connection:
                self._connection = None
        await self._notify()
        return socket

    async def _answer(self, connection: _Connection, frame: Json) -> None:
        command, request, body = frame["cmd"], frame["headers"]["req_id"], frame.get("body", {})
        if self.trouble.mute:
            return
        code = await self._subscribed(connection, body) if command == "aibot_subscribe" else 0
        if command != "aibot_subscribe":
            code = self._done(connection, command, request, body)
        if code:
            self.refused.append(code)
        await connection.socket.send_json(
            {"headers": {"req_id": request}, "errcode": code, "errmsg": f"{code or 'ok'}"}
        )
        await self._notify()

    async def _subscribed(self, connection: _Connection, body: Json) -> int:
        self.subscriptions += 1
        if body != {"bot_id": "bot-1", "secret": SECRET}:
            return 40001
        if self._connection is not None:
            with suppress(ConnectionError):
                await self.displace()
        self._connection = connection
        self.trouble.forgotten = False
        return 0

    def _done(self, connection: _Connection, command: str, request: str, body: Json) -> int:
        if connection is not self._connection or self.trouble.forgotten:
            return 846609
        match command:
            case "ping":
                return 0
            case "aibot_send_msg":
                return self._pushed(body)
            case "aibot_respond_msg":
                return self._responded(connection.requests.get(request), body)
            case "aibot_respond_update_msg":
                return self._edited(connection.requests.get(request), body)
            case _:
                return 40008

    def _pushed(self, body: Json) -> int:
        if body["chatid"] not in self.known_chats or body["chat_type"] not in {1, 2}:
            return 40058
        return self._say(body["chatid"], body)

    def _responded(self, asked: _Request | None, body: Json) -> int:
        if asked is None or asked.said is not None:  # a click is no question
            return 846605
        if body["msgtype"] != "stream":
            return self._say(asked.chat, body)
        stream = body["stream"]
        known = self._streams.get(stream["id"])
        if len(stream["content"].encode()) > MARKDOWN_BYTES:
            return 40058
        if known is None:
            known = self._streams[stream["id"]] = Said(asked.chat, "stream", [], self.clock(), finished=False)
            self.said.append(known)
        if known.finished or self.clock() - known.at > STREAM_SECONDS:
            return 846608
        known.versions.append(stream)
        known.finished = stream["finish"]
        return 0

    def _edited(self, asked: _Request | None, body: Json) -> int:
        if asked is None or asked.said is None or self.clock() - asked.at > EDIT_SECONDS:
            return 846605
        card = body["template_card"]
        if body["response_type"] != "update_template_card" or card["task_id"] != asked.said.content["task_id"]:
            return 40058
        if not _takes(card):
            return 40058
        asked.said.versions.append(card)
        asked.at = -EDIT_SECONDS  # once
        return 0

    def _say(self, chat: str, body: Json) -> int:
        content = body[body["msgtype"]]
        fits = (
            _takes(content)
            if body["msgtype"] == "template_card"
            else 0 < len(content["content"].encode()) <= MARKDOWN_BYTES
        )
        if body["msgtype"] not in {"markdown", "template_card"} or not fits:
            return 40058
        self.said.append(Said(chat, body["msgtype"], [content], self.clock()))
        return 0

    async def _send(self, command: str, request: str, body: Json) -> None:
        assert self._connection is not None
        await self._connection.socket.send_json({"cmd": command, "headers": {"req_id": request}, "body": body})

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()


_DISCONNECTED: Json = {"msgtype": "event", "event": {"eventtype": "disconnected_event"}}


def _takes(card: Json) -> bool:
    try:
        check(card)
    except CardRefused:
        return False
    return True


def _option(one: Json, choose: Mapping[str, str]) -> str:
    wanted = choose.get(one["title"])
    return next((option["id"] for option in one["option_list"] if option["text"] == wanted), one["selected_id"])
