"""A card as the text of a WeCom message: literal text for the app, markdown for the AI bot. Nothing in it is ever markup.

The app's text messages know one piece of markup, `<a href>`; the bot's markdown is taken for CommonMark with tables, so a
backslash takes a character's meaning away. Only what could mean something is touched: task names stay readable.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from bots.figures import chart_lines, log_lines, table_lines
from core.cards import Block, Buttons, Card, Chart, Field, Fields, Form, Item, Log, Note, Table, Text, Tone

DOTS: dict[Tone, str] = {"neutral": "⚪", "info": "🔵", "success": "🟢", "warning": "🟠", "danger": "🔴"}

_INVISIBLE = "\u200b"
_TAG = re.compile(r"<(?=[A-Za-z/@!])")
_MARKUP = re.compile(r"[`*\[\]<~]|\\(?=[!-/:-@\[-`{-~])|(?<![^\W_])_+|_+(?![^\W_])|&(?=#?\w+;)")
_LINE = re.compile(r"(?m)^([ \t]*)(?:([#>+=-])|(\d{1,9})([.)]))?")


@dataclass(frozen=True, slots=True)
class Style:
    """How the parts of a card are written.

    Attributes:
        literal: text that shows exactly itself.
        strong: literal text, set off.
        code: lines of a log.
        table: head and rows.
        link: a label that opens an address.
        gap: between two blocks.
    """

    literal: Callable[[str], str]
    strong: Callable[[str], str]
    code: Callable[[Sequence[str]], str]
    table: Callable[[Sequence[str], Sequence[Sequence[str]]], str]
    link: Callable[[str, str], str]
    gap: str


def prose(card: Card, style: Style, tags: Sequence[str]) -> str:
    """All of a card but its buttons.

    Args:
        card: what to write.
        style: `PLAIN` or `MARKDOWN`.
        tags: what each item is called on the buttons, in order; empty for items that need no name.
    """
    names = iter(tags)
    head = "\n".join(filter(None, [style.strong(card.title), style.literal(card.subtitle)]))
    blocks = ("\n".join(filter(None, _block(block, style, names))) for block in card.blocks)
    return style.gap.join(filter(None, [head, *blocks]))


def _block(block: Block, style: Style, names: Iterator[str]) -> Iterator[str]:
    match block:
        case Text():
            yield (style.strong if block.style == "strong" else style.literal)(block.text)
        case Note():
            yield style.literal(block.text)
        case Fields():
            yield from (_field(field, style) for field in block.items)
        case Table():
            yield from _table(block, style)
        case Log():
            yield style.literal(block.title)
            yield style.code([*log_lines(block)])
        case Chart():
            yield style.literal(block.title)
            yield from (style.literal(f"{DOTS[tone]} {line}") for line, tone in chart_lines(block))
        case Item():
            yield from _item(block, style, next(names))
        case Form():
            yield from (style.literal(f"{item.label}: {item.value or '…'}") for item in block.inputs)
        case Buttons():
            yield " · ".join(style.link(button.label, button.url) for button in block.items if button.url)


def _field(field: Field, style: Style) -> str:
    return style.literal(f"{field.label}: {field.value}")


def _item(block: Item, style: Style, name: str) -> Iterator[str]:
    title = " ".join(filter(None, [name and f"[{name}]", " ".join(block.title.split())]))
    yield f"{DOTS[block.tone]} {style.strong(title)}"
    yield style.literal(block.subtitle)
    yield " · ".join(_field(field, style) for field in block.fields)
    yield " · ".join(style.link(button.label, button.url) for button in block.buttons if button.url)


def _table(block: Table, style: Style) -> Iterator[str]:
    if block.title:
        yield style.literal(block.title)
    if block.columns:
        yield style.table(block.columns, block.rows)
    if block.total > len(block.rows):
        yield style.literal(f"… {len(block.rows)}/{block.total}")


def _plain(text: str) -> str:
    return _TAG.sub(f"<{_INVISIBLE}", text)


def _plain_link(label: str, url: str) -> str:
    return f'<a href="{quote(url, safe=_URL)}">{_plain(label)}</a>'


def _plain_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(map(_plain, table_lines(head, rows)))


def _escaped(text: str) -> str:
    """Text as markdown. Spaces at the start of a line become hard ones, which make no block of code."""

    def start(found: re.Match[str]) -> str:
        space, mark, number, dot = found[1].expandtabs(4).replace(" ", "\u00a0"), found[2], found[3], found[4]
        return space + (f"\\{mark}" if mark else f"{number}\\{dot}" if number else "")

    return _LINE.sub(start, _MARKUP.sub(lambda found: "".join(f"\\{mark}" for mark in found[0]), text))


def _bold(text: str) -> str:
    return "\n".join(f"**{_escaped(line.strip())}**" if line.strip() else "" for line in text.splitlines())


def _fenced(lines: Sequence[str]) -> str:
    """No line can close the fence: each starts with its number, and what follows a line break with spaces."""
    return "\n".join(["```", *map(_harmless, lines), "```"]) if lines else ""


def _harmless(line: str) -> str:
    return line.replace("```", f"`{_INVISIBLE}``")


def _grid(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    def row(cells: Sequence[str]) -> str:
        padded = [*cells, *([""] * (len(head) - len(cells)))]
        return f"| {' | '.join(_escaped(' '.join(cell.split())).replace('|', chr(92) + '|') for cell in padded)} |"

    return "\n".join([row(head), f"|{'---|' * len(head)}", *map(row, rows)])


def _markdown_link(label: str, url: str) -> str:
    return f"[{_escaped(' '.join(label.split()))}]({quote(url, safe=_URL)})"


_URL = "%/:=&?~#+!$,;@*"
"""What stays as it is in an address; quotes, brackets and spaces do not."""

PLAIN = Style(_plain, _plain, lambda lines: _plain("\n".join(lines)), _plain_table, _plain_link, "\n")
MARKDOWN = Style(_escaped, _bold, _fenced, _grid, _markdown_link, "\n\n")
