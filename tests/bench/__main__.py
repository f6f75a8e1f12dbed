"""`python -m tests.bench [--quick] [--only TEXT]`: a Markdown table of X-Ops beside a floor and its peers.

One bot process on one core, the platform and the load on another. Each bot answers every message with one call of the
platform's API; a message counts as answered when that call holds the right text. In flight: that many conversations, each
sending its next message when the last one was answered. Medians over the repeats.
"""

import argparse
import asyncio
import compileall
import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from platform import python_version
from statistics import median

import bots
import core
from tests.bench.contestants import CONTESTANTS, MOST_IN_FLIGHT, Contestant, install_peers
from tests.bench.load import Load, drive
from tests.bench.messengers import Platform, listening
from tests.bench.process import CORES, Running, free_port, running

HEAD = (
    "bot", "in flight", "messages/s", "ack p50 ms", "ack p99 ms", "reply p50 ms", "reply p99 ms", "CPU ms/message",
    "RSS MiB", "ready s", "answered",
)  # fmt: skip
WARM_UP = 64


@dataclass(frozen=True, slots=True)
class Plan:
    """How much to measure: (in flight, messages) pairs, repeats of each, and most seconds for one of them."""

    sizes: tuple[tuple[int, int], ...]
    repeats: int
    seconds: float


FULL = Plan(((1, 600), (MOST_IN_FLIGHT, 3000)), 3, 20.0)
QUICK = Plan(((1, 100), (MOST_IN_FLIGHT, 400)), 1, 5.0)


@dataclass(frozen=True, slots=True)
class Figures:
    """One run. Times in milliseconds."""

    per_second: float
    ack_p50: float
    ack_p99: float
    reply_p50: float
    reply_p99: float
    cpu: float
    resident: float
    answered: float


async def measure(contestant: Contestant, bot: Running, platform: Platform, plan: Plan) -> list[str]:
    """The rows of one contestant."""
    await bot.settled()
    rows: list[str] = []
    first = 0
    for in_flight, messages in plan.sizes:
        runs: list[Figures] = []
        for repeat in range(plan.repeats + 1):
            size = WARM_UP if repeat == 0 else messages
            load = Load(
                bot.port, contestant.path, contestant.event, contestant.proof, in_flight, size, plan.seconds, first
            )
            first += size
            figures = await _run(load, bot, platform)
            runs += [figures] if repeat else []
        rows.append(_row(contestant.name, in_flight, runs, bot.ready_after))
    return rows


async def _run(load: Load, bot: Running, platform: Platform) -> Figures:
    before = bot.cpu()
    samples, seconds = await drive(load, platform)
    cpu = bot.cpu() - before
    acks = [sample.ack for sample in samples]
    replies = [sample.reply for sample in samples if sample.reply is not None]
    if not replies:
        raise RuntimeError("not one message was answered")
    return Figures(
        len(replies) / seconds,
        percentile(acks, 0.5),
        percentile(acks, 0.99),
        percentile(replies, 0.5),
        percentile(replies, 0.99),
        cpu / len(samples) * 1000,
        bot.resident(),
        len(replies) / len(samples),
    )


def percentile(seconds: Sequence[float], share: float) -> float:
    """In milliseconds."""
    return sorted(seconds)[min(int(len(seconds) * share), len(seconds) - 1)] * 1000


def _row(name: str, in_flight: int, runs: Sequence[Figures], ready: float) -> str:
    def middle(value: Callable[[Figures], float]) -> float:
        return median(map(value, runs))

    cells = (
        name,
        str(in_flight),
        f"{middle(lambda run: run.per_second):,.0f}",
        f"{middle(lambda run: run.ack_p50):.2f}",
        f"{middle(lambda run: run.ack_p99):.1f}",
        f"{middle(lambda run: run.reply_p50):.1f}",
        f"{middle(lambda run: run.reply_p99):.1f}",
        f"{middle(lambda run: run.cpu):.2f}",
        f"{middle(lambda run: run.resident):.0f}",
        f"{ready:.1f}",
        f"{middle(lambda run: run.answered):.0%}",
    )
    return f"| {' | '.join(cells)} |"


async def bench(chosen: Sequence[Contestant], plan: Plan) -> None:
    """Print the table, a contestant at a time."""
    load = os.getloadavg()[0]
    print(
        f"{len(CORES)} cores, Python {python_version()}, load average before {load:.1f}: a busy machine blurs all rows.\n"
    )
    print(f"| {' | '.join(HEAD)} |\n|---|{'---:|' * (len(HEAD) - 1)}", flush=True)
    async with listening() as platform:
        for contestant in chosen:
            port = free_port()
            with tempfile.TemporaryDirectory() as directory:
                log = Path(directory, "bot.log")
                settings = contestant.settings(port, platform.port)
                async with running(contestant.command, settings, port, contestant.ready, log) as bot:
                    print("\n".join(await measure(contestant, bot, platform, plan)), flush=True)


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the messages, once")
    parser.add_argument("--only", default="", help="only contestants whose name holds this")
    arguments = parser.parse_args()
    chosen = [contestant for contestant in CONTESTANTS if arguments.only.lower() in contestant.name.lower()]
    if any(contestant.is_peer for contestant in chosen):
        install_peers()
    for package in (bots, core):
        compileall.compile_dir(package.__path__[0], quiet=1)  # as the peers are, and as `make run` leaves it
    asyncio.run(bench(chosen, QUICK if arguments.quick else FULL))


if __name__ == "__main__":
    main()
