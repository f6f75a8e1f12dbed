"""What people here wrote themselves: signatures in the format of the packaged ones, and runbooks in Markdown.

A runbook begins with TOML between two lines of `+++`, which says what it is for; its text follows. A diagnosis shows its
first steps. All of it is checked when X-Ops starts, so that a misspelt cause is found then and not at 3 a.m.
"""

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.diagnosis.model import Cause, RerunHelps, Runbook
from core.diagnosis.patterns import hazard
from core.diagnosis.rulebook import Rules, Weight, packaged, rules
from core.errors import ConfigurationError
from core.i18n import words
from core.redact import clean, mask
from core.settings import Settings, settings_path

STEPS = 3
"""Steps of a runbook that a card shows."""
STEP = 200
MOST = 2
"""Runbooks that a card shows."""
SIZE = 256 * 1024
"""Bytes of one file; a larger one is not a runbook."""

_FRONT = re.compile(r"\A\+\+\+[ \t]*\n(?P<front>.*?)^\+\+\+[ \t]*\n(?P<body>.*)\Z", re.DOTALL | re.MULTILINE)
_STEP = re.compile(r"^(?:\d{1,3}[.)、]|[-*+])[ \t]+(?P<step>\S.*)$", re.MULTILINE)
_Text = Annotated[str, Field(min_length=1, max_length=500)]


@dataclass(frozen=True, slots=True)
class Filed:
    """A runbook, and what it is for; one of each kind that is given must fit. Names may hold `*`."""

    book: Runbook
    causes: frozenset[Cause] = frozenset()
    rules: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()

    def fits(self, cause: Cause, rule: str, task: str, tables: Sequence[str]) -> bool:
        """Whether it is about a failure of this cause, known by this rule, of this task, about or writing these tables."""
        return (
            (not self.causes or cause in self.causes)
            and (not self.rules or _like(rule, self.rules))
            and (not self.tasks or _like(task, self.tasks))
            and (not self.tables or any(_like(table, self.tables) for table in tables))
        )

    @property
    def narrowness(self) -> int:
        """How much it asks for: a runbook for one table goes before one for a class of causes."""
        return 8 * bool(self.tables) + 4 * bool(self.tasks) + 2 * bool(self.rules) + bool(self.causes)


@dataclass(frozen=True, slots=True)
class Knowledge:
    """Everything a diagnosis knows: the packaged rules, and what people here added."""

    rules: Rules
    runbooks: tuple[Filed, ...] = ()

    def about(self, cause: Cause, rule: str, task: str, tables: Sequence[str]) -> tuple[Runbook, ...]:
        """The runbooks for a failure, the narrowest first."""
        found = (filed for filed in self.runbooks if filed.fits(cause, rule, task, tables))
        return tuple(filed.book for filed in sorted(found, key=lambda filed: -filed.narrowness))[:MOST]

    @property
    def own(self) -> int:
        """How many signatures people here wrote."""
        return sum(signature.own for signature in self.rules.signatures)


class _Signature(BaseModel):
    """A table of a signature file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    contains: Annotated[tuple[_Text, ...], Field(min_length=1, max_length=30)]
    pattern: Annotated[str, Field(min_length=1, max_length=2000)]
    cause: Cause
    rerun_helps: RerunHelps
    advice: _Text
    source: _Text
    example: _Text
    weight: Weight = "root"

    def problem(self) -> str:
        """What is wrong beyond the types; empty when nothing is."""
        if f"diagnosis.advice.{self.advice}" not in words("en"):
            return f"advice {self.advice!r} is not known; docs/runbooks.md lists them"
        if any(word != word.lower() for word in self.contains):
            return "contains must be in lower case, since logs are searched so"
        if slow := hazard(self.pattern, self.example):
            return f"pattern {slow}"
        if not any(word in self.example.lower() for word in self.contains):
            return "example holds none of the words of contains"
        return "" if re.search(self.pattern, self.example, re.IGNORECASE) else "pattern does not match the example"


class _Engine(BaseModel):
    """What shows an engine, as in the packaged files."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    shows: tuple[_Text, ...]
    kinds: tuple[_Text, ...] = ()


