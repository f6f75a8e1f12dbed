"""A core `Card` becomes the values of DingTalk's card template, or a markdown message, always within the limits.

A card's layout cannot be sent, only values of a template that an administrator imports once: a header and `SECTIONS` sections,
each a text and a group of buttons (`deploy/dingtalk/card.json`). Tables and charts are lines of text (`bots.figures`): what
DingTalk's markdown shows of a table differs between clients. What does not fit is left out by the rule of `bots.shorten`; the
last line says what was left out, and a button below it leads to the page, where all of it is.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Literal

from bots.dingtalk.layout import SECTIONS, VALUE, Line, Part, fits, markdown, sections, size
from bots.dingtalk.markdown import DOTS, code, escape, pieces
from bots.figures import chart_lines, log_lines, table_lines
from bots.shorten import BUDGETS, first_fitting, left_out, whole
from core.cards import Block, Button, Buttons, Card, Chart, Field, Fields, Form, Input, Item, Log, Note, Table, Text
from core.channel import Limits
from core.i18n import Words

HEADER = 90
"""Most characters of title and of subtitle in the header; the rest of a longer one begins the card's body."""

MESSAGE = 14_000
"""Most bytes of a message; `msgParam` takes 15000 ("the-robot-sends-a-group-message")."""

CARD_LIMITS = Limits(
    card_bytes=(2 * SECTIONS + 1) * VALUE,
    elements=SECTIONS,
    buttons=SECTIONS,
    table_rows=BUDGETS[0].rows,
    editable_for=timedelta(days=365),
    edits_per_second=1.0,
)
"""No end of editing is documented. DingTalk would take 20 edits a second, but each is one of the 5000 calls of a month."""

MESSAGE_LIMITS = Limits(
    card_bytes=MESSAGE,
    elements=200,
    buttons=60,
    table_rows=BUDGETS[0].rows,
    editable_for=timedelta(hours=24),
    edits_per_second=0.5,
)
"""A message is edited by recalling it, which a robot may do for 24 hours."""


def variables(card: Card, say: Words, page: str = "") -> dict[str, str]:
    """The card as values of all public variables of the template; unused ones are empty, so that editing clears them.

    Args:
        card: any card.
        say: our own words, in the language of the installation: DingTalk cannot choose by reader.
        page: address of the web page, offered when something had to be left out; empty when people cannot reach it.
    """
    filled = sections(_fitting(card, say, page, lambda parts: len(sections(parts)) <= SECTIONS))
    found = {"header": "<br>".join(_header(card))}
    for number in range(SECTIONS):
        text, group = filled[number] if number < len(filled) else ("", "[]")
        found |= {f"text{number + 1}": text, f"buttons{number + 1}": group}
    return found


def message(card: Card, say: Words, page: str = "") -> str:
    """The card as the text of a markdown message whose buttons are links. Arguments as of `variables`."""
    header: list[Part] = [Line(line) for line in _header(card)]

    def text(parts: list[Part]) -> str:
        return markdown([*header, *parts])

    return text(_fitting(card, say, page, lambda parts: size(text(parts)) <= MESSAGE))


def title(card: Card) -> str:
    """What the list of chats and a notification show."""
    return " ".join(card.title.split())[:60] or "…"


def _fitting(card: Card, say: Words, page: str, fitting: Callable[[list[Part]], bool]) -> list[Part]:
    more: list[Part] = [(Button(say("shorten.open_page"), url=whole(page, card)),)] if page else []

    def attempt(short: Card, left: Counter[str]) -> list[Part] | None:
        parts = [*_Body(say, left).parts(short)]
        if left:
            parts += [Line(f"⚠️ {escape(left_out(left, say))}", "paragraph"), *more]
        return parts if fitting(parts) else None

    found = first_fitting(card, attempt)
    return [Line(escape(say("shorten.too_large"))), *more] if found is None else found


