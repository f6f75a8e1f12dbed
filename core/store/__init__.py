"""Where things are kept: SQLite (WAL) by default, PostgreSQL for replicas, one code path for both.

Every module that owns a table declares it on `metadata` and passes functions of a connection to `Store.read` and
`Store.write`. Such a function is one short transaction that may be run again as a whole: it does nothing but SQL.
"""

from sqlalchemy import Connection

from core.store.database import Store, Work, metadata

__all__ = ["Connection", "Store", "Work", "metadata"]
