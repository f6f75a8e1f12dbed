"""DingTalk's side of `core.channel.Channel`, and its ear: what arrives by either way is heard here.

Answers are interactive cards where a template is set up (`instances`), markdown messages where none is (`posts`). What
was sent one way is edited that way, also after the settings changed.
"""

import asyncio
import hmac
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import orjson
import structlog

from bots.dingtalk.api import QUOTA, Api, moderated
from bots.dingtalk.cards import CARD_LIMITS, MESSAGE_LIMITS
from bots.dingtalk.inbound import Heard, Json, Kind, read_click, read_message
from bots.dingtalk.instances import Instances
from bots.dingtalk.places import CHANNEL, is_card
from bots.dingtalk.posts import Posts
from bots.dingtalk.stream import Stream
from bots.edge import Intake, Received
from bots.edits import Edits
from bots.shorten import whole
from core.background import Background
from core.cards import Button, Buttons, Card, Text
from core.channel import Limits
from core.errors import Refused, XOpsError
from core.http import Http
from core.i18n import words
from core.messages import Actor, Click, Conversation, Event
from core.redact import clean
from core.sent_cards import SentCards
from core.settings import DingTalk

MESSAGES, CARDS = "/dingtalk/messages", "/dingtalk/cards"
"""Our addresses in HTTP mode."""

T = TypeVar("T")

_log = structlog.get_logger(__name__)


