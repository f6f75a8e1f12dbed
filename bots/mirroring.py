"""Mirrors put together: what feeds them, whom they ask, when they ask and when they forget."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import structlog

from core.errors import ConfigurationError, RemoteError
from core.schedulers.base import Scheduler, Status
from core.settings import SchedulerConnection
from core.store import Store
from core.work import Work

if TYPE_CHECKING:
    from core.events.journal import Applier
    from core.schedulers.mirror import MirrorScheduler

RECONCILE = "mirror.reconcile"
FORGET = "mirror.forget"
DOWN = timedelta(minutes=1)
"""Silence that counts as a gap when the process has just begun: it was down, and senders give up within a minute."""

log = structlog.get_logger(__name__)


def shown(connections: Sequence[SchedulerConnection]) -> list[SchedulerConnection]:
    """Connections that people see: those that only serve a mirror are seen through it."""
    asked = {connection.api for connection in connections}
    return [connection for connection in connections if connection.name not in asked]


def asked(connection: SchedulerConnection, connections: Sequence[SchedulerConnection]) -> SchedulerConnection:
    """The connection that a mirror asks.

    Raises:
        ConfigurationError: there is none of that name, or it is a mirror itself.
    """
    for one in connections:
        if one.name == connection.api and one.kind != "mirror":
            return one
    raise ConfigurationError(f"scheduler {connection.name}: api names no other connection: {connection.api}")


class Mirroring:
    """What keeps the mirrors among the schedulers up to date.

    Args:
        schedulers: all of them.
        store: the database.
        clock: the present, with zone.
    """

    def __init__(self, schedulers: Sequence[Scheduler], store: Store, *, clock: Callable[[], datetime]) -> None:
        self._mirrors = _mirrors(schedulers)
        self._store = store
        self._clock = clock

    @property
    def appliers(self) -> "list[Applier]":
        """What takes events in."""
        return [mirror.feed.apply for mirror in self._mirrors]

    async def progress(self, run: str) -> Mapping[Status, int]:
        """How many instances of a run of a workflow are known, by status, to the mirror that knows most of it."""
        told = [await mirror.progress(run) for mirror in self._mirrors]
        return max(told, key=lambda counts: sum(counts.values()), default=dict[Status, int]())

    async def note_gap(self) -> None:
        """Remember since when this process was down; before any event is taken."""
        before = self._clock() - DOWN
        for mirror in self._mirrors:
            await self._store.write(partial(mirror.feed.note_gap, before=before))

    async def start(self, work: Work, zone: str) -> None:
        """Ask for what is missing, every minute that something is; forget every night. Before durable work starts."""
        if self._mirrors:
            work.on(RECONCILE, lambda _id, _payload: self.reconcile())
            work.on(FORGET, lambda _id, _payload: self.forget())
            await work.cron("mirrors ask", "* * * * *", zone, RECONCILE)
            await work.cron("mirrors forget", "40 4 * * *", zone, FORGET)

    async def reconcile(self) -> None:
        """Let each mirror ask its API for what it may have missed."""
        from core.schedulers.mirror.reconcile import Reconciler

        for mirror in self._mirrors:
            try:
                await Reconciler(mirror, self._store, clock=self._clock).fill()
            except RemoteError as error:  # the next minute comes
                log.warning("mirror.api_failed", mirror=mirror.name, error=str(error))

    async def forget(self) -> None:
        """Delete what is older than it is kept."""
        for mirror in self._mirrors:
            await mirror.feed.forget(self._clock().astimezone(mirror.zone).date())


def _mirrors(schedulers: Sequence[Scheduler]) -> "list[MirrorScheduler]":
    if not any(hasattr(scheduler, "feed") for scheduler in schedulers):
        return []  # and nothing of mirrors is loaded where there are none
    from core.schedulers.mirror import MirrorScheduler

    return [scheduler for scheduler in schedulers if isinstance(scheduler, MirrorScheduler)]
