"""Transactions off the event loop, and many small writes in one commit.

Synchronous SQLAlchemy in two small thread pools costs one hop a transaction; its asyncio extension costs one a
statement (docs/decisions.md). Writes that wait while another commit is under way are committed together. When one of
them fails, each is run again in a transaction of its own, so that it takes nobody along.
"""

import asyncio
import fcntl
import os
import sqlite3
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, Insert, MetaData, Table, create_engine, event, make_url
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects import sqlite as sqlite_dialect
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, OperationalError
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from core.errors import ConfigurationError, Unreachable

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

    Raises:
        ConfigurationError: SQLite without a file, which every thread would see as a different, empty database.
    """

    def __init__(self, url: str) -> None:
        self.url = _driver(make_url(url))
        self._engine = _engine(self.url)
        self._readers = ThreadPoolExecutor(4, "store-read")
        self._writer = ThreadPoolExecutor(1, "store-write")
        self._waiting: list[tuple[Work, asyncio.Future[Any]]] = []
        self._committing = False
        self._claim: int | None = None

    @property
    def embedded(self) -> bool:
        """Whether this is SQLite, and so the only process on this database."""
        return self.url.get_backend_name() == "sqlite"

    @property
    def engine(self) -> Engine:
        """For migrations, and for the durable-work engine that shares the database."""
        return self._engine

    def insert_new(self, table: Table) -> Insert:
        """An INSERT that changes nothing when its key is there already; its `rowcount` is 0 then.

        Build it once and keep it: building costs more than running.
        """
        insert = sqlite_dialect.insert if self.embedded else postgresql.insert
        return insert(table).on_conflict_do_nothing().execution_options(preserve_rowcount=True)

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

    def claim(self) -> None:
        """Be the one process that works on this SQLite file until `stop`; replicas on PostgreSQL need no such promise.

        The system frees the claim of a process that died. Claiming twice is claiming once.

        Raises:
            ConfigurationError: another process works on it.
        """
        if self._claim is not None or not self.embedded:
            return
        lock = os.open(f"{self.url.database}.lock", os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(lock)
            raise ConfigurationError(
                f"another X-Ops already works on {self.url.database}: stop it, or use PostgreSQL for replicas"
            ) from error
        self._claim = lock

    async def stop(self) -> None:
        """Commit what waits, then close all connections. Nothing can be read or written afterwards."""
        with suppress(Unreachable):  # then nothing that waits can be committed either
            await self.write(lambda _: None)
        for pool in (self._writer, self._readers):
            await asyncio.to_thread(pool.shutdown)
        self._engine.dispose()
        if self._claim is not None:
            os.close(self._claim)
            self._claim = None

    def _read(self, work: Callable[[Connection], T]) -> T:
        with _answering(), self._engine.connect() as connection:
            return work(connection)

    def _commit_waiting(self) -> None:
        batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
        self._committing = False
        if batch:
            works = [work for work, _ in batch]
            done = asyncio.get_running_loop().run_in_executor(self._writer, self._commit, works)
            self._committing = True
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
        with _answering(), self._engine.connect().execution_options(xops_write=True) as connection:
            try:
                with connection.begin():
                    return [work(connection) for work in batch]
            except Exception as error:
                if len(batch) == 1 or (isinstance(error, DBAPIError) and error.connection_invalidated):
                    raise
            return [_alone(connection, work) for work in batch]


def _alone(connection: Connection, work: Work) -> object:
    try:
        with connection.begin():
            return work(connection)
    except Exception as error:  # noqa: BLE001  # handed to the one caller it belongs to
        return error


@contextmanager
def _answering() -> Generator[None]:
    """A database that is away is `Unreachable` like any other system; what a statement did wrong stays as it is."""
    try:
        yield
    except OperationalError as error:
        raise Unreachable(f"database: {type(error.orig).__name__}", system="database") from error


def _driver(url: URL) -> URL:
    return url.set(drivername="postgresql+psycopg") if url.get_backend_name() == "postgresql" else url


def _engine(url: URL) -> Engine:
    if url.get_backend_name() != "sqlite":
        return create_engine(url, pool_size=6, max_overflow=4, pool_pre_ping=True)
    if not url.database or url.database == ":memory:":
        raise ConfigurationError("storage.url: SQLite needs a file, e.g. sqlite:///data/xops.sqlite")
    Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, connect_args={"timeout": 30, "check_same_thread": False})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401  # a DBAPI connection has no type
    connection.isolation_level = None  # SQLAlchemy sends BEGIN itself, so that savepoints and reads behave
    _write_ahead(connection)
    # NORMAL loses nothing when the process dies; a power cut may cost the last moments. PostgreSQL waits for the disk.
    for pragma in ("synchronous=NORMAL", "busy_timeout=30000", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


@retry(
    retry=retry_if_exception_type(sqlite3.OperationalError),
    wait=wait_fixed(0.05),
    stop=stop_after_delay(30),
    reraise=True,
)
def _write_ahead(connection: Any) -> None:  # noqa: ANN401
    """Change to the write-ahead log. SQLite does not wait for another process that does the same at this moment."""
    connection.execute("PRAGMA journal_mode=WAL")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("xops_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
