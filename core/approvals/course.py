"""The way of a ticket as pure functions: what comes after a node, when the next thing is due.

approving(0) ─▶ approving(1) … ─▶ [waiting] ─▶ executing ─▶ succeeded | failed | unknown
     │                                │            └──▶ execution_expired
     ├──▶ rejected | approval_expired ├──▶ wait_expired
     └──────── withdrawn | cancelled ─┘
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from core.approvals.model import AUTO, LONGEST, Flow, Node, Request, State, Ticket

REMINDERS = (50, 90)
"""Percent of a node's time after which its candidates are reminded."""

BREAK_GLASS = timedelta(hours=1)
"""An order of an emergency is carried out within this time, or not at all."""

EXPIRED: dict[State, State] = {
    "approving": "approval_expired",
    "waiting": "wait_expired",
    "executing": "execution_expired",
    "unknown": "execution_expired",
}
"""What a state becomes at its deadline."""


@dataclass(frozen=True, slots=True)
class Phase:
    """Where a ticket is, and until when it may stay."""

    state: State
    node: int
    deadline: datetime


def phase_from(
    node: int, nodes: tuple[Node, ...], flow: Flow, request: Request, *, review: bool, born: datetime, now: datetime
) -> Phase:
    """What begins now when every node before `node` has approved; nodes that approve by themselves are passed.

    Args:
        node: the first that has not approved.
        nodes: of the ticket's level.
        flow: for its validities.
        request: for its strategy.
        review: whether the ticket only judges what was done already.
        born: when the ticket was opened.
        now: the present.
    """
    while node < len(nodes) and nodes[node].approver == AUTO:
        node += 1
    validity = flow.validity
    if node < len(nodes):
        ends = [now + timedelta(minutes=validity.approval_minutes), born + LONGEST]
        if request.execute_at is not None:  # an approval after the time it is meant for would start it unexpectedly
            ends.append(request.execute_at)
        return Phase("approving", node, min(ends))
    if review:
        return Phase("succeeded", node, now)
    if request.strategy == "automatic":
        return Phase("executing", node, now + timedelta(minutes=validity.execution_minutes))
    return Phase("waiting", node, now + timedelta(minutes=validity.waiting_minutes))


def executing(ticket: Ticket, now: datetime) -> Phase:
    """The phase in which a ticket is carried out, beginning now."""
    return Phase("executing", ticket.node, now + timedelta(minutes=ticket.match.flow.validity.execution_minutes))


def ended(ticket: Ticket, state: State, now: datetime) -> Phase:
    """A last state; or `unknown`, which a person has to end within a month."""
    return Phase(state, ticket.node, now + (LONGEST if state == "unknown" else timedelta()))


def escalation_percent(flow: Flow, level: int) -> int | None:
    """After what part of a node's time others are asked as well; None for never."""
    return flow.escalate_percent or (50 if level >= 3 else None)


def distinct(flow: Flow, level: int) -> bool:
    """Whether each node needs another person."""
    return level >= 3 if flow.distinct_approvers is None else flow.distinct_approvers


def elapsed(ticket: Ticket, percent: int) -> datetime:
    """When this part of the present phase is over."""
    return ticket.since + (ticket.deadline - ticket.since) * percent / 100


def marks_passed(ticket: Ticket, now: datetime) -> int:
    """How many reminders are due by now."""
    return sum(elapsed(ticket, percent) <= now for percent in REMINDERS)


def escalates(ticket: Ticket, now: datetime) -> bool:
    """Whether the time to ask others as well has come."""
    percent = escalation_percent(ticket.match.flow, ticket.match.level)
    due = percent is not None and elapsed(ticket, percent) <= now
    return due and ticket.state == "approving" and not ticket.escalated


def next_due(ticket: Ticket, now: datetime) -> datetime:
    """The next moment at which something happens to this ticket by itself."""
    moments = [ticket.deadline]
    if ticket.state == "approving":
        percents = [*REMINDERS, escalation_percent(ticket.match.flow, ticket.match.level) or 100]
        moments += [elapsed(ticket, percent) for percent in percents]
    if ticket.state == "waiting" and ticket.request.execute_at is not None:
        moments.append(ticket.request.execute_at)
    return min((moment for moment in moments if moment > now), default=ticket.deadline)
