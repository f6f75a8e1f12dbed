"""The load: so many messages in flight, the next one sent when the last one was answered, and the stopwatch on both."""

import asyncio
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass

from tests.bench.events import Event
from tests.bench.messengers import Platform

ANSWER_SECONDS = 10.0
"""How long one message may stay unanswered before it counts as lost."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One message: seconds until the webhook was acknowledged, and until the answer reached the platform."""

    ack: float
    reply: float | None


@dataclass(frozen=True, slots=True)
class Load:
    """What to send where.

    Attributes:
        path: of the webhook.
        proof: what a right answer holds.
        first: number of the first message; no number is used twice against one process.
    """

    port: int
    path: str
    event: Event
    proof: bytes
    in_flight: int
    messages: int
    seconds: float
    first: int


async def drive(load: Load, platform: Platform) -> tuple[list[Sample], float]:
    """Send everything, or as much as the time allows; the samples, and how many seconds it took."""
    numbers = range(load.first, load.first + load.messages)
    requests = [_request(load, number, _place(load, number)) for number in numbers]
    started = time.perf_counter()
    slices = [list(zip(numbers, requests, strict=True))[lane :: load.in_flight] for lane in range(load.in_flight)]
    workers = (_converse(load, platform, part, started + load.seconds) for part in slices)
    samples = [sample for found in await asyncio.gather(*workers) for sample in found]
    return samples, time.perf_counter() - started


def _place(load: Load, number: int) -> int:
    """Each worker talks in two chats of its own, so an answer in a chat is the answer to what was last said there."""
    return (number - load.first) % (2 * load.in_flight)


def _request(load: Load, number: int, place: int) -> bytes:
    wire = load.event(number, place)
    lines = "".join(f"{name}: {value}\r\n" for name, value in wire.headers.items())
    target = f"{load.path}?{wire.query}" if wire.query else load.path
    head = f"POST {target} HTTP/1.1\r\nHost: 127.0.0.1\r\n{lines}Content-Length: {len(wire.body)}\r\n\r\n"
    return head.encode() + wire.body


async def _converse(load: Load, platform: Platform, part: Sequence[tuple[int, bytes]], until: float) -> list[Sample]:
    reader, writer = await asyncio.open_connection("127.0.0.1", load.port)
    samples: list[Sample] = []
    for number, request in part:
        if time.perf_counter() > until:
            break
        answered = platform.expect(_place(load, number), load.proof)
        sent = time.perf_counter()
        writer.write(request)
        await _acknowledged(reader)
        acked = time.perf_counter()
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                samples.append(Sample(acked - sent, await answered - sent))
        except TimeoutError:
            samples.append(Sample(acked - sent, None))
    writer.close()
    return samples


async def _acknowledged(reader: asyncio.StreamReader) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"the bot answered {head.splitlines()[0].decode()}")
    length = re.search(rb"(?i)content-length: *(\d+)", head)
    await reader.readexactly(int(length[1]) if length else 0)
