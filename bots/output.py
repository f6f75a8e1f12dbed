"""What the commands share: options, settings with logging set up, and what they print."""

import json
import re
import sys
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from core.settings import Settings, load_settings

As = Annotated[str, typer.Option("--as", help="Name of the person, from `people` in the settings.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
Lines = Annotated[
    bool,
    typer.Option("--jsonl", help='Read {"id", "text"} a line, print the answer with the same id a line, in order.'),
]

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def configured(log_level: str = "") -> Settings:
    """The settings, with logging as they say, or at the level given."""
    from core.observe import configure_logging

    settings = load_settings()
    configure_logging(log_level or settings.log_level)
    return settings


def moment(text: str, *, ahead: bool = False) -> datetime | None:
    """A moment written as `2026-03-01T08:00+08:00`, or as `30m`, `8h`, `7d`: so long ago, or so far ahead.

    Without a zone it is meant as this machine's. None for nothing.
    """
    if not text:
        return None
    if span := re.fullmatch(r"(\d{1,5})([mhd])", text):
        distance = timedelta(**{_UNITS[span[2]]: int(span[1])})
        return datetime.now(UTC) + (distance if ahead else -distance)
    try:
        return datetime.fromisoformat(text).astimezone()
    except ValueError as error:
        raise typer.BadParameter(f"{text} is no moment: write 2026-03-01T08:00+08:00, 30m, 8h or 7d") from error


def print_text(text: str) -> None:
    """The product of a command. UTF-8 whatever the terminal's encoding; a lone surrogate is shown escaped."""
    sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace") + b"\n")
    sys.stdout.buffer.flush()


def print_json(value: object) -> None:
    """One JSON object, for people and scripts."""
    print_text(json.dumps(value, ensure_ascii=False, indent=2))


def print_line(value: object) -> None:
    """One JSON object on one line."""
    print_text(json.dumps(value, ensure_ascii=False))
