"""What is known about logs, as data: signatures of faults (`signatures/*.toml`, one file an engine) and `marks.toml`.

A *signature* names the cause of a fault that one line states. A *mark* tells what else a line means: that the run ended
well or badly, that it went on, that a retry worked, that an error is harmless. To teach the reader a message, add a
table to the file of its engine; `tests/core/test_signatures.py` proves it against its own example.

Both find their lines in two steps, so that a log of megabytes takes milliseconds: one of the words in `contains` is
searched in the whole text, and only on the lines that have it the pattern is tried.

A file may say in a table `engine` what shows that its engine wrote a log: words of the log, words of the task's kind.
Where another engine is shown, its rules say less (`core.diagnosis.log`). A file without that table is about any log.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, Literal

from core.diagnosis.model import Cause, RerunHelps

Weight = Literal["root", "symptom", "words", "generic"]
"""What a match is worth: it states the cause; it may be the consequence of another; it names a class in words that no
engine owns; it only says that code raised."""
MarkKind = Literal["success", "failure", "recovery", "again", "progress", "harmless", "wrapper"]


@dataclass(frozen=True, slots=True)
class Trait:
    """How a kind of line is recognised.

    Attributes:
        contains: words of which the line has at least one, in lower case.
        pattern: what the line must match, in any case; `core.diagnosis.patterns` says what keeps it quick.
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
        own: whether the people of this installation wrote it; where several rules know a line, theirs goes first.
    """

    id: str
    trait: Trait
    cause: Cause
    rerun_helps: RerunHelps
    advice: str
    source: str
    weight: Weight = "root"
    own: bool = False

    @property
    def engine(self) -> str:
        """Whose message it is."""
        return self.id.partition(".")[0]


@dataclass(frozen=True, slots=True)
class Engine:
    """What shows that an engine wrote a log.

    Attributes:
        shows: words of its logs, in lower case.
        kinds: parts of the kinds that schedulers give to its tasks, in lower case.
    """

    name: str
    shows: tuple[str, ...]
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rules:
    """Signatures, and the engines that some of them belong to."""

    signatures: tuple[Signature, ...]
    engines: tuple[Engine, ...]

    def __add__(self, other: "Rules") -> "Rules":
        """Both."""
        return Rules(self.signatures + other.signatures, self.engines + other.engines)


@cache
def packaged() -> Rules:
    """What comes with X-Ops, engine by engine."""
    folder = files("core.diagnosis").joinpath("signatures")
    names = sorted(file.name for file in folder.iterdir() if file.name.endswith(".toml"))
    parts = (rules(name.removesuffix(".toml"), _read(folder.joinpath(name))) for name in names)
    return sum(parts, Rules((), ()))


@cache
def marks(kind: MarkKind) -> tuple[Trait, ...]:
    """The traits of one kind of mark."""
    return tuple(_trait(entry) for entry in _read(files("core.diagnosis").joinpath("marks.toml"))[kind])


def rules(engine: str, tables: Mapping[str, Any], *, own: bool = False) -> Rules:
    """The rules of one file.

    Args:
        engine: name of the file.
        tables: what it holds.
        own: as in `Signature`.
    """
    shown = tables.get("engine")
    engines = (Engine(engine, tuple(shown["shows"]), tuple(shown.get("kinds", ()))),) if shown else ()
    return Rules(tuple(_signatures(engine, tables, own=own)), engines)


def _signatures(engine: str, tables: Mapping[str, Any], *, own: bool) -> Iterator[Signature]:
    for name, entry in tables.items():
        if name != "engine":
            yield Signature(
                f"{engine}.{name}",
                _trait(entry),
                Cause(entry["cause"]),
                entry["rerun_helps"],
                entry["advice"],
                entry["source"],
                entry.get("weight", "root"),
                own,
            )


def _trait(entry: Mapping[str, Any]) -> Trait:
    return Trait(tuple(entry["contains"]), re.compile(entry["pattern"], re.IGNORECASE), entry["example"])


def _read(file: Traversable) -> dict[str, Any]:
    return tomllib.loads(file.read_text("utf-8"))
