"""People of DataWorks: who may operate a workspace, whom its alert rules ring, who is on duty."""

from collections.abc import AsyncGenerator
from datetime import timedelta

import pytest

from core.errors import NotFound
from core.schedulers.base import AlertRule, KnowsAlertRules, KnowsDuty, KnowsMembers, Shift
from core.schedulers.dataworks import DataWorksScheduler
from core.store import Store
from tests.fakes.dataworks import ZONE, FakeDataWorks
from tests.fakes.event_stream import mirror
from tests.fakes.wall_clock import WallClock


@pytest.fixture
async def dataworks() -> AsyncGenerator[FakeDataWorks]:
    async with FakeDataWorks() as server:
        yield server


@pytest.fixture
async def scheduler(dataworks: FakeDataWorks) -> AsyncGenerator[DataWorksScheduler]:
    one = DataWorksScheduler(dataworks.connection(), zone=ZONE, clock=dataworks.clock)
    yield one
    await one.close()


async def test_members_are_those_whose_role_may_operate(scheduler: DataWorksScheduler) -> None:
    """A developer and a locked administrator work in the workspace, and operate nothing."""
    assert isinstance(scheduler, KnowsMembers)
    assert await scheduler.members("trade") == {"陈晓雯"}
    assert await scheduler.members("finance") == await scheduler.members("102") == {"王敏"}
    with pytest.raises(NotFound):
        await scheduler.members("tradde")


async def test_who_left_a_workspace_is_gone_from_its_members_at_once(
    dataworks: FakeDataWorks, scheduler: DataWorksScheduler
) -> None:
    """Names are remembered for an hour; rights are not."""
    await scheduler.tasks("501")
    assert await scheduler.members("trade")
    dataworks.members[101] = []
    assert await scheduler.members("trade") == frozenset()


# ── alert rules
async def test_a_task_knows_by_which_rules_and_whom_dataworks_calls(scheduler: DataWorksScheduler) -> None:
    """A rule of its workspace calls a roster and a group, one of its own its owner and others; no address is told."""
    assert isinstance(scheduler, KnowsAlertRules)
    assert await scheduler.alert_rules("503") == (
        AlertRule(
            "9001",
            "trade errors",
            on="Error",
            owner="林志豪",
            shifts=(Shift("交易值班", ("陈晓雯",)),),
            elsewhere=("DingdingUrl",),
        ),
        AlertRule("9002", "orders late", "UnFinished", "林志豪", people=("陈晓雯", "林志豪", "7777"), enabled=False),
    )


async def test_a_rule_may_spare_a_task(dataworks: FakeDataWorks, scheduler: DataWorksScheduler) -> None:
    dataworks.desk.rules[0]["TriggerCondition"]["Target"]["AllowTasks"] = [503]
    assert [one.id for one in await scheduler.alert_rules("503")] == ["9002"]
    assert [one.id for one in await scheduler.alert_rules("502")] == ["9001"]


@pytest.mark.parametrize(("kind", "thing"), [("Baseline", 77), ("BizProcess", 88)])
async def test_a_rule_may_watch_what_a_task_belongs_to(
    dataworks: FakeDataWorks, scheduler: DataWorksScheduler, kind: str, thing: int
) -> None:
    dataworks.desk.rules[2]["TriggerCondition"]["Target"] = {"Type": kind, "Ids": [thing]}
    assert "9003" in {one.id for one in await scheduler.alert_rules("504")}
    assert "9003" not in {one.id for one in await scheduler.alert_rules("503")}


async def test_the_backup_is_on_duty_where_nobody_else_is(
    dataworks: FakeDataWorks, scheduler: DataWorksScheduler
) -> None:
    del dataworks.desk.duty["roster-1"][1]
    (rule,) = await scheduler.alert_rules("502")
    assert rule.shifts == (Shift("交易值班", ("林志豪",)),)


async def test_who_is_on_duty_is_no_member_of_the_workspace_and_still_named(
    dataworks: FakeDataWorks, scheduler: DataWorksScheduler
) -> None:
    dataworks.now += timedelta(hours=2)
    (rule,) = await scheduler.alert_rules("502")
    assert rule.shifts == (Shift("交易值班", ("night.guest",)),)


async def test_all_rosters_tell_who_is_on_duty(scheduler: DataWorksScheduler) -> None:
    """Whether or not a rule calls them."""
    assert isinstance(scheduler, KnowsDuty)
    assert Shift("交易值班", ("陈晓雯",)) in await scheduler.shifts()


async def test_the_rule_of_an_alert_is_known_by_its_id(scheduler: DataWorksScheduler) -> None:
    rule = await scheduler.alert_rule("9003")
    assert (rule.name, rule.owner, rule.people) == ("finance errors", "林志豪", ("王敏",))
    for nobody in ("424242", "no-such-rule"):
        with pytest.raises(NotFound):
            await scheduler.alert_rule(nobody)


async def test_rules_cost_a_call_each_and_then_none(dataworks: FakeDataWorks, scheduler: DataWorksScheduler) -> None:
    await scheduler.tasks("503")
    dataworks.calls.clear()
    for _ in range(3):
        await scheduler.alert_rules("503")
    assert dataworks.count == {
        "ListAlertRules": 1,
        "GetAlertRule": 2,
        "ListShiftSchedules": 1,
        "ListShiftPersonnels": 1,
    }


async def test_a_mirror_passes_on_what_its_api_knows_of_people(
    sqlite_store: Store, scheduler: DataWorksScheduler
) -> None:
    """By a workspace's name or id, whichever events told; without an API it knows nobody."""
    behind, alone = (mirror(sqlite_store, WallClock(), api) for api in (scheduler, None))
    assert await behind.members("102") == {"王敏"}
    assert await behind.members("tradde") == await alone.members("102") == frozenset()
    assert await behind.alert_rules("503") == await scheduler.alert_rules("503")
    assert (await behind.alert_rule("9003")).name == "finance errors"
    assert await alone.alert_rules("503") == ()
    with pytest.raises(NotFound):
        await alone.alert_rule("9003")
