"""The database's own clock, as an SQL expression: the one clock that all replicas share."""

from typing import Any

from sqlalchemy import BigInteger, ColumnElement, FunctionElement, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler


class _Now(FunctionElement[int]):
    """Microseconds since 1970, as `core.store.types.Moment` keeps them."""

    type = BigInteger()
    inherit_cache = True


@compiles(_Now, "postgresql")
def _on_postgresql(_element: _Now, _compiler: SQLCompiler, **_: Any) -> str:  # noqa: ANN401
    return "CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)"


@compiles(_Now, "sqlite")
def _on_sqlite(_element: _Now, _compiler: SQLCompiler, **_: Any) -> str:  # noqa: ANN401
    return "CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)"


def now(seconds: float = 0) -> ColumnElement[int]:
    """The present as the database sees it, so many seconds later or earlier; goes into `Moment` columns as it is."""
    return _Now() + literal(round(seconds * 1_000_000), BigInteger)
