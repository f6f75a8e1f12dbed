"""Many alerts about one thing become one card: the first is shown at once, those that follow soon edit the same card.

A storm is over when nothing was added for `QUIET`; what comes later begins another one, with a card of its own. All there
is to know stands in one row, so that any replica can go on with it; a card that an earlier process did not get to show is
shown with the next alert, or when whoever told of it tries again.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Column, Connection, Integer, RowMapping, String, Table, Text, delete, select, update

from core.cards import Card
from core.delivery import Delivery
from core.messages import Conversation
from core.store import Store, metadata
from core.store.types import Moment

QUIET = timedelta(minutes=15)
MOST = 500
"""Most things of one storm that are told apart; what is beyond is counted."""
KEPT = timedelta(days=2)

storm = Table(
    "storm",
    metadata,
    Column("key", String(40), primary_key=True),
    Column("title", Text, nullable=False),
    Column("items", Text, nullable=False),
    Column("beyond", Integer, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("since", Moment, nullable=False),
    Column("last_at", Moment, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Item:
    """One alert of a storm.

    Attributes:
        ref: what it is about; another alert about the same replaces it.
        name: what people call that.
        owner: whom to call; empty when nobody is listed.
        cause: what it comes from, as one would write it on a card: a blocker's name, or the kind of fault.
        over: whether it has recovered.
        told: what told of it last; the same again is no news, another is, also when all else is as before.
    """

    ref: str
    name: str
    project: str = ""
    owner: str = ""
    cause: str = ""
    over: bool = False
    told: str = ""


@dataclass(frozen=True, slots=True)
class Storm:
    """A storm as it is now.

    Attributes:
        key: of its conversation and group.
        title: what gathers it, as whoever told of it calls that.
        beyond: how many more there were than `items` holds.
        seq: grows with every alert.
    """

    key: str
    title: str
    items: Mapping[str, Item]
    beyond: int
    seq: int
    since: datetime
    last_at: datetime

    @property
    def subject(self) -> str:
        """The name under which `core.delivery` knows its card."""
        return f"storm:{self.key}:{self.since.isoformat()}"

    @property
    def total(self) -> int:
        """How many things it is about."""
        return len(self.items) + self.beyond

    @property
    def open(self) -> tuple[Item, ...]:
        """What has not recovered."""
        return tuple(item for item in self.items.values() if not item.over)

    def most(self, of: Callable[[Item], str], limit: int = 5) -> tuple[tuple[str, int], ...]:
        """The most frequent projects, causes or owners of what is still open, with how often; those unnamed are left out."""
        counts = Counter(of(item) for item in self.open)
        del counts[""]
        return tuple(sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))[:limit])


ITEMS: TypeAdapter[dict[str, Item]] = TypeAdapter(dict[str, Item])
Render = Callable[[Storm, str], Card]
"""Makes the card of a storm in a language."""


class Gatherer:
    """Gathers alerts.

    Args:
        store: where storms are kept.
        delivery: where cards go.
        render: see `Render`.
        clock: the present, with zone.
    """

    def __init__(self, store: Store, delivery: Delivery, *, render: Render, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._delivery = delivery
        self._render = render
        self._clock = clock
        self._new = store.insert_new(storm)
        self._waiting: dict[str, tuple[Storm, Card | None]] = {}
        self._showing: set[str] = set()

    async def tell(
        self,
        conversation: Conversation,
        group: str,
        title: str,
        item: Item,
        *,
        language: str,
        alone: Card | None = None,
    ) -> Storm:
        """Show an alert, in the card of its storm. The same alert told again changes nothing.

        One that is over belongs to the storm it is part of, however long ago; where there is none, it is not told.

        Args:
            conversation: where.
            group: what gathers alerts there, e.g. `project:demo:trade` or the reference of a blocker.
            title: how people call that.
            item: the alert.
            language: of the card.
            alone: the card to show while it is the only one of its storm, and says more than a list of one.

        Raises:
            XOpsError: the messenger did not answer; telling it again shows what is missing.
        """
        return await self._told(conversation, group, title, [item], language, alone)

    async def gather(
        self, conversation: Conversation, group: str, title: str, items: Sequence[Item], *, language: str
    ) -> Storm:
        """Show alerts that waited, all in one card; those that are over by now are counted. Else as `tell`."""
        begun = [replace(item, over=False) for item in items]
        return await self._told(conversation, group, title, [*begun, *(item for item in items if item.over)], language)

    async def _told(
        self,
        conversation: Conversation,
        group: str,
        title: str,
        items: Sequence[Item],
        language: str,
        alone: Card | None = None,
    ) -> Storm:
        key = blake2b(f"{conversation.key}\n{group}".encode(), digest_size=16).hexdigest()
        now = self._clock()
        found = await self._store.write(lambda connection: self._add(connection, key, title, items, now))
        if found.beyond or any(item.ref in found.items for item in items):
            await self._show(found, alone, conversation, language)
        return found

    async def _show(self, found: Storm, alone: Card | None, conversation: Conversation, language: str) -> None:
        """Bring the card up to date. One task at a time does, and takes along what the others wait to show."""
        waiting, _ = self._waiting.get(found.subject, (None, None))
        if waiting is None or waiting.seq < found.seq:
            self._waiting[found.subject] = found, alone
        if found.subject in self._showing:
            return
        self._showing.add(found.subject)
        try:
            while latest := self._waiting.pop(found.subject, None):
                await self._put(*latest, conversation, language)
        finally:
            self._showing.discard(found.subject)
            self._waiting.pop(found.subject, None)

    async def _put(self, latest: Storm, alone: Card | None, conversation: Conversation, language: str) -> None:
        live = await self._delivery.live(latest.subject)
        single = alone if latest.total == 1 else None
        card = single or self._render(latest, live[0].language if live else language)
        for one in live:
            await self._delivery.edit(one.channel, one.reference, card, key=f"{latest.subject}:{latest.seq}")
        if not live:
            reference = await self._delivery.send(conversation, card, key=latest.subject)
            await self._delivery.attach(latest.subject, conversation, reference, language)

    def _add(self, connection: Connection, key: str, title: str, items: Sequence[Item], now: datetime) -> Storm:
        self._forget_old(connection, now)
        fresh = {"key": key, "title": title, "items": "{}", "beyond": 0, "seq": 0, "since": now, "last_at": now}
        connection.execute(self._new, fresh)
        here = storm.c.key == key
        found = _storm(connection.execute(select(storm).where(here).with_for_update()).mappings().one())
        if now - found.last_at > QUIET and not all(item.over for item in items):
            self._delivery.forget(connection, found.subject)
            found = _storm(fresh)
        for item in items:
            if not item.over or item.ref in found.items:
                found = _with(found, item, now)
        connection.execute(update(storm).where(here).values(_row(found)))
        return found

    def _forget_old(self, connection: Connection, now: datetime) -> None:
        for row in connection.execute(select(storm).where(storm.c.last_at < now - KEPT)).mappings().all():
            self._delivery.forget(connection, _storm(row).subject)
            connection.execute(delete(storm).where(storm.c.key == row["key"]))


def _with(before: Storm, item: Item, now: datetime) -> Storm:
    """The storm with one alert more."""
    if before.items.get(item.ref) == item:
        return before
    room = item.ref in before.items or len(before.items) < MOST
    return replace(
        before,
        items={**before.items, item.ref: item} if room else before.items,
        beyond=before.beyond + (0 if room else 1),
        seq=before.seq + 1,
        last_at=max(before.last_at, now),
    )


def _row(one: Storm) -> dict[str, Any]:
    plain: dict[str, Any] = {name: getattr(one, name) for name in ("title", "beyond", "seq", "since", "last_at")}
    return plain | {"items": ITEMS.dump_json(dict(one.items)).decode()}


def _storm(row: RowMapping | Mapping[str, Any]) -> Storm:
    plain = {name: row[name] for name in ("key", "title", "beyond", "seq", "since", "last_at")}
    return Storm(**plain, items=ITEMS.validate_json(str(row["items"])))
