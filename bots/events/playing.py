"""Events once more: out of a file into the journal, or out of the journal to whatever is kept up by it."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime
from itertools import islice
from zoneinfo import ZoneInfo

from bots.bulk import open_text
from core.errors import BadInput
from core.events.incoming import DATAWORKS, OPENLINEAGE, Incoming, read_event, unreadable
from core.events.journal import Events
from core.events.wire import parse

AT_ONCE = 200

Batches = AsyncIterator[Sequence[Incoming]]
Take = Callable[[Sequence[Incoming]], Awaitable[int]]
"""What is done with a batch; returns how many were new."""


async def play_file(
    events: Events, file: str, zone: ZoneInfo, *, lineage: bool, rate: float, dry_run: bool
) -> dict[str, int]:
    """Take in a file's events, one a line, like any others: what is there already changes nothing.

    Args:
        events: the journal.
        file: its path, `-` for standard input.
        zone: zone of times that are written without one.
        lineage: whether it holds OpenLineage's events instead of DataWorks'.
        rate: most events a second; 0 for as many as possible.
        dry_run: only read and count.
    """
    batches = _lines(file, OPENLINEAGE if lineage else DATAWORKS, zone)
    return await _play(batches, None if dry_run else events.accept, rate, None)


async def play_since(events: Events, since: datetime, *, rate: float, dry_run: bool) -> dict[str, int]:
    """Apply what was received since a time again; nobody is told of it a second time. Arguments as `play_file`."""

    async def take(batch: Sequence[Incoming]) -> int:
        await events.apply_again(batch)
        return 0

    return await _play(events.stored(since), None if dry_run else take, rate, await events.count(since))


async def _play(batches: Batches, take: Take | None, rate: float, total: int | None) -> dict[str, int]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn

    counted = Counter({"events": 0, "new": 0, "unknown": 0, "dead": 0})
    console = Console(stderr=True)
    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        done = progress.add_task("", total=total)
        async for batch in batches:
            for start in range(0, len(batch), AT_ONCE):
                piece = batch[start : start + AT_ONCE]
                due = asyncio.create_task(asyncio.sleep(len(piece) / rate if rate else 0))
                counted["new"] += await take(piece) if take else 0
                counted["events"] += len(piece)
                counted.update(one.state for one in piece if one.state != "stored")
                progress.advance(done, len(piece))
                await due
    return dict(counted)


async def _lines(file: str, source: str, zone: ZoneInfo) -> Batches:
    with open_text(file) as lines:
        while found := await asyncio.to_thread(lambda: list(islice(lines, AT_ONCE))):  # a pipe may keep us waiting
            now = datetime.now(UTC)
            yield [_read(line, source, now, zone) for line in found if line.strip()]


def _read(line: str, source: str, now: datetime, zone: ZoneInfo) -> Incoming:
    try:
        return read_event(source, parse(line), now, zone)
    except BadInput as error:
        return unreadable(source, line.strip(), str(error), now)
