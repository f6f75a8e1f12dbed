"""The diagnosis of one instance: the checks in the platform's own order, and what they come to."""

from collections.abc import Callable, Sequence

from core.diagnosis import checks
from core.diagnosis.case import Case, Verdict
from core.diagnosis.checks import Step, moment, step
from core.diagnosis.execution import execution, frozen
from core.diagnosis.model import Cause, CheckName, Diagnosis, Evidence, Proof
from core.diagnosis.runbooks import Knowledge, load
from core.schedulers.base import incomplete

ORDER: Sequence[tuple[CheckName, Callable[[Case], Step]]] = (
    ("upstream", checks.upstream),
    ("schedule", checks.schedule),
    ("throttling", checks.throttling),
    ("resources", checks.resources),
    ("execution", execution),
)
UNDECIDED = Verdict(Cause.UNKNOWN, "inconclusive", "unknown")


def diagnose(evidence: Evidence, knowledge: Knowledge | None = None) -> Diagnosis:
    """Why an instance failed, does not start, or is not the success it says.

    Frozen instances come first and end the search; dry runs and runs off their cycle have nothing to fail; a forced run
    did not wait for its upstream. Otherwise the first check that is blocked gives the verdict.

    Args:
        evidence: what was looked up; what is missing is said, never guessed.
        knowledge: signatures and runbooks; by default those that come with X-Ops.
    """
    knowledge = knowledge or load()
    case = Case(evidence, knowledge.rules)
    steps = _set_aside(case) if case.frozen else _in_order(case)
    verdict = next((step.verdict for step in steps if step.verdict), UNDECIDED)
    before = case.happened(verdict.object) if verdict.cause is not Cause.SUCCESS_OR_HEALTHY else ()
    for one in before:
        if one.linked:
            case.cite("change", f"{moment(case.instance, one.change.at)} {one.change.what}")
    tables = (*filter(None, (verdict.object,)), *case.instance.task.outputs)
    return Diagnosis(
        verdict.cause,
        verdict.confidence,
        verdict.rerun_helps,
        tuple(step.check for step in steps),
        _weighed(case, steps),
        object=verdict.object,
        advice=_advice(case, verdict),
        blocker=case.blocker if steps[0].check.outcome == "blocked" else None,
        downstream=case.downstream,
        more_downstream=incomplete(evidence.downstream),
        also_failed_yesterday=case.also_failed,
        injection=case.log.injection,
        rule=verdict.rule,
        place=verdict.place,
        late=tuple(promise for promise in evidence.baselines if promise.late(evidence.now)),
        before=before,
        alert_rules=evidence.alert_rules,
        runbooks=knowledge.about(verdict.cause, verdict.rule, case.instance.task.name, tables),
    )


def _in_order(case: Case) -> list[Step]:
    steps: list[Step] = []
    blocked = False
    for name, check in ORDER:
        steps.append(step(name, "skipped", "not_reached") if blocked else check(case))
        blocked = blocked or steps[-1].check.outcome == "blocked"
    return steps


def _weighed(case: Case, steps: Sequence[Step]) -> tuple[Proof, ...]:
    """The proofs, those of the check that decided first."""
    decided = next((step.check.proofs for step in steps if step.verdict), ())
    return tuple(sorted(case.proofs, key=lambda proof: proof.id not in decided))


def _set_aside(case: Case) -> list[Step]:
    return [*(step(name, "skipped", "set_aside") for name, _ in ORDER[:-1]), frozen(case)]


def _advice(case: Case, verdict: Verdict) -> tuple[str, ...]:
    again = case.instance.status.failed and case.also_failed and not case.frozen
    return (*filter(None, dict.fromkeys(verdict.advice)), *(("recurring",) if again else ()))
