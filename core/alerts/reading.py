"""From a text to alerts, by the tables beside this file.

JSON and labelled lines state fields; sentences name things in running text; what is left of a text that sounds an alarm are
the names in it. A short question is none of these, whatever words it has.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import cast

from core.alerts import tables
from core.alerts.doubts import business_date, contradictions, contrary
from core.alerts.facts import Facts, documents, lines, plain
from core.alerts.grids import grids
from core.alerts.model import Alert, AlertObject, AlertStatus, Reading
from core.alerts.objects import ABOUT, objects
from core.alerts.tables import Sentence, meaning, normal, sentences
from core.i18n.script import simplified
from core.redact import clean, injections

LONGEST = 200_000
MOST = 200
SENTENCES_READ = 50_000
"""Characters in which sentences are looked for; labelled lines and JSON are read to the end."""
SHORT = 160
"""A question is short; a paste with a question in it is still a paste."""

TIMES = ("started", "ended", "occurred", "promised", "logical")
STATES = {"state", "recovered", "error", "rule", "severity"}
"""Fields of which an alert has at least one, beside what it is about."""
NOTHING = {"", "n/a", "none", "null", "[]", "-", "<no value>", "[no value]", "0001-01-01t00:00:00z"}
LOOKED_UP = {"instance", "task", "workflow", "table", "baseline"}
HEADINGS = ("title", "messagetype", "warningtype")
GENERIC = {"", "failed", "success"}
"""Kinds that a more particular word elsewhere in the alert outweighs."""
DECIDED: Mapping[str, AlertStatus] = {"test": "unknown", "success": "recovered"}
"""Kinds that leave no doubt about the status."""
NAMED = 50
"""Most names taken from an alarm of no known shape."""
_NAME = re.compile(
    r"(?P<name>[A-Za-z][A-Za-z0-9]*(?:[_.-][A-Za-z0-9]+)+)"
    r"(?: ?[(（](?:(?P<of>实例|instance)|节点|任务|node|task)? ?(?:id)?[:： ]{0,3}(?P<id>\d{4,20})[)）])?",
    re.IGNORECASE,
)
_PROJECT = re.compile(
    r"(?:项目|专案|工作空间)(?:名称?)?[\s:：【「\[]{0,3}([A-Za-z][\w-]{1,100})|\b(?:project|workspace)[ :=]{1,3}([\w-]{2,100})",
    re.IGNORECASE,
)
_ASKS = re.compile(
    r"[?？]|吗|了没|怎么|为什么|為什麼|什么|哪些|多少|请问|帮我|幫我"
    r"|^\W{0,9}(?:why|what|how|which|who|when|did|is|are|was|has|does|can|could|please|show|list)\b",
    re.IGNORECASE,
)
_ALARM = re.compile(
    r"告警|报警|警报|警示|\balarm\b|\balert\b|FIRING|CRITICAL|【[^】]{1,40}】"
    r"|(?:以下|下列|如下).{0,12}(?:失败|出错|异常|未完成|超时)|\bfollowing\b.{0,30}\b(?:failed|errors?|late)\b",
    re.IGNORECASE,
)
_NOT_OVER = re.compile(r"(?:尚?未|没有|沒有)恢[复復]|not (?:yet )?(?:recovered|resolved)", re.I)
_BRACKETS = re.compile(r"\W{0,9}?[\[【]([^\]】\n]{1,40})[\]】]")
_LABELLED = re.compile(r"[:：=＝{|]")
_LOGICAL = re.compile(r"\d{4}-\d\d-\d\d[T ][\d:.+Z-]{5,30}")


def read(text: str) -> Reading:
    """What a pasted text says. Lines that try to instruct are not read, unless nothing is left without them."""
    whole = clean(text)
    lines_read = whole[:LONGEST].split("\n")
    suspect = injections(lines_read)
    harmless = "\n".join(line for place, line in enumerate(lines_read) if place not in suspect)
    found, too_much = _alerts(harmless)
    if suspect and not found:
        found, too_much = _alerts(whole[:LONGEST])
    left_out = len(whole) > LONGEST or len(found) > MOST or too_much
    return Reading("alert" if found else "chat", found[:MOST], left_out, tuple(place + 1 for place in sorted(suspect)))


def _alerts(text: str) -> tuple[tuple[Alert, ...], bool]:
    """The alerts, and whether some of it was too much or too deep to read."""
    facts, rest, too_much = documents(text)
    rows, rest = grids(plain(rest))
    asking = len(text) < SHORT and bool(_ASKS.search(text))
    stated = [alert for one in [*facts, *rows][: MOST + 1] for alert in _stated(one, text)]
    told = _from_sentences(rest, asking=asking)
    named = [alert for alert in told if alert.objects]
    labelled = [] if named else lines(rest)
    in_lines = [alert for one in labelled[: MOST + 1] if (alert := _from_facts(one, rest))]
    found = _headed([*stated, *named, *in_lines], [alert for alert in told if not alert.objects])
    if not found and not asking and _ALARM.search(simplified(text)):
        found = _from_names(text)
    too_much = too_much or len(facts) + len(rows) > MOST or len(labelled) > MOST
    return tuple(_with_counts(_distinct(found), text)), too_much


def _stated(facts: Facts, text: str) -> list[Alert]:
    """What one set of labels says; where they do not tell what to look up, the sentences in their values may."""
    alert = _from_facts(facts, text)
    told = _from_sentences("\n".join(facts.values()))
    if alert is None:
        return told
    known = [thing for thing in alert.objects if thing.type in LOOKED_UP]
    if not told or any(thing.id for thing in known) or (known and not any(thing.id for thing in told[0].objects)):
        return [alert]
    return [_completed(one, alert) for one in told]


def _completed(told: Alert, stated: Alert) -> Alert:
    """What a sentence says, with what the labels around it state."""
    return replace(
        stated,
        source=told.source if stated.source == "unknown" else stated.source,
        kind=told.kind or stated.kind,
        objects=told.objects or stated.objects,
        project=told.project or stated.project,
        business_date=told.business_date or stated.business_date,
    )


def _headed(alerts: list[Alert], headings: list[Alert]) -> list[Alert]:
    """Alerts under a heading that names nothing itself, such as "worker fault tolerance"; or the heading alone."""
    if not headings or not alerts:
        return alerts or headings
    first = headings[0]
    return [
        replace(
            alert,
            kind=alert.kind or first.kind,
            rule=alert.rule or first.rule,
            status=first.status if alert.status == "unknown" or first.status == "recovered" else alert.status,
        )
        for alert in alerts
    ]


def _from_facts(facts: Facts, text: str) -> Alert | None:
    """An alert, if the labels name something an alert is about."""
    body = "\n".join(f"{label}: {value}" for label, value in facts.items())
    source = tables.source(body, text)
    fields, values = _sorted(facts, source)
    told = tables.told_by_labels(facts)
    about = [name for name in ABOUT | {"rule"} if name in fields]
    if not (about and (STATES & fields.keys() or len(about) > 1)):
        return Alert(source, "unknown", "test") if meaning("kind", body) == "test" else None
    titles = (facts[label] for label in facts if normal(label) in HEADINGS)
    heading = " ".join((_title(text), fields.get("rule", ""), *titles))
    state = _state(facts, fields, source)
    kind = _kind(state, heading, " ".join((*facts, *facts.values()))) or meaning("kind", text)
    if told and kind in GENERIC:
        kind = told
    return _alert(source, _status(kind, state, heading, body, text), kind, fields, values, contrary(facts, source))


def _title(text: str) -> str:
    """What stands before everything else in brackets, or in a line without a label."""
    opening = text.lstrip()[:200].partition("\n")[0]
    bracketed = _BRACKETS.match(opening)
    return bracketed[1] if bracketed else "" if _LABELLED.search(opening) else opening


def _alert(
    source: str,
    status: AlertStatus,
    kind: str,
    fields: Mapping[str, str],
    values: Mapping[str, str],
    contrary: Iterable[str] = (),
) -> Alert:
    """The alert of these fields."""
    doubts = "; ".join((*contrary, *contradictions(fields)))
    logical = _LOGICAL.search(fields.get("run", ""))
    times = {"logical": logical[0]} if logical else {}
    return Alert(
        source,
        status,
        kind,
        objects(fields, source),
        project=fields.get("project", ""),
        business_date=business_date(fields),
        times=times | {name: fields[name] for name in TIMES if name in fields},
        severity=fields.get("severity", ""),
        rule=fields.get("rule", ""),
        values={**values, "contradiction": doubts} if doubts else values,
        error=fields.get("error", ""),
    )


def _sorted(facts: Facts, source: str) -> tuple[dict[str, str], dict[str, str]]:
    """The values whose labels are known, by field, and the others; what says nothing is left out."""
    fields: dict[str, str] = {}
    values: dict[str, str] = {}
    for label, value in facts.items():
        name = tables.field_name(source, label)
        if value.strip().lower() in NOTHING or value.startswith(("http://", "https://")):
            continue
        if name == "_" or name in fields:
            values[label] = value
        else:
            fields[name] = value.strip()
    return fields, values


def _state(facts: Facts, fields: Mapping[str, str], source: str) -> str:
    """The words of the state; numbers and flags turned into words."""
    if said := fields.get("recovered", "").lower():
        return "recovered" if said in {"true", "1", "yes"} else "firing"
    if source != "dataworks":
        return fields.get("state", "")
    numbers = {normal(label): value for label, value in facts.items()}
    coded = (tables.codes(label).get(numbers.get(label, ""), "") for label in ("tasktype", "status"))
    return next(filter(None, coded), fields.get("state", ""))


def _status(kind: str, *texts: str) -> AlertStatus:
    """The first of the texts that says something decides."""
    if kind in DECIDED:
        return DECIDED[kind]
    for text in texts:
        if found := meaning("status", _NOT_OVER.sub("firing", text)):
            return cast("AlertStatus", found)
    return "unknown"


def _kind(state: str, heading: str, body: str) -> str:
    """What happened. That it failed is said by nearly every alert, so more particular words of state or heading go first."""
    said = [meaning("kind", text) for text in (state, heading)]
    return (
        next((kind for kind in said if kind not in GENERIC), "")
        or next(filter(None, said), "")
        or meaning("kind", body)
    )


def _from_sentences(text: str, *, asking: bool = False) -> list[Alert]:
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
    labelled, source = lines(looked)[:1], tables.source(looked)
    around = _sorted(labelled[0], source)[0] if labelled else {}
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
    return written | {"_": said, "before": _title(line)}


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
    kind = row.kind or _kind(" ".join((state, said)), own.get("rule", ""), said)
    status = cast("AlertStatus", row.status) if row.status else _status(kind, state, said, text)
    if meaning("status", groups["before"]) == "recovered":  # and keeps the words of the failure
        status = "recovered"
    return _alert(source, status, kind, told | own, {}, doubts)


def _from_names(text: str) -> list[Alert]:
    """An alarm of no known shape: the names in it, if any, are what it is about."""
    looked = simplified(plain(text)[:SENTENCES_READ])
    named = _PROJECT.search(looked)
    project = next(filter(None, named.groups()), "") if named else ""
    found = {
        match["name"]: AlertObject("instance" if match["of"] else "task", match["name"], match["id"] or "")
        for match in _NAME.finditer(looked)
        if "_" in match["name"] and match["name"] != project
    }
    kind = meaning("kind", text)
    return (
        [Alert(tables.source(text), _status(kind, text), kind, tuple(found.values())[:NAMED], project)] if found else []
    )


def _with_counts(alerts: Iterable[Alert], text: str) -> Iterator[Alert]:
    """The alerts, the first with how many things the text says there are."""
    stated: dict[str, str] = {}
    for pattern in tables.counts():
        stated |= {
            name: value
            for match in pattern.finditer(simplified(text[:SENTENCES_READ]))
            for name, value in match.groupdict().items()
            if value
        }
    for place, alert in enumerate(alerts):
        yield replace(alert, values={**alert.values, **stated}) if stated and place == 0 else alert


def _distinct(alerts: Sequence[Alert]) -> Iterator[Alert]:
    seen: set[tuple[object, ...]] = set()
    for alert in alerts:
        same = (
            alert.status,
            alert.rule,
            alert.objects,
            alert.business_date,
            *(() if alert.objects else alert.values.items()),
        )
        if same not in seen:
            seen.add(same)
            yield alert
