"""The same assistant in a terminal: cards as panels, buttons by their number."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from getpass import getuser
from uuid import uuid4

from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table as Grid
from rich.text import Text as Line

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
from core.errors import NotFound
from core.messages import Actor, Click, Conversation, Event, Message
from core.redact import clean

STYLE: dict[Tone, str] = {"neutral": "", "info": "cyan", "success": "green", "warning": "yellow", "danger": "red"}
BAR_WIDTH = 30
LINES = 200
"""Most lines of a log, and rows of a table, printed for one card: the last of a log, the first of a table."""


class TerminalChannel:
    """Implements `core.channel.Channel` on standard output.

    Args:
        console: where to print; standard output unless a test wants to read it.
        show: puts out a card by its reference in another way than as a panel, e.g. as a line of JSON.

    Attributes:
        cards: what every card shows now, by reference.
        last: reference of the card printed last; its buttons are the ones that numbers press.
    """

    name = "terminal"
    limits = Limits(
        card_bytes=1_000_000,
        elements=10_000,
        buttons=99,
        table_rows=LINES,
        editable_for=timedelta(days=1),
        edits_per_second=10,
    )

    def __init__(self, console: Console | None = None, *, show: Callable[[str, Card], None] | None = None) -> None:
        self._console = console
        self._show = show
        self.cards: dict[str, Card] = {}
        self._keys: dict[str, str] = {}
        self.last = ""

    async def send(self, conversation: Conversation, card: Card, *, key: str) -> str:
        """Print a card, once for a key."""
        if key not in self._keys:
            self._keys[key] = reference = uuid4().hex
            self._print(reference, card)
        return self._keys[key]

    async def update(self, reference: str, card: Card, *, key: str) -> None:
        """Print the card again: a terminal cannot go back. Nothing is printed when nothing changed."""
        if reference not in self.cards:
            raise NotFound(f"no card {reference}", kind="card", name=reference)
        if self.cards[reference] != card:
            self._print(reference, card)

    async def lookup(self, actor_id: str) -> Actor:
        """The person at the keyboard."""
        return Actor(self.name, actor_id)

    def button(self, number: int) -> Button | None:
        """The button with this number on the card printed last, from 1."""
        shown = [button for button in buttons(self.cards[self.last]) if button.command] if self.last else []
        return shown[number - 1] if 1 <= number <= len(shown) else None

    def _print(self, reference: str, card: Card) -> None:
        self.cards[reference] = card
        self.last = reference
        if self._show is not None:
            self._show(reference, card)
        else:
            (self._console or Console()).print(panel(card))


async def chat(answer: Callable[[Event], Awaitable[None]], channel: TerminalChannel, person: str) -> None:
    """Read lines until end of file and answer each. A number presses that button of the card printed last."""
    conversation = Conversation(channel.name, f"{getuser()}:{person}")
    while True:
        try:
            line = await asyncio.to_thread(input, "› " if sys.stdin.isatty() else "")
        except EOFError:
            return
        text = clean(line).strip()
        if text:
            await answer(typed(text, channel, conversation, Actor(channel.name, person)))


def typed(text: str, channel: TerminalChannel, conversation: Conversation, actor: Actor) -> Event:
    """What a line means: a press of the button with this number, or else a message."""
    button = channel.button(int(text)) if text.isascii() and text.isdecimal() and len(text) < 3 else None
    now = datetime.now(UTC)
    if button is None:
        return Message(uuid4().hex, conversation, actor, text, now)
    return Click(uuid4().hex, conversation, actor, button.command, now, button.arguments, card=channel.last)


def panel(card: Card) -> Panel:
    """How a card looks in a terminal."""
    numbers = iter(range(1, 1000))
    parts = [part for block in card.blocks for part in _block(block, numbers)]
    return Panel(
        Group(*parts),
        title=Line(card.title, style="bold"),
        subtitle=Line(card.subtitle),
        border_style=STYLE[card.tone] or "dim",
        title_align="left",
        subtitle_align="left",
    )


def _block(block: Block, numbers: Iterator[int]) -> list[RenderableType]:  # one flat case a block
    match block:
        case Text():
            return [Line(block.text, style={"normal": "", "strong": "bold", "muted": "dim"}[block.style])]
        case Note(text):
            return [Line(text, style="dim")]
        case Fields(items):
            return [_fields(items)]
        case Table():
            return [_table(block)]
        case Log():
            return [_log(block)]
        case Chart():
            return [_chart(block)]
        case Buttons(items):
            return [_buttons(items, numbers)]
        case Item():
            head = Line.assemble((f"● {block.title}", STYLE[block.tone] or "bold"), f"  {block.subtitle}")
            return [head, _fields(block.fields), _buttons(block.buttons, numbers)]
        case Form():
            return [*(Line(f"{item.label}: {item.value}") for item in block.inputs), _buttons((block.submit,), numbers)]


def _fields(fields: tuple[Field, ...]) -> Grid:
    grid = Grid.grid(padding=(0, 2))
    for item in fields:
        grid.add_row(Line(item.label, style="dim"), Line(item.value, style=STYLE[item.tone]))
    return grid


def _table(table: Table) -> Grid:
    grid = Grid(
        box=None,
        header_style="dim",
        pad_edge=False,
        title=Line(table.title) if table.title else None,
        title_justify="left",
    )
    for column in table.columns:
        grid.add_column(Line(column))
    for row in table.rows[:LINES]:
        grid.add_row(*(Line(cell) for cell in row))
    total = max(table.total, len(table.rows))
    if total > len(table.rows[:LINES]):
        grid.caption = Line(f"… {len(table.rows[:LINES])}/{total}")
    return grid


def _log(log: Log) -> RenderableType:
    text = Line(f"{log.title}\n" if log.title else "", style="dim", overflow="fold")
    previous = 0
    if len(log.lines) > LINES:
        text.append(f"      … {LINES}/{len(log.lines)}\n", style="dim")
    for number, line in log.lines[-LINES:]:
        if previous and number != previous + 1:
            text.append("      …\n", style="dim")
        marked = number in log.marked
        text.append(f"{'▶' if marked else ' '}{number:>5} {line}\n", style="bold red" if marked else "")
        previous = number
    return text


def _chart(chart: Chart) -> Group:
    largest = max((value for _, value, _ in chart.points), default=0) or 1
    grid = Grid.grid(padding=(0, 1))
    for label, value, tone in chart.points:
        bar = Line("█" * max(round(value / largest * BAR_WIDTH), int(value > 0)), style=STYLE[tone])
        grid.add_row(Line(label), bar, Line(f"{value:g}{chart.unit}"))
    return Group(Line(chart.title, style="dim"), grid)


def _buttons(items: tuple[Button, ...], numbers: Iterator[int]) -> Line:
    text = Line()
    for button in items:
        text.append(
            f"[{next(numbers)}] {button.label}   " if button.command else f"{button.label}: {button.url}   ", "cyan"
        )
    return text
