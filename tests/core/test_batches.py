"""Changes of several instances: what was chosen and nothing else, one at a time, each on its own terms."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from core import downstream
from core.errors import BadInput, Denied, Stale
from core.execution import subject
from core.execution.carrying import SILENT
from core.results import Member, Proposal
from core.schedulers.base import Operation, Order, RunType, Status
from core.store import Store
from tests.fakes.pipeline import Plant
from tests.fakes.timeline import Killed
from tests.fakes.world import CHAT, World, build

NAMES = ("a", "b", "c", "d", "e")


@pytest.fixture
async def plant() -> Plant:
    """Five failed instances of one project."""
    return Plant(*NAMES)


@pytest.fixture
async def world(sqlite_store: Store, plant: Plant) -> World:
    """The world around them."""
    return build(sqlite_store, plant)


async def batch(world: World, plant: Plant) -> str:
    """A proposal to rerun them all."""
    members = tuple(map(Member, plant.all.values()))
    made = await world.proposals.propose(
        world.person("chen"), CHAT, Operation.RERUN, members[0].instance, members=members, total=len(members)
    )
    return await world.show(made)


async def below(world: World, plant: Plant) -> str:
    """A proposal to rerun `a`, and of those downstream all."""
    members = downstream.choose(downstream.members(await plant.downstream("a")), "all")
    made = await world.proposals.propose(
        world.person("chen"), CHAT, Operation.RERUN_DOWNSTREAM, plant.all["a"], members=members
    )
    return await world.show(made)


async def shown(world: World, proposal: str) -> Proposal:
    """The proposal as people see it."""
    return (await world.proposals.get(proposal)).shown


async def states(world: World, proposal: str) -> dict[str, str]:
    """What has become of each entry."""
    return {one.instance.id: one.state for one in (await shown(world, proposal)).members}


# ── batches
async def test_a_batch_runs_one_after_the_other_and_tells_on_one_card(world: World, plant: Plant) -> None:
    """The next begins when the one before has ended; each order has an id of its own."""
    proposal = await batch(world, plant)
    await world.execution.confirm(world.person("chen"), proposal)
    seen: list[int] = []
    plant.before = lambda _order: seen.append(sum(one.status is Status.SUCCESS for one in plant.all.values()))
    await world.timeline.pass_time(60)
    assert [order.instance for order in plant.orders] == list(NAMES)
    assert seen == [0, 1, 2, 3, 4], "each found all before it ended"
    assert [order.request_id for order in plant.orders] == [f"{proposal}-{number:02}" for number in range(1, 6)]
    assert set((await states(world, proposal)).values()) == {"succeeded"}
    assert (await world.state(proposal), world.titles[-1].split()[0]) == ("succeeded", "succeeded")
    assert len(world.titles) > len(NAMES)
    assert await world.delivery.live(subject(proposal)) == ()
    await world.audit.verify()


async def test_entries_that_changed_or_are_not_mine_are_left_out_and_named(world: World, plant: Plant) -> None:
    """Each is judged by itself, at the click."""
    plant.change("d", task=replace(plant.all["d"].task, project="finance"))
    proposal = await batch(world, plant)
    plant.change("b", status=Status.SUCCESS)
    await world.execution.confirm(world.person("chen"), proposal)
    await world.timeline.pass_time(60)
    assert await states(world, proposal) == {
        "a": "succeeded",
        "b": "void",
        "c": "succeeded",
        "d": "denied",
        "e": "succeeded",
    }
    assert [order.instance for order in plant.orders] == ["a", "c", "e"]


async def test_an_entry_that_changes_before_its_turn_is_left_out_then(world: World, plant: Plant) -> None:
    """The batch may take hours; each entry is looked at once more when it begins."""
    proposal = await batch(world, plant)

    def mend(order: Order) -> None:
        if order.instance == "a":
            plant.change("b", run_number=7)

    plant.after = mend
    await world.execution.confirm(world.person("chen"), proposal)
    await world.timeline.pass_time(60)
    assert (await states(world, proposal))["b"] == "void"
    assert [order.instance for order in plant.orders] == ["a", "c", "d", "e"]
    assert await world.state(proposal) == "failed", "not all of what was confirmed was done"


async def test_a_batch_of_which_nothing_is_left_is_void(world: World, plant: Plant) -> None:
    proposal = await batch(world, plant)
    for name in NAMES:
        plant.change(name, status=Status.RUNNING)
    with pytest.raises(Stale):
        await world.execution.confirm(world.person("chen"), proposal)
    assert (await world.state(proposal), plant.orders) == ("void", [])


async def test_a_batch_stops_after_three_in_a_row_that_fail(world: World, plant: Plant) -> None:
    """What broke them is not mended; the rest is left as it is."""
    plant.ends = dict.fromkeys(("b", "c", "d"), Status.FAILED)
    proposal = await batch(world, plant)
    await world.execution.confirm(world.person("chen"), proposal)
    await world.timeline.pass_time(60)
    assert list((await states(world, proposal)).values()) == ["succeeded", "failed", "failed", "failed", "skipped"]
    assert (len(plant.orders), await world.state(proposal)) == (4, "failed")


async def test_who_may_change_none_of_them_may_not_confirm(world: World, plant: Plant) -> None:
    proposal = await batch(world, plant)
    with pytest.raises(Denied):
        await world.execution.confirm(world.person("guest"), proposal)
    assert await world.state(proposal) == "open"


@pytest.mark.parametrize("place", ["before", "after"])
async def test_a_crash_within_a_batch_sends_nothing_twice_and_goes_on(world: World, plant: Plant, place: str) -> None:
    """The entry under way becomes unknown and is looked up; then the next has its turn."""

    def die(order: Order) -> None:
        if order.instance == "c":
            raise Killed

    setattr(plant, place, die)
    proposal = await batch(world, plant)
    await world.execution.confirm(world.person("chen"), proposal)
    with pytest.raises(Killed):
        await world.timeline.pass_time(60)
    setattr(plant, place, Plant().before)
    world.restart()
    await world.execution.resume()
    await world.timeline.pass_time(600)
    ended = list((await states(world, proposal)).values())
    assert ended == ["succeeded", "succeeded", "succeeded" if place == "after" else "lost", "succeeded", "succeeded"]
    assert len({order.request_id for order in plant.orders}) == len(plant.orders)


async def test_a_batch_waits_for_approval_as_a_whole(world: World, plant: Plant) -> None:
    world.gate.ticket = "T-9"
    proposal = await batch(world, plant)
    assert (await world.execution.confirm(world.person("chen"), proposal)).ticket == "T-9"
    await world.timeline.pass_time(60)
    assert plant.orders == []
    await world.execution.approved(proposal, "boss")
    await world.timeline.pass_time(60)
    assert [order.instance for order in plant.orders] == list(NAMES)
    assert all("approved as T-9" in order.note for order in plant.orders)
    assert len(world.gate.asked) == 1


# ── downstream
async def test_the_order_names_exactly_those_that_were_chosen(world: World, plant: Plant) -> None:
    plant.change("c", status=Status.SUCCESS)
    proposal = await below(world, plant)
    chosen = await world.execution.choose(world.person("chen"), proposal, "failed")
    assert (chosen.affected, [member.instance.id for member in chosen.chosen]) == (4, ["b", "d", "e"])
    await world.execution.confirm(world.person("chen"), proposal)
    await world.timeline.pass_time(60)
    assert [(order.instance, order.instances) for order in plant.orders] == [("a", ("b", "d", "e"))]
    assert await world.state(proposal) == "succeeded"


async def test_it_has_not_succeeded_before_all_that_were_chosen_have(world: World, plant: Plant) -> None:
    """The target may be green while what reads it is red."""
    plant.ends = {"d": Status.FAILED}
    proposal = await below(world, plant)
    await world.execution.confirm(world.person("chen"), proposal)
    await world.timeline.pass_time(60)
    assert (plant.all["a"].status, await world.state(proposal)) == (Status.SUCCESS, "failed")


async def test_who_neither_asked_nor_may_do_it_does_not_choose(world: World, plant: Plant) -> None:
    proposal = await below(world, plant)
    with pytest.raises(Denied):
        await world.execution.choose(world.person("guest"), proposal, "none")
    with pytest.raises(BadInput):
        await world.execution.choose(world.person("chen"), proposal, "'; --")
    assert (await shown(world, proposal)).affected == 5


async def test_nothing_is_chosen_anew_once_it_is_confirmed(world: World, plant: Plant) -> None:
    """What was approved is what runs."""
    world.gate.ticket = "T-1"
    proposal = await below(world, plant)
    await world.execution.confirm(world.person("chen"), proposal)
    with pytest.raises(Stale):
        await world.execution.choose(world.person("chen"), proposal, "none")
    assert len((await shown(world, proposal)).chosen) == 4


async def test_a_change_of_one_that_was_chosen_voids_it_all(world: World, plant: Plant) -> None:
    proposal = await below(world, plant)
    plant.change("e", run_number=2, status=Status.RUNNING)
    with pytest.raises(Stale):
        await world.execution.confirm(world.person("chen"), proposal)
    assert (await world.state(proposal), plant.orders) == ("void", [])


async def test_a_change_of_one_that_was_not_chosen_does_not_matter(world: World, plant: Plant) -> None:
    plant.change("e", status=Status.RUNNING)
    proposal = await below(world, plant)
    plant.change("e", status=Status.SUCCESS)
    await world.execution.confirm(world.person("chen"), proposal)
    await world.timeline.pass_time(60)
    assert [order.instances for order in plant.orders] == [("b", "c", "d")]


# ── days
@pytest.mark.parametrize(("worst", "state"), [(Status.SUCCESS, "succeeded"), (Status.FAILED, "failed")])
async def test_a_backfill_is_followed_until_its_days_have_ended(
    world: World, plant: Plant, worst: Status, state: str
) -> None:
    """An order that was taken proves nothing about the days."""
    made = await world.proposals.propose(
        world.person("boss"), CHAT, Operation.BACKFILL, plant.all["a"], start=date(2026, 11, 1), end=date(2026, 11, 2)
    )
    proposal = await world.show(made)
    task = plant.all["a"].task
    plant.all |= {
        f"day-{day}": replace(
            plant.all["a"],
            id=f"day-{day}",
            task=task,
            status=Status.RUNNING,
            run_type=RunType.BACKFILL,
            business_date=date(2026, 11, day),
        )
        for day in (1, 2)
    }
    await world.execution.confirm(world.person("boss"), proposal)
    await world.timeline.pass_time(60)
    assert (plant.orders[0].start, plant.orders[0].end) == (date(2026, 11, 1), date(2026, 11, 2))
    assert await world.state(proposal) == "following"
    started = world.timeline.now + timedelta(seconds=1)
    plant.change("day-1", status=Status.SUCCESS, started_at=started)
    plant.change("day-2", status=worst, started_at=started)
    await world.timeline.pass_time(60)
    assert await world.state(proposal) == state


async def test_an_older_run_of_the_same_days_proves_nothing(world: World, plant: Plant) -> None:
    """They succeeded long before anybody asked."""
    long_ago = world.timeline.now - timedelta(days=3)
    day = date(2026, 11, 1)
    plant.change("a", business_date=day, status=Status.SUCCESS, started_at=long_ago)
    made = await world.proposals.propose(
        world.person("boss"), CHAT, Operation.BACKFILL, plant.all["a"], start=day, end=day
    )
    proposal = await world.show(made)
    await world.execution.confirm(world.person("boss"), proposal)
    await world.timeline.pass_time(3600)
    assert await world.state(proposal) == "following"


# ── drift
async def test_a_task_that_changed_hands_voids_the_proposal_and_the_card_can_say_what_changed(
    world: World, plant: Plant
) -> None:
    made = await world.proposals.propose(world.person("chen"), CHAT, Operation.RERUN, plant.all["a"])
    proposal = await world.show(made)
    plant.change("a", task=replace(plant.all["a"].task, owners=("李娜",)))
    with pytest.raises(Stale):
        await world.execution.confirm(world.person("chen"), proposal)
    found = (await shown(world, proposal)).found
    assert found
    assert found.task.owners == ("李娜",)


async def test_drift_during_approval_is_found_when_it_is_carried_out(world: World, plant: Plant) -> None:
    """Hours pass between the click and the approval."""
    world.gate.ticket = "T-1"
    made = await world.proposals.propose(world.person("chen"), CHAT, Operation.RERUN, plant.all["a"])
    proposal = await world.show(made)
    await world.execution.confirm(world.person("chen"), proposal)
    plant.change("a", status=Status.SUCCESS, run_number=2)
    await world.timeline.pass_time(7200)
    await world.execution.approved(proposal, "boss")
    await world.timeline.pass_time(60)
    assert (await world.state(proposal), plant.orders) == ("void", [])
    assert world.titles[-1].startswith("void")


async def test_a_batch_whose_turn_was_lost_in_an_outage_goes_on_with_the_sweep(world: World, plant: Plant) -> None:
    """No entry of it is under way that could call the next."""
    proposal = await batch(world, plant)
    await world.execution.confirm(world.person("chen"), proposal)

    def die(order: Order) -> None:
        if order.instance == "b":
            raise Killed

    plant.after = die
    with pytest.raises(Killed):
        await world.timeline.pass_time(60)
    world.timeline.give_up()
    await world.timeline.pass_time(60)
    assert (await world.state(proposal), [order.instance for order in plant.orders]) == ("following", ["a", "b"])
    await world.timeline.pass_time(SILENT.total_seconds())
    assert await world.execution.resume() > 0
    await world.timeline.pass_time(60)
    assert [order.instance for order in plant.orders] == list(NAMES)
    assert await world.state(proposal) == "succeeded"
