"""WeCom put together: the self-built app, and the AI bot on whichever line its settings name. A company may have both."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from urllib.parse import urlencode

from aiohttp import web
from yarl import URL

from bots.findings import Finding, advice, timed
from bots.messenger import Accept, Messenger, Standing, Surroundings, WebView
from bots.wecom.bot import WeComBotChannel
from bots.wecom.client import App, WeComChannel
from bots.wecom.hearing import Hearing
from bots.wecom.inbound import BOT
from bots.wecom.pace import Pace
from bots.wecom.routes import answers, app_routes
from bots.wecom.stream import LongConnection
from bots.wecom.webhook import WebhookLine, bot_routes
from core.errors import RemoteError, XOpsError
from core.i18n import Words
from core.leases import Leases
from core.sent_cards import SentCards

WEB_AGENT = "wxwork"
"""In the `User-Agent` of WeCom's web view, on phones and computers, in lower case."""

UNTRUSTED = "60020"
"""The error code of a call from an address that is not among the app's trusted ones."""


def wecom(around: Surroundings) -> Messenger | None:
    """The self-built app of the settings."""
    return WeComApp(around) if around.settings.wecom.corp_id else None


def wecom_bot(around: Surroundings) -> Messenger | None:
    """The AI bot of the settings."""
    return AiBot(around) if around.settings.wecom_bot.bot_id else None


class WeComApp:
    """One self-built app, no faster than what WeCom delivers.

    Args:
        around: see `Surroundings`.
    """

    def __init__(self, around: Surroundings) -> None:
        self._settings = own = around.settings.wecom
        self._say = say = around.say
        self._back = around.back(WeComChannel.name)
        self._http, self._public = around.http, around.settings.server.public_url
        pace = Pace(say, own.per_member_minute, own.per_member_hour)
        sent = SentCards(around.store, WeComChannel.name)
        self.channel = WeComChannel(own, around.http, sent, say, page=around.page, pace=pace)

    @property
    def view(self) -> WebView | None:
        """See `bots.messenger.Messenger.view`; WeCom sends browsers back to a public address only."""
        return WebView(self.channel.name, WEB_AGENT, self._authorize, self.channel.identify) if self._back else None

    def routes(self, accept: Accept, *, body_limit: int) -> Sequence[web.RouteDef]:
        """See `bots.messenger.Messenger.routes`."""
        return app_routes(self._settings, self.channel.sent, accept, body_limit=body_limit)

    async def start(self, accept: Accept) -> None:
        """See `bots.messenger.Messenger.start`; events come by the routes."""
        await self.channel.start()

    async def stop_listening(self) -> None:
        """The server stops listening."""

    async def stop(self) -> None:
        """See `bots.messenger.Messenger.stop`."""
        await self.channel.stop()

    async def examine(self, standing: Standing) -> Finding:
        """Whether the app works from here."""
        say = self._say

        todo: list[str] = []

        async def ask() -> str:
            app = await self.channel.app()
            todo.extend([todo async for todo in self._missing(app)])
            return say("doctor.wecom_ok", name=app.name)

        found = await timed(self.channel.name, say("doctor.wecom_todo"), ask, say, advise=_advice)
        return replace(found, grade="warning", todo="\n".join(todo)) if todo else found

    async def _missing(self, app: App) -> AsyncIterator[str]:
        """What the console lacks, as far as it can be seen from here."""
        say, public = self._say, URL(self._public)
        if app.disabled:
            yield say("doctor.wecom_disabled")
        if not self._public:
            yield say("doctor.wecom_no_address")
        elif not await answers(self._settings, self._http, public / "wecom/app"):
            yield say("doctor.wecom_callback", address=public / "wecom/app")
        elif public.host not in app.domain.split(":"):
            yield say("doctor.wecom_domain", host=public.host, found=app.domain or "–")

    def _authorize(self, state: str) -> str:
        """WeCom's page that names a member without asking. Source: developer.work.weixin.qq.com, 构造网页授权链接."""
        asked = {
            "appid": self._settings.corp_id,
            "redirect_uri": self._back,
            "response_type": "code",
            "scope": "snsapi_base",
            "state": state,
            "agentid": str(self._settings.agent_id),
        }
        return f"{self._settings.sign_on}?{urlencode(asked)}#wechat_redirect"


class AiBot:
    """One AI bot.

    Args:
        around: see `Surroundings`.
    """

    def __init__(self, around: Surroundings) -> None:
        self._settings = own = around.settings.wecom_bot
        self._say = say = around.say
        self._store = around.store
        self._webhook = WebhookLine(own, around.http)
        leases = Leases(around.store, owner=around.owner, seconds=around.settings.storage.lease_seconds)
        self._connection = LongConnection(own, around.http, leases)
        line = self._connection if own.mode == "stream" else self._webhook
        pace = Pace(say, own.per_chat_minute, own.per_chat_hour)
        self.channel = WeComBotChannel(line, SentCards(around.store, BOT), say, page=around.page, pace=pace)

    @property
    def view(self) -> WebView | None:
        """A bot opens no page of its own."""
        return None

    def routes(self, accept: Accept, *, body_limit: int) -> Sequence[web.RouteDef]:
        """See `bots.messenger.Messenger.routes`."""
        if self._settings.mode == "stream":
            return ()
        return bot_routes(self._settings, self.channel, self._webhook, accept, self._say, body_limit=body_limit)

    async def start(self, accept: Accept) -> None:
        """Begin to listen, if it is for us to connect, and to say what waits."""
        await self.channel.start()
        if self._settings.mode == "stream":
            await self._connection.start(Hearing(self._settings.name, self.channel, accept).take)

    async def stop_listening(self) -> None:
        """Nothing: the connection that brings events also carries the answers under way."""

    async def stop(self) -> None:
        """Let another replica have the connection, and what waits."""
        await self._connection.stop()
        await self.channel.stop()

    async def examine(self, standing: Standing) -> Finding:
        """Whether the credentials work, where that can be known without taking the connection from who holds it."""
        from core.store.migrate import pending

        say, mode = self._say, self._settings.mode

        async def ask() -> str:
            alone = bool(await pending(self._store))
            works = mode != "stream" or await self._connection.probe(alone=alone)
            stands = await standing(self.channel.name) if mode == "stream" else ""
            return say("doctor.wecom_bot_ok" if works else "doctor.wecom_bot_elsewhere", mode=mode) + stands

        return await timed(self.channel.name, say("doctor.wecom_bot_todo"), ask, say)


def _advice(error: XOpsError, say: Words) -> str:
    untrusted = isinstance(error, RemoteError) and error.code == UNTRUSTED
    return say("doctor.wecom_untrusted") if untrusted else advice(error, say)
