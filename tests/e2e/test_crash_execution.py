"""An execution killed at each of its steps: the order is carried out at most once, and in the end the card tells the truth.

All steps of one database die of one kill: each proposal is about an instance of its own and is held at a step of its own, by
the scheduler or the messenger it talks to. Nothing in the product knows of it.
"""

import asyncio
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sqlalchemy import func, select

from core.audit import audit
from core.proposals import proposal
from core.store import Store
from tests.e2e.test_crash import LEASE, ROOT, Replica
from tests.fakes.workshop import Workshop
from tests.waiting import eventually


@dataclass(frozen=True, slots=True)
class Step:
    """Where an execution dies.

    Attributes:
        place: where the workshop holds it; see there.
        state: what the database says when it dies.
        end: what it comes to afterwards.
        orders: how often the scheduler has run it, in the end.
    """

    place: str
    state: str
    end: str
    orders: int


STEPS: Mapping[str, Step] = {
    "decided-not-queued": Step("card confirmed", "confirmed", "succeeded", 1),
    "before-the-claim": Step("look 2", "confirmed", "succeeded", 1),
    "after-the-claim": Step("card executing", "executing", "lost", 0),
    "call-not-arrived": Step("order arrives", "executing", "lost", 0),
    "call-not-answered": Step("order done", "executing", "succeeded", 1),
    "recorded-not-shown": Step("card following", "following", "succeeded", 1),
    "shown-not-followed": Step("look 3", "following", "succeeded", 1),
    "ended-not-shown": Step("card succeeded", "succeeded", "succeeded", 1),
    "over": Step("look 99", "succeeded", "succeeded", 1),
}


@asynccontextmanager
async def executor(url: str, workshop: Workshop) -> AsyncGenerator[Replica]:
    """The process; killed in the end."""
    pipe = asyncio.subprocess.PIPE
    arguments = (url, workshop.url, str(LEASE), *STEPS)
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.e2e.executor", *arguments), stdin=pipe, stdout=pipe, cwd=ROOT
    )
    replica = Replica(child)
    try:
        await replica.says("up")
        yield replica
    finally:
        await replica.kill()


async def test_whatever_step_it_dies_at_it_is_done_at_most_once_and_told_truly(database_url: str) -> None:
    """About ten seconds: two processes that load everything, and two minutes of a fast clock for what shows no sign."""
    store = Store(database_url)
    async with Workshop() as workshop:
        for name, step in STEPS.items():
            workshop.hold(name, step.place)
        async with executor(database_url, workshop) as first:
            ids = await proposed(first)
            for name, id_ in ids.items():
                await first.order("confirm", name, id_)
            await asyncio.gather(*(workshop.held(name) for name in STEPS if name != "over"))
            await eventually(lambda: workshop.cards.get("over", [])[-1:] == ["succeeded"])
            assert await states(store, ids) == {name: step.state for name, step in STEPS.items()}
            await first.kill()
        workshop.let_all_through()
        async with executor(database_url, workshop):
            ends = {name: step.end for name, step in STEPS.items()}

            async def all_over() -> bool:
                return (
                    await states(store, ids) == ends
                    and {name: said[-1] for name, said in workshop.cards.items()} == ends
                )

            await eventually(all_over, within=60)
    assert {name: workshop.orders[name] for name in STEPS} == {name: step.orders for name, step in STEPS.items()}
    assert await claims(store) == len(STEPS), "each was claimed once"
    await store.stop()


async def proposed(process: Replica) -> dict[str, str]:
    """A proposal for each instance; gives their ids."""
    for name in STEPS:
        await process.order("propose", name)
    await eventually(lambda: len(process.heard("proposed")) == len(STEPS))
    return dict(line.split()[1:] for line in process.heard("proposed"))


async def states(store: Store, ids: Mapping[str, str]) -> dict[str, str]:
    """What the database says of each."""
    rows = await store.read(lambda connection: connection.execute(select(proposal.c.id, proposal.c.state)).all())
    found = {row.id: row.state for row in rows}
    return {name: found[id_] for name, id_ in ids.items()}


async def claims(store: Store) -> int:
    """How often a claim is on record."""
    query = select(func.count()).where(audit.c.outcome == "executing")
    return await store.read(lambda connection: connection.scalar(query)) or 0
