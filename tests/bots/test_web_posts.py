"""Messages and clicks: what becomes an event, and what a forger gets."""

from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bots.web.posts import BODY_BYTES, TEXT_BYTES, VALUE_CHARACTERS, Said
from core.cards import Button, Buttons, Card, Form, Input, Text
from core.errors import Busy
from core.i18n import words
from core.messages import Click, Conversation, Message
from tests.fakes.web import CONVERSATION, Site, Visitor, overview, references

SAY = words("zh-CN")
ACTIONS = Card(
    "卡片",
    (
        Buttons((Button("日志", "log", {"target": "demo:1"}), Button("页面", url="https://scheduler.example.com"))),
        Form(
            (
                Input("reason", "原因", required=True),
                Input("level", "级别", "select", (("low", "低"), ("high", "高"))),
            ),
            Button("免打扰", "mute", {"target": "demo:2"}),
        ),
    ),
)


async def test_message_becomes_an_event(visitor: Visitor) -> None:
    """Tied to the session's person and conversation, under an id nobody else can take."""
    number = str(uuid4())
    assert (await visitor.post("messages", {"id": number, "text": "昨晚哪些失败了"}))[0] == 202
    (event,) = visitor.site.assistant.events
    assert isinstance(event, Message)
    assert (event.id, event.text, event.conversation) == (f"demo/{number}", "昨晚哪些失败了", CONVERSATION)
    assert (event.actor.channel, event.actor.id, event.at) == ("web", "demo", visitor.site.clock.now)


async def test_what_was_said_is_shown_before_it_is_answered(visitor: Visitor) -> None:
    """Question first, then the answer; also after a reload."""
    await visitor.say("<昨晚> 哪些失败了")
    page = await visitor.page()
    assert "&lt;昨晚&gt; 哪些失败了" in page
    assert page.index('class="said"') < page.index('class="card card')


async def test_repeated_message_counts_once(visitor: Visitor) -> None:
    """A phone that lost the answer sends again."""
    body = {"id": str(uuid4()), "text": "你好"}
    assert [(await visitor.post("messages", body))[0] for _ in range(3)] == [202, 202, 202]
    assert len(visitor.site.assistant.events) == 1
    assert (await visitor.page()).count('class="said"') == 1


async def test_text_is_cleaned(visitor: Visitor) -> None:
    """Control, bidirectional and lone surrogate characters end at the edge; newlines stay."""
    await visitor.say("a\u202eb\x00c\ud800d\r\ne")
    (event,) = visitor.site.assistant.events
    assert isinstance(event, Message)
    assert event.text == "abcd\ne"


async def test_secrets_are_masked_where_they_are_kept_and_shown(visitor: Visitor) -> None:
    """A pasted alert may hold a password; the page does not repeat it."""
    visitor.site.assistant.may_answer.clear()
    await visitor.say("jdbc failed: password=Tr0ub4dor&3 host=db")
    page = await visitor.page()
    assert "Tr0ub4dor" not in page
    assert "jdbc failed" in page


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        None,
        {"id": "1", "text": "x"},
        {"id": str(uuid4())},
        {"id": str(uuid4()), "text": ""},
        {"id": str(uuid4()), "text": " \n\u200b"},
        {"id": str(uuid4()), "text": 5},
        {"id": str(uuid4()), "text": "x", "command": "confirm"},
    ],
)
async def test_malformed_message_is_400(visitor: Visitor, body: object) -> None:
    """In words, without a traceback, and without an event."""
    assert await visitor.post("messages", body) == (400, {"error": SAY("web.error.malformed")})
    assert visitor.site.assistant.events == []


@pytest.mark.parametrize(
    ("raw", "content_type"),
    [
        (b"{", "application/json"),
        (b"\xff\xfe", "application/json"),
        (b"[" * 200_000, "application/json"),
        (b'{"id": "00000000-0000-4000-8000-000000000000", "text": "x"}', "text/plain"),
    ],
)
async def test_broken_body_is_400(visitor: Visitor, raw: bytes, content_type: str) -> None:
    """Not JSON, not UTF-8, nested without end, or a form in disguise."""
    address, headers = f"{visitor.site.url}/messages", visitor.headers | {"Content-Type": content_type}
    async with visitor.session.post(address, data=raw, headers=headers) as answer:
        assert (answer.status, await answer.json()) == (400, {"error": SAY("web.error.malformed")})


