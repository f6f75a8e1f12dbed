"""What people do in Feishu, as it reaches the journal: through signed, encrypted requests to the real route."""

import json
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import REGISTRY

from bots.edge import Reply
from bots.feishu.inbound import Incomplete, flatten, read
from core.cards import Button, Buttons, Card, Form, Input
from core.errors import BadInput
from core.messages import Actor, Click, Conversation, Message
from tests.bots.feishu_bot import Bot, listening
from tests.fakes.feishu import FakeFeishu
from tests.fakes.feishu_events import envelope, mention

Json = dict[str, Any]


@pytest.fixture
async def bot(feishu: FakeFeishu) -> AsyncGenerator[Bot]:
    async with listening(feishu, feishu.clock) as listener:
        yield listener


def counted(outcome: str) -> float:
    return REGISTRY.get_sample_value("xops_webhook_total", {"channel": "feishu", "outcome": outcome}) or 0.0


async def test_a_private_message_is_journalled_whole(feishu: FakeFeishu, bot: Bot) -> None:
    delivery = await feishu.say("oc_private", "ou_ann", "昨晚哪些任务失败了")

    assert delivery.ok
    assert delivery.answer == {}
    assert bot.accepted == [
        Message(
            id=delivery.payload["event"]["message"]["message_id"],
            conversation=Conversation("feishu", "oc_private", "private"),
            actor=Actor("feishu", "ou_ann", tenant="tenant_1"),
            text="昨晚哪些任务失败了",
            at=datetime.fromtimestamp(feishu.clock(), UTC),
        )
    ]


async def test_a_mention_in_a_group_is_heard_without_the_bots_name(feishu: FakeFeishu, bot: Bot) -> None:
    mentions = [mention(f"@_user_{n}", who, name, bot=who == "ou_bot") for n, who, name in MENTIONED]
    text = {"text": "@_user_1 rerun for @_user_2 and @_user_10"}

    await feishu.post("oc_group", "ou_ann", "text", text, mentions=mentions)

    assert bot.message.text == "rerun for @Bob and @Zoe"
    assert bot.message.conversation == Conversation("feishu", "oc_group", "group")


MENTIONED = [(1, "ou_bot", "OpsBot"), (2, "ou_bob", "Bob"), (10, "ou_zoe", "Zoe")]


@pytest.mark.parametrize("kind", ["text", "image", "sticker"])
async def test_ignores_what_is_said_to_others_in_a_group(feishu: FakeFeishu, bot: Bot, kind: str) -> None:
    before = counted("ignored_not_mentioned")

    assert (await feishu.post("oc_group", "ou_ann", kind, {"text": "nobody is mentioned"})).ok
    assert not bot.accepted
    assert counted("ignored_not_mentioned") == before + 1


@pytest.mark.parametrize("kind", ["sticker", "file", "image", "audio", "media", "location", "made_up"])
async def test_a_kind_without_text_is_answered_all_the_same(feishu: FakeFeishu, bot: Bot, kind: str) -> None:
    """As a message that says nothing, which is told what can be read."""
    assert (await feishu.post("oc_private", "ou_ann", kind, {"file_key": "f"})).ok

    assert bot.message.text == ""


async def test_ignores_other_bots_and_mentions_of_others(feishu: FakeFeishu, bot: Bot) -> None:
    await feishu.post("oc_private", "ou_other_bot", "text", {"text": "hi"}, sender_type="bot")
    other = [mention("@_user_1", "ou_other_bot", "OtherBot", bot=True)]
    await feishu.post("oc_group", "ou_ann", "text", {"text": "@_user_1 hi"}, mentions=other)

    assert not bot.accepted


async def test_a_bot_that_does_not_know_itself_yet_answers_to_any_bots_name(feishu: FakeFeishu, bot: Bot) -> None:
    bot.channel.bot_open_id = ""

    await feishu.say("oc_group", "ou_ann", "overview")

    assert bot.message.text == "overview"


@pytest.mark.parametrize("kind", ["im.message.recalled_v1", "im.message.reaction.created_v1", "made.up_v9"])
async def test_events_we_do_not_know_are_acknowledged_and_counted(feishu: FakeFeishu, bot: Bot, kind: str) -> None:
    before = counted("ignored_unknown_event")

    assert (await feishu.deliver(envelope(kind, {"message_id": "om_1"}, feishu.settings, 1))).ok
    assert counted("ignored_unknown_event") == before + 1
    assert not bot.accepted


async def test_a_rich_post_keeps_its_lines(feishu: FakeFeishu, bot: Bot) -> None:
    content = {
        "title": "告警",
        "content": [
            [{"tag": "at", "user_id": "@_user_1", "user_name": "OpsBot"}, {"tag": "text", "text": " why failed?"}],
            [{"tag": "a", "text": "log", "href": "https://x.example/1"}, {"tag": "img", "image_key": "i"}],
            [{"tag": "code_block", "language": "SQL", "text": "select 1\n  from t"}],
        ],
    }
    mentions = [mention("@_user_1", "ou_bot", "OpsBot", bot=True)]

    await feishu.post("oc_group", "ou_ann", "post", content, mentions=mentions, thread="omt_1")

    assert bot.message.text == "告警\n why failed?\nlog (https://x.example/1)\nselect 1\n  from t"
    assert bot.message.conversation.key == "feishu:oc_group/omt_1"


