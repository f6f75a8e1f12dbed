"""One thing at a time and in order within a lane, many lanes at once, and never more than was agreed.

A lane is a name, e.g. of a conversation. It exists while it holds work, the job that runs included.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

import structlog

from core.errors import Busy

log = structlog.get_logger(__name__)

Job = Callable[[], Awaitable[None]]


class Lanes:
    """Bounded queues, each with a task of its own.

    Args:
        per_lane: most jobs in one lane. Twenty messages unanswered is more than a person waits for.
        total: most jobs in all lanes.
    """

    def __init__(self, *, per_lane: int = 20, total: int = 2000) -> None:
        self._per_lane = per_lane
        self._total = total
        self._held = 0
        self._jobs: dict[str, deque[Job]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def held(self) -> int:
        """Jobs that wait or run."""
        return self._held

    def put(self, lane: str, job: Job) -> None:
        """Queue a job. One that fails is logged, and its lane goes on.

        Raises:
            Busy: the lane, or all together, are full; the job was not taken.
        """
        jobs = self._jobs.get(lane)
        if self._held >= self._total or (jobs is not None and len(jobs) >= self._per_lane):
            raise Busy(f"lane {lane} is full: {len(jobs or ())} in it, {self._held} in all")
        self._held += 1
        if jobs is not None:
            jobs.append(job)
            return
        self._jobs[lane] = deque([job])
        task = asyncio.get_running_loop().create_task(self._run(lane))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def drain(self, seconds: float) -> None:
        """Wait until all lanes are empty, at most so long; then cancel what still runs and drop what waits."""
        try:
            async with asyncio.timeout(seconds):
                while self._tasks:
                    await asyncio.wait(self._tasks)
        except TimeoutError:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _run(self, lane: str) -> None:
        jobs = self._jobs[lane]
        try:
            while jobs:
                await self._attempt(lane, jobs[0])
                jobs.popleft()
                self._held -= 1
        finally:
            self._held -= len(jobs)
            del self._jobs[lane]

    async def _attempt(self, lane: str, job: Job) -> None:
        try:
            await job()
        except Exception:  # an edge (lane): one job's failure is not the next one's
            log.exception("lane.failed", lane=lane)
