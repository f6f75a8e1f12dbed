"""Cards and messages on DingTalk: every block, any content, always within the limits, nothing left out without a word."""

import importlib.util
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bots.dingtalk.buttons import called, entry, pressed, typed
from bots.dingtalk.cards import message, variables
from bots.dingtalk.layout import SECTIONS, VALUE
from bots.shorten import BUDGETS
from core.cards import (
    Block,
    Button,
    Buttons,
    Card,
    Chart,
    Field,
    Fields,
    Form,
    Input,
    Item,
    Log,
    Note,
    Table,
    Text,
)
from core.i18n import words
from tests import strategies
from tests.fakes import dingtalk_cards as fake
from tests.fakes.dingtalk_api import PARAMETERS

Json = dict[str, Any]
PAGE = "https://xops.example.com/mobile/ops/chat"

HOSTILE = [
    *(text for text in strategies.HOSTILE if len(text) < 200 and text.isprintable() and text.strip()),
    "<a atId=ann>@Ann</a> <font colorTokenV2=common_red1_color>x</font> <@ann> <br>",
    "a_b_c ~~x~~ [元气满满] ![](https://x.example/p.png) [a]: https://x.example",
    "1. one\n- two\n# three\n---\n> quote\n    code",
    "&lt; &#42; \\* \\\\ | a | b |",
    "```\n<a atId=ann>\n```",
]


def on_card(*blocks: Block, title: str = "Title") -> str:
    """What a reader sees of the card, which DingTalk accepts."""
    values = variables(Card(title, blocks), words("en"))
    fake.check(values)
    assert values.keys() <= fake.types().keys()
    return "\n".join(fake.texts(values))


def in_message(*blocks: Block, title: str = "Title") -> str:
    """What a reader sees of the message, which DingTalk accepts."""
    text = message(Card(title, blocks), words("en"))
    assert len(json.dumps({"title": "t", "text": text}, ensure_ascii=False).encode()) <= PARAMETERS
    return fake.without_links(text)


WAYS = {"card": on_card, "message": in_message}


def everywhere(text: str) -> dict[str, Block]:
    """Each kind of block with this text wherever a text can be."""
    button = Button(text, "log")
    return {
        "text": Text(text),
        "note": Note(text),
        "fields": Fields((Field(text, text, "danger"), Field("b", text))),
        "table": Table((text,), ((text,),), title=text),
        "log": Log(((1, text),), title=text),
        "chart": Chart("bar", ((text, 1, "info"),), title=text),
        "buttons": Buttons((button,)),
        "item": Item(text, text, fields=(Field(text, text),), buttons=(button,)),
        "form": Form((Input("n", text), Input("d", text, "date")), button),
    }


