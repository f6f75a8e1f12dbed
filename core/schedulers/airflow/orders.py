"""Changing things: one order, one call that changes something, never repeated.

Airflow knows us as one service account, so the note on the task instance carries who asked, and the id of the order: an
order whose id is already there was carried out before, and is not carried out again. That holds until a later order
puts its own note there, and two copies of one order within the same few milliseconds could both pass: Airflow has no
idempotency key that would stop them.

Freezing is pausing the whole DAG, and a backfill runs the whole DAG: Airflow has neither for a single task.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, time
from typing import Final
from zoneinfo import ZoneInfo

from core.errors import Refused
from core.schedulers.airflow.catalogue import Catalogue
from core.schedulers.airflow.client import Client
from core.schedulers.airflow.model import NO_STATE, STATUSES, Key
from core.schedulers.airflow.reader import INSTANCES, Reader
from core.schedulers.airflow.wire import Backfill, Dag, DagRun, Paged, TaskInstance
from core.schedulers.base import Operation, Order, Receipt

NOTE: Final = 1000
"""Longest note Airflow keeps, in characters."""
ALIVE: Final = frozenset(word for word, status in STATUSES.items() if not status.finished and word != NO_STATE)
"""States that a kill ends. Setting anything else to failed would fail what has not begun or undo what has ended."""
BACKFILL_RUNS: Final = 2
"""Runs of one backfill at a time: it must not take the night's slots."""
EFFECTS: Final[Mapping[Operation, tuple[str, ...]]] = {
    Operation.RERUN: ("assets_again",),
    Operation.RERUN_DOWNSTREAM: ("assets_again",),
    Operation.SET_SUCCESS: ("failed_descendants_run",),
    Operation.FREEZE: ("whole_dag_paused",),
    Operation.UNFREEZE: ("whole_dag_resumed",),
    Operation.BACKFILL: ("whole_dag_backfilled",),
}
"""See `Scheduler.effects`."""
ORDER_KEY: Final = "xops_order"
"""Name in a backfill's configuration under which its order is found again."""


class Orders:
    """Carries out orders on one connection.

    Args:
        client: the connection.
        catalogue: told when a DAG was paused.
        reader: for the present state.
        zone: in which the days of a backfill are meant.
    """

    def __init__(self, client: Client, catalogue: Catalogue, reader: Reader, zone: ZoneInfo) -> None:
        self._client = client
        self._catalogue = catalogue
        self._reader = reader
        self._zone = zone
        self._ways: Mapping[Operation, Callable[[Order, Key, TaskInstance], Awaitable[Receipt]]] = {
            Operation.RERUN: self._rerun,
            Operation.RERUN_DOWNSTREAM: self._rerun,
            Operation.SET_SUCCESS: self._set_success,
            Operation.KILL: self._kill,
            Operation.FREEZE: self._pause,
            Operation.UNFREEZE: self._pause,
            Operation.BACKFILL: self._backfill,
        }

    @property
    def operations(self) -> frozenset[Operation]:
        """All that can be ordered."""
        return frozenset(self._ways)

    async def carry_out(self, order: Order) -> Receipt:
        """Do it, unless the instance's note says that it was done.

        Raises:
            NotFound: no such instance.
            Refused: Airflow said no, or the state does not allow it.
            Unreachable: no answer; it may or may not have been done.
        """
        key = Key.parse(order.instance)
        return await self._ways[order.operation](order, key, await self._reader.raw(key))

    async def _rerun(self, order: Order, key: Key, before: TaskInstance) -> Receipt:
        """Clear it, and those downstream that were chosen, all of its run; successes too, which Airflow skips unless told."""
        chosen = [Key.parse(one) for one in order.instances]
        if any((one.dag, one.run) != (key.dag, key.run) for one in chosen):
            raise Refused(
                "only what is of one run can be cleared at once", system=self._client.system, code="other-run"
            )
        if _done(order, before):
            waits = before.state in {None, "scheduled"}
            return Receipt((key.id,), before.try_number + waits, "carried out before")
        body = {
            "dry_run": False,
            "dag_run_id": key.run,
            "task_ids": [one.marker for one in (key, *chosen)],
            "only_failed": False,
            "reset_dag_runs": True,
            "prevent_running_task": True,
            "note": _note(order),
        }
        path = ("dags", key.dag, "clearTaskInstances")
        cleared = await self._client.change("POST", path, INSTANCES, body, name=key.id)
        others = (Key.of(one).id for one in cleared.items)
        return Receipt((key.id, *(id_ for id_ in others if id_ != key.id)), before.try_number + 1)

    async def _set_success(self, order: Order, key: Key, before: TaskInstance) -> Receipt:
        """Mark it successful. Airflow then clears its failed descendants, and they run by themselves."""
        return await self._set_state(order, key, before, "success")

    async def _kill(self, order: Order, key: Key, before: TaskInstance) -> Receipt:
        """Mark it failed, which ends its process. Only what is alive: see `ALIVE`."""
        if before.state not in ALIVE and not _done(order, before):
            raise Refused(f"{key.id} is {before.state}, not running", system=self._client.system, code="not-running")
        return await self._set_state(order, key, before, "failed")

    async def _set_state(self, order: Order, key: Key, before: TaskInstance, state: str) -> Receipt:
        if _done(order, before):
            return Receipt((key.id,), before.try_number, "carried out before")
        body = {"new_state": state, "note": _note(order)}
        await self._client.change("PATCH", key.path, INSTANCES, body, name=key.id)
        return Receipt((key.id,), before.try_number)

    async def _pause(self, order: Order, key: Key, before: TaskInstance) -> Receipt:
        """Pause or unpause the whole DAG. Doing it twice is doing it once."""
        body = {"is_paused": order.operation is Operation.FREEZE}
        mask = [("update_mask", "is_paused")]
        await self._client.change("PATCH", ("dags", key.dag), Dag, body, mask, name=key.id)
        self._catalogue.forget_pauses()
        return Receipt((key.id,), before.try_number)

    async def _backfill(self, order: Order, key: Key, _: TaskInstance) -> Receipt:
        """Run the whole DAG for a span of days, days that succeeded before included."""
        first_day, last_day = order.days
        first = datetime.combine(first_day, time.min, self._zone)
        last = datetime.combine(last_day, time.max, self._zone)
        known = await self._client.every(("backfills",), Paged[Backfill], [("dag_id", key.dag)])
        if all((one.dag_run_conf or {}).get(ORDER_KEY) != order.request_id for one in known):
            body = {
                "dag_id": key.dag,
                "from_date": first.isoformat(),
                "to_date": last.isoformat(),
                "reprocess_behavior": "completed",
                "max_active_runs": BACKFILL_RUNS,
                "dag_run_conf": {ORDER_KEY: order.request_id, "note": _note(order)},
            }
            await self._client.change("POST", ("backfills",), Backfill, body, name=key.id)
        span = [("logical_date_gte", first.isoformat()), ("logical_date_lte", last.isoformat())]
        runs = await self._client.every(("dags", key.dag, "dagRuns"), Paged[DagRun], span)
        return Receipt(tuple(Key(key.dag, run.dag_run_id, key.task, key.map_index).id for run in runs))


def _note(order: Order) -> str:
    return f"[{order.request_id}] {order.note}"[:NOTE]


def _done(order: Order, before: TaskInstance) -> bool:
    return (before.note or "").startswith(f"[{order.request_id}]")
