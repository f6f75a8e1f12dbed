"""What DolphinScheduler tells of people: which projects somebody may operate, and who did what before."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from aiohttp import web

from core.errors import NotFound
from core.people.members import Members
from core.schedulers.base import KnowsMembers
from tests.core.dolphins import Pair, dolphin
from tests.fakes.dolphin_night import NOW, TODAY, Flow, Job
from tests.fakes.dolphin_people import READS, WRITES, XOPS, Deed
from tests.fakes.dolphin_rules import VERSIONS

SINCE = NOW - timedelta(days=7)


@pytest.mark.parametrize("version", VERSIONS)
async def test_who_made_a_project_and_who_may_write_belong_to_it(version: str) -> None:
    """A grant that may only read (since 3.2) operates nothing here."""
    async with dolphin(version) as pair:
        assert isinstance(pair.scheduler, KnowsMembers)
        readers = {"zhao_liu"} if version < "3.2" else set[str]()
        assert await pair.scheduler.members("trade") == {"zhang_san", "li_si", "xops"} | readers
        assert await pair.scheduler.members("finance") == {"wang_wu", "xops"}


async def test_what_was_granted_is_seen_and_what_was_not_is_not() -> None:
    """Also a project that the token's owner did not make, which `projects/list` would leave out."""
    async with dolphin() as pair:
        del pair.server.people.grants[102][XOPS]
        assert await pair.scheduler.projects() == ("trade",)
        with pytest.raises(NotFound):
            await pair.scheduler.members("finance")


async def test_who_may_not_log_in_may_not_operate() -> None:
    async with dolphin() as pair:
        pair.server.people.disabled.add(4)
        assert await pair.scheduler.members("trade") == {"zhang_san", "xops"}


async def test_a_level_that_is_not_told_is_no_right() -> None:
    async with dolphin() as pair:
        pair.server.people.grants[101][4] = 99
        assert "li_si" not in await pair.scheduler.members("trade")


async def test_one_person_is_asked_about_once_for_all_projects() -> None:
    async with dolphin() as pair:
        pair.server.people.grants[102] |= {4: READS, 6: WRITES}
        found = await Members([pair.scheduler], clock=pair.server.clock).projects()
        assert found["zhao_liu"] == {"ds:finance"}
        assert found["li_si"] == {"ds:trade"}
        people = len({user for grants in pair.server.people.grants.values() for user in grants})
        assert pair.server.count["GET projects/project-with-authorized-level-list-paging"] == people


def deeds(pair: Pair) -> Callable[[str, str, str, float], None]:
    """Writes to the audit log: operation, kind of thing, its name, hours ago."""

    def did(operation: str, kind: str, name: str, hours: float) -> None:
        pair.server.people.deeds.append(Deed(NOW - timedelta(hours=hours), 4, operation, kind, name))

    return did


@pytest.mark.parametrize("version", ["3.2.2", "3.4.3"])
async def test_the_audit_log_tells_who_did_what_to_a_task_and_its_workflow(version: str) -> None:
    workflow = "Workflow" if version >= "3.3" else "Process"
    async with dolphin(version) as pair:
        did = deeds(pair)
        did("Execute", workflow, "trade_daily-3-20261123020000123", 1)
        did("ForceSuccess", "TaskInstance", "dws_trade_order_di", 2)
        did("Online", "Schedule", "trade_daily", 3)
        did("Update", "Task", "dws_trade_order_di", 4)
        told = await pair.scheduler.changes("303", SINCE)
        assert [(one.what, one.kind, one.who) for one in told] == [
            (f"Execute {workflow} trade_daily-3-20261123020000123", "operation", "li_si"),
            ("ForceSuccess TaskInstance dws_trade_order_di", "operation", "li_si"),
            ("Online Schedule trade_daily", "task", "li_si"),
            ("Update Task dws_trade_order_di", "task", "li_si"),
            ("its workflow was changed", "task", "li_si"),
        ]


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("Workflow", "trade_daily_copy"),
        ("Workflow", "trade_daily-old"),
        ("Workflow", "pre_trade_daily"),
        ("Task", "dws_trade_order_di_2"),
        ("Token", "trade_daily"),
        ("ATypeOfTomorrow", "trade_daily"),
    ],
)
async def test_what_only_contains_the_name_is_something_else(kind: str, name: str) -> None:
    async with dolphin() as pair:
        deeds(pair)("Update", kind, name, 1)
        assert [one.what for one in await pair.scheduler.changes("303", SINCE)] == ["its workflow was changed"]


async def test_a_name_that_something_else_bears_too_is_not_believed() -> None:
    async with dolphin() as pair:
        pair.server.night.flows.append(Flow(102, 299, "trade_daily", 4, (Job(399, "other"),), "wang_wu"))
        did = deeds(pair)
        did("Update", "Workflow", "trade_daily", 1)
        did("Update", "Task", "dws_trade_order_di", 2)
        told = [one.what for one in await pair.scheduler.changes("303", SINCE)]
        assert told == ["Update Task dws_trade_order_di", "its workflow was changed"]


async def test_one_change_is_told_once_though_two_know_of_it() -> None:
    """The definition says when it was changed last, and the log says so too, some moments later."""
    async with dolphin() as pair:
        deeds(pair)("Update", "Workflow", "trade_daily", 24 - 5 / 3600)
        assert [one.what for one in await pair.scheduler.changes("303", SINCE)] == ["Update Workflow trade_daily"]


async def test_an_audit_log_that_may_not_be_seen_costs_nothing_but_itself() -> None:
    async with dolphin() as pair:
        await pair.scheduler.tasks("ods_order")
        refused = {"code": 30001, "msg": "user has no operation privilege", "data": None}
        pair.server.trouble = lambda asked: web.json_response(refused) if "audit" in asked.path else None
        assert [one.what for one in await pair.scheduler.changes("303", SINCE)] == ["its workflow was changed"]


async def test_what_was_done_before_is_left_out() -> None:
    async with dolphin() as pair:
        deeds(pair)("Update", "Task", "dws_trade_order_di", 3)
        since = datetime.combine(TODAY, datetime.min.time(), NOW.tzinfo) + timedelta(hours=6)
        assert await pair.scheduler.changes("303", since) == ()
