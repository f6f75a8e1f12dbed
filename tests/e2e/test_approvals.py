"""Approval across messengers, against the process a person starts: asked in DingTalk, decided in WeCom and Feishu."""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Select, Table, func, select

from core.approvals.tickets import approval_ticket
from core.audit import audit
from core.proposals import proposal
from core.store import Store
from tests.e2e.town import Town, messengers, two_nodes
from tests.waiting import eventually

RERUN = ("/rerun dws_trade_order_di", "确认重跑")


@pytest.fixture
async def town() -> AsyncGenerator[Town]:
    """On loopback."""
    async with messengers() as made:
        yield made


async def test_asked_in_one_messenger_and_approved_in_two_others(town: Town, tmp_path: Path, sqlite_url: str) -> None:
    """The second is asked once the first has approved; each card is edited where it is, up to the end of the run."""
    async with town.assistant(tmp_path, sqlite_url) as process:
        await two_nodes(process, "rerun")
        card = await town.ask(*RERUN)
        first = await town.in_wecom()
        assert not any("批准" in one.labels for one in town.feishu.messages)
        await town.wecom.press(first, "批准")
        second = await town.in_feishu()
        assert "wei" in second.text
        await town.feishu.press(second.id, "approve")
        await town.dingtalk.until(lambda: card.text.startswith("🟢"), within=60)
        await town.feishu.until(lambda: "已完成" in second.text, within=20)
        await town.nothing_to_press()
        assert [one.id for one in town.feishu.messages] == [second.id]
        assert (town.dingtalk.failures, town.wecom.failures, town.feishu.failures) == ([], [], [])


async def test_rejected_with_a_reason_that_was_written_in_a_form(town: Town, tmp_path: Path, sqlite_url: str) -> None:
    """Whoever asked reads the reason on their own card, and nothing is carried out."""
    async with town.assistant(tmp_path, sqlite_url) as process:
        await two_nodes(process, "rerun")
        card = await town.ask(*RERUN)
        await town.wecom.press(await town.in_wecom(), "批准")
        second = await town.in_feishu()
        await town.feishu.press(second.id, "reject")
        await town.feishu.until(lambda: len(town.feishu.messages) == 2)
        form = town.feishu.messages[-1]
        await town.feishu.press(form.id, "reject", form={"理由": "大促期间不重跑"})
        await town.dingtalk.until(lambda: "大促期间不重跑" in card.text, within=20)
        await town.feishu.until(lambda: "大促期间不重跑" in second.text, within=20)
        await town.nothing_to_press()
    assert await counted(sqlite_url, "executing") == 0


async def test_taken_back_by_who_asked(town: Town, tmp_path: Path, sqlite_url: str) -> None:
    """A typed line; the approver's card goes out of use, and a press on what they still see changes nothing."""
    async with town.assistant(tmp_path, sqlite_url) as process:
        await two_nodes(process, "rerun")
        card = await town.ask(*RERUN)
        first = await town.in_wecom()
        await town.dingtalk.say("ann", "ann", "/withdraw T-1")
        await town.dingtalk.until(lambda: "审批未通过" in card.text, within=20)
        await town.nothing_to_press()
        await town.wecom.say("ann", "/approve T-1")
        await town.wecom.until(lambda: any("撤回" in one.text for one in town.wecom.cards), within=20)
        assert "撤回" in first.text or first.recalled
    assert await counted(sqlite_url, "executing") == 0


async def test_killed_between_approval_and_order_it_is_carried_out_once(
    town: Town, tmp_path: Path, database_url: str
) -> None:
    """DingTalk keeps the process waiting at the edit that follows the approval; there it dies. The next one goes on."""
    async with town.assistant(tmp_path, database_url) as process:
        await two_nodes(process, "rerun")
        card = await town.ask(*RERUN)
        await town.wecom.press(await town.in_wecom(), "批准")
        second = await town.in_feishu()
        town.dingtalk.hold.clear()
        await town.feishu.press(second.id, "approve")
        await eventually(lambda: state(database_url, proposal, "confirmed"))
        await process.kill()
        town.dingtalk.hold.set()
    assert await counted(database_url, "executing") == 0
    async with town.assistant(tmp_path, database_url):
        await town.dingtalk.until(lambda: card.text.startswith("🟢"), within=60)
        await eventually(lambda: state(database_url, approval_ticket, "succeeded"))
        await town.nothing_to_press()
    assert await counted(database_url, "executing") == 1


async def state(url: str, table: Table, wanted: str) -> bool:
    """Whether the one row of a table is in this state."""
    return await read(url, select(table.c.state)) == wanted


async def counted(url: str, outcome: str) -> int:
    """How often the trail says this of the order."""
    return await read(url, select(func.count()).where(audit.c.action == "rerun", audit.c.outcome == outcome))


async def read(url: str, query: Select[Any]) -> Any:  # whatever the column holds
    """One value of the database that the assistant works on."""
    store = Store(url)
    try:
        return await store.read(lambda connection: connection.scalar(query))
    finally:
        await store.stop()
