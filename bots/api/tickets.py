"""Tickets over REST: a token or a session stands for a person, whose rights decide as they do in a chat."""

from collections.abc import Sequence
from http import HTTPStatus

from bots.api.endpoints import Call, Endpoint, Nothing
from bots.api.wire import Decision, Emergency, Report, TicketBody, TicketPage, TicketQuery, TicketWhole, entry, whole
from core.approvals.model import Request, Saying
from core.approvals.service import Approvals
from core.approvals.tickets import TicketFilter
from core.messages import Conversation

TICKET = {"ticket": r"^T-[1-9][0-9]{0,8}$"}


class TicketEndpoints:
    """Everything under `/tickets`."""

    def __init__(self, approvals: Approvals) -> None:
        self._approvals = approvals

    def all(self) -> Sequence[Endpoint]:
        """The table."""
        own = "/tickets/{ticket}"
        return (
            Endpoint("GET", "/tickets", self.listed, TicketPage, query=TicketQuery),
            Endpoint("POST", "/tickets", self.open, TicketWhole, TicketBody, status=HTTPStatus.CREATED),
            Endpoint("GET", own, self.show, TicketWhole, patterns=TICKET),
            Endpoint("POST", f"{own}/approve", self.approve, TicketWhole, Decision, patterns=TICKET),
            Endpoint("POST", f"{own}/reject", self.reject, TicketWhole, Decision, patterns=TICKET),
            Endpoint("POST", f"{own}/withdraw", self.withdraw, TicketWhole, Decision, patterns=TICKET),
            Endpoint("POST", f"{own}/execute", self.execute, TicketWhole, patterns=TICKET),
            Endpoint("POST", f"{own}/report", self.report, TicketWhole, Report, patterns=TICKET),
            Endpoint("POST", f"{own}/break-glass", self.break_glass, TicketWhole, Emergency, patterns=TICKET),
        )

    async def listed(self, call: Call[None, TicketQuery]) -> TicketPage:
        """List tickets, the newest first."""
        query = call.query
        if query.pending:
            tickets = (await self._approvals.pending(call.person))[query.offset : query.offset + query.limit]
        else:
            states = (query.state,) if query.state else ()
            wanted = TicketFilter(states, query.requester, query.task_type, query.limit, query.offset)
            tickets = await self._approvals.listed(call.person, wanted)
        return TicketPage(tickets=tuple(entry(ticket) for ticket in tickets))

    async def open(self, call: Call[TicketBody, Nothing]) -> TicketWhole:
        """Ask for a task that a person carries out once it is approved."""
        asked = call.body.model_dump()
        request = Request(**asked, requester=call.person.name, conversation=Conversation("web", call.person.name))
        ticket = await self._approvals.submit(call.person, request, via="api")
        return whole(await self._approvals.view(call.person, ticket.id))

    async def show(self, call: Call[None, Nothing]) -> TicketWhole:
        """Show a ticket with its history."""
        return whole(await self._approvals.view(call.person, call.path["ticket"]))

    async def approve(self, call: Call[Decision, Nothing]) -> TicketWhole:
        """Approve the node that is asked now."""
        await self._approvals.approve(_said(call))
        return await self._now(call)

    async def reject(self, call: Call[Decision, Nothing]) -> TicketWhole:
        """Reject a ticket, for good; needs a reason."""
        await self._approvals.reject(_said(call))
        return await self._now(call)

    async def withdraw(self, call: Call[Decision, Nothing]) -> TicketWhole:
        """Take a ticket back, or cancel it."""
        await self._approvals.withdraw(_said(call))
        return await self._now(call)

    async def execute(self, call: Call[None, Nothing]) -> TicketWhole:
        """Start what was approved and waits for a hand."""
        await self._approvals.execute_now(Saying(call.person, call.path["ticket"], "api"))
        return await self._now(call)

    async def report(self, call: Call[Report, Nothing]) -> TicketWhole:
        """Say how a task ended that a person carried out."""
        said = Saying(call.person, call.path["ticket"], "api", call.body.comment)
        await self._approvals.report(said, call.body.outcome)
        return await self._now(call)

    async def break_glass(self, call: Call[Emergency, Nothing]) -> TicketWhole:
        """Carry out at once in an emergency; it is reviewed afterwards."""
        said = Saying(call.person, call.path["ticket"], "api", call.body.comment)
        await self._approvals.break_glass(said, call.body.incident)
        return await self._now(call)

    async def _now(self, call: Call[object, Nothing]) -> TicketWhole:
        return whole(await self._approvals.view(call.person, call.path["ticket"]))


def _said(call: Call[Decision, Nothing]) -> Saying:
    words = call.body
    return Saying(call.person, call.path["ticket"], "api", words.comment, words.node, words.digest)
