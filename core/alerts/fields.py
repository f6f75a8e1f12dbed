"""From labels to the fields of an alert: which field a label means, what the state says, and what kind of alert it makes."""

import re
from collections.abc import Iterable, Mapping
from typing import cast

from core.alerts import tables
from core.alerts.doubts import business_date, contradictions
from core.alerts.facts import Facts
from core.alerts.model import Alert, AlertStatus
from core.alerts.objects import objects
from core.alerts.tables import meaning, normal

TIMES = ("started", "ended", "occurred", "promised", "logical")
NOTHING = {"", "n/a", "none", "null", "[]", "-", "<no value>", "[no value]", "0001-01-01t00:00:00z"}
GENERIC = {"", "failed", "success"}
"""Kinds that a more particular word elsewhere in the alert outweighs."""
DECIDED: Mapping[str, AlertStatus] = {"test": "unknown", "success": "recovered"}
"""Kinds that leave no doubt about the status."""
_NOT_OVER = re.compile(r"(?:尚?未|没有|沒有)恢[复復]|not (?:yet )?(?:recovered|resolved)", re.I)
_BRACKETS = re.compile(r"\W{0,9}?[\[【]([^\]】\n]{1,40})[\]】]")
_LABELLED = re.compile(r"[:：=＝{|]")
_LOGICAL = re.compile(r"\d{4}-\d\d-\d\d[T ][\d:.+Z-]{5,30}")


def sorted_out(facts: Facts, source: str) -> tuple[dict[str, str], dict[str, str]]:
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


def state_of(facts: Facts, fields: Mapping[str, str], source: str) -> str:
    """The words of the state; numbers and flags turned into words."""
    if said := fields.get("recovered", "").lower():
        return "recovered" if said in {"true", "1", "yes"} else "firing"
    if source != "dataworks":
        return fields.get("state", "")
    numbers = {normal(label): value for label, value in facts.items()}
    coded = (tables.codes(label).get(numbers.get(label, ""), "") for label in ("tasktype", "status"))
    return next(filter(None, coded), fields.get("state", ""))


def status_of(kind: str, *texts: str) -> AlertStatus:
    """The first of the texts that says something decides."""
    if kind in DECIDED:
        return DECIDED[kind]
    for text in texts:
        if found := meaning("status", _NOT_OVER.sub("firing", text)):
            return cast("AlertStatus", found)
    return "unknown"


def kind_of(state: str, heading: str, body: str) -> str:
    """What happened. That it failed is said by nearly every alert, so more particular words of state or heading go first."""
    said = [meaning("kind", text) for text in (state, heading)]
    return (
        next((kind for kind in said if kind not in GENERIC), "")
        or next(filter(None, said), "")
        or meaning("kind", body)
    )


def title_of(text: str) -> str:
    """What stands before everything else in brackets, or in a line without a label."""
    opening = text.lstrip()[:200].partition("\n")[0]
    bracketed = _BRACKETS.match(opening)
    return bracketed[1] if bracketed else "" if _LABELLED.search(opening) else opening


def build(
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
