"""From the click to the end of the run: entitled, unchanged, once, verified, recorded, also when a process dies."""

from dataclasses import replace
from datetime import timedelta

import pytest

from core.access import Access
from core.errors import Denied, Refused, Stale, Unreachable
from core.execution import SWEEP, UNKNOWN_FOR, subject
from core.execution.carrying import SILENT, SLOWEST_LOOK
from core.proposals import VALID_FOR
from core.schedulers.base import Flags, Instance, Operation, Order, Status
from core.store import Store
from tests.fakes.pipeline import Pipeline
from tests.fakes.timeline import Killed
from tests.fakes.world import PEOPLE, World, build


@pytest.fixture
async def world(sqlite_store: Store) -> World:
    """One failed instance, three people, a chat."""
    return build(sqlite_store, Pipeline())


async def test_a_confirmed_rerun_is_sent_once_followed_and_shown_to_the_end(world: World) -> None:
    """The whole way, on one card."""
    proposal = await world.propose()
    await world.execution.confirm(world.person("chen"), proposal)
    await world.timeline.pass_time(5)
    assert await world.state(proposal) == "following"
    world.pipeline.become(Status.SUCCESS)
    await world.timeline.pass_time(30)
    assert await world.state(proposal) == "succeeded"
    assert [order.request_id for order in world.pipeline.orders] == [proposal]
    assert "asked by chen, confirmed by chen" in world.pipeline.orders[0].note
    assert world.titles == [
        "open failed run 1 by chen",
        "confirmed failed run 1 by chen",
        "executing failed run 1 by chen",
        "following failed run 1 by chen",
        "following running run 2 by chen",
        "succeeded success run 2 by chen",
    ]
    assert await world.delivery.live(subject(proposal)) == ()
    assert await world.audit.verify() == 5


async def test_a_rerun_that_fails_again_ends_failed(world: World) -> None:
    """Accepted is not succeeded."""
    proposal = await world.propose()
    await world.execution.confirm(world.person("chen"), proposal)
    await world.timeline.pass_time(2)
    world.pipeline.become(Status.FAILED)
    await world.timeline.pass_time(60)
    assert await world.state(proposal) == "failed"


@pytest.mark.parametrize(
    ("operation", "before", "after"),
    [
        (Operation.SET_SUCCESS, Status.FAILED, Status.FORCED_SUCCESS),
        (Operation.KILL, Status.RUNNING, Status.KILLED),
        (Operation.FREEZE, Status.WAIT_TIME, Status.WAIT_TIME),
    ],
)
async def test_other_operations_are_verified_by_their_own_sign(
    world: World, operation: Operation, before: Status, after: Status
) -> None:
    """Each operation is over when the scheduler shows what it was for."""
    world.pipeline.become(before)
    proposal = await world.propose(operation, "boss")
    await world.execution.confirm(world.person("boss"), proposal)
    await world.timeline.pass_time(60)
    assert (await world.state(proposal), world.pipeline.now.status) == ("succeeded", after)


async def test_a_second_click_is_stale_and_orders_nothing(world: World) -> None:
    """Double clicks arrive with two ids."""
    proposal = await world.propose()
    await world.execution.confirm(world.person("chen"), proposal)
    with pytest.raises(Stale):
        await world.execution.confirm(world.person("chen"), proposal)
    with pytest.raises(Stale):
        await world.execution.cancel(world.person("chen"), proposal)
    await world.timeline.pass_time(3)
    assert len(world.pipeline.orders) == 1


async def test_a_viewer_can_neither_confirm_nor_cancel(world: World) -> None:
    """Anyone in a group can press a button; that is not a right."""
    proposal = await world.propose()
    for press in (world.execution.confirm, world.execution.cancel):
        with pytest.raises(Denied):
            await press(world.person("guest"), proposal)
    assert await world.state(proposal) == "open"


async def test_a_target_that_changed_voids_the_proposal(world: World) -> None:
    """Someone reran it by hand while the card was open."""
    proposal = await world.propose()
    world.pipeline.become(Status.SUCCESS)
    with pytest.raises(Stale):
        await world.execution.confirm(world.person("chen"), proposal)
    await world.timeline.pass_time(60)
    assert (await world.state(proposal), world.pipeline.orders) == ("void", [])
    assert world.titles[-1].startswith("void")


async def test_an_expired_card_says_so_when_it_is_pressed(world: World) -> None:
    """The card itself explains why nothing happened."""
    proposal = await world.propose()
    world.timeline.now += VALID_FOR + timedelta(seconds=1)
    with pytest.raises(Stale):
        await world.execution.confirm(world.person("chen"), proposal)
    assert world.titles[-1].startswith("expired")
    assert world.pipeline.orders == []


