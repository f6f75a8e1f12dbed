"""The last check: how the run went, what its log says, and whether a success is one."""

from collections.abc import Callable, Mapping
from datetime import timedelta

from core.diagnosis.case import Case, Verdict
from core.diagnosis.checks import Step, minutes, step
from core.diagnosis.forecast import usual_seconds
from core.diagnosis.model import Cause, LogFinding
from core.diagnosis.output import missing_output
from core.schedulers.base import Status

NOTHING_FOUND = frozenset({Cause.UNKNOWN, Cause.SUCCESS_OR_HEALTHY})
LONG = 2
"""A run that takes this many times its usual time is worth a look …"""
AT_LEAST = timedelta(minutes=10)
"""… when it is also this much longer."""
STOPPED_BY_ITSELF = frozenset({Cause.TIMEOUT, Cause.OUT_OF_MEMORY})
"""Causes that platforms report as killed."""
HEALTHY = Verdict(Cause.SUCCESS_OR_HEALTHY, "confirmed", "no", ("nothing_to_do",))


def execution(case: Case) -> Step:
    """How the run went."""
    return _BY_STATUS.get(case.instance.status, _not_started)(case)


def frozen(case: Case) -> Step:
    """A suspended task is reported, and nothing more is looked at: some platforms report it as failed."""
    cited = case.cite("status", case.status)
    verdict = Verdict(Cause.KILLED, "confirmed", "after_fix", ("unfreeze",), case.instance.task.name)
    return step("execution", "blocked", "frozen", cited, verdict=verdict)


def _succeeded(case: Case) -> Step:
    """A success is believed unless it wrote nothing, its log shows an error, or its tables are not there."""
    flags = case.instance.flags
    if flags.dry_run or flags.off_cycle:
        return _wrote_nothing(case, "dry_run" if flags.dry_run else "off_cycle")
    if case.log.cause not in NOTHING_FOUND:
        return _slipped(case)
    if lost := missing_output(case.evidence):
        cited = case.cite("table", lost.fact)
        verdict = Verdict(Cause.DATA_QUALITY, "likely", "after_fix", ("check_rows",), lost.table)
        return step("execution", "blocked", lost.detail, cited, verdict=verdict, **lost.values)
    return step("execution", "pass", "succeeded", case.cite("status", case.status), verdict=HEALTHY)


def _slipped(case: Case) -> Step:
    log = case.log
    verdict = Verdict(
        log.cause, "likely", log.rerun_helps, ("add_exit_check", log.advice), log.object, log.rule, log.place
    )
    cited = case.quote(log)
    return step("execution", "blocked", "errors_with_success", *cited, verdict=verdict, line=log.proofs[0].line)


def _skipped(case: Case) -> Step:
    return _wrote_nothing(case, "off_cycle" if case.instance.flags.off_cycle else "skipped_run")


def _wrote_nothing(case: Case, detail: str) -> Step:
    verdict = Verdict(Cause.SUCCESS_OR_HEALTHY, "confirmed", "no", ("wrote_nothing",))
    return step("execution", "pass", detail, case.cite("status", case.status), verdict=verdict)


def _forced_success(case: Case) -> Step:
    verdict = Verdict(Cause.SUCCESS_OR_HEALTHY, "confirmed", "no", ("check_forced_data",))
    return step("execution", "pass", "forced_success", case.cite("status", case.status), verdict=verdict)


def _failed(case: Case) -> Step:
    log, note = case.log, case.note
    if log.cause in NOTHING_FOUND and note.cause not in NOTHING_FOUND:
        cited = (*case.quote(log), case.cite("status", case.instance.note))
        detail = "failed_symptom" if log.proofs else "failed_no_log"
        verdict = Verdict(note.cause, "likely", note.rerun_helps, (note.advice,), note.object, note.rule)
        return step("execution", "blocked", detail, *cited, verdict=verdict, **_line(log))
    cited = case.quote(log) or (case.cite("status", case.status),)
    if log.cause is Cause.SUCCESS_OR_HEALTHY:
        verdict = Verdict(Cause.UNKNOWN, "inconclusive", "unknown", ("read_log",))
        return step("execution", "blocked", "log_contradicts", *cited, verdict=verdict)
    detail = "failed_line" if log.confidence != "inconclusive" else "failed_symptom" if log.proofs else "failed_no_log"
    verdict = Verdict(log.cause, log.confidence, log.rerun_helps, (log.advice,), log.object, log.rule, log.place)
    return step("execution", "blocked", detail, *cited, verdict=verdict, **_line(log))


