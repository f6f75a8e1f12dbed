"""Words of the language (`words.toml`), and a name freed from those around it."""

import re
import tomllib
from collections.abc import Iterable
from importlib.resources import files

_LISTS = tomllib.loads(files("core.agent.rules").joinpath("words.toml").read_text("utf-8"))


def listed(name: str) -> frozenset[str]:
    """One of the lists of words.toml."""
    return frozenset(str(_LISTS[name]).split())


def pairs(name: str) -> dict[str, str]:
    """One of the lists of words.toml whose words come in pairs."""
    words = str(_LISTS[name]).split()
    return dict(zip(words[::2], words[1::2], strict=True))


_CHINESE, _ENGLISH = listed("around_chinese"), listed("around_english")


def _any_of(words: Iterable[str]) -> str:
    """Longest first, so that 为什么 goes before 什么."""
    return "|".join(re.escape(word) for word in sorted(words, key=lambda word: (-len(word), word)))


_HEAD = re.compile(rf"(?:{_any_of(_CHINESE)}|(?:{_any_of(_ENGLISH)})(?![a-z0-9]) ?| )+")
_TAIL = re.compile(
    rf"(?:{_any_of(word[::-1] for word in _CHINESE)}|(?:{_any_of(word[::-1] for word in _ENGLISH)})(?![a-z0-9])| )+"
)


def bare(stretch: str) -> tuple[int, int]:
    """Where a name stands in a stretch of folded text, between the words before and after it."""
    head = _HEAD.match(stretch)
    start = head.end() if head else 0
    tail = _TAIL.match(stretch[start:][::-1])
    return start, len(stretch) - (tail.end() if tail else 0)
