"""Pieces of markdown and rows of buttons, laid out the two ways DingTalk can show them.

On a card they fill sections, each a text and a group of buttons, and each value at most `VALUE` bytes. In a message they
are one text in which buttons are links.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Literal

import orjson

from bots.dingtalk.buttons import address, entry, label
from bots.dingtalk.markdown import escape
from core.cards import Button

SECTIONS = 24
VALUE = 1000
"""Most bytes of one value; the documentation says 1 KB ("create-and-deliver-cards")."""

_CARD_BREAKS = {"paragraph": "\n\n", "line": "<br>", "on": "", "code": "\n"}
_MESSAGE_BREAKS = {"paragraph": "\n\n", "line": "  \n", "on": "", "code": "\n"}
_FENCE = "```"


@dataclass(frozen=True, slots=True)
class Line:
    """A piece of text as markdown, of at most `VALUE` bytes less a fence.

    Attributes:
        start: begins a paragraph, a line, or goes on where the one before ended; `code` lines belong into a fence.
    """

    text: str
    start: Literal["paragraph", "line", "on", "code"] = "line"


Row = tuple[Button, ...]
Part = Line | Row
Section = tuple[str, str]
"""A text, and a group of buttons as JSON."""


def fits(button: Button) -> bool:
    """Whether a button can be shown at all: what it carries must fit a value, and a link."""
    return len(_group([entry(button)])) <= VALUE and len(address(button)) <= VALUE


def sections(parts: Sequence[Part]) -> list[Section]:
    """Sections of a card, however many they are."""
    found: list[Section] = []
    for part in _merged(parts):
        if isinstance(part, str):
            found.append((part, "[]"))
            continue
        for group in _groups(part):
            if found and found[-1][1] == "[]":
                found[-1] = (found[-1][0], group)
            else:
                found.append(("", group))
    return found


def markdown(parts: Sequence[Part]) -> str:
    """The text of a message."""
    text = ""
    for is_row, run in groupby(parts, lambda part: isinstance(part, tuple)):
        if is_row:
            rows = ("　".join(map(_link, part)) for part in run if isinstance(part, tuple))
            text += "\n\n" + "  \n".join(rows)
        else:
            lines = [part for part in run if isinstance(part, Line)]
            text += "".join(
                "\n\n" + (_fenced(block) if fence else _joined(block, _MESSAGE_BREAKS))
                for fence, block in _blocks(lines)
            )
    return text.strip()


def size(text: str) -> int:
    """Bytes of a text as a JSON string within a JSON string, which is how messages are sent."""
    return len(orjson.dumps(orjson.dumps(text).decode()))


def _merged(parts: Sequence[Part]) -> Iterator[str | Row]:
    """Neighbouring lines as texts that are as long as a value may be."""
    for is_row, run in groupby(parts, lambda part: isinstance(part, tuple)):
        if is_row:
            yield tuple(button for part in run if isinstance(part, tuple) for button in part)
        else:
            for fence, block in _blocks([part for part in run if isinstance(part, Line)]):
                yield from _filled(block, fence=fence)


def _blocks(lines: list[Line]) -> Iterator[tuple[bool, list[Line]]]:
    for fence, run in groupby(lines, lambda line: line.start == "code"):
        yield fence, list(run)


def _filled(lines: list[Line], *, fence: bool) -> Iterator[str]:
    taken: list[Line] = []
    for line in lines:
        longer = _text([*taken, line], fence=fence)
        if taken and len(longer.encode()) > VALUE:
            yield _text(taken, fence=fence)
            taken = []
        taken.append(line)
    if taken:
        yield _text(taken, fence=fence)


def _text(lines: list[Line], *, fence: bool) -> str:
    return _fenced(lines) if fence else _joined(lines, _CARD_BREAKS)


def _fenced(lines: list[Line]) -> str:
    return "\n".join((_FENCE, *(line.text for line in lines), _FENCE))


def _joined(lines: list[Line], breaks: dict[str, str]) -> str:
    first, *rest = lines
    return first.text + "".join(breaks[line.start] + line.text for line in rest)


def _groups(row: Row) -> Iterator[str]:
    taken: list[dict[str, Any]] = []
    for button in row:
        if taken and len(_group([*taken, entry(button)])) > VALUE:
            yield _group(taken).decode()
            taken = []
        taken.append(entry(button))
    if taken:
        yield _group(taken).decode()


def _group(entries: list[dict[str, Any]]) -> bytes:
    return orjson.dumps(entries)


def _link(button: Button) -> str:
    return f"[{escape(label(button))}]({address(button)})"
