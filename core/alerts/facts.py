"""Labelled values out of a text: JSON wherever it stands, broken JSON pair by pair, lines such as `任务名称: x`, `a=b`.

Facts are a mapping of label to value, both as written, one mapping for each alert. Nested objects are flattened by their
last label, lists of objects are several alerts but `[{"name": a, "value": b}]` is labels, and a value that is JSON itself is
opened too.
"""

import html
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

from core.alerts.tables import field_names, normal

Facts = Mapping[str, str]

DEPTH = 8
DOCUMENTS = 200
"""Most JSON documents looked at in one text."""
LONGEST_LINE = 20_000

_DECODER = json.JSONDecoder(parse_int=str, parse_float=str)  # ids stay strings
_START = re.compile(r"[{\[]\s*[\"'{\[]|\{\s*\}")
_PAIR = re.compile(
    r"[\"'](\w{1,60})[\"']\s*:\s*(?:\"((?:[^\"\\\n]|\\.){0,2000})\"|'([^'\n]{0,2000})'|([\w*.+-]{1,60}))"
)
_LINE = re.compile(
    r"^[\s>*#•·|`-]*(?:[\[【][^\]】\n]{1,40}[\]】]\s{0,3})?([^\s:：=|\[{\\][^:：=＝|\n]{0,38}?)\s*[*`]{0,2}\s*(?:[:：＝]|\s=\s)\s*[*`]{0,2}\s*(\S[^\n]{0,2000}?)?\s*$"
)
_MARKUP = re.compile(r"<(?!TaskInstance)[^<>\n]{1,300}>")
_CELL = re.compile(r"<t[dh]\b[^<>]{0,200}>((?:[^<]|<(?!/t[dh]>)){0,2000}+)</t[dh]>", re.IGNORECASE)
_BREAK = re.compile(r"<(?:br|/p|/div|/li|/h\d|tr|/?table)\b[^<>]{0,200}>", re.IGNORECASE)
_LINK = re.compile(r"!?\[([^\[\]\n]{0,300})\]\([^()\n]{0,600}\)")
_NO_LABEL = re.compile(r"^(?:https?|ftp)$|^\W*\d[\d\W]*(?:t\d+)?$")
_SECTION = re.compile(r"^\W{0,20}(?:alerts? )?(firing|resolved)\W{0,20}$", re.IGNORECASE)
_EQUATION = re.compile(r"(?<![\w?&./-])([A-Za-z_]\w{1,40})=(?:\"([^\"\n]{0,300})\"|([^\s,;，；|\]}\"']{1,300}))")
_LABEL = re.compile(r"(?:(?<=[\s,，;；。|(（])|^)[A-Za-z_\u4e00-\u9fff]{2,24}[ \t]{0,2}[:：＝](?!//)")
_COLON = re.compile(r"[:：=＝]")
_DASHED = re.compile(r"^\s{0,9}([A-Za-z ]{2,24}) - (\S[^\n]{0,300})$")
_ENDS = '*` \t,，;；"'
_ADDRESS = re.compile(r"https?://\S+")
_ESCAPED = re.compile(r'(?<!")\{\s*\\"')


def documents(text: str) -> tuple[list[Facts], str, bool]:
    """The facts of all JSON in a text, the text without it, and whether some was too much or too deep to read."""
    if _ESCAPED.search(text):  # copied out of a log or of somebody else's JSON
        text = text.replace('\\"', '"')
    found: list[Facts] = []
    rest: list[str] = []
    position, tried, too_deep = 0, 0, False
    while (start := _START.search(text, position)) and tried < DOCUMENTS:
        tried += 1
        rest.append(text[position : start.start()])
        try:
            value, position = _document(text, start.start())
        except RecursionError:
            value, position, too_deep = None, start.end(), True
        facts = [] if value is None else list(_flattened(value, {}, 0))
        found += facts
        if not facts:
            rest.append(text[start.start() : position])
    rest.append(text[position:])
    return found, "".join(rest), too_deep or tried == DOCUMENTS


