"""The WeCom app's callback: who may call it, what each kind of event becomes, and what everyone else learns."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from bots.wecom.envelope import Envelope
from core.cards import Button, Buttons, Card, Form, Input, Item, Text
from core.errors import BadInput, BadSignature
from core.messages import Conversation
from core.store import Store
from tests.bots.wecom_app import BODY_LIMIT, App, listening
from tests.fakes.clock import Clock
from tests.fakes.wecom import FakeWeCom
from tests.fakes.wecom_crypto import Crypto, fresh_aes_key

ANN = Conversation("wecom", "ann")


@pytest.fixture
async def app(wecom: FakeWeCom, sqlite_store: Store, clock: Clock) -> AsyncGenerator[App]:
    async with listening(wecom, sqlite_store, clock) as listener:
        yield listener


@pytest.mark.usefixtures("app")
async def test_the_check_of_the_address_is_answered_with_the_bare_echo(wecom: FakeWeCom) -> None:
    """No quotes, no byte order mark, no newline: the commonest reason why a console refuses an address."""
    delivery = await wecom.check_address()

    assert (delivery.status, delivery.body) == (200, b"1234567890")


@pytest.mark.usefixtures("app")
async def test_a_wrong_check_of_the_address_learns_nothing(wecom: FakeWeCom) -> None:
    for changed in ({"msg_signature": "0" * 40}, {"nonce": "x"}, {"timestamp": "1"}, {"echostr": "AAAA"}):
        delivery = await wecom.check_address(**changed)
        assert (delivery.status, delivery.body) == (401, b"")


async def test_a_message_is_taken_and_answered_with_nothing(wecom: FakeWeCom, app: App) -> None:
    delivery = await wecom.say("ann", "  昨晚哪些任务失败了 ]]> <b> ")

    assert (delivery.status, delivery.body) == (200, b"")
    assert app.message.text == "昨晚哪些任务失败了 ]]> <b>"
    assert app.message.conversation == ANN
    assert app.message.actor.id == "ann"
    assert app.message.at.timestamp() == wecom.clock()


async def test_five_deliveries_are_one_message(wecom: FakeWeCom, app: App) -> None:
    await wecom.say("ann", "/overview", times=5)

    assert len(app.accepted) == 1
    assert not wecom.failures


async def test_what_could_not_be_journalled_comes_again_three_times(wecom: FakeWeCom, app: App) -> None:
    app.failures.extend(OSError("disk full") for _ in range(3))

    await wecom.say("ann", "/overview")

    assert [delivery.status for delivery in wecom.deliveries] == [500, 500, 500]


async def test_a_click_brings_the_button_and_the_code(wecom: FakeWeCom, app: App) -> None:
    card = Card("T", (Buttons((Button("日志", "log", {"target": "demo:1", "run": "2"}),)),))
    reference = await app.channel.send(ANN, card, key="k")

    await wecom.press(wecom.cards[0], "日志")

    click = app.click
    assert (click.command, click.arguments, click.card) == ("log", {"target": "demo:1", "run": "2"}, reference)
    assert await app.channel.sent.take_code(reference) != ""


async def test_two_clicks_in_one_second_are_two_and_a_redelivery_is_none(wecom: FakeWeCom, app: App) -> None:
    """The time has seconds only and a click has no id, so everything that tells two apart goes into the key."""
    await app.channel.send(ANN, Card("T", (Buttons((Button("日志", "log"), Button("概览", "overview"))),)), key="k")

    for label in ("日志", "日志", "概览"):
        await wecom.press(wecom.cards[0], label, times=3)

    assert [event.command for event in app.accepted if event.type == "click"] == ["log", "log", "overview"]


@pytest.mark.parametrize(("chosen", "target"), [({"选择对象": "B two"}, "2"), ({}, "1")])
async def test_what_was_chosen_in_a_list_comes_along(
    wecom: FakeWeCom, app: App, chosen: dict[str, str], target: str
) -> None:
    items = tuple(
        Item(name, buttons=(Button("日志", "log", {"target": n}),)) for name, n in (("one", "1"), ("two", "2"))
    )
    await app.channel.send(ANN, Card("T", items), key="k")

    await wecom.press(wecom.cards[0], "日志", choose=chosen)

    assert app.click.arguments == {"target": target}


async def test_several_lists_come_along(wecom: FakeWeCom, app: App) -> None:
    """XML has no lists: one chosen list looks different from two."""
    options = (("a", "甲"), ("b", "乙"))
    form = Form((Input("x", "X", "select", options), Input("y", "Y", "select", options)), Button("提交", "decide"))
    await app.channel.send(ANN, Card("T", (form,)), key="k")

    await wecom.press(wecom.cards[0], "提交", choose={"Y": "乙"})

    assert (app.click.command, app.click.form) == ("decide", {"x": "a", "y": "b"})


async def test_an_entry_of_the_menu_is_a_click(wecom: FakeWeCom, app: App) -> None:
    await app.channel.send(ANN, Card("T", (Text("x"),)), key="k")

    await wecom.press(wecom.cards[0], "帮助", menu=True)

    assert app.click.command == "help"


async def test_a_click_on_what_was_never_shown_leads_nowhere(wecom: FakeWeCom, app: App) -> None:
    await app.channel.send(ANN, Card("T", (Buttons((Button("日志", "log"),)),)), key="k")
    task = wecom.cards[0].content["task_id"]

    for key, card in (("9.9", task), ("1.0", "unknown-1-0"), ("", task), ("1.0/which.0", task)):
        parts = {"MsgType": "event", "Event": "template_card_event", "EventKey": key, "TaskId": card}
        assert (await wecom.deliver(wecom.inner("ann", **parts, ResponseCode="c"))).ok

    assert not app.accepted


@pytest.mark.parametrize(
    "parts",
    [
        {"MsgType": "event", "Event": "enter_agent"},
        {"MsgType": "event", "Event": "inactive_alert", "EffectTime": "1"},
        {"MsgType": "nobody_knows"},
    ],
)
async def test_what_is_no_message_is_acknowledged_and_ignored(
    wecom: FakeWeCom, app: App, parts: dict[str, str]
) -> None:
    assert (await wecom.deliver(wecom.inner("ann", **parts))).ok
    assert not app.accepted


@pytest.mark.parametrize("kind", ["image", "voice", "video", "file", "location", "link", "text", "made_up"])
async def test_a_kind_without_text_is_answered_all_the_same(wecom: FakeWeCom, app: App, kind: str) -> None:
    """As a message that says nothing, which is told what can be read."""
    assert (await wecom.deliver(wecom.inner("ann", MsgType=kind, MsgId="1"))).ok

    assert app.message.text == ""


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize(
    "inner",
    [
        "not xml",
        "<xml/>",
        "<other>x</other>",
        "<xml><MsgType>text</MsgType></xml>",
        "<xml><FromUserName>ann</FromUserName><MsgType>text</MsgType><Content>x</Content></xml>",
        '<!DOCTYPE x [<!ENTITY e "x">]><xml><FromUserName>&e;</FromUserName></xml>',
        "<xml><FromUserName><a>1</a><b/></FromUserName><MsgType>text</MsgType></xml>",
        f"<xml>{'<a>' * 3000}{'</a>' * 3000}</xml>",
    ],
)
async def test_a_signed_callback_that_makes_no_sense_is_400(wecom: FakeWeCom, inner: str) -> None:
    delivery = await wecom.deliver(inner)

    assert (delivery.status, delivery.body) == (400, b"")


@pytest.mark.usefixtures("app")
async def test_a_wrong_signature_is_401_without_detail(wecom: FakeWeCom) -> None:
    sealed = wecom.crypto.seal(wecom.inner("ann", MsgType="text", Content="x", MsgId="1"))
    query = wecom.crypto.query(sealed, wecom.clock())
    body = wecom.outer(sealed)

    for changed in (
        {"msg_signature": "0" * 40},
        {"msg_signature": "签名"},
        {"nonce": "x"},
        {"timestamp": "nan"},
        {"msg_signature": ""},
    ):
        delivery = await wecom.request(body, query | changed)
        assert (delivery.status, delivery.body) == (401, b"")
    for other in (b"", b"<xml/>", b"{}", wecom.outer(sealed[:-4])):
        assert (await wecom.request(other, query)).status == 401


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize("seconds", [-301, 301])
async def test_a_recorded_callback_cannot_be_played_back_later(wecom: FakeWeCom, seconds: float) -> None:
    sealed = wecom.crypto.seal("<xml/>")

    delivery = await wecom.request(wecom.outer(sealed), wecom.crypto.query(sealed, wecom.clock() + seconds))

    assert delivery.status == 401


@pytest.mark.usefixtures("app")
async def test_an_oversized_body_is_413(wecom: FakeWeCom) -> None:
    assert (await wecom.request(b"x" * (BODY_LIMIT + 1), {})).status == 413


async def test_many_at_once_are_all_acknowledged_in_time(wecom: FakeWeCom, app: App) -> None:
    await asyncio.gather(*(wecom.say("ann", f"/status {n}") for n in range(50)))

    assert len(app.accepted) == 50
    assert not wecom.failures


def keys(receive_id: str) -> tuple[Crypto, Envelope]:
    """Both sides of one callback address."""
    crypto = Crypto("a-callback-token", fresh_aes_key(), receive_id)
    return crypto, Envelope(crypto.token, crypto.aes_key, receive_id)


@pytest.mark.parametrize("receive_id", ["ww1", ""])
@pytest.mark.parametrize("text", ["", "x", "中" * 11, "y" * 2047, "🧯]]>&<"])
def test_both_sides_of_the_envelope_agree(receive_id: str, text: str) -> None:
    """Apps are sealed for their corp, AI bots for nobody."""
    crypto, envelope = keys(receive_id)
    sealed = crypto.seal(text)
    assert envelope.open(crypto.query(sealed, 1000.0), sealed, now=1000.0) == text

    answer = envelope.seal(text, timestamp=1000, nonce="n")
    assert crypto.open(answer["encrypt"]) == text
    assert answer["msgsignature"] == crypto.sign("1000", "n", answer["encrypt"])


@pytest.mark.parametrize("sealed", ["", "AAAA", "not base64!", "A" * 43, "AAAAAAAAAAAAAAAAAAAAAA=="])
def test_whatever_is_in_a_signed_envelope_only_two_errors_leave(sealed: str) -> None:
    crypto, envelope = keys("ww1")

    with pytest.raises(BadInput):
        envelope.open(crypto.query(sealed, 1000.0), sealed, now=1000.0)


def test_an_envelope_for_somebody_else_is_refused() -> None:
    crypto, _ = keys("ww1")
    other = Envelope(crypto.token, crypto.aes_key, "ww2")
    sealed = crypto.seal("x")

    with pytest.raises(BadInput) as refused:
        other.open(crypto.query(sealed, 1000.0), sealed, now=1000.0)
    assert not isinstance(refused.value, BadSignature)
