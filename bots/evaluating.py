"""`xops eval`: how well alerts, logs, questions and conversations are understood, on the suites of X-Ops or one's own.

Alerts and logs are read by code whatever is configured. Questions and conversations go to the rules, or with `--model` to
the model of the settings.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bots.output import Json, configured, print_json, print_text

if TYPE_CHECKING:
    from core.evaluation import Outcome, Score
    from core.evaluation.cases import Case
    from core.settings import Model

Folder = Annotated[
    Path | None, typer.Option("--suites", help="A folder of suites laid out as core/evaluation/suites.", exists=True)
]
Only = Annotated[list[str], typer.Option("--suite", help="alerts, logs, questions or conversations; all by default.")]
WithModel = Annotated[bool, typer.Option("--model", help="Put questions and conversations to the configured model.")]
Mode = Annotated[str, typer.Option("--mode", help="With --model: tools or router, instead of what the settings say.")]
Sample = Annotated[
    int, typer.Option("--sample", help="At most this many cases of each half, evenly picked; 0 for all.")
]
By = Annotated[str, typer.Option("--by", help="half, language or source.")]
Shown = Annotated[int, typer.Option("--mistakes", help="Also list this many mistakes of each half.")]


def evaluate(
    suites: Folder = None,
    only: Only = [],  # noqa: B006  # Typer wants a list
    with_model: WithModel = False,
    mode: Mode = "",
    sample: Sample = 0,
    by: By = "half",
    mistakes: Shown = 0,
    as_json: Json = False,
) -> None:
    """Run the suites; exit 1 when a figure of the packaged ones is below its floor, which holds for the rules."""
    from core.evaluation import scores
    from core.evaluation.cases import SUITES
    from core.evaluation.scorecard import BY
    from core.settings import Model

    if by not in BY:
        raise typer.BadParameter(f"--by is one of {', '.join(BY)}")
    if wrong := set(only) - set(SUITES):
        raise typer.BadParameter(f"no suite {', '.join(wrong)}; there are {', '.join(SUITES)}")
    model = _model(mode) if with_model else Model()
    outcomes = asyncio.run(_outcomes(_cases(suites, only, sample), model))
    whole = not (suites or sample or with_model)
    below = below_floor(scores(outcomes)) if whole else []
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


def _model(mode: str) -> "Model":
    """The model of the settings, in another mode if one is given; logging as they say."""
    model = configured("error").model
    if not model.name:
        raise typer.BadParameter("--model needs [model] in the settings")
    if mode not in {"", "tools", "router"}:
        raise typer.BadParameter("--mode is tools or router")
    return model.model_copy(update={"mode": mode}) if mode else model


def _cases(folder: Path | None, only: Sequence[str], sample: int) -> "list[Case]":
    from core.evaluation.cases import HALVES, SUITES, cases

    halves = [cases(suite, half, folder) for suite in SUITES if not only or suite in only for half in HALVES]
    steps = [
        max(1, -(-len(half) // sample)) if sample and half and half[0].suite != "conversations" else 1
        for half in halves
    ]
    return [case for half, step in zip(halves, steps, strict=True) for case in half[::step]]


async def _outcomes(chosen: "list[Case]", model: "Model") -> "tuple[Outcome, ...]":
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        done = progress.add_task("", total=len(chosen))
        return await _answered(chosen, model, lambda: progress.advance(done))


async def _answered(chosen: "list[Case]", model: "Model", progress: Callable[[], None]) -> "tuple[Outcome, ...]":
    from core.evaluation import run

    talks = [case for case in chosen if case.suite == "conversations"]
    asked = [case for case in chosen if case.suite == "questions" and model.name]
    read = [case for case in chosen if case not in talks and case not in asked]
    outcomes = await asyncio.to_thread(run, read, progress)
    if not (talks or asked):
        return outcomes
    from core.evaluation.talking import ask, desk, hold

    async with desk(model) as at:
        return (*outcomes, *await ask(asked, at, progress), *await hold(talks, at, progress))


def _show(found: "Sequence[Score]") -> None:
    from rich.console import Console
    from rich.table import Table

    from core.evaluation.scorecard import FIGURES

    table = Table("group", "cases", *FIGURES, "95 % of class", "ms", "model", "tokens", box=None)
    for score in found:
        shares = (f"{score.shares[figure]:.1%}" if figure in score.shares else "" for figure in FIGURES)
        low, high = score.interval
        middle, longest = score.milliseconds
        spent = (f"{score.by_model:.0%}", f"{score.tokens:.0f}") if score.by_model else ("", "")
        table.add_row(
            score.group,
            str(score.cases),
            *shares,
            f"{low:.1%} – {high:.1%}",
            f"{middle:.1f} (at most {longest:.0f})",
            *spent,
        )
    Console(width=200).print(table)


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
                "by": one.source,
            }
            for one in outcomes
            if not one.right
        ],
        "below_floor": below,
    }
