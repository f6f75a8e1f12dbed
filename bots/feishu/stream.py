"""Feishu's long connection: events and clicks without a public address.

An address is asked for, a WebSocket opened there, and each frame answered once its event is journalled; what is not
answered within three seconds Feishu brings again after 15 seconds. Every replica holds a connection of its own: Feishu
gives each event to one of them, at most 50 for an app. A connection is replaced when it ends, when it leaves a probe
unanswered, and when nothing at all came for three of the pings Feishu wants; we never give up, whatever `ReconnectCount`
Feishu sends.

Not the vendor's `lark_oapi.ws`: it answers one event at a time, leaves frames of type `card` unanswered, cannot be
stopped, and may wait for ever for the address; none of that can be changed from outside (docs/decisions.md).
`tests/bots/test_feishu_sdk.py` shows it, and lets the vendor's client and ours meet the same platform.
"""

import asyncio
import random
import time
from base64 import b64encode
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, cast

import orjson
import structlog
from aiohttp import ClientWebSocketResponse, WSMsgType
from yarl import URL

from bots.edge import Intake, Received, parse
from bots.feishu.client import FeishuChannel, checked
from bots.feishu.frames import CONTROL, DATA, Chunks, Frame, decode, encode
from bots.feishu.intake import acknowledge, understand
from bots.standing import keeping, standing
from core.background import Background
from core.errors import BadInput, Refused, RemoteError, Unreachable
from core.http import Http
from core.messages import Event
from core.settings import Feishu

DEADLINE = 3.0
"""Seconds after which Feishu no longer waits for an answer."""

AT_ONCE = 100
"""Events that are being journalled at a time; beyond them the connection is not read, and Feishu holds them."""

SILENT_PINGS = 3
PING_SECONDS, LONGEST_PAUSE = 120.0, 120.0
"""Until Feishu says otherwise (`PingInterval`, `ReconnectInterval`)."""

_log = structlog.get_logger(__name__)


