"""The append-only record of every decision and action, refusals included; each entry is chained to the one before.

An entry's hash covers its contents and the hash before it, and the head, one row of its own, holds the count and the last
hash. `verify` therefore notices an entry that was changed, inserted, moved or deleted, also at the end. It cannot notice
someone who may write to the database and recomputes every hash from there on, the head included: for that, keep the head,
which `verify` logs, somewhere they cannot write.
"""

import hashlib
import json
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import structlog
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Integer,
    RowMapping,
    String,
    Table,
    Text,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from core.errors import Tampered
from core.store import Store, metadata
from core.store.types import Moment

PAGE = 1000

log = structlog.get_logger(__name__)

audit = Table(
    "audit",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", Moment, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("details", Text, nullable=False),
    Column("trace", Text, nullable=False),
    Column("hash", String(64), nullable=False),
)

audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("entries", Integer, nullable=False),
    Column("hash", String(64), nullable=False),
)

GENESIS = "0" * 64
"""What the first entry has for the hash before it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry, as `Audit.record` describes it. `details` are as they were hashed: JSON with sorted keys."""

    number: int
    at: datetime
    actor: str
    action: str
    target: str
    outcome: str
    details: str
    trace: str
    hash: str

    def line(self) -> str:
        """The entry as one line of JSON, with which anyone can check the chain: see docs/people.md."""
        return _canonical({**_contents(asdict(self)), "hash": self.hash})


@dataclass(frozen=True, slots=True)
class Sought:
    """What entries to look for; what is empty does not matter.

    Attributes:
        actor: the exact name.
        action: the exact word, or the first ones of it: `people` finds `people.add`.
        target: a part of it.
        since: from this moment on.
        until: before this moment.
        before: only entries with a lower number, to go on where a page ended.
    """

    actor: str = ""
    action: str = ""
    target: str = ""
    since: datetime | None = None
    until: datetime | None = None
    before: int = 0


