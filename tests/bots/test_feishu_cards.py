"""Cards on Feishu: every block, any content, always within the limits, and nothing left out without saying so."""

import json
import time
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.feishu.cards import LIMITS, render
from bots.feishu.elements import escape
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
from tests.fakes.feishu_api import SIZE
from tests.fakes.feishu_cards import buttons, check, shown, walk

Json = dict[str, Any]
PAGE = "https://xops.example.com/mobile/ops/chat"

HOSTILE = [
    *(text for text in strategies.HOSTILE if len(text) < 200 and text.isprintable() and text.strip()),
    "```\n<at id=all></at>\n```",
    "1. one\n- two\n# three\n---\n    code",
    "a_b_c ~~x~~ :OK: $e=mc^2$ &lt; &#42;",
]


def rendered(*blocks: Block, title: str = "Title") -> Json:
    """The card as Feishu accepts it."""
    card = json.loads(render(Card(title, blocks), "private/"))
    check(card, users=set())
    return card


def tags(card: Json) -> list[str]:
    return [component["tag"] for component in walk(card["body"])]


def everywhere(text: str) -> dict[str, Block]:
    """Each kind of block with this text wherever a text can be."""
    button = Button(text, "log")
    return {
        "text": Text(text),
        "note": Note(text),
        "fields": Fields((Field(text, text, "danger"), Field("b", text))),
        "table": Table((text,), ((text,),), title=text),
        "folded": Table((text,), ((text,),), title=text, folded=True),
        "log": Log(((1, text),), title=text),
        "chart": Chart("bar", ((text, 1, "info"),), title=text),
        "buttons": Buttons((button,)),
        "item": Item(text, text, fields=(Field(text, text),), buttons=(button,)),
        "form": Form((Input("n", text), Input("d", text, "date")), button),
    }


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("kind", everywhere(""))
def test_hostile_text_is_shown_as_it_is(kind: str, text: str) -> None:
    """No mention, no markup, no fence: whoever wrote it, a reader sees the characters."""
    seen = shown(rendered(everywhere(text)[kind]))

    lines = [line.strip() for line in text.splitlines()]
    assert all(" ".join(line.split()) in " ".join(seen.split()) for line in lines)


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=50))
def test_escaped_text_holds_no_markup(text: str) -> None:
    plain = escape(text).replace("&#", "")

    assert not set(plain) & set("&<>*_~`[]()\\#!|")


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_title_is_shown_as_it_is(text: str) -> None:
    assert shown(rendered(title=text)) == text


def test_each_tone_has_its_header() -> None:
    templates = [json.loads(render(Card("T", tone=tone), ""))["header"]["template"] for tone in TONES]

    assert templates == ["default", "blue", "green", "orange", "red"]


TONES = ("neutral", "info", "success", "warning", "danger")


def test_a_log_folds_away_unless_it_proves_something() -> None:
    def folded(log: Log) -> bool:
        return not rendered(log)["body"]["elements"][0]["expanded"]

    assert folded(Log(((1, "a"),)))
    assert not folded(Log(((1, "a"),), frozenset({1})))


def test_a_log_shows_numbers_marks_and_gaps() -> None:
    seen = shown(rendered(Log(((7, "ok"), (9, "Error: x\n  at y")), frozenset({9}), "spark.log")))

    assert seen.splitlines() == ["Title", "spark.log", "     7 ok", "      ⋮", ">    9 Error: x", "         at y"]


def test_a_long_log_keeps_what_is_around_its_marked_lines() -> None:
    log = Log(tuple((number, f"line {number}") for number in range(1, 5001)), frozenset({10, 4000}))

    seen = shown(rendered(log))

    assert "line 10\n" in seen
    assert "line 4001" in seen
    assert "line 5000" not in seen
    assert "4880 行日志" in seen


def test_a_long_log_without_marks_keeps_its_end() -> None:
    seen = shown(rendered(Log(tuple((number, f"line {number}") for number in range(1, 501)))))

    assert "line 500" in seen
    assert "line 100\n" not in seen


def test_a_table_says_how_many_rows_there_are() -> None:
    seen = shown(rendered(Table(("a", "b"), (("1", "2"), ("3",)), total=134)))

    assert seen.splitlines() == ["Title", "a | b", "1 | 2", "3", "… 2/134"]


def test_a_folded_table_is_behind_its_title() -> None:
    """In a panel, where Feishu takes no table, so its rows are text."""
    card = rendered(Table(("check", "result"), (("upstream", "fine"),), title="Ruled out: upstream", folded=True))

    assert ("collapsible_panel" in tags(card), "table" in tags(card)) == (True, False)
    assert shown(card).splitlines() == ["Title", "Ruled out: upstream", "check | result", "upstream | fine"]


def test_tables_and_charts_beyond_feishus_limit_become_text() -> None:
    table, chart = Table(("a",), (("cell",),)), Chart("pie", (("point", 2.0, "info"),), "pie", "s")

    card = rendered(*[table] * 5, *[chart] * 7)

    assert (tags(card).count("table"), tags(card).count("chart")) == (3, 5)
    assert shown(card).count("cell") == 5
    assert shown(card).count("point 2.0") == 5
    assert shown(card).count("point: 2s (100%)") == 2


