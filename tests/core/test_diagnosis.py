"""The ordered checks as a table: which check stops the search, what the verdict is, and that every statement has a proof."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from core.diagnosis import diagnose
from core.diagnosis.model import Cause, Diagnosis, Evidence, RerunHelps
from core.i18n import LANGUAGES, words
from core.redact import clean
from core.results import Diagnosed
from core.schedulers.base import (
    Baseline,
    Change,
    Constraints,
    DataTable,
    Flags,
    Instance,
    LogPage,
    Related,
    Status,
    TableUpdate,
)
from core.schedulers.model import MOST_RELATED
from core.views import show
from tests.samples import NOW, OPERATOR, ZONE, minutes_ago, task
from tests.strategies import of

ME = Instance(
    "me",
    task("dws_order", "7"),
    Status.FAILED,
    "FAILED",
    run_number=1,
    scheduled_at=minutes_ago(60),
    started_at=minutes_ago(50),
    finished_at=minutes_ago(20),
)
DONE = replace(ME, status=Status.SUCCESS, raw_status="SUCCESS")
WAITING = replace(ME, status=Status.NOT_RUN, raw_status="NOT_RUN", run_number=0, started_at=None, finished_at=None)
TABLE_LOG = LogPage(
    1, ("start", "FAILED: ODPS-0130131:[1,15] Table not found - table ods.pay cannot be resolved"), 1, 2
)


def other(name: str, status: Status, *, flags: Flags = Flags()) -> Instance:
    """Another task's instance."""
    return replace(ME, id=name, task=task(name, name, "李一鸣"), status=status, raw_status=status.upper(), flags=flags)


def up(name: str, status: Status, distance: int = 1, *, flags: Flags = Flags()) -> Related:
    """An instance before this one."""
    return Related(other(name, status, flags=flags), distance)


def table(*rows: int) -> DataTable:
    """A table with so many rows a day, the newest update by the run of `DONE`."""
    updates = tuple(TableUpdate(minutes_ago(25 + 1440 * days), rows=count) for days, count in enumerate(rows))
    return DataTable("demo", "dws_order", updates=updates)


def evidence(instance: Instance, **parts: Any) -> Evidence:
    """What was looked up about an instance."""
    return Evidence(instance, NOW, **parts)


@dataclass(frozen=True)
class Row:
    """One line of the table. `outcomes` are the first letters of the five checks' outcomes."""

    name: str
    given: Evidence
    outcomes: str
    detail: str
    cause: Cause
    rerun: RerunHelps
    advice: str = ""


