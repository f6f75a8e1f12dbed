"""SIGKILL while events are taken in: nothing acknowledged is lost, and no instance is wrong, before and after redelivery.

The oracle is `InOrder`, which applies one instance's events one after the other by the platform's clock.
"""

import asyncio
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from zlib import crc32

from sqlalchemy import select

from core.events.incoming import Incoming
from core.events.journal import event
from core.schedulers.base import InstanceQuery, RunType, Status
from core.schedulers.mirror import MirrorScheduler
from core.store import Store
from tests.core.test_mirror import fed, many
from tests.core.test_mirror_state import InOrder
from tests.fakes.event_stream import journal, mirror
from tests.fakes.wall_clock import WallClock

ROOT = Path(__file__).parents[2]
INSTANCES = 400
BODY = 3
SENDERS = 8
ENOUGH = 60
"""Bodies that were acknowledged when it is killed, of about four hundred."""


def story() -> list[Incoming]:
    """Four hundred instances' nights, in no order."""
    return sorted(many(INSTANCES), key=lambda one: crc32(one.id.encode()))


async def take(url: str) -> None:
    """Take all of it in, several bodies at once, and write down the first number of each body that is acknowledged."""
    store, told = Store(url), story()
    taken = journal(store, mirror(store, WallClock()))
    bodies = iter(range(0, len(told), BODY))

    async def send() -> None:
        for start in bodies:
            await taken.accept(told[start : start + BODY])
            sys.stdout.write(f"{start}\n")
            sys.stdout.flush()

    await asyncio.gather(*(send() for _ in range(SENDERS)))


async def killed(url: str) -> set[int]:
    """Numbers of the events that a process acknowledged before it was killed in the middle."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.core.test_mirror_kill", url), cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    lines = [await process.stdout.readline() for _ in range(ENOUGH)]
    process.kill()
    lines += (await process.stdout.read()).splitlines()
    await process.wait()
    return {int(line) + number for line in lines for number in range(BODY)}


async def stored(store: Store) -> list[str]:
    """Ids in the journal."""
    return await store.read(lambda connection: list(connection.scalars(select(event.c.id))))


async def shown(subject: MirrorScheduler) -> dict[str, tuple[Status, int]]:
    """Status and number of runs of every instance."""
    page = await subject.instances(InstanceQuery(run_types=frozenset(RunType), limit=INSTANCES + 1))
    return {one.id: (one.status, one.run_number) for one in page.items}


def modelled(events: Iterable[Incoming]) -> dict[str, tuple[Status, int]]:
    """What it must be, by applying the events of each instance in order."""
    apart: defaultdict[str, list[Incoming]] = defaultdict(list)
    for one in events:
        assert one.body is not None
        apart[one.body.subjects[0][1]].append(one)
    return {id: _after(some) for id, some in apart.items()}


def _after(events: Sequence[Incoming]) -> tuple[Status, int]:
    end = InOrder(events)
    return end.status, len(end.runs)


async def test_a_kill_in_the_middle_loses_nothing_acknowledged_and_leaves_no_instance_wrong(
    store: Store, database_url: str
) -> None:
    """What is stored is applied, whole; the sender repeats everything in another order; a replay on top changes nothing."""
    told = story()
    acknowledged = await killed(database_url)
    kept = set(await stored(store))
    assert ENOUGH * BODY <= len(acknowledged) < len(told), "killed in the middle"
    assert {told[number].id for number in acknowledged} <= kept
    half = mirror(store, WallClock())
    assert await shown(half) == modelled(one for one in told if one.id in kept)
    again = await fed(store, told[::-1], 7, 200, 1)
    assert sorted(await stored(store)) == sorted(one.id for one in told), "each once"
    assert await shown(again) == modelled(told)
    rebuilt = journal(store, again)
    async for bite in rebuilt.stored(datetime(2000, 1, 1, tzinfo=UTC)):
        await rebuilt.apply_again(bite)
    assert await shown(again) == modelled(told)


if __name__ == "__main__":
    asyncio.run(take(sys.argv[1]))