async def test_a_right_lost_between_click_and_execution_stops_it(world: World) -> None:
    """Rights are asked at the moment of acting."""
    proposal = await world.propose()
    await world.execution.confirm(world.person("chen"), proposal)
    world.access = Access(PEOPLE[1:])
    world.restart()
    await world.timeline.pass_time(60)
    assert (await world.state(proposal), world.pipeline.orders) == ("refused", [])


async def test_a_refusal_of_the_scheduler_ends_it(world: World) -> None:
    """A clear no is not tried again."""

    def refuse(_order: Order) -> None:
        raise Refused("a running task cannot be rerun", system="demo", code="409")

    world.pipeline.before = refuse
    proposal = await world.propose()
    await world.execution.confirm(world.person("chen"), proposal)
    await world.timeline.pass_time(60)
    assert await world.state(proposal) == "refused"


@pytest.mark.parametrize(("carried_out", "state"), [(True, "succeeded"), (False, "lost")])
async def test_no_answer_is_unknown_until_the_scheduler_shows_what_happened(
    world: World, carried_out: bool, state: str
) -> None:
    """A lost answer is never sent again: the order may have been carried out."""

    def lose(_order: Order) -> None:
        raise Unreachable("no answer in 15 s", system="demo")

    if carried_out:
        world.pipeline.after = lose
    else:
        world.pipeline.before = lose
    proposal = await world.propose()
    await world.execution.confirm(world.person("chen"), proposal)
    await world.timeline.pass_time(0)
    assert await world.state(proposal) == "unknown"
    if carried_out:
        world.pipeline.become(Status.SUCCESS)
    await world.timeline.pass_time(UNKNOWN_FOR.total_seconds() + 60)
    assert await world.state(proposal) == state
    assert len(world.pipeline.orders) == int(carried_out)


@pytest.mark.parametrize("place", ["before", "after"])
async def test_a_process_killed_around_the_call_never_sends_it_twice(world: World, place: str) -> None:
    """Whoever finds `executing` only looks; the order is sent at most once."""

    def die(_order: Order) -> None:
        raise Killed

    setattr(world.pipeline, place, die)
    proposal = await world.propose()
    await world.execution.confirm(world.person("chen"), proposal)
    with pytest.raises(Killed):
        await world.timeline.pass_time(1)
    setattr(world.pipeline, place, Pipeline().before)
    world.restart()
    await world.timeline.pass_time(1)
    if place == "after":
        world.pipeline.become(Status.SUCCESS)
    await world.timeline.pass_time(UNKNOWN_FOR.total_seconds() + 60)
    assert len(world.pipeline.orders) == int(place == "after")
    assert await world.state(proposal) == ("succeeded" if place == "after" else "lost")


async def test_a_crash_between_the_click_and_the_queue_is_made_good_at_start(world: World) -> None:
    """Two commits, and a crash between them: the sweep finds what was confirmed."""
    proposal = await world.propose()
    await world.proposals.decide(proposal, "awaiting", "chen")
    world.restart()
    assert await world.execution.resume() == 1
    await world.timeline.pass_time(3)
    assert len(world.pipeline.orders) == 1


async def test_a_messenger_that_is_down_stops_neither_order_nor_truth(world: World) -> None:
    """The card catches up with the next change."""
    proposal = await world.propose()
    world.chat.down = True
    await world.execution.confirm(world.person("chen"), proposal)
    await world.timeline.pass_time(3)
    world.chat.down = False
    world.pipeline.become(Status.SUCCESS)
    await world.timeline.pass_time(30)
    assert world.titles == ["open failed run 1 by chen", "succeeded success run 2 by chen"]


async def test_a_frozen_target_counts_as_changed(world: World) -> None:
    """Flags are part of what the card showed."""
    proposal = await world.propose()
    world.pipeline.now = replace(world.pipeline.now, flags=Flags(frozen=True))
    with pytest.raises(Stale):
        await world.execution.confirm(world.person("chen"), proposal)


async def test_what_needs_approval_waits_for_it_and_is_then_carried_out_once(world: World) -> None:
    """The confirmation is remembered with its ticket; the approval is not a click on this card."""
    world.gate.ticket = "T-1"
    proposal = await world.propose()
    shown = await world.execution.confirm(world.person("chen"), proposal)
    assert (shown.state, shown.ticket, world.gate.asked) == ("awaiting", "T-1", [f"{proposal} awaiting chen"])
    await world.timeline.pass_time(3600)
    assert world.pipeline.orders == []
    await world.execution.approved(proposal, "boss")
    with pytest.raises(Stale):
        await world.execution.approved(proposal, "boss")
    await world.timeline.pass_time(3)
    assert [order.request_id for order in world.pipeline.orders] == [proposal]


