"""What people do in DingTalk, as it reaches the journal: through the real connection."""

import json
from collections.abc import AsyncGenerator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import REGISTRY

from bots.dingtalk.inbound import Heard, read_click, read_message
from bots.dingtalk.places import conversation_of, track
from bots.edge import Reply
from core.cards import Button, Buttons, Card
from core.errors import BadInput
from core.messages import Actor, Click, Conversation, Message
from tests.bots.dingtalk_bot import Bot, connected
from tests.fakes.dingtalk import COMPANY, ROBOT, FakeDingTalk

Json = dict[str, Any]


@pytest.fixture
async def bot(dingtalk: FakeDingTalk) -> AsyncGenerator[Bot]:
    async with connected(dingtalk) as listener:
        yield listener


def counted(outcome: str) -> float:
    return REGISTRY.get_sample_value("xops_webhook_total", {"channel": "dingtalk", "outcome": outcome}) or 0.0


async def test_a_private_message_is_journalled_whole(dingtalk: FakeDingTalk, bot: Bot) -> None:
    """The chat is named by the person, which is whom the robot can write to."""
    delivery = await dingtalk.say("ann", "ann", "昨晚哪些任务失败了")

    assert delivery.ok
    assert bot.accepted == [
        Message(
            id=f"{delivery.data['msgId']}/dingfake",
            conversation=Conversation("dingtalk", "ann", "private"),
            actor=Actor("dingtalk", "ann", name="Ann", tenant=COMPANY),
            text="昨晚哪些任务失败了",
            at=datetime.fromtimestamp(dingtalk.clock(), UTC),
        )
    ]


async def test_a_group_message_loses_the_space_the_mention_left(dingtalk: FakeDingTalk, bot: Bot) -> None:
    await dingtalk.say("cidGroup==", "ann", "@Bob why")

    assert bot.message.text == "@Bob why"
    assert bot.message.conversation == Conversation("dingtalk", "cidGroup==", "group")


async def test_a_mention_alone_is_heard(dingtalk: FakeDingTalk, bot: Bot) -> None:
    await dingtalk.say("cidGroup==", "ann", "")

    assert bot.message.text == ""


RICH = [
    {"text": "@OpsBot"},
    {"text": " see\n"},
    {"type": "picture", "downloadCode": "d"},
    {"text": "load_orders failed"},
]


@pytest.mark.parametrize(
    ("chat", "body", "text"),
    [
        ("cidGroup==", {"msgtype": "richText", "content": {"richText": RICH}}, "see\nload_orders failed"),
        ("ann", {"msgtype": "richText", "content": {"richText": RICH[2:]}}, "load_orders failed"),
        ("ann", {"msgtype": "audio", "content": {"duration": 900, "recognition": "昨晚怎么样"}}, "昨晚怎么样"),
        ("ann", {"msgtype": "text", "text": {"content": "  spaces \u200b\x00 "}}, "spaces "),
    ],
    ids=["rich text in a group", "rich text with a picture", "speech", "invisible characters"],
)
async def test_kinds_that_have_a_text(dingtalk: FakeDingTalk, bot: Bot, chat: str, body: Json, text: str) -> None:
    await dingtalk.post(chat, "ann", **body)

    assert bot.message.text == text


QUOTES: list[tuple[Json, str]] = [
    ({"msgType": "text", "content": {"text": "load_orders failed"}}, "load_orders failed"),
    ({"msgType": "richText", "content": {"richText": [{"msgType": "text", "content": "a"}, {"text": "b"}]}}, "ab"),
    ({"msgType": "file", "content": {"fileName": "a.log", "downloadCode": "d"}}, "a.log"),
    ({"msgType": "text", "content": json.dumps({"text": "as a string"})}, "as a string"),
    ({"msgType": "interactiveCard"}, ""),
]


@pytest.mark.parametrize(("replied", "quoted"), QUOTES)
async def test_what_a_message_replies_to_comes_with_it(
    dingtalk: FakeDingTalk, bot: Bot, replied: Json, quoted: str
) -> None:
    text = {"content": "why?", "isReplyMsg": True, "repliedMsg": replied}

    await dingtalk.post("ann", "ann", msgtype="text", text=text)

    assert (bot.message.text, bot.message.quoted) == ("why?", quoted)


