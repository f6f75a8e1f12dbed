"""How well X-Ops understands, measured: cases as data, graded by code, in two halves.

`suites/<suite>/<half>/*.toml` hold the cases. Rules were written against the half `known`; `unseen` was written before it
was measured, and no rule is made or changed for it. `floors.toml` holds what each figure must at least be, and only rises.
"""

from core.evaluation.running import Outcome, run
from core.evaluation.scorecard import Score, floors, scores

__all__ = ["Outcome", "Score", "floors", "run", "scores"]
