"""Commands about tickets. A vote is a press or a typed line of a person, never something a model or an alert wrote."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from core.approvals.model import Saying, State, Ticket, TicketList, TicketView
from core.approvals.service import Approvals
from core.approvals.tickets import TicketFilter
from core.commands.table import Asked, Command
from core.errors import BadInput, Stale
from core.results import Result

OUTCOMES: Mapping[str, State] = {"succeeded": "succeeded", "failed": "failed"}
"""What a person may report."""


def approving(approvals: Approvals) -> Mapping[str, Command]:
    """The words of this area."""
    return _Approving(approvals).commands


class _Approving:
    def __init__(self, approvals: Approvals) -> None:
        self._approvals = approvals
        self.commands: Mapping[str, Command] = {
            "approve": Command(self._approve, ("ticket", "comment")),
            "reject": Command(self._reject, ("ticket", "comment")),
            "withdraw": Command(self._withdraw, ("ticket", "comment")),
            "execute": Command(self._execute, ("ticket",)),
            "report": Command(self._report, ("ticket", "outcome", "comment")),
            "break_glass": Command(self._break_glass, ("ticket", "incident", "comment")),
            "ticket": Command(self._ticket, ("ticket",)),
            "tickets": Command(self._mine),
            "pending": Command(self._pending),
        }

    async def _approve(self, asked: Asked) -> Result | None:
        try:
            return await self._said(asked, self._approvals.approve)
        except BadInput:
            if asked.arguments.get("comment", "").strip():
                raise
            return await self._ask(asked, "approve")

    async def _reject(self, asked: Asked) -> Result | None:
        if not asked.arguments.get("comment", "").strip():
            return await self._ask(asked, "reject")
        return await self._said(asked, self._approvals.reject)

    async def _withdraw(self, asked: Asked) -> Result | None:
        return await self._said(asked, self._approvals.withdraw)

    async def _execute(self, asked: Asked) -> Result | None:
        return await self._said(asked, self._approvals.execute_now)

    async def _report(self, asked: Asked) -> Result | None:
        word = asked.need("outcome")
        if word not in OUTCOMES:
            raise BadInput("an outcome is succeeded or failed", argument="outcome")
        return await self._said(asked, lambda said: self._approvals.report(said, OUTCOMES[word]))

    async def _break_glass(self, asked: Asked) -> Result | None:
        incident = asked.need("incident")
        return await self._said(asked, lambda said: self._approvals.break_glass(said, incident))

    async def _ticket(self, asked: Asked) -> Result:
        return await self._approvals.view(asked.person, asked.need("ticket"))

    async def _pending(self, asked: Asked) -> Result:
        return TicketList("pending", await self._approvals.pending(asked.person), self._approvals.now())

    async def _mine(self, asked: Asked) -> Result:
        tickets = await self._approvals.listed(asked.person, TicketFilter(requester=asked.person.name))
        return TicketList("mine", tickets, self._approvals.now())

    async def _said(self, asked: Asked, act: Callable[[Saying], Awaitable[Ticket]]) -> Result | None:
        """Do it. A pressed card is edited by what follows; a typed line, and one too late, is answered with the ticket."""
        node = asked.number("node") if "node" in asked.arguments else None
        saying = Saying(
            asked.person,
            asked.need("ticket"),
            "card" if asked.pressed else "command",
            asked.arguments.get("comment", ""),
            node,
            asked.arguments.get("digest", ""),
        )
        try:
            await act(saying)
        except Stale:
            return await self._approvals.view(asked.person, saying.ticket)
        return None if asked.pressed else await self._approvals.view(asked.person, saying.ticket)

    async def _ask(self, asked: Asked, word: str) -> Result:
        view: TicketView = await self._approvals.view(asked.person, asked.need("ticket"))
        if not view.decide:
            return view
        return replace(view, purpose="reject" if word == "reject" else "approve")
