"""The AI bot over its long connection: streams that grow and end, edits in time, and every way a connection can end."""

from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Any

import pytest
from pydantic import SecretStr

from core.cards import Button, Buttons, Card, Log, Text
from core.errors import Refused
from core.messages import Conversation
from core.store import Store
from tests.bots.wecom_bot import Bot, connected
from tests.fakes.clock import Clock
from tests.fakes.wecom_bot import FakeWeComBot
from tests.waiting import eventually

ANN = Conversation("wecom_bot", "ann")
LOG = Buttons((Button("日志", "log", {"target": "demo:1"}),))


def card(text: str, *, pending: bool = False) -> Card:
    return Card("Title", (Text(text),), pending=pending)


@pytest.fixture
async def wecom(clock: Clock) -> AsyncGenerator[FakeWeComBot]:
    async with FakeWeComBot(clock=clock) as fake:
        yield fake


@pytest.fixture
async def bot(wecom: FakeWeComBot, sqlite_store: Store, clock: Clock) -> AsyncGenerator[Bot]:
    async with connected(wecom, sqlite_store, clock) as running:
        yield running


async def asked(wecom: FakeWeComBot, bot: Bot, text: str = "why?", **more: Any) -> str:
    """Ask in a private chat; returns the key of the event."""
    await wecom.say("ann", text, **more)
    await eventually(lambda: bot.accepted)
    return bot.accepted[-1].key


async def test_a_private_message_arrives(wecom: FakeWeComBot, bot: Bot) -> None:
    await asked(wecom, bot, "昨晚哪些任务失败了", quote={"msgtype": "text", "text": {"content": "告警"}})

    assert bot.message.text == "昨晚哪些任务失败了"
    assert bot.message.quoted == "告警"
    assert bot.message.conversation == ANN


@pytest.mark.parametrize("text", ["@小数 助手 /status x", " @小数 助手/status x"])
async def test_a_group_message_arrives_without_the_bots_name(wecom: FakeWeComBot, bot: Bot, text: str) -> None:
    """WeCom writes the mention like any other word, and names may hold spaces."""
    await asked(wecom, bot, text, chat="chat-1")

    assert bot.message.text == "/status x"
    assert bot.message.conversation == Conversation("wecom_bot", "chat-1", "group")
    assert bot.message.actor.id == "ann"


async def test_one_message_five_times_is_one(wecom: FakeWeComBot, bot: Bot) -> None:
    await wecom.say("ann", "x", times=5)
    await wecom.say("ann", "y")
    await eventually(lambda: len(bot.accepted) == 2)


@pytest.mark.parametrize(
    "body",
    [
        {"msgtype": "event", "event": {"eventtype": "enter_chat"}},
        {"msgtype": "event", "event": {"eventtype": "feedback_event"}},
        {"msgtype": "event", "event": {"eventtype": "template_card_event"}},
    ],
)
async def test_what_is_no_message_leads_nowhere_and_harms_nobody(
    wecom: FakeWeComBot, bot: Bot, body: dict[str, object]
) -> None:
    await wecom.bring("aibot_msg_callback", "ann", {"msgid": "m", **body})
    await wecom.frame("not json")
    await wecom.frame("[]")
    await wecom.frame('{"cmd":"aibot_msg_callback"}')
    await wecom.frame('{"cmd":"of tomorrow","headers":[],"body":1}')

    await asked(wecom, bot)

    assert len(bot.accepted) == 1


@pytest.mark.parametrize(
    "body",
    [
        {"msgtype": "image", "image": {"url": "https://x.example", "aeskey": "k"}},
        {"msgtype": "file", "file": {"url": "https://x.example", "aeskey": "k"}},
        {"msgtype": "text", "text": "not an object"},
        {"msgtype": "nobody_knows"},
    ],
)
async def test_a_kind_without_text_is_answered_all_the_same(
    wecom: FakeWeComBot, bot: Bot, body: dict[str, object]
) -> None:
    """As a message that says nothing, which is told what can be read."""
    await wecom.bring("aibot_msg_callback", "ann", {"msgid": "m", **body})
    await eventually(lambda: bot.accepted)

    assert bot.message.text == ""


