"""Fixtures for HTTP: the platforms on loopback; a page and someone on it; the doors for other systems."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest

from bots.dingtalk.client import DingTalkChannel
from core.http import Http
from core.sent_cards import SentCards
from core.store import Store
from tests.bots.events_site import Site, running
from tests.fakes import web
from tests.fakes.clock import Clock
from tests.fakes.dingtalk import FakeDingTalk
from tests.fakes.eventbridge import EventBridge
from tests.fakes.feishu import FakeFeishu
from tests.fakes.wecom import FakeWeCom

MakeDingTalk = Callable[..., DingTalkChannel]
OpenSite = Callable[..., Awaitable[Site]]


@pytest.fixture
def clock() -> Clock:
    """The test's time, and that of the platform."""
    return Clock()


@pytest.fixture
async def http() -> AsyncGenerator[Http]:
    """An outbound session."""
    session = Http()
    await session.start()
    yield session
    await session.stop()


@pytest.fixture
async def feishu(clock: Clock) -> AsyncGenerator[FakeFeishu]:
    """Feishu on the test's time."""
    async with FakeFeishu(clock=clock) as fake:
        yield fake


@pytest.fixture
async def dingtalk(clock: Clock) -> AsyncGenerator[FakeDingTalk]:
    """DingTalk on the test's time."""
    async with FakeDingTalk(clock=clock) as fake:
        yield fake


@pytest.fixture
def make_dingtalk(dingtalk: FakeDingTalk, http: Http, clock: Clock, sqlite_store: Store) -> MakeDingTalk:
    """Makes a channel on `dingtalk`, with some settings changed."""

    def make(**changed: object) -> DingTalkChannel:
        settings = dingtalk.settings.model_copy(update={"calls_per_second": 1e6, **changed})
        sent = SentCards(sqlite_store, "dingtalk")
        return DingTalkChannel(settings, http, sent, language="en", sleep=clock.sleep, clock=clock)

    return make


@pytest.fixture
async def wecom(clock: Clock) -> AsyncGenerator[FakeWeCom]:
    """WeCom on the test's time."""
    async with FakeWeCom(clock=clock) as fake:
        yield fake


@pytest.fixture
async def site(sqlite_store: Store) -> AsyncGenerator[web.Site]:
    """A running page."""
    async with web.running(sqlite_store) as running:
        yield running


@pytest.fixture
async def stranger(site: web.Site) -> AsyncGenerator[web.Visitor]:
    """A browser that is not signed on."""
    async with web.visiting(site) as visitor:
        yield visitor


@pytest.fixture
async def visitor(stranger: web.Visitor) -> web.Visitor:
    """A browser that is signed on."""
    await stranger.sign_on()
    return stranger


@pytest.fixture
async def open_site(sqlite_store: Store) -> AsyncGenerator[OpenSite]:
    """Opens X-Ops' doors with the settings given; closes them in the end."""
    async with AsyncExitStack() as opened:

        async def open_one(bridge: EventBridge | None = None, *, most: int = 1000, **own: object) -> Site:
            return await opened.enter_async_context(running(sqlite_store, bridge, most=most, **own))

        yield open_one
