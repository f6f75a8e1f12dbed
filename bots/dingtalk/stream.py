"""The long connection of Stream mode, under our own supervision.

`dingtalk-stream` 0.24 gives the words of the protocol (kinds of frames, topics, acknowledgements), imported in a thread since
that takes a third of a second. Its client is not used: it cannot be stopped (when cancelled it reconnects), calls blocking
HTTP without a time-out on the event loop, notices a silent peer after a minute, sends acknowledgements on whichever socket
is open by then, dies of a firewall's HTML page in place of an answer, and logs tickets.

Here a frame is journalled before it is acknowledged, on the socket it came by. A peer that leaves a ping unanswered is
left, and one that says nothing for `idle_seconds`. After a connection that was good the next one is opened at once, after
a bad one later and later. Source: open-dingtalk/developerpedia, "stream/protocol.md".
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any, Protocol, cast
from urllib.parse import quote_plus

import structlog
from aiohttp import ClientWebSocketResponse, WSMsgType
from prometheus_client import Counter

from bots.dingtalk.api import Api
from bots.dingtalk.inbound import Json, Kind
from bots.edge import Intake, Received, parse
from bots.standing import keeping, standing
from core.background import Background
from core.errors import BadInput, ConfigurationError, RemoteError
from core.http import Http
from core.settings import DingTalk

FRAMES = Counter(
    "xops_dingtalk_frames", "Frames of the long connection, by topic and acknowledgement", ["topic", "code"]
)

HEARTBEAT = 20.0
"""Seconds between two pings; aiohttp leaves a peer that does not answer one within half of that."""

GOOD_SECONDS = 10.0
"""A connection that lived so long was good: the next one is opened at once."""

LONGEST_PAUSE = 60.0
DRAIN_SECONDS = 5.0
MOST_FRAMES = 100
"""Frames in work at once; beyond that, nothing more is read until one is done."""

_log = structlog.get_logger(__name__)


class Hear(Protocol):
    """Makes an event of what a frame holds; see `bots.dingtalk.client.DingTalkChannel.hear`."""

    def __call__(self, kind: Kind, data: Json, *, id: str, at: str) -> Received:
        """Returns the event, or an answer on the spot."""
        ...


@dataclass(frozen=True, slots=True)
class _Protocol:
    """What the SDK knows.

    Attributes:
        topics: what we subscribe to, and what each brings.
        callback: type of the frames of these topics.
        event: type of frames that only want to be acknowledged.
        system: type of frames that want their data back.
        disconnect: topic by which DingTalk says that it will close.
        acknowledge: code, headers and data to the frame that answers.
    """

    topics: Mapping[str, Kind]
    callback: str
    event: str
    system: str
    disconnect: str
    acknowledge: Callable[[int, Json, Json], dict[str, Any]]


class Stream:
    """Keeps one connection open, from `start` to `stop`.

    Args:
        settings: of the app.
        api: asks for endpoint and ticket.
        http: the one session.
        hear: makes an event of what a frame holds.
        sleep: waits between attempts; tests pass a clock of their own.
        heartbeat: see `HEARTBEAT`.
    """

    def __init__(
        self,
        settings: DingTalk,
        api: Api,
        http: Http,
        hear: Hear,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        heartbeat: float = HEARTBEAT,
    ) -> None:
        self._idle = settings.idle_seconds
        self._api = api
        self._http = http
        self._hear = hear
        self._sleep = sleep
        self._heartbeat = heartbeat
        self._background = Background()

    def start(self, intake: Intake) -> None:
        """Begin to connect; events go to `intake`.

        Raises:
            ConfigurationError: the SDK is not installed.
        """
        _require()
        keeping("dingtalk")
        self._background.start(self._keep(intake), "dingtalk-stream")

    async def stop(self) -> None:
        """Read no more, acknowledge what was read, and close."""
        await self._background.stop()

    async def check(self) -> None:
        """Prove that a connection would be given.

        Raises:
            RemoteError: it would not.
            ConfigurationError: the SDK is not installed.
        """
        _require()
        await self._ticket(await asyncio.to_thread(_protocol))

    async def _keep(self, intake: Intake) -> None:
        protocol = await asyncio.to_thread(_protocol)
        failures = 0
        while True:
            began = time.monotonic()
            try:
                reason = await self._connect(protocol, intake)
            except RemoteError as error:
                reason = str(error)
            failures = 0 if time.monotonic() - began >= GOOD_SECONDS else failures + 1
            pause = min(2.0 ** (failures - 1), LONGEST_PAUSE) if failures else 0.0
            pause *= random.uniform(0.5, 1.0)  # noqa: S311  # replicas shall not come back all at once
            _log.info("dingtalk_disconnected", reason=reason, again_in=round(pause, 1))
            await self._sleep(pause)

    async def _connect(self, protocol: _Protocol, intake: Intake) -> str:
        """One connection, until it ends; returns why it did."""
        endpoint, ticket = await self._ticket(protocol)
        url = f"{endpoint}?ticket={quote_plus(ticket)}"
        async with self._http.websocket(url, system="dingtalk", heartbeat=self._heartbeat) as socket:
            connection = _Connection(socket, protocol, intake, self._hear, self._idle)
            try:
                with standing("dingtalk"):
                    return await connection.listen()
            finally:
                await connection.drain()

    async def _ticket(self, protocol: _Protocol) -> tuple[str, str]:
        return await self._api.open_connection(dict.fromkeys(protocol.topics, protocol.callback))


class _Connection:
    """Frames of one socket, each in work on its own, acknowledged where it came from."""

    def __init__(
        self, socket: ClientWebSocketResponse, protocol: _Protocol, intake: Intake, hear: Hear, idle: float
    ) -> None:
        self._socket = socket
        self._protocol = protocol
        self._intake = intake
        self._hear = hear
        self._idle = idle
        self._room = asyncio.Semaphore(MOST_FRAMES)
        self._working: set[asyncio.Task[None]] = set()

    async def listen(self) -> str:
        """Read until the connection ends or should be left; returns why."""
        while True:
            try:
                async with asyncio.timeout(self._idle):
                    received = await self._socket.receive()
            except TimeoutError:
                return "idle"
            if received.type is not WSMsgType.TEXT:
                return f"closed with {self._socket.close_code}"
            frame = _frame(received.data)
            if frame.topic == self._protocol.disconnect:
                return "asked to leave"
            await self._room.acquire()
            task = asyncio.create_task(self._answer(frame), name="dingtalk-frame")
            self._working.add(task)
            task.add_done_callback(self._done)

    async def drain(self) -> None:
        """Wait for what is in work, within reason."""
        if self._working:
            await asyncio.wait(self._working, timeout=DRAIN_SECONDS)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._working.discard(task)
        self._room.release()

    async def _answer(self, frame: "_Frame") -> None:
        code, data = await self._handled(frame)
        FRAMES.labels(frame.topic if frame.topic in self._protocol.topics else "other", code).inc()
        try:
            await self._socket.send_json(self._protocol.acknowledge(code, frame.headers, data))
        except ConnectionError:  # it is journalled; should DingTalk bring it again, that changes nothing
            _log.info("dingtalk_acknowledgement_unsent", topic=frame.topic)

    async def _handled(self, frame: "_Frame") -> tuple[int, Json]:
        """Code and data of the acknowledgement."""
        kind = self._protocol.topics.get(frame.topic)
        if kind is not None:
            status, body = await self._intake.take(self._heard(kind, frame))
            return (status if status in {200, 400} else 500), {"response": parse(body or b"{}")}
        if frame.type == self._protocol.event:
            return 200, {"status": "SUCCESS"}
        return (200, _object(frame.data)) if frame.type == self._protocol.system else (404, {})

    async def _heard(self, kind: Kind, frame: "_Frame") -> Received:
        return self._hear(kind, parse(frame.data), id=frame.id, at=frame.at)


@dataclass(frozen=True, slots=True)
class _Frame:
    """A frame as far as we read it; a frame that is none has no topic.

    Attributes:
        id: new for each delivery, also of the same thing.
        at: milliseconds.
        data: JSON.
    """

    type: str = ""
    topic: str = ""
    id: str = ""
    at: str = ""
    data: str = ""
    headers: Json = field(default_factory=dict[str, Any])


def _frame(received: str) -> _Frame:
    frame = _object(received)
    headers = frame.get("headers")
    if not isinstance(headers, dict):
        return _Frame()
    named = cast("dict[str, Any]", headers)
    topic, id, at = (str(named.get(name, "")) for name in ("topic", "messageId", "time"))
    return _Frame(str(frame.get("type", "")), topic, id, at, str(frame.get("data", "")), named)


def _object(text: str) -> Json:
    try:
        return parse(text)
    except BadInput:
        return {}


def _require() -> None:
    if find_spec("dingtalk_stream") is None:
        raise ConfigurationError("dingtalk.mode 'stream' needs a package more: pip install 'xops[dingtalk]'")


def _protocol() -> _Protocol:
    """The SDK's words; imported here, in a thread, because it is slow and only Stream mode needs it."""
    import dingtalk_stream as sdk

    def acknowledge(code: int, headers: Json, data: Json) -> dict[str, Any]:
        message: Any = sdk.AckMessage()
        message.code = code
        message.headers.message_id = headers.get("messageId")
        message.headers.content_type = message.headers.CONTENT_TYPE_APPLICATION_JSON
        message.data = data
        return message.to_dict()

    return _Protocol(
        topics={sdk.ChatbotMessage.TOPIC: "message", sdk.Card_Callback_Router_Topic: "click"},
        callback=sdk.CallbackMessage.TYPE,
        event=sdk.EventMessage.TYPE,
        system=sdk.SystemMessage.TYPE,
        disconnect=sdk.SystemMessage.TOPIC_DISCONNECT,
        acknowledge=acknowledge,
    )
