"""From facts and sentences to alerts, by the tables beside this file."""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import quote

from core.alerts.facts import Facts, documents, lines, plain
from core.alerts.model import Alert, AlertObject, AlertStatus, Reading
from core.redact import clean

LONGEST = 200_000
MOST = 200
SENTENCES_READ = 50_000
"""Characters in which sentences are looked for; labelled lines and JSON are read to the end."""

TIMES = ("started", "ended", "occurred", "promised")
OBJECTS = ("instance", "task", "taskid", "tasks", "taskids", "workflow", "table", "baseline", "host")
NOTHING = {"", "n/a", "none", "null", "[]", "-", "<no value>", "0001-01-01t00:00:00z"}
_DATE = re.compile(r"(20\d\d)[-/.]?(\d\d)[-/.]?(\d\d)")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[_.-][A-Za-z0-9]+)+")
_ASKS = re.compile(
    r"[?？]|吗|了没|怎么|为什么|為什麼|什么|哪些|多少|请问|帮我|幫我|\b(?:why|what|how|which|did|is|are|please)\b", re.I
)
_ALARM = re.compile(r"告警|报警|警报|告警|警示|\balarm\b|\balert\b|FIRING|CRITICAL|【[^】]{1,40}】", re.I)
SHORT = 160
"""A question is short; a paste with a question in it is still a paste."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A row of `sentences.toml`."""

    source: str
    pattern: re.Pattern[str]
    example: str


def read(text: str) -> Reading:
    """What a pasted text says."""
    whole = clean(text)
    cut = whole[:LONGEST]
    facts, rest = documents(cut)
    stated = [alert for one in facts for alert in _stated(one, cut)]
    told = _from_sentences(rest, asking=_is_question(cut)) or _from_lines(rest)
    found = _joined(stated, told)
    if not found and _ALARM.search(cut) and not _is_question(cut):
        found = _from_names(cut)
    alerts = tuple(_distinct(found))
    left_out = len(whole) > LONGEST or len(alerts) > MOST
    return Reading("alert" if alerts else "chat", alerts[:MOST], left_out)


@cache
def sentences() -> tuple[Sentence, ...]:
    """The table of sentences."""
    rows: list[dict[str, str]] = _load("sentences.toml")["sentence"]
    return tuple(Sentence(row["source"], re.compile(row["pattern"]), row["example"]) for row in rows)


@cache
def _labels() -> Mapping[str, str]:
    """Label to field."""
    return {label: name for name, labels in _words("field").items() for label in labels}


@cache
def _words(section: str) -> Mapping[str, Sequence[str]]:
    """A section of `keys.toml`, in its order."""
    return _load("keys.toml")[section]


def _load(name: str) -> dict[str, Any]:
    return tomllib.loads(files("core.alerts").joinpath(name).read_text("utf-8"))


def _stated(facts: Facts, text: str) -> list[Alert]:
    """What one set of labels says; where they name nothing, the sentences in their values may."""
    alert = _from_facts(facts, text)
    if alert is None or not alert.objects:
        told = _from_sentences("\n".join(facts.values()))
        return told or ([alert] if alert else [])
    return [alert]


def _joined(stated: list[Alert], told: list[Alert]) -> list[Alert]:
    """Both together. A heading such as "worker fault tolerance" names nothing itself: it is about what is stated."""
    headings = [alert for alert in told if not alert.objects and not alert.rule]
    if not stated or not headings:
        return stated + told
    heading = headings[0]
    named = [alert for alert in told if alert not in headings]
    return [
        alert if alert.kind else replace(alert, kind=heading.kind, status=heading.status) for alert in stated
    ] + named


def _from_facts(facts: Facts, text: str) -> Alert | None:
    """An alert, if the labels name something an alert is about."""
    fields, values = _sorted(facts)
    about = [name for name in (*OBJECTS, "rule") if name in fields]
    if not (about and ("state" in fields or "error" in fields or "rule" in fields or len(about) > 1)):
        return _test_message(facts, text)
    said = " ".join(
        (fields.get("state", ""), fields.get("rule", ""), facts.get("title", ""), facts.get("messagetype", ""))
    )
    return Alert(
        source=_source(" ".join((*facts, *facts.values())).lower(), text.lower()),
        status=_status(fields.get("state", ""), " ".join(facts.values())),
        kind=_kind(said.lower(), " ".join(facts.values()).lower()),
        objects=tuple(_objects(fields)),
        project=fields.get("project", ""),
        business_date=_date(fields.get("bizdate", "")),
        times={name: fields[name] for name in TIMES if name in fields},
        severity=fields.get("severity", ""),
        rule=fields.get("rule", ""),
        values=values,
        error=fields.get("error", ""),
    )


def _sorted(facts: Facts) -> tuple[dict[str, str], dict[str, str]]:
    """The values whose labels are known, by field, and the others; what says nothing is left out."""
    fields: dict[str, str] = {}
    values: dict[str, str] = {}
    for label, value in facts.items():
        if value.strip().lower() in NOTHING:
            continue
        name = _labels().get(label)
        if name is None or name in fields:
            values[label] = value
        else:
            fields[name] = value.strip()
    return fields, values


def _test_message(facts: Facts, text: str) -> Alert | None:
    words = " ".join(facts.values()).lower()
    if any(word in words for word in _words("kind")["test"]):
        return Alert(_source(words, text.lower()), "unknown", "test")
    return None


