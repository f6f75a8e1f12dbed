"""Whether a table was updated on a day: a pure function over what was looked up.

A success alone proves nothing. A dry run, a run that was off its cycle, an instance set successful by a person and a
skipped one all end green and write no data (DataWorks documents the first two as such), so each is named as the reason.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import Literal

from core.results import TableReport
from core.schedulers.base import DataTable, Instance, RunType, Status, TableUpdate

Verdict = Literal["updated", "pending", "late", "empty", "failed", "unknown"]
UNCOUNTED = frozenset({RunType.BACKFILL, RunType.TEST})
BROKEN = frozenset({Status.FAILED, Status.UPSTREAM_FAILED, Status.KILLED})


@dataclass(frozen=True, slots=True)
class Sighting:
    """An update, and the run that made it where that is known."""

    update: TableUpdate
    writer: Instance | None = None

    @property
    def counts(self) -> bool:
        """Whether it is news: backfills and tests rewrite old data."""
        return self.writer is None or self.writer.run_type not in UNCOUNTED

    def of(self, day: date, zone: tzinfo) -> bool:
        """Whether it is the day's: written by a run due that day, or, by an unknown one, on that day.

        Yesterday's run, repaired and rerun today, brings yesterday's data.
        """
        due = self.writer.scheduled_at if self.writer else None
        return (due or self.update.at).astimezone(zone).date() == day


def report(
    table: DataTable,
    sightings: Sequence[Sighting],
    producer: Instance | None,
    *,
    day: date,
    now: datetime,
    zone: tzinfo,
    expected_at: datetime | None,
) -> TableReport:
    """The verdict.

    Args:
        table: what was asked about.
        sightings: its updates, newest first.
        producer: instance of the producing task that was due on the day, if any.
        day: calendar day asked about.
        now: the moment of the question.
        zone: in which the day begins.
        expected_at: when the producer's instance usually ends.
    """
    of_day = [one for one in sightings if one.of(day, zone)]
    news = [one for one in of_day if one.counts]
    verdict, reason = _from_update(news[0].update) if news else _from_producer(table, producer, now, expected_at)
    if not news and of_day and not reason:
        reason = "backfill"
    newest = (news or [one for one in sightings if one.counts] or [None])[0]
    return TableReport(
        table,
        verdict,
        day,
        now,
        update=newest.update if newest else None,
        producer=producer,
        expected_at=expected_at if verdict in {"pending", "late"} else None,
        reason=reason,
    )


def _from_update(update: TableUpdate) -> tuple[Verdict, str]:
    return ("empty", "") if update.rows == 0 else ("updated", "")


def _from_producer(
    table: DataTable, producer: Instance | None, now: datetime, expected_at: datetime | None
) -> tuple[Verdict, str]:
    if producer is None:
        return "unknown", "not_scheduled" if table.producers else "no_producer"
    flags = producer.flags
    if flags.frozen:
        return "late", "frozen"
    if producer.status in BROKEN:
        return "failed", ""
    if not producer.status.succeeded:
        return ("late", "") if expected_at is not None and expected_at < now else ("pending", "")
    if flags.off_cycle:
        return "pending", "off_cycle"
    if flags.dry_run:
        return "late", "dry_run"
    if producer.status is Status.FORCED_SUCCESS:
        return "late", "set_success"
    if producer.status is Status.SKIPPED:
        return "late", "skipped"
    return "unknown", "unrecorded"