def squeezed(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("kind", everywhere(""))
def test_hostile_text_is_shown_as_it_is(kind: str, text: str, way: str) -> None:
    """No mention, no link, no emoji, no fence: whoever wrote it, a reader sees the characters."""
    seen = squeezed(WAYS[way](everywhere(text)[kind]))

    label = squeezed(text)[:39] if kind == "buttons" else ""
    lines = [label] if label else text.splitlines()
    assert all(squeezed(line) in seen for line in lines)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_title_is_shown_as_it_is(text: str, way: str) -> None:
    assert squeezed(WAYS[way](title=text)) == squeezed(text)


@pytest.mark.parametrize("way", WAYS)
def test_a_long_title_goes_on_in_the_body(way: str) -> None:
    assert "the end" in WAYS[way](title="x" * 200 + " the end")


@given(strategies.of(Card))
def test_any_card_is_accepted_and_uses_the_template_alone(card: Card) -> None:
    """Whatever a card holds, every value is a string of at most 1 KB for a variable that the template has."""
    values = variables(card, words("zh-CN"))

    fake.check(values)
    assert values.keys() | {"receipt"} == fake.types().keys()
    assert all(len(value.encode()) <= VALUE for value in values.values())
    fake.texts(values)


@settings(deadline=2000)
@given(strategies.of(Card), st.integers(5, 60))
def test_any_card_many_times_over_is_accepted(card: Card, times: int) -> None:
    many = replace(card, blocks=card.blocks * times)

    fake.check(variables(many, words("en")))
    assert (
        len(json.dumps({"title": "x" * 60, "text": message(many, words("en"))}, ensure_ascii=False).encode())
        <= PARAMETERS
    )


def test_logs_shrink_before_tables_and_tables_before_items() -> None:
    wide = "x" * 160
    log = Log(tuple((number, wide) for number in range(60)))
    table = Table(("a",), tuple((wide,) for _ in range(40)))
    items = tuple(Item(f"task {number}", buttons=(Button("Log", "log"),)) for number in range(14))

    only_log, both = on_card(log, *items), on_card(log, table, *items)

    assert ("log lines" in only_log, "table rows" in only_log, "entries" in only_log) == (True, False, False)
    assert ("log lines" in both, "table rows" in both, "entries" in both) == (True, True, False)


@given(strategies.of(Card))
def test_any_card_is_accepted_as_a_message(card: Card) -> None:
    text = message(card, words("zh-TW"))

    assert len(json.dumps({"title": "x" * 60, "text": text}, ensure_ascii=False).encode()) <= PARAMETERS
    fake.without_links(text)


@pytest.mark.parametrize("way", WAYS)
def test_each_block_shows_what_it_holds(way: str) -> None:
    seen = WAYS[way](
        Fields((Field("failed", "3", "danger"), Field("owner", "Ann"))),
        Table(("a", "b"), (("1", "2"), ("3",)), total=134),
        Log(((7, "ok"), (9, "Error: x\n  at y")), frozenset({9}), "spark.log"),
        Chart("bar", (("p50", 2, "neutral"), ("p99", 8, "warning")), "latency", "s"),
        Item("load_orders", "retry 2", "success"),
    )

    expected = ["🔴 failed: 3", "owner: Ann", "a | b", "1 | 2", "3", "… 2/134", "spark.log"]
    expected += ["     7 ok", "      ⋮", ">    9 Error: x", "         at y"]
    expected += ["latency", "p50: 2s ██▌", "🟠 p99: 8s ██████████", "🟢 load_orders", "retry 2"]
    assert [line for line in seen.splitlines() if line in expected] == expected


@pytest.mark.parametrize("way", WAYS)
def test_a_long_log_keeps_what_is_around_its_marked_lines(way: str) -> None:
    log = Log(tuple((number, f"line {number}") for number in range(1, 5001)), frozenset({10, 4000}))

    seen = WAYS[way](log)

    assert "line 10\n" in seen
    assert "line 4001" in seen
    assert "line 5000" not in seen
    assert f"{5000 - BUDGETS[0].lines} log lines" in seen


@pytest.mark.parametrize("way", WAYS)
def test_a_form_says_which_line_to_write(way: str) -> None:
    """Neither has inputs; the line it shows is read as the press of the form's button."""
    form = Form((Input("until", "Until", "date", value="2026-11-23"),), Button("Mute", "mute", {"target": "demo:1"}))

    seen = WAYS[way](form)

    assert "Until" in seen
    assert pressed(seen.splitlines()[-1]) == ("mute", {"target": "demo:1", "until": "2026-11-23"})


def test_a_list_of_twenty_with_three_buttons_each_fits_a_card() -> None:
    target = "demo:dws_trade_order_di:2026-11-21T00:00:00+08:00"
    row = tuple(Button(label, label, {"target": target}) for label in ("log", "diagnose", "rerun"))
    items = tuple(
        Item(f"task_{number}", "failed at 02:13", "danger", (Field("owner", "Ann"),), row) for number in range(20)
    )

    values = variables(Card("Failed", items), words("en"))

    fake.check(values)
    seen = fake.texts(values)
    assert all(f"🔴 task_{number}" in "\n".join(seen) for number in range(20))
    assert seen.count("[rerun]") == 20


def test_sections_beyond_the_template_are_said_to_be_missing() -> None:
    items = tuple(Item(f"task_{number}", buttons=(Button("Log", "log"),)) for number in range(100))

    seen = on_card(*items)

    assert "task_0" in seen
    assert "entries" in seen
    assert seen.count("[Log]") <= SECTIONS


def test_a_button_that_cannot_be_carried_is_said_to_be_missing() -> None:
    seen = on_card(Buttons((Button("Huge", "log", {"target": "x" * 2000}), Button("Small", "log"))))

    assert "[Small]" in seen
    assert "Huge" not in seen
    assert "1 fields, options or buttons" in seen


@pytest.mark.parametrize("render", [variables, message])
def test_what_is_left_out_is_on_the_page(render: Callable[..., object]) -> None:
    """The link leads to the instance, where the card is about one; without an address there is no link."""
    log = Log(tuple((number, "INFO still copying") for number in range(1, 5000)))
    card = Card("Log", (log, Buttons((Button("Status", "status", {"target": "demo:20260301/t 1"}),))))
    say = words("en")

    assert f"{PAGE}?at=demo%3A20260301%2Ft%201" in str(render(card, say, PAGE))
    assert PAGE not in str(render(Card("Small"), say, PAGE))
    assert "https://" not in str(render(card, say))


def test_a_card_that_cannot_be_shortened_leads_to_the_page() -> None:
    many = Form(
        (Input("which", "Which", "select", tuple((f"{n}", "x" * 900) for n in range(900))),), Button("Go", "go")
    )
    say = words("en")

    assert say("shorten.too_large") in message(Card("T", (many,)), say, PAGE)
    assert PAGE in message(Card("T", (many,)), say, PAGE)


def test_an_edit_clears_what_the_card_showed_before() -> None:
    long, short = (variables(Card("T", (Text("x" * length),)), words("en")) for length in (3000, 10))

    assert {**long, **short} == short


texts = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=50)
buttons = st.builds(
    Button,
    label=texts,
    command=st.from_regex(r"[a-z]{1,12}", fullmatch=True),
    arguments=st.dictionaries(st.from_regex(r"[a-z_]{1,10}", fullmatch=True), texts, min_size=1),
)


