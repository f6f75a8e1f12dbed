"""Durable work: once submitted it is done, whatever dies meanwhile. The one port to DBOS; nothing else imports it.

A kind of work has one handler, a plain coroutine on the application's event loop. It runs at least once, and again after
a crash, so it checks the state it finds and keys what it sends. Ids are for ever: the same id is never done twice.

What keeps DBOS safe here, and why (each was seen to fail without it):

- Executor: on PostgreSQL a name no other process has, or two replicas take each other's work for their own. On SQLite a
  fixed one, so that a restart finds its own; the store's claim keeps a second process out.
- Version: pinned. The default is a digest of the sources, and a new release would leave the old one's work lying.
- Takeover: on PostgreSQL every process beats; the work of one silent for a lease is put back in the queue. Only the
  commercial part of DBOS does that itself. `_recover_pending_workflows` is private: tests/e2e/test_crash.py guards it.
- Short handlers: nothing waits inside. To wait is to submit with a delay and to look at a table then.
- JSON: the default serializer is pickle, which lets whoever can write to the database run code here.
- SQLite: write-ahead log, patient with locks. A file of its own beside the main one, because the journal on the way of
  every message must never wait for DBOS's write lock; nothing has to commit in both.
- Retention: ended work is deleted after two weeks, and what took its process down five times is not begun again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from contextvars import Context
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy import Engine, create_engine, event
from structlog.contextvars import bind_contextvars
from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_exponential

from core import replicas
from core.background import Background
from core.errors import NotFound, Unreachable, XOpsError
from core.observe import WORK
from core.store import Store

if TYPE_CHECKING:
    from dbos import DBOS, DBOSConfig, EnqueueOptions

APPLICATION = "xops"
VERSION = "1"
"""Raise it when a new release cannot do work that an older one submitted. Work of another version waits for its like."""

QUEUE = "xops-work"
TASK = "xops.task"
SLOT = "xops.slot"
AT_ONCE = 20
"""Most handlers at work in one process."""

POLL_SECONDS = 0.2
"""The default of a second is felt after a press of a button; 0.05 costs a tenth of a core when idle, 0.2 a fortieth."""

ATTEMPTS = 5
RECOVERIES = 5
KEPT = timedelta(days=14)
LATE = timedelta(minutes=10)
"""A schedule's slot found later than this is skipped: a morning digest is of no use at noon."""

UNSTARTED = ("ENQUEUED", "DELAYED")
ENDED = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]

Handler = Callable[[str, Mapping[str, str]], Awaitable[None]]

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Schedule:
    expression: str
    zone: str
    kind: str