@pytest.mark.parametrize(("many", "shown_beside"), [(6, 6), (7, 5), (30, 5)])
def test_buttons_that_do_not_fit_move_into_a_menu(many: int, shown_beside: int) -> None:
    card = rendered(Buttons(tuple(Button(f"b{n}", "log", {"n": str(n)}) for n in range(many))))

    assert tags(card).count("button") == shown_beside
    assert len(buttons(card)) == many


def test_a_link_stays_a_link_in_the_menu_too() -> None:
    card = rendered(Buttons(tuple(Button(f"b{n}", url=f"https://x.example/{n}") for n in range(8))))

    assert buttons(card)["b0"]["behaviors"] == [{"type": "open_url", "default_url": "https://x.example/0"}]
    assert buttons(card)["b7"]["multi_url"] == {"url": "https://x.example/7"}


def test_two_forms_with_the_same_inputs_do_not_clash() -> None:
    form = Form((Input("reason", "Reason"), Input("reason", "Again")), Button("Send", "decide"))

    rendered(form, form)


def item(number: int) -> Item:
    actions = (Button("Log", "log"), Button("Diagnose", "diagnose"), Button("Rerun", "propose"))
    return Item(f"task {number}", fields=(Field("owner", "ann"),), buttons=actions)


def test_too_many_items_are_counted_not_hidden() -> None:
    card = rendered(*(item(number) for number in range(100)), Note("end"))

    seen = shown(card)
    left = 100 - sum(f"task {number}\n" in seen for number in range(100))
    assert 80 <= left < 100
    assert f"{left} 个条目" in seen
    assert "end" in seen


def test_logs_shrink_before_tables_and_tables_before_items() -> None:
    wide = "x" * 160
    log = Log(tuple((number, wide) for number in range(120)))
    table = Table(("a",), tuple((wide,) for _ in range(60)))
    items = tuple(item(number) for number in range(10))

    only_log = shown(rendered(log, table, *items))
    both = shown(rendered(log, table, table, *items))

    assert ("行日志" in only_log, "行表格" in only_log, "个条目" in only_log) == (True, False, False)
    assert ("行日志" in both, "行表格" in both, "个条目" in both) == (True, True, False)


def test_what_was_left_out_is_said_in_each_readers_language() -> None:
    card = rendered(Text("x" * 50_000))

    note = card["body"]["elements"][-1]["text"]["i18n_content"]
    assert note["en_us"].endswith("the ends of 1 long texts")
    assert note["zh_tw"].endswith("1 處長文字的結尾")


def test_a_card_that_cannot_be_shortened_says_so() -> None:
    options = tuple((f"{number}", "x" * 90) for number in range(500))
    form = Form((Input("which", "Which", "select", options),), Button("Send", "decide"))

    seen = shown(rendered(form, title="T" * 50_000))

    assert words("zh-CN")("shorten.too_large") in seen
    assert len(seen) < 500


@given(strategies.of(Card))
def test_any_card_is_taken_by_feishu(card: Card) -> None:
    content = render(card, "group/omt_1", PAGE)

    check(json.loads(content), users=set())
    assert len(json.dumps({"content": content}, ensure_ascii=False).encode()) <= SIZE - 600  # room for the other fields


@given(strategies.of(Card), st.integers(5, 60))
def test_any_card_many_times_over_is_taken_by_feishu(card: Card, times: int) -> None:
    content = render(replace(card, blocks=card.blocks * times), "group/", PAGE)

    check(json.loads(content), users=set())
    assert len(json.dumps({"content": content}, ensure_ascii=False).encode()) <= SIZE - 600


def test_what_is_left_out_is_on_the_page() -> None:
    """The link leads to the instance, where the card is about one; without an address there is no link."""
    log = Log(tuple((number, "INFO still copying") for number in range(1, 5000)))
    card = Card("Log", (log, Buttons((Button("Status", "status", {"target": "demo:20260301/t 1"}),))))
    told = json.loads(render(card, "private/", PAGE))
    check(told, users=set())
    links = [part["behaviors"][0].get("default_url") for part in walk(told["body"]) if part["tag"] == "button"]

    assert links == [None, f"{PAGE}?at=demo%3A20260301%2Ft%201"]
    assert "open_url" not in render(card, "private/")
    assert "open_url" not in render(Card("Small"), "private/", PAGE)


def test_limits_match_what_is_rendered() -> None:
    assert LIMITS.table_rows == BUDGETS[0].rows
    assert LIMITS.card_bytes < SIZE


def test_a_small_card_costs_next_to_nothing() -> None:
    """Rendering is on the way of every answer; 0.1 ms is promised, and machines that run tests are busy."""
    fields = Fields((Field("失败", "3", "danger"), Field("成功", "120"), Field("运行中", "4"), Field("等待", "9")))
    card = Card(
        "3 个实例失败", (Text("今天截至 10:20"), fields, Buttons((Button("失败", "failed"),)), Note("demo")), "danger"
    )
    best = min(_seconds(card) for _ in range(50))

    assert best < 0.0005


def _seconds(card: Card) -> float:
    started = time.perf_counter()
    render(card, "private/")
    return time.perf_counter() - started
