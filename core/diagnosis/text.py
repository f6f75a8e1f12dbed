"""A log made ready for reading: cleaned, bounded, and searchable by word.

However large the log, only so much of it is looked at: of a long line its beginning and end, of a long log its first
lines and its last ones, since setup errors come early and the failure comes last. What was left out is counted.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from re import Match

from core.diagnosis.rulebook import Trait
from core.redact import clean
from core.schedulers.base import LogPage

LINE_HEAD, LINE_TAIL = 2_000, 1_000
"""Characters of a line that are read."""
HEAD, TAIL = 400_000, 1_600_000
"""Characters of a log that are read."""
ROOM = 100_000
"""Characters of lines tried for one word, from each end: more lines would say the same, and long ones take long."""


@dataclass(frozen=True, slots=True)
class Text:
    """The part of a log that is read.

    Attributes:
        lines: what is looked at, in order.
        numbers: the number of each line in the whole log.
        unread: how many lines were left out in the middle or shortened.
    """

    lines: tuple[str, ...]
    numbers: tuple[int, ...]
    unread: int
    _lowered: str = field(repr=False)
    _starts: tuple[int, ...] = field(repr=False)

    def has(self, word: str) -> bool:
        """Whether a word, given in lower case, stands anywhere."""
        return word in self._lowered

    def find(self, trait: Trait) -> Iterator[tuple[int, Match[str]]]:
        """Positions in `lines` that have the trait, each once, with the match; in no particular order."""
        for position in {position for word in trait.contains for position in self._having(word)}:
            if match := trait.pattern.search(self.lines[position]):
                yield position, match

    def _having(self, word: str) -> set[int]:
        """Lines that have the word: all of them, or those from both ends that there is room for."""
        first, whole = self._within(self._forward(word))
        return first if whole else first | self._within(self._backward(word))[0]

    def _within(self, positions: Iterator[int]) -> tuple[set[int], bool]:
        """The positions that there is room for, and whether those are all."""
        kept: set[int] = set()
        room = ROOM
        for position in positions:
            room -= len(self.lines[position]) + 1
            if room < 0:
                return kept, False
            kept.add(position)
        return kept, True

    def _forward(self, word: str) -> Iterator[int]:
        at = self._lowered.find(word)
        while at >= 0:
            position = bisect_right(self._starts, at) - 1
            yield position
            end = self._starts[position + 1] if position + 1 < len(self._starts) else len(self._lowered)
            at = self._lowered.find(word, end)

    def _backward(self, word: str) -> Iterator[int]:
        at = self._lowered.rfind(word)
        while at >= 0:
            position = bisect_right(self._starts, at) - 1
            yield position
            at = self._lowered.rfind(word, 0, self._starts[position])


def bounded(page: LogPage) -> Text:
    """The text of a page."""
    kept = _kept(page.lines)
    shortened = [_short(page.lines[position]) for position in kept]
    lines = tuple(clean("\n".join(shortened)).split("\n")) if shortened else ()
    lowered = [line.lower() for line in lines]
    starts = tuple(accumulate((len(line) + 1 for line in lowered[:-1]), initial=0))
    longer = sum(len(page.lines[position]) > LINE_HEAD + LINE_TAIL for position in kept)
    numbers = tuple(page.first + position for position in kept)
    return Text(lines, numbers, len(page.lines) - len(kept) + longer, "\n".join(lowered), starts)


def _kept(lines: Sequence[str]) -> Sequence[int]:
    sizes = [min(len(line), LINE_HEAD + LINE_TAIL) + 1 for line in lines]
    if sum(sizes) <= HEAD + TAIL:
        return range(len(lines))
    head = bisect_right(list(accumulate(sizes)), HEAD)
    tail = len(lines) - bisect_right(list(accumulate(reversed(sizes))), TAIL)
    return [*range(head), *range(max(head, tail), len(lines))]


def _short(line: str) -> str:
    """One line of bounded length; a line break inside it would shift all numbers."""
    line = line.replace("\n", " ")
    return line if len(line) <= LINE_HEAD + LINE_TAIL else f"{line[:LINE_HEAD]} … {line[-LINE_TAIL:]}"
