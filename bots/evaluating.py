"""`xops eval`: how well alerts, logs and questions are understood, measured on the suites that come with X-Ops or one's own."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bots.output import Json, print_json, print_text

if TYPE_CHECKING:
    from core.evaluation import Outcome, Score

Folder = Annotated[
    Path | None, typer.Option("--suites", help="A folder of suites laid out as core/evaluation/suites.", exists=True)
]
By = Annotated[str, typer.Option("--by", help="half, language or source.")]
Shown = Annotated[int, typer.Option("--mistakes", help="Also list this many mistakes of each half.")]


def evaluate(suites: Folder = None, by: By = "half", mistakes: Shown = 0, as_json: Json = False) -> None:
    """Run the suites without a model; exit 1 when a figure of the packaged ones is below its floor."""
    from core.evaluation import scores
    from core.evaluation.scorecard import BY

    if by not in BY:
        raise typer.BadParameter(f"--by is one of {', '.join(BY)}")
    outcomes = _outcomes(suites)
    below = [] if suites else below_floor(scores(outcomes))
    if as_json:
        print_json(_as_json(outcomes, below))
    else:
        _show(scores(outcomes, by))
        print_text("\n".join([*_listed(outcomes, mistakes), *(f"below its floor: {one}" for one in below)]))
    raise typer.Exit(1 if below else 0)


def below_floor(found: "Sequence[Score]") -> list[str]:
    """The figures that are lower than `floors.toml` allows."""
    from core.evaluation import floors

    return [
        f"{score.group} {figure} {score.shares[figure]:.3f} < {floor}"
        for score in found
        for figure, floor in floors().get(score.group, {}).items()
        if score.shares[figure] < floor
    ]


def _outcomes(folder: Path | None) -> "tuple[Outcome, ...]":
    from rich.console import Console
    from rich.progress import track

    from core.evaluation import run
    from core.evaluation.cases import HALVES, SUITES, cases

    chosen = [case for suite in SUITES for half in HALVES for case in cases(suite, half, folder)]
    console = Console(stderr=True)
    shown = track(chosen, "", console=console, transient=True, disable=not console.is_terminal)
    return run(shown)


def _show(found: "Sequence[Score]") -> None:
    from rich.console import Console
    from rich.table import Table

    from core.evaluation.scorecard import FIGURES

    table = Table("group", "cases", *FIGURES, "95 % of class", "ms", box=None)
    for score in found:
        shares = (f"{score.shares[figure]:.1%}" if figure in score.shares else "" for figure in FIGURES)
        low, high = score.interval
        middle, longest = score.milliseconds
        table.add_row(
            score.group, str(score.cases), *shares, f"{low:.1%} – {high:.1%}", f"{middle:.1f} (at most {longest:.0f})"
        )
    Console(width=160).print(table)


def _listed(outcomes: "Sequence[Outcome]", most: int) -> list[str]:
    from core.evaluation.cases import HALVES

    wrong = [[one for one in outcomes if not one.right and one.case.half == half][:most] for half in HALVES]
    return [_line(one) for half in wrong for one in half]


def _line(one: "Outcome") -> str:
    missed = ", ".join(figure for figure, right in one.marks.items() if not right)
    return (
        f"{one.case.suite}/{one.case.half}/{one.case.source}: {one.case.name}\n    wrong: {missed}; found: {one.found}"
    )


def _as_json(outcomes: "Sequence[Outcome]", below: list[str]) -> dict[str, object]:
    from core.evaluation import scores
    from core.evaluation.scorecard import BY

    return {
        "scores": {by: [asdict(score) for score in scores(outcomes, by)] for by in BY},
        "mistakes": [
            {
                "suite": one.case.suite,
                "half": one.case.half,
                "source": one.case.source,
                "name": one.case.name,
                "wrong": [figure for figure, right in one.marks.items() if not right],
                "found": one.found,
            }
            for one in outcomes
            if not one.right
        ],
        "below_floor": below,
    }
