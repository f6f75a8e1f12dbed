"""What a person wrote becomes the one thing they meant, or a question back; never a guess."""

from dataclasses import replace

import pytest

from core.errors import BadInput, Unreachable
from core.results import (
    Choice,
    Diagnosed,
    InstanceDetail,
    Missing,
    Problem,
)
from core.schedulers.base import (
    Status,
)
from core.tools.days import read_day
from tests.fakes.desk import DAY, OPERATOR, TODAY, Desk, of, ran

# ── days
WORDS = {
    "": 0,
    "today": 0,
    "今天": 0,
    "昨晚": 0,
    "yesterday": 1,
    "昨天": 1,
    "前天": 2,
    "T-1": 1,
    "t-30": 30,
    "2026-11-02": 20,
    "20261102": 20,
}
"""Days back from the 22nd."""


@pytest.mark.parametrize("word", WORDS)
def test_a_word_names_a_day(word: str) -> None:
    assert read_day(word, TODAY) == TODAY - WORDS[word] * DAY


@pytest.mark.parametrize("word", ["soon", "2026-13-01", "2026-02-30", "T-", "T-9999", "明天", "0"])
def test_what_names_no_day_is_refused(word: str) -> None:
    with pytest.raises(BadInput):
        read_day(word, TODAY)


# ── names
SAME = (
    "demo:t_dws_trade_order_di",
    "dws_trade_order_di",
    " DWS_Trade_Order_DI ",
    "t_dws_trade_order_di",
    "trade.dws_trade_order_di",
    "trade/dws_trade_order_di",
    "order_di",
    "trade order",
    "dws_trade_oder_di",
)
"""References, ids, names, parts of names and a slip."""


@pytest.mark.parametrize("target", SAME)
async def test_a_task_is_found_however_it_is_called(target: str) -> None:
    desk = Desk(ran("dws_trade_order_di"), ran("ads_board"))
    assert of(InstanceDetail, await desk.look.status(OPERATOR, target)).instance == desk.shelf.all[0]


async def test_an_instance_is_found_by_its_reference_and_by_its_id() -> None:
    desk = Desk(ran("orders"), ran("orders", hours_ago=30))
    for instance in desk.shelf.all:
        assert of(InstanceDetail, await desk.look.status(OPERATOR, instance.ref)).instance == instance
        assert of(InstanceDetail, await desk.look.status(OPERATOR, instance.id)).instance == instance


async def test_several_candidates_are_a_choice_that_leads_on() -> None:
    desk = Desk(ran("load_orders", project="trade"), ran("load_items", Status.FAILED, project="finance"))
    choice = of(Choice, await desk.look.log(OPERATOR, "load", day="yesterday"))
    assert (choice.command, choice.arguments) == ("log", {"day": "yesterday"})
    picked = dict(choice.options)
    assert set(picked) == {"demo:t_load_orders", "demo:t_load_items"}
    of(InstanceDetail, await desk.look.status(OPERATOR, "demo:t_load_items"))


async def test_the_same_name_in_two_projects_is_a_choice_unless_the_project_is_said() -> None:
    one, two = ran("load", project="trade"), ran("load", project="finance")
    two = replace(two, id="other", task=replace(two.task, id="t_other"))
    desk = Desk(one, two)
    of(Choice, await desk.look.status(OPERATOR, "load"))
    assert of(InstanceDetail, await desk.look.status(OPERATOR, "finance.load")).instance.id == "other"


@pytest.mark.parametrize(
    "name", ["nothing_like_it_at_all", "", " ", "demo:", "demo:none", "查" * 5000, "' OR 1=1 --", "{0}", "%"]
)
async def test_what_does_not_exist_is_missing_and_says_who_was_asked(name: str) -> None:
    missing = of(Missing, await Desk(ran("orders")).look.status(OPERATOR, name))
    assert missing.searched == ("demo",)


async def test_nothing_found_is_not_claimed_while_a_scheduler_is_down() -> None:
    desk = Desk(ran("orders"))
    desk.shelf.fails = Unreachable("down", system="demo")
    assert of(Problem, await desk.look.status(OPERATOR, "orders")).text == "unreachable"


async def test_an_hourly_task_is_the_latest_that_started_or_the_one_that_failed() -> None:
    hourly = [
        ran("hourly", status, hours_ago=ago)
        for ago, status in ((-1, Status.WAIT_TIME), (0, Status.SUCCESS), (1, Status.FAILED), (2, Status.SUCCESS))
    ]
    desk = Desk(*hourly)
    assert of(InstanceDetail, await desk.look.status(OPERATOR, "hourly")).instance == hourly[1]
    assert of(Diagnosed, await desk.look.diagnose(OPERATOR, "hourly")).instance == hourly[2]


async def test_a_task_not_due_today_is_its_last_run_unless_the_day_was_said() -> None:
    weekly = ran("weekly", hours_ago=72)
    desk = Desk(weekly)
    assert of(InstanceDetail, await desk.look.status(OPERATOR, "weekly")).instance == weekly
    of(Missing, await desk.look.status(OPERATOR, "weekly", day="yesterday"))
