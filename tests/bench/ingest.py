"""`python -m tests.bench.ingest [--seconds N]`: how many DataWorks events X-Ops takes in over HTTP, as a Markdown table.

One `xops run` process on one core; the sender on the other, over keep-alive connections, and PostgreSQL where it likes. What
the sender costs stands in a column of its own. Every event is new, answered only once it is committed, and counted in the
database at the end. Each instance waits, runs and succeeds; where there is a mirror, this is applied to it in the same
transaction. `tests.bench.following` measures what comes after.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from sqlalchemy import create_engine, text

from core.store import Store
from tests import postgres
from tests.bench.__main__ import percentile
from tests.bench.process import Running, free_port, running
from tests.core.event_samples import status_changed
from tests.fakes import eventbridge
from tests.fakes.eventbridge import EventBridge

PUBLIC = "https://xops.example.com"
PATH = "/events/dataworks"
TOKEN = "bench-path-token"
MIRROR = json.dumps([{"name": "prod", "kind": "mirror", "source": "dataworks"}])
HEAD = (
    "database", "mirror", "way in", "events a body", "in flight", "events/s", "ack p50 ms", "ack p99 ms", "CPU µs/event",
    "sender's", "MiB before", "middle", "after", "all stored",
)  # fmt: skip
STATUSES = (3, 4, 6)
"""Waits for resources, runs, has succeeded: what each instance tells."""

_MARK, _TASK, _CODE, _TIME = "NUMBER", 1_111_111_111, 2_222_222_222, 3_333_333_333
_TEMPLATE = json.dumps(status_changed(_TASK, _CODE, _TIME, f"539fd8f4-4ea1-4625-aa8b-{_MARK}"))


@dataclass(frozen=True, slots=True)
class Way:
    """One way in, how hard it is used, and whether there is a mirror."""

    name: str
    size: int
    in_flight: int
    mirror: bool = False

    @property
    def path(self) -> str:
        """Where it is."""
        return PATH if self.name == "signed" else f"{PATH}/{TOKEN}"


WAYS = (
    Way("signed", 100, 4),
    Way("path token", 1, 32),
    Way("signed", 100, 4, mirror=True),
    Way("path token", 1, 32, mirror=True),
)


@dataclass(slots=True)
class Sent:
    """What became of the requests of one run."""

    acks: list[float] = field(default_factory=list[float])
    events: int = 0
    refused: int = 0


def body(first: int, size: int) -> bytes:
    """So many new events."""
    now = int(time.time() * 1000)
    events = (
        event(number, number // len(STATUSES), STATUSES[number % 3], now) for number in range(first, first + size)
    )
    return f"[{','.join(events)}]".encode() if size > 1 else next(events).encode()


def event(number: int, instance: int, code: int, now: int) -> str:
    """That an instance has a status; building it from parts would cost more than taking it in."""
    told = _TEMPLATE.replace(_MARK, f"{number:012}").replace(str(_TASK), str(instance))
    return told.replace(str(_CODE), str(code)).replace(str(_TIME), str(now))


def request(way: Way, bridge: EventBridge, content: bytes) -> bytes:
    """The whole request."""
    signed: Mapping[str, str] = bridge.signed(PUBLIC + PATH, content) if way.name == "signed" else {}
    lines = "".join(f"{name}: {value}\r\n" for name, value in {"Content-Type": "application/json", **signed}.items())
    return f"POST {way.path} HTTP/1.1\r\nHost: x\r\n{lines}Content-Length: {len(content)}\r\n\r\n".encode() + content


async def send(port: int, make: Callable[[], bytes], way: Way, until: float, sent: Sent) -> None:
    """One connection's requests, each after the answer to the one before."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while time.perf_counter() < until:
        whole = make()
        began = time.perf_counter()
        writer.write(whole)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        await reader.readexactly(length)
        sent.acks.append(time.perf_counter() - began)
        if head.startswith(b"HTTP/1.1 200"):
            sent.events += way.size
        else:
            sent.refused += 1
    writer.close()


