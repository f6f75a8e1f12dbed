"""Changing things: one order, one call that changes something, never repeated.

`OperateInstance` answers HTTP 200 and tells instance by instance what became of it; it takes no comment, so Dataphin's own
trail names the user of the connection and only X-Ops' trail the person. A backfill carries the id of the order in its name.

A rerun with downstream is `FixData`: it makes no new instances but new runs of the old ones, each after those above it.
"""

from collections.abc import Mapping
from datetime import date
from typing import Final

from core.errors import BadInput, Refused
from core.schedulers.base import Operation, Order, Receipt
from core.schedulers.dataphin.client import Client
from core.schedulers.dataphin.model import node_of
from core.schedulers.dataphin.reader import Found, Reader
from core.schedulers.dataphin.wire import DagRunInstances, DagRuns, InstanceResult, Operated, Submitted

MOST: Final = 500
"""Most instances of one order."""
PARALLEL: Final = 2
"""Instances of a backfill that run at a time: it must not take the night's resources."""
POLLS: Final = 5
POLL_SECONDS: Final = 1.0
"""How often, and how far apart, to ask whether a backfill's instances are there."""
DONE: Final = "SUCCESS"
NOT_MADE: Final = "CREATE_FAILED"
STILL_MAKING: Final = "INIT"

ACTIONS: Final[Mapping[Operation, str]] = {
    Operation.RERUN: "RERUN",
    Operation.SET_SUCCESS: "SET_SUCCESS",
    Operation.KILL: "TERMINATE",
    Operation.FREEZE: "PAUSE",
    Operation.UNFREEZE: "RESUME",
}
OPERATIONS: Final = frozenset({*ACTIONS, Operation.RERUN_DOWNSTREAM, Operation.BACKFILL})
EFFECTS: Final[Mapping[Operation, tuple[str, ...]]] = {
    Operation.FREEZE: ("only_this_cycle",),
    Operation.UNFREEZE: ("only_this_cycle",),
    Operation.BACKFILL: ("without_downstream",),
}
"""See `Scheduler.effects`."""
UNSAID: Final = InstanceResult(error_message="Dataphin did not say what became of it")


class Orders:
    """Carries out orders on one connection.

    Args:
        client: the connection.
        reader: for the present state.
    """

    def __init__(self, client: Client, reader: Reader) -> None:
        self._client = client
        self._reader = reader

    async def carry_out(self, order: Order) -> Receipt:
        """Do it.

        Raises:
            NotFound: no such instance.
            Refused: Dataphin said no.
            Unreachable: no answer; it may or may not have been done.
        """
        found = await self._reader.raw(order.instance)
        match order.operation:
            case Operation.BACKFILL:
                return await self._backfill(order, found)
            case Operation.RERUN_DOWNSTREAM if order.instances:
                return await self._rerun_all(order, found)
            case Operation.RERUN | Operation.RERUN_DOWNSTREAM:
                return await self._operate(order, found, "RERUN", await self._next_run(order))
            case operation:
                return await self._operate(order, found, ACTIONS[operation], await self._last_run(order))

    async def _operate(self, order: Order, found: Found, word: str, run_number: int) -> Receipt:
        command = {
            "ProjectId": int(found.project),
            "Operation": word,
            "InstanceIdList": [{"Id": order.instance}],
        }
        answer = await self._client.order("OperateInstance", Operated, {"OperateCommand": command})
        told = next((one for one in answer.results if one.id == order.instance), UNSAID)
        if told.status.upper() != DONE:
            words = f"{self._client.system} refused to {order.operation} {order.instance}: {told.error_message[:200]}"
            raise Refused(words, system=self._client.system, code="instance-refused")
        return Receipt((order.instance,), run_number)

    async def _rerun_all(self, order: Order, found: Found) -> Receipt:
        chosen = tuple(dict.fromkeys(id_ for id_ in order.instances if id_ != order.instance))
        if len(chosen) >= MOST:
            raise BadInput(f"{len(chosen) + 1} instances are too many for one order: at most {MOST}")
        command = {
            "ProjectId": int(found.project),
            "RootInstanceId": {"Id": order.instance},
            "ContainRootInstance": True,
            "DownStreamInstanceIdList": [{"Id": id_} for id_ in chosen],
        }
        run_number = await self._next_run(order)
        await self._client.order("FixData", Submitted, {"FixDataCommand": command})
        return Receipt((order.instance, *chosen), run_number)

    async def _backfill(self, order: Order, found: Found) -> Receipt:
        """Make instances of the node for a span of business dates, and start them. Nothing downstream follows."""
        first, last = order.days
        command = {
            "ProjectId": int(found.project),
            "Name": f"xops_{order.request_id}",
            "NodeIdList": [{"Id": node_of(order.instance)}],
            "StartBizDate": _compact(first),
            "EndBizDate": _compact(last),
            "ContainAllDownStream": False,
            "Parallelism": PARALLEL,
            "RunImmediately": True,
        }
        begun = await self._client.order("CreateNodeSupplement", Submitted, {"CreateCommand": command})
        return await self._made(begun.submit_id)

    async def _made(self, supplement: str) -> Receipt:
        """The instances of a backfill once they are there; none when that takes longer than a person waits."""
        for _ in range(POLLS):
            runs = (await self._client.get("GetSupplementDagrun", DagRuns, {"SupplementId": supplement})).runs
            if any(run.status == NOT_MADE for run in runs):
                message = f"{self._client.system} could not make the instances of {supplement}"
                raise Refused(message, system=self._client.system, code=NOT_MADE)
            if runs and all(run.status != STILL_MAKING for run in runs):
                parts = [await self._instances(run.id) for run in runs]
                return Receipt(tuple(id_ for part in parts for id_ in part))
            await self._client.calls.pause(POLL_SECONDS)
        return Receipt((), message=f"being created: {supplement}")

    async def _instances(self, dagrun: str) -> tuple[str, ...]:
        found = await self._client.get("GetSupplementDagrunInstance", DagRunInstances, {"DagrunId": dagrun})
        return tuple(one.id for one in found.instances)

    async def _last_run(self, order: Order) -> int:
        return (await self._reader.one(order.instance)).run_number

    async def _next_run(self, order: Order) -> int:
        return await self._last_run(order) + 1


def _compact(day: date) -> str:
    return f"{day:%Y%m%d}"
