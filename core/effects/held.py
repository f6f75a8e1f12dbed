"""What quiet hours held back, in a table, until they end: then it is told in one card for each chat (`telling`).

What ends meanwhile is marked; what ends afterwards finds here the card in which it was told. A row belongs to a chat and to the
end of its quiet hours, so that the same matter in the next night is another one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Index,
    Row,
    String,
    Table,
    Text,
    delete,
    insert,
    select,
    update,
)

from core.effects.outbox import KEPT, PLACES, Place
from core.store import Store, metadata
from core.store.types import Moment
from core.subscriptions.model import Topic
from core.watches.storm import Item

held = Table(
    "held",
    metadata,
    Column("chat", String(300), primary_key=True),
    Column("due", Moment, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("place", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("item", Text, nullable=False),
    Column("told", Boolean, nullable=False),
    Index("ix_held_told", "told", "due"),
    Index("ix_held_subject", "subject"),
)


@dataclass(frozen=True, slots=True)
class HeldBack:
    """Something that was not told at once.

    Attributes:
        due: when the quiet hours end.
        subject: of the finding.
        place: where it is told then.
        topic: what it is about; asked again then.
        item: how it is listed, and whether it is over.
    """

    due: datetime
    subject: str
    place: Place
    topic: Topic
    item: Item


TOPIC: TypeAdapter[Topic] = TypeAdapter(Topic)
ITEM: TypeAdapter[Item] = TypeAdapter(Item)


class Held:
    """The table."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def keep(self, found: Sequence[HeldBack]) -> None:
        """Write down what is told later; the same matter again replaces what was known of it."""
        if found:
            await self._store.write(lambda connection: _keep(connection, found))

    async def over(self, subject: str) -> tuple[Place, ...]:
        """Something has ended: mark what is not told yet; returns where it was told."""
        return await self._store.write(lambda connection: _over(connection, subject))

    async def due(self, now: datetime) -> list[tuple[str, datetime]]:
        """(key of a chat, end of its quiet hours) of what is to be told now."""
        wanted = select(held.c.chat, held.c.due).where(held.c.told.is_(False), held.c.due <= now).distinct()
        rows = await self._store.read(lambda connection: connection.execute(wanted.order_by(held.c.due)).all())
        return [(row.chat, row.due) for row in rows]

    async def of(self, chat: str, due: datetime) -> tuple[HeldBack, ...]:
        """What was held back from a chat until then and is not told yet."""
        wanted = select(held).where(held.c.chat == chat, held.c.due == due, held.c.told.is_(False))
        rows = await self._store.read(lambda connection: connection.execute(wanted.order_by(held.c.subject)).all())
        return tuple(map(_held_back, rows))

    async def told(self, read: Sequence[HeldBack], shown: Sequence[HeldBack]) -> frozenset[str]:
        """Remember what was told, and forget what was read and is of no interest.

        Returns:
            Subjects of what has ended since it was read.
        """
        return await self._store.write(lambda connection: _told(connection, read, shown))

    async def tidy(self, now: datetime) -> None:
        """Forget what is so old that its end is no news."""
        old = held.c.due < now - KEPT
        await self._store.write(lambda connection: connection.execute(delete(held).where(old)))


def _keep(connection: Connection, found: Sequence[HeldBack]) -> None:
    for one in found:
        connection.execute(delete(held).where(_this(one)))
        values = {"chat": one.place.conversation.key, "due": one.due, "subject": one.subject, "told": False}
        values["place"] = PLACES.dump_json((one.place,)).decode()
        values |= {"topic": TOPIC.dump_json(one.topic).decode(), "item": ITEM.dump_json(one.item).decode()}
        connection.execute(insert(held), values)


def _over(connection: Connection, subject: str) -> tuple[Place, ...]:
    rows = connection.execute(select(held).where(held.c.subject == subject)).all()
    found = [_held_back(row) for row in rows]
    for one in found:
        ended = ITEM.dump_json(replace(one.item, over=True)).decode()
        connection.execute(update(held).where(_this(one)).values(item=ended))
    return tuple(one.place for one, row in zip(found, rows, strict=True) if row.told)


def _told(connection: Connection, read: Sequence[HeldBack], shown: Sequence[HeldBack]) -> frozenset[str]:
    ended: set[str] = set()
    for one in read:
        if one not in shown:
            connection.execute(delete(held).where(_this(one)))
            continue
        row = connection.execute(update(held).where(_this(one)).values(told=True).returning(held)).one()
        ended |= {one.subject} if _held_back(row).item.over != one.item.over else set()
    return frozenset(ended)


def _this(one: HeldBack) -> ColumnElement[bool]:
    same_night = (held.c.chat == one.place.conversation.key) & (held.c.due == one.due)
    return same_night & (held.c.subject == one.subject)


def _held_back(row: Row[Any]) -> HeldBack:
    (place,) = PLACES.validate_json(row.place)
    return HeldBack(row.due, row.subject, place, TOPIC.validate_json(row.topic), ITEM.validate_json(row.item))
