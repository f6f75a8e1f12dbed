"""Geometry of charts, for templates that draw SVG. Every figure that is drawn is also written beside it.

Widths are fractions of 100 and heights of `HEIGHT`, so that a drawing scales with the page. Values that are no finite
number, or negative, are written as they are and drawn as nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import isfinite

from core.cards import Chart, Tone

HEIGHT = 40
"""Height of a line's plot, where its width is 100."""

VISIBLE = 1.5
"""Least width of a part that is not zero: three failures among three hundred must be seen."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One value of a chart.

    Attributes:
        value: as it is written, with its unit.
        start: left edge, of 100.
        width: of 100.
        y: height on a line's plot, downwards.
    """

    label: str
    value: str
    tone: Tone
    start: float = 0.0
    width: float = 0.0
    y: float = HEIGHT


def marks(chart: Chart) -> tuple[Mark, ...]:
    """What to draw: shares of a whole side by side (`pie`), lengths one under another (`bar`), or a course (`line`)."""
    sizes = [value if isfinite(value) and value > 0 else 0.0 for _, value, _ in chart.points]
    places = {"pie": _shares, "bar": _lengths, "line": _course}[chart.kind](sizes)
    return tuple(
        Mark(label, written(value, chart.unit), tone, *place)
        for (label, value, tone), place in zip(chart.points, places, strict=True)
    )


def path(points: tuple[Mark, ...]) -> str:
    """A line's points, as the `points` of an SVG polyline."""
    return " ".join(f"{mark.start:g},{mark.y:g}" for mark in points)


def written(value: float, unit: str) -> str:
    """A value for people: thousands separated, at most one decimal."""
    if not isfinite(value):
        return "—"
    number = f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"
    return f"{number} {unit}".rstrip()


def _shares(sizes: list[float]) -> Iterator[tuple[float, float]]:
    largest = max(sizes, default=0.0)
    total = sum(size / largest for size in sizes) if largest else 1.0
    widths = [max(size / largest / total * 100, VISIBLE) if size else 0.0 for size in sizes]
    scale = 100 / (sum(widths) or 1.0)
    ends = [sum(widths[:count]) * scale for count in range(len(widths) + 1)]
    return ((round(start, 3), round(end - start, 3)) for start, end in pairwise(ends))


def _lengths(sizes: list[float]) -> Iterator[tuple[float, float]]:
    largest = max(sizes, default=0.0) or 1.0
    return ((0.0, round(max(size / largest * 100, VISIBLE), 3) if size else 0.0) for size in sizes)


def _course(sizes: list[float]) -> Iterator[tuple[float, float, float]]:
    largest = max(sizes, default=0.0) or 1.0
    step = 96 / max(len(sizes) - 1, 1)
    return (
        (round(2 + number * step, 3), 0.0, round(HEIGHT - 3 - size / largest * (HEIGHT - 6), 3))
        for number, size in enumerate(sizes)
    )
