"""Commands said in a sentence: "同意 T-12", "follow load_orders", "dws_x 好了告诉我，8:30 还没好就叫王蕾", "who's on call?".

A sentence counts only as a whole and only with the name or the number spelt out; any other is for the agent. It does
exactly what the typed command does, with the rights of whoever says it. No model is asked: what decides for others,
calls people at night, or hides alerts is read by `sentences.toml` alone. The first pattern that fits decides.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from pydantic import TypeAdapter

from core.agent.rules.text import fold

LONGEST = 200
"""Characters of a sentence; what is longer was pasted."""

_FRAGMENT = re.compile(r"(?<![?]P)<(\w+)>")


@dataclass(frozen=True, slots=True)
class _Row:
    """Sentences of one command; `asks`, when they may end in a question mark: no decision does."""

    command: str
    says: tuple[str, ...]
    arguments: Mapping[str, str] | None = None
    asks: bool = False


@dataclass(frozen=True, slots=True)
class _File:
    fragments: Mapping[str, str]
    sentence: tuple[_Row, ...]


def wish(text: str) -> tuple[str, dict[str, str]] | None:
    """The command that a sentence stands for, and its arguments by name; None when it stands for none."""
    if len(text) > LONGEST or "\n" in text.strip():
        return None
    plain = " ".join(text.split())
    folded = fold(plain)
    for row, patterns in _sentences():
        for pattern in patterns:
            if found := pattern.fullmatch(folded):
                named = {name: found.span(name) for name in found.groupdict() if found[name]}
                said = {name: plain[start:end] for name, (start, end) in named.items()}
                return row.command, dict(row.arguments or {}) | said
    return None


@cache
def _sentences() -> tuple[tuple[_Row, tuple[re.Pattern[str], ...]], ...]:
    text = files("core.commands").joinpath("sentences.toml").read_text("utf-8")
    table = TypeAdapter(_File).validate_python(tomllib.loads(text))
    return tuple((row, tuple(_pattern(words, row, table.fragments) for words in row.says)) for row in table.sentence)


def _pattern(words: str, row: _Row, fragments: Mapping[str, str]) -> re.Pattern[str]:
    whole = f"<please>(?:{words}){'<asked>' if row.asks else '<end>'}"
    while _FRAGMENT.search(whole):
        whole = _FRAGMENT.sub(lambda match: fragments[match[1]], whole)
    return re.compile(whole)
