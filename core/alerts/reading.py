"""From a text to alerts, by the tables beside this file.

JSON and labelled lines state fields; sentences name things in running text; what is left of a text that sounds an alarm are
the names in it. A short question is none of these, whatever words it has.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice

from core.alerts import tables
from core.alerts.doubts import contrary, iso_date
from core.alerts.facts import Facts, documents, plain
from core.alerts.fields import GENERIC, build, kind_of, sorted_out, state_of, status_of, title_of
from core.alerts.grids import grids
from core.alerts.lines import Group, lines
from core.alerts.mentions import without
from core.alerts.model import Alert, AlertObject, Reading
from core.alerts.objects import ABOUT
from core.alerts.sounding import LOUD, loudness, talks, weight
from core.alerts.tables import meaning, normal, unlabelled
from core.alerts.told import MOST, SENTENCES_READ, from_sentences
from core.i18n.script import simplified
from core.redact import clean, injections

LONGEST = 200_000
HEAD = 4000
"""Characters of a paste that say something of all alerts in it."""
LONGEST_ALERT = 20_000
"""Characters of one alert in which values without a label are looked for."""
SUSPECTS = 20
"""Most lines that try to instruct which are read, one by one, when there is nothing else."""
STATES = {"state", "recovered", "error", "rule", "severity"}
"""Fields of which an alert has at least one, beside what it is about."""
LOOKED_UP = {"instance", "task", "workflow", "table", "baseline"}
HEADINGS = ("title", "messagetype", "warningtype")
NAMED = 50
"""Most names taken from an alarm of no known shape."""
_NAME = re.compile(
    r"(?<![A-Za-z0-9])(?P<name>[A-Za-z][A-Za-z0-9]*(?:[_.-][A-Za-z0-9]+)+)"
    r"(?: ?[(（](?:(?P<of>实例|instance)|节点|任务|node|task)? ?(?:id)?[:： ]{0,3}(?P<id>\d{4,20})[)）])?",
    re.IGNORECASE,
)


def read(text: str) -> Reading:
    """What a pasted text says. Lines that try to instruct are not read, unless nothing is left without them."""
    whole = clean(text)
    lines_read = whole[:LONGEST].split("\n")
    suspect = injections(lines_read)
    harmless = "\n".join(line for place, line in enumerate(lines_read) if place not in suspect)
    found, too_much = _alerts(harmless)
    if not found:
        each = (_alerts(lines_read[place]) for place in sorted(suspect)[:SUSPECTS])
        found, too_much = next((one for one in each if one[0]), ((), too_much))
    left_out = len(whole) > LONGEST or len(found) > MOST or too_much
    return Reading("alert" if found else "chat", found[:MOST], left_out, tuple(place + 1 for place in sorted(suspect)))


def _alerts(text: str) -> tuple[tuple[Alert, ...], bool]:
    """The alerts, and whether some of it was too much or too deep to read."""
    facts, rest, too_much = documents(text)
    rows, rest = grids(plain(rest))
    asking = talks(text)
    sender = tables.source(text)
    stated = [alert for one in [*facts, *rows][: MOST + 1] for alert in _stated(one, text[:HEAD], sender)]
    told = from_sentences(rest, asking=asking)
    named = [alert for alert in told if alert.objects]
    in_lines = [] if named else _in_lines(rest, sender, labelled=bool(stated))
    found = _headed([*stated, *named, *in_lines], [alert for alert in told if not alert.objects])
    if not found and not asking and loudness(plain(rest)) + weight(stated=bool(meaning("status", rest[:HEAD]))) >= LOUD:
        found = _from_names(text)
    too_much = too_much or len(facts) + len(rows) > MOST or len(in_lines) > MOST
    alone = len(found) == 1
    found = [_by_its_rule(_completed_by(alert, text) if alone else alert) for alert in found]
    return tuple(_with_counts(_distinct(found), text)), too_much


def _stated(facts: Facts, text: str, sender: str) -> list[Alert]:
    """What one set of labels says; where they do not tell what to look up, the sentences in their values may."""
    alert = _from_facts(facts, text, sender)
    values = "\n".join(facts.values())
    told = from_sentences(values) or (_in_lines(values, sender) if alert is None or not alert.subjects else [])
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


def _completed_by(alert: Alert, text: str) -> Alert:
    """An alert with what its text says without a label, where no label says it."""
    looked = plain(text[:LONGEST_ALERT])
    return replace(
        alert,
        project=alert.project or unlabelled("project", looked),
        business_date=alert.business_date or iso_date(unlabelled("business_date", looked)),
        severity=alert.severity or tables.grade(alert.source, unlabelled("severity", looked)),
        error=alert.error or unlabelled("error", looked),
    )


def _by_its_rule(alert: Alert) -> Alert:
    """An alert that names nothing is about its rule."""
    return alert if alert.objects or not alert.rule else replace(alert, objects=(AlertObject("rule", alert.rule),))


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


def _in_lines(text: str, sender: str, *, labelled: bool = False) -> list[Alert]:
    """The alerts of lines: labelled as such, or sounding like it.

    Args:
        text: with or without markup.
        sender: whose marks the whole paste has.
        labelled: whether only labelled ones count, because something else was found already.
    """
    loud = loudness(plain(text))
    groups = [one for one in lines(text) if one.labelled or not labelled][: MOST * 5]
    found = (alert for one in groups if (alert := _from_group(one, text[:HEAD], sender, loud)))
    return list(islice(found, MOST + 1))


def _from_group(group: Group, text: str, sender: str, loud: int) -> Alert | None:
    """An alert of lines, if they are labelled as one or sound like one."""
    fields, _ = sorted_out(group.stated, "")
    alarm = (
        loud + weight(named=bool((ABOUT | {"rule"}) & fields.keys()), spoken=group.spoken, stated=bool(group.words))
        >= LOUD
    )
    if not group.labelled and (not alarm or group.listed):
        return None
    alert = _from_facts(group.stated, text, sender, " ".join(group.words), loud=alarm)
    return alert and _completed_by(alert, "\n".join(group.parts))


def _from_facts(facts: Facts, text: str, sender: str, words: str = "", *, loud: bool = False) -> Alert | None:
    """An alert, if the labels name something an alert is about.

    Args:
        facts: labelled values.
        text: what they stand under.
        sender: whose marks the whole paste has.
        words: what stands beside them without a label.
        loud: whether the text sounds an alarm whatever its labels are.
    """
    body = "\n".join(f"{label}: {value}" for label, value in facts.items())
    source = known if (known := tables.source(body)) != "unknown" else sender
    fields, values = sorted_out(facts, source)
    told = tables.told_by_labels(facts)
    about = [name for name in ABOUT | {"rule"} if name in fields]
    if not (about and (loud or STATES & fields.keys() or len(about) > 1)):
        return Alert(source, "unknown", "test") if meaning("kind", body) == "test" else None
    titles = (facts[label] for label in facts if normal(label) in HEADINGS)
    heading = " ".join((title_of(text), fields.get("rule", ""), *titles))
    state = state_of(facts, fields, source) or words
    kind = kind_of(state, heading, " ".join((*facts, *facts.values()))) or meaning("kind", text)
    if kind in GENERIC:
        kind = told or tables.usual_kind(source) or kind
    names = [fields[name] for name in about]
    said = (without(one, names) for one in (state, heading, body, text))
    return build(source, status_of(kind, *said), kind, fields, values, contrary(facts, source))


def _from_names(text: str) -> list[Alert]:
    """An alarm of no known shape: the names in it, if any, are what it is about."""
    looked = simplified(plain(text)[:SENTENCES_READ])
    project = unlabelled("project", looked)
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
