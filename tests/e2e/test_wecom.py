"""The main job through WeCom's real protocols, against the process a person starts."""

import json
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from aiohttp.test_utils import unused_port

from core.settings import WeCom, WeComBot
from tests.e2e.process import QUICK, Xops, xops
from tests.fakes.wecom import FakeWeCom
from tests.fakes.wecom_bot import FakeWeComBot
from tests.waiting import eventually

PEOPLE = json.dumps(
    [
        {
            "name": "chen",
            "role": "operator",
            "projects": ["*"],
            "owners": ["陈晓雯"],
            "identities": {"wecom": "ann", "wecom_bot": "ann"},
        }
    ]
)


@pytest.fixture
async def wecom() -> AsyncGenerator[FakeWeCom]:
    """WeCom's API on loopback."""
    async with FakeWeCom() as platform:
        yield platform


@pytest.fixture
async def gateway() -> AsyncGenerator[FakeWeComBot]:
    """The gateway of AI bots on loopback."""
    async with FakeWeComBot() as platform:
        yield platform


def app_settings(app: WeCom) -> dict[str, str]:
    """An assistant that serves the fake's app; Chen may operate everything."""
    return {
        "XOPS_WECOM__CORP_ID": app.corp_id,
        "XOPS_WECOM__AGENT_ID": str(app.agent_id),
        "XOPS_WECOM__SECRET": app.secret.get_secret_value(),
        "XOPS_WECOM__CALLBACK_TOKEN": app.callback_token.get_secret_value(),
        "XOPS_WECOM__ENCODING_AES_KEY": app.encoding_aes_key.get_secret_value(),
        "XOPS_WECOM__API": app.api,
        "XOPS_PEOPLE": PEOPLE,
        "XOPS_SCHEDULERS": QUICK,
    }


def bot_settings(bot: WeComBot) -> dict[str, str]:
    """The same for the fake's bot."""
    return {
        "XOPS_WECOM_BOT__BOT_ID": bot.bot_id,
        "XOPS_WECOM_BOT__SECRET": bot.secret.get_secret_value(),
        "XOPS_WECOM_BOT__URL": bot.url,
        "XOPS_PEOPLE": PEOPLE,
        "XOPS_SCHEDULERS": QUICK,
    }


def point(wecom: FakeWeCom, process: Xops) -> None:
    """Tell the platform where the app is."""
    wecom.webhook = f"{process.url}/wecom/app"


async def test_from_the_question_to_a_finished_rerun_in_the_app(wecom: FakeWeCom, tmp_path: Path) -> None:
    """Ask, diagnose, rerun, confirm: one card follows the rerun to its end, edited or sent anew, never twice."""
    async with xops(tmp_path, unused_port(), app_settings(wecom.settings)) as process:
        point(wecom, process)
        assert (await wecom.check_address()).ok
        await wecom.say("ann", "昨晚跑得怎么样")
        await wecom.until(lambda: any("运行失败" in message.text for message in wecom.messages))
        await wecom.say("ann", "dws_trade_order_di 为什么失败了")
        await wecom.until(lambda: any("重跑" in card.labels for card in wecom.cards), within=20)
        await wecom.press(next(card for card in wecom.cards if "重跑" in card.labels), "重跑")
        await wecom.until(lambda: any("确认重跑" in card.labels for card in wecom.cards), within=20)
        await wecom.press(next(card for card in wecom.cards if "确认重跑" in card.labels), "确认重跑", times=3)
        await wecom.until(lambda: any("成功" in card.text for card in wecom.cards), within=60)
        assert not any("确认重跑" in card.labels for card in wecom.cards)
        assert wecom.failures == []
        assert wecom.dropped == []
    assert process.process.returncode == 0


async def test_the_same_with_the_bot_over_its_long_connection(gateway: FakeWeComBot, tmp_path: Path) -> None:
    """No public address: the process connects, streams its answers, and comes back when the connection is cut."""
    async with xops(tmp_path, unused_port(), bot_settings(gateway.settings)):
        await eventually(lambda: gateway.online)
        await gateway.say("ann", "dws_trade_order_di 为什么失败了")
        await gateway.until(lambda: any("重跑" in card.labels for card in gateway.cards), within=20)
        assert gateway.said[0].kind == "stream"
        assert gateway.said[0].finished
        await gateway.press(gateway.cards[-1], "重跑")
        await gateway.until(lambda: any("确认重跑" in card.labels for card in gateway.cards), within=20)
        gateway.cut()
        await gateway.until(lambda: gateway.subscriptions == 2 and gateway.online, within=20)
        await gateway.press(next(card for card in gateway.cards if "确认重跑" in card.labels), "确认重跑")
        await gateway.until(lambda: any("成功" in said.text for said in gateway.said), within=60)


async def test_one_message_delivered_five_times_gets_one_answer(wecom: FakeWeCom, tmp_path: Path) -> None:
    """At-least-once delivery ends in exactly one answer."""
    async with xops(tmp_path, unused_port(), app_settings(wecom.settings)) as process:
        point(wecom, process)
        await wecom.say("ann", "/whoami", times=5)
        await wecom.say("ann", "/help")
        await wecom.until(lambda: len(wecom.cards) == 2)
        assert 'xops_webhook_total{channel="wecom",outcome="duplicate"} 4.0' in await process.metrics()
