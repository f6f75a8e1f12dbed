"""Between operations and approvals: a confirmed proposal becomes a ticket, whose end reaches the proposal."""

from contextlib import suppress

from core.access import Person
from core.approvals.model import Request, State, Ticket
from core.approvals.service import Approvals
from core.errors import NotFound, Stale
from core.execution import Execution
from core.proposals import Proposals, Record
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


class ProposalRunner:
    """Implements `core.approvals.attending.Runner` for the operations."""

    def __init__(self, execution: Execution, proposals: Proposals) -> None:
        self._execution = execution
        self._proposals = proposals

    async def start(self, ticket: Ticket) -> None:
        """Let the proposal go on, if it is what was approved."""
        proposal_id = ticket.request.payload["proposal"]
        record = await self._proposals.get(proposal_id)
        with suppress(Stale):  # it goes on already
            if payload(record) == dict(ticket.request.payload):
                await self._execution.approved(proposal_id, "system")
            else:
                await self._execution.rejected(proposal_id, "system", "it is not what was approved")

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

    A batch over several projects is in none, so that only flows and people for everything decide about it.
    """
    shown = record.shown
    tasks = [shown.instance.task, *(member.instance.task for member in shown.chosen)]
    places = {(task.scheduler, task.project) for task in tasks}
    scheduler, project = places.pop() if len(places) == 1 else ("", "")
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
    """What exactly would be done."""
    shown = record.shown
    exact = {"proposal": shown.id, "operation": shown.operation.value, "target": shown.instance.ref}
    exact |= {"run": str(shown.instance.run_number), "affected": str(shown.affected)}
    if shown.start and shown.end:
        exact["days"] = f"{shown.start} - {shown.end}"
    if shown.chosen:
        exact["with"] = ", ".join(member.instance.ref for member in shown.chosen)
    return exact
