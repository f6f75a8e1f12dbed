"""Feishu's side of `core.channel.Channel`: cards sent, edited in place, people looked up, over the one HTTP session.

Sending carries an idempotency key (Feishu's `uuid`) and editing is idempotent, so both may be tried again. Tokens that
turn out stale are renewed once; requests to slow down are obeyed for as long as `PATIENCE` lasts.
"""

import asyncio
import hashlib
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import quote

import structlog
from aiolimiter import AsyncLimiter

from bots import fields
from bots.edits import Edits, paces
from bots.feishu.cards import LIMITS, render
from bots.feishu.inbound import flatten, names_of
from core.background import Background
from core.cards import Card
from core.channel import Limits
from core.errors import Refused, RemoteError, Throttled, Unauthorized, Unreachable
from core.http import Http, Response, Token, throttled
from core.messages import Actor, Conversation
from core.redact import clean
from core.settings import Feishu

STALE_TOKEN = {99991661, 99991663, 99991664, 99991671}
"""Missing, expired or of the wrong kind: a new token may help, once."""

SLOW_DOWN = {99991400, 230020, 230049}
"""Too fast for the app, too fast for the chat, the same message is being sent right now."""

PATIENCE = 60.0
"""Seconds one call waits in all because Feishu asked it to slow down."""

PERMISSIONS = (
    ("im:message:send_as_bot", "im:message"),
    ("im:message:readonly", "im:message"),
    ("im:message.p2p_msg:readonly", "im:message.p2p_msg"),
    ("im:message.group_at_msg:readonly", "im:message.group_at_msg"),
)
"""What the app must be allowed: to send and edit, to read what a message refers to, to hear private chats and mentions in
groups. Of each row one is enough; the first is the narrower one, or the newer name."""

EVENT, CALLBACK = "im.message.receive_v1", "card.action.trigger"
"""What Feishu must send us: messages, and presses."""

WAYS = {"stream": "websocket", "webhook": "webhook"}
"""Our modes in the words of Feishu's console."""

ATTEMPTS = 3
PERSON = "ou_"
"""How the `open_id` of a person begins, which Feishu takes in place of the id of their private chat."""

_log = structlog.get_logger(__name__)
_CARD_ERROR = re.compile(r"ErrCode: (\d+)")


@dataclass(frozen=True, slots=True)
class Rates:
    """How fast we call, so that Feishu need not refuse. The defaults are Feishu's limits; a benchmark may lift them.

    Attributes:
        per_second: calls of the app.
        per_minute: calls of the app.
        per_place: messages to one chat, and edits of one message, a second.
    """

    per_second: float = 50
    per_minute: float = 1000
    per_place: float = LIMITS.edits_per_second


