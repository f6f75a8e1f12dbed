"""Cards as HTML: every block kind, hostile texts, numbered buttons, charts that can be read."""

import re
from datetime import UTC, datetime
from math import inf, nan
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.web.charts import HEIGHT, marks, written
from bots.web.render import Renderer
from core.cards import Button, Buttons, Card, Chart, Field, Fields, Form, Input, Item, Log, Note, Table, Text, buttons
from core.i18n import words
from core.web_cards import Entry, Kind
from tests.fakes.web import Markup
from tests.strategies import of

HOSTILE = '</p><script>alert(1)</script><img src=x onerror=\'alert(2)\'>" onfocus="alert(3)" {{7*7}} &amp;'
SAFE_TAGS = re.compile(
    "article|header|div|h2|h3|p|time|span|button|svg|path|dl|dt|dd|table|thead|tbody|tr|th|td|details|summary|mark|code|"
    "figure|figcaption|rect|polyline|circle|ul|li|b|section|a|form|label|textarea|select|option|input"
)
RENDERER = Renderer(ZoneInfo("Asia/Shanghai"))


def html(card: Card, kind: Kind = "card", language: str = "zh-CN") -> str:
    """The card as the page shows it."""
    entry = Entry("r<1>", "web:demo", 7, 7, kind, card, datetime(2026, 3, 2, 1, 30, tzinfo=UTC))
    return RENDERER.entry(entry, words(language))


BLOCKS = {
    "text": Text(HOSTILE),
    "note": Note(HOSTILE),
    "fields": Fields((Field(HOSTILE, HOSTILE, "danger"),)),
    "table": Table((HOSTILE,), ((HOSTILE,),), 9, HOSTILE),
    "folded": Table((HOSTILE,), ((HOSTILE,),), title=HOSTILE, folded=True),
    "log": Log(((1, HOSTILE), (2, HOSTILE)), frozenset({2}), HOSTILE),
    "bar": Chart("bar", ((HOSTILE, 1.0, "info"),), HOSTILE, HOSTILE),
    "pie": Chart("pie", ((HOSTILE, 1.0, "info"),), HOSTILE, HOSTILE),
    "line": Chart("line", ((HOSTILE, 1.0, "info"),), HOSTILE, HOSTILE),
    "buttons": Buttons((Button(HOSTILE, HOSTILE, {HOSTILE: HOSTILE}), Button(HOSTILE, url=HOSTILE))),
    "item": Item(HOSTILE, HOSTILE, "danger", (Field(HOSTILE, HOSTILE),), (Button(HOSTILE, "x"),)),
    "form": Form(
        (
            Input(HOSTILE, HOSTILE, "text", value=HOSTILE),
            Input(HOSTILE, HOSTILE, "multiline", value=HOSTILE),
            Input(HOSTILE, HOSTILE, "select", ((HOSTILE, HOSTILE),), value=HOSTILE),
        ),
        Button(HOSTILE, "x"),
    ),
}


@pytest.mark.parametrize("kind", ["card", "overview"])
@pytest.mark.parametrize("block", BLOCKS)
def test_markup_in_a_block_is_shown_and_not_obeyed(block: str, kind: Kind) -> None:
    """The reader sees every character that was written; the browser sees text."""
    found = Markup(html(Card(HOSTILE, (BLOCKS[block],), subtitle=HOSTILE), kind))
    assert_harmless(found)
    assert found.text.count("<script>alert(1)</script>") >= 3  # title, subtitle, and the block itself


@given(of(Card), st.sampled_from(("card", "overview")), st.sampled_from(("zh-CN", "zh-TW", "en")))
def test_no_card_escapes_its_markup(card: Card, kind: Kind, language: str) -> None:
    """Whatever texts, addresses and numbers a card holds; and its buttons are numbered as `buttons` yields them."""
    found = Markup(html(card, kind, language))
    assert_harmless(found)
    submits = {id(block.submit) for block in card.blocks if isinstance(block, Form)}
    expected = [number for number, button in enumerate(buttons(card)) if not button.url or id(button) in submits]
    assert [int(number or "") for number in found.having("data-button")] == expected


def assert_harmless(found: Markup) -> None:
    """Only our own elements, no handlers, no styles, no address but a web page's."""
    assert [tag for tag, _ in found.tags if not SAFE_TAGS.fullmatch(tag)] == []
    names = {name for _, attributes in found.tags for name in attributes}
    assert not [name for name in names if name.startswith("on") or name in {"style", "src", "srcset", "action"}]
    assert all(str(address).startswith(("https://", "http://")) for address in found.having("href"))


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "//evil.example", " https://x", "HTTPS:x"])
def test_only_web_addresses_are_links(url: str) -> None:
    """Anything else is shown and leads nowhere."""
    found = Markup(html(Card("x", (Buttons((Button("打开", url=url),)),))))
    assert found.having("href") == []
    assert "打开" in found.text


