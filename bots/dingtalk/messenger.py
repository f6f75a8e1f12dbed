"""DingTalk put together: the app's robot, and the ear that its settings name."""

from collections.abc import Sequence
from dataclasses import replace

from aiohttp import web

from bots.dingtalk.api import UNTRUSTED
from bots.dingtalk.client import DingTalkChannel
from bots.dingtalk.routes import dingtalk_routes
from bots.findings import Finding, advice, timed
from bots.messenger import Accept, Messenger, Script, Standing, Surroundings, WebView
from core.errors import RemoteError, XOpsError
from core.i18n import Words
from core.sent_cards import SentCards

WEB_AGENT = "dingtalk"
"""In the `User-Agent` of DingTalk's web view, on phones and computers, in lower case."""

WEB_SDK = "https://g.alicdn.com/dingding/dingtalk-jsapi/3.1.0/dingtalk.open.js"
"""DingTalk's script for pages; "jsapi-request-auth-code" names it."""


def dingtalk(around: Surroundings) -> Messenger | None:
    """The app of the settings."""
    return DingTalkMessenger(around) if around.settings.dingtalk.client_id else None


class DingTalkMessenger:
    """One app's robot.

    Args:
        around: see `Surroundings`.
    """

    def __init__(self, around: Surroundings) -> None:
        self._settings = around.settings.dingtalk
        self._say = around.say
        self.channel = DingTalkChannel(
            self._settings,
            around.http,
            SentCards(around.store, DingTalkChannel.name),
            language=around.settings.language,
            public_url=around.settings.server.public_url,
            page=around.page,
        )

    @property
    def view(self) -> WebView | None:
        """See `bots.messenger.Messenger.view`."""
        corp_id = self._settings.corp_id
        script = Script(WEB_SDK, corp_id)
        return WebView(self.channel.name, WEB_AGENT, script, self.channel.identify) if corp_id else None

    def routes(self, accept: Accept, *, body_limit: int) -> Sequence[web.RouteDef]:
        """See `bots.messenger.Messenger.routes`."""
        return dingtalk_routes(self._settings, self.channel, accept, body_limit=body_limit)

    async def start(self, accept: Accept) -> None:
        """See `bots.messenger.Messenger.start`."""
        await self.channel.start(accept)

    async def stop_listening(self) -> None:
        """See `bots.messenger.Messenger.stop_listening`."""
        await self.channel.stop()

    async def stop(self) -> None:
        """Nothing is left to let go of."""

    async def examine(self, standing: Standing) -> Finding:
        """Whether the app works, would be given a connection, and has a card template."""
        say, settings = self._say, self._settings

        missing: list[str] = []

        async def ask() -> str:
            await self.channel.check()
            missing.extend(await self.channel.missing_permissions())
            stands = await standing(self.channel.name) if settings.mode == "stream" else ""
            return say("doctor.dingtalk_ok", mode=settings.mode) + stands

        found = await timed(self.channel.name, say("doctor.dingtalk_todo"), ask, say, advise=_advice)
        if missing:
            return replace(found, grade="failed", todo=say("doctor.dingtalk_permissions", said="\n".join(missing)))
        if found.ok and not settings.card_template_id:
            return replace(found, grade="warning", todo=say("doctor.dingtalk_template"))
        return found


def _advice(error: XOpsError, say: Words) -> str:
    untrusted = isinstance(error, RemoteError) and error.code.endswith(UNTRUSTED)
    return say("doctor.dingtalk_untrusted") if untrusted else advice(error, say)
