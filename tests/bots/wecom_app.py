"""The WeCom app alone: the real routes and the real channel, with a journal in memory behind them."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from aiohttp.test_utils import TestServer

from bots.wecom.client import WeComChannel
from bots.wecom.pace import Pace
from bots.wecom.routes import app_routes
from core.http import Http
from core.i18n import words
from core.messages import Click, Event, Message
from core.sent_cards import SentCards
from core.store import Store
from tests.fakes.clock import Clock
from tests.fakes.wecom import FakeWeCom

BODY_LIMIT = 64 * 1024
PAGE = "https://xops.example/mobile/ops/chat"


@dataclass
class Journal:
    """What the edge handed on."""

    accepted: list[Event] = field(default_factory=list[Event])
    failures: int = 0

    async def accept(self, event: Event) -> bool:
        """Journal an event once, after failing as often as told."""
        if self.failures:
            self.failures -= 1
            raise OSError("disk full")
        new = event.key not in {known.key for known in self.accepted}
        if new:
            self.accepted.append(event)
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


@dataclass
class App(Journal):
    """The app, listening."""

    channel: WeComChannel = field(kw_only=True)


def channel_of(
    wecom: FakeWeCom, http: Http, store: Store, clock: Clock, *, page: str = PAGE, per_minute: int = 28
) -> WeComChannel:
    """The app's channel on the fake's time."""
    say = words("zh-CN")
    pace = Pace(say, per_minute, 950, clock=clock, sleep=clock.sleep)
    return WeComChannel(wecom.settings, http, SentCards(store, "wecom"), say, page=page, pace=pace, sleep=clock.sleep)


@asynccontextmanager
async def listening(wecom: FakeWeCom, store: Store, clock: Clock) -> AsyncGenerator[App]:
    """An app that listens where `wecom` delivers."""
    http = Http()
    await http.start()
    app = App(channel=channel_of(wecom, http, store, clock))
    application = web.Application()
    routes = app_routes(wecom.settings, app.channel.sent, app.accept, body_limit=BODY_LIMIT, clock=clock)
    application.add_routes(routes)
    async with TestServer(application) as server:
        wecom.webhook = str(server.make_url("/wecom/app"))
        yield app
    await http.stop()
