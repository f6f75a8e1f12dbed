"""Whether a regular expression stays quick on any line, so that no log can stall the reader.

Two checks, since each sees what the other does not: its structure (a repeat in a repeat can take for ever on one line),
and a trial on long lines made of its own example.
"""

import re
import time
from math import inf

WIDE = 20
"""A repeat that may come more often than this multiplies the ways to match what it stands in."""
TRIAL = (100, 300, 1000, 3000)
"""Lengths of the lines tried, shortest first: a slow pattern is found before it takes long."""
TRIAL_SECONDS = 0.05

_TOKEN = re.compile(
    r"(?:(?P<open>\((?:\?(?:[:=!>]|<[=!]|P<\w+>|[a-zA-Z-]+:))?+)|(?P<close>\))|(?P<choice>\|)"
    r"|\\.|\[\^?\]?(?:\\.|[^\]\\])*+\]|.)(?P<repeat>[*+?]|\{\d*+(?:,\d*+)?\})?(?P<manner>[+?])?",
    re.DOTALL,
)


def hazard(pattern: str, example: str) -> str:
    """Why a pattern may take too long, or cannot be read; empty when all is well.

    Args:
        pattern: a regular expression.
        example: a line it is meant for.
    """
    try:
        compiled = re.compile(pattern, re.IGNORECASE)
    except re.error as error:
        return f"is no regular expression: {error}"
    if _nested(pattern):
        return r"has a repeat or a choice inside a repeat; make the inner repeat possessive (\w*+), or write it out"
    if not all(_quick(compiled, bait) for bait in (example, *example.split())):
        return "takes too long on a long line; write .{0,300}? instead of .*"
    return ""


def _nested(pattern: str) -> bool:
    """Whether what can match in several ways stands in a repeat that may give it back."""
    several = [False]
    kinds = [""]
    for token in _TOKEN.finditer(pattern):
        if token["open"]:
            several.append(False)
            kinds.append(token["open"])
            continue
        if token["choice"]:
            several[-1] = True
            continue
        inner = bool(token["close"]) and several.pop() and kinds.pop() != "(?>"
        least, most = _times(token["repeat"])
        if token["manner"] == "+":
            continue
        if inner and most > max(1, least):
            return True
        several[-1] = several[-1] or inner or (most > WIDE and least != most)
    return False


def _times(repeat: str | None) -> tuple[float, float]:
    """Least and most."""
    known = {None: (1, 1), "?": (0, 1), "*": (0, inf), "+": (1, inf)}
    if repeat in known:
        return known[repeat]
    least, comma, most = (repeat or "").strip("{}").partition(",")
    return float(least or 0), float(most or inf) if comma else float(least or 0)


def _quick(pattern: re.Pattern[str], bait: str) -> bool:
    for length in TRIAL:
        line = (bait * length)[:length]
        began = time.thread_time()
        pattern.search(line)
        if time.thread_time() - began > TRIAL_SECONDS:
            return False
    return True
