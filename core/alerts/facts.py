"""Labelled values out of JSON, wherever in a text it stands; broken JSON pair by pair. And text without its markup.

Facts are a mapping of label to value, both as written, one mapping for each alert. Nested objects are flattened by their
last label, lists of objects are several alerts but `[{"name": a, "value": b}]` is labels, and a value that is JSON itself is
opened too. What a messenger's robot was sent is read as the text in it.
"""

import html
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

Facts = Mapping[str, str]

DEPTH = 8
DOCUMENTS = 200
"""Most JSON documents looked at in one text."""

MESSAGE = {"msg_type", "msgtype"}
"""Keys of what a robot is sent: open.feishu.cn, open.dingtalk.com, developer.work.weixin.qq.com."""
WORDS = {"text", "content", "title", "markdown", "description", "desc", "value", "keyname"}

_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, strict=False)  # ids stay strings
_START = re.compile(r"[{\[]\s*[\"'{\[]|\{\s*\}")
_PAIR = re.compile(
    r"[\"'](\w{1,60})[\"']\s*:\s*(?:\"((?:[^\"\\\n]|\\.){0,2000})\"|'([^'\n]{0,2000})'|([\w*.+-]{1,60}))"
)
_MARKUP = re.compile(r"<(?!TaskInstance)[^<>\n]{1,300}>")
_CELL = re.compile(r"<t[dh]\b[^<>]{0,200}>((?:[^<]|<(?!/t[dh]>)){0,2000}+)</t[dh]>", re.IGNORECASE)
_BREAK = re.compile(r"<(?:br|/p|/div|/li|/h\d|tr|/?table)\b[^<>]{0,200}>", re.IGNORECASE)
_LINK = re.compile(r"!?\[([^\[\]\n]{0,300})\]\([^()\n]{0,600}\)")
_BOLD_LABEL = re.compile(
    r"(?m)(?:^[ \t]{0,9}|[ \t]{2,9}|[|·][ \t]{0,3})\*{1,2}([^*\n:：]{2,30})\*{1,2}[ \t]{1,5}(?=[^\s|·-])"
)
_ESCAPED = re.compile(r'(?<!")\{\s*\\"')


def documents(text: str, *, within: bool = False) -> tuple[list[Facts], str, bool]:
    """The facts of all JSON in a text, the text without it, and whether some was too much or too deep to read.

    Args:
        text: what was pasted.
        within: whether it is what a messenger's robot was sent, which holds no further such message.
    """
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
        if not within and _is_message(value):
            more, said, _ = documents("".join(_texts(value, 0)), within=True)
            found += more
            rest.append(said)
            continue
        found += facts
        if not facts:
            rest.append(text[start.start() : position])
    rest.append(text[position:])
    return found, "".join(rest), too_deep or tried == DOCUMENTS


def plain(text: str) -> str:
    """The text without markup: tags gone, links by their words, rows of a table as lines with bars between the cells."""
    text = _CELL.sub(_cell, html.unescape(text) if "&" in text else text)
    text = _LINK.sub(r"\1", _MARKUP.sub("", _BREAK.sub("\n", text)))
    return _BOLD_LABEL.sub(r"\n\1: ", text)


def _cell(match: re.Match[str]) -> str:
    return f" {' '.join(_MARKUP.sub(' ', match[1]).split())} |"


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


def _is_message(value: object) -> bool:
    """Whether it is what a robot is sent: it says which type it is, and has the text below that."""
    entries = cast("dict[str, object]", value) if isinstance(value, dict) else {}
    return bool(MESSAGE & entries.keys()) and any(isinstance(entry, dict | list) for entry in entries.values())


def _texts(value: Any, depth: int) -> Iterator[str]:  # noqa: ANN401  # JSON
    """What a message to a messenger's robot says, line by line."""
    if depth > DEPTH:
        return
    if isinstance(value, list):
        for entry in cast("list[Any]", value)[:DOCUMENTS]:
            yield from _texts(entry, depth + 1)
    elif isinstance(value, dict):
        for label, entry in cast("dict[str, Any]", value).items():
            if isinstance(entry, str) and label in WORDS:
                yield f"{entry}\n"
            else:
                yield from _texts(entry, depth + 1)


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