class DingTalkChannel:
    """The app's robot in all its chats.

    Args:
        settings: the app's credentials and hosts.
        http: the one session; the channel opens no other.
        sent: remembers which messages were sent.
        language: of the few sentences of our own, since what arrives does not tell the person's.
        public_url: address of this server; needed in HTTP mode, where card callbacks come to us.
        page: address of the web page, offered on cards that cannot show everything; may be empty.
        sleep: waits; tests pass a clock of their own.
        clock: Unix seconds.
    """

    name = CHANNEL

    def __init__(
        self,
        settings: DingTalk,
        http: Http,
        sent: SentCards,
        *,
        language: str = "zh-CN",
        public_url: str = "",
        page: str = "",
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.limits: Limits = CARD_LIMITS if settings.card_template_id else MESSAGE_LIMITS
        self._say = say = words(language)
        self._page = page
        self._settings = settings
        self._sleep = sleep
        self._callbacks = f"{public_url.rstrip('/')}{CARDS}"
        self._api = Api(settings, http, sleep)
        self._instances = Instances(settings, self._api, say, page, sleep, clock)
        self._posts = Posts(settings, self._api, sent, say, page, clock)
        self._edits = Edits(self._replace, self.limits.edits_per_second)
        self._stream = Stream(settings, self._api, http, self.hear, sleep=sleep)
        self._background = Background()

    async def start(self, accept: Callable[[Event], Awaitable[bool]]) -> None:
        """Begin to listen; being ready does not wait for it.

        Args:
            accept: journals an event, `core.inbox.Inbox.accept`.
        """
        if self._settings.mode == "stream":
            self._stream.start(Intake(self.name, accept, self.acknowledge))
        else:
            self._background.start(self._register(), "dingtalk-callbacks")

    async def stop(self) -> None:
        """Stop listening once what was received is acknowledged; sending still works."""
        await self._stream.stop()
        await self._background.stop()

    def hear(self, kind: Kind, data: Json, *, id: str, at: str) -> Received:
        """What arrived, as an event; also remembers how to answer it, and tells people what cannot be answered.

        Args:
            kind: what it is.
            data: as DingTalk sent it.
            id: unique for this delivery of a click.
            at: milliseconds of its delivery.

        Raises:
            BadInput: it lacks what makes it one.
        """
        if kind == "click":
            received = read_click(data, id=id, at=at)
            if isinstance(received, Click):
                self._instances.pressed(received.card)
            return received
        heard = read_message(data)
        if not isinstance(heard, Heard):
            return heard
        QUOTA.labels("messages").set(heard.notice == "quota")
        self._posts.remember(heard.conversation, heard.webhook, heard.webhook_until)
        if heard.notice:
            self._background.start(self._tell(heard), "dingtalk-notice")
        return heard.received

    def acknowledge(self, event: Event) -> bytes:
        """What DingTalk wants to hear: nothing to say for a message, for a click a receipt only the clicker sees."""
        if not isinstance(event, Click) or not event.card:
            return orjson.dumps({"msgtype": "empty"})
        receipt = {"cardParamMap": {"receipt": self._say("dingtalk.received")}}
        by_key = {"updateCardDataByKey": True, "updatePrivateDataByKey": True}
        return orjson.dumps({"cardUpdateOptions": by_key, "userPrivateData": receipt})

    async def send(self, conversation: Conversation, card: Card, *, key: str) -> str:
        """Show a card; see `core.channel.Channel.send`."""
        way = self._instances.send if self._settings.card_template_id else self._posts.send
        return await self._moderately(card, lambda shown: way(conversation, shown, key))

    async def update(self, reference: str, card: Card, *, key: str) -> None:
        """Replace a card; see `core.channel.Channel.update`. The key is not needed: the newest card wins.

        A version that another one follows shortly is not shown: each edit is one of the 5000 calls of a month.
        """
        if not card.pending:
            await self._edits.show(reference, card)

    async def lookup(self, actor_id: str) -> Actor:
        """Who this user id is; without a name when the app may not see the person."""
        try:
            name = await self._api.name_of(actor_id)
        except Refused:
            return Actor(self.name, actor_id)
        return Actor(self.name, actor_id, name=clean(name))

    async def identify(self, code: str) -> str:
        """The user id of whoever opened our page inside DingTalk.

        Args:
            code: from `dd.runtime.permission.requestAuthCode`; it works once, within five minutes.

        Raises:
            RemoteError: DingTalk does not know the code, or does not answer.
        """
        return await self._api.user_of(code)

    async def check(self) -> None:
        """Prove that the credentials work, and in stream mode that a connection would be given.

        Raises:
            RemoteError: they do not, or DingTalk does not answer.
        """
        await self._api.check()
        if self._settings.mode == "stream":
            await self._stream.check()

    async def missing_permissions(self) -> tuple[str, ...]:
        """See `bots.dingtalk.api.Api.missing_permissions`; costs two of the month's calls."""
        return await self._api.missing_permissions(self._settings.robot_code or self._settings.client_id)

    @property
    def callback_secret(self) -> str:
        """What DingTalk signs card callbacks with in HTTP mode: made from the Client Secret, so that nobody configures it."""
        secret = self._settings.client_secret.get_secret_value()
        return hmac.digest(secret.encode(), b"xops card callbacks", "sha256").hex()

    async def _replace(self, reference: str, card: Card) -> None:
        way = self._instances.update if is_card(reference) else self._posts.update
        await self._moderately(card, lambda shown: way(reference, shown))

    async def _moderately(self, card: Card, show: Callable[[Card], Awaitable[T]]) -> T:
        """Show a card, or, where content moderation refuses it, a short one that says so."""
        try:
            return await show(card)
        except Refused as error:
            if not moderated(error):
                raise
            _log.warning("dingtalk_moderated", code=error.code)
            say = self._say
            link = (Buttons((Button(say("shorten.open_page"), url=whole(self._page, card)),)),) if self._page else ()
            return await show(Card(say("dingtalk.blocked"), (Text(say("dingtalk.blocked_why")), *link), "warning"))

    async def _tell(self, heard: Heard) -> None:
        card = Card(self._say(f"dingtalk.{heard.notice}"))
        try:
            await self._posts.send(heard.conversation, card, f"{heard.key}:{heard.notice}")
        except XOpsError as error:
            _log.warning("dingtalk_notice_unsent", notice=heard.notice, reason=str(error))

    async def _register(self) -> None:
        pause = 1.0
        while True:
            try:
                return await self._instances.register_callbacks(self._callbacks, self.callback_secret)
            except XOpsError as error:
                _log.warning("dingtalk_callbacks_unregistered", reason=str(error), again_in=pause)
            await self._sleep(pause)
            pause = min(pause * 2, 60.0)