class Audit:
    """The trail.

    Args:
        store: where it is.
        clock: the present, with zone.
    """

    def __init__(self, store: Store, *, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock

    async def record(
        self,
        *,
        actor: str,
        action: str,
        target: str,
        outcome: str,
        details: Mapping[str, str] | None = None,
        trace: str = "",
    ) -> None:
        """Append an entry.

        Args:
            actor: who, e.g. a person's name or `system`.
            action: what was asked for, e.g. `rerun`.
            target: what it was to be done to.
            outcome: what became of it, e.g. `confirmed` or `denied`.
            details: more by name; no secrets.
            trace: ties the entry to the logs.
        """
        await self._store.write(
            lambda connection: self.entry(
                connection, actor=actor, action=action, target=target, outcome=outcome, details=details, trace=trace
            )
        )

    def entry(
        self,
        connection: Connection,
        *,
        actor: str,
        action: str,
        target: str,
        outcome: str,
        details: Mapping[str, str] | None = None,
        trace: str = "",
    ) -> None:
        """`record` within the caller's transaction: the entry is there if and only if what it tells of happened."""
        head = _locked_head(connection)
        row = {
            "number": head["entries"] + 1,
            "at": self._clock(),
            "actor": actor,
            "action": action,
            "target": target,
            "outcome": outcome,
            "details": _canonical(dict(details or {})),
            "trace": trace,
        }
        row["hash"] = _hash(head["hash"], row)
        connection.execute(insert(audit), row)
        connection.execute(update(audit_head), {"entries": row["number"], "hash": row["hash"]})

    async def verify(self) -> int:
        """Check the chain from its first entry to its head.

        Returns:
            Number of entries.

        Raises:
            Tampered: the trail is not what was written; the message says where it first differs.
        """
        head = await self._store.read(_head_and_last)
        if head["last"] != head["entries"]:
            raise Tampered(f"the audit trail ends with entry {head['last']}, and should with {head['entries']}")
        previous, number = GENESIS, 0
        while number < head["entries"]:
            page = await self._store.read(lambda connection, after=number: _page(connection, after))
            previous = _checked(page, number, previous)
            number += len(page)
        if previous != head["hash"]:
            raise Tampered("the last entry of the audit trail is not the one its head names")
        log.info("audit.verified", entries=number, head=previous)
        return number

    async def search(self, sought: Sought, *, limit: int = 50) -> tuple[Entry, ...]:
        """Entries that match, the newest first."""
        query = select(audit).where(*_conditions(sought)).order_by(audit.c.number.desc()).limit(limit)
        rows = await self._store.read(lambda connection: connection.execute(query).mappings().all())
        return tuple(Entry(**row) for row in rows)

    async def export(self) -> AsyncGenerator[str]:
        """Every entry as a line of JSON, in order; a last line names the head, so that a missing end shows as well."""
        head = await self._store.read(_head_and_last)
        number = 0
        while number < head["entries"]:
            page = await self._store.read(lambda connection, after=number: _page(connection, after))
            if not page:
                break
            for row in page[: head["entries"] - number]:
                yield Entry(**row).line()
            number += len(page)
        yield _canonical({"entries": head["entries"], "hash": head["hash"]})


def _locked_head(connection: Connection) -> RowMapping:
    """The head, which nobody else can move until this transaction ends."""
    query = select(audit_head).with_for_update()
    head = connection.execute(query).mappings().first()
    if head is None:
        dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
        connection.execute(dialect.insert(audit_head).values(id=1, entries=0, hash=GENESIS).on_conflict_do_nothing())
        head = connection.execute(query).mappings().one()
    return head


def _head_and_last(connection: Connection) -> RowMapping:
    """In one statement, so that an entry appended meanwhile is in both or in neither."""
    query = select(
        func.coalesce(select(func.max(audit.c.number)).scalar_subquery(), 0).label("last"),
        func.coalesce(select(audit_head.c.entries).scalar_subquery(), 0).label("entries"),
        func.coalesce(select(audit_head.c.hash).scalar_subquery(), GENESIS).label("hash"),
    )
    return connection.execute(query).mappings().one()


def _page(connection: Connection, after: int) -> Sequence[RowMapping]:
    query = select(audit).where(audit.c.number > after).order_by(audit.c.number).limit(PAGE)
    return connection.execute(query).mappings().all()


def _checked(page: Sequence[RowMapping], checked: int, previous: str) -> str:
    """The hash of the page's last entry, when each follows from the one before."""
    for number, row in enumerate(page, checked + 1):
        if row["number"] != number:
            raise Tampered(f"entry {number} of the audit trail is missing")
        if row["hash"] != _hash(previous, {column.name: row[column] for column in audit.c}):
            raise Tampered(f"entry {number} of the audit trail is not what was written")
        previous = row["hash"]
    return previous


def _conditions(sought: Sought) -> Iterator[ColumnElement[bool]]:
    if sought.actor:
        yield audit.c.actor == sought.actor
    if sought.action:
        yield or_(audit.c.action == sought.action, audit.c.action.startswith(f"{sought.action}.", autoescape=True))
    if sought.target:
        yield audit.c.target.contains(sought.target, autoescape=True)
    if sought.since:
        yield audit.c.at >= sought.since
    if sought.until:
        yield audit.c.at < sought.until
    if sought.before:
        yield audit.c.number < sought.before


def _hash(previous: str, row: Mapping[str, Any]) -> str:
    return hashlib.sha256(f"{previous}{_canonical(_contents(row))}".encode()).hexdigest()


def _contents(row: Mapping[str, Any]) -> dict[str, Any]:
    """What the hash covers: every column but itself, the time in UTC."""
    contents = {name: value for name, value in row.items() if name != "hash"}
    return contents | {"at": row["at"].astimezone(UTC).isoformat()}


def _canonical(contents: Mapping[str, Any]) -> str:
    return json.dumps(contents, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