@given(buttons)
def test_what_a_button_carries_comes_back_from_a_card(button: Button) -> None:
    request = json.loads(json.dumps(entry(button)))["event"]["params"]

    assert request["actionId"] == "press"
    assert called(request["params"]) == (button.command, button.arguments)


@given(buttons)
def test_what_a_button_carries_comes_back_from_a_line(button: Button) -> None:
    assert pressed(typed(button)) == (button.command, button.arguments)


@pytest.mark.parametrize("text", ["/log", "/log demo:1", "rerun=1", "why a=b", "/log target=a b", "", "//x a=b"])
def test_other_lines_are_no_press(text: str) -> None:
    assert pressed(text) is None


def test_a_link_leads_where_it_says() -> None:
    page = Button("Page", url="https://x.example/a?b=(c)")

    values, text = (
        variables(Card("T", (Buttons((page,)),)), words("en")),
        message(Card("T", (Buttons((page,)),)), words("en")),
    )

    assert fake.buttons(values)["Page"]["event"] == {"type": "openLink", "params": {"url": page.url}}
    assert fake.links(text)["Page"] == "https://x.example/a?b=%28c%29"


def test_the_template_is_what_the_script_makes() -> None:
    """`deploy/dingtalk/card.json` is up to date, and has the sections that cards are laid out in."""
    script = Path(__file__).parents[2] / "deploy/dingtalk/make_card.py"
    spec = importlib.util.spec_from_file_location("make_card", script)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    assert module.card() == json.loads(fake.TEMPLATE.read_text("utf-8"))
    assert module.SECTIONS == SECTIONS