def _killed(case: Case) -> Step:
    """Stopped by somebody, unless the log says that it was stopped for its time or its memory."""
    log = case.log if case.log.cause in STOPPED_BY_ITSELF else None
    cited = case.quote(case.log) or (case.cite("status", case.instance.note or case.status),)
    if log is not None:
        verdict = Verdict(log.cause, log.confidence, log.rerun_helps, (log.advice,), log.object, log.rule, log.place)
    else:
        verdict = Verdict(Cause.KILLED, "confirmed", "unknown", ("ask_who_stopped",))
    return step("execution", "blocked", "killed", *cited, verdict=verdict)


def _running(case: Case) -> Step:
    started, now = case.instance.started_at, case.evidence.now
    cited = case.cite("status", case.status)
    if started is None:
        return step("execution", "pass", "running", cited, verdict=HEALTHY)
    taken, usual = now - started, usual_seconds(case.evidence.history, case.instance)
    if usual is None or taken < max(timedelta(seconds=LONG * usual), timedelta(seconds=usual) + AT_LEAST):
        return step("execution", "pass", "running_since", cited, verdict=HEALTHY, minutes=minutes(taken))
    log, usually = case.log, minutes(timedelta(seconds=usual))
    cited_log = case.quote(log) if log.cause not in NOTHING_FOUND else ()
    cause = log.cause if cited_log else Cause.UNKNOWN
    verdict = Verdict(cause, "inconclusive", "unknown", ("watch_long_run",), log.object)
    values = {"minutes": minutes(taken), "usual": usually}
    return step("execution", "unknown", "running_long", cited, *cited_log, verdict=verdict, **values)


def _checking(case: Case) -> Step:
    return step("execution", "pass", "checking", case.cite("status", case.status), verdict=HEALTHY)


def _never_ran(case: Case) -> Step:
    verdict = Verdict(Cause.UPSTREAM_FAILED, "likely", "no", ("fix_upstream",))
    return step("execution", "blocked", "never_ran", case.cite("status", case.status), verdict=verdict)


def _waits_for_person(case: Case) -> Step:
    verdict = Verdict(Cause.SUCCESS_OR_HEALTHY, "likely", "no")
    return step("execution", "blocked", "waiting_human", case.cite("status", case.status), verdict=verdict)


def _waits_for_trigger(case: Case) -> Step:
    verdict = Verdict(Cause.SUCCESS_OR_HEALTHY, "likely", "no")
    return step("execution", "blocked", "waiting_trigger", case.cite("status", case.status), verdict=verdict)


def _not_started(case: Case) -> Step:
    verdict = Verdict(Cause.UNKNOWN, "inconclusive", "unknown", ("contact_platform",))
    return step("execution", "unknown", "not_started", case.cite("status", case.status), verdict=verdict)


def _unknown(case: Case) -> Step:
    cited, raw = case.cite("status", case.status), case.instance.raw_status
    verdict = Verdict(Cause.UNKNOWN, "inconclusive", "unknown", ("read_log",))
    return step("execution", "unknown", "state_unknown", cited, verdict=verdict, raw=raw)


_BY_STATUS: Mapping[Status, Callable[[Case], Step]] = {
    Status.SUCCESS: _succeeded,
    Status.FORCED_SUCCESS: _forced_success,
    Status.SKIPPED: _skipped,
    Status.FAILED: _failed,
    Status.KILLED: _killed,
    Status.RUNNING: _running,
    Status.CHECKING: _checking,
    Status.UPSTREAM_FAILED: _never_ran,
    Status.WAIT_HUMAN: _waits_for_person,
    Status.WAIT_TRIGGER: _waits_for_trigger,
    Status.UNKNOWN: _unknown,
}


def _line(log: LogFinding) -> dict[str, int]:
    return {"line": log.proofs[0].line} if log.proofs else {}
