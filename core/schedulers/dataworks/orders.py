"""Changing things: one order, one call that changes something, never repeated.

DataWorks knows us as one RAM user, so the comment of each operation carries who asked, and the id of the order. Operations on
instances answer HTTP 200 and tell instance by instance what became of it; the ordered one decides whether it was refused.

A backfill takes no key against a second execution, but a name: it carries the id of the order, by which it is looked for when
no answer came. Operations on instances show in the instances themselves, where `core.execution` looks.

A rerun of several instances is one call that lists them all: each goes back to not running and waits for those above it.
"""

from collections.abc import Mapping
from contextlib import suppress
from datetime import date
from typing import Final
from zoneinfo import ZoneInfo

from core.errors import BadInput, Refused, RemoteError, Throttled, Unreachable
from core.schedulers.base import Operation, Order, Receipt
from core.schedulers.dataworks.catalogue import PRODUCTION
from core.schedulers.dataworks.client import Client
from core.schedulers.dataworks.model import milliseconds, number, recurrence
from core.schedulers.dataworks.reader import PAST_PRODUCTION, Reader
from core.schedulers.dataworks.wire import Batch, Begun, Created, Success, TaskInstance, Wire, WorkflowInstance

COMMENT: Final = 500
"""Longest comment sent, in characters; no maximum is documented."""
MOST: Final = 500
"""Most instances of one order."""
SCHEDULED_WORKFLOW: Final = 1
"""Id under which `CreateWorkflowInstances` knows all scheduled tasks."""
BACKFILL: Final = "SupplementData"
PAGE: Final = 10
PARALLEL_DAYS: Final = 2
"""Days of a backfill that run at a time: it must not take the night's resources."""
POLLS: Final = 5
POLL_SECONDS: Final = 1.0
"""How often, and how far apart, to ask whether a backfill's instances are there."""

ACTIONS: Final[Mapping[Operation, str]] = {
    Operation.RERUN: "RerunTaskInstances",
    Operation.RERUN_DOWNSTREAM: "RerunTaskInstances",
    Operation.SET_SUCCESS: "SetSuccessTaskInstances",
    Operation.KILL: "StopTaskInstances",
    Operation.FREEZE: "SuspendTaskInstances",
    Operation.UNFREEZE: "ResumeTaskInstances",
}
OPERATIONS: Final = frozenset({*ACTIONS, Operation.BACKFILL})
RUN_MODES: Final[Mapping[Operation, int]] = {Operation.FREEZE: 2, Operation.UNFREEZE: 0}
"""Of nodes, as `UpdateNodeRunMode` knows them."""
EFFECTS: Final[Mapping[str, Mapping[Operation, tuple[str, ...]]]] = {
    "instance": {
        Operation.FREEZE: ("only_this_cycle", "frozen_counts_as_failed"),
        Operation.UNFREEZE: ("only_this_cycle",),
        Operation.BACKFILL: ("without_downstream",),
    },
    "node": {
        Operation.FREEZE: ("cycles_to_come", "frozen_counts_as_failed"),
        Operation.UNFREEZE: ("cycles_to_come_and_this",),
        Operation.BACKFILL: ("without_downstream",),
    },
}
"""See `Scheduler.effects`; by what freezing freezes."""

UNSAID: Final = Success(message="DataWorks did not say what became of it")


