"""Changes that wait for a person: stored, decided once, and moved only by compare-and-set.

    open ──▶ awaiting ──▶ confirmed ──▶ executing ──▶ following ──▶ succeeded | failed
      │          │            │             ├──▶ refused
      │          │            │             └──▶ unknown ──▶ following | failed | lost
      │          │            └──▶ refused | void
      │          └──▶ rejected | refused
      └──▶ cancelled | expired | void

`awaiting` is a person's confirmation: of others' approval when there is a ticket, else of a moment only. Every arrow is one
UPDATE whose WHERE clause names the state it leaves; whoever changes no row was too late. An expiry is part of that clause,
so it holds even when no timer ran.

A batch goes from `confirmed` to `following` at once, and each of its entries becomes a proposal of its own with the batch
as its parent: `queued`, then `confirmed` when its turn comes, then as above.
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TypedDict, Unpack

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
    and_,
    insert,
    select,
    update,
)

from core.access import Person
from core.errors import NotFound, Stale
from core.messages import Conversation
from core.results import Member, Proposal
from core.schedulers.base import Instance, Operation
from core.store import Store, metadata
from core.store.types import Moment

VALID_FOR = timedelta(minutes=15)
"""How long a proposal may be confirmed. Short, since the card shows a state that goes stale."""

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""No 0/O, 1/I/L: an id can be read out on a phone call."""

UNFINISHED = ("confirmed", "executing", "following", "unknown")
GOING_ON = frozenset({"queued", *UNFINISHED})

INSTANCE: TypeAdapter[Instance] = TypeAdapter(Instance)
MEMBERS: TypeAdapter[tuple[Member, ...]] = TypeAdapter(tuple[Member, ...])
REFUSAL: TypeAdapter[dict[str, str]] = TypeAdapter(dict[str, str])

proposal = Table(
    "proposal",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("operation", String(32), nullable=False),
    Column("target", Text, nullable=False),
    Column("snapshot", Text, nullable=False),
    Column("affected", Integer, nullable=False),
    Column("start", String(10)),
    Column("end", String(10)),
    Column("requester", String(120), nullable=False),
    Column("conversation", String(300), nullable=False),
    Column("state", String(16), nullable=False),
    Column("decider", String(120), nullable=False, default=""),
    Column("run_number", Integer, nullable=False, default=0),
    Column("message", Text, nullable=False, default=""),
    Column("refusal", Text, nullable=False, default="", server_default=""),
    Column("ticket", String(64), nullable=False, default="", server_default=""),
    Column("parent", String(16), nullable=False, default="", server_default=""),
    Column("members", Text, nullable=False, default="[]", server_default="[]"),
    Column("effects", Text, nullable=False, default="", server_default=""),
    Column("total", Integer, nullable=False, default=0, server_default="0"),
    Column("found", Text, nullable=False, default="", server_default=""),
    Column("ordered_at", Moment),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
    Index("ix_proposal_state", "state", "changed_at"),
    Index("ix_proposal_parent", "parent"),
)

Also = Callable[[Connection], None]
"""What else is written with a change, if it takes place."""


class Changes(TypedDict, total=False):
    """Columns that may change together with the state."""

    message: str
    refusal: Mapping[str, str]
    ticket: str
    run_number: int
    members: tuple[Member, ...]
    found: Instance
    ordered_at: datetime


@dataclass(frozen=True, slots=True)
class Record:
    """A stored proposal with what only the execution needs.

    Attributes:
        shown: what people see.
        conversation: key of the one it was asked for in.
        run_number: the run the order started, once the platform took it.
        created_at: when it was proposed.
        ordered_at: when it was claimed by the one who gives the order; None before.
        parent: the batch it is an entry of; empty when it stands alone.
    """

    shown: Proposal
    conversation: str
    created_at: datetime
    run_number: int = 0
    ordered_at: datetime | None = None
    parent: str = ""


