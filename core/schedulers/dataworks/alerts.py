"""Rules by which DataWorks itself calls people: which concern a task, whom they call, who of a roster is on duty now.

Rules belong to the account, not to a workspace, so all are listed once and kept for a while; whom a rule calls is told by the
rule alone. Rosters are known to 2020-05-18 only.
"""

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Final

from core.errors import NotFound
from core.schedulers.base import AlertRule, Shift
from core.schedulers.dataworks.catalogue import Catalogue, Names
from core.schedulers.dataworks.client import Client
from core.schedulers.dataworks.model import number
from core.schedulers.dataworks.wire import Listing, OnDuty, OneRule, Roster, Rule, TaskDefinition
from core.schedulers.directory import ALL
from core.schedulers.memory import Memory

RULES_SECONDS: Final = 600.0
DUTY_SECONDS: Final = 60.0
PAGE: Final = 100
MOST: Final = 1000
"""Most rules and rosters of an account that are looked through."""
TOLD: Final = 5
"""Most rules about one task: each costs a call."""
SHIFTS: Final = 10
"""Most rosters that are looked at: each costs a call or two."""
PRIMARY, ANYONE = "PRIMARY", "ALL"
PERSON, TASK_OWNER, ROSTER = "AliUid", "TaskOwner", "ShiftSchedule"


class Alerts:
    """Looks rules up.

    Args:
        client: the connection.
        catalogue: for tasks and names.
        clock: the present moment, with zone.
    """

    def __init__(self, client: Client, catalogue: Catalogue, clock: Callable[[], datetime]) -> None:
        self._client = client
        self._catalogue = catalogue
        self._clock = clock
        self._listed: Memory[str, tuple[Rule, ...]] = Memory(self._fetch_list, seconds=RULES_SECONDS)
        self._rules: Memory[str, Rule] = Memory(self._fetch_rule, seconds=RULES_SECONDS)
        self._rosters: Memory[str, dict[str, str]] = Memory(self._fetch_rosters, seconds=RULES_SECONDS)
        self._duty: Memory[str, tuple[OnDuty, ...]] = Memory(self._fetch_duty, seconds=DUTY_SECONDS)

    async def about(self, task_id: str) -> tuple[AlertRule, ...]:
        """Rules that concern a task, those that are switched on first. Raises `NotFound`."""
        task = await self._catalogue.definition(task_id)
        concern = sorted((one for one in await self._listed.get(ALL) if _watches(one, task)), key=_switched_off)
        names = await self._catalogue.names([task.project_id])
        found = await asyncio.gather(*(self._rules.get(one.id) for one in concern[:TOLD]))
        return tuple(await asyncio.gather(*(self._told(one, names, task) for one in found)))

    async def one(self, rule_id: str) -> AlertRule:
        """A rule by its id. Raises `NotFound`."""
        rule = await self._rules.get(str(number(rule_id, "rule")))
        return await self._told(rule, await self._catalogue.names(await self._catalogue.projects()))

    async def shifts(self) -> tuple[Shift, ...]:
        """All rosters, at most ten, with who is on duty now."""
        names = await self._catalogue.names(await self._catalogue.projects())
        called = list(await self._rosters.get(ALL))[:SHIFTS]
        return tuple(await asyncio.gather(*(self._shift(roster, names) for roster in called)))

    async def close(self) -> None:
        """Stop what is being fetched."""
        await asyncio.gather(self._listed.close(), self._rules.close(), self._rosters.close(), self._duty.close())

    async def _told(self, rule: Rule, names: Names, task: TaskDefinition | None = None) -> AlertRule:
        called = rule.notification.receivers
        owners = [task.owner for one in called if one.kind == TASK_OWNER and task]
        accounts = [account for one in called if one.kind == PERSON for account in one.values]
        rosters = [roster for one in called if one.kind == ROSTER for roster in one.values]
        by_name = {PERSON, ROSTER, TASK_OWNER} if task else {PERSON, ROSTER}
        return AlertRule(
            rule.id,
            rule.name,
            on=rule.condition.type,
            owner=names.anybody(rule.owner),
            people=tuple(dict.fromkeys(names.anybody(account) for account in (*owners, *accounts) if account)),
            shifts=tuple(await asyncio.gather(*(self._shift(roster, names) for roster in rosters))),
            elsewhere=tuple(dict.fromkeys(one.kind for one in called if one.kind not in by_name)),
            enabled=rule.enabled,
        )

    async def _shift(self, roster: str, names: Names) -> Shift:
        called, duty = await asyncio.gather(self._rosters.get(ALL), self._duty.get(roster))
        return Shift(called.get(roster, roster), _people(duty, self._clock(), names))

    async def _fetch_list(self, _: str) -> tuple[Rule, ...]:
        return await self._client.every("ListAlertRules", Rule, {}, size=PAGE, most=MOST)

    async def _fetch_rule(self, rule_id: str) -> Rule:
        given = {"Id": int(rule_id)}
        found = (await self._client.get("GetAlertRule", OneRule, given, what="rule", name=rule_id)).rule
        if found is None:
            raise NotFound(f"{self._client.system}: no rule {rule_id}", kind="rule", name=rule_id)
        return found

    async def _fetch_rosters(self, _: str) -> dict[str, str]:
        found = await self._client.every("ListShiftSchedules", Roster, {}, size=PAGE, most=MOST)
        return {one.id: one.name for one in found}

    async def _fetch_duty(self, roster: str) -> tuple[OnDuty, ...]:
        """Whoever has the first duty now; where nobody has, whoever has any."""
        now = self._clock()
        span = {"BeginTime": _milliseconds(now), "EndTime": _milliseconds(now + timedelta(minutes=1))}
        for kind in (PRIMARY, ANYONE):
            given = {"ShiftScheduleIdentifier": roster, "UserType": kind} | span
            if found := (await self._client.get("ListShiftPersonnels", Listing[OnDuty], given)).page.items:
                return found
        return ()


def _watches(rule: Rule, task: TaskDefinition) -> bool:
    target = rule.condition.target
    things = {
        "Task": task.id,
        "Project": task.project_id,
        "Baseline": task.baseline_id,
        "BizProcess": task.workflow_id,
    }
    thing = things.get(target.type, "")
    return bool(thing) and thing in target.ids and task.id not in target.spared


def _switched_off(rule: Rule) -> bool:
    return not rule.enabled


def _people(duty: Iterable[OnDuty], now: datetime, names: Names) -> tuple[str, ...]:
    """Those whose turn it is at this moment; by the name they have as owners, where they are members."""
    here = (one for one in duty if (one.begin_time or now) <= now < (one.end_time or now + timedelta.resolution))
    return tuple(dict.fromkeys(names.anybody(one.uid, one.name) for one in here))


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
