"""X-Ops as a person starts it: a process of its own, settings from the environment, stopped politely or killed."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from tests.waiting import eventually

ROOT = Path(__file__).parent.parent.parent


class Xops:
    """A running `xops run`.

    Attributes:
        url: where it listens.
        log: file of its standard error.
    """

    def __init__(self, process: asyncio.subprocess.Process, url: str, log: Path) -> None:
        self.process = process
        self.url = url
        self.log = log

    async def ready(self) -> bool:
        """Whether it says so itself."""
        try:
            async with aiohttp.ClientSession() as session, session.get(f"{self.url}/readyz") as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False

    async def metrics(self) -> str:
        """Prometheus' text."""
        async with aiohttp.ClientSession() as session, session.get(f"{self.url}/metrics") as answer:
            return await answer.text()

    async def kill(self) -> None:
        """SIGKILL: nothing is finished, nothing is said."""
        self.process.send_signal(signal.SIGKILL)
        await self.process.wait()

    async def stop(self) -> int:
        """SIGTERM, as an orchestrator does; returns the exit code."""
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
        return await self.process.wait()


@asynccontextmanager
async def xops(folder: Path, port: int, settings: Mapping[str, str]) -> AsyncGenerator[Xops]:
    """Start it, wait until it is ready, and stop it at the end.

    Args:
        folder: working directory; holds the database and the log.
        port: where it shall listen.
        settings: `XOPS_…` variables.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("XOPS_")}
    environment |= {"PYTHONPATH": str(ROOT), "XOPS_SERVER__PORT": str(port), **settings}
    log = folder / f"xops-{port}.log"
    with log.open("ab") as errors:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bots.cli", "run"), cwd=folder, env=environment, stdout=errors, stderr=errors
        )
    running = Xops(process, f"http://127.0.0.1:{port}", log)
    try:
        await eventually(running.ready, within=60, every=0.1)
        yield running
    finally:
        await running.stop()
