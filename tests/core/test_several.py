"""Several schedulers of different kinds in one conversation: DataWorks and DolphinScheduler, with tasks of the same names.

From what a person writes to the card, through the engine; both schedulers are spoken to over loopback.
"""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace

import pytest
from aiohttp import web

from core.cards import Button, buttons
from core.schedulers.dataworks import DataWorksScheduler
from core.schedulers.fleet import Fleet
from core.settings import Model
from core.store import Store
from tests.core.dolphins import dolphin
from tests.core.test_engine import GROUP, World, build
from tests.fakes.aliyun import Fault
from tests.fakes.dataworks import NOW, ZONE, FakeDataWorks
from tests.fakes.desk import ran
from tests.fakes.dolphin import FakeDolphin
from tests.fakes.shelf import Shelf

TASK = "dws_trade_order_di"
"""Failed in both."""


@dataclass
class Two:
    """A conversation over two schedulers."""

    world: World
    dataworks: FakeDataWorks
    dolphin: FakeDolphin

    async def say(self, text: str, actor: str = "ou_root") -> str:
        """What the administrator writes; the text of the card that answers."""
        return self.world.text(await self.world.say(text, actor))

    async def pick(self, scheduler: str) -> str:
        """Press the button of the choice that was just shown which leads to a scheduler; the text of what comes."""
        shown = self.world.chat.shown[GROUP.key][-1]
        await self.world.handle(self.world.press(shown, self.choice(scheduler), "ou_root"))
        return self.world.text(self.world.chat.shown[GROUP.key][-1])

    def choice(self, scheduler: str) -> Button:
        """The button of the card shown last that leads to a scheduler."""
        card = self.world.chat.cards[self.world.chat.shown[GROUP.key][-1]][-1]
        return next(
            button
            for button in buttons(card)
            if any(value.startswith(f"{scheduler}:") for value in button.arguments.values())
        )


@pytest.fixture
async def two(sqlite_store: Store) -> AsyncGenerator[Two]:
    """Both up, at the same moment of the same morning."""
    async with FakeDataWorks() as dataworks, dolphin() as pair:
        own = DataWorksScheduler(dataworks.connection(), zone=ZONE, clock=dataworks.clock)
        world = build(sqlite_store, Model(), Fleet([own, pair.scheduler]))
        world.timeline.now = NOW
        yield Two(world, dataworks, pair.server)
        await own.close()


QUESTIONS = {
    f"/status {TASK}": "{scheduler}",
    f"/log {TASK}": "{scheduler}",
    f"{TASK} 为什么失败": "执行与日志",
    f"/upstream {TASK}": "上游",
    f"/rerun {TASK}": "重跑",
    f"/log {TASK} 1": "第 1 次",
    "/table dwd_trade_order_di": "dwd_trade_order_di",
}
"""What is asked of a name that both know, and what stands on the card once one was picked."""


@pytest.mark.parametrize("scheduler", ["dw", "ds"])
@pytest.mark.parametrize("question", QUESTIONS)
async def test_a_name_that_both_know_is_a_choice_whose_button_continues_the_question(
    two: Two, question: str, scheduler: str
) -> None:
    asked = await two.say(question)
    assert f"{TASK} · dw · trade" in asked or "dwd_trade_order_di · dw · trade" in asked
    assert " · ds · trade" in asked
    told = await two.pick(scheduler)
    assert QUESTIONS[question].format(scheduler=scheduler) in told
    assert "哪一个" not in told
    references = {value for button in _last(two) for value in button.arguments.values() if value[:3] in {"dw:", "ds:"}}
    assert {value.partition(":")[0] for value in references} <= {scheduler}


def _last(two: Two) -> list[Button]:
    return list(buttons(two.world.chat.cards[two.world.chat.shown[GROUP.key][-1]][-1]))


async def test_one_overview_and_one_list_are_over_all_and_say_where_each_is(two: Two) -> None:
    await two.say("/overview")
    failed = await two.say("/failed")
    assert "trade · dw" in failed
    assert "trade · ds" in failed


async def test_a_project_may_be_named_with_its_scheduler(two: Two) -> None:
    """`ds:trade` is that one alone, and a plain name is the project of this name in each."""
    alone = await two.say("/failed ds:trade")
    assert "trade · ds" in alone
    assert "trade · dw" not in alone
    both = await two.say("/failed trade")
    assert "trade · ds" in both
    assert "trade · dw" in both


async def test_an_id_is_asked_only_of_those_whose_ids_look_like_it(two: Two) -> None:
    """A DolphinScheduler id holds slashes, a DataWorks id is a number: neither asks the other's platform for it."""
    await two.say("/overview")
    two.dataworks.calls.clear()
    assert TASK in await two.say(f"/status {two.dolphin.id(TASK)}")
    assert two.dataworks.calls == []
    two.dolphin.asked.clear()
    assert TASK in await two.say(f"/status {two.dataworks.of(TASK)['Id']}")
    assert two.dolphin.asked == []


async def test_an_answer_about_one_says_that_another_which_may_know_a_namesake_is_down(two: Two) -> None:
    """By name only: a reference says whose it is, so nobody else was asked."""
    two.dolphin.trouble = lambda _: web.Response(status=503)
    for question in (f"/status {TASK}", f"/log {TASK}", f"{TASK} 为什么失败", "/table dwd_trade_order_di"):
        assert "ds 没有应答；如果那里也有同名的" in await two.say(question), question
    assert "没有应答" not in await two.say(f"/status dw:{two.dataworks.of(TASK)['Id']}")


async def test_one_that_is_down_costs_a_list_only_its_own_part(two: Two) -> None:
    two.dataworks.faults = [Fault(429, "Throttling.Api.Risk")] * 100
    for question in ("/overview", "/failed"):
        assert "缺少 dw 的数据" in await two.say(question)
    assert "trade · ds" in await two.say("/failed")


async def test_buttons_follow_what_each_scheduler_can_do(two: Two) -> None:
    """Each item of one list by its own scheduler: DolphinScheduler 3.1 has no rerun with downstream."""
    async with dolphin("3.1.9") as old:
        await old.scheduler.health()
        assert "rerun_downstream" not in {operation.value for operation in old.scheduler.operations}
        world = build(two.world.store, Model(), Fleet([old.scheduler]))
        world.timeline.now = NOW
        card = await world.say(f"/status {TASK}", "ou_root")
        offered = {button.arguments.get("operation") for button in buttons(world.chat.cards[card][-1])}
        assert "rerun" in offered
        assert "rerun_downstream" not in offered
        typed = await world.say(f"/propose rerun_downstream {TASK}", "ou_root")
        assert "ds" in world.text(typed)
        assert {button.command for button in buttons(world.chat.cards[typed][-1])}.isdisjoint({"confirm"})


async def test_the_same_id_in_two_is_a_choice(sqlite_store: Store) -> None:
    """Production and test of one platform count from one; an id alone does not say whose it is."""
    one = ran("load_orders")
    shelves = [Shelf(name, [replace(one, task=replace(one.task, scheduler=name))]) for name in ("prod", "test")]
    world = build(sqlite_store, Model(), Fleet(shelves))
    asked = world.text(await world.say(f"/status {one.id}", "ou_root"))
    assert "load_orders · prod · trade" in asked
    assert "load_orders · test · trade" in asked
