"""Fixtures for HTTP: a page on loopback and someone on it; the doors for other systems."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest

from core.store import Store
from tests.bots.events_site import Site, running
from tests.fakes import web
from tests.fakes.eventbridge import EventBridge

OpenSite = Callable[..., Awaitable[Site]]


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
