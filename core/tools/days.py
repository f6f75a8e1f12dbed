"""Which calendar day a person means."""

import re
from datetime import date, timedelta

from core.errors import BadInput

NAMED = {
    "": 0, "today": 0, "tonight": 0, "今天": 0, "今日": 0, "昨晚": 0, "昨夜": 0, "last night": 0,
    "yesterday": 1, "昨天": 1, "昨日": 1, "前天": 2, "前日": 2,
}  # fmt: skip
"""Days back from today. The night's runs are due after midnight, so "last night" is today."""

RELATIVE = re.compile(r"t-(\d{1,3})")
ISO = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})")


def read_day(text: str, today: date) -> date:
    """The day that a word, `T-1`, `2026-11-21` or `20261121` names.

    Raises:
        BadInput: it names none.
    """
    word = text.strip().casefold()
    if word in NAMED:
        return today - timedelta(days=NAMED[word])
    if back := RELATIVE.fullmatch(word):
        return today - timedelta(days=int(back[1]))
    if parts := ISO.fullmatch(word):
        try:
            return date(*map(int, parts.groups()))
        except ValueError:
            pass
    raise BadInput(f"{text!r} names no day", argument="day")
