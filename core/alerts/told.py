"""Alerts of running text: what the sentences of `sentences.toml` name, completed from labelled lines around them."""

import re
from collections.abc import Iterable, Mapping
from typing import cast

from core.alerts import tables
from core.alerts.doubts import contrary
from core.alerts.facts import plain
from core.alerts.fields import build, kind_of, sorted_out, status_of, title_of
from core.alerts.lines import lines
from core.alerts.model import Alert, AlertStatus
from core.alerts.objects import ABOUT
from core.alerts.tables import Sentence, meaning, sentences
from core.i18n.script import simplified

MOST = 200
"""Most alerts of one text."""
_QUOTED = re.compile(r"(?:Exception|Error): ")
"""Behind this, a sentence is what somebody else's error says; labels around it tell what the alert is about."""
SENTENCES_READ = 50_000
"""Characters in which sentences are looked for; labelled lines and JSON are read to the end."""


def from_sentences(text: str, *, asking: bool = False) -> list[Alert]:
    """The alerts that sentences name, in the order in which they stand.

    Args:
        text: with or without markup.
        asking: whether it is a question, in which the words of everybody name nothing.
    """
    looked = plain(text)[:SENTENCES_READ]
    read_as = simplified(looked)
    found: list[tuple[int, int, Sentence, Mapping[str, str]]] = []
    for row in sentences():
        if asking and row.source == "unknown":  # "任务 x 失败了，为什么？" is a question in everybody's words
            continue
        for match in row.pattern.finditer(read_as):
            if not any(match.start() < end and start < match.end() for start, end, _, _ in found):
                found.append((match.start(), match.end(), row, _groups(match, looked)))
            if len(found) > MOST:
                break
    if not found:
        return []
    labelled, source = [group.facts for group in lines(looked)[:1]], tables.source(looked)
    around = sorted_out(labelled[0], source)[0] if labelled else {}
    if "task" in around and all(_QUOTED.search(looked[:start].rpartition("\n")[2]) for start, _, _, _ in found):
        return []
    doubts = tuple(contrary(labelled[0], source)) if labelled and len(found) == 1 else ()
    return [_from_sentence(*one[2:], looked, around, doubts) for one in sorted(found, key=lambda one: one[0])]


def _groups(match: re.Match[str], text: str) -> Mapping[str, str]:
    """What the groups hold, as it was written; `_` is the sentence without the names in it."""
    written = {name: text[slice(*match.span(name))] for name, value in match.groupdict().items() if value}
    names = (written[name] for name in ABOUT & written.keys())
    said = match[0]
    for name in names:
        said = said.replace(name, "")
    line = text[text.rfind("\n", 0, match.start()) + 1 : match.start()]
    return written | {"_": said, "before": title_of(line)}


def _from_sentence(
    row: Sentence, groups: Mapping[str, str], text: str, around: Mapping[str, str], doubts: Iterable[str]
) -> Alert:
    """The alert of a sentence, completed from labelled lines around it, which do not add other things to be about."""
    own = {
        name: value if name == "error" else value.strip(". ")
        for name, value in groups.items()
        if value and name not in {"_", "before"}
    }
    told = {
        name: value for name, value in around.items() if name not in ABOUT or (name == "host" and ABOUT & own.keys())
    }
    source = row.source if row.source != "unknown" else tables.source(text)
    state, said = own.get("state", ""), groups["_"]
    kind = row.kind or kind_of(" ".join((state, said)), own.get("rule") or told.get("rule", ""), said)
    status = cast("AlertStatus", row.status) if row.status else status_of(kind, state, said, text)
    if meaning("status", groups["before"]) == "recovered":  # and keeps the words of the failure
        status = "recovered"
    return build(source, status, kind, told | own, {}, doubts)