class Work:
    """Durable work of this process.

    Args:
        store: the database; SQLite gets a second file beside it.
        owner: a name no other process on this database has.
        lease_seconds: a replica silent for this long is taken for dead.
        retry_seconds: wait before a failed handler is called again; it doubles each time.
    """

    def __init__(self, store: Store, *, owner: str, lease_seconds: float = 15.0, retry_seconds: float = 1.0) -> None:
        self._store = store
        self._name = APPLICATION if store.embedded else owner
        self._lease = lease_seconds
        self._retry_seconds = retry_seconds
        self._handlers: dict[str, Handler] = {}
        self._schedules: dict[str, _Schedule] = {}
        self._settled = asyncio.Event()
        self._dbos: type[DBOS] | None = None
        self._engine: Engine | None = None
        self._background = Background()
        self._running: set[asyncio.Task[Any]] = set()

    def on(self, kind: str, handler: Handler) -> None:
        """Say who does this kind of work; before `start`. The handler gets the id and the payload of `submit`."""
        self._handlers[kind] = handler

    async def cron(self, name: str, expression: str, zone: str, kind: str) -> None:
        """Do this kind of work at the times of a cron expression, once for all replicas.

        The handler gets the id `name:time` and the payload `{"slot": time}`. Schedules nobody asked for by the end of
        `start` are forgotten.

        Args:
            name: of the schedule; calling this again with it changes the schedule.
            expression: five fields, or six with seconds first.
            zone: the time zone the expression is meant in, e.g. `Asia/Shanghai`.
            kind: of the work.
        """
        self._schedules[name] = _Schedule(expression, zone, kind)
        if self._dbos is not None:
            await asyncio.to_thread(self._apply_schedules, self._dbos)

    async def start(self) -> None:
        """Load and launch the engine, which takes seconds: in a thread, so that the loop answers meanwhile.

        Raises:
            ConfigurationError: another process works on this SQLite file.
        """
        try:
            self._store.claim()
            if not self._store.embedded:
                await self._beat()
                self._background.repeat(self._beat, self._lease / 3, "work-beat")
            self._dbos = await asyncio.to_thread(self._launch, asyncio.get_running_loop())
        finally:
            self._settled.set()
        await asyncio.to_thread(self._apply_schedules, self._dbos)
        self._background.repeat(self._tidy, 3600, "work-tidy")

    async def stop(self, within: float = 5.0) -> None:
        """Let handlers end within so many seconds, interrupt the others, and close the engine.

        What was interrupted is done again: after the next start, or by another replica at once.
        """
        if self._running:
            await asyncio.wait(self._running, timeout=within)
        await asyncio.to_thread(self._close)
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        await self._background.stop()
        if self._store.embedded:
            return
        with suppress(Unreachable):  # then they wait for the lease to end
            await self._store.write(lambda connection: replicas.leave(connection, self._name, self._lease))

    async def submit(
        self,
        kind: str,
        id: str,
        payload: Mapping[str, str],
        *,
        lane: str = "",
        delay: float = 0.0,
    ) -> bool:
        """Have work done. Once this returned, it will be.

        Args:
            kind: decides the handler.
            id: unique for ever, and across kinds.
            payload: what the handler needs to know; kept as JSON for two weeks.
            lane: work of one lane is done one at a time, in the order it was submitted; without, at once.
            delay: seconds to wait first; kept to within about a second.

        Returns:
            False when this id was submitted before; then nothing else happens.
        """
        dbos = await self._launched()
        options: EnqueueOptions = {
            "workflow_name": TASK,
            "workflow_id": id,
            "workflow_id_reuse_policy": "reject",
            "queue_name": QUEUE,
            "queue_partition_key": lane or id,
            "app_version": VERSION,
        }
        if delay > 0:
            options["delay_seconds"] = delay
        return await asyncio.to_thread(_enqueue, dbos, options, kind, id, dict(payload))

    async def cancel(self, id: str) -> bool:
        """Give up work that has not begun; False when it has, or nobody submitted it."""
        return await asyncio.to_thread(_give_up, await self._launched(), id)

    async def sweep(self, older_than: timedelta) -> int:
        """Delete work that ended so long ago, and say how much; its ids may be submitted anew."""
        return await asyncio.to_thread(_delete, await self._launched(), datetime.now(UTC) - older_than)

    async def _tidy(self) -> None:
        await self.sweep(KEPT)

    async def _launched(self) -> "type[DBOS]":
        await self._settled.wait()
        if self._dbos is None:
            raise RuntimeError("durable work could not be started, or was stopped")
        return self._dbos

    async def _beat(self) -> None:
        await self._store.write(lambda connection: replicas.beat(connection, self._name))
        if self._dbos is None:
            return
        for name in await self._store.read(lambda connection: replicas.silent(connection, self._lease)):
            log.warning("work.taken_over", replica=name)
            recover = self._dbos._recover_pending_workflows  # pyright: ignore[reportPrivateUsage]
            await asyncio.to_thread(recover, [name])
            await self._store.write(lambda connection, name=name: replicas.bury(connection, name, self._lease))

    def _launch(self, loop: asyncio.AbstractEventLoop) -> "type[DBOS]":
        from dbos import DBOS, DBOSPortableJSONSerializer

        logging.getLogger("dbos").addHandler(logging.NullHandler())  # else it sets up a console of its own
        self._engine = _engine(self._store)
        config: DBOSConfig = {
            "name": APPLICATION,
            "application_version": VERSION,
            "executor_id": self._name,
            "system_database_engine": self._engine,
            "serializer": DBOSPortableJSONSerializer(),
            "use_listen_notify": False,  # wakes what waits inside a workflow, and nothing does here
            "notification_listener_polling_interval_sec": 0.1,  # `stop` waits for one turn of it
            "log_level": "WARNING",
        }
        DBOS(config=config)

        def hand_over(kind: str, id: str, payload: Mapping[str, str]) -> asyncio.Future[None]:
            """To the application's loop, and out of DBOS's context: what a handler submits is no step of its own."""
            work = self._carry_out(kind, id, payload)
            return asyncio.wrap_future(Context().run(asyncio.run_coroutine_threadsafe, work, loop))

        @DBOS.workflow(name=TASK, max_recovery_attempts=RECOVERIES)
        async def task(kind: str, id: str, payload: dict[str, str]) -> None:
            await hand_over(kind, id, payload)

        @DBOS.workflow(name=SLOT, max_recovery_attempts=RECOVERIES)
        async def slot(at: datetime, schedule: dict[str, str]) -> None:
            if datetime.now(UTC) - at > LATE:
                log.warning("work.slot_skipped", schedule=schedule["name"], slot=at.isoformat())
                return
            payload = {"slot": at.isoformat()}
            await hand_over(schedule["kind"], f"{schedule['name']}:{at.isoformat()}", payload)

        self._slot = slot
        DBOS.launch()
        DBOS.register_queue(
            QUEUE, partition_concurrency=1, worker_concurrency=AT_ONCE, polling_interval_sec=POLL_SECONDS
        )
        return DBOS

    def _apply_schedules(self, dbos: "type[DBOS]") -> None:
        for old in {schedule["schedule_name"] for schedule in dbos.list_schedules()} - self._schedules.keys():
            dbos.delete_schedule(old)
        dbos.apply_schedules(
            [
                {
                    "schedule_name": name,
                    "workflow_fn": self._slot,
                    "schedule": schedule.expression,
                    "cron_timezone": schedule.zone,
                    "context": {"name": name, "kind": schedule.kind},
                }
                for name, schedule in self._schedules.items()
            ]
        )

    def _close(self) -> None:
        if self._engine is None:
            return
        from dbos import DBOS

        self._dbos = None
        DBOS.destroy(destroy_registry=True)
        self._engine.dispose()

    async def _carry_out(self, kind: str, id: str, payload: Mapping[str, str]) -> None:
        """Call the handler, with patience. This task is the application's own, so `stop` can end it."""
        if task := asyncio.current_task():
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        bind_contextvars(work=kind, key=id)
        attempt = AsyncRetrying(
            stop=stop_after_attempt(ATTEMPTS),
            wait=wait_exponential(multiplier=self._retry_seconds),
            retry=retry_if_exception(_may_help),
            before_sleep=lambda state: log.warning("work.retried", attempt=state.attempt_number),
            reraise=True,
        )
        try:
            await attempt(self._handler(kind), id, payload)
        except Exception:
            WORK.labels(kind, "failed").inc()
            log.error("work.failed")  # DBOS logs the traceback
            raise
        WORK.labels(kind, "done").inc()

    def _handler(self, kind: str) -> Handler:
        if kind not in self._handlers:
            raise NotFound(f"nobody does work of kind {kind}", kind="work", name=kind)
        return self._handlers[kind]


