"""The WeCom app's channel against a WeCom that keeps its rules: tokens, codes that work once, silent drops, refusals."""

import asyncio

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from bots.wecom.client import PATIENCE, WeComChannel
from core.cards import Button, Buttons, Card, Log, Text
from core.errors import Refused, Throttled, Unauthorized, Unreachable
from core.http import Http
from core.messages import Actor, Conversation
from core.store import Store
from tests.bots.wecom_app import channel_of
from tests.fakes.clock import Clock
from tests.fakes.wecom import FakeWeCom
from tests.fakes.wecom_api import ADDRESS

ANN = Conversation("wecom", "ann")
BOB = Conversation("wecom", "Bob")


def card(text: str, *, pending: bool = False) -> Card:
    return Card("Title", (Text(text),), pending=pending)


def long(text: str) -> Card:
    """A card that needs a text beside its buttons."""
    return Card("Title", (Log(((1, text),)), Buttons((Button("日志", "log"),))))


@pytest.fixture
def channel(wecom: FakeWeCom, http: Http, sqlite_store: Store, clock: Clock) -> WeComChannel:
    return channel_of(wecom, http, sqlite_store, clock)


async def test_many_senders_share_one_token(wecom: FakeWeCom, channel: WeComChannel) -> None:
    await asyncio.gather(*(channel.lookup("ann") for _ in range(10)))

    assert wecom.calls.count("gettoken") == 1


async def test_a_token_that_ends_early_is_renewed_once(wecom: FakeWeCom, channel: WeComChannel) -> None:
    await channel.send(ANN, card("one"), key="1")
    wecom.expire_tokens()

    await asyncio.gather(*(channel.send(ANN, card(f"more {n}"), key=f"more {n}") for n in range(4)))

    assert len(wecom.messages) == 5
    assert wecom.calls.count("gettoken") == 2


async def test_a_token_refused_for_ever_ends_in_an_error(wecom: FakeWeCom, channel: WeComChannel) -> None:
    """`wechatpy` would ask for tokens until its stack ends."""
    refusal = web.json_response({"errcode": 40014, "errmsg": "invalid access_token"})
    await channel.lookup("ann")
    wecom.trouble.answers.extend([refusal, web.json_response(None), refusal])

    with pytest.raises((Unauthorized, Refused)):
        await channel.app()

    assert len(wecom.calls) < 8


async def test_wrong_credentials_are_said_without_showing_them(
    wecom: FakeWeCom, http: Http, sqlite_store: Store, clock: Clock
) -> None:
    wecom.settings, right = wecom.settings.model_copy(update={"secret": SecretStr("not-the-secret")}), wecom.settings
    channel = channel_of(wecom, http, sqlite_store, clock)
    wecom.settings = right

    with pytest.raises(Unauthorized) as refused:
        await channel.app()

    assert refused.value.code == "40001"
    assert "not-the-secret" not in repr(refused.value)


async def test_an_address_that_is_not_trusted_is_named(wecom: FakeWeCom, channel: WeComChannel) -> None:
    wecom.trouble.untrusted = True

    with pytest.raises(Refused) as refused:
        await channel.app()

    assert refused.value.code == "60020"
    assert ADDRESS in str(refused.value)


async def test_waits_out_a_block_of_half_a_minute(wecom: FakeWeCom, channel: WeComChannel, clock: Clock) -> None:
    await channel.app()
    wecom.trouble.busy_until = clock.now + 30

    await channel.send(ANN, card("late"), key="1")

    assert [message.text for message in wecom.messages] == ["Title\nlate"]


async def test_does_not_wait_for_ever(wecom: FakeWeCom, channel: WeComChannel, clock: Clock) -> None:
    await channel.app()
    started = clock.now
    wecom.trouble.busy_until = clock.now + 10 * PATIENCE

    with pytest.raises(Throttled):
        await channel.send(ANN, card("never"), key="1")

    assert clock.now - started <= PATIENCE
    assert not wecom.messages


async def test_an_answer_that_was_lost_does_not_double_the_message(wecom: FakeWeCom, channel: WeComChannel) -> None:
    """WeCom showed it and the answer broke on the way: the second attempt asks WeCom to drop it."""
    await channel.app()
    wecom.trouble.answers.append(web.Response(status=502, text="bad gateway"))

    await channel.send(ANN, card("once"), key="1")

    assert wecom.calls.count("message/send") == 2
    assert len(wecom.messages) == 1


async def test_a_send_that_broke_half_way_is_completed_by_the_next_attempt(
    wecom: FakeWeCom, channel: WeComChannel
) -> None:
    await channel.app()
    wecom.trouble.answers.extend([web.Response(status=502), web.Response(status=502)])
    with pytest.raises(Unreachable):
        await channel.send(ANN, long("x"), key="1")

    await channel.send(ANN, long("x"), key="1")

    assert [message.kind for message in wecom.messages] == ["text", "template_card"]


async def test_a_member_who_cannot_be_reached_is_an_error_though_wecom_says_ok(channel: WeComChannel) -> None:
    with pytest.raises(Refused) as refused:
        await channel.send(Conversation("wecom", "gone"), card("x"), key="1")

    assert refused.value.code == "invaliduser"


