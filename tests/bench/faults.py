"""`python -m tests.bench.faults`: what goes wrong between a messenger and X-Ops, and what it costs, as a Markdown table.

Each cell is one real `xops run` (two on PostgreSQL where one is killed) against a messenger on loopback. Three questions,
each about a name of its own, are asked right before the fault and three after it; a question is lost when no answer names
it, doubled when two do. Recovery is the time from the fault until those before it and the first after it are answered.

What a broken connection swallowed is the messenger's to bring again: Feishu does, DingTalk and WeCom's bot gateway do
not. So the fault comes when the questions are journalled, and the next ones are asked once a connection stands again.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from aiohttp.test_utils import unused_port

from tests import postgres
from tests.bench.sides import SIDES, Fault, Side
from tests.e2e.process import Xops, xops
from tests.waiting import eventually

QUESTIONS = 3
PATIENCE = 120.0
"""Seconds after which an answer counts as lost."""

DUPLICATED, KILLED = "duplicate ×5", "replica killed"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a fault cost."""

    lost: int
    doubled: int
    seconds: float

    def __str__(self) -> str:
        """A cell of the table."""
        return f"{self.lost} / {self.doubled} / {self.seconds:.1f} s"


class Questions:
    """Asks about names that nobody else asked about, and counts the answers."""

    def __init__(self, side: Side) -> None:
        self._side = side
        self._numbers = count(1)
        self._asked: list[str] = []

    async def ask(self, times: int = 1) -> str:
        """One question; returns its name."""
        name = f"nosuchtask{next(self._numbers)}x"
        self._asked.append(name)
        await self._side.say(f"/status {name}", times)
        return name

    async def settled(self) -> None:
        """Wait until everything is answered, or lost."""
        with suppress(AssertionError):
            await eventually(lambda: all(map(self._side.answers, self._asked)), within=PATIENCE, every=0.1)

    async def outcome(self, seconds: float) -> Outcome:
        """Wait for what is missing, then for what should not come, and count."""
        await self.settled()
        await self.ask()  # whatever was to come twice has come when a later question is answered
        await eventually(lambda: self._side.answers(self._asked[-1]), within=60)
        counts = [self._side.answers(name) for name in self._asked]
        return Outcome(counts.count(0), sum(number > 1 for number in counts), seconds)


async def duplicated(side: Side, folder: Path) -> Outcome:
    """Every question arrives five times."""
    async with xops(folder, unused_port(), side.settings()) as process:
        await side.connected([process])
        questions, began = Questions(side), time.monotonic()
        for _ in range(QUESTIONS):
            await questions.ask(times=5)
        return await questions.outcome(time.monotonic() - began)


async def broken(side: Side, folder: Path, fault: Fault) -> Outcome:
    """Something breaks while questions are under way."""
    async with xops(folder, unused_port(), side.settings()) as process:
        await side.connected([process])
        questions = Questions(side)
        for _ in range(QUESTIONS):
            await questions.ask()
        await _taken(side, process)
        began = time.monotonic()
        await fault()
        return await _recovered(side, [process], questions, began)


async def killed(side: Side, folder: Path, url: str) -> Outcome:
    """The replica that took the questions dies with them."""
    shared = {**side.settings(), "XOPS_STORAGE__URL": url, "XOPS_STORAGE__LEASE_SECONDS": "3"}
    async with xops(folder, unused_port(), shared) as first:
        await side.connected([first])
        async with xops(folder, unused_port(), shared) as second:
            await side.connected([second, first])
            questions = Questions(side)
            for _ in range(QUESTIONS):
                await questions.ask()
            await _taken(side, first, second)
            began = time.monotonic()
            await first.kill()
            return await _recovered(side, [second], questions, began)


async def _taken(side: Side, *processes: Xops) -> None:
    """Wait until the processes have journalled what was asked: not every messenger waits for an answer to what it brings."""
    taken = f'xops_webhook_total{{channel="{side.channel}",outcome="accepted"}} '

    async def all_taken() -> bool:
        lines = [line for process in processes for line in (await process.metrics()).splitlines()]
        return sum(float(line.removeprefix(taken)) for line in lines if line.startswith(taken)) == QUESTIONS

    await eventually(all_taken, every=0.005)


async def _recovered(side: Side, processes: Sequence[Xops], questions: Questions, began: float) -> Outcome:
    await asyncio.sleep(0.2)  # the messenger's side sees a connection end a moment after it broke
    await side.connected(processes)
    await questions.ask()
    await questions.settled()
    seconds = time.monotonic() - began
    for _ in range(QUESTIONS - 1):
        await questions.ask()
    return await questions.outcome(seconds)


async def cell(side: Side, row: str, server: postgres.Postgres) -> Outcome:
    """One fault on one messenger."""
    with tempfile.TemporaryDirectory() as folder:
        if row == DUPLICATED:
            return await duplicated(side, Path(folder))
        if row == KILLED:
            return await killed(side, Path(folder), server.create())
        return await broken(side, Path(folder), side.faults()[row])


async def main(only: str) -> None:
    """Print the table: `lost / doubled / recovery`, of the cells whose messenger and fault hold `only`."""
    found: dict[tuple[str, str], Outcome] = {}
    with postgres.running() as server:
        for open_side in SIDES:
            async with open_side() as side:
                rows = [(side.name, row) for row in (DUPLICATED, *side.faults(), KILLED)]
            for name, row in rows:
                if only in f"{name} {row}":
                    async with open_side() as side:
                        found[name, row] = await cell(side, row, server)
                    print(f"{name}, {row}: {found[name, row]}", file=sys.stderr, flush=True)
    names, faults = dict.fromkeys(name for name, _ in found), dict.fromkeys(row for _, row in found)
    print(f"| fault | {' | '.join(names)} |\n|---|{'---|' * len(names)}")
    for row in faults:
        print(f"| {row} | {' | '.join(str(found.get((name, row), '–')) for name in names)} |")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else ""))
