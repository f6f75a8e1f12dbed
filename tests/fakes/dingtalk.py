"""A DingTalk on loopback that keeps DingTalk's rules, and people in it who talk to the robot.

    async with FakeDingTalk() as dingtalk:
        await dingtalk.until(lambda: dingtalk.connections)      # Stream mode: the bot connects by itself
        await dingtalk.say("ann", "ann", "昨晚哪些任务失败了")        # a private chat is named by the person in it
        await dingtalk.until(lambda: dingtalk.messages)
        await dingtalk.press(dingtalk.messages[0], "日志")

With `address` set, messages and presses are posted there instead, signed as in HTTP mode. The rules: tickets for one use
within 90 seconds, one connection at random for each frame, tokens with a lifetime, sizes, 20 calls a second, a monthly quota,
clicks answered within two seconds, and no update of a card before its click is answered.
"""

import asyncio
import base64
import hmac
import json
import random
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import aiohttp
from aiohttp import web

from tests.fakes import dingtalk_cards as cards
from tests.fakes.dingtalk_api import ApiRefused, DingTalkApi, Shown

Json = dict[str, Any]

MESSAGES, CLICKS = "/v1.0/im/bot/messages/get", "/v1.0/card/instances/callback"
DEADLINE = {MESSAGES: 10.0, CLICKS: 2.0}
TICKET_SECONDS = 90.0
ROBOT, COMPANY = "$:LWCP_v1:$robot", "dingcompany"


@dataclass(frozen=True)
class Delivery:
    """One frame or request to the bot and how it answered.

    Attributes:
        code: of the acknowledgement, or HTTP status; 0 when none came.
        answer: its data, in Stream mode without the wrapping.
    """

    topic: str
    data: Json
    code: int
    answer: Json
    seconds: float

    @property
    def ok(self) -> bool:
        """Whether DingTalk is content."""
        return self.code == 200 and self.seconds <= DEADLINE[self.topic]


