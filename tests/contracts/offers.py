"""What a scheduler offers it gives, and what it does not offer it refuses in words.

One test for each cell of the tables in docs/schedulers.md; nothing is skipped.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from core.errors import BadInput, Refused
from core.schedulers.base import Capability, Operation, Receipt, Status
from tests.contracts.subject import Subject
from tests.waiting import eventually


async def _logs(subject: Subject) -> bool:
    return bool((await subject.scheduler.log(subject.failed)).lines)


async def _lineage(subject: Subject) -> bool:
    return bool(await subject.scheduler.upstream(subject.failed) or await subject.scheduler.downstream(subject.failed))


async def _owners(subject: Subject) -> bool:
    return bool((await subject.scheduler.instance(subject.failed)).task.owners)


async def _constraints(subject: Subject) -> bool:
    """Whether it is told of one that was frozen that it is."""
    target = await _not_begun(subject)
    await subject.scheduler.operate(subject.order(Operation.FREEZE, target))
    try:
        return (await subject.scheduler.constraints(target)).paused
    finally:
        await subject.scheduler.operate(subject.order(Operation.UNFREEZE, target))


async def _tables(subject: Subject) -> bool:
    return any(table.updates for table in await subject.scheduler.tables(subject.table))


async def _changes(subject: Subject) -> bool:
    page = await subject.scheduler.instances(await subject.whole_day())
    tasks = dict.fromkeys(one.task.id for one in page.items)
    since = (await subject.scheduler.instance(subject.failed)).scheduled_at
    assert since
    return any([await subject.scheduler.changes(task, since - timedelta(days=7)) for task in tasks])


async def _baselines(subject: Subject) -> bool:
    page = await subject.scheduler.instances(await subject.whole_day())
    return any([await subject.scheduler.baselines(one.id) for one in page.items])


TELLS: Mapping[Capability, Callable[[Subject], Awaitable[bool]]] = {
    Capability.LOGS: _logs,
    Capability.LINEAGE: _lineage,
    Capability.OWNERS: _owners,
    Capability.CONSTRAINTS: _constraints,
    Capability.TABLES: _tables,
    Capability.CHANGES: _changes,
    Capability.BASELINES: _baselines,
}
"""For each capability, whether anything of it is told."""


class OffersContract:
    """Part of the suite; `tests.contracts.schedulers` has the rest."""

    @pytest.mark.parametrize("capability", Capability)
    async def test_it_tells_what_it_says_it_can_and_invents_nothing_else(
        self, subject: Subject, capability: Capability
    ) -> None:
        assert await TELLS[capability](subject) == (capability in subject.scheduler.capabilities)

    @pytest.mark.parametrize("operation", Operation)
    async def test_it_does_what_it_says_it_can_and_refuses_the_rest_in_words(
        self, subject: Subject, operation: Operation
    ) -> None:
        scheduler = subject.scheduler
        await scheduler.instance(subject.failed)  # some know their version only then
        if operation in scheduler.operations:
            await ORDERED.get(operation, _ordered)(subject, operation)
            return
        with pytest.raises(Refused) as refusal:
            await scheduler.operate(subject.order(operation))
        assert refusal.value.system == scheduler.name
        assert len(str(refusal.value).split()) >= 3


async def _ordered(subject: Subject, operation: Operation) -> None:
    """Of the failed one."""
    receipt = await subject.scheduler.operate(subject.order(operation))
    assert receipt.instances[0] == subject.failed


async def _set_success(subject: Subject, operation: Operation) -> None:
    run = (await subject.scheduler.instance(subject.failed)).run_number
    await _ordered(subject, operation)
    assert (await subject.ended(subject.failed, run)).status.succeeded


async def _kill(subject: Subject, operation: Operation) -> None:
    """Of one that runs; where none does, of the failed one as soon as it runs again."""
    page = await subject.scheduler.instances(await subject.whole_day())
    target = next((one.id for one in page.items if one.status is Status.RUNNING), subject.failed)
    if target == subject.failed:
        await subject.scheduler.operate(subject.order(Operation.RERUN))

    async def taken() -> Receipt | None:
        try:
            return await subject.scheduler.operate(subject.order(operation, target))
        except Refused:  # it has not begun
            return None

    receipt = await eventually(taken, within=60, every=0.05)
    assert receipt
    assert receipt.instances[0] == target


async def _freeze(subject: Subject, operation: Operation) -> None:
    """Both, one after the other, of one that has not begun."""
    target = await _not_begun(subject)
    for one in (Operation.FREEZE, Operation.UNFREEZE):
        receipt = await subject.scheduler.operate(subject.order(one, target))
        assert receipt.instances[0] == target, operation


async def _backfill(subject: Subject, operation: Operation) -> None:
    """Of one day, and of none: that is refused before anything is sent."""
    with pytest.raises(BadInput):
        await subject.scheduler.operate(subject.order(operation))
    day = subject.day(await subject.scheduler.instance(subject.failed)) - timedelta(days=1)
    assert await subject.scheduler.operate(replace(subject.order(operation), start=day, end=day))


ORDERED: Mapping[Operation, Callable[[Subject, Operation], Awaitable[None]]] = {
    Operation.SET_SUCCESS: _set_success,
    Operation.KILL: _kill,
    Operation.FREEZE: _freeze,
    Operation.UNFREEZE: _freeze,
    Operation.BACKFILL: _backfill,
}
"""How an operation is ordered, where it is not of the failed instance and no more."""


async def _not_begun(subject: Subject) -> str:
    """An instance of the day that still waits; the failed one where there is none."""
    page = await subject.scheduler.instances(await subject.whole_day())
    waiting = {Status.NOT_RUN, Status.WAIT_UPSTREAM, Status.WAIT_TIME}
    return next((one.id for one in page.items if one.status in waiting and not one.flags.frozen), subject.failed)
