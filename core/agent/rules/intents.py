"""The table of intents (`intents.toml`), read once."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from pydantic import TypeAdapter

_NEVER = re.compile(r"(?!)")

Needs = Literal["nothing", "instance", "table", "group"]


@dataclass(frozen=True, slots=True)
class Intent:
    """One row; intents.toml says what each column means."""

    tool: str
    words: re.Pattern[str]
    needs: Needs
    arguments: Mapping[str, str]
    named: bool
    small: bool


@dataclass(frozen=True, slots=True)
class _Row:
    tool: str
    words: tuple[str, ...]
    needs: Needs = "nothing"
    arguments: Mapping[str, str] | None = None
    named: bool = False
    small: bool = False


@dataclass(frozen=True, slots=True)
class _File:
    fragments: Mapping[str, str]
    intent: tuple[_Row, ...]


@cache
def intents() -> tuple[Intent, ...]:
    """All rows, in the order in which they are tried."""
    text = files("core.agent.rules").joinpath("intents.toml").read_text("utf-8")
    table = TypeAdapter(_File).validate_python(tomllib.loads(text))
    return tuple(_intent(row, table.fragments) for row in table.intent)


def first(clause: str, *, named: bool) -> Intent | None:
    """The first intent whose words stand in a folded clause; `named` says whether the clause names something."""
    return next((row for row in intents() if (named or not row.named) and row.words.search(clause)), None)


def listing(kind: str, subject: str) -> Intent:
    """A list of a project's or an owner's instances, as if the table had a row for it."""
    return Intent("list_instances", _NEVER, "group", {"kind": kind, "subject": subject}, named=False, small=False)


def status() -> Intent:
    """The state of what is named, for a message that holds nothing but a name."""
    return Intent("instance_status", _NEVER, "instance", {}, named=True, small=False)


def _intent(row: _Row, fragments: Mapping[str, str]) -> Intent:
    words = "|".join(f"(?:{word})" for word in row.words)
    for name, fragment in fragments.items():
        words = words.replace(f"<{name}>", fragment)
    # ASCII, so that \b stands between a Latin word and a Chinese one
    return Intent(row.tool, re.compile(words, re.ASCII), row.needs, row.arguments or {}, row.named, row.small)
