"""Feishu put together: the app's bot, and the ear that its settings name."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from aiohttp import web

from bots.feishu import sign_on
from bots.feishu.client import FeishuChannel, Rates
from bots.feishu.routes import feishu_routes
from bots.feishu.stream import FeishuStream
from bots.findings import Finding, timed
from bots.messenger import Accept, Messenger, Script, Standing, Surroundings, WebView


def feishu(around: Surroundings) -> Messenger | None:
    """The app of the settings."""
    return FeishuMessenger(around) if around.settings.feishu.app_id else None


class FeishuMessenger:
    """One app's bot, no faster than its quota.

    Args:
        around: see `Surroundings`.
    """

    def __init__(self, around: Surroundings) -> None:
        self._settings = own = around.settings.feishu
        self._http = around.http
        self._say = around.say
        rates = Rates(own.calls_per_second, own.calls_per_minute, own.calls_per_chat)
        self.channel = FeishuChannel(own, around.http, page=around.page, rates=rates)
        body_limit = around.settings.server.body_limit
        self._stream = FeishuStream(own, around.http, self.channel, body_limit=body_limit)

    @property
    def view(self) -> WebView | None:
        """See `bots.messenger.Messenger.view`."""
        identify = partial(sign_on.identify, self._settings, self._http)
        return WebView(self.channel.name, sign_on.AGENT, Script(sign_on.SDK, self._settings.app_id), identify)

    def routes(self, accept: Accept, *, body_limit: int) -> Sequence[web.RouteDef]:
        """See `bots.messenger.Messenger.routes`."""
        if self._settings.mode == "stream":
            return ()
        return feishu_routes(self._settings, self.channel, accept, body_limit=body_limit)

    async def start(self, accept: Accept) -> None:
        """See `bots.messenger.Messenger.start`."""
        await self.channel.start()
        if self._settings.mode == "stream":
            await self._stream.start(accept)

    async def stop_listening(self) -> None:
        """See `bots.messenger.Messenger.stop_listening`."""
        await self._stream.stop()

    async def stop(self) -> None:
        """See `bots.messenger.Messenger.stop`."""
        await self.channel.stop()

    async def examine(self, standing: Standing) -> Finding:
        """Whether the app works, has its permissions, and would be given a connection."""
        say = self._say

        async def ask() -> str:
            found = say("doctor.feishu_ok", name=(await self.channel.bot()).name)
            if self._settings.mode == "webhook":
                return f"{found}{say('doctor.feishu_webhook')}"
            await self._stream.address()
            return f"{found}{say('doctor.feishu_stream')}{await standing(self.channel.name)}"

        found = await timed(self.channel.name, say("doctor.feishu_todo"), ask, say)
        if not found.ok:
            return found
        if missing := await self.channel.missing_permissions():
            return replace(found, grade="failed", todo=say("doctor.feishu_permissions", names=", ".join(missing)))
        if missing := await self.channel.missing_subscriptions(self._settings.mode):
            todo = say("doctor.feishu_subscriptions", names=", ".join(missing), mode=self._settings.mode)
            return replace(found, grade="failed", todo=todo)
        return found