class Proposals:
    """The table of proposals.

    Args:
        store: where it is.
        clock: the present, with zone.
    """

    def __init__(self, store: Store, *, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock

    async def propose(
        self,
        person: Person,
        conversation: Conversation,
        operation: Operation,
        instance: Instance,
        *,
        start: date | None = None,
        end: date | None = None,
        members: tuple[Member, ...] = (),
        total: int = 0,
        effects: tuple[str, ...] = (),
    ) -> Proposal:
        """Store a proposal; or return the open one, when the same person asked for the same here already.

        The arguments are those of `core.results.Proposal`.
        """
        now = self._clock()
        row = _row(
            id=_new_id(),
            operation=operation.value,
            instance=instance,
            requester=person.name,
            conversation=conversation.key,
            state="open",
            now=now,
        ) | {
            "affected": _affected(operation, start, end, members),
            "start": start.isoformat() if start else None,
            "end": end.isoformat() if end else None,
            "members": MEMBERS.dump_json(members).decode(),
            "total": total,
            "effects": " ".join(effects),
        }
        found = await self._store.write(lambda connection: _find_or_insert(connection, row))
        return _record(found, ()).shown

    async def get(self, proposal_id: str) -> Record:
        """The proposal as it is stored; an open one past its end is shown as expired.

        Raises:
            NotFound: no such id.
        """
        record = await self._store.read(lambda connection: _read(connection, proposal_id))
        if record is None:
            raise NotFound(f"no proposal {proposal_id}", kind="proposal", name=proposal_id)
        if record.shown.state == "open" and record.shown.expires_at <= self._clock():
            return replace(record, shown=replace(record.shown, state="expired"))
        return record

    async def decide(
        self, proposal_id: str, state: str, decider: str, *, also: Also | None = None, **changes: Unpack[Changes]
    ) -> None:
        """Leave `open` for `awaiting`, `cancelled` or `void`, if nobody did before and the time is not up.

        Raises:
            Stale: it was decided already, or it expired.
        """
        if not await self._set(proposal_id, self._open(), {**changes, "state": state, "decider": decider}, also):
            record = await self.get(proposal_id)
            raise Stale(f"{proposal_id} is {record.shown.state}", proposal=proposal_id, state=record.shown.state)

    async def move(
        self,
        proposal_id: str,
        before: Sequence[str],
        state: str,
        *,
        also: Also | None = None,
        **changes: Unpack[Changes],
    ) -> bool:
        """Go from one of the states `before` to `state`; False when it was in none of them."""
        values = {"message": "", **changes, "state": state}
        return await self._set(proposal_id, proposal.c.state.in_(before), values, also)

    async def choose(self, proposal_id: str, members: tuple[Member, ...]) -> bool:
        """Say anew which of those downstream an open proposal bears on; False when it is not open any more."""
        affected = _affected(Operation.RERUN_DOWNSTREAM, None, None, members)
        return await self._set(proposal_id, self._open(), {"members": members, "affected": affected}, None)

    async def link(self, proposal_id: str, ticket: str) -> None:
        """Say which ticket decides about a proposal; whether it did already does not matter."""
        await self._set(proposal_id, proposal.c.ticket == "", {"ticket": ticket}, None)

    async def unfold(self, record: Record, *, also: Also | None = None) -> bool:
        """Let a confirmed batch begin: from `confirmed` to `following`, with its chosen entries `queued`, all at once."""
        shown = record.shown
        rows = [
            _row(
                id=f"{shown.id}-{number:02}",
                operation=shown.operation.value,
                instance=member.instance,
                requester=shown.requester,
                conversation=record.conversation,
                state="queued",
                now=self._clock(),
            )
            | {"decider": shown.decider, "ticket": shown.ticket, "parent": shown.id}
            for number, member in enumerate(shown.members, 1)
            if member.chosen
        ]

        def begin(connection: Connection) -> None:
            connection.execute(insert(proposal), rows)
            if also is not None:
                also(connection)

        return await self.move(shown.id, ("confirmed",), "following", also=begin)

    async def entries(self, batch: str) -> tuple[Record, ...]:
        """The entries of a batch that began, in their order."""
        query = select(proposal).where(proposal.c.parent == batch).order_by(proposal.c.id)
        rows = await self._store.read(lambda connection: connection.execute(query).mappings().all())
        return tuple(_record(row, ()) for row in rows)

    async def skip(self, batch: str) -> None:
        """Give up the entries of a batch that have not begun."""
        queued = and_(proposal.c.parent == batch, proposal.c.state == "queued")
        change = update(proposal).where(queued).values(state="skipped", changed_at=self._clock())
        await self._store.write(lambda connection: connection.execute(change))

    async def without_ticket(self) -> tuple[str, ...]:
        """Ids of those whose confirmation was interrupted before it was known whether they need a ticket."""
        query = select(proposal.c.id).where(proposal.c.state == "awaiting", proposal.c.ticket == "")
        return tuple(await self._store.read(lambda connection: connection.scalars(query).all()))

    async def touch(self, proposal_id: str) -> None:
        """Note that it is being looked after."""
        change = update(proposal).where(proposal.c.id == proposal_id).values(changed_at=self._clock())
        await self._store.write(lambda connection: connection.execute(change))

    async def unfinished(self, *, silent_since: datetime | None = None) -> tuple[str, ...]:
        """Ids of those confirmed and not yet ended, oldest first: what a sweep looks after.

        Args:
            silent_since: only those that neither changed nor were touched since.
        """
        query = select(proposal.c.id).where(proposal.c.state.in_(UNFINISHED)).order_by(proposal.c.changed_at).limit(500)
        if silent_since is not None:
            query = query.where(proposal.c.changed_at <= silent_since)
        return tuple(await self._store.read(lambda connection: connection.scalars(query).all()))

    def _open(self) -> ColumnElement[bool]:
        return and_(proposal.c.state == "open", proposal.c.expires_at > self._clock())

    async def _set(
        self, proposal_id: str, condition: ColumnElement[bool], values: Mapping[str, object], also: Also | None
    ) -> bool:
        change = update(proposal).where(proposal.c.id == proposal_id, condition)
        change = change.values(changed_at=self._clock(), **{name: _stored(value) for name, value in values.items()})

        def write(connection: Connection) -> bool:
            changed = connection.execute(change).rowcount == 1
            if changed and also is not None:
                also(connection)
            return changed

        return await self._store.write(write)


def _affected(operation: Operation, start: date | None, end: date | None, members: tuple[Member, ...]) -> int:
    """As `core.results.Proposal` counts."""
    if start is not None and end is not None:
        return (end - start).days + 1
    chosen = sum(member.chosen for member in members)
    return chosen + 1 if operation is Operation.RERUN_DOWNSTREAM or not members else chosen


def _new_id() -> str:
    return "P-" + "".join(secrets.choice(ALPHABET) for _ in range(6))


def _row(
    *, id: str, operation: str, instance: Instance, requester: str, conversation: str, state: str, now: datetime
) -> dict[str, object]:
    return {
        "id": id,
        "operation": operation,
        "target": instance.ref,
        "snapshot": _stored(instance),
        "affected": 1,
        "requester": requester,
        "conversation": conversation,
        "state": state,
        "created_at": now,
        "expires_at": now + VALID_FOR,
        "changed_at": now,
    }


def _stored(value: object) -> object:
    """A value as its column keeps it."""
    if isinstance(value, Instance):
        return INSTANCE.dump_json(value).decode()
    if isinstance(value, tuple):
        return MEMBERS.dump_json(value).decode()  # pyright: ignore[reportUnknownArgumentType]  # the only tuple of `Changes`
    if isinstance(value, Mapping):
        return REFUSAL.dump_json(dict(value)).decode()  # pyright: ignore[reportUnknownArgumentType]  # its only mapping
    return value


def _find_or_insert(connection: Connection, row: Mapping[str, object]) -> RowMapping:
    names = ("operation", "target", "requester", "conversation", "snapshot", "start", "end", "members")
    same = [proposal.c[name].is_not_distinct_from(row[name]) for name in names]
    open_still = and_(proposal.c.state == "open", proposal.c.expires_at > row["created_at"], *same)
    found = connection.execute(select(proposal).where(open_still)).mappings().first()
    if found is None:
        connection.execute(insert(proposal), row)
        found = connection.execute(select(proposal).where(proposal.c.id == row["id"])).mappings().one()
    return found


def _read(connection: Connection, proposal_id: str) -> Record | None:
    row = connection.execute(select(proposal).where(proposal.c.id == proposal_id)).mappings().first()
    if row is None:
        return None
    told = (proposal.c.id, proposal.c.state, proposal.c.message, proposal.c.refusal)
    begun = select(*told).where(proposal.c.parent == proposal_id)
    return _record(row, connection.execute(begun).mappings().all())


def _refusal(row: RowMapping) -> Mapping[str, str]:
    return REFUSAL.validate_json(row["refusal"]) if row["refusal"] else {}


def _become(member: Member, entry: RowMapping) -> Member:
    """A member of a batch with what has become of its entry."""
    return replace(member, state=entry["state"], message=entry["message"], refusal=_refusal(entry))


def _record(row: RowMapping, entries: Sequence[RowMapping]) -> Record:
    """A row, with what has become of its entries when it is a batch that began."""
    operation, members = Operation(row["operation"]), MEMBERS.validate_json(row["members"])
    states = {int(entry["id"].rpartition("-")[2]): entry for entry in entries}
    shown = Proposal(
        id=row["id"],
        operation=operation,
        instance=INSTANCE.validate_json(row["snapshot"]),
        state=row["state"],
        requester=row["requester"],
        expires_at=row["expires_at"],
        decider=row["decider"],
        affected=row["affected"],
        message=row["message"],
        refusal=_refusal(row),
        ticket=row["ticket"],
        effects=tuple(row["effects"].split()),
        start=date.fromisoformat(row["start"]) if row["start"] else None,
        end=date.fromisoformat(row["end"]) if row["end"] else None,
        members=tuple(
            _become(member, states[number]) if number in states else member for number, member in enumerate(members, 1)
        ),
        batch=bool(members) and operation is not Operation.RERUN_DOWNSTREAM,
        total=row["total"],
        found=INSTANCE.validate_json(row["found"]) if row["found"] else None,
    )
    return Record(shown, row["conversation"], row["created_at"], row["run_number"], row["ordered_at"], row["parent"])
