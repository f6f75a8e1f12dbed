"""From labels to the fields of an alert: which field a label means, what the state says, and what kind of alert it makes."""

import re
from collections.abc import Iterable, Mapping
from typing import cast

from core.alerts import tables
from core.alerts.doubts import business_date, contradictions
from core.alerts.facts import Facts
from core.alerts.mentions import is_host
from core.alerts.model import Alert, AlertStatus
from core.alerts.objects import objects, plain_name
from core.alerts.tables import meaning, normal

TIMES = ("started", "ended", "occurred", "promised", "logical")
NOTHING = {"", "n/a", "none", "null", "[]", "-", "<no value>", "[no value]", "0001-01-01t00:00:00z"}
GENERIC = {"", "failed", "success"}
"""Kinds that a more particular word elsewhere in the alert outweighs."""
DECIDED: Mapping[str, AlertStatus] = {"test": "unknown", "success": "recovered"}
"""Kinds that leave no doubt about the status."""
_DAY = re.compile(r"20\d\d[-/.年]?\d{1,2}[-/.月]?\d{1,2}日?")
_CAMEL = re.compile(r"[A-Z][a-z0-9]+(?:[A-Z]+[a-z0-9]*)+")
_IP = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}(?::\d{2,5})?")
_BEFORE = re.compile(  # ALARM -> OK: what it was before the arrow is not how it is
    r"\b(?:ok|alarm|alerting|normal|pending|warn(?:ing)?|critical|error|problem|insufficient.data|firing|resolved|正常|异常|告警|恢复)\W{0,3}"
    r"(?:[-=]{1,2}>|→|➡|\bto\b|变为|变成|转为)",
    re.IGNORECASE,
)
_NOT_OVER = re.compile(
    r"(?:尚?未|没有|沒有|没|无法|不能)(?:能|自动)?(?:恢[复復]|成功|解决|正常|完成)|(?:恢[复復]|重启|重试|重跑)(?:失败|失敗|异常)|[不非]正常|[不未]成功|成功率|正常值"
    r"|not (?:yet )?(?:been )?(?:recovered|resolved|ok|successful)"
    r"|no longer (?:ok|passing)|failed to recover|success rate|unresolved|unsuccessful",
    re.IGNORECASE,
)
_BRACKETS = re.compile(r"\W{0,9}?[\[【]([^\]】\n]{1,40})[\]】]")
_LABELLED = re.compile(r"[:：=＝{|]")
_GRADE = re.compile(r"\b(?:[PS][0-4]|SEV-?\d|warn(?:ing)?|critical)\b", re.IGNORECASE)
_SPACE = re.compile(r"\s")
_LOGICAL = re.compile(r"\d{4}-\d\d-\d\d[T ][\d:.+Z-]{5,30}")


def sorted_out(facts: Facts, source: str) -> tuple[dict[str, str], dict[str, str]]:
    """The values whose labels are known, by field, and the others; what says nothing is left out."""
    fields: dict[str, str] = {}
    values: dict[str, str] = {}
    for label, value in facts.items():
        name = settled(tables.field_name(source, label), value.strip())
        if value.strip().lower() in NOTHING or value.startswith(("http://", "https://")):
            continue
        if name == "_" or name in fields:
            values[label] = value
        else:
            fields[name] = value.strip()
    return fields, values


def settled(name: str, value: str) -> str:
    """The field that a value decides where its label alone does not."""
    if name == "thing":
        digits = value.isdecimal() or value.startswith("t_")
        return (
            "host" if is_host(value) else "instance" if digits else "table" if "." in value or "表" in value else "task"
        )
    if name == "day":
        return "bizdate" if _DAY.fullmatch(value) else "occurred"
    if name == "type":
        return "rule" if _CAMEL.fullmatch(value) else "state"
    if name == "task" and _IP.fullmatch(value):
        return "host"
    return name


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
        if found := meaning("status", _NOT_OVER.sub(" firing ", _BEFORE.sub(" ", text))):
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


def _grade_in(state: str) -> str:
    """The grade that a state tells besides: `S2 Recovered`, `warn`."""
    found = _GRADE.search(state)
    return found[0] if found else ""


def _telling(state: str) -> str:
    """A state that tells what went wrong, and not only that something did: `upstream_failed`."""
    return state if "_" in state and not _SPACE.search(state) and meaning("status", state) == "firing" else ""


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
        project=plain_name(fields.get("project", "")),
        business_date=business_date(fields),
        times=times | {name: fields[name] for name in TIMES if name in fields},
        severity=tables.grade(source, fields.get("severity") or _grade_in(fields.get("state", ""))),
        rule=fields.get("rule", ""),
        values={**values, "contradiction": doubts} if doubts else values,
        error=fields.get("error") or fields.get("summary") or _telling(fields.get("state", "")),
    )
