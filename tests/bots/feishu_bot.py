"""The Feishu edge alone: the real routes and the real channel, with a journal in memory behind them."""

import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from aiohttp.test_utils import TestServer

from bots.feishu.client import FeishuChannel
from bots.feishu.routes import feishu_routes
from core.http import Http
from core.messages import Click, Event, Message
from tests.fakes.feishu import FakeFeishu

BODY_LIMIT = 64 * 1024


@dataclass
class Bot:
    """What the edge handed on. `answers` holds what each journalling returned."""

    channel: FeishuChannel
    accepted: list[Event] = field(default_factory=list[Event])
    answers: list[bool] = field(default_factory=list[bool])
    failure: Exception | None = None

    async def accept(self, event: Event) -> bool:
        """Journal an event once, or fail as told."""
        if self.failure is not None:
            raise self.failure
        new = event.key not in {known.key for known in self.accepted}
        if new:
            self.accepted.append(event)
        self.answers.append(new)
        return new

    @property
    def message(self) -> Message:
        """The newest event, which is a message."""
        newest = self.accepted[-1]
        assert isinstance(newest, Message)
        return newest

    @property
    def click(self) -> Click:
        """The newest event, which is a click."""
        newest = self.accepted[-1]
        assert isinstance(newest, Click)
        return newest


@asynccontextmanager
async def listening(feishu: FakeFeishu, clock: Callable[[], float] = time.time) -> AsyncGenerator[Bot]:
    """A bot that knows itself and listens where `feishu` delivers."""
    http = Http()
    await http.start()
    settings = feishu.settings.model_copy(update={"bot_open_id": "ou_bot"})
    bot = Bot(FeishuChannel(settings, http))
    application = web.Application()
    application.add_routes(feishu_routes(settings, bot.channel, bot.accept, body_limit=BODY_LIMIT, clock=clock))
    async with TestServer(application) as server:
        feishu.webhook = str(server.make_url("/feishu/events"))
        yield bot
    await http.stop()
