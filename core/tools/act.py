"""Changes, as proposals: checked, counted, stored, and shown. Nothing here carries one out."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta

from core import downstream
from core.access import Access, Person
from core.errors import BadInput, Denied, XOpsError
from core.messages import Conversation
from core.operations import RULES, frozen
from core.proposals import Proposals
from core.results import DaysWanted, InstanceList, Member, Notice, Result
from core.schedulers.base import Capability, Instance, Operation, incomplete
from core.settings import Operations
from core.tools.find import Interest
from core.tools.look import Look, explain

INTEREST: Mapping[Operation, Interest] = {Operation.KILL: "activity"}
"""Which instance of a task is meant; the failed one unless it is here."""


class Act:
    """Makes proposals.

    Args:
        look: resolves names.
        access: who may do what.
        proposals: where they are stored.
        limits: how much one proposal may touch.
    """

    def __init__(self, look: Look, access: Access, proposals: Proposals, limits: Operations | None = None) -> None:
        self._look = look
        self._access = access
        self._proposals = proposals
        self._limits = limits or Operations()

    async def propose(
        self, person: Person, conversation: Conversation, operation: str, target: str, *, day: str = "", until: str = ""
    ) -> Result:
        """Store a change for a person to confirm.

        Args:
            person: who asks; must be entitled now, and again when it is confirmed and carried out.
            conversation: where the confirmation is expected.
            operation: a word of `core.schedulers.base.Operation`.
            target: as in `Look.status`.
            day: day of the instance, as in `Look.status`; of a backfill the first business date.
            until: last business date of a backfill.

        Returns:
            A `Proposal`; `DaysWanted` for a backfill; a `Notice` when the scheduler cannot do this or the state does not
            allow it; a `Choice`, `Missing` or `Problem` otherwise.
        """
        try:
            wanted = _operation(operation)
            if wanted is Operation.BACKFILL:
                return await self.backfill(person, conversation, target, day, until)
            return await self._propose(person, conversation, wanted, target, day)
        except XOpsError as error:
            return explain(error, "propose", self._look.fleet, {"operation": operation, "day": day})

    async def backfill(self, person: Person, conversation: Conversation, target: str, start: str, end: str) -> Result:
        """Store a backfill of a task from one day to another, both included.

        Args:
            person: as of `propose`.
            conversation: as of `propose`.
            target: as of `propose`.
            start: first business date, `YYYY-MM-DD` or a word for a day; without it the days are asked for.
            end: the last one; without it the first is the only one.
        """
        try:
            instance = await self._instance(person, Operation.BACKFILL, target)
            return await self._backfill(person, conversation, instance, start, end)
        except XOpsError as error:
            return explain(error, "backfill", self._look.fleet, {"start": start, "end": end})

    async def propose_batch(
        self, person: Person, conversation: Conversation, operation: str, *, kind: str, subject: str = "", day: str = ""
    ) -> Result:
        """Store one change of several instances: those of a list that the person may change and whose state allows it.

        Args:
            person: as of `propose`.
            conversation: as of `propose`.
            operation: as of `propose`.
            kind: which list, as of `Look.instances`.
            subject: as of `Look.instances`.
            day: as of `Look.instances`.

        Returns:
            A `Proposal` whose members are the list, at most as many as are allowed at once; those left out say why. A
            `Notice` when there is nothing to change; whatever `Look.instances` answers when there is no list.
        """
        try:
            wanted = _operation(operation)
            most = min(RULES[wanted].largest_batch, self._limits.largest_batch)
            if most == 1:
                return Notice("one_at_a_time")
            found = await self._look.instances(person, kind=kind, subject=subject, day=day, limit=most)
            if not isinstance(found, InstanceList):
                return found
            return await self._batch(person, conversation, wanted, found)
        except XOpsError as error:
            return explain(error, "batch", self._look.fleet, {"operation": operation})

    async def _propose(
        self, person: Person, conversation: Conversation, operation: Operation, target: str, day: str
    ) -> Result:
        instance = await self._instance(person, operation, target, day)
        if hindrance := self._hindrance(operation, instance):
            return hindrance
        members, more = await self._members(operation, instance)
        effects = (*self._effects(operation, instance), *(("more_downstream",) if more else ()))
        return await self._proposals.propose(
            person, conversation, operation, instance, members=members, effects=effects
        )

    async def _instance(self, person: Person, operation: Operation, target: str, day: str = "") -> Instance:
        self._access.may_look(person)
        instance = await self._look.find.instance(target, day=day, interest=INTEREST.get(operation, "failure"))
        self._access.may_operate(person, operation, instance.task)
        return instance

    def _hindrance(self, operation: Operation, instance: Instance) -> Notice | None:
        """Why this cannot be done to it now, if it cannot."""
        scheduler, _ = self._look.fleet.scheduler(instance.ref)
        if operation not in scheduler.operations:
            return Notice("unsupported", {"scheduler": scheduler.name})
        if RULES[operation].fits(instance):
            return None
        stands_still = frozen(instance) and operation is not Operation.FREEZE
        return Notice("not_now.frozen" if stands_still else f"not_now.{operation}", {"name": instance.task.name})

    def _effects(self, operation: Operation, instance: Instance) -> tuple[str, ...]:
        return self._look.fleet.scheduler(instance.ref)[0].effects.get(operation, ())

    async def _members(self, operation: Operation, instance: Instance) -> tuple[tuple[Member, ...], bool]:
        """Those downstream, with the ones chosen that are most likely meant, and whether there may be more.

        None unless the operation is about them.
        """
        scheduler, _ = self._look.fleet.scheduler(instance.ref)
        if operation is not Operation.RERUN_DOWNSTREAM or Capability.LINEAGE not in scheduler.capabilities:
            return (), False
        related = await self._look.fleet.one(
            instance.ref, lambda asked, identity: asked.downstream(identity, depth=downstream.REACH)
        )
        return downstream.choose(downstream.members(related), downstream.usual(instance)), incomplete(related)

    async def _backfill(
        self, person: Person, conversation: Conversation, instance: Instance, start: str, end: str
    ) -> Result:
        if hindrance := self._hindrance(Operation.BACKFILL, instance):
            return hindrance
        yesterday = self._look.find.day("") - timedelta(days=1)
        if not start:
            return DaysWanted(instance, yesterday, yesterday, self._limits.backfill_days)
        first = self._look.find.day(start)
        last = self._look.find.day(end) if end else first
        if problem := self._bad_days(first, last, yesterday):
            return problem
        return await self._proposals.propose(
            person,
            conversation,
            Operation.BACKFILL,
            instance,
            start=first,
            end=last,
            effects=self._effects(Operation.BACKFILL, instance),
        )

    def _bad_days(self, first: date, last: date, latest: date) -> Notice | None:
        details = {"first": first.isoformat(), "last": last.isoformat(), "most": str(self._limits.backfill_days)}
        if last < first:
            return Notice("days.backwards", details)
        if (last - first).days >= self._limits.backfill_days:
            return Notice("days.too_many", details)
        return Notice("days.future", details) if last > latest else None

    async def _batch(
        self, person: Person, conversation: Conversation, operation: Operation, found: InstanceList
    ) -> Result:
        members = tuple(self._member(person, operation, instance) for instance in found.instances)
        chosen = [member.instance for member in members if member.chosen]
        if not chosen:
            return Notice("nothing_to_change", {"count": str(found.total)})
        effects = dict.fromkeys(effect for one in chosen for effect in self._effects(operation, one))
        return await self._proposals.propose(
            person,
            conversation,
            operation,
            chosen[0],
            members=members,
            total=found.total,
            effects=tuple(effects),
        )

    def _member(self, person: Person, operation: Operation, instance: Instance) -> Member:
        member = Member(instance)
        try:
            self._access.may_operate(person, operation, instance.task)
        except Denied:
            return replace(member, chosen=False, state="denied")
        return replace(member, chosen=False, state="unfit") if self._hindrance(operation, instance) else member


def _operation(word: str) -> Operation:
    try:
        return Operation(word)
    except ValueError as error:
        raise BadInput(f"no operation {word}", argument="operation") from error
