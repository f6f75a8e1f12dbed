"""Changes that wait for a person: stored, decided once, and moved only by compare-and-set.

    open ──▶ awaiting ──▶ confirmed ──▶ executing ──▶ following ──▶ succeeded | failed
      │          │                          ├──▶ refused
      │          └──▶ rejected | refused    └──▶ unknown ──▶ following | failed
      └──▶ cancelled | expired | void

`awaiting` is a person's confirmation: of others' approval when there is a ticket, else of a moment only.

Every arrow is one UPDATE whose WHERE clause names the state it leaves; whoever changes no row was too late. An expiry is
part of that clause, so it holds even when no timer ran.
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from pydantic import TypeAdapter
from sqlalchemy import Column, Connection, Index, Integer, RowMapping, String, Table, Text, and_, insert, select, update

from core.access import Person
from core.errors import NotFound, Stale
from core.messages import Conversation
from core.results import Proposal
from core.schedulers.base import Instance, Operation
from core.store import Store, metadata
from core.store.types import Moment

VALID_FOR = timedelta(minutes=15)
"""How long a proposal may be confirmed. Short, since the card shows a state that goes stale."""

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""No 0/O, 1/I/L: an id can be read out on a phone call."""

UNFINISHED = ("confirmed", "executing", "following", "unknown")

INSTANCE: TypeAdapter[Instance] = TypeAdapter(Instance)

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
    Column("ticket", String(64), nullable=False, default="", server_default=""),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
    Index("ix_proposal_state", "state", "changed_at"),
)


@dataclass(frozen=True, slots=True)
class Record:
    """A stored proposal with what only the execution needs.

    Attributes:
        shown: what people see.
        run_number: the run the order started, once the platform took it.
        created_at: when it was proposed.
    """

    shown: Proposal
    created_at: datetime
    run_number: int = 0
    start: date | None = None
    end: date | None = None


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
        affected: int = 1,
        start: date | None = None,
        end: date | None = None,
    ) -> Proposal:
        """Store a proposal; or return the open one, when the same person asked for the same here already."""
        now = self._clock()
        row = {
            "id": _new_id(),
            "operation": operation.value,
            "target": instance.ref,
            "snapshot": INSTANCE.dump_json(instance).decode(),
            "affected": affected,
            "start": start.isoformat() if start else None,
            "end": end.isoformat() if end else None,
            "requester": person.name,
            "conversation": conversation.key,
            "state": "open",
            "created_at": now,
            "expires_at": now + VALID_FOR,
            "changed_at": now,
        }
        found = await self._store.write(lambda connection: _find_or_insert(connection, row))
        return _record(found).shown

    async def get(self, proposal_id: str) -> Record:
        """The proposal as it is stored; an open one past its end is shown as expired.

        Raises:
            NotFound: no such id.
        """
        row = await self._store.read(
            lambda connection: (
                connection.execute(select(proposal).where(proposal.c.id == proposal_id)).mappings().first()
            )
        )
        if row is None:
            raise NotFound(f"no proposal {proposal_id}", kind="proposal", name=proposal_id)
        record = _record(row)
        if record.shown.state == "open" and record.shown.expires_at <= self._clock():
            return replace(record, shown=replace(record.shown, state="expired"))
        return record

    async def decide(self, proposal_id: str, state: str, decider: str, *, message: str = "") -> None:
        """Leave `open` for `awaiting`, `cancelled` or `void`, if nobody did before and the time is not up.

        Raises:
            Stale: it was decided already, or it expired.
        """
        now = self._clock()
        open_still = and_(proposal.c.state == "open", proposal.c.expires_at > now)
        if not await self._set(proposal_id, open_still, state=state, decider=decider, message=message):
            record = await self.get(proposal_id)
            raise Stale(f"{proposal_id} is {record.shown.state}", proposal=proposal_id, state=record.shown.state)

    async def move(
        self, proposal_id: str, before: Sequence[str], state: str, *, run_number: int | None = None, message: str = ""
    ) -> bool:
        """Go from one of the states `before` to `state`; False when it was in none of them."""
        values = {} if run_number is None else {"run_number": run_number}
        return await self._set(proposal_id, proposal.c.state.in_(before), state=state, message=message, **values)

    async def link(self, proposal_id: str, ticket: str) -> None:
        """Say which ticket decides about a proposal; whether it did already does not matter."""
        await self._set(proposal_id, proposal.c.ticket == "", ticket=ticket)

    async def without_ticket(self) -> tuple[str, ...]:
        """Ids of those whose confirmation was interrupted before it was known whether they need a ticket."""
        query = select(proposal.c.id).where(proposal.c.state == "awaiting", proposal.c.ticket == "")
        return tuple(await self._store.read(lambda connection: connection.scalars(query).all()))

    async def unfinished(self) -> tuple[str, ...]:
        """Ids of those confirmed and not yet ended, oldest first: what a sweep looks after."""
        query = select(proposal.c.id).where(proposal.c.state.in_(UNFINISHED)).order_by(proposal.c.changed_at).limit(500)
        return tuple(await self._store.read(lambda connection: connection.scalars(query).all()))

    async def _set(self, proposal_id: str, condition: object, **values: object) -> bool:
        change = update(proposal).where(proposal.c.id == proposal_id, condition)  # pyright: ignore[reportArgumentType]
        change = change.values(changed_at=self._clock(), **values)
        return await self._store.write(lambda connection: connection.execute(change).rowcount == 1)


def _new_id() -> str:
    return "P-" + "".join(secrets.choice(ALPHABET) for _ in range(6))


def _find_or_insert(connection: Connection, row: Mapping[str, object]) -> RowMapping:
    same = [proposal.c[name] == row[name] for name in ("operation", "target", "requester", "conversation", "snapshot")]
    open_still = and_(proposal.c.state == "open", proposal.c.expires_at > row["created_at"], *same)
    found = connection.execute(select(proposal).where(open_still)).mappings().first()
    if found is None:
        connection.execute(insert(proposal), row)
        found = connection.execute(select(proposal).where(proposal.c.id == row["id"])).mappings().one()
    return found


def _record(row: RowMapping) -> Record:
    shown = Proposal(
        id=row["id"],
        operation=Operation(row["operation"]),
        instance=INSTANCE.validate_json(row["snapshot"]),
        state=row["state"],
        requester=row["requester"],
        expires_at=row["expires_at"],
        decider=row["decider"],
        affected=row["affected"],
        message=row["message"],
        ticket=row["ticket"],
    )
    return Record(
        shown,
        row["created_at"],
        row["run_number"],
        date.fromisoformat(row["start"]) if row["start"] else None,
        date.fromisoformat(row["end"]) if row["end"] else None,
    )
