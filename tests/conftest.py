"""Fixtures for every suite."""

from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from core.store import Store
from core.store.tables import declared
from tests import postgres


@pytest.fixture(scope="session")
def postgres_server() -> Generator[postgres.Postgres]:
    """A real PostgreSQL, started when the first test asks for it."""
    with postgres.running() as server:
        yield server


@pytest.fixture
def postgres_url(postgres_server: postgres.Postgres) -> Generator[str]:
    """An empty PostgreSQL database of the test's own."""
    url = postgres_server.create()
    yield url
    postgres_server.drop(url)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """An empty SQLite database of the test's own."""
    return f"sqlite:///{tmp_path}/xops.sqlite"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """An empty database; the test runs once on each kind."""
    return request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")


@pytest.fixture
async def store(database_url: str) -> AsyncGenerator[Store]:
    """A store with all tables; the test runs once on SQLite and once on PostgreSQL."""
    async with _opened(database_url) as opened:
        yield opened


@pytest.fixture
async def sqlite_store(sqlite_url: str) -> AsyncGenerator[Store]:
    """A store with all tables, on SQLite only: for tests that are not about the database."""
    async with _opened(sqlite_url) as opened:
        yield opened


@pytest.fixture
async def postgres_store(postgres_url: str) -> AsyncGenerator[Store]:
    """A store with all tables, on PostgreSQL only: for what replicas do."""
    async with _opened(postgres_url) as opened:
        yield opened


@asynccontextmanager
async def _opened(url: str) -> AsyncGenerator[Store]:
    store = Store(url)
    await store.write(declared().create_all)
    try:
        yield store
    finally:
        await store.stop()
