"""What can be found out about something that happened: the instance, why it failed, the table, what a tool's text says.

What nobody knows stays empty, and a scheduler that does not answer costs its own part: a card that only tells what the event
told is worth more at night than none.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime

from core.alerts import read
from core.diagnosis import diagnose
from core.diagnosis.runbooks import Knowledge
from core.effects.model import Finding, Happening
from core.errors import XOpsError
from core.schedulers.base import AlertRule, Capability, DataTable, Instance, KnowsAlertRules, Status
from core.schedulers.fleet import Fleet
from core.tools.evidence import gather
from core.tools.find import Finder
from core.tools.groups import Groups
from core.tools.paste import report as report_alert

CROWD = 20
"""From so many failures of a project in a quarter of an hour on, they are counted and no more looked into one by one."""
DIAGNOSE_SECONDS = 20.0
EXPLAINED = frozenset({"failed", "alert", "heard"})

Progress = Callable[[str], Awaitable[Mapping[Status, int]]]
"""How many instances of a run of a workflow are known, by status: asked with the run's id."""


class Investigator:
    """Finds out.

    Args:
        fleet: who is asked.
        knowledge: signatures and runbooks; by default those that come with X-Ops.
        progress: see `Progress`.
        clock: the present as it is told to people, with zone.
    """

    def __init__(
        self, fleet: Fleet, knowledge: Knowledge | None, progress: Progress, *, clock: Callable[[], datetime]
    ) -> None:
        self._fleet = fleet
        self._find = Finder(fleet, clock)
        self._groups = Groups(fleet, self._find)
        self._knowledge = knowledge
        self._progress = progress
        self._clock = clock

    async def look_into(self, one: Happening, *, crowd: int) -> Finding | None:
        """Everything that can be found out; None when it turns out that nothing happened.

        Args:
            one: what happened.
            crowd: how many of its kind happened in its project of late.
        """
        if one.kind == "heard":
            return await self._heard(one)
        if one.kind == "progress":
            return Finding(one, self._clock(), progress=await self._progress(one.subject.partition(":")[2]))
        instance = await self._instance(one)
        if instance is not None and instance.flags.frozen and one.kind == "failed":
            return None  # somebody froze it, and some platforms report that as a failure
        if instance is not None and one.kind == "recovered" and _failed_since(instance, one.at):
            return None
        table = await self._table(one.name) if one.kind == "quality" else None
        found = Finding(one, self._clock(), instance, table=table, rule=await self._rule(one))
        return await self._explained(found) if crowd < CROWD else found

    async def _heard(self, one: Happening) -> Finding | None:
        reading = await asyncio.to_thread(read, one.text)
        if reading.kind != "alert":
            return Finding(one, self._clock())
        report = await report_alert(reading, self._find, self._groups, self._clock())
        instance = next((located.instance for located in report.located if located.instance), None)
        return await self._explained(Finding(one, self._clock(), instance, report=report))

    async def _explained(self, found: Finding) -> Finding:
        instance = found.instance
        if found.over or instance is None or not instance.status.failed or found.happening.kind not in EXPLAINED:
            return found
        try:
            async with asyncio.timeout(DIAGNOSE_SECONDS):
                evidence = await gather(self._fleet, instance, self._clock())
        except TimeoutError:
            return found
        diagnosis = await asyncio.to_thread(diagnose, evidence, self._knowledge)
        return replace(found, as_of=evidence.now, diagnosis=diagnosis)

    async def _instance(self, one: Happening) -> Instance | None:
        """The first of its instances, by whoever knows most of it: logs before everything else."""
        if not one.instances:
            return None
        asked = (self._known(name, one.instances[0]) for name in self._fleet.names)
        found = [instance for instance in await asyncio.gather(*asked) if instance]
        return max(found, key=self._worth, default=None)

    async def _known(self, scheduler: str, identity: str) -> Instance | None:
        try:
            return await self._fleet.instance(f"{scheduler}:{identity}")
        except XOpsError:  # it does not know it, or does not answer
            return None

    def _worth(self, instance: Instance) -> bool:
        return Capability.LOGS in self._fleet.scheduler(instance.ref)[0].capabilities

    async def _rule(self, one: Happening) -> AlertRule | None:
        """The platform's rule that raised an alert, where it names one."""
        if not (rule := one.values.get("alert_rule", "")):
            return None
        asked = [scheduler for scheduler in self._fleet.schedulers if isinstance(scheduler, KnowsAlertRules)]
        found = await asyncio.gather(*(self._rule_of(scheduler, rule) for scheduler in asked))
        return next(filter(None, found), None)

    async def _rule_of(self, scheduler: KnowsAlertRules, rule: str) -> AlertRule | None:
        try:
            return await self._fleet.one(f"{scheduler.name}:{rule}", lambda _, identity: scheduler.alert_rule(identity))
        except XOpsError:  # it does not know it, or does not answer
            return None

    async def _table(self, name: str) -> DataTable | None:
        try:
            return await self._find.table(name)
        except XOpsError:
            return None


def _failed_since(instance: Instance, at: datetime) -> bool:
    """Whether it failed after a success that is heard only now."""
    return instance.status.failed and instance.finished_at is not None and instance.finished_at > at
