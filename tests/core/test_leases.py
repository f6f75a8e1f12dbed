"""One holder at a time, whatever the replicas do."""

import asyncio

from core.leases import Leases
from core.store import Store


def replicas(store: Store, seconds: float = 60) -> tuple[Leases, Leases]:
    """Two processes on one database."""
    return Leases(store, owner="one", seconds=seconds), Leases(store, owner="two", seconds=seconds)


async def test_one_of_two_holds_a_lease_and_keeps_it(store: Store) -> None:
    one, two = replicas(store)

    assert [await one.hold("bot"), await two.hold("bot"), await one.hold("bot")] == [True, False, True]


async def test_many_at_once_end_with_one_holder(store: Store) -> None:
    held = await asyncio.gather(*(Leases(store, owner=f"{n}", seconds=60).hold("bot") for n in range(8)))

    assert held.count(True) == 1


async def test_a_lease_let_go_is_free_at_once(store: Store) -> None:
    one, two = replicas(store)
    await one.hold("bot")

    await two.release("bot")
    assert not await two.hold("bot")
    await one.release("bot")
    assert await two.hold("bot")


async def test_a_lease_not_renewed_goes_to_another_and_the_first_learns_it(store: Store) -> None:
    silent, two = Leases(store, owner="one", seconds=0), Leases(store, owner="two", seconds=60)

    assert await silent.hold("bot")
    assert await two.hold("bot")
    assert not await silent.hold("bot")


async def test_leases_of_different_names_do_not_meet(store: Store) -> None:
    one, two = replicas(store)

    assert await one.hold("a")
    assert await two.hold("b")
