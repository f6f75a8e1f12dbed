"""Labelled values out of a text: JSON wherever it stands, broken JSON pair by pair, and lines such as `任务名称: x`.

Facts are a mapping of label to value, one mapping for each alert. Nested objects are flattened by their last label, lists
of objects are several alerts, and a value that is JSON itself is opened too.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

Facts = Mapping[str, str]

DEPTH = 8
DOCUMENTS = 200
"""Most JSON documents looked at in one text."""

_DECODER = json.JSONDecoder(parse_int=str, parse_float=str)  # ids stay strings
_START = re.compile(r"[{\[]\s*[\"'{\[]|\{\s*\}")
_PAIR = re.compile(
    r"[\"'](\w{1,60})[\"']\s*:\s*(?:\"((?:[^\"\\\n]|\\.){0,2000})\"|'([^'\n]{0,2000})'|([\w*.+-]{1,60}))"
)
_LINE = re.compile(
    r"^[\s>*#•·|`-]*(?:【[^】]{1,40}】)?([^\s:：=|][^:：=|\n]{0,38}?)\s*[*`]{0,2}\s*(?:[:：]|\s=\s)\s*[*`]{0,2}\s*(\S[^\n]{0,2000}?)?\s*$"
)
_MARKUP = re.compile(r"<(?!TaskInstance)[^<>\n]{1,300}>")
_LINK = re.compile(r"!?\[([^\[\]\n]{0,300})\]\([^()\n]{0,600}\)")
_HEADER = re.compile(r"^(?:https?|ftp)$|^\d+$")


def documents(text: str) -> tuple[list[Facts], str]:
    """The facts of all JSON in a text, and the text without it."""
    found: list[Facts] = []
    rest: list[str] = []
    position, tried = 0, 0
    while (start := _START.search(text, position)) and tried < DOCUMENTS:
        tried += 1
        rest.append(text[position : start.start()])
        value, position = _document(text, start.start())
        facts = [] if value is None else list(_flattened(value, {}, 0))
        found += facts
        if not facts:
            rest.append(text[start.start() : position])
    rest.append(text[position:])
    return found, "".join(rest)


def lines(text: str) -> list[Facts]:
    """The facts of labelled lines. A label that comes again begins another alert."""
    groups: list[dict[str, str]] = [{}]
    for line in plain(text).splitlines():
        for part in line.split(" | ") if " | " in line else (line,):
            match = _LINE.match(part[:2100])
            if match is None or _HEADER.match(match[1].lower()):
                continue
            label, value = normal(match[1]), (match[2] or "").strip("*` ")
            if label in groups[-1]:
                groups.append({})
            groups[-1][label] = value
    return [group for group in groups if group]


def plain(text: str) -> str:
    """The text without markup: tags gone, links by their words."""
    return _LINK.sub(r"\1", _MARKUP.sub("", text))


def normal(label: str) -> str:
    """A label as `keys.toml` writes it."""
    return re.sub(r"[\s_*`-]", "", label).lower()


def _document(text: str, start: int) -> tuple[Any, int]:
    try:
        return _DECODER.raw_decode(text, start)
    except (ValueError, RecursionError):
        return _pairs(text, start)


def _pairs(text: str, start: int) -> tuple[dict[str, str] | None, int]:
    """What can still be told of JSON that is none: comments, masked digits, a missing brace."""
    pairs: dict[str, str] = {}
    end = start + 1
    for match in _PAIR.finditer(text, start, start + 20_000):
        label = match[1]
        if label in pairs or match.start() - end > 400:
            break
        pairs[label] = next((group for group in match.groups()[1:] if group is not None), "")
        end = match.end()
    return (pairs, end) if len(pairs) > 1 else (None, end)


def _flattened(value: Any, above: Facts, depth: int) -> Iterator[Facts]:  # noqa: ANN401  # JSON
    """Facts of each alert within a JSON value, with what holds for all of them."""
    if depth > DEPTH:
        return
    if isinstance(value, list):
        for entry in cast("list[Any]", value)[:DOCUMENTS]:
            yield from _flattened(entry, above, depth + 1)
    elif isinstance(value, dict):
        yield from _of_object(cast("dict[str, Any]", value), above, depth)


def _of_object(value: Mapping[str, Any], above: Facts, depth: int) -> Iterator[Facts]:
    own: dict[str, str] = dict(above)
    inner: list[Any] = []
    for label, raw in value.items():
        entry = _opened(raw)
        if isinstance(entry, Mapping):
            own.update(_leaves(cast("Mapping[str, Any]", entry), depth + 1))
        elif isinstance(entry, list) and any(isinstance(one, dict) for one in cast("list[Any]", entry)):
            inner.append(cast("list[Any]", entry))
        else:
            own[normal(label)] = _text(cast("object", entry))
    yielded = [facts for entry in inner for facts in _flattened(entry, own, depth + 1)]
    yield from yielded or ([own] if own else [])


def _leaves(value: Mapping[str, Any], depth: int) -> Iterator[tuple[str, str]]:
    for label, raw in value.items():
        entry = _opened(raw)
        if isinstance(entry, Mapping) and depth < DEPTH:
            yield from _leaves(cast("Mapping[str, Any]", entry), depth + 1)
        elif not isinstance(entry, Mapping):
            yield normal(label), _text(entry)


def _opened(value: Any) -> Any:  # noqa: ANN401  # JSON within JSON
    if not (isinstance(value, str) and value[:1] in {"{", "["} and value[-1:] in {"}", "]"}):
        return value
    try:
        return _DECODER.decode(value)
    except (ValueError, RecursionError):
        return value


def _text(value: object) -> str:
    if isinstance(value, list):
        return ",".join(map(str, cast("list[object]", value)))
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
