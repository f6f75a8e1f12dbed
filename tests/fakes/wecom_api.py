"""The part of WeCom that an app calls: tokens, messages, cards, people, with WeCom's rules and codes.

Sources: developer.work.weixin.qq.com, paths 91039, 90236, 94888, 94867, 90454. Almost every answer has status 200, also
those that say no; what exceeds the limit for a member is accepted and dropped without a word.
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

from core.settings import WeCom
from tests.fakes.wecom_cards import TEXT_BYTES, CardRefused, answers_clicks, check, labels, read_text, shown
from tests.fakes.wecom_crypto import fresh_aes_key
from tests.fakes.wecom_sign_on import SignOnPage

Json = dict[str, Any]

TOKEN_SECONDS = 7200
CODE_SECONDS = 72 * 3600
RECALL_SECONDS = 24 * 3600
MEMBER_MINUTE = 30
ADDRESS = "203.0.113.7"


@dataclass
class Sent:
    """A message to a member. `versions` are its contents, oldest first."""

    id: str
    user: str
    kind: str
    versions: list[Json]
    at: float
    recalled: bool = False

    @property
    def content(self) -> Json:
        """What it shows now."""
        return self.versions[-1]

    @property
    def is_card(self) -> bool:
        """Whether it is a template card."""
        return self.kind == "template_card"

    @property
    def text(self) -> str:
        """What a reader sees now."""
        return shown(self.content) if self.is_card else read_text(self.content["content"])

    @property
    def labels(self) -> list[str]:
        """What can be pressed now."""
        return labels(self.content) if self.is_card else []


@dataclass
class Trouble:
    """What is wrong at present.

    Attributes:
        untrusted: the console does not list the caller's address.
        busy_until: every call is refused with 45009 until then.
        answers: given to the next calls instead of what they ask for, after they were carried out.
    """

    untrusted: bool = False
    busy_until: float = 0.0
    answers: deque[web.Response] = field(default_factory=deque[web.Response])


class ApiRefused(Exception):
    """An answer other than `errcode` 0."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.response = web.json_response({"errcode": code, "errmsg": message})


