"""The table of intents (`intents.toml`), read once."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from pydantic import TypeAdapter

from core.agent.rules.text import blank

_NEVER = re.compile(r"(?!)")

Needs = Literal["nothing", "instance", "table", "group", "subject"]


@dataclass(frozen=True, slots=True)
class Intent:
    """One row; intents.toml says what each column means."""

    tool: str
    words: re.Pattern[str]
    needs: Needs
    arguments: Mapping[str, str]
    named: bool
    small: bool

    @property
    def finds(self) -> bool:
        """Whether it looks for names that hold a word."""
        return self.arguments.get("kind") == "search"

    @property
    def orders(self) -> bool:
        """Whether it asks for a change, be it one that is refused."""
        return self.tool == "propose_operation" or self.arguments.get("topic") == "not_everything"


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
    reported: tuple[str, ...]
    intent: tuple[_Row, ...]


def matching(clause: str) -> Iterator[Intent]:
    """The intents whose words stand in a folded clause, the first first; orders only in what is not reported."""
    ordered = blank(clause, reported(clause))
    return (row for row in intents() if row.words.search(ordered if row.orders else clause))


def first(clause: str, *, named: bool) -> Intent | None:
    """The first intent of a folded clause; `named` says whether the clause names something."""
    return next((row for row in matching(clause) if named or not row.named), None)


def reported(clause: str) -> list[tuple[int, int]]:
    """Where a folded clause tells of a change that was made (已经重跑好的, "who stopped") instead of asking for one."""
    return [match.span() for match in _reported().finditer(clause)]


def listing(kind: str, subject: str) -> Intent:
    """A list of a project's or an owner's instances, as if the table had a row for it."""
    return Intent("list_instances", _NEVER, "group", {"kind": kind, "subject": subject}, named=False, small=False)


def status() -> Intent:
    """The state of what is named, for a message that holds nothing but a name."""
    return Intent("instance_status", _NEVER, "instance", {}, named=True, small=False)


@cache
def _file() -> _File:
    text = files("core.agent.rules").joinpath("intents.toml").read_text("utf-8")
    return TypeAdapter(_File).validate_python(tomllib.loads(text))


@cache
def intents() -> tuple[Intent, ...]:
    """All rows, in the order in which they are tried."""
    return tuple(
        Intent(row.tool, _words(row.words), row.needs, row.arguments or {}, row.named, row.small)
        for row in _file().intent
    )


@cache
def _reported() -> re.Pattern[str]:
    return _words(_file().reported)


def _words(patterns: tuple[str, ...]) -> re.Pattern[str]:
    """One pattern of several; ASCII, so that a word ends between a Latin letter and a Chinese one."""
    words = "|".join(f"(?:{pattern})" for pattern in patterns)
    for _ in range(2):  # a fragment may hold others
        for name, fragment in _file().fragments.items():
            words = words.replace(f"<{name}>", fragment)
    return re.compile(words, re.ASCII)