class Orders:
    """Carries out orders on one connection.

    Args:
        client: the connection.
        reader: for the present state.
        zone: in which business dates begin.
        freezes: what freezing freezes, `instance` or `node`.
    """

    def __init__(self, client: Client, reader: Reader, zone: ZoneInfo, freezes: str) -> None:
        self._freezes = freezes
        self._client = client
        self._reader = reader
        self._zone = zone

    async def carry_out(self, order: Order) -> Receipt:
        """Do it.

        Raises:
            NotFound: no such instance.
            Refused: DataWorks said no.
            Unreachable: no answer; it may or may not have been done.
        """
        before = await self._reader.raw(order.instance)
        if order.operation is Operation.BACKFILL:
            return await self._backfill(order, before)
        if self._freezes == "node" and order.operation in RUN_MODES:
            return await self._node(order, before)
        return await self._batch(order, before)

    async def _node(self, order: Order, before: TaskInstance) -> Receipt:
        """Freeze or unfreeze the node. What it froze already is unfrozen one by one, so this instance is, with its node.

        `UpdateTask` of 2024-05-18 could do it too, and takes the whole definition; this takes nothing but the mode.
        """
        mode = RUN_MODES[order.operation]
        given = {"NodeId": int(before.task_id), "ProjectEnv": PAST_PRODUCTION, "SchedulerType": mode}
        await self._client.order("UpdateNodeRunMode", Wire, given)
        if order.operation is Operation.UNFREEZE and recurrence(before.recurrence).frozen:
            return await self._batch(order, before)
        return Receipt((order.instance,), before.run_number)

    async def _batch(self, order: Order, before: TaskInstance) -> Receipt:
        wanted = tuple(dict.fromkeys((order.instance, *order.instances)))
        if len(wanted) > MOST:
            raise BadInput(f"{len(wanted)} instances are too many for one order: at most {MOST}")
        ids = [number(id_, "instance") for id_ in wanted]
        answer = await self._client.order(ACTIONS[order.operation], Batch, {"Ids": ids, "Comment": _comment(order)})
        told = answer.success_info
        if not told.get(order.instance, UNSAID).success:
            words = told.get(order.instance, UNSAID).message[:200]
            message = f"{self._client.system} refused to {order.operation} {order.instance}: {words}"
            raise Refused(message, system=self._client.system, code="instance-refused")
        done = tuple(id_ for id_ in wanted if told.get(id_, UNSAID).success)
        others = (f"{id_}: {told.get(id_, UNSAID).message}" for id_ in wanted if id_ not in done)
        again = order.operation in {Operation.RERUN, Operation.RERUN_DOWNSTREAM}
        return Receipt(done, before.run_number + again, "; ".join(others)[:COMMENT])

    async def _backfill(self, order: Order, before: TaskInstance) -> Receipt:
        """Make instances of the task for a span of business dates, and start them. Nothing downstream follows."""
        first, last = order.days
        name = f"xops_{order.request_id}"
        given = {
            "Type": BACKFILL,
            "ProjectId": int(before.project_id),
            "WorkflowId": SCHEDULED_WORKFLOW,
            "EnvType": PRODUCTION,
            "Name": name,
            "Comment": _comment(order),
            "AutoStartEnabled": True,
            "Periods": {"BizDates": [{"StartBizDate": first.isoformat(), "EndBizDate": last.isoformat()}]},
            "DefaultRunProperties": {
                "Mode": "ManualSelection",
                "RootTaskIds": [int(before.task_id)],
                "Parallelism": PARALLEL_DAYS,
                "Order": "Asc",
                "Analysis": {"Enabled": True, "Blocked": True},
            },
        }
        try:
            begun = await self._client.order("CreateWorkflowInstances", Begun, given)
        except Unreachable:
            if made := await self._made(name, before.project_id, first):
                return Receipt((), message=f"found after no answer: workflow instance {made}")
            raise
        return await self._created(begun.operation_id)

    async def _made(self, name: str, project: str, day: date) -> str:
        """Id of the first that a backfill of this name made, whose order got no answer; empty without a sign of it."""
        given = {"ProjectId": int(project), "BizDate": milliseconds(day, self._zone), "EnvType": PRODUCTION}
        asked = given | {"Type": BACKFILL, "Name": name}
        for _ in range(POLLS):
            with suppress(RemoteError):  # then it stays unknown
                found = await self._client.page("ListWorkflowInstances", WorkflowInstance, asked, number=1, size=PAGE)
                if made := [one.id for one in found.items if one.name == name]:
                    return made[0]
            await self._client.calls.pause(POLL_SECONDS)
        return ""

    async def _created(self, operation: str) -> Receipt:
        """The instances of a backfill once they are there; none when that takes longer than a person waits."""
        for _ in range(POLLS):
            try:
                found = await self._client.get("GetCreateWorkflowInstancesResult", Created, {"OperationId": operation})
            except (Unreachable, Throttled):  # the order was taken; its instances can be looked for later
                break
            match found.result.status:
                case "Created":
                    return Receipt(found.result.instances)
                case "CreateFailure":
                    message = f"{self._client.system}: {found.result.failure_message[:200]}"
                    raise Refused(message, system=self._client.system, code="CreateFailure")
                case _:
                    await self._client.calls.pause(POLL_SECONDS)
        return Receipt((), message=f"being created: operation {operation}")


def _comment(order: Order) -> str:
    return f"[{order.request_id}] {order.note}"[:COMMENT]
