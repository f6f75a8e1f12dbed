"""DingTalk's rules for a card's data and for messages, and what a reader sees of them.

The template is the one an administrator imports: a value for a variable it does not have is ignored, and one of the wrong
type shows nothing, as on a phone.
"""

import json
import re
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

Json = dict[str, Any]

TEMPLATE = Path(__file__).parents[2] / "deploy/dingtalk/card.json"
KEY, VALUE, TOTAL = 100, 1024, 100 * 1024
TRACK = 100

_LINK = re.compile(r"(?<!\\)\[((?:[^\]\\]|\\.|\](?=\u200b))*)\]\((\S+?)\)")


class DataRefused(Exception):
    """Card data DingTalk would not take. `code` is its code."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def template() -> Json:
    """The editor's data of the template."""
    return json.loads(json.loads(TEMPLATE.read_text("utf-8"))["editorData"])


def types() -> dict[str, str]:
    """Type of each variable of the template, private ones as `private`."""
    return {v["name"]: "private" if v["private"] else v["type"] for v in template()["variableList"]}


def components(node: Json | None = None) -> Iterator[Json]:
    """Every component of the template, in reading order."""
    for child in template()["schema"]["componentsTree"] if node is None else node.get("children", []):
        yield child
        yield from components(child)


def check(values: Mapping[str, object]) -> None:
    """Refuse what DingTalk refuses.

    Raises:
        DataRefused: not strings, or beyond a limit.
    """
    for name, value in values.items():
        if not isinstance(value, str) or len(name.encode()) > KEY or len(value.encode()) > VALUE:
            raise DataRefused("param.invalid")
    if sum(len(name) + len(str(value).encode()) for name, value in values.items()) > TOTAL:
        raise DataRefused("param.invalid")


def texts(values: Mapping[str, str]) -> list[str]:
    """What a reader of a card sees, component by component."""
    seen: list[str] = []
    for name, kind in _order():
        value = values.get(name, "")
        if kind == "buttonGroup":
            seen += [f"[{button['text']}]" for button in _group(value)]
        elif value:
            seen.append(rendered(value))
    return seen


def buttons(values: Mapping[str, str]) -> dict[str, Json]:
    """Everything that can be pressed on a card, by its label; the first of several that say the same."""
    groups = (_group(values.get(name, "")) for name, kind in _order() if kind == "buttonGroup")
    found: dict[str, Json] = {}
    for button in chain.from_iterable(groups):
        found.setdefault(button["text"], button)
    return found


def links(markdown: str) -> dict[str, str]:
    """Everything that can be pressed in a message: label to address, the first of several that say the same."""
    found: dict[str, str] = {}
    for label, address in _LINK.findall(markdown):
        found.setdefault(rendered(label), address)
    return found


def without_links(markdown: str) -> str:
    """A message with its links as labels."""
    return rendered(_LINK.sub(lambda found: f"\\[{found[1]}\\]", markdown))


def rendered(markdown: str) -> str:
    """Markdown as a reader sees it: emphasis, escapes and breaks resolved, fences shown as they are."""
    shown: list[str] = []
    fenced = False
    for line in re.split(r"<br>|\n", markdown):
        if line == "```":
            fenced = not fenced
        else:
            shown.append(line if fenced else _plain(line.removesuffix("  ")))
    assert not fenced, "a fence that does not end"
    return "\n".join(shown).replace("\u200b", "").replace("\u00a0", " ")


def _plain(line: str) -> str:
    assert not re.search(r"</?[A-Za-z@]", line), f"a tag somebody else wrote: {line!r}"
    bold = re.sub(r"(?<!\\)\*\*(.+?)(?<!\\)\*\*", r"\1", line)
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", bold)


def _order() -> list[tuple[str, str]]:
    """Variables that components show, with their types, in reading order."""
    known = types()
    shown: list[tuple[str, str]] = []
    for component in components():
        props = component["props"]
        bound: Json = props.get("content") or props.get("dynamicButtons") or {}
        name = str(bound.get("variable", ""))
        if known.get(name) in {"markdown", "buttonGroup"}:
            shown.append((name, known[name]))
    return shown


def _group(value: str) -> list[Json]:
    found = json.loads(value or "[]")
    for button in found:
        assert button.keys() == {"text", "color", "status", "event"}
        assert button["color"] in {"blue", "gray", "red"}
        assert button["event"]["type"] in {"openLink", "sendCardRequest"}
    return found
