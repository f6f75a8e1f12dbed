"""A bot as a process of its own: started on one core, watched through /proc, stopped."""

import asyncio
import os
import socket
import subprocess
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

CORES = sorted(os.sched_getaffinity(0))
BOT_CORE, LOAD_CORE = CORES[0], CORES[-1]
START_SECONDS = 60.0
SETTLED_CPU = 0.1
"""Seconds of CPU in a second: below it, a bot is idle."""


@dataclass(frozen=True, slots=True)
class Running:
    """A bot that is ready. `ready_after` is how many seconds that took."""

    pid: int
    port: int
    ready_after: float

    def cpu(self) -> float:
        """Seconds of CPU it used so far, all threads, user and system."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident(self) -> float:
        """MiB it holds in memory."""
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20

    async def settled(self) -> None:
        """Wait until it has done what it does once after it is ready; it would work meanwhile, only slower."""
        before = -1.0
        while self.cpu() - before > SETTLED_CPU:
            before = self.cpu()
            await asyncio.sleep(1)


def free_port() -> int:
    """A port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def running(
    command: tuple[str, ...], environment: Mapping[str, str], port: int, path: str, log: Path
) -> AsyncGenerator[Running]:
    """Start a bot and wait until it answers.

    Args:
        command: what to run, in the directory of `log`.
        environment: beside the ordinary one.
        port: where it will listen.
        path: of a page that any answer but an error of the server proves ready.
        log: where its output goes.
    """
    os.sched_setaffinity(0, {BOT_CORE})  # inherited by the child
    began = time.perf_counter()
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env={**os.environ, **environment}, cwd=log.parent, stdout=output, stderr=subprocess.STDOUT
        )
    os.sched_setaffinity(0, {LOAD_CORE})
    try:
        await _ready(process, f"http://127.0.0.1:{port}{path}", log)
        yield Running(process.pid, port, time.perf_counter() - began)
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


async def _ready(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    async with aiohttp.ClientSession() as session, asyncio.timeout(START_SECONDS):
        while True:
            if process.poll() is not None:
                raise RuntimeError(f"the bot ended at once; its last words:\n{log.read_text()[-2000:]}")
            try:
                async with session.get(url) as answer:
                    if answer.status < 500:
                        return
            except aiohttp.ClientError:
                await asyncio.sleep(0.01)
