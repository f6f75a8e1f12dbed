"""The part of Feishu that programs call: tokens, messages, people, with Feishu's rules and codes.

Sources: open.feishu.cn, the pages of each call and the generic error codes.
"""

import asyncio
import json
import secrets
import time
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from core.settings import Feishu
from tests.fakes.feishu_cards import CardRefused, buttons, check, shown

Json = dict[str, Any]

SIZE = 30 * 1024
UUID_SECONDS = 3600
EDITABLE_SECONDS = 14 * 86400
BOT, BOT_NAME = "ou_bot", "OpsBot"


@dataclass
class Sent:
    """A message in a chat. `contents` are its versions, oldest first; `card` is the newest, when it is a card."""

    id: str
    chat: str
    sender: str
    kind: str
    contents: list[str]
    at: float
    thread: str = ""
    parent: str = ""
    mentions: list[Json] = field(default_factory=list[Json])
    forwarded: "list[Sent]" = field(default_factory=list["Sent"])

    @property
    def card(self) -> Json:
        """The card as it is now."""
        return json.loads(self.contents[-1])

    @property
    def text(self) -> str:
        """What a reader sees now."""
        return shown(self.card)

    @property
    def labels(self) -> list[str]:
        """What can be pressed now."""
        return [*buttons(self.card)]