@pytest.mark.parametrize(
    "body",
    [
        {"msgtype": "picture", "content": {"downloadCode": "d"}},
        {"msgtype": "file", "content": {"downloadCode": "d", "fileName": "a.log"}},
        {"msgtype": "video", "content": {"duration": 3, "downloadCode": "d", "videoType": "mp4"}},
        {"msgtype": "audio", "content": {"duration": 3, "downloadCode": "d"}},
        {"msgtype": "richText", "content": {"richText": [RICH[2]]}},
        {"msgtype": "somethingNew"},
        {"msgtype": "text", "text": {"content": "  "}},
    ],
    ids=lambda body: body["msgtype"],
)
async def test_a_kind_without_text_is_answered_all_the_same(dingtalk: FakeDingTalk, bot: Bot, body: Json) -> None:
    before = counted("ignored_unreadable")

    assert (await dingtalk.post("ann", "ann", **body)).ok

    await dingtalk.until(lambda: dingtalk.messages)
    assert "只能看懂文字" in dingtalk.messages[0].text
    assert counted("ignored_unreadable") == before + 1
    assert not bot.accepted


@pytest.mark.parametrize("error", [{"errorCode": 20001, "errorMessage": "x"}, {"errCode": "20001", "errMsg": "x"}])
async def test_a_message_beyond_the_quota_is_answered_without_the_quota(
    dingtalk: FakeDingTalk, bot: Bot, error: Json
) -> None:
    """It arrives without its text; the person hears why, through the webhook, which needs no call of the API."""
    dingtalk.monthly = 0

    assert (await dingtalk.post("cidGroup==", "ann", msgtype="text", **error)).ok

    await dingtalk.until(lambda: dingtalk.messages)
    assert "额度已用完" in dingtalk.messages[0].text
    assert REGISTRY.get_sample_value("xops_dingtalk_quota_exhausted", {"quota": "messages"}) == 1
    assert not bot.accepted
    await dingtalk.say("ann", "ann", "again")
    assert REGISTRY.get_sample_value("xops_dingtalk_quota_exhausted", {"quota": "messages"}) == 0


async def test_a_notice_nobody_can_get_does_no_harm(dingtalk: FakeDingTalk, bot: Bot) -> None:
    dingtalk.monthly = 0

    await dingtalk.post("ann", "ann", msgtype="file", sessionWebhook="")

    assert (await dingtalk.say("ann", "ann", "hello")).ok
    assert bot.message.text == "hello"


async def test_someone_of_another_company_is_known_by_an_id_without_rights(dingtalk: FakeDingTalk, bot: Bot) -> None:
    """Without a user id nobody can be listed as a person; the session webhook still reaches them."""
    await dingtalk.say("eve", "eve", "hello")

    assert bot.message.actor == Actor("dingtalk", "$:LWCP_v1:$eve", name="eve", tenant=COMPANY)
    assert bot.message.conversation == Conversation("dingtalk", "cidPrivateeve", "private")


@pytest.mark.parametrize(
    ("body", "outcome"),
    [({"senderId": ROBOT}, "ignored_from_bot"), ({"isInAtList": False}, "ignored_not_mentioned")],
)
async def test_what_is_not_for_us_is_acknowledged_and_ignored(
    dingtalk: FakeDingTalk, bot: Bot, body: Json, outcome: str
) -> None:
    before = counted(outcome)

    assert (await dingtalk.say("cidGroup==", "ann", "hello", **body)).ok

    assert counted(outcome) == before + 1
    assert not bot.accepted
    assert not dingtalk.messages


async def test_one_message_to_two_robots_is_two_messages(dingtalk: FakeDingTalk, bot: Bot) -> None:
    await dingtalk.say("cidGroup==", "ann", "hello", msgId="m", robotCode="one")
    await dingtalk.say("cidGroup==", "ann", "hello", msgId="m", robotCode="two")

    assert len({event.key for event in bot.accepted}) == 2


@pytest.mark.parametrize("chat", ["cidGroup==", "ann"])
async def test_a_press_is_a_click_where_the_card_is(dingtalk: FakeDingTalk, bot: Bot, chat: str) -> None:
    conversation = Conversation("dingtalk", chat, "group" if chat == "cidGroup==" else "private")
    button = Button("Log", "log", {"target": "demo:1", "run": "2"})
    reference = await bot.channel.send(conversation, Card("T", (Buttons((button,)),)), key="k")

    delivery = await dingtalk.press(dingtalk.messages[0], "Log")

    assert delivery.ok
    assert (bot.click.command, bot.click.arguments) == ("log", {"target": "demo:1", "run": "2"})
    assert (bot.click.conversation, bot.click.card) == (conversation, reference)
    assert bot.click.actor == Actor("dingtalk", "ann", tenant=COMPANY)


