"""Logs, tables and charts as lines of text, for chats that can draw none of them.

A phone shows about twenty Chinese characters in a line, so a table of more than `BESIDE` columns becomes one entry a row.
Bars and curves are drawn with block characters, which every font has; the values stand beside them.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import isfinite

from core.cards import Chart, Log, Tone

BESIDE = 3
"""Most columns that stand beside each other."""

BAR = 10
"""Characters of the longest bar."""

GAP = "      ⋮"
"""Stands where lines of a log are missing."""

_EIGHTHS = " ▏▎▍▌▋▊▉█"
_LEVELS = "▁▂▃▄▅▆▇█"


def log_lines(log: Log) -> Iterator[str]:
    """Lines with their numbers and marks; where numbers are missing, `GAP`. What follows a line break is indented."""
    for (before, _), (number, text) in pairwise(((log.lines[0][0] - 1, "") if log.lines else (0, ""), *log.lines)):
        if number > before + 1:
            yield GAP
        first, *more = text.splitlines() or [""]
        yield f"{'>' if number in log.marked else ' '}{number:>5} {first}"
        yield from (f"       {line}" for line in more)


def table_lines(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """A table: rows of cells below the head, or for a wide one an entry a row, the first cell as its name."""
    flat = [tuple(" ".join(cell.split()) for cell in row) for row in (columns, *rows)]
    if len(columns) <= BESIDE:
        yield from (" | ".join(row) for row in flat)
        return
    for row in flat[1:]:
        yield f"▪ {row[0] if row else ''}"
        yield " · ".join(f"{label}: {cell}" for label, cell in zip(flat[0][1:], row[1:], strict=False) if cell)


def chart_lines(chart: Chart) -> Iterator[tuple[str, Tone]]:
    """A chart without its title, each line with the tone of what it tells: a curve and its values, or a bar a value."""
    sizes = [value if isfinite(value) and value > 0 else 0.0 for _, value, _ in chart.points]
    if chart.kind == "line":
        yield _curve(sizes), "neutral"
        yield "  ".join(f"{label} {value:g}{chart.unit}" for label, value, _ in chart.points), "neutral"
        return
    whole = sum(sizes) if chart.kind == "pie" else max(sizes, default=0.0)
    for (label, value, tone), size in zip(chart.points, sizes, strict=True):
        part = size / whole if whole else 0.0
        share = f" ({part:.0%})" if chart.kind == "pie" else ""
        yield f"{label}: {value:g}{chart.unit}{share} {_bar(part)}".rstrip(), tone


def _bar(part: float) -> str:
    full, eighths = divmod(round(part * BAR * 8), 8)
    return "█" * full + _EIGHTHS[eighths].strip()


def _curve(values: Sequence[float]) -> str:
    low, high = min(values, default=0.0), max(values, default=0.0)
    scale = (len(_LEVELS) - 1) / (high - low) if high > low else 0.0
    return "".join(_LEVELS[round((value - low) * scale)] for value in values)