def test_a_post_wrapped_by_language_is_read_too() -> None:
    content = '{"zh_cn":{"title":"T","content":[[{"tag":"text","text":"x"}]]}}'

    assert flatten("post", content, {}) == "T\nx"


@pytest.mark.parametrize(
    "content",
    [
        '{"title":"T","elements":[[{"tag":"text","text":"a "},{"tag":"text","text":"b"}],[{"tag":"text","text":"c"}]]}',
        '{"header":{"title":{"tag":"plain_text","content":"T"}},"elements":[{"tag":"div","text":{"content":"a b\\nc"}}]}',
        '{"header":{"title":{"content":"T"}},"body":{"elements":[{"tag":"markdown","content":"a b"},{"text":"c"}]}}',
    ],
    ids=["reduced", "card 1.0", "card 2.0"],
)
def test_a_forwarded_card_is_read_in_each_of_its_shapes(content: str) -> None:
    assert flatten("interactive", content, {}) == "T\na b\nc"


async def test_forwarded_messages_are_fetched_and_joined(feishu: FakeFeishu, bot: Bot) -> None:
    parts = [feishu.store("oc_other", "ou_bob", "text", f'{{"text":"alert {n}"}}') for n in (1, 2)]

    content = {"content": "Merged and Forwarded Message"}
    await feishu.post("oc_private", "ou_ann", "merge_forward", content, forwarded=parts)

    assert bot.message.text == "alert 1\nalert 2"


async def test_a_reply_brings_the_text_it_replies_to(feishu: FakeFeishu, bot: Bot) -> None:
    alert = feishu.store("oc_group", "ou_bob", "text", '{"text":"task 42 failed"}')

    await feishu.say("oc_group", "ou_ann", "why?", parent=alert.id)

    assert (bot.message.text, bot.message.quoted) == ("why?", "task 42 failed")


async def test_a_reply_to_a_message_nobody_can_read_is_still_heard(feishu: FakeFeishu, bot: Bot) -> None:
    await feishu.say("oc_group", "ou_ann", "why?", parent="om_recalled")

    assert (bot.message.text, bot.message.quoted) == ("why?", "")


async def test_forwarded_messages_wait_for_feishu_to_be_able_to_tell(feishu: FakeFeishu, bot: Bot) -> None:
    feishu.close_for(3600)

    delivery = await feishu.post("oc_private", "ou_ann", "merge_forward", {"content": "x"})

    assert delivery.status == 503  # Feishu brings it again later
    assert not bot.accepted


async def test_control_and_lone_surrogate_characters_are_gone(feishu: FakeFeishu, bot: Bot) -> None:
    payload = (await feishu.say("oc_private", "ou_ann", "x")).payload
    payload["event"]["message"] |= {"message_id": "om_dirty", "content": r'{"text":"a\ud800\u202e\u0000b\nc"}'}

    assert (await feishu.deliver(payload)).ok
    assert bot.message.text == "ab\nc"


async def test_five_deliveries_of_one_message_are_accepted_once(feishu: FakeFeishu, bot: Bot) -> None:
    await feishu.say("oc_private", "ou_ann", "overview", times=5)

    assert sorted(bot.answers) == [False, False, False, False, True]
    assert not feishu.failures


async def test_a_message_is_known_by_its_own_id_even_in_another_event(feishu: FakeFeishu, bot: Bot) -> None:
    payload = (await feishu.say("oc_private", "ou_ann", "overview")).payload
    payload["header"]["event_id"] = "another"

    await feishu.deliver(payload)

    assert bot.answers == [True, False]


CARD = Card(
    "Which?",
    (
        Buttons((Button("Log", "log", {"target": "demo:1"}), *(Button(f"More {n}", "status") for n in range(9)))),
        Form(
            (Input("reason", "Reason"), Input("day", "Day", "date"), Input("env", "Env", "select", (("p", "prod"),))),
            Button("Send", "decide", {"ticket": "T-1"}),
        ),
    ),
)


async def test_a_press_is_answered_with_a_toast_and_journalled(feishu: FakeFeishu, bot: Bot) -> None:
    reference = await bot.channel.send(Conversation("feishu", "oc_private"), CARD, key="k")

    delivery = await feishu.press(feishu.messages[0].id, "Log")

    assert delivery.ok
    assert delivery.answer["toast"]["i18n"]["en_us"] == "Got it, working on it"
    assert bot.click == Click(
        id=delivery.payload["header"]["event_id"],
        conversation=Conversation("feishu", "oc_private"),
        actor=Actor("feishu", "ou_ann", tenant="tenant_1"),
        command="log",
        arguments={"target": "demo:1"},
        at=datetime.fromtimestamp(feishu.clock(), UTC),
        card=reference,
    )


