"""The main job over Feishu's long connection, against the process a person starts, while connections and replicas break."""

import json
import socket
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from aiohttp.test_utils import unused_port

from tests.e2e.process import feishu_settings, xops
from tests.fakes.feishu_stream import StreamingFeishu

PRIVATE = "oc_private"
PEOPLE = json.dumps([{"name": "chen", "role": "operator", "projects": ["*"], "identities": {"feishu": "ou_ann"}}])


@pytest.fixture
async def feishu() -> AsyncGenerator[StreamingFeishu]:
    """Feishu on loopback; it brings again what was not answered, sooner than the real one."""
    async with StreamingFeishu(redelivery=(0.2,) * 60) as platform:
        yield platform


def settings(feishu: StreamingFeishu, **more: str) -> dict[str, str]:
    """An assistant that keeps a connection to the fake, and probes it every half second."""
    return feishu_settings(feishu, PEOPLE, XOPS_FEISHU__HEARTBEAT_SECONDS="0.5", **more)


async def test_from_a_question_to_a_green_card_without_a_public_address(
    feishu: StreamingFeishu, tmp_path: Path
) -> None:
    """Diagnose, rerun, confirm; the connection drops in the middle of a turn, and nobody notices."""
    async with xops(tmp_path, unused_port(), settings(feishu)) as process:
        await feishu.until_connected()
        await feishu.say(PRIVATE, "ou_ann", "dws_trade_order_di 为什么失败了")
        feishu.links[0].drop()
        await feishu.until(lambda: feishu.messages and "重跑" in feishu.messages[0].labels)
        await feishu.until_connected()
        await feishu.press(feishu.messages[0].id, "propose")
        await feishu.until(lambda: len(feishu.messages) == 2)
        confirm = feishu.messages[1]
        await feishu.press(confirm.id, "confirm")
        await feishu.until(lambda: confirm.card["header"]["template"] == "green", within=60)
        assert 'xops_connected{channel="feishu"} 1.0' in await process.metrics()
        assert (feishu.failures, len(feishu.messages), feishu.granted) == ([], 2, 2)
    assert process.process.returncode == 0


async def test_each_event_gets_one_reply_through_duplicates_and_half_open_connections(
    feishu: StreamingFeishu, tmp_path: Path
) -> None:
    """What went into a connection that leads nowhere is brought again over the next one."""
    feishu.deadline = 0.5
    async with xops(tmp_path, unused_port(), settings(feishu)):
        await feishu.until_connected()
        await feishu.say(PRIVATE, "ou_ann", "/whoami", times=5)
        await feishu.until(lambda: feishu.messages)
        feishu.links[0].frozen = True
        assert (await feishu.say(PRIVATE, "ou_ann", "/help")).ok
        await feishu.until(lambda: len(feishu.messages) == 2)
        assert ["chen" in message.text for message in feishu.messages] == [True, False]
        assert {failure.status for failure in feishu.failures} <= {503, 504}


async def test_a_killed_replica_costs_nothing(feishu: StreamingFeishu, tmp_path: Path, postgres_url: str) -> None:
    """Two replicas hold a connection each; the one that is left answers what the dead one had, and what comes."""
    shared = {"XOPS_STORAGE__URL": postgres_url, "XOPS_STORAGE__LEASE_SECONDS": "2"}
    async with (
        xops(tmp_path, unused_port(), settings(feishu, **shared)) as first,
        xops(tmp_path, unused_port(), settings(feishu, **shared)),
    ):
        await feishu.until_connected(2)
        for _ in range(4):
            assert (await feishu.say(PRIVATE, "ou_ann", "/whoami")).ok
        await first.kill()
        for _ in range(4):
            assert (await feishu.say(PRIVATE, "ou_ann", "/whoami")).ok
        await feishu.until(lambda: len(feishu.messages) == 8, within=20)
        await feishu.say(PRIVATE, "ou_ann", "/help")
        await feishu.until(lambda: len(feishu.messages) == 9)
        assert ["chen" in message.text for message in feishu.messages] == [True] * 8 + [False]


async def test_ready_and_stopped_in_time_while_feishu_is_silent(feishu: StreamingFeishu, tmp_path: Path) -> None:
    """Being ready waits for no messenger, and neither does the end."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as silence:
        domain = f"http://127.0.0.1:{silence.getsockname()[1]}"
        async with xops(tmp_path, unused_port(), settings(feishu, XOPS_FEISHU__DOMAIN=domain)) as process:
            assert 'xops_connected{channel="feishu"} 0.0' in await process.metrics()
    assert process.process.returncode == 0
