"""`python -m tests.bench.start`: a start with all three long connections, and one with all six schedulers, as Markdown tables.

Seconds until `/readyz` answers, until each messenger's connection stands, and what the process holds in memory then. Schedulers
that hang or refuse must not make it later.
"""

import asyncio
import json
import os
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from statistics import median

from aiohttp.test_utils import unused_port

from tests.bench.sides import Side, dingtalk, feishu, wecom_bot
from tests.e2e.process import QUICK, Xops, xops
from tests.fakes.aliyun import Fault
from tests.fakes.six import Six, six

REPEATS = 5
Break = Callable[[Six], None]
Start = Callable[[Path], Awaitable[tuple[float, ...]]]


async def connections(folder: Path) -> tuple[float, ...]:
    """One start with the messengers: seconds to ready, seconds to the last connection, MiB then."""
    async with AsyncExitStack() as stack:
        sides: list[Side] = [
            await stack.enter_async_context(open_side()) for open_side in (feishu, dingtalk, wecom_bot)
        ]
        settings = {name: value for side in sides for name, value in side.settings().items()}
        settings["XOPS_PEOPLE"] = json.dumps([{"name": "chen", "role": "operator", "projects": ["*"]}])
        began = time.perf_counter()
        process = await stack.enter_async_context(xops(folder, unused_port(), settings))
        ready = time.perf_counter() - began
        await asyncio.gather(*(side.connected([process]) for side in sides))
        return ready, time.perf_counter() - began, _resident(process)


async def schedulers(folder: Path, all_six: Six | None) -> tuple[float, ...]:
    """One start with schedulers: seconds to ready, MiB then."""
    settings = {"XOPS_SCHEDULERS": all_six.settings() if all_six else QUICK}
    began = time.perf_counter()
    async with xops(folder, unused_port(), settings) as process:
        return time.perf_counter() - began, _resident(process)


async def of_six(folder: Path, broken: Break) -> tuple[float, ...]:
    """The same with all six kinds, some of them broken."""
    async with six() as all_six:
        broken(all_six)
        try:
            return await schedulers(folder, all_six)
        finally:
            all_six.dolphin.open.set()


def _whole(_: Six) -> None:
    """Nothing is broken."""


def _hanging(all_six: Six) -> None:
    """Two do not answer."""
    all_six.dataworks.slow = asyncio.Event()
    all_six.dolphin.open.clear()


def _refusing(all_six: Six) -> None:
    """Two refuse."""
    all_six.dataworks.faults = [Fault(403, "NoPermission")] * 100
    all_six.dolphin.token = "another"


def _resident(process: Xops) -> float:
    pages = int(Path(f"/proc/{process.process.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


async def _medians(*starts: Start) -> list[list[float]]:
    """Of each way to start; they take turns, so that what else the machine does falls on all alike."""
    runs: list[list[tuple[float, ...]]] = [[] for _ in starts]
    for _ in range(REPEATS):
        for start, found in zip(starts, runs, strict=True):
            with tempfile.TemporaryDirectory() as folder:
                found.append(await start(Path(folder)))
    return [[median(column) for column in zip(*found, strict=True)] for found in runs]


async def main() -> None:
    """Print the medians."""
    print("| messengers | ready s | all connected s | RSS MiB |\n|---|---:|---:|---:|")
    ((ready, connected, resident),) = await _medians(connections)
    print(
        f"| Feishu, DingTalk and the WeCom bot, each by its long connection | {ready:.1f} | {connected:.1f} | {resident:.0f} |"
    )
    print("\n| schedulers | ready s | RSS MiB |\n|---|---:|---:|")
    ways: dict[str, Start] = {
        "the embedded one": lambda folder: schedulers(folder, None),
        "all six kinds": lambda folder: of_six(folder, _whole),
        "all six, two of them hang": lambda folder: of_six(folder, _hanging),
        "all six, two of them refuse": lambda folder: of_six(folder, _refusing),
    }
    for name, (ready, resident) in zip(ways, await _medians(*ways.values()), strict=True):
        print(f"| {name} | {ready:.1f} | {resident:.0f} |")


if __name__ == "__main__":
    asyncio.run(main())
