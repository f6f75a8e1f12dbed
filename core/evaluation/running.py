"""Runs cases: each is answered once with the clock running, then graded."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from core.agent.rules.understand import understand
from core.alerts import read
from core.diagnosis import read_log
from core.evaluation.cases import Case
from core.evaluation.grading import Marks, asked, grade
from core.schedulers.base import LogPage

ANSWER: Mapping[str, Callable[[Case], object]] = {
    "alerts": lambda case: read(case.text),
    "logs": lambda case: read_log(LogPage(1, tuple(case.text.split("\n")))),
    "questions": lambda case: understand(asked(case)),
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one case went.

    Attributes:
        marks: right or wrong, by the figure of the scorecard; only those that apply to the case.
        found: the answer in a few words.
        seconds: for one answer.
        tokens: what a model used for it.
        source: who chose the answer.
    """

    case: Case
    marks: Marks
    found: str
    seconds: float
    tokens: int = 0
    source: Literal["model", "rules"] = "rules"

    @property
    def right(self) -> bool:
        """Whether nothing is wrong."""
        return all(self.marks.values())


def run(cases: Iterable[Case], progress: Callable[[], None] = lambda: None) -> tuple[Outcome, ...]:
    """The outcomes, in the order of the cases, without a model.

    Args:
        cases: which, none of a conversation: `core.evaluation.talking` holds those.
        progress: told after each.
    """
    outcomes: list[Outcome] = []
    for case in cases:
        began = time.perf_counter()
        ANSWER[case.suite](case)
        seconds = time.perf_counter() - began
        outcomes.append(Outcome(case, *grade(case), seconds))
        progress()
    return tuple(outcomes)
