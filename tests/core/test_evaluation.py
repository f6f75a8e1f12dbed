"""The suites are as large as promised, grading tells right from wrong, and no figure falls below its floor."""

import asyncio
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bots.cli import app
from bots.evaluating import below_floor
from core.evaluation import Outcome, floors, run, scores
from core.evaluation.cases import HALVES, SUITES, Case, Suite, cases
from core.evaluation.grading import ALLOWED, grade
from core.evaluation.scorecard import wilson
from core.evaluation.talking import desk, hold
from core.settings import Model

ALL = [case for suite in SUITES for half in HALVES for case in cases(suite, half)]


@pytest.fixture(scope="module")
def outcomes() -> Sequence[Outcome]:
    """Every case, answered and graded once; conversations by the rules."""

    async def held() -> Sequence[Outcome]:
        async with desk(Model()) as at:
            return await hold((case for case in ALL if case.suite == "conversations"), at)

    return (*run(case for case in ALL if case.suite != "conversations"), *asyncio.run(held()))


def test_no_figure_is_below_its_floor(outcomes: Sequence[Outcome]) -> None:
    """Half by half; an answer that got better raises the floor, one that got worse fails here."""
    assert below_floor(scores(outcomes)) == []


def test_floors_follow_what_was_reached(outcomes: Sequence[Outcome]) -> None:
    """A floor far below the figure would let it fall back unnoticed."""
    far = [
        (score.group, figure, score.shares[figure], floor)
        for score in scores(outcomes)
        for figure, floor in floors()[score.group].items()
        if score.shares[figure] > floor + 0.03
    ]
    assert far == []


def test_every_figure_has_a_floor(outcomes: Sequence[Outcome]) -> None:
    assert {score.group: set(score.shares) for score in scores(outcomes)} == {
        group: set(figures) for group, figures in floors().items()
    }


def test_instructions_in_a_text_change_no_answer(outcomes: Sequence[Outcome]) -> None:
    """In neither half, and no change is proposed that was not asked for."""
    changed = [one.case.name for one in outcomes if not one.marks.get("injection", True)]
    unasked = [one.case.name for one in outcomes if one.case.suite != "logs" and not one.marks["action"]]
    assert (changed, unasked) == ([], [])


@pytest.mark.parametrize(
    ("suite", "least"), [("alerts", 150), ("logs", 250), ("questions", 400), ("conversations", 80)]
)
def test_the_suites_are_as_large_as_promised(suite: Suite, least: int) -> None:
    """With a fair part of unseen cases, in Simplified and Traditional Chinese and in English; a turn is a case."""
    mine = [case for case in ALL if case.suite == suite]
    assert len(mine) >= least
    assert len([case for case in mine if case.half == "unseen"]) >= least / 3
    assert {case.language for case in mine} == {"zh", "tw", "en"}


def test_no_case_repeats_another() -> None:
    """Not in the other half either; alerts and logs differ in more than numbers, questions in what was said before."""
    bare = [(case.suite, _bare(case)) for case in ALL if case.suite != "conversations"]
    assert [one for one in bare if bare.count(one) > 1] == []


def _bare(case: Case) -> str:
    if case.suite == "questions":
        return f"{case.text} {case.expected.get('past', '')}"
    return re.sub(r"[\d\s]", "", case.text) or case.name


def case(suite: Suite, text: str, **expected: object) -> Case:
    """A made case."""
    return Case(suite, "known", "made", text, text, expected)


ALERT = "任务 dim_store 执行失败"
LOG = "ModuleNotFoundError: No module named 'pyarrow'"


@pytest.mark.parametrize(
    ("wrong", "figure"),
    [
        (case("alerts", ALERT, alerts=[{"kind": "timeout"}]), "class"),
        (case("alerts", ALERT, alerts=[{"objects": ["task other"]}]), "object"),
        (case("alerts", ALERT, alerts=[{"project": "p"}]), "fields"),
        (case("alerts", ALERT, alerts=[]), "abstains"),
        (case("logs", LOG, cause="network"), "class"),
        (case("logs", LOG, cause="environment", object="numpy"), "object"),
        (case("logs", LOG, cause="environment", line=2), "fields"),
        (case("logs", LOG, cause="unknown"), "abstains"),
        (case("logs", LOG, cause="success_or_healthy"), "action"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_wrong_answer_is_marked(wrong: Case, figure: str) -> None:
    """Each figure can be missed."""
    assert grade(wrong)[0][figure] is False


def test_a_change_nobody_asked_for_is_marked() -> None:
    asked = next(one for one in cases("questions", "known") if "propose_operation" in str(one.expected["calls"]))
    harmless = replace(asked, expected={**asked.expected, "calls": ["overview"]})
    assert grade(harmless)[0] == {"class": False, "object": False, "action": False}


def test_every_cause_says_which_advice_is_allowed() -> None:
    assert {one.expected["cause"] for one in ALL if one.suite == "logs"} <= set(ALLOWED)


def test_the_interval_is_wilsons() -> None:
    """Wilson 1927: 0.5 of 10 lies between 0.237 and 0.763; certainty of few stays uncertain."""
    assert wilson(0.5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)
    assert wilson(1.0, 5) == pytest.approx((0.5655, 1.0), abs=1e-4)


def test_own_suites_are_run_by_the_command(tmp_path: Path) -> None:
    """A folder of one's own is graded alike, without floors; each mistake says what was found instead."""
    folder = tmp_path / "logs" / "unseen"
    folder.mkdir(parents=True)
    rows = (f'[[case]]\nname = "{cause}"\ncause = "{cause}"\ntext = "{LOG}"' for cause in ("environment", "timeout"))
    (folder / "mine.toml").write_text("\n".join(rows), "utf-8")
    result = CliRunner().invoke(app, ["eval", "--suites", str(tmp_path), "--json"], catch_exceptions=False)
    assert result.exit_code == 0
    told = json.loads(result.stdout)
    assert [(score["group"], score["shares"]["class"]) for score in told["scores"]["half"]] == [("logs.unseen", 0.5)]
    assert [mistake["name"] for mistake in told["mistakes"]] == ["timeout"]


@pytest.mark.parametrize(
    "wrong", [["--suite", "riddles"], ["--by", "weather"], ["--model"], ["--model", "--mode", "magic"]], ids=str
)
def test_what_cannot_be_run_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: list[str]) -> None:
    """A suite that is none, and a model without one in the settings."""
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(app, ["eval", *wrong]).exit_code == 2


def test_a_sample_of_one_suite_is_run_by_the_command() -> None:
    """Evenly picked, and held to no floor: a sample says less."""
    result = CliRunner().invoke(app, ["eval", "--suite", "questions", "--sample", "5", "--json"])
    assert result.exit_code == 0
    told = json.loads(result.stdout)
    assert {score["group"]: score["cases"] for score in told["scores"]["half"]} == {
        "questions.known": 5,
        "questions.unseen": 5,
    }


def test_a_figure_below_its_floor_is_named(outcomes: Sequence[Outcome]) -> None:
    spoilt = [replace(one, marks=dict.fromkeys(one.marks, False)) for one in outcomes if one.case.suite == "alerts"]
    assert "alerts.known class 0.000 < 1.0" in below_floor(scores(spoilt))
