"""`python -m tests.bench.following [--seconds N]`: how long until what an event tells can be seen, as a Markdown table.

Every tenth of a second an instance runs, and every fifth of a second another fails, each in a project of its own, while a
thousand events a second of others come in. Seen are: the status, by a mirror that reads the same database from another process
and is asked as soon as the event is acknowledged; and the card of the failure, at a Feishu on loopback whose group hears of
everything. Both from the moment at which the event is sent.
"""

import asyncio
import json
import re
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import aiohttp

from core.errors import NotFound
from core.schedulers.base import Status
from core.store import Store
from tests.bench.__main__ import percentile
from tests.bench.ingest import MIRROR, PATH, TOKEN, body, for_each_database, print_row, taking
from tests.core.event_samples import Json, status_changed
from tests.e2e.process import feishu_settings
from tests.fakes import eventbridge
from tests.fakes.event_stream import mirror
from tests.fakes.eventbridge import EventBridge
from tests.fakes.feishu import FakeFeishu
from tests.fakes.wall_clock import WallClock
from tests.waiting import eventually

HEAD = (
    "database", "background events/s", "statuses", "visible p50 ms", "visible p99 ms", "asked again", "failures", "card p50 ms",
    "card p99 ms", "MiB before", "after",
)  # fmt: skip
RUNNING, FAILED = 4, 5
LIST, EACH = 50, 0.05
"""The background: so many events in a list, and seconds between two lists."""
PATIENCE = 60.0
SUBSCRIPTION = json.dumps([{"channel": "feishu", "chat": "oc_group", "about": "all"}])
NODE = re.compile(r"node_(\d+)")


@dataclass
class Watched:
    """X-Ops from outside.

    Attributes:
        visible: seconds until each status could be seen.
        again: how often it had to be asked for more than once.
        failed_at: when each failure was sent, by its number.
    """

    session: aiohttp.ClientSession
    address: str
    store: Store
    visible: list[float] = field(default_factory=list[float])
    again: int = 0
    background: int = 0
    failed_at: dict[int, float] = field(default_factory=dict[int, float])

    def __post_init__(self) -> None:
        self._mirror = mirror(self.store, WallClock())

    async def post(self, content: bytes) -> None:
        """Send events, and wait until they are acknowledged."""
        async with self.session.post(self.address, data=content) as answer:
            assert answer.status == 200, await answer.text()

    async def run(self, number: int) -> None:
        """An instance runs: how long until the mirror says so?"""
        began = time.perf_counter()
        await self.post(told(f"run-{number}", 10**9 + number, RUNNING))
        while not await self._runs(str(10**9 + number)):
            self.again += 1
        self.visible.append(time.perf_counter() - began)

    async def fail(self, number: int) -> None:
        """An instance fails; its card is looked for later."""
        self.failed_at[number] = time.time()
        more = {"nodeId": f"node_{number}", "appId": 10**6 + number}
        await self.post(told(f"fail-{number}", 2 * 10**9 + number, FAILED, **more))

    async def others(self, number: int) -> None:
        """What else comes in."""
        await self.post(body(number * LIST, LIST))
        self.background += LIST

    async def _runs(self, id: str) -> bool:
        try:
            return (await self._mirror.instance(id)).status is Status.RUNNING
        except NotFound:
            return False


def told(id: str, instance: int, status: int, **more: object) -> bytes:
    """An event of now."""
    event: Json = status_changed(instance, status, int(time.time() * 1000), id)
    event["data"] |= more
    return json.dumps(event).encode()


async def every(seconds: float, until: float, do: Callable[[int], Awaitable[None]]) -> None:
    """Begin something every so many seconds, or as soon as it is done when it takes longer."""
    number = 0
    while time.perf_counter() < until:
        due = asyncio.create_task(asyncio.sleep(seconds))
        await do(number)
        await due
        number += 1


async def rows(database: str, make: Callable[[str], str], seconds: float) -> None:
    """The row of one database."""
    bridge = EventBridge(lambda: datetime.now(UTC))
    with tempfile.TemporaryDirectory() as directory:
        url = make(directory)
        async with FakeFeishu(throttle=False) as feishu, eventbridge.serving(bridge):
            settings = feishu_settings(feishu, "[]", XOPS_SCHEDULERS=MIRROR, XOPS_SUBSCRIPTIONS=SUBSCRIPTION)
            async with taking(url, bridge, directory, **settings) as bot, watching(bot.port, url) as watched:
                await bot.settled()
                before, until = bot.resident(), time.perf_counter() + seconds
                jobs = ((EACH, watched.others), (0.1, watched.run), (0.2, watched.fail))
                await asyncio.gather(*(every(pause, until, do) for pause, do in jobs))
                seen = await cards(feishu, watched.failed_at)
                print_row(database, *cells(watched, seen, seconds), f"{before:.0f}", f"{bot.resident():.0f}")


@asynccontextmanager
async def watching(port: int, url: str) -> AsyncGenerator[Watched]:
    """Look at X-Ops from outside."""
    store = Store(url)
    async with aiohttp.ClientSession() as session:
        yield Watched(session, f"http://127.0.0.1:{port}{PATH}/{TOKEN}", store)
    await store.stop()


async def cards(feishu: FakeFeishu, failed_at: dict[int, float]) -> list[float]:
    """Seconds from each failure to its card."""

    def found() -> dict[int, float]:
        named = ((NODE.search(sent.text), sent.at) for sent in feishu.messages)
        return {int(name[1]): at for name, at in named if name}

    await eventually(lambda: found().keys() >= failed_at.keys(), within=PATIENCE, every=0.5)
    return [at - failed_at[number] for number, at in found().items()]


def cells(watched: Watched, seen: list[float], seconds: float) -> tuple[str, ...]:
    """What was measured, as it stands in the table."""
    return (
        f"{watched.background / seconds:,.0f}",
        f"{len(watched.visible)}",
        f"{percentile(watched.visible, 0.5):.1f}",
        f"{percentile(watched.visible, 0.99):.1f}",
        f"{watched.again}",
        f"{len(seen)}",
        f"{percentile(seen, 0.5):.0f}",
        f"{percentile(seen, 0.99):.0f}",
    )


if __name__ == "__main__":
    asyncio.run(for_each_database("tests.bench.following", HEAD, rows))
