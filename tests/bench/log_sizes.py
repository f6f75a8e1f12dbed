"""How long a log takes to read, by its size: `python -m tests.bench.log_sizes` draws docs/pictures/log-sizes.svg.

Three kinds of log: one that goes well until its last line, one that is nothing but the same error, and one of long lines
made to keep the patterns busy. The time is that of splitting and reading, on one core, without masking the whole text.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from math import log10
from pathlib import Path

from core.diagnosis import read_log
from core.schedulers.base import LogPage

PICTURE = Path(__file__).parents[2] / "docs/pictures/log-sizes.svg"
MEGABYTES = (0.01, 0.03, 0.1, 0.3, 1, 2, 5, 10, 20, 50)
LINES: Mapping[str, str] = {
    "a long quiet run": "2026-11-22 03:10:11,123 INFO  loader: read batch of ods_orders, 4182 rows in 12 ms\n",
    "nothing but one error": "2026-11-22 03:10:11 ERROR java.io.IOException: Connection reset by peer\n",
    "long lines of bait": "ODPS-0010000 out of memory partition lock system internal error " * 46 + "\n",
}
COLOURS = ("#2a6fdb", "#d9822b", "#8b3fc4")
END = "ModuleNotFoundError: No module named 'pyarrow'"
WIDTH, HEIGHT, LEFT, BOTTOM = 640, 360, 60, 50
SECONDS = (0.01, 0.1, 1, 10)


def measure() -> Mapping[str, Sequence[tuple[float, float]]]:
    """Megabytes and seconds, by kind of log."""
    return {kind: [(size, _seconds(line, size)) for size in MEGABYTES] for kind, line in LINES.items()}


def drawn(measured: Mapping[str, Sequence[tuple[float, float]]]) -> str:
    """The scatter as SVG, both axes logarithmic."""
    return "\n".join(_elements(measured)) + "\n"


def _seconds(line: str, size: float) -> float:
    text = line * int(size * 1e6 / len(line)) + END
    began = time.perf_counter()
    read_log(LogPage(1, tuple(text.split("\n"))))
    return time.perf_counter() - began


def _elements(measured: Mapping[str, Sequence[tuple[float, float]]]) -> Iterator[str]:
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>'
    )
    for size in MEGABYTES:
        yield f'<text x="{_x(size):.0f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{size:g}</text>'
    for seconds in SECONDS:
        y = _y(seconds)
        yield f'<line x1="{LEFT}" x2="{WIDTH - 20}" y1="{y:.0f}" y2="{y:.0f}" stroke="#ddd"/>'
        yield f'<text x="{LEFT - 8}" y="{y + 4:.0f}" text-anchor="end">{seconds:g} s</text>'
    yield f'<text x="{WIDTH / 2:.0f}" y="{HEIGHT - 12}" text-anchor="middle">size of the log, MB</text>'
    for number, ((kind, points), colour) in enumerate(zip(measured.items(), COLOURS, strict=True)):
        yield f'<circle cx="{LEFT + 20}" cy="{24 + 18 * number}" r="4" fill="{colour}"/>'
        yield f'<text x="{LEFT + 30}" y="{28 + 18 * number}">{kind}</text>'
        for size, seconds in points:
            yield f'<circle cx="{_x(size):.1f}" cy="{_y(seconds):.1f}" r="4" fill="{colour}" fill-opacity="0.8"/>'
    yield "</svg>"


def _x(size: float) -> float:
    first, last = log10(MEGABYTES[0]), log10(MEGABYTES[-1])
    return LEFT + 20 + (log10(size) - first) / (last - first) * (WIDTH - LEFT - 60)


def _y(seconds: float) -> float:
    first, last = log10(SECONDS[0] / 2), log10(SECONDS[-1])
    return HEIGHT - BOTTOM - (log10(max(seconds, SECONDS[0] / 2)) - first) / (last - first) * (HEIGHT - BOTTOM - 20)


if __name__ == "__main__":
    measured = measure()
    PICTURE.write_text(drawn(measured), "utf-8")
    for kind, points in measured.items():
        print(f"{kind:24}", "  ".join(f"{size:g} MB {seconds:.2f} s" for size, seconds in points))
