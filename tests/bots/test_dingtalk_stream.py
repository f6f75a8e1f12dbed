"""The long connection against DingTalk's gateway: what is acknowledged and when, and every way a connection can end."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress

import pytest
from aiohttp import web
from prometheus_client import REGISTRY

from bots.dingtalk.api import Api
from bots.dingtalk.stream import Stream
from bots.edge import Intake
from core.errors import Unreachable
from core.http import Http
from tests.bots.dingtalk_bot import Bot, connected
from tests.fakes.clock import Clock
from tests.fakes.dingtalk import CLICKS, MESSAGES, FakeDingTalk
from tests.fakes.dingtalk_api import ApiRefused
from tests.waiting import eventually

OPEN = "/v1.0/gateway/connections/open"


@pytest.fixture
async def dingtalk() -> AsyncGenerator[FakeDingTalk]:
    async with FakeDingTalk() as fake:
        yield fake


@pytest.fixture
async def bot(dingtalk: FakeDingTalk) -> AsyncGenerator[Bot]:
    async with connected(dingtalk) as listener:
        yield listener


async def test_subscribes_to_messages_and_clicks(dingtalk: FakeDingTalk, bot: Bot) -> None:
    assert dingtalk.subscriptions == [MESSAGES, CLICKS]
    assert not bot.accepted


async def test_a_message_is_journalled_before_it_is_acknowledged(dingtalk: FakeDingTalk, bot: Bot) -> None:
    bot.gate.clear()
    saying = asyncio.create_task(dingtalk.say("ann", "ann", "hello"))
    await bot.entered.wait()

    assert not saying.done()
    bot.gate.set()
    delivery = await saying
    assert delivery.ok
    assert bot.message.text == "hello"


async def test_a_slow_message_delays_no_other(dingtalk: FakeDingTalk, bot: Bot) -> None:
    bot.gate.clear()
    slow = asyncio.create_task(dingtalk.say("ann", "ann", "slow"))
    await bot.entered.wait()

    assert await dingtalk.frame("SYSTEM", "ping", {"opaque": "1"})

    bot.gate.set()
    assert (await slow).ok


async def test_the_same_message_five_times_is_one(dingtalk: FakeDingTalk, bot: Bot) -> None:
    await dingtalk.say("ann", "ann", "hello", times=5)

    assert dingtalk.failures == []
    assert len(bot.accepted) == 1
    assert sorted(bot.answers) == [False] * 4 + [True]


async def test_what_could_not_be_journalled_is_not_acknowledged_as_done(dingtalk: FakeDingTalk, bot: Bot) -> None:
    bot.failures.append(Unreachable("no database", system="database"))

    assert (await dingtalk.say("ann", "ann", "hello")).code == 500


async def test_a_malformed_message_is_refused_and_counted(dingtalk: FakeDingTalk, bot: Bot) -> None:
    before = counted("malformed")

    assert (await dingtalk.deliver(MESSAGES, {"msgtype": "text"})).code == 400

    assert counted("malformed") == before + 1
    assert not bot.accepted


def counted(outcome: str) -> float:
    return REGISTRY.get_sample_value("xops_webhook_total", {"channel": "dingtalk", "outcome": outcome}) or 0.0


@pytest.mark.usefixtures("bot")
async def test_pings_are_echoed_and_events_acknowledged(dingtalk: FakeDingTalk) -> None:
    ping = await dingtalk.frame("SYSTEM", "ping", {"opaque": "0f3a"})
    event = await dingtalk.frame("EVENT", "*", {"anything": 1})
    unknown = await dingtalk.frame("CALLBACK", "/v1.0/graph/api/invoke", {})

    assert [answer["code"] for answer in (ping, event, unknown)] == [200, 200, 404]
    assert json.loads(ping["data"]) == {"opaque": "0f3a"}
    assert json.loads(event["data"]) == {"status": "SUCCESS"}


@pytest.mark.parametrize(
    "frame", ["not json", "[]", "{}", '{"headers":1}', '{"type":"CALLBACK","headers":{},"data":"x"}']
)
async def test_frames_that_are_none_do_no_harm(dingtalk: FakeDingTalk, bot: Bot, frame: str) -> None:
    await dingtalk.connections[0].send_str(frame)

    assert (await dingtalk.say("ann", "ann", "still there")).ok
    assert len(bot.accepted) == 1
    assert dingtalk.opened == 1


async def test_a_frame_beyond_all_measure_ends_only_its_connection(dingtalk: FakeDingTalk, bot: Bot) -> None:
    """More than 4 MB is never kept; the next connection takes what comes then."""
    with suppress(ConnectionError):  # it is cut off while it still sends
        await dingtalk.connections[0].send_str("x" * 5_000_000)
    await dingtalk.until(lambda: dingtalk.opened == 2 and len(dingtalk.connections) == 1)

    assert (await dingtalk.say("ann", "ann", "still there")).ok
    assert len(bot.accepted) == 1


async def test_leaves_when_asked_and_comes_back(dingtalk: FakeDingTalk, bot: Bot) -> None:
    await dingtalk.disconnect()

    await dingtalk.until(lambda: dingtalk.opened == 2 and len(dingtalk.connections) == 1)
    assert (await dingtalk.say("ann", "ann", "hello again")).ok
    assert bot.message.text == "hello again"


async def test_comes_back_when_the_connection_is_cut_in_the_middle_of_a_message(
    dingtalk: FakeDingTalk, bot: Bot
) -> None:
    """What was under way is journalled all the same; its redelivery on the next connection changes nothing."""
    bot.gate.clear()
    data = dingtalk.message("ann", "ann") | {"msgtype": "text", "text": {"content": "hello"}}
    cut = asyncio.create_task(dingtalk.deliver(MESSAGES, data))
    await bot.entered.wait()
    await dingtalk.drop()
    bot.gate.set()
    await dingtalk.until(lambda: dingtalk.opened == 2)

    assert (await dingtalk.deliver(MESSAGES, data)).ok

    assert len(bot.accepted) == 1
    assert sorted(bot.answers) == [False, True]
    cut.cancel()


async def test_a_server_that_keeps_closing_is_asked_later_and_later(dingtalk: FakeDingTalk, bot: Bot) -> None:
    for number in range(1, 8):
        await dingtalk.until(lambda: dingtalk.opened == number and dingtalk.connections)  # noqa: B023
        await dingtalk.connections[0].close()
    await dingtalk.until(lambda: dingtalk.opened == 8)

    assert all(2.0**n / 2 <= pause <= 2.0**n for n, pause in enumerate(bot.pauses[:6]))
    assert bot.pauses[6] <= 60


async def test_says_goodbye_to_a_peer_that_says_nothing(dingtalk: FakeDingTalk) -> None:
    """A connection that answers pings but brings nothing any more is replaced."""
    async with connected(dingtalk, idle_seconds=0.05):
        await dingtalk.until(lambda: dingtalk.opened >= 3)


async def test_leaves_a_peer_that_answers_no_ping(dingtalk: FakeDingTalk) -> None:
    """Half-open: the socket is up, and nobody is there."""
    dingtalk.answers_pings = False
    http = Http()
    await http.start()
    async with connected(dingtalk) as bot:
        api = Api(dingtalk.settings, http, asyncio.sleep)
        stream = Stream(dingtalk.settings, api, http, bot.channel.hear, sleep=Clock().sleep, heartbeat=0.02)
        stream.start(Intake("dingtalk", bot.accept, bot.channel.acknowledge))

        await dingtalk.until(lambda: dingtalk.opened >= 4)

        await stream.stop()
    await http.stop()


async def test_metrics_tell_whether_it_is_connected(dingtalk: FakeDingTalk) -> None:
    async with connected(dingtalk):
        await dingtalk.say("ann", "ann", "hello")
        assert REGISTRY.get_sample_value("xops_connected", {"channel": "dingtalk"}) == 1
        labels = {"topic": MESSAGES, "code": "200"}
        assert (REGISTRY.get_sample_value("xops_dingtalk_frames_total", labels) or 0) >= 1
    assert REGISTRY.get_sample_value("xops_connected", {"channel": "dingtalk"}) == 0


FAULTS: dict[str, Callable[[], web.Response | ApiRefused]] = {
    "firewall": lambda: web.Response(text="<html>blocked", content_type="text/html"),
    "gateway": lambda: web.Response(status=502, text="bad gateway"),
    "closed port": lambda: web.json_response({"endpoint": "ws://127.0.0.1:1/connect", "ticket": "t"}),
    "empty": lambda: web.json_response({"nothing": "useful"}),
    "no object": lambda: web.json_response([]),
    "refused": lambda: ApiRefused("invalidClientIdOrSecret", 401),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_tries_again_whatever_the_gateway_answers(dingtalk: FakeDingTalk, fault: str) -> None:
    dingtalk.faults[OPEN].append(FAULTS[fault]())

    async with connected(dingtalk) as bot:
        assert (await dingtalk.say("ann", "ann", "hello")).ok
        assert bot.accepted


async def test_stops_at_once_and_acknowledges_what_it_has(dingtalk: FakeDingTalk) -> None:
    async with connected(dingtalk) as bot:
        bot.gate.clear()
        saying = asyncio.create_task(dingtalk.say("ann", "ann", "last words"))
        await bot.entered.wait()
        stopping = asyncio.create_task(bot.channel.stop())
        await asyncio.sleep(0)
        bot.gate.set()

        assert (await saying).ok
        await stopping
        await dingtalk.until(lambda: not dingtalk.connections)
        assert bot.message.text == "last words"


async def test_stops_while_it_cannot_connect(dingtalk: FakeDingTalk) -> None:
    async with connected(dingtalk) as bot:
        dingtalk.faults[OPEN].extend(web.Response(status=502) for _ in range(1000))
        await dingtalk.drop()
        await eventually(lambda: dingtalk.calls.count(f"POST {OPEN}") > 3)

        await asyncio.wait_for(bot.channel.stop(), timeout=2)