HELD = Constraints(due_at=minutes_ago(60), throttled_by=("max 10 python",), throttle_holders=("demo:a", "demo:b"))
GROUP = Constraints(due_at=minutes_ago(60), resource_group="rg_spark", resource_holders=("demo:a",))
ROWS = [
    Row("frozen ends the search", evidence(replace(ME, flags=Flags(frozen=True)), log=TABLE_LOG), "ssssb", "frozen", Cause.KILLED, "after_fix", "unfreeze"),  # noqa: E501
    Row("paused before it began", evidence(WAITING, constraints=Constraints(paused=True)), "ssssb", "frozen", Cause.KILLED, "after_fix", "unfreeze"),  # noqa: E501
    Row("paused after it failed", evidence(ME, constraints=Constraints(paused=True), log=TABLE_LOG), "ppppb", "failed_line", Cause.MISSING_OBJECT, "after_fix", "check_name"),  # noqa: E501
    Row("upstream failed", evidence(WAITING, upstream=(up("a", Status.WAIT_UPSTREAM), up("b", Status.FAILED, 2))), "bssss", "upstream_failed", Cause.UPSTREAM_FAILED, "no", "fix_upstream"),  # noqa: E501
    Row("upstream frozen", evidence(WAITING, upstream=(up("a", Status.NOT_RUN, flags=Flags(frozen=True)),)), "bssss", "upstream_frozen", Cause.UPSTREAM_FAILED, "no", "unfreeze"),  # noqa: E501
    Row("upstream runs", evidence(WAITING, upstream=(up("a", Status.RUNNING),)), "bssss", "upstream_running", Cause.UPSTREAM_FAILED, "no", "fix_upstream"),  # noqa: E501
    Row("upstream unseen", evidence(replace(WAITING, status=Status.WAIT_UPSTREAM)), "bssss", "upstream_unseen", Cause.UPSTREAM_FAILED, "no", "fix_upstream"),  # noqa: E501
    Row("never ran", evidence(replace(WAITING, status=Status.UPSTREAM_FAILED), upstream=(up("a", Status.FAILED),)), "bssss", "upstream_failed", Cause.UPSTREAM_FAILED, "no", "fix_upstream"),  # noqa: E501
    Row("forced past upstream", evidence(replace(ME, flags=Flags(forced=True)), upstream=(up("a", Status.FAILED),), log=TABLE_LOG), "spppb", "failed_line", Cause.MISSING_OBJECT, "after_fix", "check_name"),  # noqa: E501
    Row("not due yet", evidence(WAITING, constraints=Constraints(due_at=NOW + timedelta(hours=1))), "pbsss", "not_due", Cause.SUCCESS_OR_HEALTHY, "no", "wait_until_due"),  # noqa: E501
    Row("not due, upstream waits too", evidence(replace(WAITING, scheduled_at=NOW + timedelta(hours=1)), upstream=(up("a", Status.WAIT_TIME),)), "bssss", "upstream_waiting", Cause.SUCCESS_OR_HEALTHY, "no", "wait_until_due"),  # noqa: E501
    Row("throttled", evidence(replace(WAITING, status=Status.WAIT_RESOURCE), constraints=HELD), "ppbss", "throttled", Cause.RESOURCE_SHORTAGE, "no", "raise_limit"),  # noqa: E501
    Row("no resources", evidence(replace(WAITING, status=Status.WAIT_RESOURCE), constraints=GROUP), "pppbs", "resource_wait", Cause.RESOURCE_SHORTAGE, "no", "wait_resources"),  # noqa: E501
    Row("all met, not started", evidence(WAITING, constraints=Constraints(), upstream=(up("a", Status.SUCCESS),)), "ppppu", "not_started", Cause.UNKNOWN, "unknown", "contact_platform"),  # noqa: E501
    Row("all met as far as is told", evidence(WAITING, upstream=(up("a", Status.SUCCESS),)), "ppuuu", "not_told", Cause.UNKNOWN, "unknown", "contact_platform"),  # noqa: E501
    Row("failed with a root", evidence(ME, log=TABLE_LOG), "ppppb", "failed_line", Cause.MISSING_OBJECT, "after_fix", "check_name"),  # noqa: E501
    Row("failed without a root", evidence(ME, log=LogPage(1, ("ERROR it broke",))), "ppppb", "failed_symptom", Cause.UNKNOWN, "unknown", "read_log"),  # noqa: E501
    Row("failed without a log", evidence(ME), "ppppb", "failed_no_log", Cause.UNKNOWN, "unknown", "read_log"),
    Row("failed, only a note", evidence(replace(ME, note="ODPS-0130131: Table not found - table ods.pay")), "ppppb", "failed_no_log", Cause.MISSING_OBJECT, "after_fix", "check_name"),  # noqa: E501
    Row("failed, healthy log", evidence(ME, log=LogPage(1, ("job completed successfully", "exit code 0"))), "ppppb", "log_contradicts", Cause.UNKNOWN, "unknown", "read_log"),  # noqa: E501
    Row("killed", evidence(replace(ME, status=Status.KILLED), log=TABLE_LOG), "ppppb", "killed", Cause.KILLED, "unknown", "ask_who_stopped"),  # noqa: E501
    Row("killed for its time", evidence(replace(ME, status=Status.KILLED), log=LogPage(1, ("任务运行超时，已被终止",))), "ppppb", "killed", Cause.TIMEOUT, "after_fix", "split_or_extend"),  # noqa: E501
    Row("success", evidence(DONE, upstream=(up("a", Status.SUCCESS), up("b", Status.SUCCESS))), "ppppp", "succeeded", Cause.SUCCESS_OR_HEALTHY, "no", "nothing_to_do"),  # noqa: E501
    Row("dry run", evidence(replace(DONE, flags=Flags(dry_run=True))), "ppppp", "dry_run", Cause.SUCCESS_OR_HEALTHY, "no", "wrote_nothing"),  # noqa: E501
    Row("off cycle", evidence(replace(DONE, flags=Flags(off_cycle=True))), "ppppp", "off_cycle", Cause.SUCCESS_OR_HEALTHY, "no", "wrote_nothing"),  # noqa: E501
    Row("set successful", evidence(replace(DONE, status=Status.FORCED_SUCCESS)), "ppppp", "forced_success", Cause.SUCCESS_OR_HEALTHY, "no", "check_forced_data"),  # noqa: E501
    Row("skipped", evidence(replace(DONE, status=Status.SKIPPED)), "ppppp", "skipped_run", Cause.SUCCESS_OR_HEALTHY, "no", "wrote_nothing"),  # noqa: E501
    Row("exit 0 with errors", evidence(DONE, log=LogPage(1, ("run.sh: line 3: jq: command not found", "done"))), "ppppb", "errors_with_success", Cause.ENVIRONMENT, "after_fix", "add_exit_check"),  # noqa: E501
    Row("running", evidence(replace(ME, status=Status.RUNNING, finished_at=None)), "ppppp", "running_since", Cause.SUCCESS_OR_HEALTHY, "no", "nothing_to_do"),  # noqa: E501
    Row("waits for a person", evidence(replace(WAITING, status=Status.WAIT_HUMAN)), "ppuub", "waiting_human", Cause.SUCCESS_OR_HEALTHY, "no"),  # noqa: E501
    Row("unheard-of status", evidence(replace(ME, status=Status.UNKNOWN, raw_status="NEW")), "ppuuu", "state_unknown", Cause.UNKNOWN, "unknown", "read_log"),  # noqa: E501
]  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_the_checks_stop_where_the_platform_would(row: Row) -> None:
    """Frozen first, then the five in their order; the first that is blocked gives the verdict."""
    found = diagnose(row.given)
    assert [check.name for check in found.checks] == ["upstream", "schedule", "throttling", "resources", "execution"]
    assert "".join(check.outcome[0] for check in found.checks) == row.outcomes
    assert row.detail in {check.detail for check in found.checks}
    assert (found.cause, found.rerun_helps, (found.advice or ("",))[0]) == (row.cause, row.rerun, row.advice)
    _cited_and_sayable(found)


