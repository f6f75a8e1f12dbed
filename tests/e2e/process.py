"""X-Ops as a person starts it: a process of its own, settings from the environment, stopped politely or killed."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from tests.fakes.feishu import FakeFeishu
from tests.waiting import eventually

ROOT = Path(__file__).parent.parent.parent
QUICK = json.dumps([{"name": "demo", "kind": "simulated", "speed": 600}])
"""The simulated night, ten times faster than a person would like to watch."""


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
        assert self.process.returncode is None, self.log.read_text()
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


def feishu_settings(feishu: FakeFeishu, people: str, **more: str) -> dict[str, str]:
    """Settings of an assistant that serves the fake's app.

    Args:
        feishu: the platform.
        people: as JSON.
        more: further `XOPS_…` variables.
    """
    app = feishu.settings
    return {
        "XOPS_FEISHU__APP_ID": app.app_id,
        "XOPS_FEISHU__APP_SECRET": app.app_secret.get_secret_value(),
        "XOPS_FEISHU__MODE": app.mode,
        "XOPS_FEISHU__ENCRYPT_KEY": app.encrypt_key.get_secret_value(),
        "XOPS_FEISHU__VERIFICATION_TOKEN": app.verification_token.get_secret_value(),
        "XOPS_FEISHU__DOMAIN": app.domain,
        "XOPS_PEOPLE": people,
        "XOPS_SCHEDULERS": QUICK,
        **more,
    }


async def command(folder: Path, settings: Mapping[str, str], *arguments: str) -> tuple[int, str]:
    """Run `xops` with these arguments to its end; gives the exit code and what it printed.

    Args:
        folder: working directory; holds the database.
        settings: `XOPS_…` variables.
        arguments: e.g. `ask`, `--json`, and a question.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bots.cli", *arguments),
        cwd=folder,
        env=_environment(settings),
        stdout=asyncio.subprocess.PIPE,
    )
    printed, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, printed.decode()


@asynccontextmanager
async def xops(folder: Path, port: int, settings: Mapping[str, str]) -> AsyncGenerator[Xops]:
    """Start it, wait until it is ready, and stop it at the end.

    Args:
        folder: working directory; holds the database and the log.
        port: where it shall listen.
        settings: `XOPS_…` variables.
    """
    environment = _environment({"XOPS_SERVER__PORT": str(port), **settings})
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


def _environment(settings: Mapping[str, str]) -> dict[str, str]:
    """This process's environment without its own settings."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("XOPS_")}
    return {**inherited, "PYTHONPATH": str(ROOT), **settings}
