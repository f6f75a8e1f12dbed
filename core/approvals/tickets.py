"""Tickets, and what happened to each. Every transition is one UPDATE whose WHERE clause names the state it leaves.

The clause also names the node, the digest of what was shown, and the deadline, so whoever changes no row was too late, had
seen something else, or was one of two. The event and the entry of the audit trail are written in the same transaction: the
trail tells of a transition if and only if it happened. The transitions themselves are in `core.approvals.course`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Index,
    Integer,
    RowMapping,
    String,
    Table,
    Text,
    UniqueConstraint,
    func,
    or_,
    select,
    update,
)

from core.approvals.course import Phase
from core.approvals.model import OPEN, REQUEST, Act, Flow, Match, Request, State, Ticket, TicketEvent
from core.audit import Audit
from core.errors import NotFound, Stale
from core.store import Store, metadata
from core.store.types import Moment

approval_ticket = Table(
    "approval_ticket",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("key", String(200), unique=True),
    Column("task_type", String(40), nullable=False),
    Column("requester", String(120), nullable=False),
    Column("request", Text, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("flow", String(16), nullable=False),
    Column("snapshot", Text, nullable=False),
    Column("level", Integer, nullable=False),
    Column("reason", String(8), nullable=False),
    Column("fact", String(120), nullable=False),
    Column("path", String(12), nullable=False),
    Column("state", String(20), nullable=False),
    Column("node", Integer, nullable=False),
    Column("votes", Integer, nullable=False, default=0),
    Column("since", Moment, nullable=False),
    Column("deadline", Moment, nullable=False),
    Column("wake", Moment, nullable=False),
    Column("escalated", Boolean, nullable=False, default=False),
    Column("reminded", Integer, nullable=False, default=0),
    Column("seq", Integer, nullable=False, default=1),
    Column("attended", Integer, nullable=False, default=0),
    Column("created_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
    Column("message", Text, nullable=False, default=""),
    Index("ix_approval_ticket_state", "state", "wake"),
    Index("ix_approval_ticket_requester", "requester"),
    sqlite_autoincrement=True,
)

approval_event = Table(
    "approval_event",
    metadata,
    Column("ticket", Integer, primary_key=True, autoincrement=False),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("at", Moment, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("actor", Text, nullable=False),
    Column("via", String(8), nullable=False),
    Column("from_state", String(20), nullable=False),
    Column("to_state", String(20), nullable=False),
    Column("node", Integer, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("comment", Text, nullable=False),
    Column("ballot", Text),
    UniqueConstraint("ticket", "ballot"),
    Index("ix_approval_event_actor", "kind", "actor", "at"),
)

NUMBERS = 9
"""Most digits of a ticket's number that are looked up."""


@dataclass(frozen=True, slots=True)
class TicketFilter:
    """Which tickets to list; what is empty filters nothing."""

    states: Sequence[State] = ()
    requester: str = ""
    task_type: str = ""
    limit: int = 100
    offset: int = 0