def _objects(fields: Mapping[str, str]) -> Iterator[AlertObject]:
    if "tasks" in fields or "taskids" in fields:
        names, ids = (_split(fields.get(name, "")) for name in ("tasks", "taskids"))
        for place in range(max(len(names), len(ids))):
            yield AlertObject("task", _at(names, place), _at(ids, place))
    elif "task" in fields or "instance" in fields or "taskid" in fields:
        kind = "instance" if "instance" in fields else "task"
        yield AlertObject(kind, fields.get("task", ""), fields.get("instance", fields.get("taskid", "")))
    for kind in ("workflow", "table", "baseline", "host"):
        if kind in fields and not (kind == "workflow" and "task" in fields):
            yield AlertObject(kind, fields[kind])


def _from_sentences(text: str, *, asking: bool = False) -> list[Alert]:
    looked = plain(text)[:SENTENCES_READ]
    found: list[tuple[int, int, Alert]] = []
    for row in sentences():
        if asking and row.source == "unknown":  # "任务 x 失败了，为什么？" is a question in everybody's words
            continue
        for match in row.pattern.finditer(looked):
            if not any(match.start() < end and start < match.end() for start, end, _ in found):
                found.append((match.start(), match.end(), _from_sentence(row, match, looked)))
            if len(found) > MOST:
                break
    labelled = lines(looked) if found else []
    around = _sorted(labelled[0])[0] if labelled else {}
    return [_with_labels(alert, around) for _, _, alert in sorted(found, key=lambda one: one[0])]


def _from_sentence(row: Sentence, match: re.Match[str], text: str) -> Alert:
    groups = {name: value.strip(". ") for name, value in match.groupdict().items() if value}
    state = groups.get("state", "")
    source = row.source if row.source != "unknown" else _source(text.lower(), "")
    objects = _airflow(groups) if source == "airflow" and "workflow" in groups else tuple(_objects(groups))
    return Alert(
        source=source,
        status=_status(state, state),
        kind=_kind(state.lower(), match[0].lower()),
        objects=objects,
        project=groups.get("project", ""),
        business_date=_date(groups.get("bizdate", "")),
        rule=groups.get("rule", ""),
    )


def _airflow(groups: Mapping[str, str]) -> tuple[AlertObject, ...]:
    """A task instance as `core.schedulers.airflow` names it; without a run id, the task."""
    dag, task, run = groups["workflow"], groups["task"], groups.get("run", "")
    name = f"{dag}.{task}"
    if "__" not in run:
        return (AlertObject("task", name),)
    parts = [dag, run, task, *([groups["index"]] if "index" in groups else [])]
    return (AlertObject("instance", name, "/".join(quote(part, safe="") for part in parts)),)


def _with_labels(alert: Alert, fields: Mapping[str, str]) -> Alert:
    """The alert of a sentence, completed from labelled lines around it."""
    return replace(
        alert,
        project=alert.project or fields.get("project", ""),
        business_date=alert.business_date or _date(fields.get("bizdate", "")),
        severity=fields.get("severity", ""),
        error=fields.get("error", ""),
        times={name: fields[name] for name in TIMES if name in fields},
    )


def _from_lines(text: str) -> list[Alert]:
    return [alert for facts in lines(text) if (alert := _from_facts(facts, text))]


def _from_names(text: str) -> list[Alert]:
    """An alarm of no known shape: the names in it, if any, are what it is about."""
    names = tuple(dict.fromkeys(match[0] for match in _NAME.finditer(text[:SENTENCES_READ]) if "_" in match[0]))
    objects = tuple(AlertObject("task", name) for name in names[:5])
    return [Alert(_source(text.lower(), ""), _status("", text), _kind("", text.lower()), objects)] if objects else []


def _is_question(text: str) -> bool:
    return len(text) < SHORT and bool(_ASKS.search(text))


def _source(*texts: str) -> str:
    """Who sent it, by the markers of `keys.toml`; the alert's own words count before those around it."""
    for text in texts:
        for source, markers in _words("source").items():
            if any(marker in text for marker in markers):
                return source
    return "unknown"


def _status(state: str, text: str) -> AlertStatus:
    """A state field decides; without one, the words of the text."""
    for words in (state.lower(), text.lower()):
        for status in ("recovered", "firing"):
            if any(word in words for word in _words("status")[status]):
                return "unknown" if "up_for_retry" in words else status
    return "unknown"


def _kind(*texts: str) -> str:
    """What happened; the state's own words count before the rest."""
    for text in texts:
        for kind, words in _words("kind").items():
            if any(word in text for word in words):
                return kind
    return ""


def _date(text: str) -> str:
    """An ISO date from the ways platforms write one; empty when it is none."""
    match = _DATE.search(text)
    try:
        return date(int(match[1]), int(match[2]), int(match[3])).isoformat() if match else ""
    except ValueError:
        return ""


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _at(entries: Sequence[str], place: int) -> str:
    return entries[place] if place < len(entries) else ""


def _distinct(alerts: Iterable[Alert]) -> Iterator[Alert]:
    seen: set[tuple[object, ...]] = set()
    for alert in alerts:
        same = (alert.status, alert.rule, alert.objects, alert.business_date)
        if same not in seen:
            seen.add(same)
            yield alert
