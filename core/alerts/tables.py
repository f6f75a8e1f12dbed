"""The tables beside this file, ready for use: labels to fields, and words to source, status and kind."""

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from core.i18n.script import simplified

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_ASCII = re.compile(r"[a-z0-9_ -]+")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A row of `sentences.toml`: who writes it, how, and an example that must match; what it says when no group does."""

    source: str
    pattern: re.Pattern[str]
    example: str
    status: str = ""
    kind: str = ""


@cache
def sentences() -> tuple[Sentence, ...]:
    """What names things in running text."""
    rows: list[dict[str, str]] = _load("sentences.toml")["sentence"]
    return tuple(Sentence(**{**row, "pattern": re.compile(row["pattern"])}) for row in rows)  # pyright: ignore[reportArgumentType]


@cache
def counts() -> tuple[re.Pattern[str], ...]:
    """How many things an alert says there are, wherever it lists fewer."""
    return tuple(re.compile(pattern) for pattern in _load("sentences.toml")["counts"])


@cache
def field_names(source: str) -> Mapping[str, str]:
    """Normal label to field, as this source means it."""
    keys = _load("keys.toml")
    return _turned(keys["field"]) | _turned(keys["only"].get(source, {}))


def field_name(source: str, label: str) -> str:
    """The field a label means; by its end, when only that is known: `runStatus`, 作业运行状态. `_` for none."""
    wanted = normal(label)
    ends: Mapping[str, Sequence[str]] = _load("keys.toml")["ends"]
    by_end = (name for name, words in ends.items() if wanted.endswith(tuple(words)))
    return field_names(source).get(wanted) or next(by_end, "_")


def told_by_labels(labels: Iterable[str]) -> str:
    """The kind that the labels alone tell, whatever stands beside them; empty when they tell none."""
    kinds = _turned(_load("keys.toml")["label"])
    return next(filter(None, (kinds.get(normal(label), "") for label in labels)), "")


@cache
def codes(label: str) -> Mapping[str, str]:
    """What the numbers under a label mean, for a platform that writes numbers."""
    return _load("keys.toml")["code"].get(label, {})


def source(*texts: str) -> str:
    """Who sent it, by the markers of `keys.toml`; the alert's own words count before those around it."""
    for text in map(str.lower, texts):
        for name, markers in _load("keys.toml")["source"].items():
            if any(marker in text for marker in markers):
                return name
    return "unknown"


def named(section: str) -> tuple[str, ...]:
    """The names that a section of `keys.toml` can give."""
    return tuple(_load("keys.toml")[section])


def meaning(section: str, text: str) -> str:
    """The first row of `[status]` or `[kind]` with a word in the text; empty when there is none."""
    words = simplified(_CAMEL.sub(" ", text)).lower()
    return next((name for name, pattern in _patterns(section) if pattern.search(words)), "")


def normal(label: str) -> str:
    """A label as `keys.toml` writes it."""
    return simplified(re.sub(r"[\s_*`-]", "", label)).lower()


@cache
def _patterns(section: str) -> Sequence[tuple[str, re.Pattern[str]]]:
    rows: Mapping[str, Sequence[str]] = _load("keys.toml")[section]
    return tuple((name, re.compile("|".join(map(_word, words)))) for name, words in rows.items())


def _word(word: str) -> str:
    """English words match whole, so that "down" is not found in "downstream"; Chinese ones anywhere."""
    return rf"(?<![a-z]){re.escape(word)}(?![a-z])" if _ASCII.fullmatch(word) else re.escape(word)


def _turned(rows: Mapping[str, Sequence[str]]) -> dict[str, str]:
    return {label: name for name, labels in rows.items() for label in labels}


@cache
def _load(name: str) -> dict[str, Any]:
    return tomllib.loads(files("core.alerts").joinpath(name).read_text("utf-8"))
