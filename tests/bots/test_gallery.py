"""`xops cards`: every card of the demonstration on every platform, and Feishu's drawn from what would be sent."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given

from bots.gallery import ASKED, PLATFORMS, gallery
from core.cards import Button, Buttons, Card, Chart, Form, Input, Log, Table, Text
from core.i18n import words
from core.settings import SchedulerConnection, Settings
from tests import strategies

SENT = ("Feishu", "DingTalk, card", "DingTalk, message", "WeCom, app", "WeCom, AI bot")
TAGS = {
    *("article", "header", "small", "main", "p", "b", "span", "div", "button", "br", "style", "h4", "nav", "label"),
    *("details", "summary", "pre", "table", "tr", "th", "td", "dl", "dt", "dd", "select", "option"),
    *("svg", "text", "path", "circle", "rect", "polyline"),
}


class Reader(HTMLParser):
    """Texts and tags of some HTML; fails where a tag is closed that was not opened."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.text = ""
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        self.tags.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.text += "\n"


def read(platform: str, card: Card) -> Reader:
    """What the preview of a platform shows."""
    return Reader(PLATFORMS[platform](card, words("zh-CN"), ZoneInfo("Asia/Shanghai")))


@pytest.mark.parametrize("platform", SENT)
@given(card=strategies.of(Card))
def test_any_card_is_drawn_and_its_texts_stay_texts(platform: str, card: Card) -> None:
    """Whatever a renderer makes, its preview knows how to draw."""
    assert read(platform, card).tags <= TAGS


@pytest.mark.parametrize("platform", SENT)
def test_what_is_drawn_is_what_would_be_sent(platform: str) -> None:
    """Marks, code and labels are read as the platform reads them; what is left out of the message is missing here."""
    log = Log(tuple((number, f"line {number} <b>") for number in range(1, 1000)), frozenset({500}), "run 2")
    table = Table(("task", "owner"), (("a|b_c", "*Ann*"),))
    card = Card("Title", (Text("5 < 6 & **7**"), table, log, Buttons((Button("Log", "log"),))))
    seen = read(platform, card).text

    assert "5 < 6 & **7**" in seen
    assert "a|b_c" in seen
    assert "*Ann*" in seen
    assert ">  500 line 500 <b>" in seen
    assert "line 999 " not in seen
    assert "Log" in seen
    assert words("zh-CN")("shorten.open_page") in seen


def test_charts_of_feishu_are_drawn_as_charts() -> None:
    """From the specification that is sent: a bar for each value, as high as it is."""
    bars = Chart("bar", (("ok", 30.0, "success"), ("failed", 15.0, "danger")), "Runs")
    pie, line = replace(bars, kind="pie"), replace(bars, kind="line")

    assert read("Feishu", Card("T", (bars, pie, line))).tags >= {"rect", "path", "polyline"}
    drawn = PLATFORMS["Feishu"](Card("T", (bars,)), words("en"), ZoneInfo("UTC"))
    assert re.findall(r'height="([\d.]+)"', drawn) == ["110.0", "55.0"]


def test_what_cannot_be_entered_on_a_platform_is_shown_as_it_is_there() -> None:
    form = Form((Input("reason", "Reason"), Input("day", "Day", "date")), Button("Send", "decide"))

    assert "Reason: ▭" in read("Feishu", Card("T", (form,))).text
    assert "/decide" in read("WeCom, app", Card("T", (form,))).text


async def test_every_answer_is_drawn_on_every_platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the demonstration that answers, whatever the settings say; they stay untouched."""
    monkeypatch.chdir(tmp_path)
    elsewhere = SchedulerConnection(name="prod", kind="airflow", url="http://127.0.0.1:1", token="t")  # pyright: ignore[reportArgumentType]

    page = await gallery(Settings(language="en", schedulers=(elsewhere,)))

    asked = re.findall(r"<h2>(.*?)</h2>", page)
    assert [*dict.fromkeys(asked)] == [*ASKED]
    assert re.findall(r"<div><h3>(.*?)</h3><div>", page) == [*PLATFORMS] * len(asked)
    assert "dws_trade_order_di" in page
    assert "127.0.0.1:1" not in page
    assert [*tmp_path.iterdir()] == []
