"""Operations and approvals together: a confirmed proposal waits for its ticket, and is carried out once, as approved."""

from dataclasses import replace
from datetime import timedelta

import pytest

from core.approvals.gate import ApprovalGate, ProposalRunner, payload, request
from core.approvals.model import Ticket
from core.cards import Card
from core.errors import NoFlow, NotApprover, Stale
from core.execution import Execution
from core.messages import Conversation
from core.proposals import Proposals, Record
from core.results import Member
from core.schedulers.base import Operation, Status
from core.schedulers.fleet import Fleet
from core.store import Store
from tests.fakes.approvals import Bureau, flow
from tests.fakes.pipeline import Pipeline

DAY = timedelta(days=1)
CHAT = Conversation("ding", "d-asker")


class Shop:
    """Operations over approvals, with one running instance of the project `trade`."""

    def __init__(self, store: Store) -> None:
        self.bureau = Bureau(store)
        self.pipeline = Pipeline()
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

    async def confirmed(self, operation: Operation = Operation.KILL, name: str = "ops") -> tuple[str, str]:
        """A proposal of the asker, confirmed by somebody: its id and its ticket's."""
        asker = self.bureau.person("asker")
        made = await self.proposals.propose(asker, CHAT, operation, self.pipeline.now)
        shown = await self.execution.confirm(self.bureau.person(name), made.id)
        await self.bureau.settle()
        return made.id, shown.ticket

    async def ticket(self, ticket_id: str) -> Ticket:
        """The ticket as it is now."""
        return await self.bureau.tickets.get(ticket_id)

    async def state(self, proposal_id: str) -> str:
        """What the proposal has come to."""
        return (await self.proposals.get(proposal_id)).shown.state


@pytest.fixture
async def shop(sqlite_store: Store) -> Shop:
    """Approvals are on, and nobody made a flow."""
    return Shop(sqlite_store)


async def test_what_is_approved_is_carried_out_once_and_ends_the_ticket(shop: Shop) -> None:
    """Nothing is sent before; neither who proposed nor who confirmed can approve."""
    proposal, ticket_id = await shop.confirmed()
    assert (await shop.state(proposal), shop.pipeline.orders) == ("awaiting", [])
    ticket = await shop.ticket(ticket_id)
    for name in ("asker", "ops"):
        with pytest.raises(NotApprover):
            await shop.bureau.approvals.approve(shop.bureau.says(name, ticket))
    await shop.bureau.approvals.approve(shop.bureau.says("ops2", ticket))
    for _ in range(5):
        await shop.bureau.settle(after=timedelta(seconds=11))
    assert (await shop.state(proposal), (await shop.ticket(ticket_id)).state) == ("succeeded", "succeeded")
    assert [order.request_id for order in shop.pipeline.orders] == [proposal]


@pytest.mark.parametrize(("how", "word"), [("reject", "rejected"), ("withdraw", "rejected"), ("expire", "rejected")])
async def test_what_is_not_approved_is_not_carried_out(shop: Shop, how: str, word: str) -> None:
    """Rejected, withdrawn or out of time: the proposal ends as well."""
    proposal, ticket_id = await shop.confirmed()
    ticket = await shop.ticket(ticket_id)
    if how == "reject":
        await shop.bureau.approvals.reject(shop.bureau.says("ops2", ticket, "not now"))
    elif how == "withdraw":
        await shop.bureau.approvals.withdraw(shop.bureau.says("ops", ticket))
    await shop.bureau.settle(after=DAY)
    assert (await shop.state(proposal), shop.pipeline.orders) == (word, [])


async def test_what_is_harmless_needs_no_ticket(shop: Shop) -> None:
    """A rerun goes on at once where nobody made a flow for it."""
    shop.pipeline.become(Status.FAILED)
    proposal, ticket = await shop.confirmed(Operation.RERUN)
    await shop.bureau.now.pass_time(1)
    assert ticket == ""
    assert len(shop.pipeline.orders) == 1
    assert await shop.state(proposal) == "following"


async def test_without_a_flow_that_fits_the_proposal_is_refused(shop: Shop) -> None:
    """And says so, instead of waiting for nobody."""
    root = shop.bureau.person("root")
    await shop.bureau.flows.create(root, flow("kills", "kill", enabled=False))
    with pytest.raises(NoFlow):
        await shop.confirmed()
    assert shop.pipeline.orders == []
    assert await shop.bureau.tickets.due() == ()


async def test_the_gate_asked_again_gives_the_same_ticket(shop: Shop) -> None:
    """A process died between the ticket and the proposal's note of it."""
    proposal, ticket = await shop.confirmed()
    gate = ApprovalGate(shop.bureau.approvals)
    assert await gate.ask(await shop.proposals.get(proposal), shop.bureau.person("ops")) == ticket


async def test_a_crash_after_the_approval_sends_one_order(shop: Shop) -> None:
    """Attending twice to the same state does nothing twice."""
    proposal, ticket_id = await shop.confirmed()
    await shop.bureau.approvals.approve(shop.bureau.says("ops2", await shop.ticket(ticket_id)))
    runner = ProposalRunner(shop.execution, shop.proposals)
    for _ in range(3):
        await runner.start(await shop.ticket(ticket_id))
    await shop.bureau.settle(after=timedelta(seconds=30))
    assert [order.request_id for order in shop.pipeline.orders] == [proposal]


async def test_another_target_than_was_approved_is_not_carried_out(shop: Shop) -> None:
    """Someone who can write to the table of proposals cannot slip one under an approval."""
    proposal, ticket_id = await shop.confirmed()
    change = f"UPDATE proposal SET affected = 99 WHERE id = '{proposal}'"  # noqa: S608  # our own id
    await shop.bureau.store.write(lambda connection: connection.exec_driver_sql(change))
    await shop.bureau.approvals.approve(shop.bureau.says("ops2", await shop.ticket(ticket_id)))
    await shop.bureau.settle()
    assert ((await shop.ticket(ticket_id)).state, shop.pipeline.orders) == ("failed", [])
    assert await shop.state(proposal) == "rejected"
    with pytest.raises(Stale):
        await shop.bureau.approvals.approve(shop.bureau.says("root", await shop.ticket(ticket_id)))


async def test_a_batch_over_two_projects_is_in_neither(shop: Shop) -> None:
    """A flow and an ops admin of one project cannot decide about the other; everything that is touched is in the payload."""
    proposal, _ = await shop.confirmed()
    record: Record = await shop.proposals.get(proposal)
    other = replace(shop.pipeline.now, id="2", task=replace(shop.pipeline.now.task, project="finance"))
    both = tuple(Member(instance) for instance in (shop.pipeline.now, other))
    batch = replace(record, shown=replace(record.shown, members=both, batch=True))
    asked = request(batch, shop.bureau.person("ops"))
    assert (asked.scheduler, asked.project) == ("", "")
    assert payload(batch)["with"] == "demo:1, demo:2"
    same = replace(batch, shown=replace(batch.shown, members=both[:1]))
    assert request(same, shop.bureau.person("ops")).project == "trade"
