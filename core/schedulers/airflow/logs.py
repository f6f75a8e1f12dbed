"""Airflow's structured log as lines of text, tracebacks as Python prints them.

Airflow 3 stores a log as one JSON object a line, and a traceback as data (`error_detail`, structlog's
`ExceptionDictTransformer`): the exception that was raised first, then what caused it. Python prints them the other way
round, and so do we: whoever reads logs for a living knows that form.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from core.schedulers.airflow.wire import Wire

Event = Mapping[str, Any]

GROUP: Final = "::group::"
GROUP_END: Final = "::endgroup::"
SOURCES: Final = "::group::Log message source details"
"""Where Airflow read the log from: file names, and what it could not reach. Not part of what the task wrote."""
WHERE: Final = ("filename", "lineno", "func_name", "loc", "process", "logger")
WHOSE: Final = ("task_id", "dag_id", "run_id", "ti_id", "map_index", "try_number")
TOLD: Final = frozenset({"timestamp", "event", "level", *WHERE, *WHOSE})
"""Fields that are printed before the others, or say where a line comes from and are the same on every line."""
DETAIL: Final = "error_detail"
CAUSED: Final = "The above exception was the direct cause of the following exception:"
DURING: Final = "During handling of the above exception, another exception occurred:"
RULER: Final = "-" * 16
"""On both sides of an exception's number within a group."""
CLOSING: Final = "-" * 36
"""Below the last exception of a group."""


class Frame(Wire):
    """A call. Where structlog left out the middle of a very deep stack, `filename` is empty and `name` says so."""

    filename: str = ""
    lineno: int = 0
    name: str = ""


class Syntax(Wire):
    """Where a file is not Python."""

    filename: str = ""
    lineno: int = 0
    line: str = ""
    msg: str = ""


class Raised(Wire):
    """One exception of a chain; `is_cause` when it is the cause of the one before it in the list (`raise … from …`)."""

    exc_type: str
    exc_value: str = ""
    exc_notes: tuple[str, ...] = ()
    syntax_error: Syntax | None = None
    is_cause: bool = False
    frames: tuple[Frame, ...] = ()
    is_group: bool = False
    exceptions: "tuple[tuple[Raised, ...], ...]" = ()


Chain = Sequence[Raised]
CHAIN: Final = TypeAdapter(tuple[Raised, ...])


def lines(content: Iterable[Event | str]) -> list[str]:
    """What the task wrote, line by line. What Airflow says about its sources is kept only when there is nothing else."""
    about: list[str] = []
    written: list[str] = []
    in_sources = False
    for item in content:
        event = {"event": item} if isinstance(item, str) else item
        text = str(event.get("event", ""))
        if in_sources or text == SOURCES:
            in_sources = text != GROUP_END
            about += [] if text.startswith("::") else [text]
        elif not text.startswith((GROUP, GROUP_END)):
            written += _lines(event, text)
    return written or about


def _lines(event: Event, text: str) -> Iterator[str]:
    chain = _chain(event)
    hidden = TOLD | {DETAIL} if chain else TOLD
    extra = " ".join(f"{name}={value}" for name, value in event.items() if name not in hidden)
    head = (event.get("timestamp"), str(event.get("level") or "").upper(), text, extra)
    yield from " ".join(str(part) for part in head if part).splitlines() or [""]
    yield from traceback(chain)


def _chain(event: Event) -> Chain:
    """The traceback of a line; none when a task used the field's name for something of its own."""
    try:
        return CHAIN.validate_python(event.get(DETAIL) or ())
    except ValidationError:
        return ()


def traceback(chain: Chain, depth: int = 0) -> Iterator[str]:
    """A chain of exceptions, the root cause first, as Python prints it, without the source lines it would add.

    Args:
        chain: the exception that ended the task, then its cause or what was being handled, and so on.
        depth: how many exception groups it lies in.
    """
    margin = f"{'  ' * depth}| " if depth else ""
    for position in reversed(range(len(chain))):
        one = chain[position]
        if one.is_group:
            yield from _group(one, depth)
        else:
            yield from (margin + line for line in _exception(one, "Traceback"))
        if position:
            yield from (margin + line for line in ("", CAUSED if one.is_cause else DURING, ""))


def _group(one: Raised, outer: int) -> Iterator[str]:
    depth = max(outer, 1)
    indent = "  " * depth
    first, *rest = _exception(one, "Exception Group Traceback")
    yield f"{indent}{'|' if outer else '+'} {first}"
    yield from (f"{indent}| {line}" for line in rest)
    for number, chain in enumerate(one.exceptions, 1):
        yield f"{indent}{'+-' if number == 1 else '  '}+{RULER} {number} {RULER}"
        yield from traceback(chain, depth + 1)
    if one.exceptions and not one.exceptions[-1][0].is_group:  # a group at the end has drawn this line itself
        yield f"{indent}  +{CLOSING}"


def _exception(one: Raised, title: str) -> list[str]:
    value = one.syntax_error.msg if one.syntax_error else one.exc_value
    return [
        *([f"{title} (most recent call last):"] if one.frames else []),
        *(_frame(frame) for frame in one.frames),
        *(_source(one.syntax_error) if one.syntax_error else []),
        *(f"{one.exc_type}: {value}" if value else one.exc_type).split("\n"),
        *(line for note in one.exc_notes for line in note.split("\n")),
    ]


def _frame(frame: Frame) -> str:
    if not frame.filename:
        return f"  [{frame.name}]"
    return f'  File "{frame.filename}", line {frame.lineno}, in {frame.name}'


def _source(syntax: Syntax) -> list[str]:
    return [f'  File "{syntax.filename}", line {syntax.lineno}', f"    {syntax.line.strip()}"]
