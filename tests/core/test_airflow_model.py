"""Airflow's words in ours: ids, statuses, times."""

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import NotFound
from core.schedulers.airflow.model import STATUSES, Key, TaskKey, cycle, instance, run_type
from core.schedulers.airflow.wire import TaskInstance
from core.schedulers.base import Flags, RunType, Status, Task
from tests.fakes.airflow import recorded

ZONE = ZoneInfo("Asia/Shanghai")
TASK = Task("air", "trade_daily/transform", "transform", "trade_daily", flags=Flags(frozen=True))
PARTS = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=40).filter(
    lambda part: part not in {".", ".."}
)


def seen(name: str = "failed", **changes: Any) -> Any:
    """A recorded task instance, with changes, as the model has it."""
    raw = TaskInstance.model_validate(recorded(name) | changes)
    return instance(raw, TASK, zone=ZONE, url="")


@given(PARTS, PARTS, PARTS, st.integers(-1, 2000))
def test_every_id_leads_back_to_its_instance(dag: str, run: str, task: str, index: int) -> None:
    key = Key(dag, run, task, index)
    assert Key.parse(key.id) == key


@given(st.tuples(PARTS, PARTS, PARTS, st.integers(-1, 20)), st.tuples(PARTS, PARTS, PARTS, st.integers(-1, 20)))
def test_two_instances_never_share_an_id(one: tuple[str, str, str, int], other: tuple[str, str, str, int]) -> None:
    assert (Key(*one).id == Key(*other).id) == (one == other)


@given(PARTS, PARTS)
def test_every_task_id_leads_back_to_its_task(dag: str, task: str) -> None:
    assert TaskKey.parse(TaskKey(dag, task).id) == TaskKey(dag, task)


@given(st.text())
def test_any_text_is_an_id_or_is_not_found(text: str) -> None:
    for parse in (Key.parse, TaskKey.parse):
        try:
            key = parse(text)
        except NotFound:
            continue
        assert parse(key.id) == key


@pytest.mark.parametrize("id_", ["d/../t", "d/./t", "d//t", "d/%2e%2e/t", "d/r/t/-1", "d/r/t/x", "d/r/t/1/2", "d/\0/t"])
def test_what_would_change_a_path_is_nobodys_id(id_: str) -> None:
    with pytest.raises(NotFound):
        Key.parse(id_)


def test_ids_stay_readable() -> None:
    assert Key("trade", "scheduled__2026-11-22T00:00:00+00:00", "load", 3).id == (
        "trade/scheduled__2026-11-22T00:00:00+00:00/load/3"
    )
    assert Key("a/b", "50%", "c").id == "a%2Fb/50%25/c"


@pytest.mark.parametrize("word", [None, *STATUSES, "invented_tomorrow"])
def test_every_state_has_a_status_and_keeps_its_word(word: str | None) -> None:
    one = seen(state=word)
    assert one.status is STATUSES.get(word or "none", Status.UNKNOWN)
    assert one.raw_status == (word or "none")


@pytest.mark.parametrize(
    ("run_id", "expected"),
    [
        ("scheduled__2026-11-22T00:00:00+00:00", RunType.NORMAL),
        ("asset_triggered__2026-11-22T01:02:03.4+00:00_x1", RunType.NORMAL),
        ("operator_triggered__2026", RunType.NORMAL),
        ("backfill__2026-11-18T00:00:00+00:00", RunType.BACKFILL),
        ("manual__2026-11-22T00:00:00+00:00", RunType.MANUAL),
        ("scheduled", RunType.MANUAL),
        ("scheduled-again", RunType.MANUAL),
        ("by_hand__x", RunType.MANUAL),
        ("", RunType.MANUAL),
    ],
)
def test_a_runs_type_is_read_from_its_id(run_id: str, expected: RunType) -> None:
    assert run_type(run_id) is expected


def test_the_data_is_of_the_logical_date_in_the_zone_or_else_of_the_day_it_was_due() -> None:
    evening = "2026-11-22T20:00:00Z"
    assert seen(logical_date=evening).business_date == date(2026, 11, 23)
    assert seen(logical_date=None, run_after=evening).business_date == date(2026, 11, 23)


def test_a_recorded_failure_reads_as_it_was() -> None:
    raw = recorded("failed")
    one = seen()
    assert (one.status, one.run_number, one.run_type) == (Status.FAILED, 1, RunType.NORMAL)
    assert one.finished_at == datetime.fromisoformat(raw["end_date"])
    assert one.scheduled_at == datetime.fromisoformat(raw["run_after"])
    assert one.seconds == pytest.approx(raw["duration"], abs=0.01)


def test_a_mapped_instance_carries_its_index() -> None:
    assert seen("mapped").id == "parts/recorded/copy/1"


def test_a_cleared_instance_shows_no_times_of_its_last_run() -> None:
    one = seen(state=None)
    assert (one.started_at, one.finished_at, one.run_number) == (None, None, 1)


def test_one_that_waits_says_since_when() -> None:
    moment = datetime(2026, 11, 22, 1, tzinfo=UTC)
    assert seen(state="queued", queued_when=moment).waiting_since == moment
    assert seen(state="success", queued_when=moment).waiting_since is None


def test_a_pause_freezes_what_has_not_begun_only() -> None:
    frozen = {word: seen(state=word).flags.frozen for word in (None, "scheduled", "running", "success", "failed")}
    assert frozen == {None: True, "scheduled": True, "running": False, "success": False, "failed": False}


@pytest.mark.parametrize(
    ("timetable", "expected"),
    [
        ("0 2 * * *", "daily"),
        ("30 * * * *", "hourly"),
        ("0 8-20 * * *", "hourly"),
        ("*/5 * * * *", "minute"),
        ("0 2 * * 1", "weekly"),
        ("0 2 1 * *", "monthly"),
        ("0 2 1 1 *", ""),
        ("Asset", ""),
        ("@continuous", ""),
        (None, "manual"),
    ],
)
def test_how_often_a_dag_is_due(timetable: str | None, expected: str) -> None:
    assert cycle(timetable) == expected
