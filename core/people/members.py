"""Whom schedulers list as members of their projects, for those who trust them with it (`[access] trust_scheduler_members`).

A scheduler's word only adds projects to someone whose name there an administrator has listed in `owners`; it gives nobody
a role. It holds for a while; when it cannot be renewed, it is gone.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

import structlog

from core.errors import RemoteError
from core.schedulers.base import KnowsMembers, Scheduler

HOLDS = timedelta(minutes=10)
"""How long someone who left a project keeps it here."""
AGAIN = timedelta(minutes=1)
"""After a scheduler failed: until it is asked again."""
PATIENCE = 10.0
"""Seconds for all projects of one scheduler: decisions may wait for it."""

Projects = Mapping[str, frozenset[str]]
"""`scheduler:project` by the name under which the scheduler lists someone."""

log = structlog.get_logger(__name__)


class Members:
    """What schedulers say. Implements `core.access.Memberships`.

    Args:
        schedulers: those that cannot tell are left out.
        clock: the present, with zone.
    """

    def __init__(self, schedulers: Sequence[Scheduler], *, clock: Callable[[], datetime]) -> None:
        self._schedulers = tuple(scheduler for scheduler in schedulers if isinstance(scheduler, KnowsMembers))
        self._clock = clock
        self._known: dict[str, tuple[datetime, Projects]] = {}
        self._asking = asyncio.Lock()

    async def projects(self) -> Projects:
        """All that holds now; schedulers whose word is over are asked first."""
        async with self._asking:
            now = self._clock()
            over = [one for one in self._schedulers if one.name not in self._known or self._known[one.name][0] <= now]
            for scheduler, answer in zip(over, await asyncio.gather(*map(self._ask, over)), strict=True):
                self._known[scheduler.name] = answer
        found: dict[str, frozenset[str]] = defaultdict(frozenset)
        for _, projects in self._known.values():
            for name, theirs in projects.items():
                found[name] |= theirs
        return found

    async def _ask(self, scheduler: KnowsMembers) -> tuple[datetime, Projects]:
        found: dict[str, frozenset[str]] = defaultdict(frozenset)
        try:
            async with asyncio.timeout(PATIENCE):
                for project in await scheduler.projects():
                    for name in await scheduler.members(project):
                        found[name] |= {f"{scheduler.name}:{project}"}
        except (RemoteError, TimeoutError) as error:
            log.warning("members.unknown", scheduler=scheduler.name, error=str(error))
            return self._clock() + AGAIN, {}
        return self._clock() + HOLDS, found