def _header(card: Card) -> Iterator[str]:
    for text, mark in ((card.title, "**"), (card.subtitle, "")):
        line = " ".join(text.split())
        shown = line if len(line) <= HEADER else f"{line[: HEADER - 1]}…"
        if shown:
            yield f"{DOTS[card.tone] if mark else ''}{mark}{escape(shown)}{mark}"


class _Body:
    """What is below the header of one card. Counts in `left` the buttons that DingTalk could not carry."""

    def __init__(self, say: Words, left: Counter[str]) -> None:
        self._say = say
        self._left = left

    def parts(self, card: Card) -> Iterator[Part]:
        for text in (card.title, card.subtitle):
            if len(text) > HEADER:
                yield from _text(text)
        for block in card.blocks:
            yield from self._block(block)

    def _block(self, block: Block) -> Iterator[Part]:
        match block:
            case Text() | Note():
                yield from _text(block.text)
            case Fields():
                yield from _fields(block.items, "paragraph")
            case Table():
                yield from _table(block)
            case Log():
                yield from self._log(block)
            case Chart():
                yield from _chart(block)
            case Buttons():
                yield from self._row(block.items)
            case Item():
                yield from _item(block)
                yield from self._row(block.buttons)
            case Form():
                yield from self._form(block)

    def _log(self, block: Log) -> Iterator[Part]:
        if block.lines:
            yield from _text(block.title or self._say("shorten.log", count=len(block.lines)))
            for line in log_lines(block):
                first, *more = pieces(line)
                yield from (Line(code(piece), "code") for piece in (first, *(f"       {piece}" for piece in more)))

    def _row(self, row: tuple[Button, ...]) -> Iterator[Part]:
        shown = tuple(filter(fits, row))
        if len(shown) < len(row):
            self._left["entries"] += len(row) - len(shown)
        if shown:
            yield shown

    def _form(self, block: Form) -> Iterator[Part]:
        """Neither a message nor our template takes input, so the card says which line to write."""
        yield from _text(self._say("dingtalk.form"))
        for item in block.inputs:
            yield from _text(f"{item.label}: {' / '.join(text for _, text in item.options) or '…'}", "line")
        given = "".join(f" {name}={value}" for name, value in block.submit.arguments.items())
        asked = "".join(f" {item.name}={_example(item)}" for item in block.inputs)
        yield from _text(f"/{block.submit.command}{given}{asked}", "line")


def _text(text: str, start: Literal["paragraph", "line"] = "paragraph", dot: str = "") -> Iterator[Part]:
    """A text of any length as lines that each fit, the first after a dot that tells its tone."""
    for number, line in enumerate(text.splitlines()):
        for part, piece in enumerate(pieces(line)):
            begins = "on" if part else "line" if number else start
            yield Line((dot if begins == start and not number else "") + escape(piece), begins)


def _fields(fields: tuple[Field, ...], start: Literal["paragraph", "line"]) -> Iterator[Part]:
    for number, field in enumerate(fields):
        yield from _text(f"{field.label}: {field.value}", "line" if number else start, DOTS[field.tone])


def _table(block: Table) -> Iterator[Part]:
    yield from _text(block.title)
    for number, line in enumerate(table_lines(block.columns, block.rows)):
        yield from _text(line, "line" if number or block.title else "paragraph")
    if block.total > len(block.rows):
        yield Line(escape(f"… {len(block.rows)}/{block.total}"))


def _chart(block: Chart) -> Iterator[Part]:
    yield from _text(block.title)
    for number, (line, tone) in enumerate(chart_lines(block)):
        yield from _text(line, "line" if number or block.title else "paragraph", DOTS[tone])


def _item(block: Item) -> Iterator[Part]:
    yield from _text(" ".join(block.title.split()) or "·", "paragraph", DOTS[block.tone])
    if block.subtitle:
        yield from _text(block.subtitle, "line")
    yield from _fields(block.fields, "line")


def _example(item: Input) -> str:
    return item.value or (item.options[0][0] if item.options else "…")
