"""The AI bot put together: its channel, and the line it speaks over, as the settings say."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from bots.wecom.bot import WeComBotChannel
from bots.wecom.hearing import Hearing
from bots.wecom.inbound import BOT
from bots.wecom.pace import Pace
from bots.wecom.stream import LongConnection
from bots.wecom.webhook import WebhookLine, bot_routes
from core.http import Http
from core.i18n import Words
from core.leases import Leases
from core.messages import Event
from core.sent_cards import SentCards
from core.settings import WeComBot
from core.store import Store


class AiBot:
    """The bot.

    Args:
        settings: its credentials and mode.
        http: the one session.
        store: where it remembers, and where replicas agree who speaks.
        say: our own words, in the language of the installation.
        owner: a name no other process on this database has.
        lease_seconds: a replica silent for so long loses the connection to another.
        page: address that notices open; may be empty.
    """

    def __init__(
        self,
        settings: WeComBot,
        http: Http,
        store: Store,
        say: Words,
        *,
        owner: str,
        lease_seconds: float,
        page: str,
    ) -> None:
        self._settings = settings
        self._say = say
        self._webhook = WebhookLine(settings, http)
        self._connection = LongConnection(settings, http, Leases(store, owner=owner, seconds=lease_seconds))
        line = self._connection if settings.mode == "stream" else self._webhook
        pace = Pace(say, settings.per_chat_minute, settings.per_chat_hour)
        self.channel = WeComBotChannel(line, SentCards(store, BOT), say, page=page, pace=pace)

    async def start(self, accept: Callable[[Event], Awaitable[bool]]) -> None:
        """Begin to listen, if it is for us to connect, and to say what waits."""
        await self.channel.start()
        if self._settings.mode == "stream":
            await self._connection.start(Hearing(self._settings.name, self.channel, accept).take)

    async def stop(self) -> None:
        """Let another replica have the connection, and what waits."""
        await self._connection.stop()
        await self.channel.stop()

    async def check(self, *, alone: bool) -> bool:
        """Prove that the credentials work, where that can be known. See `LongConnection.probe`."""
        return self._settings.mode != "stream" or await self._connection.probe(alone=alone)

    def routes(self, accept: Callable[[Event], Awaitable[bool]], *, body_limit: int) -> list[web.RouteDef]:
        """The addresses WeCom calls; none with a long connection."""
        if self._settings.mode == "stream":
            return []
        return bot_routes(self._settings, self.channel, self._webhook, accept, self._say, body_limit=body_limit)
