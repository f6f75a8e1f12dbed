"""Fixtures for the page's tests: a page on loopback, and someone on it."""

from collections.abc import AsyncGenerator

import pytest

from core.store import Store
from tests.fakes import web


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
