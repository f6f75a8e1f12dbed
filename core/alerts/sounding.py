"""Whether a text of no known shape sounds an alarm, by the independent signals of `[[signal]]` in `words.toml`.

No single word decides: a question has the words of an alert, and a monitor may use none of ours.
"""

import re

from core.alerts import tables
from core.i18n.script import simplified

LOUD = 4
"""From this weight on it is an alarm."""
NAMED = 1
STATED = 2
SENT = 2
"""What it weighs that a thing is named (twice if a noun says what), that something is said of it, and a tool's marks."""
SHORT = 160
"""A question is short; a paste with a question in it is still a paste."""
LOOKED_AT = 4000
_ADDRESS = re.compile(r"https?://\S+")


def talks(text: str) -> bool:
    """Whether a short text asks, orders or chats, whatever words of an alert it has."""
    looked = _ADDRESS.sub(" ", simplified(text[: SHORT * 2])).strip()
    return len(looked) < SHORT and any(one.pattern.search(looked) for one in tables.signals() if one.on == "short")


def loudness(text: str) -> int:
    """How much speaks for an alarm in a text without markup, less what speaks against it."""
    looked = _ADDRESS.sub(" ", simplified(text[:LOOKED_AT])).strip()
    heading = looked.partition("\n")[0]
    heard = (
        signal.weight
        for signal in tables.signals()
        if (signal.on != "short" or len(looked) < SHORT)
        and signal.pattern.search(heading if signal.on == "heading" else looked)
    )
    return sum(heard) + SENT * (tables.source(looked) != "unknown")


def weight(*, named: bool = True, spoken: bool = False, stated: bool) -> int:
    """How much it adds that something is named that can fail, by a noun, and that it is said to be wrong or over again."""
    return NAMED * (named + spoken) + STATED * stated