async def test_a_press_in_a_thread_stays_in_the_thread(feishu: FakeFeishu, bot: Bot) -> None:
    await feishu.say("oc_group", "ou_ann", "choose", thread="omt_1")
    reference = await bot.channel.send(bot.message.conversation, CARD, key="k")

    await feishu.press(feishu.messages[0].id, "log")

    assert bot.click.conversation == Conversation("feishu", "oc_group", "group", "omt_1")
    assert bot.click.card == reference


async def test_a_button_in_the_menu_says_the_same_as_one_beside_it(feishu: FakeFeishu, bot: Bot) -> None:
    await bot.channel.send(Conversation("feishu", "oc_private"), CARD, key="k")

    await feishu.press(feishu.messages[0].id, "More 8")

    assert (bot.click.command, bot.click.arguments) == ("status", {})


@pytest.mark.parametrize("value_comes_back", [True, False])
async def test_a_form_is_sent_with_its_values(feishu: FakeFeishu, bot: Bot, value_comes_back: bool) -> None:
    await bot.channel.send(Conversation("feishu", "oc_private"), CARD, key="k")
    filled = {"Reason": "backfill", "Day": "2026-11-22 +0800", "Env": "p"}

    payload = (await feishu.press(feishu.messages[0].id, "Send", form=filled)).payload
    if not value_comes_back:
        payload["header"]["event_id"] = "again"
        del payload["event"]["action"]["value"]
        await feishu.deliver(payload)

    assert (bot.click.command, bot.click.arguments) == ("decide", {"ticket": "T-1"})
    assert bot.click.form == {"reason": "backfill", "day": "2026-11-22", "env": "p"}


VALUES: list[tuple[Json, tuple[str, dict[str, str]] | None]] = [
    ({"value": '{"command":"log","arguments":{"run":2}}'}, ("log", {"run": "2"})),
    ({"value": {"command": "log", "arguments": "none"}}, ("log", {})),
    ({"value": "just text"}, None),
    ({"value": None}, None),
    ({}, None),
]


@pytest.mark.parametrize(("action", "expected"), VALUES)
def test_a_value_of_any_shape_is_a_command_or_ignored(
    action: Json, expected: tuple[str, dict[str, str]] | None
) -> None:
    found = read(press_of(action), bot="ou_bot")

    if expected is None:
        assert found == Reply("ignored_unknown_action")
    else:
        assert isinstance(found, Click)
        assert (found.command, found.arguments) == expected


def press_of(action: Json) -> Json:
    return {
        "header": {"event_type": "card.action.trigger", "event_id": "e", "create_time": "1603977298000000"},
        "event": {"operator": {"open_id": "ou_ann"}, "action": action},
        "context": {"open_message_id": "om_1", "open_chat_id": "oc_1"},
    }


def test_a_clicks_time_is_in_microseconds_and_its_place_may_stand_outside_the_event() -> None:
    found = read(press_of({"value": {"command": "log"}}), bot="ou_bot")

    assert isinstance(found, Click)
    assert found.at == datetime(2020, 10, 29, 13, 14, 58, tzinfo=UTC)
    assert found.conversation == Conversation("feishu", "oc_1", "group")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)
FIELDS = ["message_id", "create_time", "chat_id", "chat_type", "message_type", "content", "mentions", "parent_id"]


@given(st.dictionaries(st.sampled_from(["sender", "message"]), st.dictionaries(st.sampled_from(FIELDS), JSON) | JSON))
def test_any_message_event_is_read_or_bad_input(event: Json) -> None:
    try:
        found = read({"header": {"event_type": "im.message.receive_v1"}, "event": event}, bot="ou_bot")
    except BadInput:
        return
    assert isinstance(found, Message | Reply | Incomplete)


PARTS = [
    "operator",
    "action",
    "context",
    "value",
    "option",
    "name",
    "form_value",
    "command",
    "arguments",
    "place",
    "open_id",
    "open_chat_id",
    "open_message_id",
]


@given(st.dictionaries(st.sampled_from(PARTS), st.dictionaries(st.sampled_from(PARTS), JSON) | JSON))
def test_any_click_event_is_read_or_bad_input(event: Json) -> None:
    try:
        found = read({"header": {"event_type": "card.action.trigger", "event_id": "e"}, "event": event}, bot="ou_bot")
    except BadInput:
        return
    assert isinstance(found, Click | Reply)


@given(st.sampled_from(["text", "post", "interactive", "x"]), JSON)
def test_any_content_becomes_text(kind: str, content: object) -> None:
    assert isinstance(flatten(kind, json.dumps(content), {}), str)


async def test_a_depth_bomb_as_a_card_is_read_to_a_bounded_depth(feishu: FakeFeishu, bot: Bot) -> None:
    nested: Json = {}
    for _ in range(400):
        nested = {"elements": nested}

    await feishu.post("oc_private", "ou_ann", "interactive", {"title": "T", "elements": nested})

    assert bot.message.text == "T"
