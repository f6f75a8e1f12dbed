"""The table of promises. A row moves only from exactly what was seen of it (`seq`), so that of two replicas one acts.

`told` is the last change that people were shown. A row with `told < seq` is to be told, whoever changed it and whichever
process died before it said so; telling twice is harmless, since each change has one key.
"""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Index,
    Integer,
    RowMapping,
    String,
    Table,
    Text,
    delete,
    func,
    select,
    update,
)

from core.audit import Audit
from core.errors import Busy, NotFound, Stale
from core.messages import Conversation
from core.proposals import ALPHABET
from core.store import Store, metadata
from core.store.types import Moment
from core.watches.model import Kind, Memory, Watch

KEPT = timedelta(days=14)
"""How long one that ended can still be looked up."""

CONVERSATION: TypeAdapter[Conversation] = TypeAdapter(Conversation)
MEMORY: TypeAdapter[Memory] = TypeAdapter(Memory)

watch = Table(
    "watch",
    metadata,
    Column("id", String(12), primary_key=True),
    Column("key", String(600), unique=True),
    Column("kind", String(8), nullable=False),
    Column("person", String(120), nullable=False),
    Column("conversation", Text, nullable=False),
    Column("subject", String(400), nullable=False),
    Column("name", Text, nullable=False),
    Column("state", String(12), nullable=False),
    Column("next_at", Moment, nullable=False),
    Column("until", Moment),
    Column("memory", Text, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("told", Integer, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
    Index("ix_watch_state", "state", "kind", "subject"),
    Index("ix_watch_person", "person", "state"),
)
"""`key` keeps one promise from being made twice; it is empty once that is over."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A promise to be made. `key` says which others would be the same one."""

    kind: Kind
    key: str
    person: str
    conversation: Conversation
    subject: str
    name: str
    next_at: datetime
    until: datetime | None = None
    memory: Memory = field(default_factory=Memory)


class Watches:
    """The table.

    Args:
        store: where it is.
        audit: the trail; who muted what, and who took what on, stands there.
        clock: the present, with zone.
        most: promises that a person may have.
    """

    def __init__(self, store: Store, audit: Audit, *, clock: Callable[[], datetime], most: int) -> None:
        self._store = store
        self._audit = audit
        self._clock = clock
        self._most = most
        self._new = store.insert_new(watch).returning(watch)

    async def make(self, wish: Wish) -> Watch:
        """Make a promise, or give the one there is for this key.

        Raises:
            Busy: the person has as many as they may.
        """
        return await self._store.write(lambda connection: self._make(connection, wish))

    async def get(self, watch_id: str) -> Watch:
        """A promise by its id, whatever its case.

        Raises:
            NotFound: there is none.
        """
        found = await self._found(watch.c.id == watch_id.strip().upper())
        if not found:
            raise NotFound(f"no watch {watch_id}", kind="watch", name=watch_id)
        return found[0]

    async def going_on(
        self, *, person: str = "", kind: Kind | None = None, subjects: Sequence[str] = ()
    ) -> list[Watch]:
        """Promises that are not over: all, a person's, of a kind, about some subjects; the oldest first."""
        conditions = [watch.c.state != "ended"]
        conditions += [watch.c.person == person] if person else []
        conditions += [watch.c.kind == kind] if kind else []
        conditions += [watch.c.subject.in_(subjects)] if subjects else []
        return await self._found(*conditions)

    async def move(self, seen: Watch, after: Watch, *, aloud: bool, by: str = "") -> Watch:
        """Change a promise from exactly what was seen.

        Args:
            seen: as it was read.
            after: as it shall be; its `seq` is not looked at.
            aloud: whether people shall hear of it.
            by: the person who changes it; it then stands in the trail.

        Raises:
            Stale: it was changed meanwhile.
        """
        return await self._store.write(lambda connection: self._move(connection, seen, after, aloud=aloud, by=by))

    async def untold(self) -> list[Watch]:
        """Promises whose latest change was not told yet."""
        return await self._found(watch.c.told < watch.c.seq)

    async def told(self, seen: Watch) -> None:
        """People were shown the promise as it was seen."""
        done = update(watch).where(watch.c.id == seen.id, watch.c.told < seen.seq).values(told=seen.seq)
        await self._store.write(lambda connection: connection.execute(done))

    async def forget_old(self) -> None:
        """Forget those that ended long ago."""
        old = delete(watch).where(watch.c.state == "ended", watch.c.changed_at < self._clock() - KEPT)
        await self._store.write(lambda connection: connection.execute(old))

    async def _found(self, *conditions: ColumnElement[bool]) -> list[Watch]:
        query = select(watch).where(*conditions).order_by(watch.c.created_at, watch.c.id)
        rows = await self._store.read(lambda connection: connection.execute(query).mappings().all())
        return [_watch(row) for row in rows]

    def _make(self, connection: Connection, wish: Wish) -> Watch:
        same = connection.execute(select(watch).where(watch.c.key == wish.key)).mappings().first()
        if same is not None:
            return _watch(same)
        theirs = select(func.count()).where(watch.c.person == wish.person, watch.c.state != "ended")
        if (connection.scalar(theirs) or 0) >= self._most:
            raise Busy(f"{wish.person} has {self._most} promises already")
        made = connection.execute(self._new, self._row(wish)).mappings().first()
        if made is None:  # another replica was first
            return self._make(connection, wish)
        self._note(connection, made, wish.person, "made")
        return _watch(made)

    def _row(self, wish: Wish) -> dict[str, Any]:
        now = self._clock()
        return {
            "id": "W-" + "".join(secrets.choice(ALPHABET) for _ in range(6)),
            "key": wish.key,
            "kind": wish.kind,
            "person": wish.person,
            "conversation": CONVERSATION.dump_json(wish.conversation).decode(),
            "subject": wish.subject,
            "name": wish.name,
            "state": "open",
            "next_at": wish.next_at,
            "until": wish.until,
            "memory": MEMORY.dump_json(wish.memory).decode(),
            "seq": 1,
            "told": 1,
            "created_at": now,
            "changed_at": now,
        }

    def _move(self, connection: Connection, seen: Watch, after: Watch, *, aloud: bool, by: str) -> Watch:
        values: dict[str, Any] = {
            "state": after.state,
            "person": after.person,
            "conversation": CONVERSATION.dump_json(after.conversation).decode(),
            "next_at": after.next_at,
            "until": after.until,
            "memory": MEMORY.dump_json(after.memory).decode(),
            "seq": seen.seq + 1,
            "changed_at": self._clock(),
        }
        values |= {"key": None} if after.over else {}
        values |= {} if aloud else {"told": watch.c.told + 1}
        change = update(watch).where(watch.c.id == seen.id, watch.c.seq == seen.seq).values(**values).returning(watch)
        row = connection.execute(change).mappings().first()
        if row is None:
            raise Stale(f"{seen.id} is not at {seen.seq} any more")
        if by or (after.over and seen.kind == "mute"):
            self._note(connection, row, by or "system", after.state)
        return _watch(row)

    def _note(self, connection: Connection, row: RowMapping, actor: str, outcome: str) -> None:
        details = {"subject": row["subject"], "until": str(row["until"] or "")}
        action = f"watch.{row['kind']}"
        self._audit.entry(connection, actor=actor, action=action, target=row["id"], outcome=outcome, details=details)


def _watch(row: RowMapping) -> Watch:
    plain = {
        name: row[name]
        for name in ("id", "kind", "person", "subject", "name", "state", "next_at", "until", "seq", "created_at")
    }
    memory, conversation = MEMORY.validate_json(row["memory"]), CONVERSATION.validate_json(row["conversation"])
    return Watch(**plain, conversation=conversation, memory=memory)
