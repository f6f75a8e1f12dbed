"""A core `Card` becomes the values of DingTalk's card template, or a markdown message, always within the limits.

A card's layout cannot be sent, only values of a template that an administrator imports once: a header and `SECTIONS` sections,
each a text and a group of buttons (`deploy/dingtalk/card.json`). What does not fit is left out by one written rule,
`BUDGETS`: log lines first, then table rows, then items, then the ends of long texts. The last line says what was left out.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, TypeVar

from bots.dingtalk.layout import SECTIONS, VALUE, Line, Part, fits, markdown, sections, size
from bots.dingtalk.markdown import DOTS, code, escape, pieces
from core.cards import Block, Button, Buttons, Card, Chart, Field, Fields, Form, Input, Item, Log, Note, Table, Text
from core.channel import Limits
from core.i18n import words

T = TypeVar("T")

HEADER = 90
"""Most characters of title and of subtitle in the header; the rest of a longer one begins the card's body."""

MESSAGE = 14_000
"""Most bytes of a message; `msgParam` takes 15000 ("the-robot-sends-a-group-message")."""

CARD_LIMITS = Limits(
    card_bytes=(2 * SECTIONS + 1) * VALUE,
    elements=SECTIONS,
    buttons=SECTIONS,
    table_rows=40,
    editable_for=timedelta(days=365),
    edits_per_second=1.0,
)
"""No end of editing is documented. DingTalk would take 20 edits a second, but each is one of the 5000 calls of a month."""

MESSAGE_LIMITS = Limits(
    card_bytes=MESSAGE,
    elements=200,
    buttons=60,
    table_rows=40,
    editable_for=timedelta(hours=24),
    edits_per_second=0.5,
)
"""A message is edited by recalling it, which a robot may do for 24 hours."""


@dataclass(frozen=True, slots=True)
class Budget:
    """How much of a card is shown at most.

    Attributes:
        lines: lines of each log; those around marked lines stay longest.
        rows: rows of each table.
        items: items of the whole card.
        characters: of each text.
        blocks: other blocks of the whole card.
        entries: fields, points, options, columns or buttons of each block.
    """

    lines: int = 60
    rows: int = CARD_LIMITS.table_rows
    items: int = 20
    characters: int = 3000
    blocks: int = 60
    entries: int = 40


BUDGETS = (
    Budget(),
    Budget(lines=30),
    Budget(lines=15, rows=20),
    Budget(lines=15, rows=10, characters=1000),
    Budget(lines=15, rows=10, items=15, characters=1000),
    Budget(lines=10, rows=10, items=10, characters=500, entries=20),
    Budget(lines=10, rows=5, items=5, characters=300, blocks=20, entries=10),
    Budget(lines=5, rows=3, items=3, characters=100, blocks=10, entries=5),
    Budget(lines=3, rows=2, items=2, characters=50, blocks=5, entries=3),
)
"""Tried in order; the first that fits is shown."""


def variables(card: Card, language: str) -> dict[str, str]:
    """The card as values of all public variables of the template; unused ones are empty, so that editing clears them.

    Args:
        card: any card.
        language: of our own remarks about what was left out.
    """
    parts = _smallest(card, language, lambda parts: len(sections(parts)) <= SECTIONS)
    found = {"header": "<br>".join(_header(card))}
    filled = sections(parts)
    for number in range(SECTIONS):
        text, group = filled[number] if number < len(filled) else ("", "[]")
        found |= {f"text{number + 1}": text, f"buttons{number + 1}": group}
    return found


def message(card: Card, language: str) -> str:
    """The card as the text of a markdown message whose buttons are links. Arguments as of `variables`."""
    header: list[Part] = [Line(line) for line in _header(card)]

    def text(parts: list[Part]) -> str:
        return markdown([*header, *parts])

    return text(_smallest(card, language, lambda parts: size(text(parts)) <= MESSAGE))


def title(card: Card) -> str:
    """What the list of chats and a notification show."""
    return " ".join(card.title.split())[:60] or "…"


def _smallest(card: Card, language: str, fitting: Callable[[list[Part]], bool]) -> list[Part]:
    for budget in BUDGETS:
        parts = _Page(budget, language).parts(card)
        if fitting(parts):
            return parts
    return [Line(escape(words(language)("dingtalk.too_large")))]


def _header(card: Card) -> Iterator[str]:
    for text, mark in ((card.title, "**"), (card.subtitle, "")):
        line = " ".join(text.split())
        shown = line if len(line) <= HEADER else f"{line[: HEADER - 1]}…"
        if shown:
            yield f"{DOTS[card.tone] if mark else ''}{mark}{escape(shown)}{mark}"


