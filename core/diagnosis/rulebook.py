"""What is known about logs, as data: signatures of faults (`signatures/*.toml`, one file an engine) and `marks.toml`.

A *signature* names the cause of a fault that one line states. A *mark* tells what else a line means: that the run ended
well or badly, that it went on, that a retry worked, that an error is harmless. To teach the reader a message, add a
table to the file of its engine; `tests/core/test_signatures.py` proves it against its own example.

Both find their lines in two steps, so that a log of megabytes takes milliseconds: one of the words in `contains` is
searched in the whole text, and only on the lines that have it the pattern is tried.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, Literal

from core.diagnosis.model import Cause, RerunHelps

Weight = Literal["root", "symptom", "generic"]
"""What a match is worth: it states the cause; it may be the consequence of another; it only says that code raised."""
MarkKind = Literal["success", "failure", "recovery", "progress", "harmless"]


@dataclass(frozen=True, slots=True)
class Trait:
    """How a kind of line is recognised.

    Attributes:
        contains: words of which the line has at least one, in lower case.
        pattern: what the line must match, in any case; no nested quantifiers.
        example: a line it matches.
    """

    contains: tuple[str, ...]
    pattern: re.Pattern[str]
    example: str


@dataclass(frozen=True, slots=True)
class Signature:
    """A message that states a cause.

    Attributes:
        id: `engine.what`, e.g. `maxcompute.table-not-found`.
        trait: its lines; a group `object` in the pattern names what the fault is about.
        advice: key in the catalogue area `diagnosis`.
        source: where the message is documented or defined.
    """

    id: str
    trait: Trait
    cause: Cause
    rerun_helps: RerunHelps
    advice: str
    source: str
    weight: Weight = "root"


@dataclass(frozen=True, slots=True)
class Mark:
    """A line that says how the run went, not what went wrong."""

    kind: MarkKind
    trait: Trait


@cache
def signatures() -> tuple[Signature, ...]:
    """All signatures, engine by engine."""
    folder = files("core.diagnosis").joinpath("signatures")
    engines = sorted((file for file in folder.iterdir() if file.name.endswith(".toml")), key=lambda file: file.name)
    return tuple(signature for file in engines for signature in _signatures(file))


@cache
def marks(kind: MarkKind) -> tuple[Trait, ...]:
    """The traits of one kind of mark."""
    return tuple(_trait(entry) for entry in _read(files("core.diagnosis").joinpath("marks.toml"))[kind])


def _signatures(file: Traversable) -> Iterable[Signature]:
    engine = file.name.removesuffix(".toml")
    for name, entry in _read(file).items():
        yield Signature(
            f"{engine}.{name}",
            _trait(entry),
            Cause(entry["cause"]),
            entry["rerun_helps"],
            entry["advice"],
            entry["source"],
            entry.get("weight", "root"),
        )


def _trait(entry: Mapping[str, Any]) -> Trait:
    return Trait(tuple(entry["contains"]), re.compile(entry["pattern"], re.IGNORECASE), entry["example"])


def _read(file: Traversable) -> dict[str, Any]:
    return tomllib.loads(file.read_text("utf-8"))