def _may_help(error: BaseException) -> bool:
    return error.retryable if isinstance(error, XOpsError) else isinstance(error, Exception)


def _enqueue(dbos: "type[DBOS]", options: "EnqueueOptions", *arguments: object) -> bool:
    from dbos import error

    try:
        dbos.enqueue_workflow_with_options(options, *arguments)
    except error.DBOSWorkflowIDInUseError:
        return False
    return True


def _give_up(dbos: "type[DBOS]", id: str) -> bool:
    status = dbos.get_workflow_status(id)
    if status is None or status.status not in UNSTARTED:
        return False
    dbos.cancel_workflow(id)
    return True


def _delete(dbos: "type[DBOS]", before: datetime) -> int:
    """In batches, so that no transaction is long."""
    deleted = 0
    while ids := [
        found.workflow_id
        for found in dbos.list_workflows(
            status=ENDED, completed_before=before.isoformat(), limit=500, load_input=False, load_output=False
        )
    ]:
        dbos.delete_workflows(ids)
        deleted += len(ids)
    return deleted


def _engine(store: Store) -> Engine:
    if not store.embedded:
        return create_engine(store.url, pool_size=10, max_overflow=5, pool_pre_ping=True)
    path = Path(store.url.database or "")
    engine = create_engine(store.url.set(database=str(path.with_name(f"{path.stem}-work{path.suffix}"))))
    event.listen(engine, "connect", _prepare_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401  # a DBAPI connection has no type
    connection.isolation_level = "IMMEDIATE"  # as DBOS sets it on engines of its own: it reads before it writes
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=30000", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")