async def test_a_card_is_edited_in_place_with_its_code_and_with_each_clicks(
    wecom: FakeWeCom, channel: WeComChannel
) -> None:
    reference = await channel.send(ANN, card("first"), key="k")
    await channel.update(reference, card("second"), key="u2")
    await channel.sent.offer_code(reference, wecom.new_code(wecom.messages[0]))  # what a click brings

    await channel.update(reference, card("third"), key="u3")

    (message,) = wecom.sent.values()
    assert len(message.versions) == 3
    assert message.text == "Title\nthird"


async def test_without_a_code_the_card_is_sent_anew_and_the_old_one_recalled(
    wecom: FakeWeCom, channel: WeComChannel
) -> None:
    reference = await channel.send(ANN, card("first"), key="k")

    for text in ("second", "third", "fourth"):
        await channel.update(reference, card(text), key=text)

    assert [message.text for message in wecom.messages] == ["Title\nfourth"]
    assert wecom.calls.count("message/update_template_card") == 2


async def test_steps_on_the_way_are_not_shown_one_by_one(wecom: FakeWeCom, channel: WeComChannel) -> None:
    """Each would use up the code or disturb as a new message; the answer takes the place of the first."""
    reference = await channel.send(ANN, card("looking", pending=True), key="k")

    for number in range(5):
        await channel.update(reference, card(f"step {number}", pending=True), key=f"p{number}")
    await channel.update(reference, card("found"), key="done")

    (message,) = wecom.sent.values()
    assert [version["sub_title_text"] for version in message.versions] == ["looking", "found"]


async def test_a_long_answer_takes_the_place_of_a_short_card(wecom: FakeWeCom, channel: WeComChannel) -> None:
    reference = await channel.send(ANN, card("looking", pending=True), key="k")

    await channel.update(reference, long("x" * 500), key="done")

    assert [message.kind for message in wecom.messages] == ["text", "template_card"]
    assert wecom.calls.count("message/recall") == 1


async def test_a_code_that_has_run_out_costs_a_new_message_not_the_answer(
    wecom: FakeWeCom, channel: WeComChannel, clock: Clock
) -> None:
    reference = await channel.send(ANN, card("first"), key="k")
    clock.now += channel.limits.editable_for.total_seconds() + 1

    await channel.update(reference, card("second"), key="u")

    assert [message.text for message in wecom.messages] == ["Title\nfirst", "Title\nsecond"]  # too old to recall


async def test_buttons_of_the_card_before_still_mean_what_they_said(wecom: FakeWeCom, channel: WeComChannel) -> None:
    """A person presses what they saw, even when the card was edited in that moment."""
    reference = await channel.send(ANN, Card("T", (Buttons((Button("日志", "log"),)),)), key="k")
    old = wecom.cards[0].content["button_list"][0]["key"]

    await channel.update(reference, Card("T", (Buttons((Button("确认", "confirm"),)),)), key="u")

    known = await channel.sent.get(reference)
    assert known is not None
    new = wecom.cards[0].content["button_list"][0]["key"]
    assert (known.presses[old].command, known.presses[new].command) == ("log", "confirm")


async def test_nothing_is_dropped_in_silence(wecom: FakeWeCom, channel: WeComChannel) -> None:
    """WeCom would show thirty of a hundred cards for one member and drop the rest without a word."""
    for number in range(100):
        await channel.send(ANN, card(f"alert {number}"), key=f"{number}")

    assert wecom.dropped == []
    assert [message.text for message in wecom.messages] == [f"Title\nalert {number}" for number in range(100)]


async def test_one_members_storm_does_not_hold_up_another(
    wecom: FakeWeCom, channel: WeComChannel, clock: Clock
) -> None:
    await asyncio.gather(*(channel.send(ANN, card(f"{n}"), key=f"a{n}") for n in range(20)))
    started = clock.now

    await channel.send(BOB, card("hello"), key="b")

    assert clock.now == started
    assert wecom.messages[-1].user == "Bob"


async def test_a_person_the_app_may_not_see_keeps_their_id(channel: WeComChannel) -> None:
    assert await channel.lookup("Bob") == Actor("wecom", "Bob", name="Bob")
    assert await channel.lookup("x&access_token=y") == Actor("wecom", "x&access_token=y")


async def answered(wecom: FakeWeCom, http: Http, store: Store, response: web.Response) -> None:
    """Ask a server that gives every call this answer."""
    application = web.Application()

    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=response.status, body=response.body)

    application.router.add_route("*", "/{path:.*}", answer)
    async with TestServer(application) as server:
        wecom.settings = wecom.settings.model_copy(update={"api": str(server.make_url("")).rstrip("/")})
        await channel_of(wecom, http, store, Clock()).app()


@pytest.mark.parametrize("text", ["<html>log in", "[]", "null", "{}", '{"errcode":"0"}'])
async def test_an_answer_that_is_not_wecoms_is_refused(
    wecom: FakeWeCom, http: Http, sqlite_store: Store, text: str
) -> None:
    with pytest.raises(Refused):
        await answered(wecom, http, sqlite_store, web.Response(text=text))


async def test_a_gateway_that_breaks_is_unreachable(wecom: FakeWeCom, http: Http, sqlite_store: Store) -> None:
    with pytest.raises(Unreachable) as broken:
        await answered(wecom, http, sqlite_store, web.Response(status=500))

    assert "corpsecret" not in repr(broken.value)
