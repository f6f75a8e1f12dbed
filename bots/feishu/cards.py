"""A core `Card` becomes Feishu's card JSON 2.0, always within its limits, never silently shorter.

What does not fit is left out by one written rule, `BUDGETS`: log lines first, then table rows, then items, then the ends
of long texts. The card's last line says what was left out, in the reader's language.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar
from urllib.parse import quote

import orjson

from bots.feishu.elements import (
    CHART_COLOURS,
    COLOURS,
    LABEL,
    TEMPLATES,
    Element,
    code,
    columns,
    escape,
    field,
    markdown,
    opened,
    overflow,
    paragraph,
    plain,
    pressed,
    spoken,
    submit,
    worded,
)
from core.cards import (
    Block,
    Button,
    Buttons,
    Card,
    Chart,
    Field,
    Fields,
    Form,
    Item,
    Log,
    Note,
    Table,
    Text,
    Tone,
    buttons,
)
from core.channel import Limits
from core.i18n import Words

T = TypeVar("T")
Points = tuple[tuple[str, float, Tone], ...]

LIMITS = Limits(
    card_bytes=29_500,
    elements=200,
    buttons=6,
    table_rows=60,
    editable_for=timedelta(days=14),
    edits_per_second=5.0,
)
"""Feishu allows 30 KB for the whole request, in which the card is a string whose quotes are escaped once more."""

ITEM_BUTTONS = 3
TABLES = 3
"""The documentation allows five tables in a card; refusals (11310) have been seen from four on."""
CHARTS = 5
TABLE_COLUMNS = 50


@dataclass(frozen=True, slots=True)
class Budget:
    """How much of a card is shown at most.

    Attributes:
        lines: lines of each log; those around marked lines stay longest.
        rows: rows of each table.
        items: items of the whole card.
        characters: of each text.
        blocks: other blocks of the whole card.
        entries: fields, points, options or columns of each block.
    """

    lines: int = 120
    rows: int = LIMITS.table_rows
    items: int = 30
    characters: int = 4000
    blocks: int = 60
    entries: int = 60


BUDGETS = (
    Budget(),
    Budget(lines=60),
    Budget(lines=30),
    Budget(lines=15),
    Budget(lines=15, rows=30),
    Budget(lines=15, rows=10),
    Budget(lines=15, rows=10, items=20),
    Budget(lines=15, rows=10, items=15),
    Budget(lines=15, rows=10, items=10),
    Budget(lines=15, rows=10, items=5, characters=1000),
    Budget(lines=15, rows=10, items=5, characters=300, blocks=20, entries=20),
    Budget(lines=5, rows=5, items=3, characters=100, blocks=10, entries=10),
)
"""Tried in order; the first that fits is shown."""


def render(card: Card, place: str, page: str = "") -> str:
    """The card as the `content` of a Feishu message.

    Args:
        card: any card.
        place: kind of chat and thread, carried by each button so that its click knows where it was pressed.
        page: address of the web page, offered when something had to be left out; empty when people cannot reach it.
    """
    for budget in BUDGETS:
        content = orjson.dumps(_Page(budget, place, page).card(card))
        if _fits(content):
            return content.decode()
    short = Card(card.title[:LABEL], tone=card.tone)
    body = [paragraph(worded("too_large"), colour="red")]
    return orjson.dumps(_frame(short, body)).decode()


def _fits(content: bytes) -> bool:
    sent = len(content) + content.count(b'"') + content.count(b"\\")  # as a string inside the request
    # Every component has one "tag", and quotes within texts are escaped, so this counts components and nothing else.
    return sent <= LIMITS.card_bytes and content.count(b'"tag":') <= LIMITS.elements


def _frame(card: Card, elements: list[Element]) -> Element:
    subtitle = {"subtitle": plain(card.subtitle)} if card.subtitle else {}
    header = {"title": plain(card.title), **subtitle, "template": TEMPLATES[card.tone]}
    return {
        "schema": "2.0",
        "config": {"update_multi": True, "summary": {"content": card.title}},
        **({"header": header} if card.title else {}),
        "body": {"elements": elements},
    }


class _Page:
    """One attempt to show a card within a budget. Remembers what it left out."""

    def __init__(self, budget: Budget, place: str, page: str) -> None:
        self._budget = budget
        self._place = place
        self._page = page
        self._left: Counter[str] = Counter()
        self._used: Counter[str] = Counter()

    def card(self, card: Card) -> Element:
        elements = [element for block in card.blocks if self._room(block) for element in self._block(block)]
        title = self._clip(card.title)
        subtitle = self._clip(card.subtitle)
        if self._left:
            elements.append(self._left_out())
            elements += [opened(worded("open_page"), _address(self._page, card))] if self._page else []
        return _frame(Card(title, tone=card.tone, subtitle=subtitle), elements)

    def _room(self, block: Block) -> bool:
        kind, most = ("items", self._budget.items) if isinstance(block, Item) else ("blocks", self._budget.blocks)
        self._used[kind] += 1
        if self._used[kind] > most:
            self._left[kind] += 1
        return self._used[kind] <= most

    def _block(self, block: Block) -> Iterator[Element]:
        match block:
            case Text():
                yield from self._text(block)
            case Note():
                yield from self._small(block.text)
            case Fields():
                yield from self._fields(block)
            case Table():
                yield from self._table(block)
            case Log():
                yield from self._log(block)
            case Chart():
                yield from self._chart(block)
            case Buttons():
                yield from self._buttons(block.items, LIMITS.buttons)
            case Item():
                yield from self._item(block)
            case Form():
                yield self._form(block)

    def _text(self, block: Text) -> Iterator[Element]:
        if block.text:
            size = "heading" if block.style == "strong" else "normal"
            colour = "grey" if block.style == "muted" else "default"
            yield paragraph(plain(self._clip(block.text)), size=size, colour=colour)

    def _small(self, text: str) -> Iterator[Element]:
        if text:
            yield paragraph(plain(self._clip(text)), size="notation", colour="grey")

    def _fields(self, block: Fields) -> Iterator[Element]:
        fields = self._cut(block.items, self._budget.entries, "entries")
        if block.columns == 1 or len(fields) == 1:
            yield from self._field_lines(fields)
        elif fields:
            yield columns([[*self._field_lines(fields[0::2])], [*self._field_lines(fields[1::2])]], flow=False)

    def _field_lines(self, fields: tuple[Field, ...]) -> Iterator[Element]:
        if fields:
            yield markdown("\n".join(map(self._field, fields)))

    def _field(self, item: Field) -> str:
        label, value = escape(self._clip(item.label)), escape(self._clip(item.value))
        shown = value if item.tone == "neutral" else f"<font color='{COLOURS[item.tone]}'>{value}</font>"
        return f"<font color='grey'>{label}</font> {shown}"

    def _table(self, block: Table) -> Iterator[Element]:
        names = self._cut(block.columns, min(self._budget.entries, TABLE_COLUMNS), "entries")
        rows = self._cut(block.rows, self._budget.rows, "rows")
        self._used["tables"] += 1
        if self._used["tables"] > TABLES or not names:
            yield from self._small("\n".join(" | ".join(row) for row in (names, *rows)))
        else:
            yield {
                "tag": "table",
                "page_size": 10,
                "columns": [
                    {"name": f"c{number}", "display_name": self._clip(name), "data_type": "text"}
                    for number, name in enumerate(names)
                ],
                "rows": [
                    {f"c{number}": self._clip(cell) for number, cell in enumerate(row[: len(names)])} for row in rows
                ],
            }
        total = max(block.total, len(block.rows))
        if total > len(rows):
            yield from self._small(f"… {len(rows)}/{total}")

    def _log(self, block: Log) -> Iterator[Element]:
        if not block.lines:
            return
        shown = _around(block, self._budget.lines)
        if len(shown) < len(block.lines):
            self._left["lines"] += len(block.lines) - len(shown)
        title = plain(self._clip(block.title)) if block.title else worded("log", count=len(block.lines))
        yield {
            "tag": "collapsible_panel",
            "expanded": bool(block.marked),
            "header": {"title": title},
            "elements": [code(self._log_lines(block, shown))],
        }

    def _log_lines(self, block: Log, shown: list[int]) -> Iterator[str]:
        before = block.lines[shown[0]][0] - 1
        for position in shown:
            number, text = block.lines[position]
            if number > before + 1:
                yield "      ⋮"
            before = number
            mark = ">" if number in block.marked else " "
            yield f"{mark}{number:>5} " + "\n       ".join(self._clip(text).splitlines())

    def _chart(self, block: Chart) -> Iterator[Element]:
        cut = self._cut(block.points, self._budget.entries, "entries")
        points: Points = tuple((self._clip(label), value, tone) for label, value, tone in cut)
        title = self._clip(f"{block.title} ({block.unit})" if block.unit else block.title)
        self._used["charts"] += 1
        if self._used["charts"] > CHARTS:
            values = "  ".join(f"{label} {value:g}{block.unit}" for label, value, _ in points)
            yield from self._small(f"{title}\n{values}")
        else:
            yield {"tag": "chart", "aspect_ratio": "16:9", "chart_spec": _spec(block, points, title)}

    def _buttons(self, buttons: tuple[Button, ...], most: int) -> Iterator[Element]:
        shown = buttons if len(buttons) <= most else buttons[: most - 1]
        rest = self._cut(buttons[len(shown) :], self._budget.entries, "entries")
        cells = [[pressed(button, self._place)] for button in shown]
        if rest:
            cells.append([overflow(rest, self._place)])
        if cells:
            yield columns(cells, flow=True)

    def _item(self, block: Item) -> Iterator[Element]:
        yield markdown("\n".join(self._item_lines(block)))
        yield from self._buttons(block.buttons, ITEM_BUTTONS)

    def _item_lines(self, block: Item) -> Iterator[str]:
        title = escape(" ".join(self._clip(block.title).split()))  # bold must neither wrap nor start with a space
        dot = f"<font color='{COLOURS[block.tone]}'>●</font>"
        yield f"{dot} **{title}**" if title else dot
        if block.subtitle:
            yield f"<font color='grey'>{escape(self._clip(block.subtitle))}</font>"
        yield from map(self._field, self._cut(block.fields, self._budget.entries, "entries"))

    def _form(self, block: Form) -> Element:
        elements: list[Element] = []
        for item in block.inputs:
            self._used["inputs"] += 1
            elements += field(item, self._used["inputs"])
        self._used["forms"] += 1
        number = self._used["forms"]
        return {
            "tag": "form",
            "name": f"form{number}",
            "elements": [*elements, submit(block.submit, self._place, number)],
        }

    def _cut(self, parts: tuple[T, ...], most: int, kind: str) -> tuple[T, ...]:
        if len(parts) > most:
            self._left[kind] += len(parts) - most
        return parts[:most]

    def _clip(self, text: str) -> str:
        if len(text) <= self._budget.characters:
            return text
        self._left["texts"] += 1
        return text[: self._budget.characters] + "…"

    def _left_out(self) -> Element:
        def say(words: Words) -> str:
            parts = (words(f"feishu.left.{kind}", count=count) for kind, count in self._left.items())
            return words("feishu.left_out", parts=words("feishu.left.separator").join(parts))

        return paragraph(spoken(say), size="notation", colour="orange")


def _address(page: str, card: Card) -> str:
    """The page, and on it the instance that the card is about, if it is about one."""
    target = next((button.arguments["target"] for button in buttons(card) if "target" in button.arguments), "")
    return f"{page}?at={quote(target, safe='')}" if 0 < len(target) <= LABEL else page


def _spec(block: Chart, points: Points, title: str) -> Element:
    """The chart in VChart's words. A line has one series: a series for each point would break it at every point."""
    axes = {"pie": {"categoryField": "label", "valueField": "value"}}.get(
        block.kind, {"xField": "label", "yField": "value"}
    )
    series = {} if block.kind == "line" else {"seriesField": "label"}
    labels = [label for label, _, _ in points]
    return {
        "type": block.kind,
        "title": {"visible": bool(title), "text": title},
        "data": {"values": [{"label": label, "value": value} for label, value, _ in points]},
        "label": {"visible": True},
        "color": {"type": "ordinal", "domain": labels, "range": [CHART_COLOURS[tone] for _, _, tone in points]},
        **axes,
        **series,
    }


def _around(log: Log, most: int) -> list[int]:
    """Positions of the lines to show: the nearest to a marked line, or the last ones when none is marked."""
    if len(log.lines) <= most:
        return list(range(len(log.lines)))
    marked = [position for position, (number, _) in enumerate(log.lines) if number in log.marked] or [len(log.lines)]

    def distance(position: int) -> int:
        after = bisect_left(marked, position)
        return min(abs(position - mark) for mark in marked[max(after - 1, 0) : after + 1])

    return sorted(sorted(range(len(log.lines)), key=distance)[:most])