class ApiRefused(Exception):
    """An answer other than `code` 0."""

    def __init__(self, code: int, message: str, *, status: int = 400, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.response = web.json_response({"code": code, "msg": message}, status=status, headers=headers)


class FeishuApi:
    """Feishu's API on loopback, as an async context manager.

    Attributes:
        settings: an app that is known here.
        chats: type of each chat the bot is in.
        users: names by `open_id`.
        all: every message, by id.
        calls: what was called, in order, e.g. `POST im/v1/messages`.
        stale_token_status: HTTP status of 99991663; 400 and 200 have both been seen.
        scopes: permissions the app asked for, and whether they were granted.
        subscriptions: `event` and `callback_info` of the app; empty when the app may not read them.

    Args:
        clock: Unix seconds.
        throttle: whether the rates are kept.
    """

    def __init__(self, *, clock: Callable[[], float] = time.time, throttle: bool = True) -> None:
        self.clock = clock
        self.chats = {"oc_private": "p2p", "oc_group": "group", "oc_other": "group"}
        self.users = {"ou_ann": "Ann", "ou_bob": "Bob"}
        self.all: dict[str, Sent] = {}
        self.calls: list[str] = []
        self.stale_token_status = 400
        self.scopes = {
            "im:message": True,
            "im:message.p2p_msg:readonly": True,
            "im:message.group_at_msg:readonly": True,
            "contact:user.base:readonly": False,
        }
        self.subscriptions: Json = {}
        self._throttle = throttle
        self._tokens: dict[str, float] = {}
        self._uuids: dict[str, tuple[str, float]] = {}
        self._codes: dict[str, tuple[str, float]] = {}
        self._user_tokens: dict[str, str] = {}
        self._rates: defaultdict[tuple[str, str], deque[float]] = defaultdict(deque)
        self._closed_until = 0.0
        self._changed = asyncio.Condition()
        self._server = TestServer(self._application())

    async def __aenter__(self) -> Self:
        await self._server.start_server()
        self.settings = Feishu(
            app_id="cli_fake",
            app_secret=SecretStr("an-app-secret-of-the-fake"),
            mode="webhook",
            encrypt_key=SecretStr("an-encrypt-key-of-the-fake"),
            verification_token=SecretStr("a-verification-token"),
            domain=str(self._server.make_url("")).rstrip("/"),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._server.close()

    @property
    def messages(self) -> list[Sent]:
        """What the bot sent, oldest first."""
        return [message for message in self.all.values() if message.sender == BOT]

    async def until(self, true: Callable[[], object], *, within: float = 10.0) -> None:
        """Wait until something is true of the messages; looked at again whenever one is sent or edited."""
        async with asyncio.timeout(within), self._changed:
            await self._changed.wait_for(lambda: bool(true()))

    def expire_tokens(self) -> None:
        """End every access token now."""
        self._tokens.clear()

    def close_for(self, seconds: float) -> None:
        """Refuse every call with 99991400 for so long."""
        self._closed_until = self.clock() + seconds

    def store(self, chat: str, sender: str, kind: str, content: str, *, thread: str = "", parent: str = "") -> Sent:
        """Put a message into a chat."""
        message = Sent(f"om_{secrets.token_hex(8)}", chat, sender, kind, [content], self.clock(), thread, parent)
        self.all[message.id] = message
        return message

    def _application(self) -> web.Application:
        application = web.Application(middlewares=[self._guard])
        api = "/open-apis"
        application.add_routes(
            [
                web.post(f"{api}/auth/v3/tenant_access_token/internal", self._token),
                web.post(f"{api}/im/v1/messages", self._create),
                web.get(f"{api}/im/v1/messages", self._list),
                web.post(f"{api}/im/v1/messages/{{id}}/reply", self._reply),
                web.patch(f"{api}/im/v1/messages/{{id}}", self._patch),
                web.get(f"{api}/im/v1/messages/{{id}}", self._get),
                web.get(f"{api}/contact/v3/users/{{id}}", self._user),
                web.get(f"{api}/bot/v3/info", self._bot),
                web.get(f"{api}/application/v6/scopes", self._scopes),
                web.get(f"{api}/application/v6/applications/{{id}}", self._application_info),
                web.post(f"{api}/authen/v2/oauth/token", self._user_token),
                web.get(f"{api}/authen/v1/user_info", self._user_info),
            ]
        )
        return application

    @web.middleware
    async def _guard(self, request: web.Request, handler: Any) -> web.StreamResponse:
        self.calls.append(f"{request.method} {request.path.removeprefix('/open-apis/')}")
        try:
            if not request.path.endswith("/internal") and "/authen/" not in request.path:
                self._authorize(request)
            return await handler(request)
        except ApiRefused as refused:
            return refused.response

    def _authorize(self, request: web.Request) -> None:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if not token:
            raise ApiRefused(99991661, "Missing access token for authorization")
        if self._tokens.get(token, 0.0) <= self.clock():
            raise ApiRefused(99991663, "Invalid access token for authorization.", status=self.stale_token_status)
        if self.clock() < self._closed_until:
            reset = {"x-ogw-ratelimit-reset": str(self._closed_until - self.clock())}
            raise ApiRefused(99991400, "request trigger frequency limit", status=429, headers=reset)
        self._rate("app", "", 50, ApiRefused(99991400, "request trigger frequency limit", status=429))

    def _rate(self, kind: str, key: str, most: int, refusal: ApiRefused) -> None:
        if not self._throttle:
            return
        recent = self._rates[kind, key]
        while recent and recent[0] <= self.clock() - 1.0:
            recent.popleft()
        if len(recent) >= most:
            raise refusal
        recent.append(self.clock())

    async def _token(self, request: web.Request) -> web.Response:
        given = await request.json()
        expected = {"app_id": self.settings.app_id, "app_secret": self.settings.app_secret.get_secret_value()}
        if given != expected:
            return web.json_response({"code": 10014, "msg": "app secret invalid"})
        token = f"t-{secrets.token_hex(12)}"
        self._tokens[token] = self.clock() + 7200
        return web.json_response({"code": 0, "msg": "ok", "tenant_access_token": token, "expire": 7200})

    async def _create(self, request: web.Request) -> web.Response:
        body = await _sized(request)
        kind = request.query.get("receive_id_type")
        if kind not in {"chat_id", "open_id"} or "receive_id" not in body:
            raise ApiRefused(230001, "invalid request parameter")
        return await self._send(body, body["receive_id"] if kind == "chat_id" else self._private(body["receive_id"]))

    def _private(self, person: str) -> str:
        """The chat of the bot with a person, there from the first message on."""
        if person not in self.users:
            raise ApiRefused(230013, "Bot has NO availability to this user.")
        self.chats[f"oc_{person}"] = "p2p"
        return f"oc_{person}"

    async def _reply(self, request: web.Request) -> web.Response:
        origin = self._existing(request)
        body = await _sized(request)
        thread = origin.thread or (f"omt_{origin.id}" if body.get("reply_in_thread") else "")
        return await self._send(body, origin.chat, thread=thread, parent=origin.id)

    async def _send(self, body: Json, chat: str, *, thread: str = "", parent: str = "") -> web.Response:
        if chat not in self.chats:
            raise ApiRefused(230002, "Bot/User can NOT be out of the chat.")
        uuid = body.get("uuid", "")
        if len(uuid) > 50:
            raise ApiRefused(230001, "uuid is too long")
        known, until = self._uuids.get(uuid, ("", 0.0))
        if known and self.clock() < until:
            return _told(self.all[known])
        self._rate("chat", chat, 5, ApiRefused(230020, "This operation triggers the frequency limit."))
        if body["msg_type"] == "interactive":
            self._checked(body["content"])
        message = self.store(chat, BOT, body["msg_type"], body["content"], thread=thread, parent=parent)
        if uuid:
            self._uuids[uuid] = message.id, self.clock() + UUID_SECONDS
        await self._notify()
        return _told(message)

    async def _patch(self, request: web.Request) -> web.Response:
        message = self._existing(request)
        body = await _sized(request)
        if message.sender != BOT or message.kind != "interactive":
            raise ApiRefused(230017, "Bot is NOT the owner of the resource.")
        if self.clock() - message.at > EDITABLE_SECONDS:
            raise ApiRefused(230031, "The message is too old to be updated.")
        self._rate("message", message.id, 5, ApiRefused(230020, "This operation triggers the frequency limit."))
        self._checked(body["content"])
        if not all(json.loads(text)["config"].get("update_multi") for text in (message.contents[-1], body["content"])):
            raise ApiRefused(230001, "update_multi must be true in both cards")
        message.contents.append(body["content"])
        await self._notify()
        return web.json_response({"code": 0, "msg": "success", "data": {}})

    async def _get(self, request: web.Request) -> web.Response:
        message = self._existing(request)
        items = [_item(part) for part in (message, *message.forwarded)]
        return web.json_response({"code": 0, "msg": "success", "data": {"items": items}})

    async def _list(self, request: web.Request) -> web.Response:
        found = [_item(message) for message in self.all.values() if message.thread == request.query["container_id"]]
        items = found[: int(request.query["page_size"])]
        return web.json_response({"code": 0, "msg": "success", "data": {"items": items, "has_more": False}})

    async def _user(self, request: web.Request) -> web.Response:
        open_id = request.match_info["id"]
        if open_id not in self.users:
            raise ApiRefused(41050, "no user authority error")
        user = {"open_id": open_id, "name": self.users[open_id]}
        return web.json_response({"code": 0, "msg": "success", "data": {"user": user}})

    async def _bot(self, _request: web.Request) -> web.Response:
        return web.json_response({"code": 0, "msg": "ok", "bot": {"app_name": BOT_NAME, "open_id": BOT}})

    def code(self, user: str) -> str:
        """What `requestAccess` gives a page that this person opens: good once, for three minutes."""
        code = secrets.token_hex(16)
        self._codes[code] = user, self.clock() + 180
        return code

    async def _user_token(self, request: web.Request) -> web.Response:
        given = await request.json()
        app = (self.settings.app_id, self.settings.app_secret.get_secret_value())
        user, until = self._codes.pop(given["code"], ("", 0.0))
        if (given["client_id"], given["client_secret"]) != app:
            return web.json_response({"code": 20002, "error": "invalid_client"}, status=400)
        if self.clock() > until:
            said = {
                "code": 20003,
                "error": "invalid_grant",
                "error_description": "The authorization code is not found.",
            }
            return web.json_response(said, status=400)
        token = f"u-{secrets.token_hex(12)}"
        self._user_tokens[token] = user
        return web.json_response({"code": 0, "access_token": token, "expires_in": 7200, "token_type": "Bearer"})

    async def _user_info(self, request: web.Request) -> web.Response:
        user = self._user_tokens.get(request.headers.get("Authorization", "").removeprefix("Bearer "))
        if user is None:
            raise ApiRefused(20005, "invalid access token")
        return web.json_response({"code": 0, "data": {"name": self.users.get(user, ""), "open_id": user}})

    async def _scopes(self, _request: web.Request) -> web.Response:
        scopes = [{"scope_name": name, "grant_status": 1 if self.scopes[name] else 2} for name in self.scopes]
        return web.json_response({"code": 0, "msg": "success", "data": {"scopes": scopes}})

    async def _application_info(self, request: web.Request) -> web.Response:
        if not self.subscriptions:
            raise ApiRefused(99991672, "Access denied. One of the following scopes is required")
        app = {"app_id": request.match_info["id"], **self.subscriptions}
        return web.json_response({"code": 0, "msg": "success", "data": {"app": app}})

    def _existing(self, request: web.Request) -> Sent:
        message = self.all.get(request.match_info["id"])
        if message is None:
            raise ApiRefused(99992354, "The request you send is not a valid {open_message_id}")
        return message

    def _checked(self, content: str) -> None:
        try:
            check(json.loads(content), set(self.users))
        except CardRefused as refused:
            raise ApiRefused(230099, str(refused)) from refused

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()


async def _sized(request: web.Request) -> Json:
    body = await request.read()
    if len(body) > SIZE:
        raise ApiRefused(230025, "The length of the message content reaches its limit.")
    return json.loads(body)


def _told(message: Sent) -> web.Response:
    return web.json_response({"code": 0, "msg": "success", "data": _item(message)})


def _item(message: Sent) -> Json:
    """A message as the API tells it; mentions have plain ids here, unlike in events."""
    mentions = [{**mention, "id": mention["id"]["open_id"], "id_type": "open_id"} for mention in message.mentions]
    return {
        "message_id": message.id,
        "msg_type": message.kind,
        "create_time": str(int(message.at * 1000)),
        "chat_id": message.chat,
        "sender": {"id": message.sender, "sender_type": "app" if message.sender == BOT else "user"},
        "body": {"content": message.contents[-1]},
        **({"mentions": mentions} if mentions else {}),
        **({"thread_id": message.thread} if message.thread else {}),
        **({"parent_id": message.parent, "root_id": message.parent} if message.parent else {}),
    }
