"""The long connection of an AI bot (长连接): held by one replica, watched, and made again whenever it ends.

WeCom lets a bot have one connection and ends the old one when a new one subscribes, so replicas agree by a lease who holds
it. Every way it can end leads back to the start: closed properly (1000), reset, silent to our pings, refused. Only wrong
credentials and a stranger on our place are given time first.

Source: developer.work.weixin.qq.com, path 101463.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from uuid import uuid4

import aiohttp
import orjson
import structlog

from bots import fields
from bots.edge import parse
from bots.standing import keeping, standing
from bots.wecom.elements import Json
from bots.wecom.inbound import BOT
from core.errors import BadInput, Refused, RemoteError, Throttled, Unauthorized, Unreachable
from core.http import Http
from core.leases import Leases
from core.redact import clean
from core.settings import WeComBot

LEASE = "wecom_bot connection"
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
DISPLACED_PAUSE = 45.0
"""After somebody else subscribed: two that fight for the connection would take turns for ever."""
REFUSED_PAUSE = 300.0
"""After wrong credentials: WeCom blocks who keeps trying."""

SLOW_DOWN = {45009, 45033, -1}
NOT_SUBSCRIBED = 846609
"""The socket is open, and WeCom has forgotten whose it is."""

_log = structlog.get_logger(__name__)


class Displaced(Unreachable):
    """Another connection of this bot took the place of ours."""


class LongConnection:
    """The connection, and `bots.wecom.bot.Line` over it.

    Args:
        settings: the bot's credentials and address.
        http: the one session.
        leases: decide which replica holds the connection.
        ping_seconds: time between two pings; one that is not answered in time ends the connection.
        ack_seconds: how long WeCom may take to say that it has a frame.
        sleep: waits between attempts.
    """

    def __init__(
        self,
        settings: WeComBot,
        http: Http,
        leases: Leases,
        *,
        ping_seconds: float = 30.0,
        ack_seconds: float = 5.0,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._settings = settings
        self._http = http
        self._leases = leases
        self._ping_seconds = ping_seconds
        self._sleep = sleep
        self._ack_seconds = ack_seconds
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._subscribed = False
        self._broken: asyncio.Future[None] | None = None
        self._acks: dict[str, asyncio.Future[fields.Json]] = {}
        self._task: asyncio.Task[None] | None = None
        self._take: Callable[[str, fields.Json], Awaitable[None]] = _nobody

    @property
    def connected(self) -> bool:
        """Whether the bot is there."""
        return self._socket is not None

    async def start(self, take: Callable[[str, fields.Json], Awaitable[None]]) -> None:
        """Begin to hold the connection; being ready does not wait for it.

        Args:
            take: gets the request id and body of each callback, one after the other.
        """
        self._take = take
        keeping(BOT)
        self._task = asyncio.create_task(self._run(), name="wecom-bot-connection")

    async def stop(self) -> None:
        """Close the connection, and let another replica have it."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            with suppress(RemoteError):
                await self._leases.release(LEASE)

    async def probe(self, *, alone: bool) -> bool:
        """Prove that the credentials work. Returns False when a running X-Ops has the connection, which proves it too.

        Args:
            alone: nothing else can run on this database, since it has no tables yet.

        Raises:
            RemoteError: they do not, or WeCom cannot be reached.
        """
        if not alone and not await self._leases.hold(LEASE):
            return False
        try:
            async with self._http.websocket(self._settings.url, system=BOT) as socket:
                reading = asyncio.ensure_future(self._read(socket))
                await self._subscribe(socket)
                reading.cancel()
        finally:
            if not alone:
                await self._leases.release(LEASE)
        return True

    async def push(self, conversation: str, kind: str, message: Json) -> None:
        """See `Line.push`. WeCom takes it only where somebody has written to the bot before."""
        await self._call(
            "aibot_send_msg", {"chatid": conversation, "chat_type": 1 if kind == "private" else 2, **message}
        )

    async def answer(self, handle: str, message: Json) -> bool:
        """See `Line.answer`."""
        await self._call("aibot_respond_msg", message, handle)
        return True

    async def edit(self, handle: str, card: Json) -> None:
        """See `Line.edit`."""
        body = {"response_type": "update_template_card", "template_card": card}
        await self._call("aibot_respond_update_msg", body, handle)

    async def _run(self) -> None:
        failures = 0
        while True:
            try:
                if not await self._leases.hold(LEASE):
                    await self._sleep(self._leases.seconds / 3)
                    continue
                await self._hold()
            except RemoteError as error:
                failures = 0 if self._subscribed else failures + 1
                pause = _pause(error, failures)
                _log.warning("wecom_bot_disconnected", reason=str(error), again_in=pause)
                await self._sleep(pause * (0.5 + random.random() / 2))  # noqa: S311  # spreads attempts, hides nothing

    async def _hold(self) -> None:
        """Hold one connection until it ends, which always is an error."""
        self._subscribed = False
        self._broken = asyncio.get_running_loop().create_future()
        async with self._http.websocket(self._settings.url, system=BOT) as socket:
            tasks = [asyncio.ensure_future(job) for job in (self._read(socket), self._live(socket), self._broken)]
            try:
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
                for task in done:
                    task.result()
            finally:
                self._socket = None
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                for ack in self._acks.values():
                    ack.set_exception(Unreachable(f"{BOT}: the connection ended", system=BOT))

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """Take frames until there are no more: a proper end (1000) is an end all the same."""
        async for message in socket:
            if message.type is aiohttp.WSMsgType.TEXT:
                await self._frame(message.data)
        raise Unreachable(f"{BOT}: the connection was closed ({socket.close_code})", system=BOT)

    async def _frame(self, text: str) -> None:
        try:
            frame = parse(text)
        except BadInput:
            _log.warning("wecom_bot_frame_unreadable", size=len(text))
            return
        request, body = fields.text(fields.node(frame, "headers"), "req_id"), fields.node(frame, "body")
        match fields.text(frame, "cmd"), fields.text(fields.node(body, "event"), "eventtype"):
            case "", _:
                if (ack := self._acks.get(request)) and not ack.done():
                    ack.set_result(frame)
            case _, "disconnected_event":
                raise Displaced(f"{BOT}: another connection took our place", system=BOT)
            case (("aibot_msg_callback" | "aibot_event_callback"), _):
                await self._take(request, body)
            case command, _:
                _log.info("wecom_bot_frame_unknown", command=command)

    async def _subscribe(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        secret = self._settings.secret.get_secret_value()
        try:
            await self._exchange(socket, "aibot_subscribe", {"bot_id": self._settings.bot_id, "secret": secret})
        except Refused as error:
            raise Unauthorized(
                f"{BOT}: bot_id or secret is refused: {error.code}", system=BOT, code=error.code
            ) from error

    async def _live(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """Subscribe, then renew the lease and ping while the connection lasts."""
        await self._subscribe(socket)
        self._subscribed, self._socket = True, socket
        _log.info("wecom_bot_connected")
        pinged = asyncio.get_running_loop().time()
        with standing(BOT):
            while True:
                await asyncio.sleep(min(self._leases.seconds / 3, self._ping_seconds))
                if not await self._leases.hold(LEASE):
                    raise Unreachable(f"{BOT}: another replica holds the connection now", system=BOT)
                if asyncio.get_running_loop().time() - pinged >= self._ping_seconds:
                    pinged = asyncio.get_running_loop().time()
                    await self._exchange(socket, "ping", None)

    async def _call(self, command: str, body: Json | None, request: str = "") -> None:
        if self._socket is None:
            raise Unreachable(f"{BOT}: there is no connection here", system=BOT)
        await self._exchange(self._socket, command, body, request)

    async def _exchange(
        self, socket: aiohttp.ClientWebSocketResponse, command: str, body: Json | None, request: str = ""
    ) -> None:
        """Send one frame and wait until WeCom has taken it."""
        request = request or f"{command}_{uuid4().hex}"
        ack = self._acks[request] = asyncio.get_running_loop().create_future()
        frame = {"cmd": command, "headers": {"req_id": request}, **({"body": body} if body is not None else {})}
        try:
            async with asyncio.timeout(self._ack_seconds):
                await socket.send_str(orjson.dumps(frame).decode())
                answer = await ack
        except (TimeoutError, ConnectionError, aiohttp.ClientError) as error:
            raise self._give_up(f"{command} was not acknowledged") from error
        finally:
            self._acks.pop(request, None)
        if answer.get("errcode") == NOT_SUBSCRIBED:
            raise self._give_up("WeCom has forgotten whose connection this is")
        _check(answer)

    def _give_up(self, why: str) -> Unreachable:
        """End the connection, which is no use any more."""
        error = Unreachable(f"{BOT}: {why}", system=BOT)
        if self._broken is not None and not self._broken.done():
            self._broken.set_exception(error)
        return error


async def _nobody(_request: str, _body: fields.Json) -> None:
    """Takes callbacks while `probe` looks whether the credentials work."""


def _pause(error: RemoteError, failures: int) -> float:
    match error:
        case Displaced():
            return DISPLACED_PAUSE
        case Unauthorized():
            return REFUSED_PAUSE
        case _:
            return min(FIRST_PAUSE * 2.0 ** min(failures, 10), LONGEST_PAUSE)


def _check(answer: fields.Json) -> None:
    code = answer.get("errcode")
    if code == 0:
        return
    if code in SLOW_DOWN:
        raise Throttled(f"{BOT} is busy or asks us to slow down: {code}", system=BOT, code=str(code))
    raise Refused(f"{BOT} refused: {code} {clean(str(answer.get('errmsg', '')))}", system=BOT, code=str(code))
