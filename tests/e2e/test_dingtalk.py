"""The main job through DingTalk's Stream mode, against the process a person starts: in cards, and in plain messages."""

import json
import re
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from aiohttp.test_utils import unused_port

from tests.e2e.process import QUICK, xops
from tests.fakes.dingtalk import FakeDingTalk

PEOPLE = json.dumps(
    [{"name": "chen", "role": "operator", "projects": ["*"], "owners": ["陈晓雯"], "identities": {"dingtalk": "ann"}}]
)

CREATE = "POST /v1.0/card/instances/createAndDeliver"


@pytest.fixture
async def dingtalk() -> AsyncGenerator[FakeDingTalk]:
    """DingTalk on loopback."""
    async with FakeDingTalk() as platform:
        yield platform


def settings(dingtalk: FakeDingTalk, *, template: bool = True) -> dict[str, str]:
    """An assistant that serves the fake's app; Chen may operate everything."""
    app = dingtalk.settings
    return {
        "XOPS_DINGTALK__CLIENT_ID": app.client_id,
        "XOPS_DINGTALK__CLIENT_SECRET": app.client_secret.get_secret_value(),
        "XOPS_DINGTALK__CARD_TEMPLATE_ID": app.card_template_id if template else "",
        "XOPS_DINGTALK__API": app.api,
        "XOPS_DINGTALK__OAPI": app.oapi,
        "XOPS_PEOPLE": PEOPLE,
        "XOPS_SCHEDULERS": QUICK,
    }


@pytest.mark.parametrize("chat", ["ann", "cidGroup=="])
async def test_from_the_overview_to_a_green_card(dingtalk: FakeDingTalk, tmp_path: Path, chat: str) -> None:
    """Ask, diagnose, rerun, confirm: the rerun's own card turns green, and every click is answered in time."""
    async with xops(tmp_path, unused_port(), settings(dingtalk)) as process:
        await dingtalk.until(lambda: dingtalk.connections)
        await dingtalk.say(chat, "ann", "昨晚跑得怎么样")
        await dingtalk.until(lambda: dingtalk.messages and "运行失败" in dingtalk.messages[0].text)
        await dingtalk.say(chat, "ann", "dws_trade_order_di 为什么失败了")
        await dingtalk.until(lambda: len(dingtalk.messages) == 2 and "重跑" in dingtalk.messages[1].labels)
        await dingtalk.press(dingtalk.messages[1], "重跑")
        await dingtalk.until(lambda: len(dingtalk.messages) == 3)
        card = dingtalk.messages[2]
        await dingtalk.press(card, next(label for label in card.labels if "确认" in label))
        await dingtalk.until(lambda: card.text.startswith("🟢"), within=60)
        assert "dws_trade_order_di" in card.text
        assert card.private["ann"]["receipt"]
        assert [shown.chat for shown in dingtalk.messages] == [chat] * 3
        assert dingtalk.failures == []
        assert dingtalk.updated_within_callback == []
        assert re.search(
            r'xops_dingtalk_calls_total{call="/v1.0/card/instances/c\w+",outcome="ok"} 3', await process.metrics()
        )
    assert process.process.returncode == 0


async def test_without_a_template_messages_and_links_do(dingtalk: FakeDingTalk, tmp_path: Path) -> None:
    """The same without any card: a link says the line, and the newest message tells how it ended."""
    async with xops(tmp_path, unused_port(), settings(dingtalk, template=False)):
        await dingtalk.until(lambda: dingtalk.connections)
        await dingtalk.say("ann", "ann", "dws_trade_order_di 为什么失败了")
        await dingtalk.until(lambda: dingtalk.messages and "重跑" in dingtalk.messages[-1].labels)
        await dingtalk.press(dingtalk.messages[-1], "重跑")
        await dingtalk.until(lambda: any("确认" in label for label in dingtalk.messages[-1].labels))
        card = dingtalk.messages[-1]
        await dingtalk.press(card, next(label for label in card.labels if "确认" in label))
        await dingtalk.until(lambda: any(shown.text.startswith("🟢") for shown in dingtalk.messages), within=60)
        assert not any("createAndDeliver" in call for call in dingtalk.calls)


async def test_killed_between_acknowledgement_and_reply(dingtalk: FakeDingTalk, tmp_path: Path) -> None:
    """The card was made and the process died before it knew: the next one finds it made, and makes no second."""
    port = unused_port()
    async with xops(tmp_path, port, settings(dingtalk)) as first:
        await dingtalk.until(lambda: dingtalk.connections)
        dingtalk.hold.clear()
        assert (await dingtalk.say("ann", "ann", "/whoami", times=5)).ok
        await dingtalk.until(lambda: dingtalk.messages)
        await first.kill()
        dingtalk.hold.set()
    async with xops(tmp_path, port, settings(dingtalk)):
        await dingtalk.until(lambda: dingtalk.calls.count(CREATE) == 2)
        await dingtalk.until(lambda: dingtalk.connections)
        await dingtalk.say("ann", "ann", "/help")
        await dingtalk.until(lambda: len(dingtalk.messages) == 2)
        assert ["chen" in message.text for message in dingtalk.messages] == [True, False]
