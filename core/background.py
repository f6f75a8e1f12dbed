"""Work that comes round again while the process lives: heartbeats, sweeps, clean-up."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

log = structlog.get_logger(__name__)


async def repeat(job: Callable[[], Awaitable[object]], every: float) -> None:
    """Run a job every so many seconds until cancelled. A run that fails is logged; the next one comes all the same."""
    while True:
        try:
            await job()
        except Exception:  # an edge (background task): nobody above could do more than this
            log.exception("background.failed", job=getattr(job, "__qualname__", repr(job)))
        await asyncio.sleep(every)
