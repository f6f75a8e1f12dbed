"""The tables beside this file, ready for use: labels to fields, and words to source, status, kind and severity."""

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

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


@dataclass(frozen=True, slots=True)
class Signal:
    """A row of `[[signal]]`: what it weighs for an alarm, where it is looked for, and what it looks like."""

    weight: int
    on: Literal["all", "heading", "short"]
    pattern: re.Pattern[str]


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
    """The field a label means; without the words around a known one (告警任务名), or by its end (`runStatus`). `_` for none."""
    wanted, known = normal(label), field_names(source)
    ends: Mapping[str, Sequence[str]] = _load("keys.toml")["ends"]
    by_end = (name for name, words in ends.items() if wanted.endswith(tuple(words)))
    return known.get(wanted) or known.get(_around().sub(r"\1", wanted)) or next(by_end, "_")


def told_by_labels(labels: Iterable[str]) -> str:
    """The kind that the labels alone tell, whatever stands beside them; empty when they tell none."""
    kinds = _turned(_load("keys.toml")["label"])
    return next(filter(None, (kinds.get(normal(label), "") for label in labels)), "")


@cache
def codes(label: str) -> Mapping[str, str]:
    """What the numbers under a label mean, for a platform that writes numbers."""
    return _load("keys.toml")["code"].get(label, {})


def source(*texts: str) -> str:
    """Who sent it, by the marks of `senders.toml`; the alert's own words count before those around it."""
    for text in map(str.lower, texts):
        for name, marks in _senders():
            if any(all(part in text and pattern.search(text) for part, pattern in mark) for mark in marks):
                return name
    return "unknown"


def marks() -> Sequence[tuple[str, Sequence[str]]]:
    """Each sender with its marks, in the order in which they decide."""
    return [(name, row["marks"]) for name, row in _load("senders.toml").items()]


def usual_kind(sender: str) -> str:
    """The kind of alert that a tool sends that watches one thing only; empty for others."""
    return _load("senders.toml").get(sender, {}).get("kind", "")


def senders() -> tuple[str, ...]:
    """The names that `source` can give, beside `unknown`."""
    return tuple(name for name, _ in marks())


def named(section: str) -> tuple[str, ...]:
    """The names that a section of `words.toml` can give."""
    return tuple(_load("words.toml")[section])


@cache
def nouns() -> Mapping[str, str]:
    """Words that stand beside the name of a thing, by what they call it."""
    return _turned(_load("keys.toml")["noun"])


def unlabelled(what: str, text: str) -> str:
    """What a text says without a label, by the first pattern of `[said]` that fits; empty when none does."""
    read_as = simplified(text)
    found = next(filter(None, (pattern.search(read_as) for pattern in _said(what))), None)
    return text[slice(*found.span(1))].strip() if found else ""


@cache
def signals() -> tuple[Signal, ...]:
    """What speaks for and against an alarm."""
    rows: list[dict[str, Any]] = _load("words.toml")["signal"]
    return tuple(Signal(row["weight"], row["on"], re.compile(row["pattern"], re.IGNORECASE)) for row in rows)


def grade(source: str, severity: str) -> str:
    """`critical`, `warning` or `info`; what the alert writes, where its words or numbers mean nothing to us."""
    return _load("words.toml")["grade"].get(source, {}).get(severity) or meaning("severity", severity) or severity


def meaning(section: str, text: str) -> str:
    """The first row of `[status]`, `[kind]` or `[severity]` with a word in the text; empty when there is none."""
    words = simplified(_CAMEL.sub(" ", text)).lower()
    return next((name for name, pattern in _patterns(section) if pattern.search(words)), "")


def normal(label: str) -> str:
    """A label as `keys.toml` writes it."""
    return simplified(re.sub(r"[\s_*`-]", "", label)).lower()


@cache
def _patterns(section: str) -> Sequence[tuple[str, re.Pattern[str]]]:
    rows: Mapping[str, Sequence[str]] = _load("words.toml")[section]
    return tuple((name, re.compile("|".join(map(_word, words)))) for name, words in rows.items())


def _word(word: str) -> str:
    """English words match whole, so that "down" is not found in "downstream"; Chinese ones anywhere."""
    return rf"(?<![a-z]){re.escape(word)}(?![a-z])" if _ASCII.fullmatch(word) else re.escape(word)


def _turned(rows: Mapping[str, Sequence[str]]) -> dict[str, str]:
    return {label: name for name, labels in rows.items() for label in labels}


@cache
def _said(what: str) -> Sequence[re.Pattern[str]]:
    return [re.compile(pattern) for pattern in _load("words.toml")["said"][what]]


@cache
def _around() -> re.Pattern[str]:
    before, after = ("|".join(map(re.escape, _load("keys.toml")["around"][name])) for name in ("before", "after"))
    return re.compile(rf"^(?:{before})?(.+?)(?:{after})?$")


@cache
def _senders() -> Sequence[tuple[str, Sequence[Sequence[tuple[str, re.Pattern[str]]]]]]:
    return [(name, [[(part, _mark(part)) for part in mark.split(" + ")] for mark in own]) for name, own in marks()]


def _mark(part: str) -> re.Pattern[str]:
    """A mark that is no part of a name: `kettle` does not stand in `kettle_ods_sync`."""
    return re.compile(rf"(?<![a-z0-9][_-]){re.escape(part)}" + ("(?![_-][a-z0-9])" if part[-1].isalnum() else ""))


@cache
def _load(name: str) -> dict[str, Any]:
    return tomllib.loads(files("core.alerts").joinpath(name).read_text("utf-8"))
