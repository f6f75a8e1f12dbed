"""The tables of people, their groups, the ends of their rights to projects, and who they are on which channel.

Every change also raises one number, so that a replica learns with one small read whether it knows everything. Functions
of a connection say what was done; the caller writes the audit entry into the same transaction.
"""

import json
from collections import defaultdict
from datetime import datetime

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Integer,
    RowMapping,
    String,
    Table,
    Text,
    UniqueConstraint,
    delete,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import Insert

from core.access import Identity, Listing, Person, Roster
from core.store import Store, metadata
from core.store.types import Moment

person = Table(
    "person",
    metadata,
    Column("name", String(80), primary_key=True),
    Column("role", String(20), nullable=False),
    Column("break_glass", Boolean, nullable=False, default=False),
    Column("language", String(10), nullable=False, default=""),
    Column("owners", Text, nullable=False, default="[]"),
    Column("added_at", Moment, nullable=False),
    Column("disabled_at", Moment),
)

person_project = Table(
    "person_project",
    metadata,
    Column("person", String(80), primary_key=True),
    Column("project", String(200), primary_key=True),
    Column("ends_at", Moment),
)

person_group = Table(
    "person_group",
    metadata,
    Column("person", String(80), primary_key=True),
    Column("name", String(80), primary_key=True),
)

person_identity = Table(
    "person_identity",
    metadata,
    Column("channel", String(40), primary_key=True),
    Column("id", String(200), primary_key=True),
    Column("tenant", String(200), nullable=False, default=""),
    Column("person", String(80), nullable=False),
    Column("linked_at", Moment, nullable=False),
    UniqueConstraint("person", "channel"),
)
"""Also of people whom only the settings list: they link their other messengers themselves."""

people_version = Table(
    "people_version",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("number", Integer, nullable=False),
)


class Register:
    """What `core.access.Access` reads. Implements its `Directory`.

    Args:
        store: where the tables are.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    async def version(self) -> int:
        """A number that grows with every change."""
        return await self._store.read(_version)

    async def roster(self) -> Roster:
        """Everyone who is not disabled, and every identity."""
        return await self._store.read(_roster)


def listings(connection: Connection) -> tuple[Listing, ...]:
    """Everyone in the tables by name, the disabled included."""
    projects: dict[str, dict[str, datetime | None]] = defaultdict(dict)
    for row in connection.execute(select(person_project)):
        projects[row.person][row.project] = row.ends_at
    groups: dict[str, set[str]] = defaultdict(set)
    for row in connection.execute(select(person_group)):
        groups[row.person].add(row.name)
    rows = connection.execute(select(person).order_by(person.c.name)).mappings()
    return tuple(_listing(row, projects[row["name"]], frozenset(groups[row["name"]])) for row in rows)


def add(connection: Connection, newcomer: Person, at: datetime) -> bool:
    """Someone new without projects and groups; False when the name is taken, also by someone disabled."""
    values = {
        "name": newcomer.name,
        "role": newcomer.role,
        "break_glass": newcomer.break_glass,
        "language": newcomer.language,
        "owners": json.dumps(sorted(newcomer.owners), ensure_ascii=False),
        "added_at": at,
    }
    added = _insert(connection, person).values(values).on_conflict_do_nothing().returning(person.c.name)
    return _changed(connection, done=connection.scalar(added) is not None)


def change(connection: Connection, name: str, **values: object) -> bool:
    """Set columns of a person; False when nobody has this name."""
    done = connection.execute(update(person).where(person.c.name == name).values(values)).rowcount == 1
    return _changed(connection, done=done)


def give_project(connection: Connection, name: str, project: str, until: datetime | None) -> bool:
    """Let someone operate a project, until a moment or for good; an earlier end is replaced."""
    given = _insert(connection, person_project).values(person=name, project=project, ends_at=until)
    keys = [person_project.c.person, person_project.c.project]
    connection.execute(given.on_conflict_do_update(index_elements=keys, set_={"ends_at": until}))
    return _changed(connection)


def take_project(connection: Connection, name: str, project: str) -> bool:
    """Take a project away; False when it was not theirs."""
    gone = delete(person_project).where(person_project.c.person == name, person_project.c.project == project)
    return _changed(connection, done=connection.execute(gone).rowcount == 1)


def set_groups(connection: Connection, name: str, groups: frozenset[str]) -> bool:
    """Put someone into these groups and no others."""
    connection.execute(delete(person_group).where(person_group.c.person == name))
    for group in sorted(groups):
        connection.execute(person_group.insert().values(person=name, name=group))
    return _changed(connection)


def put_identity(connection: Connection, identity: Identity, at: datetime) -> bool:
    """Make an id someone's; False when it is somebody's already, or they have another one on that channel."""
    values = {
        "channel": identity.channel,
        "id": identity.id,
        "tenant": identity.tenant,
        "person": identity.person,
        "linked_at": at,
    }
    put = _insert(connection, person_identity).values(values).on_conflict_do_nothing()
    return _changed(connection, done=connection.scalar(put.returning(person_identity.c.id)) is not None)


def drop_identity(connection: Connection, name: str, channel: str) -> bool:
    """Make someone's id on a channel nobody's; False when none was linked there."""
    gone = delete(person_identity).where(person_identity.c.person == name, person_identity.c.channel == channel)
    return _changed(connection, done=connection.execute(gone).rowcount == 1)


def _roster(connection: Connection) -> Roster:
    """The version is read first: what changes meanwhile makes it too low, and the next look reads again."""
    version = _version(connection)
    enabled = tuple(listing for listing in listings(connection) if listing.disabled_at is None)
    return Roster(version, enabled, _identities(connection))


def _identities(connection: Connection) -> tuple[Identity, ...]:
    rows = connection.execute(select(person_identity))
    return tuple(Identity(row.person, row.channel, row.id, row.tenant) for row in rows)


def _version(connection: Connection) -> int:
    return connection.scalar(select(people_version.c.number)) or 0


def _changed(connection: Connection, *, done: bool = True) -> bool:
    """Raise the version if something was done; returns whether it was."""
    if done:
        first = _insert(connection, people_version).values(id=1, number=1)
        raised = {"number": people_version.c.number + 1}
        connection.execute(first.on_conflict_do_update(index_elements=[people_version.c.id], set_=raised))
    return done


def _insert(connection: Connection, table: Table) -> Insert:
    """Both dialects spell ON CONFLICT alike."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    return dialect.insert(table)  # pyright: ignore[reportReturnType]


def _listing(row: RowMapping, projects: dict[str, datetime | None], groups: frozenset[str]) -> Listing:
    listed = Person(
        row["name"],
        row["role"],
        frozenset(projects),
        frozenset(json.loads(row["owners"])),
        row["language"],
        row["break_glass"],
        groups,
    )
    ends = {project: end for project, end in projects.items() if end is not None}
    return Listing(listed, ends, disabled_at=row["disabled_at"])
