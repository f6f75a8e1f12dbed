"""The checks before the last: what may keep an instance from starting, in the platform's own order (Dataphin).

Each is pass, blocked or skipped; the first one that is blocked ends the search, and brings the verdict with it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from core.diagnosis.case import STARTED, Case, Verdict
from core.diagnosis.model import Cause, Check, CheckName, Outcome
from core.schedulers.base import Instance, Status


@dataclass(frozen=True, slots=True)
class Step:
    """A check, and the verdict if the search ends here."""

    check: Check
    verdict: Verdict | None = None


def step(
    name: CheckName, outcome: Outcome, detail: str, /, *proofs: str, verdict: Verdict | None = None, **values: object
) -> Step:
    """A step; `values` fill the sentence of `detail`."""
    said = tuple((key, str(value)) for key, value in values.items())
    return Step(Check(name, outcome, detail, said, proofs), verdict)


def upstream(case: Case) -> Step:
    """Whether everything before it is done. A forced run does not ask."""
    instance, blocker = case.instance, case.blocker
    if instance.flags.forced:
        return step("upstream", "skipped", "forced")
    if instance.status in STARTED:
        done = sum(related.distance == 1 for related in case.evidence.upstream)
        return _all_done(done) if done and blocker is None else step("upstream", "pass", "started")
    if blocker is not None:
        return _blocked_by(case, blocker)
    if instance.status in {Status.WAIT_UPSTREAM, Status.UPSTREAM_FAILED}:
        verdict = Verdict(Cause.UPSTREAM_FAILED, "likely", "no", ("fix_upstream",))
        cited = case.cite("status", f"{instance.task.name}: {instance.raw_status or instance.status}")
        return step("upstream", "blocked", "upstream_unseen", cited, verdict=verdict)
    done = len(case.evidence.upstream)
    return _all_done(done) if done else step("upstream", "pass", "no_upstream")


def schedule(case: Case) -> Step:
    """Whether its time has come."""
    instance, now = case.instance, case.evidence.now
    due = case.evidence.constraints.due_at or instance.scheduled_at
    if instance.status in STARTED:
        return step("schedule", "pass", "started")
    verdict = Verdict(Cause.SUCCESS_OR_HEALTHY, "confirmed", "no", ("wait_until_due",))
    if due is not None and due > now:
        cited = case.cite("constraints", _moment(instance, due))
        return step("schedule", "blocked", "not_due", cited, verdict=verdict, due=_moment(instance, due))
    if instance.status is Status.WAIT_TIME:
        cited = case.cite("status", f"{instance.task.name}: {instance.raw_status or instance.status}")
        return step("schedule", "blocked", "waiting_time", cited, verdict=verdict)
    return (
        step("schedule", "pass", "no_due")
        if due is None
        else step("schedule", "pass", "due", due=_moment(instance, due))
    )


def throttling(case: Case) -> Step:
    """Whether a rule holds it back."""
    constraints = case.evidence.constraints
    if case.instance.status in STARTED:
        return step("throttling", "pass", "started")
    if not constraints.throttled_by:
        return step("throttling", "pass", "not_throttled")
    rules, holders = "; ".join(constraints.throttled_by), constraints.throttle_holders
    cited = case.cite("constraints", f"{rules}: {', '.join(holders[:5])}" if holders else rules)
    verdict = Verdict(Cause.RESOURCE_SHORTAGE, "confirmed", "no", ("raise_limit",), constraints.throttled_by[0])
    return step("throttling", "blocked", "throttled", cited, verdict=verdict, rules=rules, holders=len(holders))


def resources(case: Case) -> Step:
    """Whether it waits for a resource group."""
    instance, constraints = case.instance, case.evidence.constraints
    if instance.status in STARTED:
        return step("resources", "pass", "started")
    if instance.status is not Status.WAIT_RESOURCE and not constraints.resource_group:
        return step("resources", "pass", "resource_free")
    group, holders = constraints.resource_group or instance.note or "?", constraints.resource_holders
    cited = case.cite("constraints", f"{group}: {', '.join(holders[:5])}" if holders else group)
    verdict = Verdict(Cause.RESOURCE_SHORTAGE, "confirmed", "no", ("wait_resources",), constraints.resource_group)
    if instance.waiting_since is None:
        return step("resources", "blocked", "resource_wait", cited, verdict=verdict, group=group, holders=len(holders))
    waited = minutes(case.evidence.now - instance.waiting_since)
    return step(
        "resources",
        "blocked",
        "resource_wait_since",
        cited,
        verdict=verdict,
        group=group,
        holders=len(holders),
        minutes=waited,
    )


def minutes(time: timedelta) -> int:
    """Whole minutes, never negative: clocks of two systems differ."""
    return max(0, int(time.total_seconds() // 60))


def _all_done(count: int) -> Step:
    return step("upstream", "pass", "upstream_done", count=count)


def _blocked_by(case: Case, blocker: Instance) -> Step:
    """The top-most unfinished ancestor, by what would have to happen to it."""
    name, owner = blocker.task.name, blocker.task.owner or "?"
    cited = case.cite("upstream", f"{name}: {blocker.raw_status or blocker.status} ({owner})")
    detail = _detail(blocker)
    due = case.instance.scheduled_at
    if detail in {"upstream_waiting", "upstream_running"} and due is not None and due > case.evidence.now:
        verdict = Verdict(Cause.SUCCESS_OR_HEALTHY, "confirmed", "no", ("wait_until_due",))
    else:
        first = "unfreeze" if detail == "upstream_frozen" else "fix_upstream"
        verdict = Verdict(Cause.UPSTREAM_FAILED, "confirmed", "no", (first, "call_blocker_owner"), name)
    return step("upstream", "blocked", detail, cited, verdict=verdict, name=name, owner=owner)


def _detail(blocker: Instance) -> str:
    if blocker.flags.frozen:
        return "upstream_frozen"
    if blocker.status in {Status.FAILED, Status.KILLED, Status.UPSTREAM_FAILED}:
        return "upstream_failed"
    return "upstream_running" if blocker.status in {Status.RUNNING, Status.CHECKING} else "upstream_waiting"


def _moment(instance: Instance, moment: datetime) -> str:
    """In the zone in which the scheduler's days begin."""
    zone = instance.scheduled_at.tzinfo if instance.scheduled_at else None
    return f"{moment.astimezone(zone) if zone else moment:%m-%d %H:%M}"