@given(of(Evidence))
@settings(max_examples=60, deadline=None)
def test_any_evidence_gives_a_verdict_that_can_be_said(given_evidence: Evidence) -> None:
    """Whatever was looked up, however hostile: five checks, proofs for what they cite, sentences in three languages."""
    found = diagnose(given_evidence)
    assert len(found.checks) == 5
    _cited_and_sayable(found)


def _cited_and_sayable(found: Diagnosis) -> None:
    ids = [proof.id for proof in found.proofs]
    assert len(ids) == len(set(ids))
    assert {cited for check in found.checks for cited in check.proofs} <= set(ids)
    for language in LANGUAGES:
        say = words(language)
        assert all(f"diagnosis.advice.{key}" in say for key in found.advice)
        assert all(say(f"diagnosis.detail.{check.detail}", **dict(check.values)) for check in found.checks)


def test_the_blocker_is_the_one_to_deal_with() -> None:
    """Of the unfinished ancestors: what failed before what merely waits, and of those the top-most."""
    upstream = (up("near", Status.FAILED, 1), up("top", Status.FAILED, 3), up("late", Status.WAIT_TIME, 5))
    found = diagnose(evidence(WAITING, upstream=upstream))
    assert found.blocker
    assert found.blocker.id == "top"
    assert diagnose(evidence(ME, upstream=upstream)).blocker is None


def test_who_waits_is_counted_once_and_the_done_are_not() -> None:
    """The blast radius: instances downstream that have not succeeded."""
    downstream = (up("a", Status.NOT_RUN), up("a", Status.NOT_RUN, 2), up("b", Status.SUCCESS))
    assert diagnose(evidence(ME, downstream=downstream)).downstream == 1


def test_a_blast_radius_that_could_not_be_measured_says_so() -> None:
    """A walk that ended early, or gave as many as a walk gives, may have missed some."""
    waiting = up("a", Status.NOT_RUN)
    assert not diagnose(evidence(ME, downstream=(waiting,))).more_downstream
    assert diagnose(evidence(ME, downstream=(replace(waiting, cut=True),))).more_downstream
    assert diagnose(evidence(ME, downstream=(waiting,) * MOST_RELATED)).more_downstream


@pytest.mark.parametrize(
    ("before", "also"),
    [
        ((), None),
        ((Status.SUCCESS,), False),
        ((Status.FAILED,), True),
        ((Status.SUCCESS, Status.FAILED), True),
        ((Status.RUNNING,), None),
    ],
)
def test_the_day_before_is_remembered(before: tuple[Status, ...], also: bool | None) -> None:
    """One failed instance makes the task failed; a run of the same day, or the day before that, does not count."""
    yesterday = [
        replace(ME, id=f"y{n}", status=one, scheduled_at=minutes_ago(60 + 1440)) for n, one in enumerate(before)
    ]
    same_day = replace(ME, id="same", scheduled_at=minutes_ago(65))
    found = diagnose(evidence(ME, history=(ME, same_day, *yesterday), log=TABLE_LOG))
    assert found.also_failed_yesterday is also
    assert ("recurring" in found.advice) == bool(also)


@pytest.mark.parametrize(
    ("rows", "detail"),
    [((0, 900, 1000, 1100), "empty_table"), ((90, 900, 1000, 1100), "shrunken_table"), ((950, 900, 1000), "succeeded")],
)
def test_a_success_without_data_is_no_success(rows: tuple[int, ...], detail: str) -> None:
    """Rows of the run's own update, against those of the updates before."""
    found = diagnose(evidence(DONE, tables=(table(*rows),)))
    assert found.checks[-1].detail == detail
    assert (found.cause is Cause.DATA_QUALITY) == (detail != "succeeded")


