"""`python -m tests.bench.ingest [--seconds N]`: how many DataWorks events X-Ops takes in over HTTP, as a Markdown table.

One `xops run` process on one core, the sender on another, over keep-alive connections; every event is new, answered only
once it is committed, and counted in the database at the end. Memory is read when a third of the time is over, and at the
end.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Callable, Mapping
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
HEAD = (
    "database", "way in", "events a body", "in flight", "events/s", "ack p50 ms", "ack p99 ms", "CPU µs/event",
    "MiB early", "MiB late", "all stored",
)  # fmt: skip

_MARK = "NUMBER"
_TEMPLATE = json.dumps(status_changed(0, 4, 1652700577000, f"539fd8f4-4ea1-4625-aa8b-{_MARK}"))


@dataclass(frozen=True, slots=True)
class Way:
    """One way in, and how hard it is used."""

    name: str
    size: int
    in_flight: int


WAYS = (Way("signed", 100, 4), Way("path token", 100, 4), Way("path token", 1, 32), Way("path token", 1, 1))


@dataclass(slots=True)
class Sent:
    """What became of the requests of one run."""

    acks: list[float] = field(default_factory=list[float])
    events: int = 0
    refused: int = 0


def body(first: int, size: int) -> bytes:
    """So many new events."""
    events = (_TEMPLATE.replace(_MARK, f"{number:012}") for number in range(first, first + size))
    return f"[{','.join(events)}]".encode() if size > 1 else next(events).encode()


def request(way: Way, bridge: EventBridge, content: bytes) -> bytes:
    """The whole request."""
    signed: Mapping[str, str] = bridge.signed(PUBLIC + PATH, content) if way.name == "signed" else {}
    path = PATH if signed else f"{PATH}/{TOKEN}"
    lines = "".join(f"{name}: {value}\r\n" for name, value in {"Content-Type": "application/json", **signed}.items())
    return f"POST {path} HTTP/1.1\r\nHost: x\r\n{lines}Content-Length: {len(content)}\r\n\r\n".encode() + content


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

    cpu, began = bot.cpu(), time.perf_counter()
    senders = [send(bot.port, make, way, began + seconds, sent) for _ in range(way.in_flight)]
    early = asyncio.create_task(_later(seconds / 3, bot.resident))
    await asyncio.gather(*senders)
    took = time.perf_counter() - began
    cells = (
        f"{sent.events / took:,.0f}",
        f"{percentile(sent.acks, 0.5):.1f}",
        f"{percentile(sent.acks, 0.99):.1f}",
        f"{(bot.cpu() - cpu) / max(sent.events, 1) * 1e6:.0f}",
        f"{await early:.0f}",
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
async def taking(url: str, bridge: EventBridge, directory: str) -> AsyncGenerator[Running]:
    """X-Ops with both ways in open."""
    port = free_port()
    settings = {
        "XOPS_STORAGE__URL": url,
        "XOPS_SERVER__PORT": str(port),
        "XOPS_SERVER__PUBLIC_URL": PUBLIC,
        "XOPS_EVENTS__EVENTBRIDGE_REGION": "cn-shanghai",
        "XOPS_EVENTS__EVENTBRIDGE_CERTIFICATES": f"{bridge.certificates}/",
        "XOPS_EVENTS__PATH_TOKEN": TOKEN,
        "XOPS_LOG_LEVEL": "error",
    }
    command = (str(Path(sys.executable).with_name("xops")), "run")
    async with running(command, settings, port, "/readyz", Path(directory, "bot.log")) as bot:
        yield bot


async def bench(database: str, url: str, seconds: float) -> None:
    """The rows of one database."""
    bridge = EventBridge(lambda: datetime.now(UTC))
    async with eventbridge.serving(bridge):
        for way in WAYS:
            with tempfile.TemporaryDirectory() as directory:
                own = url or f"sqlite:///{directory}/bench.sqlite"
                async with taking(own, bridge, directory) as bot:
                    before = stored(own)
                    numbers = count(1 + WAYS.index(way) * 10**8)  # each row's events are its own
                    sent, cells = await measure(way, bot, bridge, seconds, numbers)
                    whole = "yes" if stored(own) - before == sent.events else "no"
                    refused = f", {sent.refused} refused" if sent.refused else ""
            row = (database, way.name, str(way.size), str(way.in_flight), *cells, whole + refused)
            print(f"| {' | '.join(row)} |", flush=True)


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.ingest", description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0, help="for each row")
    parser.add_argument("--only", choices=("sqlite", "postgresql"), help="one database")
    arguments = parser.parse_args()
    print(f"| {' | '.join(HEAD)} |\n|---|---|{'---:|' * (len(HEAD) - 3)}---|", flush=True)
    if arguments.only != "postgresql":
        asyncio.run(bench("SQLite", "", arguments.seconds))
    if arguments.only != "sqlite":
        with postgres.running() as server:
            asyncio.run(bench("PostgreSQL", server.create(), arguments.seconds))


if __name__ == "__main__":
    main()
