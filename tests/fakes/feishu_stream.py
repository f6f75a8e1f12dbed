"""Feishu's long connection on loopback, for the same people and the same API as `tests.fakes.feishu`.

    async with StreamingFeishu() as feishu:         # the bot connects to `feishu.settings.domain`
        await feishu.until_connected()
        await feishu.say("oc_private", "ou_ann", "昨晚哪些任务失败了")

Its rules: one address for one connection; each event goes to one connection at random, whether that still lives or not;
an event that is not answered with 200 in time is brought again, a click never; large payloads come in several frames.
What breaks in the world can be broken here: connections that drop, peers that fall silent, gateways that only seem alive.
"""

import asyncio
import base64
import json
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from aiohttp import WSMsgType, web
from hypothesis import strategies as st
from pydantic import SecretStr

from bots.feishu.frames import CONTROL, DATA, Frame, decode, encode
from tests.fakes.feishu import DEADLINE, Delivery, FakeFeishu
from tests.waiting import eventually

Json = dict[str, Any]

SERVICE = 33554678


@dataclass(eq=False)
class Link:
    """A connection of a bot.

    Attributes:
        frozen: it is open as far as both sides know, but nothing passes: a peer whose machine is gone.
        mute: it answers the probes of WebSocket, but never says a word of Feishu's own.
        waiting: who waits for the answer to which frame.
    """

    socket: web.WebSocketResponse
    request: web.Request
    frozen: bool = False
    mute: bool = False
    waiting: dict[str, asyncio.Future[Json]] = field(default_factory=dict[str, asyncio.Future[Json]])

    def drop(self) -> None:
        """Break the connection without a word."""
        if self.request.transport is not None:
            self.request.transport.abort()


