"""Operations and approvals together: a confirmed proposal waits for its ticket, and is carried out once, as approved."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import update

from core.approvals.gate import ApprovalGate, ProposalRunner, payload, request
from core.approvals.tickets import TicketFilter
from core.errors import NoFlow, NotApprover, Stale
from core.proposals import INSTANCE, MEMBERS, Record
from core.proposals import proposal as proposals
from core.results import Member
from core.schedulers.base import Instance, Operation, Status
from core.store import Store
from tests.fakes.approvals import flow
from tests.fakes.pipeline import TASK
from tests.fakes.shop import OTHER, RUNNING, Shop, running

DAY = timedelta(days=1)


def _stored(value: Instance | tuple[Member, ...]) -> str:
    """As the table has it."""
    return (MEMBERS.dump_json(value) if isinstance(value, tuple) else INSTANCE.dump_json(value)).decode()


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


CHANGES: Mapping[str, Mapping[str, object]] = {
    "the operation": {"operation": "freeze"},
    "the target": {"snapshot": _stored(replace(RUNNING, id="2"))},
    "the run": {"snapshot": _stored(replace(RUNNING, run_number=2))},
    "the status": {"snapshot": _stored(replace(RUNNING, status=Status.WAIT_RESOURCE))},
    "the owner": {"snapshot": _stored(replace(RUNNING, task=replace(TASK, owners=())))},
    "the count": {"affected": 99},
    "who confirmed": {"decider": "root"},
    "who asked": {"requester": "ops2"},
    "the first day": {"start": "2026-11-01"},
    "the last day": {"end": "2026-11-30"},
    "a member left out": {"members": _stored((Member(RUNNING),))},
    "a member more": {"members": _stored((Member(RUNNING), Member(OTHER), Member(replace(RUNNING, id="3"))))},
    "another member": {"members": _stored((Member(RUNNING), Member(replace(RUNNING, id="3"))))},
    "a member's run": {"members": _stored((Member(RUNNING), Member(replace(OTHER, run_number=2))))},
    "the choice": {"members": _stored((Member(RUNNING), Member(OTHER, chosen=False)))},
}


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("changed", CHANGES)
async def test_whatever_changes_after_it_was_asked_for_voids_the_approval(
    sqlite_store: Store, changed: str, when: str
) -> None:
    """Someone who can write to the table of proposals cannot slip another change under an approval, given or not."""
    plant = running()
    shop = Shop(sqlite_store, plant)
    proposal, ticket_id = await shop.confirmed(members=(Member(RUNNING), Member(OTHER)))
    change = update(proposals).where(proposals.c.id == proposal).values(CHANGES[changed])
    if when == "before":
        await shop.bureau.store.write(lambda connection: connection.execute(change))
    await shop.bureau.approvals.approve(shop.bureau.says("ops2", await shop.ticket(ticket_id)))
    if when == "after":
        await ProposalRunner(shop.execution, shop.proposals).start(await shop.ticket(ticket_id))
        await shop.bureau.store.write(lambda connection: connection.execute(change))
    for _ in range(2):
        await shop.bureau.settle(after=timedelta(seconds=11))
    assert ((await shop.ticket(ticket_id)).state, shop.pipeline.orders) == ("failed", [])
    assert await shop.state(proposal) == "refused"
    assert await shop.proposals.entries(proposal) == ()
    with pytest.raises(Stale):
        await shop.bureau.approvals.approve(shop.bureau.says("root", await shop.ticket(ticket_id)))


async def test_a_batch_over_two_projects_is_in_neither(shop: Shop) -> None:
    """A flow and an ops admin of one project cannot decide about the other; everything that is touched is in the payload.

    Over several schedulers its environment is unknown, which leads to the highest level.
    """
    proposal, _ = await shop.confirmed()
    record: Record = await shop.proposals.get(proposal)
    other = replace(shop.pipeline.now, id="2", task=replace(shop.pipeline.now.task, project="finance"))
    both = tuple(Member(instance) for instance in (shop.pipeline.now, other))
    batch = replace(record, shown=replace(record.shown, members=both, batch=True))
    asked = request(batch, shop.bureau.person("ops"))
    assert (asked.scheduler, asked.project) == ("demo", "")
    assert payload(batch)["with"] == "demo:1, demo:2"
    far = Member(replace(other, task=replace(other.task, scheduler="air")))
    wide = replace(batch, shown=replace(batch.shown, members=(*both, far)))
    assert (request(wide, shop.bureau.person("ops")).scheduler, wide.shown.chosen[2]) == ("", far)
    same = replace(batch, shown=replace(batch.shown, members=both[:1]))
    assert request(same, shop.bureau.person("ops")).project == "trade"


async def test_a_batch_is_one_ticket_over_all_its_members_and_runs_as_approved(sqlite_store: Store) -> None:
    """Nobody is asked for each of them, and what they are counts together."""
    plant = running()
    plant.ends = {"1": Status.KILLED, "2": Status.KILLED}
    shop = Shop(sqlite_store, plant)
    proposal, ticket_id = await shop.confirmed(members=(Member(RUNNING), Member(OTHER)))
    ticket = await shop.ticket(ticket_id)
    assert (ticket.request.facts, ticket.request.payload["with"]) == ({"instances": 2}, "demo:1, demo:2")
    await shop.bureau.approvals.approve(shop.bureau.says("ops2", ticket))
    for _ in range(6):
        await shop.bureau.settle(after=timedelta(seconds=11))
    assert [order.instance for order in plant.orders] == ["1", "2"]
    assert (await shop.state(proposal), (await shop.ticket(ticket_id)).state) == ("succeeded", "succeeded")
    assert [one.id for one in await shop.bureau.tickets.listed(TicketFilter())] == [ticket_id]


async def test_the_days_of_a_backfill_and_the_chosen_downstream_are_what_is_approved(shop: Shop) -> None:
    """Each of them is in the payload, so each is on the card and under the digest."""
    record = await shop.proposals.get((await shop.confirmed())[0])
    days = replace(record.shown, start=date(2026, 11, 1), end=date(2026, 11, 3), affected=3)
    later = replace(days, end=date(2026, 11, 4))
    below = replace(record.shown, members=(Member(OTHER, distance=1), Member(RUNNING, distance=1, chosen=False)))
    assert payload(replace(record, shown=days))["days"] == "2026-11-01 - 2026-11-03"
    assert payload(replace(record, shown=below))["with"] == "demo:2"
    variants = [replace(record, shown=one) for one in (record.shown, days, later, below)]
    assert len({request(one, shop.bureau.person("ops")).digest() for one in variants}) == len(variants)
