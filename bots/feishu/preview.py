"""Feishu's card as HTML, near enough to how Feishu draws it to judge a card by: for `xops cards`, never for a reader's page.

It draws the JSON that would be sent, so what the renderer left out is missing here too.
"""

import re
from collections.abc import Callable, Mapping
from html import escape, unescape
from typing import Any

import orjson

from bots.feishu import charts
from bots.feishu.cards import render
from bots.feishu.elements import Element
from core.cards import Card

STYLE = """
.feishu { font: 14px/1.5 system-ui, sans-serif; color: #1f2329; border: 1px solid #dee0e3; border-radius: 8px; overflow: hidden; background: #fff }
.feishu header { padding: 10px 12px; font-weight: 600; background: #f2f3f5 }
.feishu header small { display: block; font-weight: 400; color: #646a73 }
.feishu header.blue { background: #e1eaff } .feishu header.green { background: #d9f5d6 }
.feishu header.orange { background: #feead2 } .feishu header.red { background: #fde2e2 }
.feishu main { padding: 10px 12px } .feishu p { margin: 0 0 6px; white-space: pre-wrap; overflow-wrap: anywhere }
.feishu .heading { font-size: 16px; font-weight: 600 } .feishu .notation { font-size: 12px }
.feishu .grey { color: #646a73 } .feishu .red { color: #d83931 } .feishu .green { color: #2ea121 }
.feishu .orange { color: #c25705 } .feishu .blue { color: #245bdb }
.feishu .columns { display: flex; gap: 8px; margin-bottom: 6px } .feishu .flow { flex-wrap: wrap }
.feishu .stretch > * { flex: 1 }
.feishu button { font: inherit; padding: 3px 10px; border: 1px solid #d0d3d6; border-radius: 6px; background: #fff }
.feishu button.primary { color: #245bdb; border-color: #3370ff } .feishu button.danger { color: #d83931; border-color: #f54a45 }
.feishu table { width: 100%; border-collapse: collapse; font-size: 12px; margin-bottom: 6px }
.feishu td, .feishu th { text-align: left; padding: 3px 6px; border-bottom: 1px solid #dee0e3; overflow-wrap: anywhere }
.feishu pre { margin: 0; padding: 6px; background: #f5f6f7; overflow-x: auto; font-size: 12px }
"""  # noqa: E501  # a rule a line

_FENCE = re.compile(r"```\w*\n(.*?)\n```", re.DOTALL)
_MARK = re.compile(r"<font color='(\w+)'>|(</font>)|(\*\*)")


def draw(card: Card, page: str) -> str:
    """The card as it would be sent, as HTML without a script.

    Args:
        card: any card.
        page: address of the web page, as of `bots.feishu.cards.render`.
    """
    sent = orjson.loads(render(card, "private/", page))
    header: Element = sent.get("header", {})
    title, subtitle = _text(header.get("title")), _text(header.get("subtitle"))
    top = f'<header class="{header.get("template", "")}">{title}<small>{subtitle}</small></header>' if header else ""
    return f'<article class="feishu">{top}<main>{_all(sent["body"]["elements"])}</main></article>'


def _all(elements: list[Element]) -> str:
    return "".join(DRAWN[element["tag"]](element) for element in elements)


def _text(part: Element | None) -> str:
    return escape(part["content"]) if part else ""


def _paragraph(element: Element) -> str:
    text: Element = element["text"]
    return f'<p class="{text.get("text_size", "")} {text.get("text_color", "")}">{_text(text)}</p>'


def _markdown(element: Element) -> str:
    content: str = element["content"]
    if fenced := _FENCE.fullmatch(content):
        return f"<pre>{escape(fenced[1])}</pre>"
    bold = False
    drawn: list[str] = []
    for part in re.split(r"(<font color='\w+'>|</font>|\*\*)", content):
        if part == "**":
            bold = not bold
        mark = _MARK.fullmatch(part)
        drawn.append(_mark(mark, bold=bold) if mark else escape(unescape(part)))
    return f"<p>{''.join(drawn)}</p>"


def _mark(mark: re.Match[str], *, bold: bool) -> str:
    if mark[3]:
        return "<b>" if bold else "</b>"
    return "</span>" if mark[2] else f'<span class="{mark[1]}">'


def _columns(element: Element) -> str:
    cells = "".join(f"<div>{_all(cell['elements'])}</div>" for cell in element["columns"])
    return f'<div class="columns {element["flex_mode"]}">{cells}</div>'


def _panel(element: Element) -> str:
    opened = " open" if element["expanded"] else ""
    inside = _all(element["elements"])
    return f"<details{opened}><summary>{_text(element['header']['title'])}</summary>{inside}</details>"


def _table(element: Element) -> str:
    columns: list[Element] = element["columns"]
    head = "".join(f"<th>{escape(column['display_name'])}</th>" for column in columns)
    rows = ("".join(f"<td>{escape(row.get(column['name'], ''))}</td>" for column in columns) for row in element["rows"])
    return f"<table><tr>{head}</tr>{''.join(f'<tr>{row}</tr>' for row in rows)}</table>"


def _input(element: Element) -> str:
    label = _text(element.get("label")) or escape(element["name"])
    return f'<p class="grey">{label}: ▭</p>'


DRAWN: Mapping[str, Callable[[dict[str, Any]], str]] = {
    "div": _paragraph,
    "markdown": _markdown,
    "column_set": _columns,
    "button": lambda element: f'<button class="{element["type"]}">{_text(element["text"])}</button>',
    "overflow": lambda element: f"<button>⋯ {len(element['options'])}</button>",
    "collapsible_panel": _panel,
    "table": _table,
    "chart": lambda element: charts.draw(element["chart_spec"]),
    "form": lambda element: _all(element["elements"]),
    "input": _input,
    "date_picker": _input,
    "select_static": _input,
}
"""How each component is drawn: all those `bots.feishu.elements` and `bots.feishu.cards` make."""
