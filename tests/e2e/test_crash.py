"""Real processes, killed as a machine kills them: nothing acknowledged is lost, and nothing is done twice without need."""

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select

from core.replicas import replica as beats
from core.store import Store
from tests.waiting import eventually

ROOT = Path(__file__).parents[2]
LEASE = 1.0
"""Seconds; production has fifteen."""


class Replica:
    """A child process and what it said."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.said: list[str] = []
        self._listening = asyncio.create_task(self._listen())

    async def order(self, *words: str) -> None:
        """Tell it to do something."""
        assert self._process.stdin is not None
        self._process.stdin.write((" ".join(words) + "\n").encode())
        await self._process.stdin.drain()

    async def says(self, line: str) -> None:
        """Wait until it said this."""

        def heard() -> bool:
            assert self._process.returncode is None, f"it ended, after {self.said}"
            return line in self.said

        await eventually(heard)

    def heard(self, word: str) -> list[str]:
        """All it said that begins with this word."""
        return [line for line in self.said if line.startswith(f"{word} ")]

    async def kill(self) -> None:
        """End it with no chance to do anything."""
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
        await self._listening

    async def _listen(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            self.said.append(line.decode().strip())


@asynccontextmanager
async def alive(url: str, *flags: str, module: str = "tests.e2e.replica") -> AsyncGenerator[list[Replica]]:
    """Processes started at once, one for each set of flags; killed in the end."""
    pipe = asyncio.subprocess.PIPE
    replicas: list[Replica] = []
    try:
        for some in flags:
            command = (sys.executable, "-m", module, url, str(LEASE), *some.split())
            child = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, cwd=ROOT)
            replicas.append(Replica(child))
        for replica in replicas:
            await replica.says("up")
        yield replicas
    finally:
        for replica in replicas:
            await replica.kill()


async def test_what_was_accepted_is_answered_after_a_kill(database_url: str) -> None:
    """`m-1` dies while it is handled, `m-2` between its acknowledgement and its turn."""
    async with alive(database_url, "hang") as (first,):
        await first.order("accept", "m-1")
        await first.order("accept", "m-2")
        await first.says("accepted m-2")
        await first.says("began feishu:m-1")
        await first.kill()
    assert "began feishu:m-2" not in first.said
    async with alive(database_url, "") as (second,):
        await second.says("done feishu:m-2")
        await second.order("accept", "m-1")  # the messenger saw no acknowledgement and sends it again
        await second.order("accept", "m-3")
        await second.says("done feishu:m-3")
    assert second.said.index("done feishu:m-1") < second.said.index("done feishu:m-2")
    assert [times(f"done feishu:m-{number}", first, second) for number in (1, 2, 3)] == [1, 1, 1]


async def test_work_interrupted_by_a_kill_is_done_after_the_restart(sqlite_url: str) -> None:
    async with alive(sqlite_url, "hang") as (first,):
        await first.order("submit", "w-1")
        await first.says("began w-1")
        await first.kill()
    async with alive(sqlite_url, "") as (second,):
        await second.says("done w-1")
        await second.order("submit", "w-1")
        await second.says("submitted w-1 no")
        await second.order("submit", "w-2")
        await second.says("done w-2")
    assert times("done w-1", first, second) == 1


async def test_a_living_replica_takes_over_the_messages_of_a_killed_one(postgres_url: str) -> None:
    async with alive(postgres_url, "hang", "") as (dying, living):
        for number in range(5):
            await dying.order("accept", f"m-{number}")
        await dying.says("accepted m-4")
        await dying.kill()
        for number in range(5):
            await living.says(f"done feishu:m-{number}")
    assert [times(f"done feishu:m-{number}", living) for number in range(5)] == [1, 1, 1, 1, 1]


async def test_a_living_replica_takes_over_the_work_of_a_killed_one(postgres_url: str) -> None:
    """But not of one that lives: both work on for two leases, and nothing is begun twice."""
    store, submitted = Store(postgres_url), list[str]()
    async with alive(postgres_url, "hang", "") as (dying, living):

        async def both_have_some() -> bool:
            submitted.append(f"w-{len(submitted)}")
            await living.order("submit", submitted[-1])
            await living.says(f"submitted {submitted[-1]} yes")
            return bool(begun(dying) and begun(living))

        await eventually(both_have_some)
        start = await beat(store)

        async def two_leases_passed() -> bool:
            return await beat(store) > start + timedelta(seconds=2 * LEASE)

        await eventually(two_leases_passed)
        await eventually(lambda: len(begun(dying, living)) == len(submitted))
        await dying.kill()
        for id in submitted:
            await living.says(f"done {id}")
    assert len(begun(living)) == len(submitted)
    assert len(set(begun(living))) == len(submitted)
    await store.stop()


async def test_two_replicas_do_what_both_submit_once(postgres_url: str) -> None:
    ids = [f"w-{number}" for number in range(20)]
    async with alive(postgres_url, "", "") as (one, other):
        for id in ids:
            await asyncio.gather(one.order("submit", id), other.order("submit", id))
        for replica in (one, other):
            await eventually(lambda replica=replica: len(replica.heard("submitted")) == len(ids))
        await eventually(lambda: len(one.heard("done") + other.heard("done")) >= len(ids))
    assert sorted(one.heard("done") + other.heard("done")) == sorted(f"done {id}" for id in ids)
    assert [times(f"submitted {id} yes", one, other) for id in ids] == [1] * len(ids)


async def test_a_slot_of_a_schedule_is_done_once_by_two_replicas(postgres_url: str) -> None:
    async with alive(postgres_url, "cron", "cron") as (one, other):
        await eventually(lambda: len(one.heard("done") + other.heard("done")) >= 4)
    slots = one.heard("began") + other.heard("began")
    assert len(set(slots)) == len(slots)


def times(line: str, *replicas: Replica) -> int:
    """How often this was said, by all together."""
    return sum(replica.said.count(line) for replica in replicas)


def begun(*replicas: Replica) -> list[str]:
    """What was begun, by all together."""
    return [line for replica in replicas for line in replica.heard("began")]


async def beat(store: Store) -> datetime:
    """The least recent sign of life of any replica."""
    query = select(func.min(beats.c.beat_at))
    return await store.read(lambda connection: connection.execute(query).scalar_one())