async def test_voice_and_mixed_messages_are_read(wecom: FakeWeComBot, bot: Bot) -> None:
    items: list[dict[str, Any]] = [{"msgtype": "text", "text": {"content": "看下"}}, {"msgtype": "image", "image": {}}]
    await wecom.bring("aibot_msg_callback", "ann", {"msgid": "1", "msgtype": "mixed", "mixed": {"msg_item": items}})
    await wecom.bring("aibot_msg_callback", "ann", {"msgid": "2", "msgtype": "voice", "voice": {"content": "概览"}})
    await eventually(lambda: len(bot.accepted) == 2)

    assert [event.text for event in bot.accepted if event.type == "message"] == ["看下", "概览"]


async def test_an_answer_grows_in_one_stream_and_ends_with_its_buttons(
    wecom: FakeWeComBot, bot: Bot, clock: Clock
) -> None:
    key = await asked(wecom, bot)
    reference = await bot.channel.send(ANN, card("looking", pending=True), key=f"{key}:0")
    clock.now += 3
    await bot.channel.update(reference, card("still looking", pending=True), key=f"{key}:p1")
    await bot.channel.update(reference, Card("Title", (Text("found"), LOG)), key=f"{key}:0:done")

    stream, buttons = wecom.said
    assert [version["finish"] for version in stream.versions] == [False, False, True]
    assert stream.text == "Title\n\nfound"
    assert buttons.labels == ["日志"]


async def test_steps_in_quick_succession_are_one_frame(wecom: FakeWeComBot, bot: Bot) -> None:
    """Thirty messages a minute are all a chat takes."""
    key = await asked(wecom, bot)
    reference = await bot.channel.send(ANN, card("0", pending=True), key=f"{key}:0")
    for number in range(20):
        await bot.channel.update(reference, card(f"{number}", pending=True), key=f"{key}:p{number}")
    await bot.channel.update(reference, card("done"), key=f"{key}:0:done")

    assert [len(said.versions) for said in wecom.said] == [2]


async def test_a_stream_that_ran_out_becomes_a_message(wecom: FakeWeComBot, bot: Bot, clock: Clock) -> None:
    """846608: the answer must not be lost because it took more than six minutes."""
    key = await asked(wecom, bot)
    reference = await bot.channel.send(ANN, card("looking", pending=True), key=f"{key}:0")
    clock.now += 300
    wecom.said[0].at -= 100

    await bot.channel.update(reference, card("found"), key="done")

    assert wecom.refused == [846608]
    assert [(said.kind, said.text) for said in wecom.said][1:] == [("markdown", "Title\n\nfound")]


async def test_an_answer_after_a_reconnection_becomes_a_message(wecom: FakeWeComBot, bot: Bot) -> None:
    """846605: the id of a callback dies with its connection."""
    key = await asked(wecom, bot)
    await wecom.drop()
    await wecom.until(lambda: wecom.subscriptions == 2 and wecom.online)
    await eventually(lambda: bot.line.connected)

    await bot.channel.send(ANN, card("found"), key=f"{key}:0")

    assert wecom.refused == [846605]
    assert [(said.kind, said.text) for said in wecom.said] == [("markdown", "Title\n\nfound")]


async def test_an_answer_that_found_no_connection_becomes_a_message_of_the_next(wecom: FakeWeComBot, bot: Bot) -> None:
    """It does not wait until the callback could no longer have been answered, which takes minutes."""
    key = await asked(wecom, bot)
    wecom.trouble.mute = True
    await eventually(lambda: not bot.line.connected)
    await bot.channel.send(ANN, card("found"), key=f"{key}:0")
    wecom.trouble.mute = False
    await wecom.until(lambda: wecom.subscriptions >= 2 and wecom.online)
    await eventually(lambda: bot.line.connected)

    await bot.channel.say_waiting()
    await bot.channel.say_waiting()

    assert [(said.kind, said.text) for said in wecom.said] == [("markdown", "Title\n\nfound")]


async def test_a_pressed_card_is_edited_within_five_seconds(wecom: FakeWeComBot, bot: Bot) -> None:
    reference = await sent_card(wecom, bot)
    await wecom.press(wecom.cards[0], "日志")
    await eventually(lambda: bot.accepted)

    await bot.channel.update(reference, Card("Title", (Text("running"), LOG)), key="u")

    assert (bot.click.command, bot.click.arguments, bot.click.card) == ("log", {"target": "demo:1"}, reference)
    assert [said.text for said in wecom.said] == ["Title\nrunning"]


async def test_an_edit_that_comes_too_late_is_a_message(wecom: FakeWeComBot, bot: Bot, clock: Clock) -> None:
    reference = await sent_card(wecom, bot)
    await wecom.press(wecom.cards[0], "日志")
    await eventually(lambda: bot.accepted)
    clock.now += 6

    await bot.channel.update(reference, card("done"), key="u")

    assert [said.text for said in wecom.said] == ["Title\nask", "Title\ndone"]


