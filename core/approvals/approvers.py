"""Who an approver expression means, at the moment it is asked: rights that were taken away since are gone."""

from core.access import RANK, Access, Person
from core.approvals.course import distinct
from core.approvals.model import AUTO, Flow, Request, Ticket, TicketEvent, approver_role


def holders(access: Access, approver: str, request: Request) -> tuple[Person, ...]:
    """Everyone an expression such as `ops_admin@project` or `group:dba` means for a request."""
    kind, _, name = approver.partition(":")
    if kind == AUTO:
        return ()
    if kind == "user":
        person = access.named(name)
        return (person,) if person is not None else ()
    if kind == "group":
        return access.group(name)
    role, place = approver_role(approver)
    if place == "org":
        return access.holders(role)
    return tuple(person for person in access.holders(role) if person.covers(request.scheduler, request.project))


def candidates(access: Access, ticket: Ticket, events: tuple[TicketEvent, ...]) -> tuple[Person, ...]:
    """Everyone who may approve or reject the node that is asked now."""
    if ticket.state != "approving":
        return ()
    asked = [ticket.nodes[ticket.node].approver]
    asked += [ticket.match.flow.escalate_to] if ticket.escalated else []
    found = {person.name: person for each in asked for person in holders(access, each, ticket.request)}
    out = excluded(ticket, events)
    return tuple(person for name, person in found.items() if name not in out and RANK[person.role] > 0)


def excluded(ticket: Ticket, events: tuple[TicketEvent, ...]) -> frozenset[str]:
    """Who may not decide now, whatever their role: who asked, who voted here already, and elsewhere if nodes need others."""
    flow, level = ticket.match.flow, ticket.match.level
    apart = distinct(flow, level)
    voted = {event.actor for event in events if event.kind == "approve" and (apart or event.node == ticket.node)}
    permitted = flow.self_approval and level == 1 and ticket.path == "normal"
    return frozenset(voted if permitted else {*voted, ticket.request.requester, *ticket.request.involved})


def unmanned(access: Access, flow: Flow) -> tuple[str, ...]:
    """Approver expressions of a flow that nobody answers to, in the widest scope: worth a warning, since people come later."""
    asked = {node.approver for level in flow.levels for node in level.nodes if node.approver != AUTO}
    return tuple(sorted(approver for approver in {*asked, flow.escalate_to} if not _anybody(access, approver)))


def _anybody(access: Access, approver: str) -> bool:
    if approver.endswith("@project"):
        return bool(access.holders(approver_role(approver)[0]))
    return bool(holders(access, approver, Request("", "", "")))