async def test_only_who_pressed_sees_the_receipt(dingtalk: FakeDingTalk, bot: Bot) -> None:
    await bot.channel.send(Conversation("dingtalk", "ann"), Card("T", (Buttons((Button("Log", "log"),)),)), key="k")

    delivery = await dingtalk.press(dingtalk.messages[0], "Log")

    assert delivery.answer["userPrivateData"]["cardParamMap"] == {"receipt": "✓ 已收到你的点击"}
    assert "cardData" not in delivery.answer
    assert delivery.answer["cardUpdateOptions"] == {"updateCardDataByKey": True, "updatePrivateDataByKey": True}


async def test_two_presses_at_once_are_two_clicks(dingtalk: FakeDingTalk, bot: Bot) -> None:
    await bot.channel.send(Conversation("dingtalk", "ann"), Card("T", (Buttons((Button("Log", "log"),)),)), key="k")

    for _ in range(2):
        await dingtalk.press(dingtalk.messages[0], "Log")

    assert len({event.key for event in bot.accepted}) == 2


async def test_a_link_of_a_message_is_a_click_too(dingtalk: FakeDingTalk) -> None:
    async with connected(dingtalk, card_template_id="") as bot:
        button = Button("Rerun", "propose", {"operation": "rerun", "target": "demo:a b=c"})
        await bot.channel.send(Conversation("dingtalk", "ann"), Card("T", (Buttons((button,)),)), key="k")

        await dingtalk.press(dingtalk.messages[0], "Rerun")

        assert (bot.click.command, bot.click.arguments) == ("propose", {"operation": "rerun", "target": "demo:a b=c"})
        assert bot.click.card == ""


PARAMETERS = {"command": "log", "arguments": '{"target":"demo:1"}'}


@pytest.mark.parametrize(
    "said",
    [
        {"content": json.dumps({"cardPrivateData": {"actionIds": ["press"], "params": PARAMETERS}})},
        {"value": json.dumps({"cardPrivateData": {"actionIds": ["press"]}, "params": PARAMETERS})},
        {"content": {"cardPrivateData": {"params": PARAMETERS}}, "extension": None},
    ],
    ids=["content", "value", "an object"],
)
def test_callbacks_of_every_documented_shape_are_read(said: Json) -> None:
    card = track(Conversation("dingtalk", "cidGroup==", "group"), "k")

    click = read_click({"outTrackId": card, "userId": "ann", **said}, id="1", at="1769851697756")

    assert isinstance(click, Click)
    assert (click.command, click.arguments) == ("log", {"target": "demo:1"})
    assert click.at == datetime.fromtimestamp(1769851697.756, UTC)


@pytest.mark.parametrize(
    "data",
    [
        {"outTrackId": "somebody-elses", "userId": "ann", "content": {"cardPrivateData": {"params": PARAMETERS}}},
        {"outTrackId": f"xops-{'0' * 32}.", "userId": "ann", "content": "not json"},
        {"outTrackId": f"xops-{'0' * 32}.", "userId": "ann", "content": {"cardPrivateData": {"params": {}}}},
    ],
)
def test_callbacks_that_are_not_ours_are_ignored(data: Json) -> None:
    found = read_click(data, id="1", at="")

    assert isinstance(found, Reply)
    assert found.outcome == "ignored_unknown_action"


FIELDS = (
    *(
        "msgId",
        "msgtype",
        "text",
        "content",
        "richText",
        "conversationId",
        "conversationType",
        "senderId",
        "senderStaffId",
    ),
    *(
        "createAt",
        "sessionWebhook",
        "sessionWebhookExpiredTime",
        "isInAtList",
        "errorCode",
        "repliedMsg",
        "recognition",
    ),
    *("outTrackId", "userId", "value", "cardPrivateData", "params", "command", "arguments"),
)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=6),
    max_leaves=30,
)


@given(st.dictionaries(st.sampled_from(FIELDS), anything))
def test_whatever_comes_is_read_or_refused(data: Json) -> None:
    """No shape of data gets past the reader as anything but an event, an answer, or `BadInput`."""
    with suppress(BadInput):
        assert isinstance(read_message(data), Heard | Reply)
    with suppress(BadInput):
        assert isinstance(read_click(data, id="1", at="x"), Click | Reply)


@given(st.text(min_size=1, max_size=61), st.text(max_size=500))
def test_a_cards_id_fits_and_tells_its_group(group: str, key: str) -> None:
    """`outTrackId` takes 100 characters, and is the same for the same key."""
    conversation = Conversation("dingtalk", group, "group")

    assert len(track(conversation, key)) <= 100
    assert conversation_of(track(conversation, key), "ann") == conversation
    assert track(conversation, key) == track(conversation, key) != track(conversation, key + "x")


@given(st.text(max_size=40))
def test_no_other_card_is_taken_for_ours(text: str) -> None:
    assert conversation_of(text, "ann") is None or text.startswith("xops-")
