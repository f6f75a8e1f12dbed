"""The one table of operations: what each needs, risks, proves and allows.

Proposals, buttons, rights and the execution read it; nothing about an operation is decided anywhere else. What a person
is told of each stands in the catalogue area `operations`, under the operation's name.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from core.drift import Facet
from core.schedulers.base import FINISHED, Instance, Operation, Status
from core.settings import Role

Risk = Literal["low", "medium", "high"]
Sign = Literal["none", "under_way", "succeeded", "failed"]
Fits = Callable[[Instance], bool]
SignOf = Callable[[Instance, Instance, int], Sign]
"""From the instance before the order, the instance now, and the number of the run that the order was to begin."""

STARTED = frozenset({Status.RUNNING, Status.CHECKING, Status.WAIT_RESOURCE})
DEFINITION: frozenset[Facet] = frozenset({"owner", "project", "definition"})
RUN: frozenset[Facet] = frozenset({"run"})
FLAGS: frozenset[Facet] = frozenset({"flags"})
STATUS: frozenset[Facet] = frozenset({"status"})


@dataclass(frozen=True, slots=True)
class Rule:
    """One operation.

    Attributes:
        role: the least role that may propose, confirm and so carry it out.
        risk: what it may break: `low`, one output that is written again; `medium`, what others wait for; `high`, data or
            work that is not there again, or many instances.
        fits: the state of the instance that it needs.
        offered: whether cards offer it unasked; a part of where it fits.
        sign: what the instance says about whether the order was carried out.
        watched: which instances prove it: the target, those downstream that were chosen too, or those of the days filled.
        minds: what must not have changed between the card and the order.
        repeatable: whether doing it twice is doing it once.
        largest_batch: most instances of one proposal; the settings may allow fewer.
    """

    role: Role
    risk: Risk
    fits: Fits
    offered: Fits
    sign: SignOf
    watched: Literal["target", "downstream", "days"] = "target"
    minds: frozenset[Facet] = DEFINITION | STATUS | RUN | FLAGS
    repeatable: bool = False
    largest_batch: int = 1


def ended(instance: Instance) -> bool:
    """It could run again."""
    return instance.status in FINISHED and not instance.flags.frozen


def broken(instance: Instance) -> bool:
    """It ended badly, and not because someone froze it."""
    return instance.status.failed and not instance.flags.frozen


def frozen(instance: Instance) -> bool:
    """It, or the task it is of: where only whole tasks are frozen, an instance that has ended does not show it."""
    return instance.flags.frozen or instance.task.flags.frozen


def run_sign(_before: Instance, now: Instance, expected: int) -> Sign:
    """Of an order to run: no sign while an older run is over and nothing else has begun."""
    if not now.status.finished:
        return "under_way"
    if now.run_number < expected:
        return "none"
    return "succeeded" if now.status.succeeded else "failed"


def thawed(before: Instance, now: Instance, _expected: int) -> Sign:
    """The instance is not frozen any more; where it was only the task, that is not."""
    still = now.flags.frozen if before.flags.frozen else now.task.flags.frozen
    return "none" if still else "succeeded"


def _once(reached: Fits) -> SignOf:
    return lambda _before, now, _expected: "succeeded" if reached(now) else "none"


RULES: Mapping[Operation, Rule] = {
    Operation.UNFREEZE: Rule(
        role="operator",
        risk="low",
        fits=frozen,
        offered=lambda instance: instance.flags.frozen,
        sign=thawed,
        minds=DEFINITION | FLAGS,
        repeatable=True,
        largest_batch=100,
    ),
    Operation.RERUN: Rule(
        role="operator",
        risk="low",
        fits=ended,
        offered=ended,
        sign=run_sign,
        largest_batch=100,
    ),
    Operation.RERUN_DOWNSTREAM: Rule(
        role="operator",
        risk="high",
        fits=ended,
        offered=broken,
        sign=run_sign,
        watched="downstream",
    ),
    Operation.SET_SUCCESS: Rule(
        role="ops_admin",
        risk="high",
        fits=lambda instance: ended(instance) and not instance.status.succeeded,
        offered=broken,
        sign=_once(lambda instance: instance.status.succeeded),
        repeatable=True,
        largest_batch=20,
    ),
    Operation.KILL: Rule(
        role="ops_admin",
        risk="high",
        fits=lambda instance: instance.status in STARTED,
        offered=lambda instance: instance.status is Status.RUNNING and not instance.flags.frozen,
        sign=_once(lambda instance: instance.status.finished),
        minds=DEFINITION | RUN,
        largest_batch=20,
    ),
    Operation.FREEZE: Rule(
        role="operator",
        risk="medium",
        fits=lambda instance: not frozen(instance),
        offered=lambda _: False,
        sign=_once(frozen),
        minds=DEFINITION | FLAGS,
        repeatable=True,
        largest_batch=100,
    ),
    Operation.BACKFILL: Rule(
        role="ops_admin",
        risk="high",
        fits=lambda instance: not instance.flags.frozen,
        offered=lambda instance: ended(instance) and instance.status.succeeded,
        sign=run_sign,
        watched="days",
        minds=DEFINITION,
    ),
}
"""Every operation, the most useful first: the order of buttons. The roles of the riskier ones follow Dataphin's warnings."""
