"""A core `Card` becomes Feishu's card JSON 2.0, always within its limits, never silently shorter.

What does not fit is left out by the rule of `bots.shorten`. The card's last line says what was left out, in the reader's
language, and a button below it leads to the page, where all of it is.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

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
    panel,
    paragraph,
    plain,
    pressed,
    spoken,
    submit,
    worded,
)
from bots.figures import chart_lines, log_lines, table_lines
from bots.shorten import BUDGETS, first_fitting, left_out, whole
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
)
from core.channel import Limits

LIMITS = Limits(
    card_bytes=29_500,
    elements=200,
    buttons=6,
    table_rows=BUDGETS[0].rows,
    editable_for=timedelta(days=14),
    edits_per_second=5.0,
)
"""Feishu allows 30 KB for the whole request, in which the card is a string whose quotes are escaped once more. A table
takes at most 50 columns, which `bots.shorten` keeps too."""

ITEM_BUTTONS = 3
TABLES = 3
"""The documentation allows five tables in a card; refusals (11310) have been seen from four on."""
CHARTS = 5


def render(card: Card, place: str, page: str = "") -> str:
    """The card as the `content` of a Feishu message.

    Args:
        card: any card.
        place: kind of chat and thread, carried by each button so that its click knows where it was pressed.
        page: address of the web page, offered when something had to be left out; empty when people cannot reach it.
    """
    more = [opened(worded("shorten.open_page"), whole(page, card))] if page else []

    def attempt(short: Card, left: Counter[str]) -> bytes | None:
        elements = [*_Body(place).elements(short), *((_said(left), *more) if left else ())]
        content = orjson.dumps(_frame(short, elements))
        return content if _fits(content) else None

    if (content := first_fitting(card, attempt)) is not None:
        return content.decode()
    short = Card(card.title[:LABEL], tone=card.tone)
    return orjson.dumps(_frame(short, [paragraph(worded("shorten.too_large"), colour="red"), *more])).decode()


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


def _said(left: Counter[str]) -> Element:
    return paragraph(spoken(lambda say: left_out(left, say)), size="notation", colour="orange")


class _Body:
    """The body of one card. Counts what Feishu limits or wants told apart in a card."""

    def __init__(self, place: str) -> None:
        self._place = place
        self._used: Counter[str] = Counter()

    def elements(self, card: Card) -> Iterator[Element]:
        for block in card.blocks:
            yield from self._block(block)

    def _block(self, block: Block) -> Iterator[Element]:
        match block:
            case Text():
                yield from _text(block)
            case Note():
                yield from _small(block.text)
            case Fields():
                yield from _fields(block)
            case Table():
                yield from self._table(block)
            case Log():
                yield from _log(block)
            case Chart():
                yield from self._chart(block)
            case Buttons():
                yield from self._buttons(block.items, LIMITS.buttons)
            case Item():
                yield markdown("\n".join(_item_lines(block)))
                yield from self._buttons(block.buttons, ITEM_BUTTONS)
            case Form():
                yield self._form(block)

    def _table(self, block: Table) -> Iterator[Element]:
        if block.title and block.folded:
            rows = [*_small("\n".join(table_lines(block.columns, block.rows))), *_missing(block)]
            yield panel(plain(block.title), rows, expanded=False)  # a table may not stand within one
            return
        yield from _text(Text(block.title)) if block.title else ()
        self._used["tables"] += 1
        if self._used["tables"] > TABLES or not block.columns:
            yield from _small("\n".join(table_lines(block.columns, block.rows)))
        else:
            yield {
                "tag": "table",
                "page_size": 10,
                "columns": [
                    {"name": f"c{number}", "display_name": name, "data_type": "text"}
                    for number, name in enumerate(block.columns)
                ],
                "rows": [{f"c{number}": cell for number, cell in enumerate(row)} for row in block.rows],
            }
        yield from _missing(block)

    def _chart(self, block: Chart) -> Iterator[Element]:
        title = f"{block.title} ({block.unit})" if block.unit else block.title
        self._used["charts"] += 1
        if self._used["charts"] > CHARTS:
            yield from _small("\n".join([title, *(line for line, _ in chart_lines(block))]))
        else:
            yield {"tag": "chart", "aspect_ratio": "16:9", "chart_spec": _spec(block, title)}

    def _buttons(self, buttons: tuple[Button, ...], most: int) -> Iterator[Element]:
        shown = buttons if len(buttons) <= most else buttons[: most - 1]
        cells = [[pressed(button, self._place)] for button in shown]
        if rest := buttons[len(shown) :]:
            cells.append([overflow(rest, self._place)])
        if cells:
            yield columns(cells, flow=True)

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


def _text(block: Text) -> Iterator[Element]:
    if block.text:
        size = "heading" if block.style == "strong" else "normal"
        colour = "grey" if block.style == "muted" else "default"
        yield paragraph(plain(block.text), size=size, colour=colour)


def _small(text: str) -> Iterator[Element]:
    if text:
        yield paragraph(plain(text), size="notation", colour="grey")


def _fields(block: Fields) -> Iterator[Element]:
    if block.columns == 1 or len(block.items) == 1:
        yield from _field_lines(block.items)
    elif block.items:
        yield columns([[*_field_lines(block.items[0::2])], [*_field_lines(block.items[1::2])]], flow=False)


def _field_lines(fields: tuple[Field, ...]) -> Iterator[Element]:
    if fields:
        yield markdown("\n".join(map(_field, fields)))


def _field(item: Field) -> str:
    label, value = escape(item.label), escape(item.value)
    shown = value if item.tone == "neutral" else f"<font color='{COLOURS[item.tone]}'>{value}</font>"
    return f"<font color='grey'>{label}</font> {shown}"


def _log(block: Log) -> Iterator[Element]:
    if block.lines:
        title = plain(block.title) if block.title else worded("shorten.log", count=len(block.lines))
        yield panel(title, [code(log_lines(block))], expanded=bool(block.marked))


def _missing(block: Table) -> Iterator[Element]:
    if block.total > len(block.rows):
        yield from _small(f"… {len(block.rows)}/{block.total}")


def _item_lines(block: Item) -> Iterator[str]:
    title = escape(" ".join(block.title.split()))  # bold must neither wrap nor start with a space
    dot = f"<font color='{COLOURS[block.tone]}'>●</font>"
    yield f"{dot} **{title}**" if title else dot
    if block.subtitle:
        yield f"<font color='grey'>{escape(block.subtitle)}</font>"
    yield from map(_field, block.fields)


def _spec(block: Chart, title: str) -> Element:
    """The chart in VChart's words. A line has one series: a series for each point would break it at every point."""
    axes = {"pie": {"categoryField": "label", "valueField": "value"}}.get(
        block.kind, {"xField": "label", "yField": "value"}
    )
    series = {} if block.kind == "line" else {"seriesField": "label"}
    labels = [label for label, _, _ in block.points]
    return {
        "type": block.kind,
        "title": {"visible": bool(title), "text": title},
        "data": {"values": [{"label": label, "value": value} for label, value, _ in block.points]},
        "label": {"visible": True},
        "color": {"type": "ordinal", "domain": labels, "range": [CHART_COLOURS[tone] for _, _, tone in block.points]},
        **axes,
        **series,
    }
