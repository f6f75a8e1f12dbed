"""What cannot both be true in one alert. It is said, not smoothed over: `a ≠ b`."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from datetime import date, datetime

from core.alerts.tables import field_name, meaning

LONGEST_DAY = 12
"""Characters of a day; with a time it is longer."""

_DATE = re.compile(r"(20\d\d)(?:[-/.年](\d{1,2})[-/.月](\d{1,2})|(\d\d)(\d\d))")
_ZONE_NAME = re.compile(r" [A-Z]{3,4}$")
_DATAPHIN = re.compile(r"t_\d+_(20\d{6})_\d+")


def iso_date(text: str) -> str:
    """An ISO date from the ways platforms write one; empty when it is none."""
    match = _DATE.search(unicodedata.normalize("NFKC", text))
    try:
        return date(int(match[1]), int(match[2] or match[4]), int(match[3] or match[5])).isoformat() if match else ""
    except ValueError:
        return ""


def business_date(fields: Mapping[str, str]) -> str:
    """The day the data is about: as stated, as a Dataphin instance id carries it, or a logical date without a time."""
    logical = fields.get("logical", "")
    return (
        iso_date(fields.get("bizdate", ""))
        or _of_id(fields)
        or (iso_date(logical) if len(logical) < LONGEST_DAY else "")
    )


def contradictions(fields: Mapping[str, str]) -> Iterator[str]:
    """Each pair of statements that do not fit."""
    stated, carried = iso_date(fields.get("bizdate", "")), _of_id(fields)
    if stated and carried and stated != carried:
        yield f"{fields['bizdate']} ≠ {fields['instance']}"
    occurred = iso_date(fields.get("occurred", ""))
    if stated and occurred and stated > occurred:
        yield f"{fields['bizdate']} > {fields['occurred']}"
    started, ended = (_moment(fields.get(name, "")) for name in ("started", "ended"))
    if started and ended and ended < started:
        yield f"{fields['ended']} < {fields['started']}"
    log, workflow = fields.get("log", ""), fields.get("workflow", "")
    if "run" in fields and workflow and "/" in log and f"/{workflow}/" not in log and f"={workflow}/" not in log:
        yield f"{log} ≠ {workflow}"


def contrary(facts: Mapping[str, str], source: str) -> Iterator[str]:
    """Two labels of a state of which one says that it is over and the other that it goes on."""
    stated = {label: value for label, value in facts.items() if field_name(source, label) == "state"}
    over = [label for label, value in stated.items() if meaning("status", value) == "recovered"]
    going_on = [label for label, value in stated.items() if meaning("status", value) == "firing"]
    for one, other in zip(over[:1], going_on[:1], strict=False):
        yield f"{one} {facts[one]} ≠ {other} {facts[other]}"


def _of_id(fields: Mapping[str, str]) -> str:
    carried = _DATAPHIN.fullmatch(fields.get("instance", ""))
    return iso_date(carried[1]) if carried else ""


def _moment(text: str) -> datetime | None:
    """A moment to compare with another of the same alert; None when it cannot be read."""
    try:
        return datetime.fromisoformat(_ZONE_NAME.sub("", text.replace("/", "-")).removesuffix(".0")).replace(
            tzinfo=None
        )
    except ValueError:
        return None
