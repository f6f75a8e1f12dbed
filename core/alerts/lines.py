"""What lines state: labelled values such as `任务名称: x` or `a=b`, and where there is no label, the things the words name.

A label or a thing that comes again begins another alert, and so does a heading of a state.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from core.alerts.facts import plain
from core.alerts.mentions import mentions, without
from core.alerts.tables import field_name, field_names, meaning, normal

LONGEST_LINE = 20_000
WORDED = 80
"""Most lines whose words are read, and not only their labels: what is longer is a log."""
LABEL_OF = {"host": "hostname", "instanceid": "instanceid", "project": "projectname"}

_LINE = re.compile(
    r"^[\s>*#•·|`”“\"'-]*(?:[\[【][^\]】\n]{1,40}[\]】]\s{0,3})?([^\s:：=|\[{\\][^:：=＝|\n]{0,38}?)\s*[*`]{0,2}\s*(?:[:：＝]|\s=\s)\s*[*`]{0,2}\s*(\S[^\n]{0,2000}?)?\s*$"
)
_NO_LABEL = re.compile(r"^(?:https?|ftp)$|^\W*\d[\d\W]*(?:t\d+)?$")
_SECTION = re.compile(r"^\W{0,20}(?:alerts? )?(firing|resolved)\W{0,20}$", re.IGNORECASE)
_EQUATION = re.compile(r"(?<![\w?&./-])([A-Za-z_]\w{1,40})=(?:\"([^\"\n]{0,300})\"|([^\s,;，；|\]}\"']{1,300}))")
_LABEL = re.compile(r"(?:(?<=[\s,，;；。|(（])|^)[A-Za-z_\u4e00-\u9fff]{2,24}[ \t]{0,2}[:：＝=](?![/=])")
_COLON = re.compile(r"[:：=＝]")
_DASHED = re.compile(r"^\s{0,9}([A-Za-z ]{2,24}) - (\S[^\n]{0,300})$")
_ENDS = '*` \t,，;；"”“'
_ADDRESS = re.compile(r"https?://\S+")
_EMOJI = re.compile(r":[a-z]{2,20}(?:_[a-z]{1,20}){0,3}:")


@dataclass(slots=True)
class Group:
    """What is stated of one alert.

    Attributes:
        facts: labelled values.
        named: names of things, by the labels that their nouns stand for.
        words: lines without a label that say that something is wrong, or over again; without the names in them.
        parts: the lines, or parts of lines, that it is made of.
        spoken: whether a noun says what is named.
        listed: whether words name more tasks than one.
    """

    facts: dict[str, str] = field(default_factory=dict[str, str])
    named: dict[str, str] = field(default_factory=dict[str, str])
    words: list[str] = field(default_factory=list[str])
    spoken: bool = False
    listed: bool = False
    parts: list[str] = field(default_factory=list[str])
    seen: set[str] = field(default_factory=set[str])

    @property
    def stated(self) -> dict[str, str]:
        """Labelled values, then what only words name."""
        whole = {label: self._whole(value) for label, value in self.facts.items()}
        return whole | {label: name for label, name in self.named.items() if label not in whole}

    def _whole(self, value: str) -> str:
        """A value by the longer name that words have for it: `prod.dim_users` for `dim_users`."""
        return next((name for name in self.named.values() if value and name.endswith(f".{value}")), value)

    @property
    def labelled(self) -> bool:
        """Whether there is a known label."""
        return any(field_name("", label) != "_" for label in self.facts)

    def add(self, label: str, value: str) -> None:
        """Take in a labelled value."""
        self.seen.add(normal(label))
        self.facts[label] = value


def lines(text: str) -> list[Group]:
    """The groups of statements of a text, with or without markup."""
    groups, state, waiting = [Group()], "", ""
    for place, line in enumerate(_EMOJI.sub(" ", plain(text)).splitlines()):
        if heading := _SECTION.match(line):
            state = heading[1]
            groups.append(Group({"status": state}))
            continue
        if waiting and line.strip() and not any(field_name("", label) != "_" for label, _ in _labelled(line)):
            groups[-1].facts[waiting] = line.strip(_ENDS)
            waiting = ""
            continue
        residue: list[str] = []
        for part in _pieces(line):
            pairs = list(_labelled(part))
            for label, value in pairs:
                if normal(label) in groups[-1].seen:
                    groups.append(Group({"status": state} if state else {}))
                groups[-1].add(label, value)
                waiting = label if not value and field_name("", label) == "error" else ""
            groups[-1].parts.append(part)
            residue.append(_unread(part, pairs))
        if place < WORDED and (rest := " ".join(residue)[:LONGEST_LINE]).strip():
            _worded(rest, line, groups)
    return [group for group in groups if any(group.facts.values()) or group.named]


def _unread(part: str, pairs: Iterable[tuple[str, str]]) -> str:
    """What is left of a part of a line without the labels that are known, and their values."""
    for label, value in pairs:
        if field_name("", label) != "_":
            part = part.replace(label, " ", 1).replace(value, " ", 1)
    return part


def _worded(rest: str, line: str, groups: list[Group]) -> None:
    """Take in the words of a line: what they name, and whether they say that something is wrong, or over again.

    Args:
        rest: the line without its known labels and their values.
        line: the line.
        groups: what was stated before; another group begins with a thing that was stated of already.
    """
    labels = groups[-1].facts
    said = {*labels, *(value for label, value in labels.items() if field_name("", label) != "_")}
    found = list({one.name: one for one in reversed(mentions(rest)) if one.name not in said}.values())[::-1]
    words = without(rest, [one.name for one in found])
    stated = bool(meaning("status", words))
    group, new = groups[-1], {LABEL_OF.get(one.label, one.label): one.name for one in reversed(found)}
    if stated and not group.labelled and any(group.named.get(label, name) != name for label, name in new.items()):
        group.parts.pop()
        group = Group(parts=[line])
        groups.append(group)
    group.spoken |= any(one.noun for one in found)
    tasks = {one.name for one in found if one.label == "task"} | {group.named.get("task", "")} - {""}
    group.listed |= len(tasks) > 1
    group.named = {**new, **group.named}
    if stated:
        group.words.append(words)


def _pieces(line: str) -> Iterator[str]:
    yield from line.split(" | ") if " | " in line else _parts(line[:LONGEST_LINE])


def _labelled(part: str) -> Iterator[tuple[str, str]]:
    match = _LINE.match(part[:2100])
    inline = _inline(_ADDRESS.sub("", part)) if match is None or "=" in (match[2] or "") else []
    if match and not _NO_LABEL.match(match[1].lower()) and len(inline) <= 1:
        yield match[1].strip("*` "), (match[2] or "").strip(_ENDS)
    yield from inline
    if (dashed := _DASHED.match(part)) and normal(dashed[1]) in field_names(""):
        yield dashed[1], dashed[2]


def _parts(line: str) -> Iterator[str]:
    """A line cut where another label begins: one that is known, or any after a comma. What an error says is not cut."""
    known, begin = field_names(""), 0
    for match in _LABEL.finditer(line):
        name = known.get(normal(match[0].rstrip(":：＝= \t")), "")
        before = line[begin : match.start()].rstrip()
        worded = before[-1:].isascii() and before[-1:].isalpha() and not _COLON.search(before)  # "Start Time:"
        if before and not worded and (name or before[-1] in ",，;；"):
            yield line[begin : match.start()]
            begin = match.start()
        if name == "error":
            break
    yield line[begin:]


def _inline(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for match in _EQUATION.finditer(text[:2100]):
        if match[3] and field_name("", match[1]) == "error":  # an error goes on to the end of the line
            return [*found, (match[1], text[match.start(3) : 2100])]
        found.append((match[1], match[2] or match[3] or ""))
    return found
