"""Whether a run that succeeded really left its data: the silent failure that nobody is alerted to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from core.diagnosis.model import Evidence
from core.schedulers.base import DataTable, TableUpdate

SHRUNKEN = 0.3
"""Less than this share of the usual number of rows is worth a warning."""
ENOUGH = 3
"""Fewer earlier updates than this say nothing about what is usual."""


@dataclass(frozen=True, slots=True)
class MissingOutput:
    """A table that is not as a success should have left it. `detail` and `values` as in `Check`."""

    table: str
    detail: str
    fact: str
    values: Mapping[str, object] = field(default_factory=dict[str, object])


def missing_output(evidence: Evidence) -> MissingOutput | None:
    """The first of the tables that lacks what the run should have written; None when all is well or not known."""
    found = (_look(evidence, table) for table in evidence.tables if table.updates)
    return next(filter(None, found), None)


def _look(evidence: Evidence, table: DataTable) -> MissingOutput | None:
    update, started = _mine(evidence, table.updates), evidence.instance.started_at
    if update is None:
        newest = table.updates[0].at
        stale = started is not None and newest < started
        fact = f"{table.name}: {newest:%Y-%m-%d %H:%M}"
        return MissingOutput(table.name, "stale_table", fact, {"table": table.name}) if stale else None
    if update.rows is None:
        return None
    fact = f"{table.name} {update.partition}: {update.rows} rows"
    if update.rows == 0:
        return MissingOutput(table.name, "empty_table", fact, {"table": table.name})
    earlier = [one.rows for one in table.updates if one.at < update.at and one.rows is not None]
    usual = median(earlier) if len(earlier) >= ENOUGH else 0
    if update.rows >= usual * SHRUNKEN:
        return None
    values = {"table": table.name, "rows": update.rows, "usual": round(usual)}
    return MissingOutput(table.name, "shrunken_table", fact, values)


def _mine(evidence: Evidence, updates: Sequence[TableUpdate]) -> TableUpdate | None:
    """What the run itself wrote, by its name where the platform tells, else by the time."""
    named = (one for one in updates if one.instance == evidence.instance.ref)
    started, finished = evidence.instance.started_at, evidence.instance.finished_at
    timed = (one for one in updates if not one.instance and started and finished and started <= one.at <= finished)
    return next(named, None) or next(timed, None)
