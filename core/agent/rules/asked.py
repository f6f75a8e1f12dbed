"""Which changes a message asks for in so many words: a model may propose no other."""

from core.agent.rules.clauses import clauses
from core.agent.rules.intents import matching
from core.agent.rules.understand import LONGEST, Question
from core.alerts import read

PROPOSE = "propose_operation"


def operations(question: Question) -> frozenset[str]:
    """The operations whose words stand in the message; none for an alert, which gives no orders.

    A clause that first of all says something else asks for none: 别重跑, 全部重跑, "would a rerun help".
    """
    if read(question.text).kind == "alert":
        return frozenset()
    said = clauses(question.text[:LONGEST], question.today)
    return frozenset(operation for clause in said for operation in _asked(clause.plain))


def _asked(clause: str) -> list[str]:
    rows = list(matching(clause))
    if not rows or rows[0].tool != PROPOSE:
        return []
    return [row.arguments["operation"] for row in rows if row.tool == PROPOSE]
