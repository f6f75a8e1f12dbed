"""The Feishu channel against a Feishu that keeps its rules: tokens, rates, refusals, edits that overtake each other."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from bots.feishu.client import PATIENCE, FeishuChannel, Rates
from core.cards import Card, Text
from core.errors import Refused, Throttled, Unauthorized, Unreachable
from core.http import Http
from core.messages import Actor, Conversation
from core.settings import Feishu
from tests.fakes.clock import Clock
from tests.fakes.feishu import FakeFeishu
from tests.waiting import eventually

PRIVATE = Conversation("feishu", "oc_private")
GROUP = Conversation("feishu", "oc_group", "group")
UNHURRIED = Rates(per_second=1e6, per_minute=1e6, per_place=1e6)
TOKEN = "POST auth/v3/tenant_access_token/internal"


def card(text: str) -> Card:
    return Card("Title", (Text(text),))


@pytest.fixture
async def channel(feishu: FakeFeishu, http: Http, clock: Clock) -> AsyncGenerator[FeishuChannel]:
    made = FeishuChannel(feishu.settings, http, rates=UNHURRIED, sleep=clock.sleep)
    yield made
    await made.stop()


async def test_many_senders_share_one_token(feishu: FakeFeishu, channel: FeishuChannel) -> None:
    await asyncio.gather(*(channel.lookup("ou_ann") for _ in range(10)))

    assert feishu.calls.count(TOKEN) == 1


@pytest.mark.parametrize("status", [400, 200])
async def test_a_token_that_ends_early_is_renewed_once(feishu: FakeFeishu, channel: FeishuChannel, status: int) -> None:
    feishu.stale_token_status = status
    await channel.send(PRIVATE, card("one"), key="1")
    feishu.expire_tokens()

    await asyncio.gather(*(channel.send(PRIVATE, card(f"more {n}"), key=f"more {n}") for n in range(4)))

    assert len(feishu.messages) == 5
    assert feishu.calls.count(TOKEN) == 2


async def test_wrong_credentials_are_said_without_showing_them(feishu: FakeFeishu, http: Http) -> None:
    settings = feishu.settings.model_copy(update={"app_secret": SecretStr("not-the-secret")})

    with pytest.raises(Unauthorized) as refused:
        await FeishuChannel(settings, http).bot()

    assert refused.value.code == "10014"
    assert "not-the-secret" not in repr(refused.value)


async def test_waits_as_long_as_feishu_asks(feishu: FakeFeishu, channel: FeishuChannel, clock: Clock) -> None:
    await channel.bot()
    started = clock.now
    feishu.close_for(30)

    await channel.send(PRIVATE, card("late"), key="1")

    assert clock.now == started + 30
    assert feishu.calls.count("POST im/v1/messages") == 2


async def test_does_not_wait_for_ever(feishu: FakeFeishu, channel: FeishuChannel, clock: Clock) -> None:
    await channel.bot()
    started = clock.now
    feishu.close_for(PATIENCE + 1)

    with pytest.raises(Throttled) as throttled:
        await channel.send(PRIVATE, card("never"), key="1")

    assert throttled.value.retry_after == PATIENCE + 1
    assert clock.now == started
    assert not feishu.messages


async def test_a_burst_into_one_chat_arrives_whole(feishu: FakeFeishu, channel: FeishuChannel, clock: Clock) -> None:
    """The chat takes five a second; what it refuses with 230020 is sent again when it may."""
    started = clock.now

    await asyncio.gather(*(channel.send(GROUP, card(f"{n}"), key=f"{n}") for n in range(12)))

    assert len(feishu.messages) == 12
    assert feishu.calls.count("POST im/v1/messages") > 12
    assert clock.now > started


async def test_keeps_its_own_pace_in_one_chat(feishu: FakeFeishu, http: Http) -> None:
    channel = FeishuChannel(feishu.settings, http, rates=Rates(per_place=50))
    loop = asyncio.get_running_loop()
    started = loop.time()

    await asyncio.gather(*(channel.send(GROUP, card(f"{n}"), key=f"{n}") for n in range(5)))

    assert loop.time() - started >= 4 / 50


async def test_edits_that_overtake_each_other_show_the_newest(feishu: FakeFeishu, channel: FeishuChannel) -> None:
    reference = await channel.send(PRIVATE, card("first"), key="k")

    await asyncio.gather(*(channel.update(reference, card(f"step {n}"), key=f"{n}") for n in range(20)))

    assert feishu.messages[0].text == "Title\nstep 19"
    assert sum(call.startswith("PATCH") for call in feishu.calls) < 5


async def test_an_edit_after_all_others_ended_is_made(feishu: FakeFeishu, channel: FeishuChannel) -> None:
    reference = await channel.send(PRIVATE, card("first"), key="k")

    for text in ("second", "third"):
        await channel.update(reference, card(text), key=text)

    assert [feishu.messages[0].text, len(feishu.messages[0].contents)] == ["Title\nthird", 3]


async def test_every_caller_of_an_edit_that_is_refused_learns_it(feishu: FakeFeishu, channel: FeishuChannel) -> None:
    theirs = feishu.store("oc_group", "ou_ann", "text", '{"text":"hi"}')

    outcomes = await asyncio.gather(
        *(channel.update(f"{theirs.id}/group/", card(f"{n}"), key=f"{n}") for n in range(3)), return_exceptions=True
    )

    assert [type(outcome) for outcome in outcomes] == [Refused] * 3
    assert isinstance(outcomes[0], Refused)
    assert outcomes[0].code == "230017"


async def test_a_card_older_than_two_weeks_cannot_be_edited(
    feishu: FakeFeishu, channel: FeishuChannel, clock: Clock
) -> None:
    reference = await channel.send(PRIVATE, card("old"), key="k")
    clock.now += (channel.limits.editable_for + timedelta(hours=1)).total_seconds()
    feishu.expire_tokens()

    with pytest.raises(Refused) as refused:
        await channel.update(reference, card("new"), key="n")

    assert refused.value.code == "230031"


async def test_a_chat_without_the_bot_refuses(feishu: FakeFeishu, channel: FeishuChannel) -> None:
    with pytest.raises(Refused) as refused:
        await channel.send(Conversation("feishu", "oc_gone"), card("x"), key="k")

    assert refused.value.code == "230002"
    assert not refused.value.retryable


async def test_answers_into_the_thread_it_was_asked_in(feishu: FakeFeishu, channel: FeishuChannel) -> None:
    asked = feishu.store("oc_group", "ou_ann", "text", '{"text":"why?"}', thread="omt_1")

    await channel.send(Conversation("feishu", "oc_group", "group", "omt_1"), card("because"), key="k")

    assert (feishu.messages[0].thread, feishu.messages[0].parent) == ("omt_1", asked.id)


async def test_a_thread_without_messages_refuses(feishu: FakeFeishu, channel: FeishuChannel) -> None:
    with pytest.raises(Refused) as refused:
        await channel.send(Conversation("feishu", "oc_group", "group", "omt_gone"), card("x"), key="k")

    assert refused.value.code == "230019"
    assert not feishu.messages


async def test_a_person_the_app_may_not_see_keeps_their_id(feishu: FakeFeishu, channel: FeishuChannel) -> None:
    assert await channel.lookup("ou_bob") == Actor("feishu", "ou_bob", name="Bob")
    assert await channel.lookup("ou_/../x?y") == Actor("feishu", "ou_/../x?y")


async def test_learns_who_it_is_in_the_background(feishu: FakeFeishu, channel: FeishuChannel, clock: Clock) -> None:
    feishu.close_for(200)

    await channel.start()
    assert channel.bot_open_id == ""

    async def learnt() -> str:
        return channel.bot_open_id

    assert await eventually(learnt) == "ou_bot"


async def test_does_not_ask_when_the_settings_tell(feishu: FakeFeishu, http: Http) -> None:
    channel = FeishuChannel(feishu.settings.model_copy(update={"bot_open_id": "ou_me"}), http)

    await channel.start()
    await channel.stop()

    assert channel.bot_open_id == "ou_me"
    assert not feishu.calls


async def answered(http: Http, response: web.Response) -> None:
    """Ask a server that gives every call this answer."""
    application = web.Application()

    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=response.status, body=response.body, headers=response.headers)

    application.router.add_route("*", "/{path:.*}", answer)
    async with TestServer(application) as server:
        settings = Feishu(domain=str(server.make_url("")).rstrip("/"))
        await FeishuChannel(settings, http).bot()


async def test_a_gateway_that_breaks_is_unreachable(http: Http) -> None:
    with pytest.raises(Unreachable):
        await answered(http, web.Response(status=500, text="<html>oops"))


@pytest.mark.parametrize("text", ["<html>log in", "[]", "null", "{}"])
async def test_an_answer_that_is_not_feishus_is_refused(http: Http, text: str) -> None:
    with pytest.raises((Refused, Unauthorized)):
        await answered(http, web.Response(text=text))


async def test_a_closed_port_is_unreachable(http: Http) -> None:
    with pytest.raises(Unreachable):
        await FeishuChannel(Feishu(domain="http://127.0.0.1:1"), http).bot()
