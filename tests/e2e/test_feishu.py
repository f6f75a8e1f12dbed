"""The main job through Feishu's real protocol, against the process a person starts."""

import json
import socket
from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import pytest
from aiohttp.test_utils import unused_port

from tests.e2e.process import Xops, feishu_settings, xops
from tests.fakes.feishu import FakeFeishu

PRIVATE = "oc_private"
PEOPLE = json.dumps(
    [{"name": "chen", "role": "operator", "projects": ["*"], "owners": ["陈晓雯"], "identities": {"feishu": "ou_ann"}}]
)


@pytest.fixture
async def feishu() -> AsyncGenerator[FakeFeishu]:
    """Feishu on loopback."""
    async with FakeFeishu() as platform:
        yield platform


@pytest.fixture
def silence() -> Generator[str]:
    """An address that takes connections and never answers: what an outage of Feishu's API looks like."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def settings(feishu: FakeFeishu, **more: str) -> dict[str, str]:
    """An assistant that serves the fake's app; Chen may operate everything."""
    return feishu_settings(feishu, PEOPLE, **more)


def point(feishu: FakeFeishu, process: Xops) -> None:
    """Tell the platform where the bot is."""
    feishu.webhook = f"{process.url}/feishu/events"


async def test_from_the_overview_to_a_green_card(feishu: FakeFeishu, tmp_path: Path) -> None:
    """Ask, open the failed list, diagnose, rerun, confirm: the rerun's own card turns green."""
    async with xops(tmp_path, unused_port(), settings(feishu)) as process:
        point(feishu, process)
        await feishu.challenge()
        await feishu.say(PRIVATE, "ou_ann", "昨晚跑得怎么样")
        await feishu.until(lambda: feishu.messages and "运行失败" in feishu.messages[0].text)
        await feishu.say(PRIVATE, "ou_ann", "dws_trade_order_di 为什么失败了")
        await feishu.until(lambda: len(feishu.messages) == 2 and "重跑" in feishu.messages[1].labels)
        await feishu.press(feishu.messages[1].id, "propose")
        await feishu.until(lambda: len(feishu.messages) == 3)
        confirm = feishu.messages[2]
        await feishu.press(confirm.id, "confirm")
        await feishu.until(lambda: confirm.card["header"]["template"] == "green", within=60)
        assert "dws_trade_order_di" in confirm.text
        assert len(feishu.messages) == 3
        assert feishu.failures == []
    assert process.process.returncode == 0


async def test_one_event_delivered_five_times_gets_one_reply(feishu: FakeFeishu, tmp_path: Path) -> None:
    """At-least-once delivery ends in exactly one card."""
    async with xops(tmp_path, unused_port(), settings(feishu)) as process:
        point(feishu, process)
        await feishu.say(PRIVATE, "ou_ann", "/whoami", times=5)
        await feishu.say(PRIVATE, "ou_ann", "/help")
        await feishu.until(lambda: len(feishu.messages) == 2)
        assert 'xops_webhook_total{channel="feishu",outcome="duplicate"} 4.0' in await process.metrics()
        assert [("chen" in message.text) for message in feishu.messages] == [True, False]


async def test_killed_between_acknowledgement_and_reply(feishu: FakeFeishu, silence: str, tmp_path: Path) -> None:
    """The event was journalled, so the next process answers it, once."""
    port = unused_port()
    async with xops(tmp_path, port, settings(feishu, XOPS_FEISHU__DOMAIN=silence)) as first:
        point(feishu, first)
        assert (await feishu.say(PRIVATE, "ou_ann", "/whoami")).ok
        await first.kill()
    assert feishu.messages == []
    async with xops(tmp_path, port, settings(feishu)):
        await feishu.until(lambda: feishu.messages)
        await feishu.say(PRIVATE, "ou_ann", "/help")
        await feishu.until(lambda: len(feishu.messages) == 2)
        assert ["chen" in message.text for message in feishu.messages] == [True, False]


async def test_a_replica_killed_with_an_event_is_taken_over(
    feishu: FakeFeishu, silence: str, tmp_path: Path, postgres_url: str
) -> None:
    """Two replicas on PostgreSQL: the one that is left answers after the lease, once."""
    shared = {"XOPS_STORAGE__URL": postgres_url, "XOPS_STORAGE__LEASE_SECONDS": "2"}
    async with (
        xops(tmp_path, unused_port(), settings(feishu, **shared, XOPS_FEISHU__DOMAIN=silence)) as first,
        xops(tmp_path, unused_port(), settings(feishu, **shared)) as second,
    ):
        point(feishu, first)
        assert (await feishu.say(PRIVATE, "ou_ann", "/whoami")).ok
        await first.kill()
        await feishu.until(lambda: feishu.messages, within=20)
        point(feishu, second)
        await feishu.say(PRIVATE, "ou_ann", "/help")
        await feishu.until(lambda: len(feishu.messages) == 2)
        assert ["chen" in message.text for message in feishu.messages] == [True, False]
