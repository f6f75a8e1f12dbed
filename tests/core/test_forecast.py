"""When an instance will be done: the usual delay, unmoved by one bad night, silent with too little to go by."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from core.diagnosis.forecast import expected_finish, usual_seconds
from core.schedulers.base import Flags, Instance, RunType, Status
from tests.samples import ZONE, task

DUE = datetime(2026, 11, 22, 1, 0, tzinfo=ZONE)
NOW = DUE + timedelta(minutes=5)
TODAY = Instance("today", task("dws_order", "7"), Status.RUNNING, scheduled_at=DUE, started_at=DUE)


def past(*minutes: int) -> tuple[Instance, ...]:
    """Runs of the days before, newest first, each done so many minutes after it was due."""
    return tuple(_run(ago, delay) for ago, delay in enumerate(minutes, 1))


def _run(days_ago: int, minutes: int) -> Instance:
    due = DUE - timedelta(days=days_ago)
    done = due + timedelta(minutes=minutes)
    return replace(
        TODAY, id=f"{days_ago}", status=Status.SUCCESS, scheduled_at=due, started_at=due, finished_at=done, run_number=1
    )


def changed(runs: Iterable[Instance], **changes: object) -> tuple[Instance, ...]:
    """The same runs, but for something."""
    return tuple(replace(run, **changes) for run in runs)


def test_it_finishes_after_the_usual_delay() -> None:
    """The median of the delays after the due time, one bad night among them."""
    assert expected_finish(past(40, 38, 600, 42, 41), TODAY, NOW) == DUE + timedelta(minutes=41)


def test_a_late_instance_keeps_its_forecast() -> None:
    """What should have been done an hour ago says so: the moment lies in the past."""
    assert expected_finish(past(40, 40, 40), TODAY, DUE + timedelta(hours=3)) == DUE + timedelta(minutes=40)


def test_too_little_history_foretells_nothing() -> None:
    """Two runs, no due time, no instance: None."""
    assert expected_finish(past(40, 40), TODAY, NOW) is None
    assert expected_finish(past(40, 40, 40), replace(TODAY, scheduled_at=None), NOW) is None
    assert expected_finish(past(40, 40, 40), None, NOW) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"status": Status.FAILED},
        {"status": Status.FORCED_SUCCESS},
        {"status": Status.SKIPPED},
        {"flags": Flags(dry_run=True)},
        {"flags": Flags(off_cycle=True)},
        {"run_type": RunType.BACKFILL},
        {"finished_at": None},
    ],
    ids=str,
)
def test_what_did_no_scheduled_work_does_not_count(changes: dict[str, object]) -> None:
    """Dry runs end at once and backfills start at noon: either would foretell nonsense."""
    assert expected_finish(changed(past(1, 1, 1, 1), **changes), TODAY, NOW) is None


def test_the_instance_itself_is_not_its_own_history() -> None:
    """Asked about after a rerun, its own earlier end must not count."""
    itself = replace(_run(0, 5), id="today")
    assert expected_finish((itself, *past(40, 40)), TODAY, NOW) is None


def test_the_usual_duration_is_a_median_too() -> None:
    """Seconds from start to end."""
    assert usual_seconds(past(10, 12, 300), TODAY) == 12 * 60
    assert usual_seconds(past(10, 12), TODAY) is None