class FeishuChannel:
    """The app's bot in all its chats.

    Args:
        settings: the app's credentials and address.
        http: the one session; the channel opens no other.
        page: address of the web page, for what a card cannot show; empty when people cannot reach it.
        rates: see `Rates`.
        sleep: waits; tests pass a clock of their own.
    """

    name = "feishu"
    limits: Limits = LIMITS

    def __init__(
        self,
        settings: Feishu,
        http: Http,
        *,
        page: str = "",
        rates: Rates = Rates(),
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.bot_open_id = settings.bot_open_id
        self._settings = settings
        self._page = page
        self._http = http
        self._sleep = sleep
        self._token = Token(self._fetch_token)
        # One tenth of a second's and of a minute's calls at once, so that no second or minute sees far too many.
        self._app = (AsyncLimiter(rates.per_second / 10, 0.1), AsyncLimiter(rates.per_minute / 10, 6))
        self._chats = paces(rates.per_place)
        self._edits = Edits(self._replace, rates.per_place)
        self._background = Background()

    async def start(self) -> None:
        """Begin to learn the bot's own id, unless the settings give it; being ready does not wait for it."""
        if not self.bot_open_id:
            self._background.start(self._learn(), "feishu-bot-id")

    async def stop(self) -> None:
        """Stop learning."""
        await self._background.stop()

    async def send(self, conversation: Conversation, card: Card, *, key: str) -> str:
        """Show a card; see `core.channel.Channel.send`. Feishu remembers a key for an hour."""
        place = f"{conversation.kind}/{conversation.thread}"
        uuid = hashlib.sha256(key.encode()).hexdigest()[:48]  # Feishu takes at most 50 characters
        body = {"msg_type": "interactive", "content": render(card, place, self._page), "uuid": uuid}
        await self._chats(conversation.id).acquire()
        if conversation.thread:
            root = await self._message_in(conversation.thread)
            answer = await self._call("POST", f"im/v1/messages/{root}/reply", json={**body, "reply_in_thread": True})
        else:
            to = {"receive_id_type": "open_id" if conversation.id.startswith(PERSON) else "chat_id"}
            answer = await self._call("POST", "im/v1/messages", params=to, json={**body, "receive_id": conversation.id})
        return f"{answer['data']['message_id']}/{place}"

    async def update(self, reference: str, card: Card, *, key: str) -> None:
        """Replace a card; see `core.channel.Channel.update`. The key is not needed: editing is idempotent by itself."""
        await self._edits.show(reference, card)

    async def lookup(self, actor_id: str) -> Actor:
        """Who this `open_id` is; without a name when the app may not see the person."""
        path = f"contact/v3/users/{quote(actor_id, safe='')}"
        try:
            answer = await self._call("GET", path, params={"user_id_type": "open_id"})
        except Refused:
            return Actor(self.name, actor_id)
        return Actor(self.name, actor_id, name=clean(answer["data"]["user"].get("name", "")))

    async def read(self, message_id: str) -> str:
        """The plain text of a message, or of all messages it forwards.

        Raises:
            RemoteError: Feishu could not or would not tell.
        """
        answer = await self._call("GET", f"im/v1/messages/{quote(message_id, safe='')}")
        texts = (
            flatten(item["msg_type"], item["body"]["content"], names_of(item.get("mentions"), bot=self.bot_open_id))
            for item in answer["data"]["items"]
            if not item.get("deleted")
        )
        return "\n".join(filter(None, texts))

    async def bot(self) -> Actor:
        """The bot itself: proves that the credentials work.

        Raises:
            RemoteError: they do not, or Feishu does not answer.
        """
        bot = (await self._call("GET", "bot/v3/info"))["bot"]
        return Actor(self.name, bot["open_id"], name=bot.get("app_name", ""))

    async def missing_permissions(self) -> tuple[str, ...]:
        """Which of `PERMISSIONS` the app was not granted.

        Raises:
            RemoteError: Feishu does not tell.
        """
        scopes = (await self._call("GET", "application/v6/scopes"))["data"]["scopes"]
        granted = {scope["scope_name"] for scope in scopes if scope["grant_status"] == 1}
        return tuple(names[0] for names in PERMISSIONS if not granted & {*names})

    async def missing_subscriptions(self, mode: str) -> tuple[str, ...]:
        """What the console does not send us, or sends another way than by this mode; nothing when we may not ask.

        Source: open.feishu.cn, "获取应用信息"; the permission for it is optional.
        """
        path = f"application/v6/applications/{quote(self._settings.app_id, safe='')}"
        try:
            app = fields.node((await self._call("GET", path, params={"lang": "zh_cn"}))["data"], "app")
        except Refused:
            return ()
        event, callback = fields.node(app, "event"), fields.node(app, "callback_info")
        missing = [] if EVENT in fields.several(event.get("subscribed_events")) else [EVENT]
        missing += [] if CALLBACK in fields.several(callback.get("subscribed_callbacks")) else [CALLBACK]
        ways = {fields.text(event, "subscription_type"), fields.text(callback, "callback_type")}
        return (*missing, *sorted(ways - {"", WAYS[mode]}))

    async def _replace(self, reference: str, card: Card) -> None:
        message, _, place = reference.partition("/")
        content = render(card, place, self._page)
        await self._call("PATCH", f"im/v1/messages/{quote(message, safe='')}", json={"content": content})

    async def _learn(self) -> None:
        pause = 1.0
        while not self.bot_open_id:
            try:
                self.bot_open_id = (await self.bot()).id
            except RemoteError as error:
                _log.warning("feishu_bot_unknown", reason=str(error), again_in=pause)
                await self._sleep(pause)
                pause = min(pause * 2, 60.0)

    async def _message_in(self, thread: str) -> str:
        """Any message of a thread: Feishu answers into a thread only through one of its messages."""
        params = {"container_id_type": "thread", "container_id": thread, "page_size": "1"}
        items = (await self._call("GET", "im/v1/messages", params=params))["data"]["items"]
        if not items:
            raise Refused("feishu: the thread has no message left", system="feishu", code="230019")
        return quote(items[0]["message_id"], safe="")

    async def _call(
        self, method: str, path: str, *, params: Mapping[str, str] | None = None, json: object | None = None
    ) -> dict[str, Any]:
        """One call of the API, tried again where that may help, as the answer's JSON with `code` 0."""
        renewed, patience, pause = False, PATIENCE, 1.0
        while True:
            token = await self._token.get()
            for limiter in self._app:
                await limiter.acquire()
            response = await self._http.request(
                method,
                f"{self._settings.domain}/open-apis/{path}",
                system=self.name,
                headers={"Authorization": f"Bearer {token}"},
                params=params,
                json=json,
                timeout=10,
                attempts=ATTEMPTS,
            )
            try:
                return checked(response)
            except Unauthorized:
                if renewed:
                    raise
                renewed = True
                self._token.reject(token)
            except Throttled as error:
                wait = error.retry_after or pause
                if wait > patience:
                    raise
                patience -= wait
                pause *= 2
                await self._sleep(wait)

    async def _fetch_token(self) -> tuple[str, float]:
        secret = self._settings.app_secret.get_secret_value()
        response = await self._http.request(
            "POST",
            f"{self._settings.domain}/open-apis/auth/v3/tenant_access_token/internal",
            system=self.name,
            json={"app_id": self._settings.app_id, "app_secret": secret},
            timeout=10,
            attempts=ATTEMPTS,
        )
        try:
            answer = checked(response)
        except Refused as error:
            raise Unauthorized("feishu refuses app_id and app_secret", system=self.name, code=error.code) from error
        return answer["tenant_access_token"], float(answer["expire"])


def _object(response: Response) -> dict[str, Any]:
    answer = response.json(system="feishu")
    if not isinstance(answer, dict):
        raise Refused("feishu answered with JSON that is no object", system="feishu")
    return cast("dict[str, Any]", answer)


def checked(response: Response) -> dict[str, Any]:
    """The answer, or the error it stands for. Feishu's `code` counts, whichever HTTP status comes with it.

    Raises:
        RemoteError: the one that fits the code.
    """
    if response.status >= 500:
        raise Unreachable(f"feishu answered {response.status}", system="feishu", code=str(response.status))
    if response.status == 429:
        raise throttled(response, system="feishu", header="x-ogw-ratelimit-reset", code="429")
    answer = _object(response)
    code, said = answer.get("code"), str(answer.get("msg", ""))
    if code == 0:
        return answer
    if code in STALE_TOKEN:
        raise Unauthorized("feishu refuses the access token", system="feishu", code=str(code))
    if code in SLOW_DOWN:
        raise throttled(response, system="feishu", header="x-ogw-ratelimit-reset", code=str(code))
    inner = _CARD_ERROR.search(said)  # 230099 wraps what is wrong with a card
    raise Refused(f"feishu refused: {code} {said}", system="feishu", code=f"{code}/{inner[1]}" if inner else str(code))
