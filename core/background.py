"""Work beside that of events: connections that are kept, heartbeats, sweeps, clean-up."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

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


class Background:
    """The tasks of one owner, which end with it. What fails is logged, since nobody waits for it."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def start(self, job: Coroutine[Any, Any, object], name: str) -> None:
        """Run a job beside everything else."""
        task = asyncio.create_task(job, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def repeat(self, job: Callable[[], Awaitable[object]], every: float, name: str) -> None:
        """Run a job every so many seconds; see `repeat`."""
        self.start(repeat(job, every), name)

    async def stop(self) -> None:
        """Cancel what still runs, and return once it has ended."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("background.failed", job=task.get_name(), exc_info=error)