class StreamingFeishu(FakeFeishu):
    """See the module.

    Attributes:
        links: connections that are open now.
        granted: how many addresses were granted.
        refusal: code with which addresses are refused; 0 grants them.
        click_frames: `type` of the frames that bring clicks; both have been seen.
        late: answers that came when Feishu no longer waited.
        pings: pings of bots.

    Args:
        config: `ClientConfig` as bots are told it.
        chunk: largest part of a payload in one frame, in bytes.
        redelivery: pauses before an event is brought again; truly 15 s, 5 min, 1 h and 6 h.
        deadline: seconds for an answer.
        more: see `FakeFeishu`.
    """

    def __init__(
        self,
        *,
        config: Mapping[str, int | float] = {"ReconnectCount": -1, "ReconnectInterval": 120, "PingInterval": 120},
        chunk: int = 64 * 1024,
        redelivery: Sequence[float] = (),
        deadline: float = DEADLINE,
        **more: Any,
    ) -> None:
        super().__init__(**more)
        self.links: list[Link] = []
        self.granted = 0
        self.refusal = 0
        self.click_frames = "event"
        self.late: list[str] = []
        self.pings = 0
        self.config = config
        self.chunk = chunk
        self.redelivery = redelivery
        self.deadline = deadline
        self._devices: set[str] = set()
        self._over = asyncio.Event()

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        off = {"mode": "stream", "encrypt_key": SecretStr(""), "verification_token": SecretStr("")}
        self.settings = self.settings.model_copy(update=off)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        for link in [*self.links]:
            link.drop()
        await super().__aexit__(kind, error, trace)

    async def until_connected(self, connections: int = 1, *, within: float = 20.0) -> None:
        """Wait until so many connections work: those that are frozen or mute count for nothing."""
        await eventually(lambda: len([link for link in self.links if _works(link)]) == connections, within=within)

    async def deliver(self, payload: Json) -> Delivery:
        """Bring a payload to one of the connections, and bring it again as the rules say."""
        click = payload["header"]["event_type"] == "card.action.trigger"
        delivery = await self._deliver(payload, self.click_frames if click else "event")
        for pause in () if click else self.redelivery:
            if delivery.ok:
                break
            await asyncio.sleep(pause)
            delivery = await self._deliver(payload, "event")
        return delivery

    async def _deliver(self, payload: Json, kind: str) -> Delivery:
        started = time.perf_counter()
        answer: Json = await self._answer(payload, kind) if self.links else {"code": 503}
        seconds = time.perf_counter() - started
        delivery = Delivery(payload, answer["code"], base64.b64decode(answer.get("data", "e30=")), seconds)
        self.deliveries.append(delivery)
        return delivery

    async def _answer(self, payload: Json, kind: str) -> Json:
        link, message = secrets.choice(self.links), secrets.token_hex(8)
        link.waiting[message] = asyncio.get_running_loop().create_future()
        try:
            for frame in self._frames(payload, kind, message) if _works(link) else ():
                await link.socket.send_bytes(encode(frame))
            async with asyncio.timeout(self.deadline):
                return await link.waiting[message]
        except (TimeoutError, ConnectionError):
            return {"code": 504}
        finally:
            del link.waiting[message]

    def _frames(self, payload: Json, kind: str, message: str) -> list[Frame]:
        """A payload in frames, in no order."""
        body = json.dumps(payload, ensure_ascii=False).encode("utf-8", "surrogatepass")
        parts = [body[at : at + self.chunk] for at in range(0, len(body), self.chunk)]
        headers = {"type": kind, "message_id": message, "trace_id": secrets.token_hex(8), "sum": str(len(parts))}
        frames = [
            Frame(DATA, SERVICE, {**headers, "seq": str(at)}, part, secrets.randbits(63), secrets.randbits(63))
            for at, part in enumerate(parts)
        ]
        return sorted(frames, key=lambda _: secrets.randbits(16))

    def _application(self) -> web.Application:
        application = super()._application()
        application.add_routes([web.post("/callback/ws/endpoint", self._grant), web.get("/ws", self._serve)])
        return application

    def _authorize(self, request: web.Request) -> None:
        if request.path.startswith("/open-apis/"):
            super()._authorize(request)

    async def _grant(self, request: web.Request) -> web.Response:
        given = await request.json()
        expected = {"AppID": self.settings.app_id, "AppSecret": self.settings.app_secret.get_secret_value()}
        refusal = self.refusal or (0 if given == expected else 514)
        if refusal:
            return web.json_response({"code": refusal, "msg": "no connection for you"})
        self.granted += 1
        self._devices.add(device := secrets.token_hex(8))
        url = f"{self.settings.domain.replace('http', 'ws', 1)}/ws?device_id={device}&service_id={SERVICE}"
        return web.json_response({"code": 0, "msg": "", "data": {"URL": url, "ClientConfig": self.config}})

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        if request.query["device_id"] not in self._devices:
            return web.Response(status=403, headers={"handshake-status": "403", "handshake-msg": "no such device"})
        self._devices.remove(request.query["device_id"])
        socket = web.WebSocketResponse(autoping=False)
        await socket.prepare(request)
        link = Link(socket, request)
        self.links.append(link)
        try:
            while not (message := await socket.receive()).type.name.startswith("CLOS"):
                if link.frozen:
                    await self._over.wait()  # nothing is read any more, not even that the other side left
                elif message.type is WSMsgType.PING:
                    await socket.pong(message.data)
                elif message.type is WSMsgType.BINARY and not link.mute:
                    await self._hear(link, decode(message.data))
        finally:
            self.links.remove(link)
        return socket

    async def _hear(self, link: Link, frame: Frame) -> None:
        if frame.method == CONTROL:
            assert (frame.headers, frame.service) == ({"type": "ping"}, SERVICE)
            self.pings += 1
            config = json.dumps(self.config).encode()
            await link.socket.send_bytes(encode(Frame(CONTROL, SERVICE, {"type": "pong"}, config)))
            return
        message = frame.headers["message_id"]
        assert int(frame.headers["biz_rt"]) >= 0
        if message in link.waiting:
            link.waiting[message].set_result(json.loads(frame.payload))
        else:
            self.late.append(message)


def _works(link: Link) -> bool:
    return not (link.frozen or link.mute)


frames = st.builds(
    Frame,
    method=st.integers(0, 2**31 - 1),
    service=st.integers(0, 2**31 - 1),
    headers=st.dictionaries(st.text(), st.text()),
    payload=st.binary(),
    sequence=st.integers(0, 2**64 - 1),
    log=st.integers(0, 2**64 - 1),
    texts=st.dictionaries(st.sampled_from([6, 7, 9]), st.text().map(str.encode)),
)
"""Any frame."""