class _Front(BaseModel):
    """The head of a runbook."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: _Text
    link: str = Field(default="", max_length=500, pattern=r"^(?:https?://\S+)?$")
    causes: frozenset[Cause] = frozenset()
    rules: tuple[_Text, ...] = ()
    tasks: tuple[_Text, ...] = ()
    tables: tuple[_Text, ...] = ()


def load(folder: Path | None = None) -> Knowledge:
    """The packaged rules, and those and the runbooks of a folder.

    Args:
        folder: of one's own; none by default.

    Raises:
        ConfigurationError: naming file, rule and problem, a line for each.
    """
    if folder is None:
        return Knowledge(packaged())
    if not folder.is_dir():
        raise ConfigurationError(f"diagnosis.folder: {folder} is not a folder")
    known = {signature.id for signature in packaged().signatures}
    problems: list[str] = []
    own = sum((_rules(file, known, problems) for file in sorted(folder.glob("*.toml"))), Rules((), ()))
    books = [_runbook(file, problems) for file in sorted(folder.glob("*.md")) if file.name.lower() != "readme.md"]
    if problems:
        raise ConfigurationError("\n".join(problems))
    return Knowledge(own + packaged(), tuple(filter(None, books)))


def configured(settings: Settings) -> Knowledge | None:
    """What the settings add to the packaged rules, checked; None when they add nothing. Raises as `load` does."""
    folder = settings.diagnosis.folder
    return load(settings_path().parent / folder) if folder else None


def _rules(file: Path, known: set[str], problems: list[str]) -> Rules:
    """The rules of a file; what is wrong with it is added to the problems."""
    try:
        tables = tomllib.loads(_read(file))
    except (ConfigurationError, ValueError) as error:
        problems.append(f"{file.name}: {error}")
        return Rules((), ())
    found = [
        f"{file.name}: {name}: {problem}"
        for name, table in tables.items()
        for problem in _wrong(file, name, table, known)
    ]
    problems += found
    return Rules((), ()) if found else rules(file.stem, tables, own=True)


def _wrong(file: Path, name: str, table: object, known: set[str]) -> Iterator[str]:
    try:
        entry = (_Engine if name == "engine" else _Signature).model_validate(table)
    except ValidationError as error:
        yield from _worded(error)
        return
    if f"{file.stem}.{name}" in known:
        yield "a packaged rule has this name; choose another"
    if isinstance(entry, _Signature) and (problem := entry.problem()):
        yield problem


def _runbook(file: Path, problems: list[str]) -> Filed | None:
    try:
        parts = _FRONT.match(_read(file))
        if parts is None:
            raise ConfigurationError("must begin with TOML between two lines of +++")
        front = _Front.model_validate(tomllib.loads(parts["front"]))
        if not (front.causes or front.rules or front.tasks or front.tables):
            raise ConfigurationError("name what it is for: causes, rules, tasks or tables")
    except ValidationError as error:
        problems += [f"{file.name}: {problem}" for problem in _worded(error)]
    except (ConfigurationError, ValueError) as error:
        problems.append(f"{file.name}: {error}")
    else:
        steps = [mask(match["step"])[:STEP] for match in _STEP.finditer(parts["body"])]
        where = front.link or file.name
        names = (front.causes, front.rules, front.tasks, front.tables)
        book = Runbook(mask(front.title), tuple(steps[:STEPS]), len(steps[STEPS:]), where)
        return Filed(book, *names)
    return None


def _read(file: Path) -> str:
    if file.stat().st_size > SIZE:
        raise ConfigurationError(f"is larger than {SIZE // 1024} KiB")
    return clean(file.read_text("utf-8"))


def _worded(error: ValidationError) -> Iterator[str]:
    for one in error.errors():
        yield f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}"


def _like(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name.lower(), pattern.lower()) for pattern in patterns)
