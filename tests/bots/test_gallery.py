"""`xops cards`: every card of the demonstration on every platform, and Feishu's drawn from what would be sent."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given

from bots.feishu.preview import draw
from bots.gallery import ASKED, PLATFORMS, gallery
from core.cards import Button, Card, Form, Input, Log, Text
from core.settings import SchedulerConnection, Settings
from tests import strategies


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


@given(strategies.of(Card))
def test_any_card_is_drawn_and_its_texts_stay_texts(card: Card) -> None:
    """Whatever the renderer makes, the preview knows how to draw."""
    assert Reader(draw(card)).tags <= {
        *("article", "header", "small", "main", "p", "b", "span", "div", "button"),
        *("details", "summary", "pre", "table", "tr", "th", "td"),
    }


def test_what_is_drawn_is_what_would_be_sent() -> None:
    """Marks, code and labels are read as Feishu reads them; what is left out of the message is missing here."""
    log = Log(tuple((number, f"line {number} <b>") for number in range(1, 1000)), frozenset({500}), "run 2")
    form = Form((Input("reason", "Reason"), Input("day", "Day", "date")), Button("Send", "decide"))
    seen = Reader(draw(Card("Title", (Text("5 < 6 & **7**"), log, form)))).text

    assert "5 < 6 & **7**" in seen
    assert ">  500 line 500 <b>" in seen
    assert "line 999 " not in seen
    assert "Reason: ▭" in seen


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
