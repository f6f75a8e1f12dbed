"""The part of DingTalk that programs call: tokens, robot messages, session webhooks, cards, with its rules and codes.

Sources: open.dingtalk.com, the pages of each call and the global error codes.
"""

import asyncio
import json
import secrets
import time
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from core.settings import DingTalk
from tests.fakes import dingtalk_cards as cards

Json = dict[str, Any]

TEMPLATE_ID = "fake.schema"
PARAMETERS = 15_000
WEBHOOK_SECONDS = 5400.0
RECALL_SECONDS = 86_400.0
EXEMPT = {"/v1.0/oauth2/accessToken", "/v1.0/gateway/connections/open", "/topapi/v2/user/get"}


@dataclass
class Shown:
    """A card or a message of the bot in a chat.

    Attributes:
        id: a card's `outTrackId`, a message's `processQueryKey`; empty for messages by webhook.
        versions: values of a card, oldest first; of a message the one markdown under `text`.
        private: values for one person alone, by user id.
    """

    id: str
    chat: str
    versions: list[dict[str, str]]
    at: float
    is_card: bool
    recalled: bool = False
    private: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])

    @property
    def values(self) -> dict[str, str]:
        """What it is now."""
        return self.versions[-1]

    @property
    def text(self) -> str:
        """What a reader sees now."""
        return "\n".join(cards.texts(self.values)) if self.is_card else cards.without_links(self.values["text"])

    @property
    def labels(self) -> list[str]:
        """What can be pressed now."""
        return [*(cards.buttons(self.values) if self.is_card else cards.links(self.values["text"]))]


class ApiRefused(Exception):
    """An answer other than success."""

    def __init__(self, code: str, status: int = 400, **more: object) -> None:
        super().__init__(code)
        body = {"code": code, "message": code, "requestid": "fake", **more}
        self.response = web.json_response(body, status=status)