async def measure(
    way: Way, bot: Running, bridge: EventBridge, seconds: float, numbers: "count[int]"
) -> tuple[Sent, list[str]]:
    """What was sent, and the cells of the row that measuring gives."""
    sent = Sent()

    def make() -> bytes:
        return request(way, bridge, body(next(numbers) * way.size, way.size))

    await bot.settled()
    before = bot.resident()
    cpu, own, began = bot.cpu(), time.process_time(), time.perf_counter()
    senders = [send(bot.port, make, way, began + seconds, sent) for _ in range(way.in_flight)]
    middle = asyncio.create_task(_later(seconds / 2, bot.resident))
    await asyncio.gather(*senders)
    took = time.perf_counter() - began
    cells = (
        f"{sent.events / took:,.0f}",
        f"{percentile(sent.acks, 0.5):.1f}",
        f"{percentile(sent.acks, 0.99):.1f}",
        f"{(bot.cpu() - cpu) / max(sent.events, 1) * 1e6:.0f}",
        f"{(time.process_time() - own) / max(sent.events, 1) * 1e6:.0f}",
        f"{before:.0f}",
        f"{await middle:.0f}",
        f"{bot.resident():.0f}",
    )
    return sent, list(cells)


async def _later(seconds: float, look: Callable[[], float]) -> float:
    await asyncio.sleep(seconds)
    return look()


def stored(url: str) -> int:
    """Events in the database."""
    engine = create_engine(Store(url).url)
    try:
        with engine.connect() as connection:
            return connection.scalar(text("SELECT count(*) FROM event")) or 0
    finally:
        engine.dispose()


@asynccontextmanager
async def taking(url: str, bridge: EventBridge, directory: str, **more: str) -> AsyncGenerator[Running]:
    """X-Ops with both ways in open, and more settings."""
    port = free_port()
    settings = {
        "XOPS_STORAGE__URL": url,
        "XOPS_SERVER__PORT": str(port),
        "XOPS_SERVER__PUBLIC_URL": PUBLIC,
        "XOPS_EVENTS__EVENTBRIDGE_REGION": "cn-shanghai",
        "XOPS_EVENTS__EVENTBRIDGE_CERTIFICATES": f"{bridge.certificates}/",
        "XOPS_EVENTS__PATH_TOKEN": TOKEN,
        "XOPS_LOG_LEVEL": "error",
        **more,
    }
    command = (str(Path(sys.executable).with_name("xops")), "run")
    async with running(command, settings, port, "/readyz", Path(directory, "bot.log")) as bot:
        yield bot


async def bench(database: str, make: Callable[[str], str], seconds: float) -> None:
    """The rows of one database.

    Args:
        database: what it is called.
        make: an empty one for each row, in a directory of the row's own.
        seconds: for each row.
    """
    bridge = EventBridge(lambda: datetime.now(UTC))
    async with eventbridge.serving(bridge):
        for way in WAYS:
            with tempfile.TemporaryDirectory() as directory:
                url = make(directory)
                mirror = {"XOPS_SCHEDULERS": MIRROR} if way.mirror else {}
                async with taking(url, bridge, directory, **mirror) as bot:
                    sent, cells = await measure(way, bot, bridge, seconds, count(1))
                    whole = "yes" if stored(url) == sent.events else "no"
                    refused = f", {sent.refused} refused" if sent.refused else ""
            mirrored = "yes" if way.mirror else "no"
            print_row(database, mirrored, way.name, str(way.size), str(way.in_flight), *cells, whole + refused)


def print_row(*cells: str) -> None:
    """One row of a Markdown table."""
    print(f"| {' | '.join(cells)} |", flush=True)


async def for_each_database(
    prog: str, head: Sequence[str], rows: Callable[[str, Callable[[str], str], float], Awaitable[None]]
) -> None:
    """Read the arguments, and print the table of a measurement.

    Args:
        prog: what is run.
        head: of the table.
        rows: measures: a database's name, what makes an empty one in a directory, seconds for each row.
    """
    parser = argparse.ArgumentParser(prog=f"python -m {prog}")
    parser.add_argument("--seconds", type=float, default=60.0, help="for each row")
    parser.add_argument("--only", choices=("sqlite", "postgresql"), help="one database")
    arguments = parser.parse_args()
    print_row(*head)
    print(f"|{'---|' * len(head)}", flush=True)
    if arguments.only != "postgresql":
        await rows("SQLite", lambda directory: f"sqlite:///{directory}/bench.sqlite", arguments.seconds)
    if arguments.only != "sqlite":
        with postgres.running() as server:
            await rows("PostgreSQL", lambda _: server.create(), arguments.seconds)


if __name__ == "__main__":
    asyncio.run(for_each_database("tests.bench.ingest", HEAD, bench))