async def test_what_is_not_approved_is_over_and_says_why(world: World) -> None:
    """Rejected, withdrawn and out of time are one thing here: a reason."""
    world.gate.ticket = "T-1"
    proposal = await world.propose()
    await world.execution.confirm(world.person("chen"), proposal)
    shown = await world.execution.rejected(proposal, "boss", "not during the sale")
    assert (shown.state, shown.message) == ("rejected", "not during the sale")
    with pytest.raises(Stale):
        await world.execution.approved(proposal, "boss")
    with pytest.raises(Stale):
        await world.execution.confirm(world.person("chen"), proposal)
    await world.timeline.pass_time(60)
    assert (world.titles[-1].split()[0], world.pipeline.orders) == ("rejected", [])


async def test_what_no_rule_allows_is_refused_at_the_click(world: World) -> None:
    world.gate.refuses = True
    proposal = await world.propose()
    with pytest.raises(Refused):
        await world.execution.confirm(world.person("chen"), proposal)
    await world.timeline.pass_time(60)
    assert (await world.state(proposal), world.pipeline.orders) == ("refused", [])


async def test_an_approval_of_what_nobody_confirmed_is_stale(world: World) -> None:
    """A forged or early approval moves nothing."""
    proposal = await world.propose()
    for decide in (world.execution.approved(proposal, "boss"), world.execution.rejected(proposal, "boss", "no")):
        with pytest.raises(Stale):
            await decide
    assert await world.state(proposal) == "open"


async def test_the_sweep_finds_what_another_replica_left_between_two_commits(world: World) -> None:
    """Also a confirmation that died before it was known whether it needs approval."""
    proposal = await world.propose()
    await world.proposals.decide(proposal, "awaiting", "chen")
    world.restart()
    await world.timeline.submit(SWEEP, "sweep:1", {})
    await world.timeline.pass_time(5)
    assert len(world.pipeline.orders) == 1


async def test_a_sweep_is_not_stopped_by_what_the_gate_refuses(world: World) -> None:
    first, second = await world.propose(), await world.propose(Operation.RERUN, "boss")
    for proposal in (first, second):
        await world.proposals.decide(proposal, "awaiting", "chen")
    world.gate.refuses = True
    assert await world.execution.resume() == 0
    assert (await world.state(first), await world.state(second)) == ("refused", "refused")


@pytest.mark.parametrize("seconds", [0, 1.5, 40])
async def test_what_lost_its_work_in_an_outage_is_taken_up_by_the_sweep(world: World, seconds: float) -> None:
    """Durable work gives up after five failures: before the order, after it, or while the run is followed."""
    proposal = await world.propose()
    await world.execution.confirm(world.person("chen"), proposal)
    if seconds:
        await world.timeline.pass_time(seconds)
    world.timeline.give_up()
    if seconds:
        world.pipeline.become(Status.SUCCESS)
    await sweep(world, after=SILENT)
    await sweep(world, after=timedelta(minutes=5))
    if not seconds:
        world.pipeline.become(Status.SUCCESS)
        await world.timeline.pass_time(60)
    assert (await world.state(proposal), len(world.pipeline.orders)) == ("succeeded", 1)
    assert world.titles[-1].startswith("succeeded")


async def test_the_sweep_leaves_alone_what_is_looked_after(world: World) -> None:
    """A run of an hour gets no second look in between, and no second line of looks."""
    proposal = await world.propose()
    await world.execution.confirm(world.person("chen"), proposal)
    looks = 0

    async def counted(instance_id: str) -> Instance:
        nonlocal looks
        looks += 1
        return world.pipeline.now

    await world.timeline.pass_time(600)
    world.pipeline.instance = counted
    for _ in range(12):
        await sweep(world, after=timedelta(minutes=5))
    assert await world.state(proposal) == "following"
    assert looks <= 3600 / SLOWEST_LOOK + 1
    world.pipeline.become(Status.SUCCESS)
    await world.timeline.pass_time(60)
    assert await world.state(proposal) == "succeeded"


async def sweep(world: World, *, after: timedelta) -> None:
    """The five-minute sweep, so much later, and what follows from it."""
    await world.timeline.pass_time(after.total_seconds())
    await world.timeline.submit(SWEEP, f"sweep:{world.timeline.now.timestamp()}", {})
    await world.timeline.pass_time(1)