async def test_a_click_is_answered_by_one_edit(wecom: FakeWeComBot, bot: Bot) -> None:
    reference = await sent_card(wecom, bot)
    await wecom.press(wecom.cards[0], "日志")
    await eventually(lambda: bot.accepted)

    for text in ("running", "done"):
        await bot.channel.update(reference, card(text), key=text)

    assert [said.text for said in wecom.said] == ["Title\nrunning", "Title\ndone"]
    assert wecom.refused == []


async def sent_card(wecom: FakeWeComBot, bot: Bot) -> str:
    """A card with a button, in the private chat."""
    wecom.known_chats.add("ann")
    await eventually(lambda: bot.line.connected)
    return await bot.channel.send(ANN, Card("Title", (Text("ask"), LOG)), key="k")


async def test_a_chat_where_nobody_wrote_refuses_and_is_not_tried_for_ever(bot: Bot) -> None:
    await eventually(lambda: bot.line.connected)

    with pytest.raises(Refused):
        await bot.channel.send(Conversation("wecom_bot", "nobody"), card("x"), key="k")

    assert await bot.channel.sent.waiting() == ()


@pytest.mark.parametrize("how", ["closed", "going away", "reset", "displaced", "forgotten", "flooded", "mute"])
async def test_however_the_connection_ends_the_bot_comes_back(wecom: FakeWeComBot, bot: Bot, how: str) -> None:
    """Closed properly, reset, taken by another, forgotten while open (846609), by a frame beyond 4 MB, silent to pings."""
    await eventually(lambda: bot.line.connected)
    match how:
        case "closed":
            await wecom.drop()
        case "going away":
            await wecom.drop(code=1001)
        case "reset":
            wecom.cut()
        case "displaced":
            await wecom.displace()
        case "forgotten":
            wecom.trouble.forgotten = True
        case "flooded":
            with suppress(ConnectionError):  # it is cut off while it still sends
                await wecom.frame("x" * 5_000_000)
        case _:
            wecom.trouble.mute = True
            await eventually(lambda: not bot.line.connected)
            wecom.trouble.mute = False
    await wecom.until(lambda: wecom.subscriptions >= 2 and wecom.online)

    await asked(wecom, bot)


async def test_what_is_said_while_disconnected_is_said_afterwards_once(wecom: FakeWeComBot, bot: Bot) -> None:
    wecom.known_chats.add("ann")
    wecom.trouble.mute = True
    await eventually(lambda: not bot.line.connected)

    reference = await bot.channel.send(ANN, Card("Title", (Log(((1, "x"),)), LOG)), key="k")
    assert await bot.channel.send(ANN, card("x"), key="k") == reference
    assert wecom.said == []
    wecom.trouble.mute = False
    await eventually(lambda: bot.line.connected)
    for _ in range(2):
        await bot.channel.say_waiting()

    assert [said.kind for said in wecom.said] == ["markdown", "template_card"]


async def test_a_message_that_could_not_be_journalled_is_tried_again(wecom: FakeWeComBot, bot: Bot) -> None:
    """WeCom brings a callback of the long connection only once."""
    bot.failures.extend(OSError("disk full") for _ in range(2))

    await asked(wecom, bot)

    assert not bot.failures


async def test_of_two_replicas_one_holds_the_connection_and_speaks_for_both(
    wecom: FakeWeComBot, bot: Bot, sqlite_store: Store, clock: Clock
) -> None:
    wecom.known_chats.add("ann")
    async with connected(wecom, sqlite_store, clock, owner="other", wait=False) as other:
        await other.channel.send(ANN, card("from the other"), key="k")
        assert not other.line.connected
        await eventually(lambda: bot.line.connected)
        await bot.channel.say_waiting()
        assert [said.text for said in wecom.said] == ["Title\nfrom the other"]
        assert wecom.subscriptions == 1

        await bot.line.stop()
        await eventually(lambda: other.line.connected)
        assert wecom.subscriptions == 2


async def test_wrong_credentials_are_given_time_and_never_shown(
    wecom: FakeWeComBot, sqlite_store: Store, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    wecom.settings = wecom.settings.model_copy(update={"secret": SecretStr("not-the-secret")})
    async with connected(wecom, sqlite_store, clock, wait=False):
        await wecom.until(lambda: 40001 in wecom.refused)

    assert "not-the-secret" not in capsys.readouterr().out
