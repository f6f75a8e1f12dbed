"""Every channel keeps the promises of `core.channel.Channel`."""

import asyncio
import json
from collections.abc import AsyncGenerator

import pytest

from core.cards import Button, Buttons, Card, Field, Fields, Item, Log, Note, Table, Text
from core.errors import NotFound, Refused
from core.messages import Actor, Conversation
from tests.contracts import conversation
from tests.contracts.channels import ChannelSubject
from tests.contracts.dingtalk_subject import DingTalkSubject, PlainDingTalkSubject
from tests.contracts.feishu_subject import FeishuSubject
from tests.contracts.terminal_subject import TerminalSubject
from tests.contracts.web_subject import WebSubject
from tests.contracts.wecom_subject import WeComBotSubject, WeComSubject

SUBJECTS: dict[str, type[ChannelSubject]] = {
    "dingtalk": DingTalkSubject,
    "dingtalk without template": PlainDingTalkSubject,
    "feishu": FeishuSubject,
    "web": WebSubject,
    "wecom": WeComSubject,
    "wecom bot": WeComBotSubject,
    "terminal": TerminalSubject,
}


@pytest.fixture(params=SUBJECTS)
async def subject(request: pytest.FixtureRequest) -> AsyncGenerator[ChannelSubject]:
    async with SUBJECTS[request.param]() as opened:
        yield opened


def card(text: str) -> Card:
    return Card("Title", (Text(text),))


async def test_a_card_is_shown_whole(subject: ChannelSubject) -> None:
    whole = Card(
        "Three failed",
        (
            Text("until 10:20"),
            Fields((Field("failed", "3", "danger"), Field("waiting", "7"))),
            Table(("task", "owner"), (("load_orders", "Ann"),)),
            Log(((41, "start"), (42, "Error: no such table")), frozenset({42}), "spark.log"),
            Item("dws_trade_order_di", "retry 2", "danger", (Field("owner", "Bob"),), (Button("Log", "log"),)),
            Buttons((Button("Overview", "overview"),)),
            Note("source: demo"),
        ),
        "danger",
        "2026-11-22",
    )

    await subject.channel.send(subject.here, whole, key="k")

    (seen,) = await subject.shown()
    words = ["Three failed", "2026-11-22", "until 10:20", "failed", "waiting", "7", "load_orders", "Ann", "42"]
    words += ["Error: no such table", "dws_trade_order_di", "retry 2", "owner", "Bob", "source: demo"]
    assert [word for word in words if word not in seen] == []
    assert await subject.labels() == ["Log", "Overview"]


async def test_the_same_key_shows_one_card(subject: ChannelSubject) -> None:
    references = await asyncio.gather(*(subject.channel.send(subject.here, card("x"), key="same") for _ in range(3)))

    assert len(set(references)) == 1
    assert len(await subject.shown()) == 1


async def test_other_keys_show_other_cards(subject: ChannelSubject) -> None:
    long = "k" * 200
    references = [await subject.channel.send(subject.here, card(key), key=long + key) for key in ("a", "b")]

    assert len(set(references)) == 2
    assert [seen.splitlines()[-1] for seen in await subject.shown()] == ["a", "b"]


async def test_a_card_is_edited_in_place(subject: ChannelSubject) -> None:
    reference = await subject.channel.send(subject.here, card("running"), key="k")

    await subject.channel.update(reference, card("succeeded"), key="u")
    await subject.channel.update(reference, card("succeeded"), key="u")

    *before, newest = await subject.shown()
    assert "succeeded" in newest
    assert "running" not in newest
    editable = bool(subject.channel.limits.editable_for)
    assert len(before) == (0 if editable else 1), "shown in place, or once more and not twice"


async def test_an_unknown_card_cannot_be_edited(subject: ChannelSubject) -> None:
    with pytest.raises((NotFound, Refused)):
        await subject.channel.update(subject.unknown, card("x"), key="u")

    assert await subject.shown() == []


@pytest.mark.parametrize(
    "text",
    [
        "<at id=all></at> <script>alert(1)</script>",
        "**bold** [link](https://x.example) `code` | cell",
        "a_b_c &lt;b&gt; &#42; {0.__class__} %s ${x}",
        "```\nfence\n```",
    ],
)
async def test_hostile_text_is_shown_as_it_is(subject: ChannelSubject, text: str) -> None:
    hostile = Card(
        "T", (Text(text), Item(text), Fields((Field("f", text),)), Log(((1, text),)), Table(("c",), ((text,),)))
    )

    await subject.channel.send(subject.here, hostile, key="k")

    (seen,) = await subject.shown()
    assert all(seen.count(line) >= 4 for line in text.splitlines())


async def test_a_card_beyond_all_limits_says_what_was_left_out(subject: ChannelSubject) -> None:
    lines = tuple((number, f"line {number} {'x' * 100}") for number in range(2000))
    rows = tuple((f"row {number}", "y" * 100) for number in range(2000))

    await subject.channel.send(subject.here, Card("Big", (Log(lines), Table(("a", "b"), rows), Note("end"))), key="k")

    (seen,) = await subject.shown()
    assert "/2000" in seen
    assert "end" in seen


async def test_a_person_can_be_spoken_to_first(subject: ChannelSubject) -> None:
    """Their own id names their private chat, also where nobody has said a word in it."""
    await subject.channel.send(Conversation(subject.channel.name, subject.someone.id), card("for you"), key="k")

    assert [seen.splitlines()[-1] for seen in await subject.shown()] == ["for you"]


async def test_people_are_looked_up(subject: ChannelSubject) -> None:
    assert await subject.channel.lookup(subject.someone.id) == subject.someone
    assert await subject.channel.lookup(subject.stranger) == Actor(subject.channel.name, subject.stranger)


@pytest.mark.parametrize("name", SUBJECTS)
async def test_the_same_conversation_passes_as_it_is_recorded(name: str) -> None:
    """From the question to a green rerun, through the platform's own rules, byte by byte as `tests/data/payloads` has it.

    After a change that is meant: `python -m tests.contracts.conversation`, and read the diff.
    """
    async with SUBJECTS[name]() as subject:
        passed = await conversation.talk(subject, conversation.cards())
        *_, newest = await subject.shown()

    assert "已成功" in newest
    folder = conversation.FOLDER / conversation.slug(name)
    assert passed == {file.stem: json.loads(file.read_text("utf-8")) for file in folder.glob("*.json")}


def test_nothing_else_is_recorded() -> None:
    """No file of a channel or of a step that is no more."""
    kept = {file.relative_to(conversation.FOLDER).as_posix() for file in conversation.FOLDER.rglob("*.json")}

    steps = {f"{conversation.slug(name)}/{step.name}.json" for name in SUBJECTS for step in conversation.STEPS}
    assert kept == {*steps, conversation.CARDS.name}