class _Page:
    """One attempt to show a card within a budget. Remembers what it left out."""

    def __init__(self, budget: Budget, language: str) -> None:
        self._budget = budget
        self._say = words(language)
        self._left: Counter[str] = Counter()
        self._used: Counter[str] = Counter()

    def parts(self, card: Card) -> list[Part]:
        parts = [part for text in (card.title, card.subtitle) if len(text) > HEADER for part in self._text(text)]
        parts += [part for block in card.blocks if self._room(block) for part in self._block(block)]
        if self._left.total():
            parts.append(Line(f"⚠️ {escape(self._left_out())}", "paragraph"))
        return parts

    def _room(self, block: Block) -> bool:
        kind, most = ("items", self._budget.items) if isinstance(block, Item) else ("blocks", self._budget.blocks)
        self._used[kind] += 1
        if self._used[kind] > most:
            self._left[kind] += 1
        return self._used[kind] <= most

    def _block(self, block: Block) -> Iterator[Part]:
        match block:
            case Text() | Note():
                yield from self._text(block.text)
            case Fields():
                yield from self._fields(block.items, "paragraph")
            case Table():
                yield from self._table(block)
            case Log():
                yield from self._log(block)
            case Chart():
                yield from self._chart(block)
            case Buttons():
                yield from self._row(block.items)
            case Item():
                yield from self._item(block)
            case Form():
                yield from self._form(block)

    def _text(self, text: str, start: Literal["paragraph", "line"] = "paragraph", dot: str = "") -> Iterator[Part]:
        """A text of any length as lines that each fit, the first after a dot that tells its tone."""
        for number, line in enumerate(self._clip(text).splitlines()):
            for part, piece in enumerate(pieces(line)):
                begins = "on" if part else "line" if number else start
                yield Line((dot if begins == start and not number else "") + escape(piece), begins)

    def _fields(self, fields: tuple[Field, ...], start: Literal["paragraph", "line"]) -> Iterator[Part]:
        for number, field in enumerate(self._cut(fields, "entries")):
            begins = "line" if number else start
            yield from self._text(f"{field.label}: {self._clip(field.value)}", begins, DOTS[field.tone])

    def _table(self, block: Table) -> Iterator[Part]:
        columns = self._cut(block.columns, "entries")
        rows = block.rows[: self._budget.rows]
        self._left["rows"] += len(block.rows) - len(rows)
        for number, row in enumerate((columns, *(row[: len(columns)] for row in rows))):
            cells = " | ".join(" ".join(self._clip(cell).split()) for cell in row)
            yield from self._text(cells, "line" if number else "paragraph")
        total = max(block.total, len(block.rows))
        if total > len(rows):
            yield Line(escape(f"… {len(rows)}/{total}"))

    def _log(self, block: Log) -> Iterator[Part]:
        if not block.lines:
            return
        yield from self._text(block.title or self._say("dingtalk.log", count=len(block.lines)))
        shown = _around(block, self._budget.lines)
        self._left["lines"] += len(block.lines) - len(shown)
        before = block.lines[shown[0]][0] - 1
        for position in shown:
            number, text = block.lines[position]
            if number > before + 1:
                yield Line("      ⋮", "code")
            before = number
            prefix = f"{'>' if number in block.marked else ' '}{number:>5} "
            for line in self._clip(text).splitlines() or [""]:
                for piece in pieces(line):
                    yield Line(prefix + code(piece), "code")
                    prefix = "       "

    def _chart(self, block: Chart) -> Iterator[Part]:
        points = self._cut(block.points, "entries")
        if block.title:
            yield from self._text(block.title)
        most = max((value for _, value, _ in points), default=0.0)
        for number, (name, value, tone) in enumerate(points):
            bar = "▇" * round(8 * value / most) if most > 0 and value > 0 else ""
            said = f"{name}: {value:g}{block.unit} {bar}"
            yield from self._text(said, "line" if number or block.title else "paragraph", DOTS[tone])

    def _row(self, row: tuple[Button, ...]) -> Iterator[Part]:
        shown = tuple(filter(fits, self._cut(row, "entries")))
        self._left["entries"] += min(len(row), self._budget.entries) - len(shown)
        if shown:
            yield shown

    def _item(self, block: Item) -> Iterator[Part]:
        yield from self._text(" ".join(block.title.split()) or "·", "paragraph", DOTS[block.tone])
        if block.subtitle:
            yield from self._text(block.subtitle, "line")
        yield from self._fields(block.fields, "line")
        yield from self._row(block.buttons)

    def _form(self, block: Form) -> Iterator[Part]:
        """Neither a message nor our template takes input, so the card says which line to write."""
        yield from self._text(self._say("dingtalk.form"))
        for item in self._cut(block.inputs, "entries"):
            yield from self._text(f"{item.label}: {' / '.join(text for _, text in item.options) or '…'}", "line")
        given = "".join(f" {name}={value}" for name, value in block.submit.arguments.items())
        asked = "".join(f" {item.name}={_example(item)}" for item in block.inputs)
        yield from self._text(f"/{block.submit.command}{given}{asked}", "line")

    def _cut(self, parts: tuple[T, ...], kind: str) -> tuple[T, ...]:
        most = self._budget.entries
        self._left[kind] += max(len(parts) - most, 0)
        return parts[:most]

    def _clip(self, text: str) -> str:
        if len(text) <= self._budget.characters:
            return text
        self._left["texts"] += 1
        return text[: self._budget.characters] + "…"

    def _left_out(self) -> str:
        parts = (self._say(f"dingtalk.left.{kind}", count=count) for kind, count in self._left.items() if count)
        return self._say("dingtalk.left_out", parts=self._say("dingtalk.left.separator").join(parts))


def _example(item: Input) -> str:
    return item.value or (item.options[0][0] if item.options else "…")


def _around(log: Log, most: int) -> list[int]:
    """Positions of the lines to show: the nearest to a marked line, or the last ones when none is marked."""
    if len(log.lines) <= most:
        return list(range(len(log.lines)))
    marked = [position for position, (number, _) in enumerate(log.lines) if number in log.marked] or [len(log.lines)]

    def distance(position: int) -> int:
        after = bisect_left(marked, position)
        return min(abs(position - mark) for mark in marked[max(after - 1, 0) : after + 1])

    return sorted(sorted(range(len(log.lines)), key=distance)[:most])
