"""Transactions off the event loop, and many small writes in one commit.

Synchronous SQLAlchemy in two small thread pools costs one hop a transaction; its asyncio extension costs one a
statement (docs/decisions.md). Writes that wait while another commit is under way are committed together: each in a
savepoint, so that one that fails takes nobody along.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, MetaData, create_engine, event, make_url
from sqlalchemy.engine import URL

T = TypeVar("T")
Work = Callable[[Connection], Any]

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
"""All tables of X-Ops. DBOS keeps its own beside them."""

BATCH = 200


class Store:
    """The database of one process.

    Args:
        url: `sqlite:///path`, or `postgresql://…` for replicas.
    """

    def __init__(self, url: str) -> None:
        self.url = _driver(make_url(url))
        self._engine = _engine(self.url)
        self._readers = ThreadPoolExecutor(4, "store-read")
        self._writer = ThreadPoolExecutor(1, "store-write")
        self._waiting: list[tuple[Work, asyncio.Future[Any]]] = []
        self._committing = False

    @property
    def embedded(self) -> bool:
        """Whether this is SQLite, and so the only process on this database."""
        return self.url.get_backend_name() == "sqlite"

    @property
    def engine(self) -> Engine:
        """For migrations, and for the durable-work engine that shares the database."""
        return self._engine

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run a function that only reads, in a transaction of its own."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._read, work)

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Run a function in a transaction and return what it returned once that is committed."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((work, future))
        if not self._committing:
            self._commit_waiting()
        return await future

    async def stop(self) -> None:
        """Finish what is under way and close all connections."""
        for pool in (self._writer, self._readers):
            await asyncio.to_thread(pool.shutdown)
        self._engine.dispose()

    def _read(self, work: Callable[[Connection], T]) -> T:
        with self._engine.connect() as connection:
            return work(connection)

    def _commit_waiting(self) -> None:
        batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
        self._committing = bool(batch)
        if batch:
            loop = asyncio.get_running_loop()
            done = loop.run_in_executor(self._writer, self._commit, [work for work, _ in batch])
            done.add_done_callback(lambda result: self._settle(batch, result))

    def _settle(self, batch: list[tuple[Work, asyncio.Future[Any]]], result: asyncio.Future[list[Any]]) -> None:
        failure = result.exception()
        outcomes: list[Any] = [failure] * len(batch) if failure is not None else result.result()
        for (_, future), outcome in zip(batch, outcomes, strict=True):
            if future.done():  # the caller was cancelled; its write stands
                continue
            if isinstance(outcome, BaseException):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)
        self._commit_waiting()

    def _commit(self, batch: list[Work]) -> list[Any]:
        with self._engine.connect().execution_options(xops_write=True) as connection, connection.begin():
            if len(batch) == 1:
                return [batch[0](connection)]
            return [_in_savepoint(connection, work) for work in batch]


def _in_savepoint(connection: Connection, work: Work) -> object:
    try:
        with connection.begin_nested():
            return work(connection)
    except Exception as error:  # noqa: BLE001  # handed to the one caller it belongs to
        return error


def _driver(url: URL) -> URL:
    return url.set(drivername="postgresql+psycopg") if url.get_backend_name() == "postgresql" else url


def _engine(url: URL) -> Engine:
    if url.get_backend_name() != "sqlite":
        return create_engine(url, pool_size=6, max_overflow=4, pool_pre_ping=True)
    if url.database and url.database != ":memory:":
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, connect_args={"timeout": 30, "check_same_thread": False})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401  # a DBAPI connection has no type
    connection.isolation_level = None  # SQLAlchemy sends BEGIN itself, so that savepoints and reads behave
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=30000", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("xops_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
