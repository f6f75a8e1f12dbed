"""What a chat cannot hold: a card made shorter by one written rule, `BUDGETS`, and where the whole can be seen.

Log lines go first, then table rows, then items, then the ends of long texts. What went is counted, for the card to say so;
beside that stands a link to the page, at the instance that the card is about.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar
from urllib.parse import quote

from core.cards import Block, Buttons, Card, Chart, Field, Fields, Form, Item, Log, Note, Table, Text, buttons
from core.i18n import Words

T = TypeVar("T")
Made = TypeVar("Made")

DEEP = 300
"""Longest name of an instance in a link; a longer one leads to the page itself."""


@dataclass(frozen=True, slots=True)
class Budget:
    """How much of a card is shown at most.

    Attributes:
        lines: lines of each log; those around marked lines stay longest.
        rows: rows of each table.
        items: items of the whole card.
        characters: of each text.
        blocks: other blocks of the whole card.
        entries: fields, points, columns, inputs or buttons of each block.
    """

    lines: int = 120
    rows: int = 60
    items: int = 30
    characters: int = 4000
    blocks: int = 60
    entries: int = 50


BUDGETS = (
    Budget(),
    Budget(lines=60),
    Budget(lines=30),
    Budget(lines=15),
    Budget(lines=15, rows=30),
    Budget(lines=15, rows=10),
    Budget(lines=15, rows=10, items=20),
    Budget(lines=15, rows=10, items=15),
    Budget(lines=15, rows=10, items=15, characters=1000),
    Budget(lines=15, rows=10, items=10, characters=1000),
    Budget(lines=8, rows=10, items=10, characters=500),
    Budget(lines=8, rows=5, items=10, characters=200, blocks=20, entries=20),
    Budget(lines=5, rows=5, items=5, characters=100, blocks=10, entries=10),
    Budget(lines=3, rows=3, items=3, characters=40, blocks=5, entries=5),
    Budget(lines=1, rows=1, items=1, characters=20, blocks=2, entries=2),
)


def first_fitting(card: Card, attempt: Callable[[Card, Counter[str]], Made | None]) -> Made | None:
    """What a chat shows of a card: the first of `BUDGETS` that it can hold.

    Args:
        card: any card.
        attempt: makes what would be sent of a shortened card, saying what was left out; None when it does not fit.

    Returns:
        What was made; None when even the smallest does not fit.
    """
    made: dict[int, Made | None] = {}

    def fits(number: int) -> bool:
        made[number] = attempt(*shorten(card, BUDGETS[number]))
        return made[number] is not None

    # Nearly every card fits at once; for the others a few attempts do, since each budget takes less than the one before.
    return made[0] if fits(0) else made.get(bisect_left(range(len(BUDGETS)), 1, lo=1, key=fits))


def shorten(card: Card, budget: Budget) -> tuple[Card, Counter[str]]:
    """The card within a budget, and how much was left out: `lines`, `rows`, `items`, `blocks`, `entries`, `texts`."""
    shortening = _Shortening(budget)
    return shortening.card(card), shortening.left


def left_out(left: Counter[str], say: Words) -> str:
    """The sentence that says what was left out."""
    parts = say("shorten.left.separator").join(say(f"shorten.left.{kind}", count=count) for kind, count in left.items())
    return say("shorten.left_out", parts=parts)


def whole(page: str, card: Card) -> str:
    """Address of the page, at the instance that the card is about, if it is about one.

    Args:
        page: address of the page.
        card: as it was before it was shortened.
    """
    targets = (button.arguments["target"] for button in buttons(card) if "target" in button.arguments)
    target = quote(next(targets, ""), safe="")
    return f"{page}?at={target}" if 0 < len(target) <= DEEP else page


class _Shortening:
    """One pass over a card. Remembers what it left out."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._used: Counter[str] = Counter()
        self.left: Counter[str] = Counter()

    def card(self, card: Card) -> Card:
        blocks = tuple(self._block(block) for block in card.blocks if self._room(block))
        return replace(card, title=self._clip(card.title), subtitle=self._clip(card.subtitle), blocks=blocks)

    def _room(self, block: Block) -> bool:
        kind, most = ("items", self._budget.items) if isinstance(block, Item) else ("blocks", self._budget.blocks)
        self._used[kind] += 1
        if self._used[kind] > most:
            self.left[kind] += 1
        return self._used[kind] <= most

    def _block(self, block: Block) -> Block:
        match block:
            case Text() | Note():
                return replace(block, text=self._clip(block.text))
            case Fields():
                return replace(block, items=self._fields(block.items))
            case Table():
                return self._table(block)
            case Log():
                return self._log(block)
            case Chart():
                points = tuple((self._clip(label), value, tone) for label, value, tone in self._entries(block.points))
                return replace(block, points=points, title=self._clip(block.title))
            case Buttons():
                return replace(block, items=self._entries(block.items))
            case Item():
                return self._item(block)
            case Form():
                return replace(block, inputs=self._entries(block.inputs))

    def _fields(self, fields: tuple[Field, ...]) -> tuple[Field, ...]:
        return tuple(
            replace(field, label=self._clip(field.label), value=self._clip(field.value))
            for field in self._entries(fields)
        )

    def _table(self, block: Table) -> Table:
        wide = max(map(len, (block.columns, *block.rows)))
        columns = self._entries((*block.columns, *[""] * (wide - len(block.columns))))
        rows = tuple(
            tuple(map(self._clip, row[: len(columns)])) for row in self._cut(block.rows, self._budget.rows, "rows")
        )
        total = max(block.total, len(block.rows))
        return replace(block, columns=tuple(map(self._clip, columns)), rows=rows, total=total)

    def _log(self, block: Log) -> Log:
        shown = around(block, self._budget.lines)
        self._count("lines", len(block.lines) - len(shown))
        lines = tuple((block.lines[place][0], self._clip(block.lines[place][1])) for place in shown)
        return replace(block, lines=lines, title=self._clip(block.title))

    def _item(self, block: Item) -> Item:
        return replace(
            block,
            title=self._clip(block.title),
            subtitle=self._clip(block.subtitle),
            fields=self._fields(block.fields),
            buttons=self._entries(block.buttons),
        )

    def _entries(self, parts: tuple[T, ...]) -> tuple[T, ...]:
        return self._cut(parts, self._budget.entries, "entries")

    def _cut(self, parts: tuple[T, ...], most: int, kind: str) -> tuple[T, ...]:
        self._count(kind, len(parts) - most)
        return parts[:most]

    def _clip(self, text: str) -> str:
        if len(text) <= self._budget.characters:
            return text
        self._count("texts", 1)
        return text[: self._budget.characters] + "…"

    def _count(self, kind: str, left: int) -> None:
        if left > 0:
            self.left[kind] += left


def around(log: Log, most: int) -> list[int]:
    """Places of the lines to show: the nearest to a marked line, or the last ones when none is marked."""
    if len(log.lines) <= most:
        return list(range(len(log.lines)))
    marked = [place for place, (number, _) in enumerate(log.lines) if number in log.marked] or [len(log.lines)]

    def distance(place: int) -> int:
        after = bisect_left(marked, place)
        return min(abs(place - mark) for mark in marked[max(after - 1, 0) : after + 1])

    return sorted(sorted(range(len(log.lines)), key=distance)[:most])
