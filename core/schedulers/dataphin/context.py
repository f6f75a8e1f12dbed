"""What surrounds an instance: what people did to its node before, and what holds it back."""

from datetime import datetime
from typing import Final

from core.schedulers.base import Change, Constraints, Status
from core.schedulers.dataphin.catalogue import Catalogue
from core.schedulers.dataphin.client import Client
from core.schedulers.dataphin.reader import Reader
from core.schedulers.dataphin.wire import OperationLog

CHANGES: Final = 50
HOLDERS: Final = 20
THROTTLED: Final = "DISPATCH_BLOCKED"


class Context:
    """Looks around an instance or node.

    Args:
        client: the connection.
        catalogue: for the node.
        reader: for the instance.
    """

    def __init__(self, client: Client, catalogue: Catalogue, reader: Reader) -> None:
        self._client = client
        self._catalogue = catalogue
        self._reader = reader

    async def changes(self, task_id: str, since: datetime) -> tuple[Change, ...]:
        """What was done to a node, and when its definition last changed; newest first."""
        node = await self._catalogue.node(task_id)
        ref = f"{self._client.system}:{task_id}"
        log = await self._client.get("GetPhysicalNodeOperationLog", OperationLog, {"NodeId": task_id})
        found = [
            Change(one.at, "operation", f"{one.operation_type} {one.context}".strip(), one.operator_name, ref)
            for one in log.operations
            if one.at
        ]
        if node.last_modified_time:
            words = "the node's definition was changed"
            found.append(Change(node.last_modified_time, "task", words, node.modifier.name, ref))
        recent = (change for change in found if change.at >= since)
        return tuple(sorted(recent, key=lambda change: change.at, reverse=True)[:CHANGES])

    async def constraints(self, instance_id: str) -> Constraints:
        """When it is due, what throttles it, the resource group it waits for and who holds that, whether it is frozen."""
        found = await self._reader.raw(instance_id)
        one = await self._reader.known(found)
        throttled = THROTTLED in found.raw.status_list
        waits = one.status is Status.WAIT_RESOURCE and not throttled
        group = next(iter(found.raw.node.resource_group_list), "") if waits else ""
        holders = ()
        if group and one.scheduled_at:
            holders = await self._reader.running_in(group, found.project, one.scheduled_at, HOLDERS)
        return Constraints(
            due_at=one.scheduled_at if one.status is Status.WAIT_TIME else None,
            throttled_by=(one.note or THROTTLED,) if throttled else (),
            resource_group=group,
            resource_holders=holders,
            paused=one.flags.frozen,
        )
