"""Slips of the keyboard in words of the language: "faild" is read as "failed" and 重炮 as 重跑. Names are left alone.

An English word is corrected when it is none of ours and one letter (changed, missing, added, or two swapped) from exactly
one that is; a Chinese one when it stands in the list of words that sound alike.
"""

import re
from collections.abc import Iterator
from functools import cache

from core.agent.rules.noise import listed, pairs

SHORTEST = 5
"""Letters of a word that is corrected: shorter ones are too near to each other."""

_WORD = re.compile(rf"(?<![\w.:/@`'\"-])[a-z]{{{SHORTEST},20}}(?![\w.:/@`'\"-])", re.ASCII)
_SPELT = listed("spelling")
_KNOWN = _SPELT | listed("around_english")
_ALIKE = pairs("sound_alike")
_SOUND_ALIKE = re.compile("|".join(map(re.escape, _ALIKE)))


def corrected(text: str) -> str:
    """The text with its slips corrected."""
    return _SOUND_ALIKE.sub(lambda match: _ALIKE[match[0]], _WORD.sub(lambda match: _meant(match[0]), text))


@cache
def _slips() -> dict[str, set[str]]:
    """By each shorter form of a word, the words: two words that differ by one letter share such a form."""
    found: dict[str, set[str]] = {}
    for word in _SPELT:
        for form in _forms(word):
            found.setdefault(form, set()).add(word)
    return found


def _forms(word: str) -> Iterator[str]:
    """The word, and the word without each of its letters."""
    yield word
    yield from (word[:place] + word[place + 1 :] for place in range(len(word)))


def _meant(word: str) -> str:
    if word in _KNOWN:
        return word
    near = {other for form in _forms(word) for other in _slips().get(form, ()) if _one_slip(word, other)}
    return near.pop() if len(near) == 1 else word


def _one_slip(one: str, other: str) -> bool:
    """Whether a letter was changed, left out or added, or two neighbours swapped."""
    start = next(
        (place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )
    rest, wanted = one[start:], other[start:]
    swapped = rest[:2] == wanted[1::-1] and rest[2:] == wanted[2:]
    return swapped or rest[1:] == wanted[1:] or rest[1:] == wanted or rest == wanted[1:]
