"""Changing things: one order, one call that changes something, never repeated.

DolphinScheduler takes orders about tasks only while their workflow instance stands still. It has no place for a note and no
idempotency key: its own trail names the owner of our token, and who asked is in ours. What keeps a second copy of an order
from running is that the first has set the workflow instance going.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import date, datetime, time, timedelta
from json import dumps
from typing import Final

from pydantic import TypeAdapter

from core.errors import Refused, RemoteError
from core.schedulers.base import Instance, Operation, Order, Receipt
from core.schedulers.dolphinscheduler.catalogue import Catalogue
from core.schedulers.dolphinscheduler.client import Client
from core.schedulers.dolphinscheduler.graph import ONLINE, Workflow
from core.schedulers.dolphinscheduler.model import FAILURE, STANDING, Key
from core.schedulers.dolphinscheduler.reader import FORMAT, Reader
from core.schedulers.dolphinscheduler.wire import Identity

EFFECTS: Final[Mapping[Operation, tuple[str, ...]]] = {
    Operation.RERUN: ("downstream_stays",),
    Operation.SET_SUCCESS: ("downstream_stays",),
    Operation.KILL: ("whole_workflow_stopped",),
    Operation.FREEZE: ("whole_schedule_offline",),
    Operation.UNFREEZE: ("whole_schedule_online",),
    Operation.BACKFILL: ("without_downstream",),
}
"""See `Scheduler.effects`."""
OLD_EFFECTS: Final[Mapping[Operation, tuple[str, ...]]] = {**EFFECTS, Operation.RERUN: ("all_failed_run",)}
"""Before 3.2 a single task cannot be run again: all that failed in the workflow instance is, and what waits for it."""
PARALLEL_DAYS: Final = 2
"""Days of a backfill that run at a time: it must not take the night's workers."""
RUNS: Final = TypeAdapter(tuple[Identity, ...])
DUE_AFTER: Final = timedelta(days=1)
"""From a business date to the day on which its instance is due."""


