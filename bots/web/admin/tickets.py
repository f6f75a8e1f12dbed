"""Tickets on the page: what waits for somebody, what they asked for, and for administrators everything.

One ticket's page is where a card leads that cannot ask for a reason. Its forms hold which node and which payload were
shown, so a decision is void when that has changed since.
"""

from collections.abc import Sequence
from typing import get_args

from aiohttp import web

from bots.web.admin.desk import LISTED, Desk, Visitor, fields, turned
from bots.web.admin.forms import Problems
from bots.web.admin.wording import sentence_of
from core.approvals.model import Saying, State, Ticket, TicketView
from core.approvals.service import Approvals
from core.approvals.tickets import TicketFilter
from core.errors import BadInput, Stale
from core.views import show

STATES: tuple[State, ...] = get_args(State)
TICKET = r"/tickets/{ticket:T-[0-9]{1,9}}"
OUTCOMES: dict[str, State] = {"succeeded": "succeeded", "failed": "failed"}
DECISIONS = "approve|reject|withdraw|execute|report|break_glass"


class TicketPages:
    """Everything under `/admin/tickets`.

    Args:
        desk: admits and draws.
        approvals: the service that chat and REST use.
    """

    def __init__(self, desk: Desk, approvals: Approvals) -> None:
        self._desk = desk
        self._approvals = approvals

    def routes(self) -> Sequence[web.RouteDef]:
        """The table."""
        return (
            web.get("/tickets", self.listed),
            web.get(TICKET, self.show),
            web.post(f"{TICKET}/{{word:{DECISIONS}}}", self.decide),
        )

    async def listed(self, request: web.Request) -> web.Response:
        """Tickets, the newest first: those that wait for the reader, those they asked for, or all."""
        visitor = await self._desk.reader(request, "tickets")
        lists = ("pending", "mine", "all") if visitor.person.has("admin") else ("pending", "mine")
        chosen = next((name for name in lists if name == request.query.get("list")), lists[0])
        offset = int(found) if (found := request.query.get("offset", "")).isdecimal() and len(found) <= 9 else 0
        wanted = _filter(request, visitor, chosen, offset)
        tickets = await self._found(visitor, chosen, wanted)
        return self._desk.page(
            visitor,
            request,
            "admin/tickets.html",
            lists=lists,
            chosen=chosen,
            tickets=tickets[:LISTED],
            wanted=wanted,
            states=STATES,
            types=self._approvals.flows.types,
            newer=turned(request, offset - LISTED) if offset else "",
            older=turned(request, offset + LISTED) if len(tickets) > LISTED else "",
        )

    async def show(self, request: web.Request) -> web.Response:
        """One ticket: what exactly is asked for, how far it is, what happened to it, and what the reader may do."""
        visitor = await self._desk.reader(request, "tickets")
        view = await self._approvals.view(visitor.person, request.match_info["ticket"])
        card = show(view, visitor.words, self._desk.zone, visitor.person)
        values: dict[str, object] = {"view": view, "card": card, "offered": _offered(view, visitor), "given": {}}
        return self._desk.page(visitor, request, "admin/ticket.html", **values)

    async def decide(self, request: web.Request) -> web.Response:
        """Do what a form of the ticket's page says; what came too late leads to the ticket as it is now."""
        visitor = await self._desk.writer(request, "tickets")
        ticket_id, word, form = request.match_info["ticket"], request.match_info["word"], await fields(request)
        said = Saying(
            visitor.person,
            ticket_id,
            "page",
            form.get("comment", ""),
            int(node) if (node := form.get("node", "")).isdecimal() else None,
            form.get("digest", ""),
        )
        try:
            await self._do(said, word, form.get("incident", ""), form.get("outcome", ""))
        except Stale:
            return self._desk.go(f"/tickets/{ticket_id}?done=late")
        except BadInput as error:
            found: Problems = {error.details.get("argument", ""): sentence_of(error, visitor.words)}
            view = await self._approvals.view(visitor.person, ticket_id)
            values = {"view": view, "word": word, "given": dict(form), "problems": found}
            return self._desk.form(visitor, "admin/ticket_form.html", **values)
        return self._desk.go(f"/tickets/{ticket_id}?done={word}")

    async def _do(self, said: Saying, word: str, incident: str, outcome: str) -> Ticket:
        if word == "break_glass":
            return await self._approvals.break_glass(said, incident)
        if word == "report":
            if outcome not in OUTCOMES:
                raise BadInput("an outcome is succeeded or failed", argument="outcome")
            return await self._approvals.report(said, OUTCOMES[outcome])
        decisions = {
            "approve": self._approvals.approve,
            "reject": self._approvals.reject,
            "withdraw": self._approvals.withdraw,
            "execute": self._approvals.execute_now,
        }
        return await decisions[word](said)

    async def _found(self, visitor: Visitor, chosen: str, wanted: TicketFilter) -> Sequence[Ticket]:
        """One more than is shown, where there are more."""
        if chosen == "pending":
            waiting = await self._approvals.pending(visitor.person)
            return waiting[wanted.offset : wanted.offset + wanted.limit]
        return await self._approvals.listed(visitor.person, wanted)


def _filter(request: web.Request, visitor: Visitor, chosen: str, offset: int) -> TicketFilter:
    requester = visitor.person.name if chosen == "mine" else request.query.get("requester", "").strip()
    state: tuple[State, ...] = tuple(one for one in STATES if one == request.query.get("state"))
    return TicketFilter(state, requester, request.query.get("task_type", ""), LISTED + 1, offset)


def _offered(view: TicketView, visitor: Visitor) -> list[str]:
    """What the reader is offered; the service decides again when they do it."""
    ticket, offered = view.ticket, list[str]()
    if view.decide:
        offered += ["approve", "reject"]
    if view.steward and ticket.state == "waiting" and ticket.request.strategy == "manual":
        offered.append("execute")
    if view.steward and (ticket.state == "unknown" or (view.by_hand and ticket.state == "executing")):
        offered.append("report")
    if view.steward and ticket.state in {"approving", "waiting"}:
        offered.append("withdraw")
    emergency = ticket.match.flow.break_glass and ticket.path == "normal" and ticket.state == "approving"
    if emergency and visitor.person.break_glass:
        offered.append("break_glass")
    return offered
