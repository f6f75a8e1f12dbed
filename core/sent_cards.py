"""What was sent through a messenger that does not tell later: which messages a card became, what each of its buttons means.

Some messengers (WeCom) have no idempotency key, identify no message in a click, and hand out codes that edit a card once.
Whoever sends through them writes here before sending, so that a click always finds its button, on any replica.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Index,
    Insert,
    Integer,
    RowMapping,
    Select,
    String,
    Table,
    Text,
    bindparam,
    delete,
    func,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from core.cards import Button
from core.store import Store, metadata
from core.store.clock import now
from core.store.types import Moment

KEPT_SECONDS = 30 * 86400

sent_card = Table(
    "sent_card",
    metadata,
    Column("reference", String(64), primary_key=True),
    Column("channel", String(40), nullable=False),
    Column("conversation", String(300), nullable=False),
    Column("kind", String(8), nullable=False),
    Column("task", String(100), nullable=False),
    Column("edition", Integer, nullable=False),
    Column("change", Text, nullable=False),
    Column("alone", Boolean, nullable=False),
    Column("waiting", Text, nullable=False),
    Column("sent", Text, nullable=False),
    Column("presses", Text, nullable=False),
    Column("stream", String(64), nullable=False),
    Column("code", Text, nullable=False),
    Column("changed_at", Moment, nullable=False),
    Index("ix_sent_card_stream", "stream"),
    Index("ix_sent_card_changed", "channel", "changed_at"),
)

_MESSAGES: TypeAdapter[tuple[dict[str, Any], ...]] = TypeAdapter(tuple[dict[str, Any], ...])
_IDS: TypeAdapter[tuple[str, ...]] = TypeAdapter(tuple[str, ...])
_PRESSES: TypeAdapter[dict[str, Button]] = TypeAdapter(dict[str, Button])
_ADAPTERS: Mapping[str, TypeAdapter[Any]] = {"waiting": _MESSAGES, "sent": _IDS, "presses": _PRESSES}


@dataclass(frozen=True, slots=True)
class SentCard:
    """A card and what became of it.

    Attributes:
        reference: what `Channel.send` returned for it.
        conversation: the channel's id of the chat.
        kind: of the chat, `private` or `group`.
        task: what the messenger calls the messages that show it now.
        edition: how often it was rendered; part of the names of its buttons.
        change: key of what was applied last; applying it again changes nothing.
        alone: it is one message that says it all, and so can be edited in place.
        waiting: messages still to be sent, as the messenger takes them.
        sent: the messenger's ids of its messages.
        presses: what each button means, by the name the messenger gives back; of earlier editions too.
        stream: name of the answer under way that shows it; empty when none does.
    """

    reference: str
    conversation: str
    kind: str
    task: str = ""
    edition: int = 0
    change: str = ""
    alone: bool = False
    waiting: tuple[dict[str, Any], ...] = ()
    sent: tuple[str, ...] = ()
    presses: Mapping[str, Button] = field(default_factory=dict[str, Button])
    stream: str = ""


class SentCards:
    """The table, for one channel.

    Args:
        store: where it is.
        channel: name of the channel.
    """

    def __init__(self, store: Store, channel: str) -> None:
        self._store = store
        self._channel = channel
        self._get = select(sent_card).where(sent_card.c.channel == channel, sent_card.c.reference == bindparam("asked"))
        self._put = _upsert(store, channel)

    async def get(self, reference: str) -> SentCard | None:
        """The card with this reference."""
        return await self._first(self._get, asked=reference)

    async def of_stream(self, stream: str) -> SentCard | None:
        """The card that an answer under way shows."""
        return await self._first(
            select(sent_card).where(sent_card.c.channel == self._channel, sent_card.c.stream == stream)
        )

    async def waiting(self) -> tuple[SentCard, ...]:
        """Cards with messages still to be sent, those that wait longest first."""
        query = select(sent_card).where(sent_card.c.channel == self._channel, sent_card.c.waiting != "[]")
        query = query.order_by(sent_card.c.changed_at)
        rows = await self._store.read(lambda connection: connection.execute(query).mappings().all())
        return tuple(_card(row) for row in rows)

    async def put(self, card: SentCard, *, code: str = "") -> None:
        """Write a card down as it is now, with the code for editing it once; without one, the code stays what it was."""
        row = {name: _dump(name, getattr(card, name)) for name in SentCard.__slots__}
        await self._store.write(lambda connection: connection.execute(self._put, {**row, "code": code}))

    async def offer_code(self, reference: str, code: str) -> None:
        """Keep the newest code with which the card can be edited once."""
        keep = update(sent_card).where(sent_card.c.reference == reference).values(code=code)
        await self._store.write(lambda connection: connection.execute(keep))

    async def take_code(self, reference: str) -> str:
        """The code, for nobody else to use again; empty when there is none."""
        return await self._store.write(lambda connection: _take_code(connection, reference))

    async def forget_old(self) -> None:
        """Forget cards nobody presses any more."""
        old = delete(sent_card).where(sent_card.c.channel == self._channel, sent_card.c.changed_at < now(-KEPT_SECONDS))
        await self._store.write(lambda connection: connection.execute(old))

    async def _first(self, query: Select[Any], **asked: str) -> SentCard | None:
        row = await self._store.read(lambda connection: connection.execute(query, asked).mappings().first())
        return None if row is None else _card(row)


def _upsert(store: Store, channel: str) -> Insert:
    """Built once: building it costs three times what running it does."""
    write = (sqlite.insert if store.embedded else postgresql.insert)(sent_card)
    new = {name: write.excluded[name] for name in (*SentCard.__slots__, "changed_at")}
    code = func.coalesce(func.nullif(write.excluded.code, ""), sent_card.c.code)
    return write.values(channel=channel, changed_at=now()).on_conflict_do_update(
        index_elements=[sent_card.c.reference], set_={**new, "code": code}
    )


def _dump(name: str, value: object) -> object:
    adapter = _ADAPTERS.get(name)
    return value if adapter is None else adapter.dump_json(value).decode()


def _card(row: RowMapping) -> SentCard:
    plain = {name: row[name] for name in SentCard.__slots__ if name not in _ADAPTERS}
    return SentCard(**plain, **{name: adapter.validate_json(row[name]) for name, adapter in _ADAPTERS.items()})


def _take_code(connection: Connection, reference: str) -> str:
    this = sent_card.c.reference == reference
    code = connection.scalar(select(sent_card.c.code).where(this).with_for_update()) or ""
    connection.execute(update(sent_card).where(this).values(code=""))
    return code
