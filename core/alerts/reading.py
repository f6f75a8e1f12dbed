"""From a text to alerts, by the tables beside this file.

JSON and labelled lines state fields; sentences name things in running text; what is left of a text that sounds an alarm are
the names in it. A short question is none of these, whatever words it has.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from core.alerts import tables
from core.alerts.doubts import contrary
from core.alerts.facts import Facts, documents, lines, plain
from core.alerts.fields import GENERIC, build, kind_of, sorted_out, state_of, status_of, title_of
from core.alerts.grids import grids
from core.alerts.model import Alert, AlertObject, Reading
from core.alerts.objects import ABOUT
from core.alerts.tables import meaning, normal
from core.alerts.told import MOST, SENTENCES_READ, from_sentences
from core.i18n.script import simplified
from core.redact import clean, injections

LONGEST = 200_000
SHORT = 160
"""A question is short; a paste with a question in it is still a paste."""

STATES = {"state", "recovered", "error", "rule", "severity"}
"""Fields of which an alert has at least one, beside what it is about."""
LOOKED_UP = {"instance", "task", "workflow", "table", "baseline"}
HEADINGS = ("title", "messagetype", "warningtype")
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
    r"|\d ?个(?:任务|实例|节点|作业).{0,6}(?:失败|出错|未完成|超时)"
    r"|\d (?:tasks?|jobs?|models?) (?:have |has )?(?:failed|errored)\b"
    r"|(?:以下|下列|如下).{0,12}(?:失败|出错|异常|未完成|超时)|\bfollowing\b.{0,30}\b(?:failed|errors?|late)\b",
    re.IGNORECASE,
)


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
    told = from_sentences(rest, asking=asking)
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
    told = from_sentences("\n".join(facts.values()))
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
    fields, values = sorted_out(facts, source)
    told = tables.told_by_labels(facts)
    about = [name for name in ABOUT | {"rule"} if name in fields]
    if not (about and (STATES & fields.keys() or len(about) > 1)):
        return Alert(source, "unknown", "test") if meaning("kind", body) == "test" else None
    titles = (facts[label] for label in facts if normal(label) in HEADINGS)
    heading = " ".join((title_of(text), fields.get("rule", ""), *titles))
    state = state_of(facts, fields, source)
    kind = kind_of(state, heading, " ".join((*facts, *facts.values()))) or meaning("kind", text)
    if told and kind in GENERIC:
        kind = told
    return build(source, status_of(kind, state, heading, body, text), kind, fields, values, contrary(facts, source))


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
        [Alert(tables.source(text), status_of(kind, text), kind, tuple(found.values())[:NAMED], project)]
        if found
        else []
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
