"""The Feishu edge alone: the real ways in and the real channel, with a journal in memory behind them."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from aiohttp.test_utils import TestServer

from bots.feishu.client import FeishuChannel
from bots.feishu.routes import feishu_routes
from bots.feishu.stream import FeishuStream
from core.http import Http
from tests.bots.journal import Journal
from tests.fakes.feishu import FakeFeishu
from tests.fakes.feishu_stream import StreamingFeishu

BODY_LIMIT = 64 * 1024


@dataclass
class Bot(Journal):
    """A bot, and how long it paused between attempts to connect."""

    channel: FeishuChannel = field(kw_only=True)
    pauses: list[float] = field(default_factory=list[float])

    async def sleep(self, seconds: float) -> None:
        """Pause between two attempts to connect, without waiting for long."""
        self.pauses.append(seconds)
        await asyncio.sleep(0.001)


@asynccontextmanager
async def listening(feishu: FakeFeishu, clock: Callable[[], float] = time.time) -> AsyncGenerator[Bot]:
    """A bot that knows itself and listens where `feishu` delivers."""
    http = Http()
    await http.start()
    settings = feishu.settings.model_copy(update={"bot_open_id": "ou_bot"})
    bot = Bot(channel=FeishuChannel(settings, http))
    application = web.Application()
    application.add_routes(feishu_routes(settings, bot.channel, bot.accept, body_limit=BODY_LIMIT, clock=clock))
    async with TestServer(application) as server:
        feishu.webhook = str(server.make_url("/feishu/events"))
        yield bot
    await http.stop()


@asynccontextmanager
async def streaming(feishu: StreamingFeishu, api: str = "", **changes: object) -> AsyncGenerator[Bot]:
    """A bot that keeps a long connection to `feishu`.

    Args:
        feishu: the platform.
        api: where it calls the API instead; for outages of the API alone.
        changes: settings other than the platform's own.
    """
    http = Http()
    await http.start()
    settings = feishu.settings.model_copy(update={"bot_open_id": "ou_bot", "heartbeat_seconds": 0.2, **changes})
    bot = Bot(channel=FeishuChannel(settings.model_copy(update={"domain": api or settings.domain}), http))
    stream = FeishuStream(settings, http, bot.channel, body_limit=BODY_LIMIT, sleep=bot.sleep)
    await stream.start(bot.accept)
    try:
        yield bot
    finally:
        await stream.stop()
        await http.stop()
