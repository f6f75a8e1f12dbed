"""Migrations lead to exactly the tables the modules declare, on both databases, also when two replicas start at once."""

import asyncio

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect

from core.store import Store
from core.store.migrate import pending, upgrade
from core.store.tables import declared


def differences(connection: Connection) -> list[object]:
    """What an automatic migration would still do."""
    return list(compare_metadata(MigrationContext.configure(connection), declared()))


async def test_the_migrated_schema_is_the_declared_one(database_url: str) -> None:
    store = Store(database_url)
    assert await pending(store)
    await upgrade(store)
    assert await store.read(differences) == []
    assert await pending(store) == ()
    await upgrade(store)  # once more is harmless
    await store.stop()


async def test_two_processes_that_start_at_once_migrate_once(database_url: str) -> None:
    stores = [Store(database_url), Store(database_url)]
    await asyncio.gather(*(upgrade(store) for store in stores))
    tables = await stores[0].read(lambda connection: set(inspect(connection).get_table_names()))
    assert tables == {*declared().tables, "alembic_version"}
    await asyncio.gather(*(store.stop() for store in stores))
