"""Charts of Feishu's cards as small pictures, drawn from the specification that would be sent: for `bots.feishu.preview`."""

from collections.abc import Iterator, Sequence
from html import escape
from math import cos, sin, tau
from typing import Any

Spec = dict[str, Any]
Point = tuple[str, float, str]
"""Label, value, colour."""

WIDTH, HEIGHT, GROUND = 320, 180, 150


def draw(spec: Spec) -> str:
    """A pie, bars or a line, with its title."""
    colours: list[str] = spec["color"]["range"]
    values: list[Spec] = spec["data"]["values"]
    points = [(one["label"], max(one["value"], 0.0), colour) for one, colour in zip(values, colours, strict=True)]
    shapes = {"pie": _pie, "bar": _bars, "line": _line}[spec["type"]]
    title = _text(spec["title"]["text"], WIDTH / 2, 14)
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}">{title}{"".join(shapes(points))}</svg>'


def _pie(points: Sequence[Point]) -> Iterator[str]:
    whole, before = sum(value for _, value, _ in points) or 1.0, 0.0
    for number, (label, value, colour) in enumerate(points):
        start, end = _on_circle(before), _on_circle(before + value / whole)
        far = int(value / whole > 1 / 2)
        slice_ = f"M90,100 L{start} A64,64 0 {far} 1 {end} Z"
        yield f'<path d="{slice_}" fill="{colour}"></path>' if value < whole else _disc(colour)
        yield _text(f"{label} {value:g}", 240, 44 + 16 * number, colour)
        before += value / whole


def _disc(colour: str) -> str:
    """A slice that is all of the pie, which an arc cannot draw: it would end where it began."""
    return f'<circle cx="90" cy="100" r="64" fill="{colour}"></circle>'


def _on_circle(turn: float) -> str:
    """A place on the pie's edge, so many turns clockwise from its top."""
    return f"{90 + 64 * sin(tau * turn):.1f},{100 - 64 * cos(tau * turn):.1f}"


def _bars(points: Sequence[Point]) -> Iterator[str]:
    most, step = _most(points), WIDTH / max(len(points), 1)
    for number, (label, value, colour) in enumerate(points):
        tall, middle = 110 * value / most, step * (number + 0.5)
        yield f'<rect x="{middle - step / 3:.1f}" y="{GROUND - tall:.1f}" width="{step / 1.5:.1f}" height="{tall:.1f}" fill="{colour}"></rect>'  # noqa: E501
        yield _text(f"{value:g}", middle, GROUND - tall - 4)
        yield _text(label, middle, GROUND + 16)


def _line(points: Sequence[Point]) -> Iterator[str]:
    most, step = _most(points), WIDTH / max(len(points), 1)
    places = [(step * (number + 0.5), GROUND - 110 * value / most) for number, (_, value, _) in enumerate(points)]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    yield f'<polyline points="{path}" fill="none" stroke="#3370FF" stroke-width="2"></polyline>'
    for (x, y), (label, value, _) in zip(places, points, strict=True):
        yield _text(f"{value:g}", x, y - 6)
        yield _text(label, x, GROUND + 16)


def _most(points: Sequence[Point]) -> float:
    return max((value for _, value, _ in points), default=0.0) or 1.0


def _text(said: str, x: float, y: float, colour: str = "#646a73") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" font-size="11" text-anchor="middle">{escape(said)}</text>'