class FeishuStream:
    """Keeps one long connection.

    Args:
        settings: the app's credentials and address.
        http: the one session.
        channel: fetches the messages that a message refers to.
        body_limit: largest event in bytes.
        sleep: waits between two attempts; tests pass their own.
    """

    def __init__(
        self,
        settings: Feishu,
        http: Http,
        channel: FeishuChannel,
        *,
        body_limit: int,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._settings = settings
        self._http = http
        self._channel = channel
        self._intake: Intake  # from `start` on
        self._body_limit = body_limit
        self._sleep = sleep
        self._ping_seconds, self._longest_pause = PING_SECONDS, LONGEST_PAUSE
        self._attempts = 0
        self._answering: set[asyncio.Task[None]] = set()
        self._background = Background()

    async def start(self, accept: Callable[[Event], Awaitable[bool]]) -> None:
        """Begin to connect, and keep doing so; being ready does not wait for it.

        Args:
            accept: journals an event, `core.inbox.Inbox.accept`.
        """
        self._intake = Intake(self._channel.name, accept, acknowledge)
        keeping("feishu")
        self._background.repeat(self._connect, 0, "feishu-stream")

    async def stop(self) -> None:
        """Take no more events, finish answering, and close."""
        await self._background.stop()

    async def address(self) -> URL:
        """Where the connection is to be opened: good for one, soon. Proves that the app may have one.

        Raises:
            RemoteError: Feishu does not answer, or refuses.
        """
        secret = self._settings.app_secret.get_secret_value()
        response = await self._http.request(
            "POST",
            f"{self._settings.domain}/callback/ws/endpoint",
            system="feishu",
            headers={"locale": "zh"},
            json={"AppID": self._settings.app_id, "AppSecret": secret},
            timeout=10,
        )
        granted: Mapping[str, Any] = checked(response).get("data") or {}
        self._configure(granted.get("ClientConfig"))
        url = URL(str(granted.get("URL", "")))
        if not url.query.get("service_id", "").isdecimal():
            raise Refused("feishu granted no address for a connection", system="feishu")
        return url

    async def _connect(self) -> None:
        """One connection, from its address to its end."""
        await self._pause()
        self._attempts += 1
        try:
            await self._hold(await self.address())
        except RemoteError as error:
            _log.warning("feishu_disconnected", reason=str(error), code=error.code, attempt=self._attempts)

    async def _pause(self) -> None:
        """Nothing at first; then longer from attempt to attempt, at random, lest all replicas come at once."""
        if self._attempts:
            longest = min(2.0 ** min(self._attempts - 1, 10), self._longest_pause)
            await self._sleep(random.uniform(0, longest))  # noqa: S311  # no secret

    async def _hold(self, url: URL) -> None:
        heartbeat = self._settings.heartbeat_seconds
        async with self._http.websocket(str(url), system="feishu", heartbeat=heartbeat) as socket:
            pinging = asyncio.create_task(self._ping(socket, int(url.query["service_id"])))
            _log.info("feishu_connected")
            try:
                with standing("feishu"):
                    await self._listen(socket)
            finally:
                pinging.cancel()
                if self._answering:
                    await asyncio.wait(self._answering, timeout=DEADLINE)

    async def _ping(self, socket: ClientWebSocketResponse, service: int) -> None:
        """Say that we live, as often as Feishu wants to hear it; at once, since the answer proves the connection."""
        ping = encode(Frame(CONTROL, service, {"type": "ping"}))
        with suppress(ConnectionError):  # whoever listens learns it too
            while True:
                await socket.send_bytes(ping)
                await asyncio.sleep(self._ping_seconds)

    async def _listen(self, socket: ClientWebSocketResponse) -> None:
        chunks = Chunks(self._body_limit)
        while True:
            async with asyncio.timeout(SILENT_PINGS * self._ping_seconds):
                message = await socket.receive()
            if message.type is WSMsgType.BINARY:
                self._attempts = 1
                await self._hear(socket, cast("bytes", message.data), chunks)
            elif message.type is not WSMsgType.TEXT:
                raise Unreachable("feishu ended the connection", system="feishu", code=str(socket.close_code or ""))

    async def _hear(self, socket: ClientWebSocketResponse, data: bytes, chunks: Chunks) -> None:
        try:
            frame = decode(data)
            if frame.method == CONTROL:
                self._configure(parse(frame.payload) if frame.payload else None)
            elif frame.method == DATA and frame.headers.get("type") in {"event", "card"}:
                payload = chunks.whole(frame)
                if payload is not None:
                    await self._begin(self._answer(socket, frame, payload))
        except BadInput as error:
            _log.warning("feishu_frame_unreadable", reason=str(error))

    async def _begin(self, answer: Coroutine[Any, Any, None]) -> None:
        """Answer beside others: one that waits for a quoted message must not make the next one late."""
        if len(self._answering) >= AT_ONCE:
            await asyncio.wait(self._answering, return_when=asyncio.FIRST_COMPLETED)
        task = asyncio.create_task(answer)
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)

    async def _answer(self, socket: ClientWebSocketResponse, frame: Frame, payload: bytes) -> None:
        """Journal the event, then say so in a frame that echoes its own; anything but 200 makes Feishu bring it again."""
        began = time.perf_counter()
        status, body = await self._intake.take(self._received(payload))
        said: dict[str, object] = {"code": 200 if status == 200 else 500}
        if status == 200 and body != b"{}":
            said["data"] = b64encode(body).decode()
        headers = {**frame.headers, "biz_rt": str(round((time.perf_counter() - began) * 1000))}
        with suppress(ConnectionError):  # Feishu brings it again over another connection; then it is a duplicate
            await socket.send_bytes(encode(replace(frame, headers=headers, payload=orjson.dumps(said))))

    async def _received(self, payload: bytes) -> Received:
        return await understand(parse(payload), self._channel)

    def _configure(self, wanted: Mapping[str, object] | None) -> None:
        """Ping, and come back, as often as Feishu wants."""
        self._ping_seconds = _seconds(wanted, "PingInterval", self._ping_seconds)
        self._longest_pause = _seconds(wanted, "ReconnectInterval", self._longest_pause)


def _seconds(wanted: Mapping[str, object] | None, name: str, otherwise: float) -> float:
    value = (wanted or {}).get(name)
    return float(value) if isinstance(value, int | float) and value > 0 else otherwise