@pytest.mark.parametrize("text", ["字" * (TEXT_BYTES // 3 + 1), "x" * (TEXT_BYTES + 1), "\n" * BODY_BYTES])
async def test_too_long_is_413(visitor: Visitor, text: str) -> None:
    """Told what the limit is."""
    answer = await visitor.post("messages", {"id": str(uuid4()), "text": text})
    assert answer == (413, {"error": SAY("web.error.too_long")})


async def test_longest_message_arrives_whole(visitor: Visitor) -> None:
    """Even when every character is escaped on the way."""
    text = '"' * TEXT_BYTES
    await visitor.say(text)
    (event,) = visitor.site.assistant.events
    assert isinstance(event, Message)
    assert event.text == text


async def test_busy_is_503_and_the_person_may_send_again(visitor: Visitor) -> None:
    """The same message, sent again later, is taken, and stands in the dialogue once."""
    body = {"id": str(uuid4()), "text": "你好"}
    visitor.site.assistant.refuse = Busy("full")
    assert await visitor.post("messages", body) == (503, {"error": SAY("web.error.busy")})
    visitor.site.assistant.refuse = None
    assert (await visitor.post("messages", body))[0] == 202
    assert (await visitor.page()).count('class="said"') == 1


async def test_click_does_what_the_stored_button_says(visitor: Visitor) -> None:
    """Command and arguments come from the card as it is stored."""
    reference = await visitor.site.channel.send(CONVERSATION, ACTIONS, key="actions")
    assert await visitor.press(reference, 0) == 202
    (event,) = visitor.site.assistant.events
    assert isinstance(event, Click)
    assert (event.command, event.arguments, event.form) == ("log", {"target": "demo:1"}, {})
    assert (event.card, event.conversation) == (reference, CONVERSATION)
    assert event.id.startswith("demo/")


async def test_click_after_an_update_does_what_is_shown_now(visitor: Visitor) -> None:
    """A button that is gone cannot be pressed."""
    reference = await visitor.site.channel.send(CONVERSATION, ACTIONS, key="actions")
    await visitor.site.channel.update(reference, Card("完成", (Text("好了"),)), key="done")
    assert await visitor.press(reference, 0) == 404


async def test_client_cannot_bring_its_own_arguments(visitor: Visitor) -> None:
    """Neither a command nor arguments are part of a click."""
    reference = await visitor.site.channel.send(CONVERSATION, ACTIONS, key="actions")
    forged = {"id": str(uuid4()), "reference": reference, "button": 0, "arguments": {"target": "demo:9"}}
    assert (await visitor.post("clicks", forged))[0] == 400
    assert (await visitor.post("clicks", forged | {"command": "confirm"}))[0] == 400
    assert visitor.site.assistant.events == []


async def test_cards_of_others_do_not_exist(visitor: Visitor) -> None:
    """The same answer for a card of someone else's, one that never was, and a button that is not on it."""
    foreign = await visitor.site.channel.send(Conversation("web", "alice"), ACTIONS, key="foreign")
    mine = await visitor.site.channel.send(CONVERSATION, ACTIONS, key="mine")
    for reference, button in ((foreign, 0), ("never", 0), (mine, 3), (mine, 1), ("overview:web:alice", 0)):
        body = {"id": str(uuid4()), "reference": reference, "button": button}
        assert await visitor.post("clicks", body) == (404, {"error": SAY("web.error.no_button")})
    assert visitor.site.assistant.events == []


async def test_buttons_of_the_overview_work(visitor: Visitor) -> None:
    """The two highlighted cards lead to their lists."""
    (reference,) = references(await visitor.page())
    assert [await visitor.press(reference, number) for number in (0, 1)] == [202, 202]
    pressed = [event.arguments for event in visitor.site.assistant.events if isinstance(event, Click)]
    assert pressed == [{"kind": "failed"}, {"kind": "repeated"}]


async def test_form_values_arrive_under_the_names_that_were_asked_for(visitor: Visitor) -> None:
    """Others are dropped; what was left empty is empty."""
    reference = await visitor.site.channel.send(CONVERSATION, ACTIONS, key="actions")
    assert await visitor.press(reference, 2, {"reason": "割接\x00", "approve": "yes"}) == 202
    (event,) = visitor.site.assistant.events
    assert isinstance(event, Click)
    assert (event.command, event.form) == ("mute", {"reason": "割接", "level": ""})


@pytest.mark.parametrize("form", [{}, {"reason": ""}, {"reason": "x", "level": "critical"}])
async def test_form_is_checked_against_the_card(visitor: Visitor, form: dict[str, str]) -> None:
    """What is required must be there, and a choice must be one of the options."""
    reference = await visitor.site.channel.send(CONVERSATION, ACTIONS, key="actions")
    body = {"id": str(uuid4()), "reference": reference, "button": 2, "form": form}
    assert await visitor.post("clicks", body) == (400, {"error": SAY("web.error.form")})


@pytest.mark.parametrize(
    "form",
    [{str(number): "" for number in range(51)}, {"reason": "x" * (VALUE_CHARACTERS + 1)}, {"x" * 201: ""}, {"a": 1}],
)
async def test_form_is_bounded(visitor: Visitor, form: dict[str, Any]) -> None:
    """In number and in size."""
    reference = await visitor.site.channel.send(CONVERSATION, ACTIONS, key="actions")
    assert await visitor.press(reference, 2, form) == 400


async def test_values_for_a_plain_button_are_ignored(visitor: Visitor) -> None:
    """A button outside the form takes no values, whoever adds them."""
    reference = await visitor.site.channel.send(CONVERSATION, ACTIONS, key="actions")
    assert await visitor.press(reference, 0, {"reason": "x"}) == 202
    (event,) = visitor.site.assistant.events
    assert isinstance(event, Click)
    assert event.form == {}


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.text(st.characters(exclude_categories=[])))
def test_any_text_can_be_taken_in(text: str) -> None:
    """Whatever arrives as a string leaves as one that can be stored."""
    said = Said.model_validate({"id": str(uuid4()), "text": text})
    assert said.text.encode().decode() == said.text


async def test_overview_is_looked_up_again_on_request(site: Site, visitor: Visitor) -> None:
    """In place: the same reference, so that its buttons keep working."""
    await site.channel.pin(CONVERSATION, Card("旧的概览"))
    assert "旧的概览" not in await visitor.page()
    assert (await visitor.post("overview", {}))[0] == 202
    entry = await site.channel.cards.get(CONVERSATION.key, "overview:web:demo")
    assert entry is not None
    assert entry.card == overview("demo zh-CN")
