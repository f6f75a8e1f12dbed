"""Finding names by what a person typed: an exact name, a part of one, some of its words, or one with a slip in it.

Pure and bounded: ten thousand names and a query of any length cost some tens of milliseconds (tests/core/test_search.py).
"""

from collections.abc import Callable, Iterable
from difflib import SequenceMatcher
from typing import TypeVar

T = TypeVar("T")

LONGEST_QUERY = 200
"""Characters of a query that are looked at: longer than any name, short enough to compare."""
CLOSEST = 40
"""How many names are compared letter by letter, after a cheaper look at all of them."""
CLOSE_ENOUGH = 0.6
"""Least likeness, 0 to 1, that passes for a slip of the keyboard (what `difflib.get_close_matches` uses)."""
SHORTEST_HALF = 3
"""Characters; shorter ones are in too many names."""
SEPARATORS = str.maketrans(dict.fromkeys(" \t\r\n.-/:", "_"))


def rank(text: str, candidates: Iterable[T], names: Callable[[T], Iterable[str]], *, limit: int = 10) -> tuple[T, ...]:
    """The candidates whose name is or resembles the text, best first.

    An exact name (whatever its case) comes alone, also when several candidates bear it. Then come names that begin with
    the text, contain it, or contain all its words; only when there are none, those that are spelt nearly like it.

    Args:
        text: what was typed; anything at all. More than `LONGEST_QUERY` characters name nothing.
        candidates: what to choose from.
        names: the names of a candidate, any of which may match.
        limit: largest number to return.
    """
    wanted = text.strip().casefold()
    if not wanted or len(wanted) > LONGEST_QUERY:
        return ()
    named = [(name.casefold(), candidate) for candidate in candidates for name in names(candidate)]
    exact = [candidate for name, candidate in named if name == wanted]
    found = exact or _containing(wanted, named) or _resembling(wanted, named)
    return _distinct(found)[:limit]


def halves(text: str) -> tuple[str, ...]:
    """Both halves of a name, for platforms that find names by a part: a slip of the keyboard is in one, the other finds it."""
    middle = len(text) // 2
    return tuple(half for half in (text[:middle], text[middle:]) if len(half) >= SHORTEST_HALF)


def _containing(wanted: str, named: list[tuple[str, T]]) -> list[T]:
    phrase = wanted.translate(SEPARATORS)
    words = [word for word in phrase.split("_") if word]
    scored: list[tuple[int, int, str, int]] = []
    for position, (name, _) in enumerate(named):
        if words and all(word in name for word in words):
            at = name.translate(SEPARATORS).find(phrase)
            scored.append((2 if at < 0 else min(at, 1), len(name), name, position))
    return [named[position][1] for *_, position in sorted(scored)]


def _resembling(wanted: str, named: list[tuple[str, T]]) -> list[T]:
    pairs = _pairs(wanted)
    spelt = (_pairs(name[:LONGEST_QUERY]) for name, _ in named)
    shared = [(-2 * len(pairs & other) / (len(pairs) + len(other)), position) for position, other in enumerate(spelt)]
    matcher = SequenceMatcher(b=wanted, autojunk=False)
    scored: list[tuple[float, str, int]] = []
    for likeness, position in sorted(shared)[:CLOSEST]:
        name = named[position][0]
        matcher.set_seq1(name[:LONGEST_QUERY])
        ratio = matcher.ratio()
        if likeness < 0 and ratio >= CLOSE_ENOUGH:
            scored.append((-ratio, name, position))
    return [named[position][1] for *_, position in sorted(scored)]


def _pairs(word: str) -> frozenset[str]:
    """Neighbouring letters, the ends marked: never empty, and cheap to compare."""
    marked = f"^{word}$"
    return frozenset(marked[i : i + 2] for i in range(len(marked) - 1))


def _distinct(found: list[T]) -> tuple[T, ...]:
    seen: set[int] = set()
    return tuple(one for one in found if not (id(one) in seen or seen.add(id(one))))
