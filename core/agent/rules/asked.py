"""Which changes a message asks for in so many words: a model may propose no other."""

from core.agent.rules.intents import intents
from core.agent.rules.text import fold
from core.alerts import read


def operations(text: str) -> frozenset[str]:
    """The operations whose words stand in the text; none for an alert, which gives no orders."""
    if read(text).kind == "alert":
        return frozenset()
    folded = fold(text)
    asked = (row for row in intents() if row.tool == "propose_operation" and row.words.search(folded))
    return frozenset(row.arguments["operation"] for row in asked)