class Orders:
    """Carries out orders on one connection.

    Args:
        client: the connection.
        catalogue: for definitions; told when a schedule changes.
        reader: for the present state.
    """

    def __init__(self, client: Client, catalogue: Catalogue, reader: Reader) -> None:
        self._client = client
        self._catalogue = catalogue
        self._reader = reader
        self._ways: Mapping[Operation, Callable[[Order, Key, Instance], Awaitable[Receipt]]] = {
            Operation.RERUN: self._rerun,
            Operation.RERUN_DOWNSTREAM: self._rerun_downstream,
            Operation.SET_SUCCESS: self._set_success,
            Operation.KILL: self._kill,
            Operation.FREEZE: self._schedule,
            Operation.UNFREEZE: self._schedule,
            Operation.BACKFILL: self._backfill,
        }

    @property
    def operations(self) -> frozenset[Operation]:
        """All that can be ordered of this version."""
        single = self._client.generation.single_tasks
        return frozenset(self._ways) - (frozenset() if single else {Operation.RERUN_DOWNSTREAM})

    @property
    def effects(self) -> Mapping[Operation, tuple[str, ...]]:
        """What operations of this version do besides."""
        return EFFECTS if self._client.generation.single_tasks else OLD_EFFECTS

    async def carry_out(self, order: Order) -> Receipt:
        """Do it.

        Raises:
            NotFound: no such instance.
            Refused: DolphinScheduler said no, or the state does not allow it.
            Unreachable: no answer; it may or may not have been done.
        """
        key = Key.parse(order.instance)
        before = await self._reader.one(key)
        if order.operation not in self.operations:
            raise self._refusal(f"{order.operation} needs DolphinScheduler 3.2", "version")
        return await self._ways[order.operation](order, key, before)

    async def _rerun(self, order: Order, key: Key, before: Instance) -> Receipt:
        if self._client.generation.single_tasks:
            await self._execute_task(key, "TASK_ONLY")
        else:
            await self._recover(key, before)
        return Receipt((key.id,), before.run_number + 1)

    async def _rerun_downstream(self, order: Order, key: Key, before: Instance) -> Receipt:
        """Each workflow instance that was chosen from takes one call: for its first task, or for that with all below it."""
        groups: dict[tuple[str, str], list[Key]] = {(key.project, key.run): [key]}
        for one in map(Key.parse, order.instances):
            groups.setdefault((one.project, one.run), []).append(one)
        ways = [await self._way(group) for group in groups.values()]
        done: list[str] = []
        for (first, how), group in zip(ways, groups.values(), strict=True):
            try:
                await self._execute_task(first, how)
            except RemoteError as error:
                if not done:
                    raise
                return Receipt(tuple(done), before.run_number + 1, f"not {first.id} and what follows: {error}")
            done += dict.fromkeys(one.id for one in group)
        return Receipt(tuple(done), before.run_number + 1)

    async def _way(self, group: list[Key]) -> tuple[Key, str]:
        """The first of some tasks of one workflow instance, and how to run exactly these again."""
        home = await self._home(group[0])
        codes = {one.task for one in group}
        first = next((one for one in group if codes - {one.task} <= home.descendants(one.task)), group[0])
        if codes == {first.task}:
            return first, "TASK_ONLY"
        if codes == {first.task} | home.descendants(first.task):
            return first, "TASK_POST"
        raise self._refusal("a task runs again alone or with all that follows it in its workflow", "part-of-workflow")

    async def _execute_task(self, key: Key, how: str) -> None:
        await self._standing(key)
        names = await self._client.names()
        given = {names.run_id: key.run, "startNodeList": key.task, "taskDependType": how}
        await self._client.order(("projects", key.project, "executors", "execute-task"), given, name=key.id)

    async def _recover(self, key: Key, before: Instance) -> None:
        if await self._standing(key) != FAILURE or not before.status.failed:
            raise self._refusal("before 3.2 only what failed can run again", "version")
        await self._execute(key, "START_FAILURE_TASK_PROCESS")

    async def _set_success(self, order: Order, key: Key, before: Instance) -> Receipt:
        """Mark its last row successful. DolphinScheduler allows it for what failed or was killed."""
        await self._standing(key)
        rows = await self._reader.attempts(key)
        if not rows:
            raise self._refusal(f"{key.id} never ran", "never-ran")
        path = ("projects", key.project, "task-instances", str(rows[-1].id), "force-success")
        await self._client.order(path, {}, name=key.id)
        return Receipt((key.id,), before.run_number)

    async def _kill(self, order: Order, key: Key, before: Instance) -> Receipt:
        """Stop the whole workflow instance: a single task of it cannot be stopped."""
        if before.status.finished:
            raise self._refusal(f"{key.id} is {before.raw_status}, not running", "not-running")
        await self._execute(key, "STOP")
        return Receipt((key.id,), before.run_number)

    async def _execute(self, key: Key, what: str) -> None:
        names = await self._client.names()
        given = {names.run_id: key.run, "executeType": what}
        await self._client.order(("projects", key.project, "executors", "execute"), given, name=key.id)

    async def _schedule(self, order: Order, key: Key, before: Instance) -> Receipt:
        """Set the workflow's schedule off- or online. Where it already is so, nothing is sent."""
        self._catalogue.forget()
        schedule = (await self._home(key)).schedule
        if schedule is None:
            raise self._refusal("its workflow has no schedule: only people start it", "no-schedule")
        online = order.operation is Operation.UNFREEZE
        if online != (schedule.release_state == ONLINE):
            path = ("projects", key.project, "schedules", schedule.id, "online" if online else "offline")
            await self._client.order(path, {}, name=key.id)
            self._catalogue.forget()
        return Receipt((key.id,), before.run_number)

    async def _backfill(self, order: Order, key: Key, before: Instance) -> Receipt:
        """Run the task alone for a span of business dates, on each as often as its schedule says.

        From 3.3 the answer names the workflow instances; before, it does not.
        """
        first, last = order.days
        names, home = await self._client.names(), await self._home(key)
        span = {
            "complementStartDate": self._moment(first + DUE_AFTER, time.min),
            "complementEndDate": self._moment(last + DUE_AFTER, time(23, 59, 59)),
        }
        given = {
            names.workflow_code: home.code,
            "scheduleTime": dumps(span),
            "failureStrategy": "CONTINUE",
            "warningType": "NONE",
            "execType": "COMPLEMENT_DATA",
            "startNodeList": key.task,
            "taskDependType": "TASK_ONLY",
            "runMode": "RUN_MODE_PARALLEL",
            "expectedParallelismNumber": PARALLEL_DAYS,
            "complementDependentMode": "OFF_MODE",
        }
        path = ("projects", key.project, "executors", f"start-{names.noun}-instance")
        answer = await self._client.order(path, given, name=key.id)
        runs = RUNS.validate_python(answer) if isinstance(answer, list) else ()
        return Receipt(tuple(Key(key.project, run, key.task).id for run in runs))

    async def _standing(self, key: Key) -> str:
        """The state of a workflow instance that stands still. DolphinScheduler's own refusal would only be a number."""
        state = (await self._reader.run(key.project, key.run)).state
        if state not in STANDING:
            raise self._refusal(
                f"workflow instance {key.run} is {state}: wait for its end, or stop it", "still-running"
            )
        return state

    async def _home(self, key: Key) -> Workflow:
        return (await self._catalogue.home(key.task))[1]

    def _moment(self, day: date, at: time) -> str:
        return datetime.combine(day, at, self._reader.zone).astimezone(self._client.zone).strftime(FORMAT)

    def _refusal(self, why: str, code: str) -> Refused:
        return Refused(f"{self._client.system}: {why}", system=self._client.system, code=code)