def test_links_tell_the_other_side_nothing() -> None:
    """A scheduler's page opens in a tab of its own that cannot reach back."""
    found = Markup(html(Card("x", (Buttons((Button("打开", url="https://scheduler.example.com/?a=1&b=2"),)),))))
    assert found.having("href") == ["https://scheduler.example.com/?a=1&b=2"]
    assert found.having("rel") == ["noopener noreferrer"]


def test_what_a_person_wrote_is_text() -> None:
    """Newlines are kept, markup is not obeyed."""
    found = Markup(html(Card("", (Text(f"第一行\n{HOSTILE}"),)), "person"))
    assert_harmless(found)
    assert f"第一行\n{HOSTILE}" in found.text
    assert found.having("datetime") == ["2026-03-02T09:30:00+08:00"]


def test_log_shows_numbers_gaps_and_marks() -> None:
    """Marked lines say so in words, and lines left out leave a visible gap."""
    log = Log(((1, "start"), (2, "go"), (9, "ERROR")), frozenset({9}), "run 2")
    found = html(Card("x", (log,)))
    assert re.findall(r'class="number">(\d+)<', found) == ["1", "2", "9"]
    assert found.count('class="gap"') == 1
    assert re.search(r'<mark class="row">.*?重点：.*?ERROR', found)
    assert '<details class="log" open>' in found


def test_long_log_is_folded_unless_something_is_marked() -> None:
    """A card stays short; what matters is open at once."""
    lines = tuple((number, "line") for number in range(1, 40))
    assert '<details class="log" open>' not in html(Card("x", (Log(lines),)))
    assert '<details class="log" open>' in html(Card("x", (Log(lines, frozenset({30})),)))


def test_cut_table_says_how_much_is_missing() -> None:
    """A part never passes for the whole."""
    assert "显示 1/57 行" in html(Card("x", (Table(("a",), (("1",),), 57),)))
    assert "显示" not in html(Card("x", (Table(("a",), (("1",),), 1),)))


def test_huge_card_stays_drawable_and_keeps_what_proves_something() -> None:
    """The last lines and every marked one; the first rows; and how many there are in all."""
    lines = tuple((number, f"line {number}") for number in range(1, 2001))
    rows = tuple((f"row {number}",) for number in range(1, 2001))
    found = Markup(html(Card("x", (Log(lines, frozenset({7})), Table(("a",), rows)))))
    assert [found.text.count(f"line {number}\n") for number in (6, 7, 1500, 1501, 2000)] == [0, 1, 0, 1, 1]
    assert ["row 500" in found.text, "row 501" in found.text] == [True, False]
    assert ["显示 501/2000 行" in found.text, "显示 500/2000 行" in found.text] == [True, True]


def test_tone_is_also_said() -> None:
    """By an image with a name, for those who see no colours."""
    assert 'role="img" aria-label="异常"' in html(Card("x", tone="danger"))
    assert 'aria-label="Fine"' in html(Card("x", tone="success"), language="en")


def test_numbers_of_the_overview_stand_out() -> None:
    """Only there: in the dialogue, a list entry is a line like others."""
    card = Card("x", (Item("运行失败 1,204 个 &#34;"),))
    assert "运行失败 <b>1,204</b> 个" in html(card, "overview")
    assert '个 &#34;"' not in html(card, "overview")
    assert "<b>" not in html(card)


@given(of(Chart), st.lists(st.sampled_from((0.0, -1.0, nan, inf, 1e-300, 5e-324, 1e308)), max_size=3))
def test_charts_stay_inside_their_frame(chart: Chart, odd: list[float]) -> None:
    """Whatever the values, and every value is written beside the drawing."""
    points = (*chart.points, *(("odd", value, "info") for value in odd))
    drawn = marks(Chart(chart.kind, points, unit="s"))  # pyright: ignore[reportArgumentType]  # literals widen in the tuple
    assert [mark.value for mark in drawn] == [written(value, "s") for _, value, _ in points]
    for mark in drawn:
        assert 0 <= mark.start <= 100.1
        assert 0 <= mark.width <= 100.1
        assert mark.start + mark.width <= 100.1
        assert 0 <= mark.y <= HEIGHT


def test_shares_fill_the_whole_and_small_ones_are_seen() -> None:
    """Three failures among three hundred are a visible part."""
    drawn = marks(Chart("pie", (("成功", 297.0, "success"), ("失败", 3.0, "danger"), ("终止", 0.0, "danger"))))
    assert sum(mark.width for mark in drawn) == pytest.approx(100, abs=0.01)
    assert drawn[1].width > 1
    assert drawn[2].width == 0


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [(12.0, "", "12"), (1234567.0, "个", "1,234,567 个"), (0.25, "s", "0.2 s"), (nan, "s", "—"), (-3.0, "", "-3")],
)
def test_values_are_written_for_people(value: float, unit: str, text: str) -> None:
    """Thousands separated, at most one decimal, nothing invented for what is no number."""
    assert written(value, unit) == text
