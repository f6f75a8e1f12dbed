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
from core.sent_cards import SentCards
from core.store import Store
from tests.bots.journal import Journal
from tests.fakes.clock import Clock
from tests.fakes.wecom import FakeWeCom

BODY_LIMIT = 64 * 1024
PAGE = "https://xops.example/mobile/ops/chat"


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
