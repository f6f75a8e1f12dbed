"""What the web page shows, kept so that a reload, another device or a new process shows the same dialogue.

Each conversation counts its changes: a new entry and every edit of one take the next revision, under a lock on the
conversation's counter row. So "everything after revision N" misses nothing, whichever replica made the change; a reader
who reconnects gets each entry once, as it is now.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pydantic import TypeAdapter
from sqlalchemy import (
    Column,
    Connection,
    Index,
    Integer,
    LargeBinary,
    RowMapping,
    String,
    Table,
    Text,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from core.cards import Card
from core.store import Store, metadata
from core.store.types import Moment

KEPT = 500
"""Entries kept in one conversation; older ones go as new ones come."""

CARD: TypeAdapter[Card] = TypeAdapter(Card)

Kind = Literal["card", "person", "overview"]

web_dialogue = Table(
    "web_dialogue",
    metadata,
    Column("conversation", String(300), primary_key=True),
    Column("revision", Integer, nullable=False),
)

web_card = Table(
    "web_card",
    metadata,
    Column("conversation", String(300), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("revision", Integer, nullable=False),
    Column("reference", String(400), nullable=False, unique=True),
    Column("key", String(500), nullable=False, unique=True),
    Column("change", String(500), nullable=False),
    Column("kind", String(8), nullable=False),
    Column("card", Text, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Index("ix_web_card_revision", "conversation", "revision"),
)

web_secret = Table(
    "web_secret",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("value", LargeBinary, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing on the page.

    Attributes:
        reference: its name, unique over all conversations.
        conversation: key of the conversation it is in.
        seq: its place in the dialogue.
        revision: the conversation's count when it last changed.
        kind: an answer, what the person wrote (a card of one text), or the overview above the dialogue.
    """

    reference: str
    conversation: str
    seq: int
    revision: int
    kind: Kind
    card: Card
    updated_at: datetime


class WebCards:
    """The table of what is on the page.

    Args:
        store: where it is.
        clock: the present, with zone.
    """

    def __init__(self, store: Store, *, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock

    async def add(self, conversation: str, card: Card, *, kind: Kind, reference: str, key: str) -> tuple[str, bool]:
        """Append an entry, unless one with this key exists. Returns the reference in force, and whether it is new."""
        row = {
            "conversation": conversation,
            "reference": reference,
            "key": key,
            "change": key,
            "kind": kind,
            "card": _dump(card),
            "updated_at": self._clock(),
        }
        return await self._store.write(lambda connection: _add(connection, row))

    async def replace(self, reference: str, card: Card, *, key: str) -> str | None:
        """Show another card in place of one. Returns its conversation; None when there is no such entry.

        Args:
            reference: of the entry.
            card: what to show.
            key: of this change; the change that was applied last is not applied twice.
        """
        values = {"card": _dump(card), "change": key, "updated_at": self._clock()}
        return await self._store.write(lambda connection: _replace(connection, reference, values))

    async def get(self, conversation: str, reference: str) -> Entry | None:
        """An entry of this conversation."""
        query = select(web_card).where(web_card.c.conversation == conversation, web_card.c.reference == reference)
        row = await self._store.read(lambda connection: connection.execute(query).mappings().first())
        return None if row is None else _entry(row)

    async def revision(self, conversation: str) -> int:
        """How many changes the conversation has seen."""
        query = select(web_dialogue.c.revision).where(web_dialogue.c.conversation == conversation)
        return await self._store.read(lambda connection: connection.scalar(query)) or 0

    async def after(self, conversation: str, revision: int) -> tuple[Entry, ...]:
        """Entries added or edited since a revision, in the order of their last change."""
        query = select(web_card).where(web_card.c.conversation == conversation, web_card.c.revision > revision)
        return await self._entries(query.order_by(web_card.c.revision))

    async def history(self, conversation: str, *, limit: int, before: int | None = None) -> tuple[Entry, ...]:
        """The newest entries of the dialogue, or the newest before a place in it, in reading order."""
        query = select(web_card).where(web_card.c.conversation == conversation, web_card.c.kind != "overview")
        if before is not None:
            query = query.where(web_card.c.seq < before)
        return (await self._entries(query.order_by(web_card.c.seq.desc()).limit(limit)))[::-1]

    async def secret(self, fresh: bytes) -> bytes:
        """The secret that all replicas share across restarts; `fresh` becomes it when there is none yet."""
        return await self._store.write(lambda connection: _secret(connection, fresh))

    async def _entries(self, query: Any) -> tuple[Entry, ...]:  # noqa: ANN401  # a select of whole rows has no short type
        rows: Iterable[RowMapping] = await self._store.read(
            lambda connection: connection.execute(query).mappings().all()
        )
        return tuple(_entry(row) for row in rows)


def _dump(card: Card) -> str:
    return CARD.dump_json(card).decode()


def _entry(row: RowMapping) -> Entry:
    return Entry(
        row["reference"],
        row["conversation"],
        row["seq"],
        row["revision"],
        row["kind"],
        CARD.validate_json(row["card"]),
        row["updated_at"],
    )


def _next_revision(connection: Connection, conversation: str) -> int:
    """Count a change. The row stays locked until the commit, so revisions become visible in their order."""
    count = (
        update(web_dialogue)
        .where(web_dialogue.c.conversation == conversation)
        .values(revision=web_dialogue.c.revision + 1)
        .returning(web_dialogue.c.revision)
    )
    revision = connection.scalar(count)
    if revision is None:
        _insert_unless_there(connection, web_dialogue, conversation=conversation, revision=0)
        revision = connection.execute(count).scalar_one()
    return revision


def _insert_unless_there(connection: Connection, table: Table, **row: object) -> None:
    with suppress(IntegrityError), connection.begin_nested():
        connection.execute(insert(table), row)


def _add(connection: Connection, row: Mapping[str, object]) -> tuple[str, bool]:
    conversation = str(row["conversation"])
    revision = _next_revision(connection, conversation)
    known = connection.scalar(select(web_card.c.reference).where(web_card.c.key == row["key"]))
    if known is not None:
        return known, False
    connection.execute(insert(web_card), {**row, "seq": revision, "revision": revision})
    _forget_old(connection, conversation)
    return str(row["reference"]), True


def _forget_old(connection: Connection, conversation: str) -> None:
    mine = web_card.c.conversation == conversation
    oldest = select(web_card.c.seq).where(mine).order_by(web_card.c.seq.desc()).offset(KEPT - 1).limit(1)
    connection.execute(
        delete(web_card).where(mine, web_card.c.kind != "overview", web_card.c.seq < oldest.scalar_subquery())
    )


def _replace(connection: Connection, reference: str, values: Mapping[str, object]) -> str | None:
    this = web_card.c.reference == reference
    found = connection.execute(select(web_card.c.conversation, web_card.c.change).where(this)).first()
    if found is None:
        return None
    if found.change != values["change"]:
        revision = _next_revision(connection, found.conversation)
        connection.execute(update(web_card).where(this).values(revision=revision, **values))
    return found.conversation


def _secret(connection: Connection, fresh: bytes) -> bytes:
    query = select(web_secret.c.value).where(web_secret.c.id == 1)
    found = connection.scalar(query)
    if found is None:
        _insert_unless_there(connection, web_secret, id=1, value=fresh)
        found = connection.execute(query).scalar_one()
    return found
