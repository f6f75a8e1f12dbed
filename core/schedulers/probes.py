"""When data last came to a table, asked of the database itself: the newest moment in a column that the settings name.

For schedulers that know no tables, or know of them no more than that a task succeeded. What is measured outweighs what is
told: a success after the newest row brought nothing.

The statement is made by SQLAlchemy of names in the settings alone, each quoted where it has to be; no word of a person or a
model is in it. It reads, may do no more where the database knows how to forbid it, and ends by time. Drivers block, so it
runs in one of two threads, which are all the connections there are; an answer is remembered for `SECONDS`.
"""

import asyncio
import math
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, Select, column, create_engine, func, make_url, select, table
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from core.errors import ConfigurationError, Refused, RemoteError, Unreachable
from core.redact import clean, mask
from core.schedulers.base import DataTable, TableUpdate
from core.schedulers.memory import Memory
from core.schedulers.search import rank
from core.settings import TableProbe

SECONDS: Final = 60.0
AT_ONCE: Final = 2
"""Connections, and so statements, at a time."""
MEASURED: Final = 3
"""Most matching tables that are measured; with more, a person has to choose first."""
DETAIL: Final = 200
"""Characters of the database's own words kept in an error."""
DRIVERS: Final[Mapping[str, str]] = {"postgresql": "postgresql+psycopg", "mysql": "mysql+pymysql"}
"""The driver where the address names none; SQLAlchemy's own choice elsewhere."""
LIMITS: Final[Mapping[str, tuple[str, ...]]] = {
    "postgresql": ("SET TRANSACTION READ ONLY", "SET LOCAL statement_timeout = {milliseconds}"),
    "mysql": ("SET SESSION TRANSACTION READ ONLY",),
    "sqlite": ("PRAGMA query_only = ON",),
}
"""What is said before the statement: that nothing may be changed, and how long it may take."""
WAITS: Final[Mapping[str, tuple[str, ...]]] = {
    "postgresql": ("connect_timeout",),
    "mysql": ("connect_timeout", "read_timeout"),
}
"""Arguments of drivers that take whole seconds."""
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
LATEST_SECOND: Final = 100_000_000_000
"""Numbers up to this are seconds since 1970, larger ones milliseconds."""
DAY: Final = len("2026-11-22")


class Probe:
    """Measures the tables of one connection.

    Args:
        system: configured name of the connection.
        settings: the database, and which columns.
        zone: of moments that come without one, unless the settings say otherwise.
    """

    def __init__(self, system: str, settings: TableProbe, zone: ZoneInfo) -> None:
        self._system = system
        self._settings = settings
        self._zone = ZoneInfo(settings.zone) if settings.zone else zone
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix=f"{system}-probe")
        self._newest: Memory[str, datetime | None] = Memory(self._fetch, seconds=SECONDS)

    async def measure(self, text: str, known: tuple[DataTable, ...], limit: int) -> tuple[DataTable, ...]:
        """Tables that a scheduler found by a text, and those that only the settings name; as they are by what was measured.

        What cannot be measured stays as it is known, and says why (`DataTable.unmeasured`).
        """
        if not self._settings.columns:
            return known
        beside = self._settings.columns.keys() - {one.name for one in known}
        found = (*known, *(DataTable(self._system, name) for name in sorted(beside)))
        ranked = rank(text, found, lambda one: (one.name,), limit=limit)
        if len(ranked) > MEASURED:
            return ranked
        return tuple(await asyncio.gather(*(self._measured(one) for one in ranked)))

    async def problems(self) -> tuple[str, ...]:
        """Why tables cannot be measured, each as a sentence; for `xops doctor`."""
        tables = await asyncio.gather(*(self._measured(DataTable(self._system, one)) for one in self._settings.columns))
        return tuple(dict.fromkeys(one.unmeasured for one in tables if one.unmeasured))

    async def close(self) -> None:
        """Stop waiting; a statement that is under way ends by its own time."""
        await self._newest.close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _measured(self, known: DataTable) -> DataTable:
        if known.name not in self._settings.columns:
            return known
        try:
            at = await self._newest.get(known.name)
        except (RemoteError, ConfigurationError) as error:
            return replace(known, unmeasured=str(error))
        before = (update for update in known.updates if at and update.at < at)
        return replace(known, updates=(TableUpdate(at), *before) if at else ())

    async def _fetch(self, name: str) -> datetime | None:
        try:
            async with asyncio.timeout(self._settings.timeout_seconds):
                loop = asyncio.get_running_loop()
                value = await loop.run_in_executor(self._threads, self._ask, self._settings.columns[name])
        except TimeoutError as error:
            message = f"{name}: the database did not answer in {self._settings.timeout_seconds:g} s"
            raise Unreachable(message, system=self._system, code="timeout") from error
        except SQLAlchemyError as error:
            raise self._failure(name, error) from error
        try:
            return None if value is None else moment(value, self._zone)
        except ValueError as error:
            raise ConfigurationError(f"{self._settings.columns[name]}: {error}") from error

    def _failure(self, name: str, error: SQLAlchemyError) -> RemoteError:
        words = str(error.orig) if isinstance(error, DBAPIError) else type(error).__name__
        message = f"{name}: {mask(clean(words))[:DETAIL]}"
        kind = Unreachable if isinstance(error, OperationalError | InterfaceError) else Refused
        return kind(message, system=self._system, code=type(error).__name__)

    def _ask(self, path: str) -> object:
        """Blocks until there is an answer."""
        with self._engine.connect() as connection:
            for words in LIMITS.get(self._engine.dialect.name, ()):
                milliseconds = math.ceil(self._settings.timeout_seconds * 1000)
                connection.exec_driver_sql(words.format(milliseconds=milliseconds))
            return connection.execute(statement(path)).scalar()

    @cached_property
    def _engine(self) -> Engine:
        """A connection a question: one that idles would have to be watched.

        Raises:
            ConfigurationError: the address is none, or its driver is not installed.
        """
        try:
            url = make_url(self._settings.url.get_secret_value())
            url = url.set(drivername=DRIVERS.get(url.drivername, url.drivername))
            waits = WAITS.get(url.get_backend_name(), ())
            seconds: dict[str, Any] = dict.fromkeys(waits, math.ceil(self._settings.timeout_seconds))
            return create_engine(url, poolclass=NullPool, connect_args=seconds, hide_parameters=True)
        except ModuleNotFoundError as error:
            raise ConfigurationError(
                f"probe of {self._system} needs one package more: pip install {error.name}"
            ) from error
        except ArgumentError as error:
            raise ConfigurationError(f"probe of {self._system}: url names no database known here") from error


def statement(path: str) -> Select[tuple[object]]:
    """The question for a column, written as `table.column` or `schema.table.column`."""
    *schema, name, newest = path.split(".")
    of = table(name, column(newest), schema=schema[0] if schema else None)
    return select(func.max(of.c[newest]))


def moment(value: object, zone: ZoneInfo) -> datetime:
    """What a column told, as a moment.

    Args:
        value: a time; text in ISO 8601; or seconds or milliseconds since 1970.
        zone: where it tells none.

    Raises:
        ValueError: it is none. A day is none either: it tells what the data is about, not when it came.
    """
    if isinstance(value, str) and len(value.strip()) > DAY:
        value = datetime.fromisoformat(value.strip())
    elif isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        with suppress(OverflowError):
            value = EPOCH + timedelta(seconds=float(value if value < LATEST_SECOND else value / 1000))
    if not isinstance(value, datetime):
        raise ValueError("holds no moments; name the column that tells when a row came")
    return value if value.tzinfo else value.replace(tzinfo=zone)
