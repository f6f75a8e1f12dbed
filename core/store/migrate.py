"""The schema's way forward: numbered steps in `core/store/migrations/versions`, run at start. There is no way back.

After changing or adding a table, write the step that is missing with

    python -m core.store.migrate "add the table of watches"

and read it before it is committed. A step runs while replicas of the release before still work, so it only adds.
"""

import asyncio
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from sqlalchemy import Connection, text

from core.store.database import Store, metadata
from core.store.tables import declared

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).parent / "migrations"
LOCK = 0x584F5053
"""Key of the lock that keeps two replicas from migrating at once on PostgreSQL: "XOPS"."""


async def upgrade(store: Store) -> None:
    """Bring the schema to this release's, in one transaction. Nothing happens when it is there already."""
    if await pending(store):
        await store.write(_upgrade)


async def pending(store: Store) -> tuple[str, ...]:
    """Numbers of the steps still to be run, in order."""
    current = await store.read(_current)
    return tuple(number for number in _numbers() if number > current)


def _numbers() -> list[str]:
    return sorted(path.name[:4] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def _current(connection: Connection) -> str:
    if not connection.dialect.has_table(connection, "alembic_version"):
        return ""
    return connection.scalar(text("SELECT version_num FROM alembic_version")) or ""


def _upgrade(connection: Connection) -> None:
    from alembic import command

    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
    command.upgrade(_config(connection), "head")


def _config(connection: Connection) -> "Config":
    from alembic.config import Config

    config = Config(attributes={"connection": connection, "metadata": metadata})
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.set_main_option("path_separator", "os")
    return config


async def _write_step(message: str) -> None:
    """Compare what the steps so far make with what the modules declare, and write the difference down."""
    from alembic import command

    declared()
    number = f"{len(_numbers()) + 1:04}"
    with TemporaryDirectory() as directory:
        store = Store(f"sqlite:///{directory}/scratch.sqlite")
        await upgrade(store)
        await store.write(
            lambda connection: command.revision(_config(connection), message, autogenerate=True, rev_id=number)
        )
        await store.stop()


if __name__ == "__main__":
    asyncio.run(_write_step(sys.argv[1]))
