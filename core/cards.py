"""What can go out: one card model, rendered by each channel within its own limits (`core.channel.Limits`).

Texts in a card are plain text. A channel escapes them for its own markup; nothing here is ever read as markdown, HTML
or a mention. Words for people are chosen before a card is built (`core.views`), so a card has one language.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import Discriminator, TypeAdapter

Tone = Literal["neutral", "info", "success", "warning", "danger"]


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph; newlines are kept."""

    text: str
    style: Literal["normal", "strong", "muted"] = "normal"
    type: Literal["text"] = "text"


@dataclass(frozen=True, slots=True)
class Field:
    """A labelled value."""

    label: str
    value: str
    tone: Tone = "neutral"


@dataclass(frozen=True, slots=True)
class Fields:
    """Labelled values in one or two columns."""

    items: tuple[Field, ...]
    columns: Literal[1, 2] = 2
    type: Literal["fields"] = "fields"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text.

    Attributes:
        total: how many rows there are in truth when `rows` is only a part.
        title: one line that says the same in short.
        folded: the title is enough for most readers; a channel that can fold shows the rows only on demand.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    total: int = 0
    title: str = ""
    folded: bool = False
    type: Literal["table"] = "table"


@dataclass(frozen=True, slots=True)
class Log:
    """Lines of a log, numbered as in the source.

    Attributes:
        lines: (number, text) in order; gaps in the numbers are real gaps and are shown as such.
        marked: numbers of the lines that prove something.
        title: where it is from.
    """

    lines: tuple[tuple[int, str], ...]
    marked: frozenset[int] = frozenset()
    title: str = ""
    type: Literal["log"] = "log"


@dataclass(frozen=True, slots=True)
class Chart:
    """Counts or durations to look at. Every chart can also be read as text.

    Attributes:
        points: (label, value, tone).
        unit: written after each value, e.g. `s`; may be empty.
    """

    kind: Literal["bar", "pie", "line"]
    points: tuple[tuple[str, float, Tone], ...]
    title: str = ""
    unit: str = ""
    type: Literal["chart"] = "chart"


@dataclass(frozen=True, slots=True)
class Button:
    """Something to press. Pressing sends `core.messages.Click` with this command and these arguments, or opens `url`."""

    label: str
    command: str = ""
    arguments: Mapping[str, str] = field(default_factory=dict[str, str])
    style: Literal["default", "primary", "danger"] = "default"
    url: str = ""


@dataclass(frozen=True, slots=True)
class Buttons:
    """A row of buttons, most useful first: a channel that cannot show all moves the last ones into a menu or a page."""

    items: tuple[Button, ...]
    type: Literal["buttons"] = "buttons"


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of a list, with its own fields and buttons: a failed instance, a choice, a mute."""

    title: str
    subtitle: str = ""
    tone: Tone = "neutral"
    fields: tuple[Field, ...] = ()
    buttons: tuple[Button, ...] = ()
    type: Literal["item"] = "item"


@dataclass(frozen=True, slots=True)
class Input:
    """A value a person may enter or choose in a form."""

    name: str
    label: str
    kind: Literal["text", "multiline", "date", "select"] = "text"
    options: tuple[tuple[str, str], ...] = ()
    required: bool = False
    value: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """Inputs that are sent together by one button."""

    inputs: tuple[Input, ...]
    submit: Button
    type: Literal["form"] = "form"


@dataclass(frozen=True, slots=True)
class Note:
    """Small print: sources, times, limits."""

    text: str
    type: Literal["note"] = "note"


Block = Annotated[Text | Fields | Table | Log | Chart | Buttons | Item | Form | Note, Discriminator("type")]


@dataclass(frozen=True, slots=True)
class Card:
    """One answer.

    Attributes:
        title: a few words.
        blocks: in reading order.
        tone: colour of the header; the title says the same in words, since colour alone tells not everyone.
        subtitle: usually the time with zone and the business date.
        pending: the answer is still being worked out and another version follows shortly; a channel that cannot edit for
            nothing may skip all versions but the first and the last.
    """

    title: str
    blocks: tuple[Block, ...] = ()
    tone: Tone = "neutral"
    subtitle: str = ""
    pending: bool = False

    def as_text(self) -> str:
        """The whole card as plain text: for old clients, terminals, the model's history and search."""
        return "\n".join(_lines(self))


CARD: TypeAdapter[Card] = TypeAdapter(Card)
"""Reads and writes a `Card` as JSON: to keep it, and for scripts."""


def buttons(card: Card) -> Iterator[Button]:
    """Every button of a card, in reading order."""
    for block in card.blocks:
        match block:
            case Buttons(items=items):
                yield from items
            case Item():
                yield from block.buttons
            case Form():
                yield block.submit
            case _:
                pass


def _lines(card: Card) -> Iterator[str]:
    yield card.title
    if card.subtitle:
        yield card.subtitle
    for block in card.blocks:
        yield from _block_lines(block)


def _block_lines(block: Block) -> Iterator[str]:  # one flat case a block
    match block:
        case Text(text=text) | Note(text=text):
            yield text
        case Fields(items=items):
            yield from (f"{item.label}: {item.value}" for item in items)
        case Table():
            yield from _table_lines(block)
        case Log():
            if block.title:
                yield block.title
            yield from (f"{'>' if number in block.marked else ' '} {number:>5}  {text}" for number, text in block.lines)
        case Chart():
            if block.title:
                yield block.title
            yield "  ".join(f"{label} {value:g}{block.unit}" for label, value, _ in block.points)
        case Buttons(items=items):
            yield "  ".join(f"[{button.label}]" for button in items)
        case Item():
            yield f"· {block.title}" + (f"  {block.subtitle}" if block.subtitle else "")
            yield from (f"    {item.label}: {item.value}" for item in block.fields)
            if block.buttons:
                yield "    " + "  ".join(f"[{button.label}]" for button in block.buttons)
        case Form():
            yield from (f"{item.label}: {item.value or '…'}" for item in block.inputs)
            yield f"[{block.submit.label}]"


def _table_lines(table: Table) -> Iterator[str]:
    if table.title:
        yield table.title
    yield " | ".join(table.columns)
    yield from (" | ".join(row) for row in table.rows)
    if table.total > len(table.rows):
        yield f"… {len(table.rows)}/{table.total}"