def test_a_success_that_left_its_table_as_it_was_is_said() -> None:
    """The newest update is older than the run."""
    stale = DataTable("demo", "dws_order", updates=(TableUpdate(minutes_ago(1440), rows=900),))
    assert diagnose(evidence(DONE, tables=(stale,))).checks[-1].detail == "stale_table"


def test_a_run_much_longer_than_usual_is_said() -> None:
    """Three times the usual duration, and more than ten minutes over."""
    history = tuple(
        replace(DONE, id=f"h{days}", started_at=minutes_ago(1440 * days + 10), finished_at=minutes_ago(1440 * days))
        for days in (1, 2, 3)
    )
    running = replace(ME, status=Status.RUNNING, finished_at=None)
    found = diagnose(evidence(running, history=history))
    assert (found.checks[-1].detail, found.advice) == ("running_long", ("watch_long_run",))


@pytest.mark.parametrize(
    ("given", "detail", "looks"),
    [
        (evidence(DONE, tables=(table(0, 900, 1000, 1100),)), "empty_table", "warning"),
        (evidence(DONE, tables=(table(90, 900, 1000, 1100),)), "shrunken_table", "warning"),
        (evidence(DONE, log=LogPage(1, ("run.sh: line 3: jq: command not found",))), "errors_with_success", "warning"),
        (evidence(replace(DONE, flags=Flags(off_cycle=True))), "off_cycle", "success"),
    ],
    ids=["empty partition", "shrunken partition", "exit 0 with errors", "off its cycle"],
)
def test_a_false_success_is_shown_as_what_it_is(given: Evidence, detail: str, looks: str) -> None:
    """The card is no green one, and says what is wrong; a success that had nothing to do says that it wrote nothing."""
    found = diagnose(given)
    card = show(Diagnosed(given.instance, found, NOW), words("en"), ZONE, OPERATOR)
    said = words("en")(f"diagnosis.detail.{detail}", **dict(found.checks[-1].values))
    assert card.tone == looks
    assert said in card.as_text()
    assert ("wrote_nothing" in found.advice) == (detail == "off_cycle")


def test_what_was_fine_is_ruled_out_with_what_that_rests_on() -> None:
    """Only what was looked at: what the scheduler does not tell, or was not reached, is not ruled out."""
    told = evidence(WAITING, constraints=GROUP, upstream=(up("a", Status.SUCCESS), up("b", Status.SUCCESS)))
    found = diagnose(told)
    facts = {proof.id: proof.text for proof in found.proofs}
    assert {check.name: facts[check.proofs[0]] for check in found.ruled_out} == {
        "upstream": "2: a, b",
        "schedule": "11-21 18:14",
        "throttling": "throttled by: -",
    }
    untold = diagnose(evidence(WAITING, upstream=(up("a", Status.SUCCESS),)))
    assert [check.name for check in untold.ruled_out] == ["upstream", "schedule"]


def test_what_happened_before_is_no_cause_unless_it_names_the_fault() -> None:
    """Changes after the end are left out; one that names the table may be cited, another is only shown."""
    other, named = (
        Change(minutes_ago(120), "environment", "image updated", "ops"),
        Change(minutes_ago(200), "table", "renamed ods.pay to ods.payment"),
    )
    later = Change(minutes_ago(1), "task", "deployed")
    found = diagnose(evidence(ME, log=TABLE_LOG, changes=(later, other, named)))
    assert [(one.change, one.linked) for one in found.before] == [(other, False), (named, False)]
    renamed = replace(named, what="renamed ods.payments", ref="ods.payments")
    log = LogPage(1, ("FAILED: ODPS-0130131:[1,15] Table not found - table ods.payments cannot be resolved",))
    found = diagnose(evidence(ME, log=log, changes=(other, renamed)))
    assert [one.linked for one in found.before] == [False, True]
    assert [proof.text for proof in found.proofs if proof.source == "change"] == ["11-21 15:54 renamed ods.payments"]


def test_promises_that_are_broken_or_will_be_are_late() -> None:
    kept = Baseline("kept", NOW + timedelta(hours=2), NOW + timedelta(hours=1))
    broken = Baseline("broken", minutes_ago(5))
    doomed = Baseline("doomed", NOW + timedelta(hours=1), NOW + timedelta(hours=2))
    assert diagnose(evidence(ME, log=TABLE_LOG, baselines=(kept, broken, doomed))).late == (broken, doomed)


@given(of(Diagnosed))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_diagnosis_can_be_shown(result: Diagnosed) -> None:
    """However hostile its texts and odd its times: a card in every language, and no invisible character on it."""
    for language in LANGUAGES:
        text = show(result, words(language), ZONE, OPERATOR).as_text()
        assert text == clean(text)
