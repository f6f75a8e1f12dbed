"""Operations that wait for approval: the real execution and the real approvals, with the clock in the test's hand."""

from dataclasses import replace

from core.approvals.gate import ApprovalGate, ProposalRunner
from core.approvals.model import Ticket
from core.cards import Card
from core.execution import Execution
from core.messages import Conversation
from core.proposals import Proposals
from core.results import Member
from core.schedulers.base import Operation, Status
from core.schedulers.fleet import Fleet
from core.settings import ApprovalSettings
from core.store import Store
from tests.fakes.approvals import Bureau
from tests.fakes.pipeline import Pipeline, Plant

CHAT = Conversation("ding", "d-asker")
RUNNING, OTHER = (replace(one, status=Status.RUNNING) for one in Plant("1", "2").all.values())


def running() -> Plant:
    """Those two; killed when that is ordered."""
    plant = Plant("1", "2")
    for one in (RUNNING, OTHER):
        plant.change(one.id, status=one.status)
        plant.ends[one.id] = Status.KILLED
    return plant


class Shop:
    """Operations over approvals, with one running instance of the project `trade`, unless other ones are given."""

    def __init__(
        self, store: Store, pipeline: Pipeline | None = None, settings: ApprovalSettings | None = None
    ) -> None:
        self.bureau = Bureau(store, settings=settings)
        self.pipeline = pipeline or Pipeline()
        self.pipeline.become(Status.RUNNING)
        self.proposals = Proposals(store, clock=self.bureau.now)
        self.execution = Execution(
            self.proposals,
            Fleet([self.pipeline]),
            self.bureau.access,
            self.bureau.now,
            self.bureau.delivery,
            self.bureau.audit,
            render=lambda proposal, _language, _person: Card(proposal.state),
            clock=self.bureau.now,
            gate=ApprovalGate(self.bureau.approvals),
        )
        for operation in Operation:
            self.bureau.attendant.on(operation.value, ProposalRunner(self.execution, self.proposals))

    async def confirmed(
        self, operation: Operation = Operation.KILL, name: str = "ops", members: tuple[Member, ...] = ()
    ) -> tuple[str, str]:
        """A proposal of the asker, confirmed by somebody: its id and its ticket's."""
        asker = self.bureau.person("asker")
        made = await self.proposals.propose(asker, CHAT, operation, self.pipeline.now, members=members)
        shown = await self.execution.confirm(self.bureau.person(name), made.id)
        await self.bureau.settle()
        return made.id, shown.ticket

    async def ticket(self, ticket_id: str) -> Ticket:
        """The ticket as it is now."""
        return await self.bureau.tickets.get(ticket_id)

    async def state(self, proposal_id: str) -> str:
        """What the proposal has come to."""
        return (await self.proposals.get(proposal_id)).shown.state
