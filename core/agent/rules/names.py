"""Names of tasks, tables and instances in a sentence, as they were written.

Identifiers (`dws_trade_order_di`, `dag.task`, `demo:refs`, `s3://bucket/orders`, a long number) and whatever stands in
quotes are names wherever they are. A name in plain words ("订单宽表", "orders") is what remains of a clause once the
words around it are taken off; it is looked for only where a question needs one.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from core.agent.rules.noise import bare, listed
from core.agent.rules.text import fold

LONGEST = 300
"""Characters of a name; nothing longer is one."""


@dataclass(frozen=True, slots=True)
class Name:
    """A name, and where it stands."""

    text: str
    start: int
    end: int

    @property
    def span(self) -> tuple[int, int]:
        """Start and end."""
        return self.start, self.end


_QUOTED = re.compile(
    r"`([^`\n]{1,120})`|\"([^\"\n]{1,120})\"|“([^”\n]{1,120})”|「([^」\n]{1,120})」|『([^』\n]{1,120})』|《([^》\n]{1,120})》"
)
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+]{1,15}://[^\s,，。；;、？?！!）)\]】”\"']{1,300}")
_END = r"\s,，。；;、？?！!（）()\[\]【】“”\"'`"
_REFERENCE = re.compile(rf"(?<![\w/])([A-Za-z][\w-]{{0,39}}):([^{_END}:：]{{1,300}}(?::[^{_END}]{{1,200}})?)", re.ASCII)
_IDENTIFIER = re.compile(r"(?<![\w.+-])[A-Za-z_]\w*(?:[./-]\w+)*", re.ASCII)
_NUMBER = re.compile(r"(?<![\w.-])\d{6,20}(?![\w.-])", re.ASCII)
_STRETCH = re.compile(r"[a-z0-9\u4e00-\u9fff]+(?:['-]?[a-z0-9]+| [a-z0-9]+)*")
_LABELS, _NOT_NAMES = listed("labels"), listed("not_names")
_SURNAMES, _NOT_PEOPLE = listed("surnames"), listed("not_people")


def identifiers(text: str) -> tuple[Name, ...]:
    """Names that can be told by their spelling, in the order they stand."""
    found: list[Name] = []
    for name in _all(text):
        if len(name.text) <= LONGEST and not any(name.start < other.end and other.start < name.end for other in found):
            found.append(name)
    return tuple(sorted(found, key=lambda name: name.start))


def _all(text: str) -> Iterator[Name]:
    for match in _QUOTED.finditer(text):
        inner = next(group for group in match.groups() if group)
        yield Name(inner.strip(), match.start(), match.end())
    for match in _ADDRESS.finditer(text):
        if not match.group().lower().startswith(("http://", "https://")):
            yield Name(match.group().rstrip("."), match.start(), match.end())
    for match in _REFERENCE.finditer(text):
        if match[1].lower() not in _LABELS and not match[2].startswith("//"):
            yield Name(match.group().rstrip("."), match.start(), match.end())
    for match in _IDENTIFIER.finditer(text):
        name = match.group().strip("-/_.")
        if _is_identifier(name):
            yield Name(name, match.start(), match.end())
    for match in _NUMBER.finditer(text):
        yield Name(match.group(), match.start(), match.end())


def _is_identifier(name: str) -> bool:
    if name.lower() in _NOT_NAMES or len(name) < 3:
        return False
    return any(mark in name for mark in "_./-") or (any(c.isdigit() for c in name) and any(c.isalpha() for c in name))


def remainder(clause: str) -> tuple[Name, ...]:
    """Names in plain words: what is left of a clause without the words around them. At most three."""
    found: list[Name] = []
    for match in _STRETCH.finditer(fold(clause)):
        start, end = bare(match.group())
        if 2 <= end - start <= LONGEST:
            found.append(
                Name(clause[match.start() + start : match.start() + end], match.start() + start, match.start() + end)
            )
    return tuple(found[:3])


def is_person(name: str) -> bool:
    """Whether a Chinese name is spelt like a person's: a common surname and one or two characters more."""
    folded = fold(name)
    return folded[:1] in _SURNAMES and len(folded) in {2, 3} and folded not in _NOT_PEOPLE and not folded.isascii()