def lines(text: str) -> list[Facts]:
    """The facts of labelled lines. A label that comes again begins another alert, and so does a heading of a state."""
    groups, state = [_Group({})], ""
    for line in plain(text).splitlines():
        if heading := _SECTION.match(line):
            state = heading[1]
            groups.append(_Group({"status": state}))
            continue
        for label, value in _labelled(line):
            if normal(label) in groups[-1].seen:
                groups.append(_Group({"status": state} if state else {}))
            groups[-1].add(label, value)
    return [group.facts for group in groups if any(group.facts.values())]


def plain(text: str) -> str:
    """The text without markup: tags gone, links by their words, rows of a table as lines with bars between the cells."""
    text = _CELL.sub(_cell, html.unescape(text) if "&" in text else text)
    return _LINK.sub(r"\1", _MARKUP.sub("", _BREAK.sub("\n", text)))


def _cell(match: re.Match[str]) -> str:
    return f" {' '.join(_MARKUP.sub(' ', match[1]).split())} |"


class _Group:
    """The labels of one alert.

    Args:
        facts: what holds before the first label.
    """

    def __init__(self, facts: dict[str, str]) -> None:
        self.facts = facts
        self.seen: set[str] = set()

    def add(self, label: str, value: str) -> None:
        """Take in a line."""
        self.seen.add(normal(label))
        self.facts[label] = value


def _labelled(line: str) -> Iterator[tuple[str, str]]:
    for part in line.split(" | ") if " | " in line else _parts(line[:LONGEST_LINE]):
        match = _LINE.match(part[:2100])
        inline = _inline(_ADDRESS.sub("", part)) if match is None or "=" in (match[2] or "") else []
        if match and not _NO_LABEL.match(match[1].lower()) and len(inline) <= 1:
            yield match[1].strip("*` "), (match[2] or "").strip(_ENDS)
        yield from inline
    if (dashed := _DASHED.match(line)) and normal(dashed[1]) in field_names(""):
        yield dashed[1], dashed[2]


def _parts(line: str) -> Iterator[str]:
    """A line cut where another label begins: one that is known, or any after a comma. What an error says is not cut."""
    known, begin = field_names(""), 0
    for match in _LABEL.finditer(line):
        name = known.get(normal(match[0].rstrip(":：＝")), "")
        before = line[begin : match.start()].rstrip()
        worded = before[-1:].isascii() and before[-1:].isalpha() and not _COLON.search(before)  # "Start Time:"
        if before and not worded and (name or before[-1] in ",，;；"):
            yield line[begin : match.start()]
            begin = match.start()
        if name == "error":
            break
    yield line[begin:]


def _inline(text: str) -> list[tuple[str, str]]:
    return [(match[1], match[2] or match[3] or "") for match in _EQUATION.finditer(text[:2100])]


def _document(text: str, start: int) -> tuple[Any, int]:
    try:
        return _DECODER.raw_decode(text, start)
    except ValueError:
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
        elif isinstance(entry, list) and (pairs := _named(cast("list[Any]", entry))):
            own.update(pairs)
        elif isinstance(entry, list) and any(isinstance(one, dict) for one in cast("list[Any]", entry)):
            inner.append(cast("list[Any]", entry))
        else:
            own[label] = _text(cast("object", entry))
    yielded = [facts for entry in inner for facts in _flattened(entry, own, depth + 1)]
    yield from yielded or ([own] if own else [])


def _named(entries: list[Any]) -> dict[str, str]:
    """The pairs of a list of names and values; empty when it is another list."""
    pairs = {
        str(entry[name]): _text(entry["value"])
        for entry in cast("list[dict[str, object]]", entries)
        for name in ("name", "key")
        if isinstance(entry, dict) and entry.keys() == {name, "value"}  # pyright: ignore[reportUnnecessaryIsInstance]
    }
    return pairs if len(pairs) == len(entries) else {}


def _leaves(value: Mapping[str, Any], depth: int) -> Iterator[tuple[str, str]]:
    for label, raw in value.items():
        entry = _opened(raw)
        if isinstance(entry, Mapping) and depth < DEPTH:
            yield from _leaves(cast("Mapping[str, Any]", entry), depth + 1)
        elif isinstance(entry, list) and (pairs := _named(cast("list[Any]", entry))):
            yield from pairs.items()
        elif not isinstance(entry, Mapping):
            yield label, _text(cast("object", entry))


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
