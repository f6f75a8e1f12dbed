"""`python -m tests.bench.start`: a start with all three long connections, as a Markdown table.

Seconds until `/readyz` answers, until each messenger's connection stands, and what the process holds in memory then.
"""

import asyncio
import json
import os
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path
from statistics import median

from aiohttp.test_utils import unused_port

from tests.bench.sides import Side, dingtalk, feishu, wecom_bot
from tests.e2e.process import Xops, xops

REPEATS = 5


async def start(folder: Path) -> tuple[float, ...]:
    """One start: seconds to ready, seconds to the last connection, MiB then."""
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


def _resident(process: Xops) -> float:
    pages = int(Path(f"/proc/{process.process.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


async def main() -> None:
    """Print the medians."""
    runs: list[tuple[float, ...]] = []
    for _ in range(REPEATS):
        with tempfile.TemporaryDirectory() as folder:
            runs.append(await start(Path(folder)))
    ready, connected, resident = (median(column) for column in zip(*runs, strict=True))
    print("| messengers | ready s | all connected s | RSS MiB |\n|---|---:|---:|---:|")
    print(
        f"| Feishu, DingTalk and the WeCom bot, each by its long connection | {ready:.1f} | {connected:.1f} | {resident:.0f} |"
    )


if __name__ == "__main__":
    asyncio.run(main())
