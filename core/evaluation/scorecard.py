"""Figures over outcomes: the share that is right, by suite and half, by language, by source."""

import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from math import sqrt
from statistics import mean, median

from core.evaluation.cases import Case
from core.evaluation.running import Outcome

FIGURES = ("class", "object", "fields", "grounded", "abstains", "action", "injection", "verdict", "writes")
BY: Mapping[str, Callable[[Case], str]] = {
    "half": lambda case: f"{case.suite}.{case.half}",
    "language": lambda case: f"{case.suite}.{case.half}.{case.language}",
    "source": lambda case: f"{case.suite}.{case.half}.{case.source}",
}
"""How cases are grouped."""
NORMAL = 1.96
"""Standard deviations within which 95 % lie."""


@dataclass(frozen=True, slots=True)
class Score:
    """The figures of a group of cases.

    Attributes:
        group: as `BY` names it.
        cases: how many.
        shares: right out of those to which a figure applies, 0 to 1; a figure that applies to none is left out.
        interval: between which shares the class lies with 95 % confidence, by Wilson's formula.
        milliseconds: median and longest of one answer.
        by_model: share that a model chose, 0 to 1.
        tokens: on average.
    """

    group: str
    cases: int
    shares: Mapping[str, float]
    interval: tuple[float, float]
    milliseconds: tuple[float, float]
    by_model: float = 0.0
    tokens: float = 0.0


def scores(outcomes: Iterable[Outcome], by: str = "half") -> tuple[Score, ...]:
    """One score a group, in the order in which groups appear.

    Args:
        outcomes: what to count.
        by: a key of `BY`.
    """
    groups: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        groups.setdefault(BY[by](outcome.case), []).append(outcome)
    return tuple(_score(group, members) for group, members in groups.items())


def floors() -> Mapping[str, Mapping[str, float]]:
    """What each figure of `scores(..., "half")` must at least be, by group."""
    return tomllib.loads(files("core.evaluation").joinpath("floors.toml").read_text("utf-8"))


def _score(group: str, members: Sequence[Outcome]) -> Score:
    marked = {figure: [one.marks[figure] for one in members if figure in one.marks] for figure in FIGURES}
    shares = {figure: sum(marks) / len(marks) for figure, marks in marked.items() if marks}
    took = [one.seconds * 1000 for one in members]
    return Score(
        group,
        len(members),
        shares,
        wilson(shares["class"], len(members)),
        (median(took), max(took)),
        mean(one.source == "model" for one in members),
        mean(one.tokens for one in members),
    )


def wilson(share: float, count: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share of so many cases."""
    spread = NORMAL**2 / count
    middle, width = share + spread / 2, NORMAL * sqrt(share * (1 - share) / count + spread / 4 / count)
    return max(0.0, (middle - width) / (1 + spread)), min(1.0, (middle + width) / (1 + spread))
