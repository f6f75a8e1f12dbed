"""The checks before the last: what may keep an instance from starting, in the platform's own order (Dataphin).

Each is pass, blocked or skipped; the first one that is blocked ends the search, and brings the verdict with it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from core.diagnosis.case import STARTED, Case, Verdict
from core.diagnosis.model import Cause, Check, CheckName, Outcome
from core.schedulers.base import Instance, Status

NO_RULE, NO_GROUP = "throttled by: -", "waits for resource group: -"
"""What a scheduler that can tell says when nothing holds an instance back."""
NAMED = 5


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
        direct = any(related.distance == 1 for related in case.evidence.upstream)
        return _all_done(case) if direct and blocker is None else _started("upstream", case)
    if blocker is not None:
        return _blocked_by(case, blocker)
    if instance.status in {Status.WAIT_UPSTREAM, Status.UPSTREAM_FAILED}:
        verdict = Verdict(Cause.UPSTREAM_FAILED, "likely", "no", ("fix_upstream",))
        cited = case.cite("status", case.status)
        return step("upstream", "blocked", "upstream_unseen", cited, verdict=verdict)
    return _all_done(case) if case.evidence.upstream else step("upstream", "pass", "no_upstream")


def schedule(case: Case) -> Step:
    """Whether its time has come."""
    instance, now = case.instance, case.evidence.now
    due = case.constraints.due_at or instance.scheduled_at
    if instance.status in STARTED:
        return _started("schedule", case)
    verdict = Verdict(Cause.SUCCESS_OR_HEALTHY, "confirmed", "no", ("wait_until_due",))
    if due is not None and due > now:
        cited = case.cite("constraints", moment(instance, due))
        return step("schedule", "blocked", "not_due", cited, verdict=verdict, due=moment(instance, due))
    if instance.status is Status.WAIT_TIME:
        cited = case.cite("status", case.status)
        return step("schedule", "blocked", "waiting_time", cited, verdict=verdict)
    if due is None:
        return step("schedule", "pass", "no_due")
    return step("schedule", "pass", "due", case.cite("constraints", moment(instance, due)), due=moment(instance, due))


def throttling(case: Case) -> Step:
    """Whether a rule holds it back."""
    constraints = case.constraints
    if case.instance.status in STARTED:
        return _started("throttling", case)
    if not constraints.throttled_by:
        return _untold("throttling", case) or step(
            "throttling", "pass", "not_throttled", case.cite("constraints", NO_RULE)
        )
    rules, holders = "; ".join(constraints.throttled_by), constraints.throttle_holders
    cited = case.cite("constraints", f"{rules}: {', '.join(holders[:5])}" if holders else rules)
    verdict = Verdict(Cause.RESOURCE_SHORTAGE, "confirmed", "no", ("raise_limit",), constraints.throttled_by[0])
    return step("throttling", "blocked", "throttled", cited, verdict=verdict, rules=rules, holders=len(holders))


def resources(case: Case) -> Step:
    """Whether it waits for a resource group."""
    instance, constraints = case.instance, case.constraints
    if instance.status in STARTED:
        return _started("resources", case)
    if instance.status is not Status.WAIT_RESOURCE and not constraints.resource_group:
        return _untold("resources", case) or step(
            "resources", "pass", "resource_free", case.cite("constraints", NO_GROUP)
        )
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


def _started(name: CheckName, case: Case) -> Step:
    instance = case.instance
    since = f" {moment(instance, instance.started_at)}" if instance.started_at else ""
    return step(name, "pass", "started", case.cite("status", f"{instance.raw_status or instance.status}{since}"))


def _untold(name: CheckName, case: Case) -> Step | None:
    """What the scheduler cannot tell is not ruled out."""
    return step(name, "unknown", "not_told") if case.evidence.constraints is None else None


def _all_done(case: Case) -> Step:
    """Those directly before it, if the scheduler tells which they are."""
    related = [one for one in case.evidence.upstream if one.distance == 1] or case.evidence.upstream
    names = ", ".join(one.instance.task.name for one in related[:NAMED])
    cited = case.cite("upstream", f"{len(related)}: {names}")
    return step("upstream", "pass", "upstream_done", cited, count=len(related))


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


def moment(instance: Instance, at: datetime) -> str:
    """In the zone in which the scheduler's days begin."""
    zone = instance.scheduled_at.tzinfo if instance.scheduled_at else None
    return f"{at.astimezone(zone) if zone else at:%m-%d %H:%M}"
