"""Between operations and approvals: a confirmed proposal becomes a ticket, whose end reaches the proposal.

What was approved is the payload of the ticket. It is compared once more when the order is given, so that whatever changed in
between is not carried out.
"""

from contextlib import suppress

from core.access import Person
from core.approvals.model import Request, State, Ticket
from core.approvals.service import Approvals
from core.drift import fingerprint
from core.errors import NotFound, Refused, Stale
from core.execution import Execution
from core.proposals import Proposals, Record
from core.results import Proposal
from core.schedulers.base import Operation

RISKY = frozenset({Operation.SET_SUCCESS.value, Operation.KILL.value, Operation.BACKFILL.value})
"""Need approval also where nobody made a flow."""

EASY = frozenset(operation.value for operation in Operation) - RISKY
"""A confirmation is enough where nobody made a flow, unless there are very many instances."""

OUTCOMES: dict[str, State] = {
    "succeeded": "succeeded",
    "failed": "failed",
    "refused": "failed",
    "void": "failed",
    "lost": "failed",
    "rejected": "failed",
    "cancelled": "failed",
    "expired": "failed",
}
"""What the end of a proposal is for its ticket; any other state is still under way."""


class ApprovalGate:
    """Implements `core.execution.Gate`."""

    def __init__(self, approvals: Approvals) -> None:
        self._approvals = approvals

    async def ask(self, record: Record, person: Person) -> str:
        """A ticket for the proposal, the same one each time; empty when the confirmation is enough."""
        ticket = await self._approvals.open(request(record, person))
        return ticket.id if ticket is not None else ""

    async def permit(self, record: Record) -> None:
        """Refuse it in a freeze, and what is not what its ticket says. An entry of a batch was part of the whole."""
        for scheduler, project in _places(record.shown):
            place = Request(record.shown.operation.value, "", "", scheduler=scheduler, project=project)
            self._approvals.freezes.check(self._approvals.freezes.placed(place))
        if record.shown.ticket and not record.parent:
            ticket = await self._approvals.ticket(record.shown.ticket)
            if payload(record) != dict(ticket.request.payload):
                raise Refused("it is not what was approved", system="X-Ops")


class ProposalRunner:
    """Implements `core.approvals.attending.Runner` for the operations."""

    def __init__(self, execution: Execution, proposals: Proposals) -> None:
        self._execution = execution
        self._proposals = proposals

    async def start(self, ticket: Ticket) -> None:
        """Let the proposal go on."""
        with suppress(Stale):  # it goes on already
            await self._execution.approved(ticket.request.payload["proposal"], "system")

    async def outcome(self, ticket: Ticket) -> tuple[State, str]:
        """What the proposal has come to."""
        try:
            record = await self._proposals.get(ticket.request.payload["proposal"])
        except NotFound as error:
            return "failed", str(error)
        return OUTCOMES.get(record.shown.state, "executing"), record.shown.message

    async def dropped(self, ticket: Ticket, by: str, reason: str) -> None:
        """End the proposal as well."""
        with suppress(Stale, NotFound):
            await self._execution.rejected(ticket.request.payload["proposal"], by, reason)


def request(record: Record, person: Person) -> Request:
    """What a confirmed proposal asks for. Neither who proposed it nor who confirmed it may approve it.

    A batch over several projects is in none, so that only flows and people for everything decide about it; one over several
    schedulers has no known environment, which counts as the worst.
    """
    shown = record.shown
    places = _places(shown)
    schedulers = {scheduler for scheduler, _ in places}
    scheduler = schedulers.pop() if len(schedulers) == 1 else ""
    project = next(iter(places))[1] if len(places) == 1 else ""
    return Request(
        task_type=shown.operation.value,
        title=f"{shown.operation.value} {shown.instance.task.name}",
        requester=person.name,
        involved=(shown.requester,),
        scheduler=scheduler,
        project=project,
        facts={"instances": shown.affected},
        payload=payload(record),
        key=f"proposal:{shown.id}",
    )


def payload(record: Record) -> dict[str, str]:
    """What exactly would be done: to what in which state, with which others, at whose word."""
    shown = record.shown
    exact = {"proposal": shown.id, "operation": shown.operation.value, "target": shown.instance.ref}
    exact |= {"run": str(shown.instance.run_number), "affected": str(shown.affected)}
    if shown.start or shown.end:
        exact["days"] = f"{shown.start} - {shown.end}"
    if shown.chosen:
        exact["with"] = ", ".join(member.instance.ref for member in shown.chosen)
    exact |= {"asked_by": shown.requester, "confirmed_by": shown.decider}
    return exact | {"state": fingerprint(shown.instance, *(member.instance for member in shown.chosen))}


def _places(shown: Proposal) -> set[tuple[str, str]]:
    """Scheduler and project of everything that is touched."""
    tasks = [shown.instance.task, *(member.instance.task for member in shown.chosen)]
    return {(task.scheduler, task.project) for task in tasks}