class WeComApi:
    """WeCom's API on loopback, as an async context manager.

    Attributes:
        settings: an app that is known here.
        members: names by userid.
        sent: every message that was shown, by id.
        dropped: messages that WeCom took and showed nobody.
        calls: what was called, in order.
        trouble: see `Trouble`.
        sign_on: names people to pages.

    Args:
        clock: Unix seconds.
        throttle: whether the limit for a member is kept.
    """

    def __init__(self, *, clock: Callable[[], float] = time.time, throttle: bool = True) -> None:
        self.clock = clock
        self.members = {"ann": "Ann", "Bob": "Bob"}
        self.sent: dict[str, Sent] = {}
        self.dropped: list[Json] = []
        self.calls: list[str] = []
        self.trouble = Trouble()
        self.sign_on = SignOnPage(clock=clock)
        self._throttle = throttle
        self._tokens: dict[str, float] = {}
        self._codes: dict[str, tuple[Sent, float]] = {}
        self._tasks: set[str] = set()
        self._recent: defaultdict[str, deque[float]] = defaultdict(deque)
        self._bodies: dict[str, tuple[float, Json]] = {}
        self._changed = asyncio.Condition()
        self._server = TestServer(self._application())

    async def __aenter__(self) -> Self:
        await self._server.start_server()
        self.settings = WeCom(
            corp_id="ww0123456789abcdef",
            agent_id=1000002,
            secret=SecretStr("an-app-secret-of-the-fake"),
            callback_token=SecretStr("a-callback-token"),
            encoding_aes_key=SecretStr(fresh_aes_key()),
            api=str(self._server.make_url("")).rstrip("/"),
            # by another name, so that a browser takes it for another site, as the real one is
            sign_on=str(self._server.make_url("/connect/oauth2/authorize").with_host("localhost")),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._server.close()

    @property
    def messages(self) -> list[Sent]:
        """What members see, oldest first."""
        return [message for message in self.sent.values() if not message.recalled]

    @property
    def cards(self) -> list[Sent]:
        """The template cards among `messages`."""
        return [message for message in self.messages if message.is_card]

    async def until(self, true: Callable[[], object], *, within: float = 10.0) -> None:
        """Wait until something is true of the messages; looked at again whenever one is sent or edited."""
        async with asyncio.timeout(within), self._changed:
            await self._changed.wait_for(lambda: bool(true()))

    def expire_tokens(self) -> None:
        """End every access token now."""
        self._tokens.clear()

    def new_code(self, message: Sent) -> str:
        """A `response_code` that edits a card once."""
        code = secrets.token_hex(12)
        self._codes[code] = message, self.clock() + CODE_SECONDS
        return code

    def _application(self) -> web.Application:
        application = web.Application(middlewares=[self._guard])
        api = "/cgi-bin"
        application.add_routes(
            [
                web.get(f"{api}/gettoken", self._token),
                web.post(f"{api}/message/send", self._send),
                web.post(f"{api}/message/update_template_card", self._update),
                web.post(f"{api}/message/recall", self._recall),
                web.get(f"{api}/user/get", self._user),
                web.get(f"{api}/agent/get", self._agent),
                web.get(f"{api}/auth/getuserinfo", self._identify),
                web.get("/connect/oauth2/authorize", self._authorize_browser),
            ]
        )
        return application

    @web.middleware
    async def _guard(self, request: web.Request, handler: Any) -> web.StreamResponse:
        self.calls.append(request.path.removeprefix("/cgi-bin/"))
        try:
            if request.path.startswith("/cgi-bin/") and not request.path.endswith("/gettoken"):
                self._authorize(request)
            answer = await handler(request)
            return self.trouble.answers.popleft() if self.trouble.answers else answer
        except ApiRefused as refused:
            return refused.response

    def _authorize(self, request: web.Request) -> None:
        token = request.query.get("access_token", "")
        if not token:
            raise ApiRefused(41001, "access_token missing")
        if token not in self._tokens:
            raise ApiRefused(40014, "invalid access_token")
        if self._tokens[token] <= self.clock():
            raise ApiRefused(42001, "access_token expired")
        if self.trouble.untrusted:
            hint = f"not allow to access from your ip, hint: [1], from ip: {ADDRESS}, more info at …"
            raise ApiRefused(60020, hint)
        if self.clock() < self.trouble.busy_until:
            raise ApiRefused(45009, "api freq out of limit")

    async def _token(self, request: web.Request) -> web.Response:
        if request.query.get("corpid") != self.settings.corp_id:
            raise ApiRefused(40013, "invalid corpid")
        if request.query.get("corpsecret") != self.settings.secret.get_secret_value():
            raise ApiRefused(40001, "invalid credential")
        token = secrets.token_urlsafe(24)
        self._tokens[token] = self.clock() + TOKEN_SECONDS
        return web.json_response({"errcode": 0, "errmsg": "ok", "access_token": token, "expires_in": TOKEN_SECONDS})

    async def _send(self, request: web.Request) -> web.Response:
        body = await request.json()
        self._own(body)
        kind = body["msgtype"]
        content = body[kind]
        known = {name.lower(): name for name in self.members}
        user = known.get(body["touser"].lower())
        if user is None:
            answer = {"errcode": 0, "errmsg": "ok", "invaliduser": body["touser"].lower(), "msgid": ""}
            return web.json_response(answer)
        if (before := self._sent_before(body)) is not None:
            return web.json_response(before)
        self._check(kind, content)
        message = Sent(f"msg{secrets.token_hex(6)}", user, kind, [content], self.clock())
        answer = {"errcode": 0, "errmsg": "ok", "invaliduser": "", "msgid": message.id}
        if message.is_card:
            self._tasks.add(content["task_id"])
        if message.is_card and answers_clicks(content):
            answer["response_code"] = self.new_code(message)
        self._bodies[_fingerprint(body)] = self.clock(), answer
        if self._full(user):
            self.dropped.append(content)
        else:
            self.sent[message.id] = message
        await self._notify()
        return web.json_response(answer)

    def _check(self, kind: str, content: Json) -> None:
        if kind == "text":
            size = len(content["content"].encode())
            if not size:
                raise ApiRefused(44004, "empty content")
            if size > TEXT_BYTES:
                raise ApiRefused(45002, "content size out of limit")  # WeCom cuts it; to us that is as bad
        elif kind == "template_card":
            self._taken(content)
            if content["task_id"] in self._tasks:
                raise ApiRefused(40058, "task_id is used")
        else:
            raise ApiRefused(40008, "invalid message type")

    def _taken(self, card: Json) -> None:
        try:
            check(card)
        except CardRefused as refused:
            raise ApiRefused(40058, str(refused)) from refused

    async def _update(self, request: web.Request) -> web.Response:
        body = await request.json()
        self._own(body)
        message, until = self._codes.pop(body["response_code"], (None, 0.0))
        if message is None or until < self.clock() or message.recalled:
            raise ApiRefused(46004, "invalid response_code")
        self._taken(body["template_card"])
        if message.user not in body["userids"]:
            return web.json_response({"errcode": 0, "errmsg": "ok", "invaliduser": body["userids"]})
        message.versions.append(body["template_card"])
        await self._notify()
        return web.json_response({"errcode": 0, "errmsg": "ok", "invaliduser": []})

    async def _recall(self, request: web.Request) -> web.Response:
        message = self.sent.get((await request.json())["msgid"])
        if message is None or message.at + RECALL_SECONDS < self.clock():
            raise ApiRefused(40058, "msgid is invalid or too old")
        message.recalled = True
        await self._notify()
        return web.json_response({"errcode": 0, "errmsg": "ok"})

    async def _user(self, request: web.Request) -> web.Response:
        user = request.query["userid"]
        if user not in self.members:
            raise ApiRefused(60111, "userid not found")
        return web.json_response({"errcode": 0, "errmsg": "ok", "userid": user, "name": self.members[user]})

    async def _agent(self, request: web.Request) -> web.Response:
        self._own({"agentid": int(request.query["agentid"])})
        known = {"name": "OpsApp", "close": 0, "redirect_domain": self.sign_on.trusted}
        return web.json_response({"errcode": 0, "errmsg": "ok", **known})

    async def _authorize_browser(self, request: web.Request) -> web.Response:
        agent, settings = request.headers.get("User-Agent", ""), self.settings
        return self.sign_on.answer(request.query, corp_id=settings.corp_id, agent_id=settings.agent_id, agent=agent)

    async def _identify(self, request: web.Request) -> web.Response:
        user = self.sign_on.redeem(request.query.get("code", ""))
        if user is None:
            raise ApiRefused(40029, "invalid code")
        who = {"userid": user} if user in self.members else {"openid": f"o{user}"}
        return web.json_response({"errcode": 0, "errmsg": "ok", **who})

    def _own(self, body: Json) -> None:
        if body.get("agentid") != self.settings.agent_id:
            raise ApiRefused(40056, "invalid agentid")

    def _sent_before(self, body: Json) -> Json | None:
        at, answer = self._bodies.get(_fingerprint(body), (0.0, None))
        wanted = body.get("enable_duplicate_check") and self.clock() - at <= body.get("duplicate_check_interval", 1800)
        return answer if wanted else None

    def _full(self, user: str) -> bool:
        recent = self._recent[user]
        while recent and recent[0] <= self.clock() - 60:
            recent.popleft()
        recent.append(self.clock())
        return self._throttle and len(recent) > MEMBER_MINUTE

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()


def _fingerprint(body: Json) -> str:
    """What WeCom compares to find a message sent before."""
    return json.dumps([body["touser"], body["msgtype"], body[body["msgtype"]]], sort_keys=True)
