"""Carries out what follows from events, as durable work: at least once, with a key that makes it once for people."""

import asyncio
import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime

import structlog
from prometheus_client import Histogram

from core.audit import Audit
from core.effects.finding import Investigator
from core.effects.model import Happening
from core.effects.outbox import Outbox, Place
from core.effects.postponing import Postponing
from core.effects.telling import Crier
from core.events.incoming import Incoming
from core.execution import Queue
from core.redact import mask
from core.store import Connection, Store

SECONDS = Histogram(
    "xops_effect_seconds",
    "From an event that was stored to the card it became",
    ["kind"],
    buckets=(0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 20, 60, 300),
)
POLL = 5.0
"""Seconds after which what another process left is found."""
AGAIN = 60.0
"""Seconds after which work that failed for good is handed over again."""
SAME = 600
"""A tool that says the same within so many seconds has said it once."""

log = structlog.get_logger(__name__)


class Effects:
    """What follows from events.

    Args:
        outbox: what is to be done.
        work: the durable queue.
        investigator: finds out.
        crier: tells people.
        postponing: tells what quiet hours held back.
        audit: the trail, for what others did.
        store: the database.
        clock: the present, with zone.
    """

    def __init__(
        self,
        outbox: Outbox,
        work: Queue,
        investigator: Investigator,
        crier: Crier,
        postponing: Postponing,
        audit: Audit,
        store: Store,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._outbox = outbox
        self._work = work
        self._investigator = investigator
        self._crier = crier
        self._postponing = postponing
        self._audit = audit
        self._store = store
        self._clock = clock
        self._changed = asyncio.Event()
        self._handed = frozenset[str]()
        work.on("effect", self._carry_out)
        work.on("quiet", self._tell_held)

    async def committed(self, _batch: Sequence[Incoming]) -> None:
        """New events are stored, with what follows from them: look soon."""
        self._changed.set()

    async def heard(self, tool: str, text: str) -> None:
        """Take what a tool posted to a robot. The same again within a few minutes changes nothing."""
        now, said = self._clock(), mask(text)
        digest = hashlib.sha256(said.encode()).hexdigest()[:32]
        key = f"heard/{tool}/{digest}/{int(now.timestamp()) // SAME}"
        await self._outbox.add(Happening(key, "heard", f"heard:{digest}", tool, now, text=said))
        self._changed.set()

    async def watch(self) -> None:
        """Sweep whenever something came; run it with `core.background.repeat`."""
        self._changed.clear()
        await self.sweep()
        with suppress(TimeoutError):
            async with asyncio.timeout(POLL):
                await self._changed.wait()

    async def sweep(self) -> int:
        """Hand over everything that is due; returns how much. Safe to repeat, on any number of replicas."""
        now = self._clock()
        due = await self._outbox.due()
        work = {f"effect:{key}:{_tries(now, since)}": ("effect", {"key": key}) for key, since in due}
        for chat, since in await self._postponing.due(now):
            payload = {"chat": chat, "due": since.isoformat()}
            work[f"quiet:{chat}:{since.isoformat()}:{_tries(now, since)}"] = "quiet", payload
        for id in work.keys() - self._handed:
            await self._work.submit(work[id][0], id, work[id][1])
        self._handed = frozenset(work)
        return len(due)

    async def _tell_held(self, _work_id: str, payload: Mapping[str, str]) -> None:
        await self._postponing.tell(payload["chat"], datetime.fromisoformat(payload["due"]))

    async def _carry_out(self, _work_id: str, payload: Mapping[str, str]) -> None:
        found = await self._outbox.get(payload["key"])
        if found is None:
            return
        one, since = found
        if one.kind == "operated":
            await self._store.write(lambda connection: self._recorded(connection, one))
            return
        finding = await self._investigator.look_into(one, crowd=await self._outbox.crowd(one))
        told = await self._crier.tell(finding) if finding else ()
        await self._done(one, finding.subject if finding else one.subject, told)
        SECONDS.labels(one.kind).observe((self._clock() - since).total_seconds())

    async def _done(self, one: Happening, subject: str, told: Sequence[Place]) -> None:
        await self._store.write(lambda connection: self._outbox.done(connection, one.key, subject, told))

    def _recorded(self, connection: Connection, one: Happening) -> None:
        """What somebody did in the platform's own console, once for each instance."""
        if not self._outbox.done(connection, one.key, one.subject):
            return
        for instance in one.instances:
            self._audit.entry(
                connection,
                actor=f"{one.source}:{one.actor}",
                action=one.word,
                target=instance,
                outcome="seen",
                details={"event": one.key, "project": one.project, "at": one.at.isoformat()},
            )


def _tries(now: datetime, since: datetime) -> int:
    """Part of the name of work: another one when it is time to hand it over again."""
    return int((now - since).total_seconds() // AGAIN)