class Tickets:
    """The tables.

    Args:
        store: where they are.
        audit: the trail.
        clock: the present, with zone.
    """

    def __init__(self, store: Store, audit: Audit, *, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._audit = audit
        self._clock = clock
        self._new_ticket = store.insert_new(approval_ticket).returning(approval_ticket)
        self._new_event = store.insert_new(approval_event)

    async def open(
        self,
        request: Request,
        match: Match,
        phase: Phase,
        *,
        path: Literal["normal", "review"] = "normal",
        via: str = "system",
    ) -> Ticket:
        """Store a ticket; or return the one that this request's key has already."""
        now = self._clock()
        row = {
            "key": request.key or None,
            "task_type": request.task_type,
            "requester": request.requester,
            "request": REQUEST.dump_json(request).decode(),
            "digest": request.digest(),
            "flow": match.flow.id,
            "snapshot": match.flow.model_dump_json(),
            "level": match.level,
            "reason": match.reason,
            "fact": match.fact,
            "path": path,
            "state": phase.state,
            "node": phase.node,
            "since": now,
            "deadline": phase.deadline,
            "wake": phase.deadline,
            "created_at": now,
            "changed_at": now,
        }
        act = Act("opened", request.requester, via, details={"flow": match.flow.id, "level": str(match.level)})
        return await self._store.write(lambda connection: self._insert(connection, row, act))

    async def get(self, ticket_id: str) -> Ticket:
        """A ticket by its id, `T-12` or `12`.

        Raises:
            NotFound: there is none.
        """
        query = select(approval_ticket).where(approval_ticket.c.number == _number(ticket_id))
        row = await self._store.read(lambda connection: connection.execute(query).mappings().first())
        if row is None:
            raise NotFound(f"no ticket {ticket_id}", kind="ticket", name=ticket_id)
        return _ticket(row)

    async def events(self, ticket_id: str) -> tuple[TicketEvent, ...]:
        """What happened to a ticket, oldest first."""
        return (await self.histories([ticket_id]))[ticket_id]

    async def histories(self, ids: Sequence[str]) -> Mapping[str, tuple[TicketEvent, ...]]:
        """What happened to each of several tickets, oldest first, read at once."""
        query = select(approval_event).where(approval_event.c.ticket.in_(map(_number, ids)))
        query = query.order_by(approval_event.c.seq)
        found: dict[int, list[TicketEvent]] = {_number(id): [] for id in ids}
        for row in await self._store.read(lambda connection: connection.execute(query).mappings().all()):
            found[row["ticket"]].append(_event(row))
        return {id: tuple(found[_number(id)]) for id in ids}

    async def listed(self, wanted: TicketFilter) -> tuple[Ticket, ...]:
        """Tickets that match, the newest first."""
        query = select(approval_ticket).order_by(approval_ticket.c.number.desc())
        if wanted.states:
            query = query.where(approval_ticket.c.state.in_(wanted.states))
        if wanted.requester:
            query = query.where(approval_ticket.c.requester == wanted.requester)
        if wanted.task_type:
            query = query.where(approval_ticket.c.task_type == wanted.task_type)
        query = query.limit(wanted.limit).offset(wanted.offset)
        rows = await self._store.read(lambda connection: connection.execute(query).mappings().all())
        return tuple(_ticket(row) for row in rows)

    async def vote(self, seen: Ticket, act: Act, following: Phase) -> Ticket:
        """Count an approval; the one that makes the quorum begins the following phase, in the same transaction.

        Raises:
            Stale: the ticket is not where `seen` was any more, its time is up, or this person has voted at this node.
        """
        return await self._store.write(lambda connection: self._vote(connection, seen, act, following))

    async def move(self, seen: Ticket, act: Act, following: Phase, *, late: bool = False, **values: object) -> Ticket:
        """Leave the state in which the ticket was seen.

        Args:
            seen: the ticket as it was read.
            act: who does what.
            following: where it goes.
            late: whether its time has to be up, rather than not to be up yet.
            values: further columns to set.

        Raises:
            Stale: somebody else was first, or the time is up (or not yet).
        """
        return await self._store.write(
            lambda connection: self._move(connection, seen, act, following, late=late, values=values)
        )

    async def mark(self, seen: Ticket, act: Act | None, **values: object) -> bool:
        """Change something within the phase, e.g. `escalated`; False when the phase is over or it is so already."""
        unchanged = [approval_ticket.c[name] != value for name, value in values.items()]
        return await self._store.write(lambda connection: self._mark(connection, seen, act, values, unchanged))

    async def denied(self, ticket: Ticket, act: Act, why: str) -> None:
        """Record an attempt that was refused; the ticket stays as it is."""
        act = replace(act, kind="denied", details={"attempt": act.kind, "why": why})
        await self._store.write(lambda connection: self._note_denial(connection, ticket, act))

    async def due(self, limit: int = 500) -> tuple[Ticket, ...]:
        """Tickets that changed since anybody attended to them, or for which something is due by now."""
        changed = approval_ticket.c.attended < approval_ticket.c.seq
        ripe = approval_ticket.c.state.in_(OPEN) & (approval_ticket.c.wake <= self._clock())
        query = select(approval_ticket).where(or_(changed, ripe)).order_by(approval_ticket.c.wake).limit(limit)
        rows = await self._store.read(lambda connection: connection.execute(query).mappings().all())
        return tuple(_ticket(row) for row in rows)

    async def attended(self, seen: Ticket, wake: datetime) -> None:
        """Everything that follows from the ticket's present state was done; look again at `wake`."""
        done = update(approval_ticket).where(
            approval_ticket.c.number == _number(seen.id), approval_ticket.c.seq == seen.seq
        )
        await self._store.write(lambda connection: connection.execute(done, {"attended": seen.seq, "wake": wake}))

    async def count(self, kind: str, actor: str, since: datetime) -> int:
        """How often somebody did something lately."""
        acts = [approval_event.c.kind == kind, approval_event.c.actor == actor, approval_event.c.at > since]
        query = select(func.count()).select_from(approval_event).where(*acts)
        return await self._store.read(lambda connection: connection.scalar(query)) or 0

    def _insert(self, connection: Connection, row: dict[str, Any], act: Act) -> Ticket:
        made = connection.execute(self._new_ticket, row).mappings().first()
        if made is None:
            same = select(approval_ticket).where(approval_ticket.c.key == row["key"])
            return _ticket(connection.execute(same).mappings().one())
        ticket = _ticket(made)
        self._record(connection, ticket, ticket, act, before="")
        return ticket

    def _vote(self, connection: Connection, seen: Ticket, act: Act, following: Phase) -> Ticket:
        counted = self._claim(connection, seen, {"votes": approval_ticket.c.votes + 1}, late=False)
        complete = counted.votes >= seen.nodes[seen.node].need
        ticket = self._set(connection, counted, _begun(following, self._clock())) if complete else counted
        self._record(connection, seen, ticket, act, ballot=f"{seen.node}:{act.actor}")
        return ticket

    def _move(
        self, connection: Connection, seen: Ticket, act: Act, following: Phase, *, late: bool, values: dict[str, object]
    ) -> Ticket:
        ticket = self._claim(connection, seen, _begun(following, self._clock()) | values, late=late)
        self._record(connection, seen, ticket, act)
        return ticket

    def _mark(
        self,
        connection: Connection,
        seen: Ticket,
        act: Act | None,
        values: dict[str, object],
        unchanged: Sequence[ColumnElement[bool]],
    ) -> bool:
        try:
            ticket = self._claim(connection, seen, values, *unchanged, late=False, counts=act is not None)
        except Stale:
            return False
        if act is not None:
            self._record(connection, seen, ticket, act)
        return True

    def _note_denial(self, connection: Connection, ticket: Ticket, act: Act) -> None:
        here = approval_ticket.c.number == _number(ticket.id)
        counted = update(approval_ticket).where(here).values(seq=approval_ticket.c.seq + 1).returning(approval_ticket)
        now = _ticket(connection.execute(counted).mappings().one())
        self._record(connection, now, now, act)

    def _claim(
        self,
        connection: Connection,
        seen: Ticket,
        values: Mapping[str, object],
        *conditions: ColumnElement[bool],
        late: bool,
        counts: bool = True,
    ) -> Ticket:
        """The one way a ticket changes: from exactly what was seen, before its deadline (or after it, if `late`)."""
        column, now = approval_ticket.c, self._clock()
        change = (
            update(approval_ticket)
            .where(column.number == _number(seen.id), column.state == seen.state, column.node == seen.node)
            .where(column.digest == seen.digest, column.deadline <= now if late else column.deadline > now, *conditions)
            .values(**values, seq=column.seq + int(counts), changed_at=now)
            .returning(approval_ticket)
        )
        row = connection.execute(change).mappings().first()
        if row is None:
            raise Stale(f"{seen.id} is not {seen.state} at node {seen.node} any more", ticket=seen.id, state=seen.state)
        return _ticket(row)

    def _set(self, connection: Connection, ticket: Ticket, values: Mapping[str, object]) -> Ticket:
        """A further change in the transaction that has claimed the row."""
        here = approval_ticket.c.number == _number(ticket.id)
        change = update(approval_ticket).where(here).values(**values).returning(approval_ticket)
        return _ticket(connection.execute(change).mappings().one())

    def _record(
        self,
        connection: Connection,
        before_change: Ticket,
        ticket: Ticket,
        act: Act,
        *,
        before: str | None = None,
        ballot: str = "",
    ) -> None:
        from_state = before_change.state if before is None else before
        row = {
            "ticket": _number(ticket.id),
            "seq": ticket.seq,
            "at": self._clock(),
            "kind": act.kind,
            "actor": act.actor,
            "via": act.via,
            "from_state": from_state,
            "to_state": ticket.state,
            "node": before_change.node,
            "digest": ticket.digest,
            "comment": act.comment,
            "ballot": ballot or None,
        }
        if connection.execute(self._new_event, row).rowcount == 0:  # the same person at the same node
            raise Stale(f"{act.actor} has voted on {ticket.id}", ticket=ticket.id, state=ticket.state)
        details = {"digest": ticket.digest, "node": str(before_change.node), "via": act.via, "from": from_state}
        if act.comment:
            details["comment"] = act.comment
        self._audit.entry(
            connection,
            actor=act.actor,
            action=f"ticket.{act.kind}",
            target=ticket.id,
            outcome="denied" if act.kind == "denied" else ticket.state,
            details=details | dict(act.details or {}),
        )


def _begun(phase: Phase, now: datetime) -> dict[str, object]:
    """The columns of a phase that begins."""
    return {
        "state": phase.state,
        "node": phase.node,
        "deadline": phase.deadline,
        "since": now,
        "votes": 0,
        "escalated": False,
        "reminded": 0,
    }


def _number(ticket_id: str) -> int:
    """The number in `T-12`, `t-12` or `12`; 0, which no ticket has, for anything else."""
    digits = ticket_id.strip().upper().removeprefix("T-")
    return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) <= NUMBERS else 0


def _ticket(row: RowMapping) -> Ticket:
    match = Match(Flow.model_validate_json(row["snapshot"]), row["level"], row["reason"], row["fact"])
    names = ("digest", "state", "node", "votes", "since", "deadline", "wake", "escalated", "reminded", "path", "seq")
    plain = {name: row[name] for name in (*names, "created_at", "changed_at", "message")}
    return Ticket(id=f"T-{row['number']}", request=REQUEST.validate_json(row["request"]), match=match, **plain)


def _event(row: RowMapping) -> TicketEvent:
    names = ("seq", "at", "kind", "actor", "via", "from_state", "to_state", "node", "comment")
    return TicketEvent(**{name: row[name] for name in names})


def open_on(connection: Connection, flow_ids: Sequence[str]) -> tuple[str, ...]:
    """Ids of the flows among these on which tickets are still under way, within the caller's transaction."""
    used = select(approval_ticket.c.flow).where(approval_ticket.c.flow.in_(flow_ids), approval_ticket.c.state.in_(OPEN))
    return tuple(connection.scalars(used.distinct()))
