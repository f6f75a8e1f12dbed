"""Changes, as proposals: checked, counted, stored, and shown. Nothing here carries one out."""

from collections.abc import Callable, Mapping

from core.access import Access, Person
from core.errors import BadInput, XOpsError
from core.messages import Conversation
from core.proposals import Proposals
from core.results import Notice, Result
from core.schedulers.base import Capability, Instance, Operation, Status
from core.tools.evidence import Lookup
from core.tools.find import Interest
from core.tools.look import Look, explain

STARTED = frozenset({Status.RUNNING, Status.CHECKING, Status.WAIT_RESOURCE})

POSSIBLE: Mapping[Operation, Callable[[Instance], bool]] = {
    Operation.RERUN: lambda instance: instance.status.finished,
    Operation.RERUN_DOWNSTREAM: lambda instance: instance.status.finished,
    Operation.SET_SUCCESS: lambda instance: instance.status.finished and not instance.status.succeeded,
    Operation.KILL: lambda instance: instance.status in STARTED,
    Operation.FREEZE: lambda instance: not instance.flags.frozen,
    Operation.UNFREEZE: lambda instance: instance.flags.frozen,
}
"""What state each operation needs. A backfill needs days and is not proposed from a sentence."""

INTEREST: Mapping[Operation, Interest] = {Operation.KILL: "activity"}
"""Which instance of a task is meant; the failed one unless it is here."""


class Act:
    """Makes proposals.

    Args:
        look: resolves names.
        access: who may do what.
        proposals: where they are stored.
    """

    def __init__(self, look: Look, access: Access, proposals: Proposals) -> None:
        self._look = look
        self._access = access
        self._proposals = proposals

    async def propose(self, person: Person, conversation: Conversation, operation: str, target: str) -> Result:
        """Store a change for a person to confirm.

        Args:
            person: who asks; must be entitled now, and again when it is confirmed and carried out.
            conversation: where the confirmation is expected.
            operation: a word of `core.schedulers.base.Operation`.
            target: as in `Look.status`.

        Returns:
            A `Proposal`; a `Notice` when the scheduler cannot do this or the state does not allow it; a `Choice`,
            `Missing` or `Problem` otherwise.
        """
        try:
            return await self._propose(person, conversation, _operation(operation), target)
        except XOpsError as error:
            return explain(error, "propose", self._look.fleet, {"operation": operation})

    async def _propose(self, person: Person, conversation: Conversation, operation: Operation, target: str) -> Result:
        self._access.may_look(person)
        instance = await self._look.find.instance(target, interest=INTEREST.get(operation, "failure"))
        self._access.may_operate(person, operation, instance.task)
        scheduler, _ = self._look.fleet.scheduler(instance.ref)
        if operation not in scheduler.operations or operation not in POSSIBLE:
            return Notice("unsupported", {"scheduler": scheduler.name})
        if not POSSIBLE[operation](instance):
            return Notice(f"not_now.{operation}", {"name": instance.task.name})
        affected = await self._affected(operation, instance)
        return await self._proposals.propose(person, conversation, operation, instance, affected=affected)

    async def _affected(self, operation: Operation, instance: Instance) -> int:
        """How many instances the operation touches, the target included."""
        scheduler, _ = self._look.fleet.scheduler(instance.ref)
        if operation is not Operation.RERUN_DOWNSTREAM or Capability.LINEAGE not in scheduler.capabilities:
            return 1
        return 1 + len(await Lookup(self._look.fleet, instance).dependants())


def _operation(word: str) -> Operation:
    try:
        return Operation(word)
    except ValueError as error:
        raise BadInput(f"no operation {word}", argument="operation") from error