class FakeDingTalk(DingTalkApi):
    """The API, the gateway, and people who use the chats. See the module.

    Attributes:
        address: where the bot listens in HTTP mode; empty for Stream mode.
        connections: open sockets.
        opened: connections that were ever opened.
        deliveries: everything brought to the bot.
        subscriptions: topics the newest connection asked for.
        answers_pings: whether a new connection answers WebSocket pings; a half-open one does not.
    """

    def __init__(self, *, clock: Callable[[], float] = time.time, throttle: bool = True) -> None:
        super().__init__(clock=clock, throttle=throttle)
        self.address = ""
        self.connections: list[web.WebSocketResponse] = []
        self.opened = 0
        self.deliveries: list[Delivery] = []
        self.subscriptions: list[str] = []
        self.answers_pings = True
        self.waiting: dict[str, asyncio.Future[Json]] = {}
        self._tickets: dict[str, float] = {}

    async def __aenter__(self) -> Self:
        self._people = aiohttp.ClientSession()
        return await super().__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._people.close()
        for socket in [*self.connections]:
            await socket.close()
        await super().__aexit__(kind, error, trace)

    def routes(self) -> list[web.RouteDef]:
        gateway = [web.post("/v1.0/gateway/connections/open", self._open), web.get("/connect", self._connect)]
        return [*super().routes(), *gateway]

    @property
    def failures(self) -> list[Delivery]:
        """What the bot answered wrongly, late, or not at all."""
        return [delivery for delivery in self.deliveries if not delivery.ok]

    async def say(self, chat: str, user: str, text: str, *, times: int = 1, **more: object) -> Delivery:
        """Write to the robot: in a private chat (named by the person) or in a group, mentioning it."""
        content = f" {text}" if chat in self.groups else text  # the mention is taken out, its space is not
        return await self.post(chat, user, times=times, msgtype="text", text={"content": content}, **more)

    async def post(self, chat: str, user: str, *, times: int = 1, **body: object) -> Delivery:
        """Bring a message of any kind, `times` times at once: the same `msgId`, a new `messageId` each."""
        data = {**self.message(chat, user), **body}
        return (await asyncio.gather(*(self.deliver(MESSAGES, data) for _ in range(times))))[0]

    def message(self, chat: str, user: str) -> Json:
        """What every message has, whatever its kind."""
        group = chat in self.groups
        mentions = {"isInAtList": True, "conversationTitle": "oncall", "atUsers": [{"dingtalkId": ROBOT}]}
        return {
            "senderPlatform": "Mac",
            "conversationId": chat if group else f"cidPrivate{user}",
            "conversationType": "2" if group else "1",
            "chatbotCorpId": COMPANY,
            "chatbotUserId": ROBOT,
            "msgId": f"msg{secrets.token_hex(8)}",
            "senderNick": self.staff.get(user, user),
            "isAdmin": False,
            **({"senderStaffId": user} if user in self.staff else {}),
            "senderCorpId": COMPANY,
            "senderId": f"$:LWCP_v1:${user}",
            "createAt": int(self.clock() * 1000),
            "robotCode": self.settings.client_id,
            **(mentions if group else {}),
            **self.webhook(chat),
        }

    async def press(self, shown: Shown, label: str, *, user: str = "ann") -> Delivery:
        """Press what is labelled so, on a card or in a message."""
        if not shown.is_card:
            (said,) = parse_qs(urlsplit(cards.links(shown.values["text"])[label]).query)["content"]
            return await self.say(shown.chat, user, said)
        event = cards.buttons(shown.values)[label]["event"]
        assert event["type"] == "sendCardRequest"
        delivery = await self.click(shown.id, user, event["params"])
        private = delivery.answer.get("userPrivateData", {}).get("cardParamMap", {})
        shown.private.setdefault(user, {}).update(private)
        return delivery

    async def click(self, card: str, user: str, request: Json, **more: object) -> Delivery:
        """Bring a card callback."""
        content = {"cardPrivateData": {"actionIds": [request["actionId"]], "params": request["params"]}}
        data = {
            "type": "actionCallback",
            "outTrackId": card,
            "corpId": COMPANY,
            "userId": user,
            "userIdType": 1,
            "extension": "",
            "content": json.dumps(content),
            **more,
        }
        self.answering.add(card)
        try:
            return await self.deliver(CLICKS, data)
        finally:
            self.answering.discard(card)

    async def deliver(self, topic: str, data: Json) -> Delivery:
        """Bring something to the bot, by the way it listens, and measure its answer."""
        began = time.perf_counter()
        try:
            async with asyncio.timeout(DEADLINE[topic]):
                code, answer = await (self._request(topic, data) if self.address else self._send(topic, data))
        except TimeoutError:
            code, answer = 0, {}
        delivery = Delivery(topic, data, code, answer, time.perf_counter() - began)
        self.deliveries.append(delivery)
        return delivery

    async def frame(self, kind: str, topic: str, data: Json) -> Json:
        """Send a frame on one of the connections, and wait for its acknowledgement."""
        message = secrets.token_hex(8)
        self.waiting[message] = acknowledged = asyncio.get_running_loop().create_future()
        headers = {"topic": topic, "messageId": message, "contentType": "application/json"}
        headers |= {"time": str(int(self.clock() * 1000)), "connectionId": secrets.token_hex(4)}
        frame = {"specVersion": "1.0", "type": kind, "headers": headers, "data": json.dumps(data)}
        await random.choice(self.connections).send_json(frame)  # noqa: S311  # DingTalk picks one at random
        return await acknowledged

    async def disconnect(self) -> None:
        """Ask every connection to leave, as before maintenance; no answer is expected."""
        for socket in [*self.connections]:
            headers = {"topic": "disconnect", "contentType": "application/json"}
            data = json.dumps({"reason": "connection is expired"})
            await socket.send_json({"specVersion": "1.0", "type": "SYSTEM", "headers": headers, "data": data})

    async def drop(self) -> None:
        """Cut every connection without a word."""
        for socket in [*self.connections]:
            transport = socket._req.transport if socket._req else None  # pyright: ignore[reportPrivateUsage]
            assert transport is not None
            transport.abort()

    def signed(self, secret: str, *, cards: bool) -> dict[str, str]:
        """The headers of a request in HTTP mode."""
        timestamp = str(int(self.clock() * 1000))
        said = timestamp if cards else f"{timestamp}\n{secret}"
        sign = base64.b64encode(hmac.digest(secret.encode(), said.encode(), "sha256")).decode()
        names = ("x-ddpaas-signature-timestamp", "x-ddpaas-signature") if cards else ("timestamp", "sign")
        return dict(zip(names, (timestamp, sign), strict=True))

    async def request(self, address: str, headers: dict[str, str], data: Json | bytes) -> tuple[int, bytes]:
        """Post something to the bot."""
        body = data if isinstance(data, bytes) else json.dumps(data).encode()
        headers = {"Content-Type": "application/json", **headers}
        async with self._people.post(address, data=body, headers=headers) as answer:
            return answer.status, await answer.read()

    async def _request(self, topic: str, data: Json) -> tuple[int, Json]:
        address, secret = f"{self.address}/dingtalk/messages", self.settings.client_secret.get_secret_value()
        if topic == CLICKS:
            address, secret = self.callbacks["xops"]
        status, body = await self.request(address, self.signed(secret, cards=topic == CLICKS), data)
        return status, json.loads(body or b"{}")

    async def _send(self, topic: str, data: Json) -> tuple[int, Json]:
        acknowledged = await self.frame("CALLBACK", topic, data)
        return acknowledged["code"], json.loads(acknowledged["data"]).get("response", {})

    async def _open(self, request: web.Request) -> web.Response:
        body = await request.json()
        if (body["clientId"], body["clientSecret"]) != (
            self.settings.client_id,
            self.settings.client_secret.get_secret_value(),
        ):
            raise ApiRefused("invalidClientIdOrSecret", 401)
        self.subscriptions = [subscription["topic"] for subscription in body["subscriptions"]]
        ticket = secrets.token_urlsafe(16) + "+/="
        self._tickets[ticket] = self.clock() + TICKET_SECONDS
        endpoint = str(request.url.with_path("/connect").with_scheme("ws"))
        return web.json_response({"endpoint": endpoint, "ticket": ticket})

    async def _connect(self, request: web.Request) -> web.StreamResponse:
        if self._tickets.pop(request.query["ticket"], 0.0) < self.clock():
            return web.Response(status=401)
        socket = web.WebSocketResponse(autoping=self.answers_pings)
        await socket.prepare(request)
        self.connections.append(socket)
        self.opened += 1
        await self.changed()
        try:
            async for received in socket:
                if received.type is not aiohttp.WSMsgType.TEXT:
                    continue
                acknowledged = json.loads(received.data)
                waiting = self.waiting.pop(acknowledged["headers"].get("messageId"), None)
                if waiting is not None and not waiting.done():
                    waiting.set_result(acknowledged)
        finally:
            self.connections.remove(socket)
            await self.changed()
        return socket
