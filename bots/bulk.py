"""Many questions at once: a JSON object a line in, one a line out, in the same order, a bounded number at a time.

A line in is `{"id", "text", "history": [...]}`; a line out is the answer with the same `id`. A line that is no such object
is answered with an `error`, and the rest goes on. Nothing but answers is written to standard output; a terminal sees a
progress bar on standard error.
"""

import asyncio
import json
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import Any, cast

import typer

from bots.output import print_line

AT_ONCE = 8
"""Most lines being answered at the same time."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line in.

    Attributes:
        id: whatever the caller wrote; handed back untouched.
        text: the question, alert or log.
        history: what the person asked before, oldest first.
        quoted: the last thing the assistant answered, when the caller gives its text.
    """

    id: object
    text: str
    history: tuple[str, ...] = ()
    quoted: str = ""


Answer = Callable[[Line], Awaitable[Mapping[str, object]]]


async def answer_lines(path: str, answer: Answer) -> None:
    """Answer each line of a file, or of standard input for `-`, on standard output."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with open_text(path) as lines, Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        done = progress.add_task("", total=None)
        async with aclosing(answers(iter(lines), answer)) as found:
            async for result in found:
                print_line(result)
                progress.advance(done)


async def answers(lines: Iterator[str], answer: Answer) -> AsyncGenerator[Mapping[str, object]]:
    """The answer to each line, as soon as it and all before it are there."""
    queue: asyncio.Queue[asyncio.Task[Mapping[str, object]] | None] = asyncio.Queue(AT_ONCE)

    async def feed() -> None:
        try:
            while line := await asyncio.to_thread(next, lines, ""):  # a pipe may keep us waiting
                if line.strip():
                    await queue.put(asyncio.create_task(_answered(line, answer)))
        finally:
            await queue.put(None)

    feeding = asyncio.create_task(feed())
    try:
        while (task := await queue.get()) is not None:
            yield await task
        await feeding
    finally:
        feeding.cancel()


async def _answered(line: str, answer: Answer) -> Mapping[str, object]:
    try:
        asked = parse(line)
    except ValueError as error:
        return {"id": None, "error": str(error)}
    return {"id": asked.id, **await answer(asked)}


def parse(line: str) -> Line:
    """One line in.

    An entry of `history` is a text, or an object with a `role` and a `text` or `content`; what an assistant said is
    quoted, what a person asked is asked again first, so that "the second one" has a meaning.

    Raises:
        ValueError: it is no JSON object with a text.
    """
    try:
        value: Any = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError("not a line of JSON") from error
    if not isinstance(value, dict) or not isinstance(cast("dict[str, Any]", value).get("text"), str):
        raise ValueError('not an object with a "text"')
    entry = cast("dict[str, Any]", value)
    history = entry.get("history")
    past = [_said(one) for one in cast("list[Any]", history)] if isinstance(history, list) else []
    asked = tuple(text for role, text in past if role != "assistant" and text)
    return Line(
        entry.get("id"), entry["text"], asked, next((t for role, t in reversed(past) if role == "assistant"), "")
    )


def _said(entry: object) -> tuple[str, str]:
    if not isinstance(entry, dict):
        return "user", str(entry)
    said = cast("dict[str, Any]", entry)
    return str(said.get("role", "user")), str(said.get("text") or said.get("content") or "")


def open_text(path: str) -> TextIOWrapper:
    """A file, or standard input for `-`, as text; bytes that are no UTF-8 are replaced.

    Raises:
        typer.BadParameter: it cannot be opened; the command ends with a line that says why.
    """
    try:
        source = sys.stdin.buffer if path == "-" else Path(path).open("rb")  # noqa: SIM115  # the wrapper closes it
    except OSError as error:
        raise typer.BadParameter(f"{path}: {error.strerror}") from error
    return TextIOWrapper(source, encoding="utf-8", errors="replace")