class OldApiRefused(ApiRefused):
    """The old API refuses with HTTP 200."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.response = web.json_response({"errcode": code, "errmsg": message})


class DingTalkApi:
    """DingTalk's API on loopback, as an async context manager.

    Attributes:
        settings: an app that is known here, with a card template.
        groups: conversations the robot is in.
        staff: names by user id.
        shown: everything the bot sent, oldest first.
        calls: what was called, in order, e.g. `PUT /v1.0/card/instances`.
        faults: answers to give instead, by path, each once.
        monthly: billable calls left this month.
        repeats_refused: whether a card that exists is refused, or answered as if new; both are imaginable.
        undelivered: why cards are made but not delivered; empty while they are.
        hold: while it is not set, cards are made and shown, but the call is not answered.
        codes: user ids by code, for signing on to a page; each works once.
        callbacks: where card callbacks go, and their secret, by route key.

    Args:
        clock: Unix seconds.
        throttle: whether rates are kept.
    """

    def __init__(self, *, clock: Callable[[], float] = time.time, throttle: bool = True) -> None:
        self.clock = clock
        self.groups = {"cidGroup==", "cidOther=="}
        self.staff = {"ann": "Ann", "bob": "Bob"}
        self.shown: list[Shown] = []
        self.calls: list[str] = []
        self.faults: defaultdict[str, deque[web.Response | ApiRefused]] = defaultdict(deque)
        self.monthly = 5000
        self.repeats_refused = True
        self.undelivered = ""
        self.hold = asyncio.Event()
        self.hold.set()
        self.codes: dict[str, str] = {}
        self.callbacks: dict[str, tuple[str, str]] = {}
        self.answering: set[str] = set()
        self.updated_within_callback: list[str] = []
        self.webhooks: dict[str, tuple[str, float]] = {}
        self._throttle = throttle
        self._tokens: dict[str, float] = {}
        self._rates: defaultdict[str, deque[float]] = defaultdict(deque)
        self._changed = asyncio.Condition()
        self._server = TestServer(self._application())

    async def __aenter__(self) -> Self:
        await self._server.start_server()
        url = str(self._server.make_url("")).rstrip("/")
        self.settings = DingTalk(
            client_id="dingfake",
            client_secret=SecretStr("a-client-secret-of-the-fake"),
            card_template_id=TEMPLATE_ID,
            api=url,
            oapi=url,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._server.close()

    @property
    def messages(self) -> list[Shown]:
        """What people see of the bot, oldest first."""
        return [shown for shown in self.shown if not shown.recalled]

    async def until(self, true: Callable[[], object], *, within: float = 10.0) -> None:
        """Wait until something is true; looked at again whenever something changes."""
        async with asyncio.timeout(within), self._changed:
            await self._changed.wait_for(lambda: bool(true()))

    async def changed(self) -> None:
        """Let those look again who wait."""
        async with self._changed:
            self._changed.notify_all()

    def expire_tokens(self) -> None:
        """End every access token now."""
        self._tokens.clear()

    def webhook(self, chat: str) -> Json:
        """A session webhook as messages carry it."""
        session = secrets.token_hex(16)
        until = self.clock() + WEBHOOK_SECONDS
        self.webhooks[session] = chat, until
        address = str(self._server.make_url("/robot/sendBySession").with_query(session=session))
        return {"sessionWebhook": address, "sessionWebhookExpiredTime": int(until * 1000)}

    def routes(self) -> list[web.RouteDef]:
        """Every call that is known."""
        return [
            web.post("/v1.0/oauth2/accessToken", self._token),
            web.post("/v1.0/card/instances/createAndDeliver", self._create),
            web.put("/v1.0/card/instances", self._update),
            web.post("/v1.0/card/callbacks/register", self._register),
            web.post("/v1.0/robot/groupMessages/send", self._to_group),
            web.post("/v1.0/robot/oToMessages/batchSend", self._to_people),
            web.post("/v1.0/robot/groupMessages/recall", self._recall),
            web.post("/v1.0/robot/otoMessages/batchRecall", self._recall),
            web.post("/robot/sendBySession", self._by_session),
            web.post("/topapi/v2/user/get", self._user),
            web.post("/topapi/v2/user/getuserinfo", self._user_of_code),
        ]

    def _application(self) -> web.Application:
        application = web.Application(middlewares=[self._guard])
        application.add_routes(self.routes())
        return application

    @web.middleware
    async def _guard(self, request: web.Request, handler: Any) -> web.StreamResponse:
        self.calls.append(f"{request.method} {request.path}")
        try:
            self._allow(request)
            if self.faults[request.path]:
                fault = self.faults[request.path].popleft()
                if isinstance(fault, ApiRefused):
                    raise fault
                return fault
            answer = await handler(request)
        except ApiRefused as refused:
            return refused.response
        except cards.DataRefused as refused:
            return ApiRefused(refused.code).response
        await self.changed()
        return answer

    def _allow(self, request: web.Request) -> None:
        if request.path.startswith("/topapi/") and self._tokens.get(request.query["access_token"], 0) <= self.clock():
            raise OldApiRefused(88, "不合法的access_token")
        if request.path.startswith("/v1.0/") and request.path not in EXEMPT:
            token = request.headers.get("x-acs-dingtalk-access-token", "")
            if self._tokens.get(token, 0.0) <= self.clock():
                raise ApiRefused("InvalidAuthentication")
            if self._throttle:
                self._rate(request.path)
            if self.monthly <= 0:
                raise ApiRefused("Forbidden.AccessDenied.ApiCountLimitForOrg", 403)
            self.monthly -= 1

    def _rate(self, path: str) -> None:
        recent = self._rates[path]
        while recent and recent[0] <= self.clock() - 1.0:
            recent.popleft()
        if len(recent) >= 20:
            raise ApiRefused("Forbidden.AccessDenied.QpsLimitForAppkeyAndApi", 403)
        recent.append(self.clock())

    async def _token(self, request: web.Request) -> web.Response:
        given = await request.json()
        if given != {"appKey": self.settings.client_id, "appSecret": self.settings.client_secret.get_secret_value()}:
            raise ApiRefused("invalidClientIdOrSecret")
        token = next(iter(self._tokens), secrets.token_hex(16))  # the same one while it is valid
        self._tokens[token] = self.clock() + 7200
        return web.json_response({"accessToken": token, "expireIn": 7200})

    async def _create(self, request: web.Request) -> web.Response:
        body = await request.json()
        id, values = body["outTrackId"], body["cardData"]["cardParamMap"]
        if body["cardTemplateId"] != TEMPLATE_ID:
            raise ApiRefused("param.templateNotExist")
        if len(id) > cards.TRACK or body["callbackType"] not in {"STREAM", "HTTP"}:
            raise ApiRefused("param.invalid")
        if body["callbackType"] == "HTTP" and body["callbackRouteKey"] not in self.callbacks:
            raise ApiRefused("param.invalid")
        cards.check(values)
        chat = self._chat(body)
        if any(shown.id == id for shown in self.shown):
            if self.repeats_refused:
                raise ApiRefused("param.cardAlreadyExist")
        elif not self.undelivered:
            self.shown.append(Shown(id, chat, [_known(values)], self.clock(), is_card=True))
        await self.changed()
        await self.hold.wait()
        delivery = {"spaceId": chat, "success": not self.undelivered, "errorMsg": self.undelivered}
        return web.json_response({"success": True, "result": {"outTrackId": id, "deliverResults": [delivery]}})

    def _chat(self, body: Json) -> str:
        kind, _, id = body["openSpaceId"].removeprefix("dtv1.card//").partition(".")
        known = {"IM_GROUP": self.groups, "IM_ROBOT": {*self.staff, "stranger"}}.get(kind, set[str]())
        if id not in known:
            raise ApiRefused("param.openSpaceIdInvalid")
        name = "imGroup" if kind == "IM_GROUP" else "imRobot"
        if f"{name}OpenSpaceModel" not in body or not body[f"{name}OpenDeliverModel"].get("robotCode"):
            raise ApiRefused("param.openDeliverModelEmpty")
        return id

    async def _update(self, request: web.Request) -> web.Response:
        body = await request.json()
        found = [shown for shown in self.shown if shown.is_card and shown.id == body["outTrackId"]]
        if not found:
            raise ApiRefused("param.cardNotExist")
        if body["outTrackId"] in self.answering:
            self.updated_within_callback.append(body["outTrackId"])
        values = body["cardData"]["cardParamMap"]
        cards.check(values)
        by_key = body.get("cardUpdateOptions", {}).get("updateCardDataByKey", False)
        found[0].versions.append({**(found[0].values if by_key else {}), **_known(values)})
        return web.json_response({"success": True, "result": True})

    async def _register(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.callbacks[body["callbackRouteKey"]] = body["callbackUrl"], body["apiSecret"]
        return web.json_response({"success": True, "result": {}})

    async def _to_group(self, request: web.Request) -> web.Response:
        body = await request.json()
        if body["openConversationId"] not in self.groups:
            raise ApiRefused("invalid.openConversationId")
        return web.json_response({"processQueryKey": self._message(body, body["openConversationId"])})

    async def _to_people(self, request: web.Request) -> web.Response:
        body = await request.json()
        invalid = [user for user in body["userIds"] if user not in self.staff]
        keys = [self._message(body, user) for user in body["userIds"] if user in self.staff]
        answer = {"processQueryKey": keys[0] if keys else "", "invalidStaffIdList": invalid}
        return web.json_response({**answer, "flowControlledStaffIdList": []})

    def _message(self, body: Json, chat: str) -> str:
        if body["robotCode"] != self.settings.client_id:
            raise ApiRefused("invalidParameter.robotCode.notExist")
        if len(body["msgParam"].encode()) > PARAMETERS:
            raise ApiRefused("invalidParameter.msgParam.tooLong")
        if body["msgKey"] != "sampleMarkdown":
            raise ApiRefused("invalidParameter.msgKey")
        return self._show(chat, json.loads(body["msgParam"]), secrets.token_hex(8))

    def _show(self, chat: str, parameters: Json, key: str) -> str:
        assert parameters["title"]
        self.shown.append(Shown(key, chat, [{"text": parameters["text"]}], self.clock(), is_card=False))
        return key

    async def _recall(self, request: web.Request) -> web.Response:
        body = await request.json()
        failed: dict[str, str] = {}
        for key in body["processQueryKeys"]:
            found = [s for s in self.messages if s.id == key and self.clock() - s.at < RECALL_SECONDS]
            if not found:
                failed[key] = "no such message"
            for shown in found:
                shown.recalled = True
        return web.json_response({"successResult": [], "failedResult": failed})

    async def _by_session(self, request: web.Request) -> web.Response:
        chat, until = self.webhooks.get(request.query["session"], ("", 0.0))
        if self.clock() >= until:
            return web.json_response({"errcode": 300001, "errmsg": "session 不存在"})
        body = await request.json()
        self._show(chat, body["markdown"], "")
        return web.json_response({"errcode": "0", "errmsg": "ok"})

    async def _user_of_code(self, request: web.Request) -> web.Response:
        user = self.codes.pop((await request.json())["code"], None)
        if user is None:
            return web.json_response({"errcode": 40078, "errmsg": "不存在的临时授权码"})
        return web.json_response({"errcode": 0, "result": {"userid": user, "name": self.staff[user]}})

    async def _user(self, request: web.Request) -> web.Response:
        user = (await request.json())["userid"]
        if user not in self.staff:
            return web.json_response({"errcode": 60121, "errmsg": "找不到该用户"})
        return web.json_response({"errcode": 0, "result": {"userid": user, "name": self.staff[user]}})


def _known(values: dict[str, str]) -> dict[str, str]:
    """The values of variables that the template has; others are ignored."""
    return {name: value for name, value in values.items() if name in cards.types()}
