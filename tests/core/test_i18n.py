"""The catalogues are whole: the same in every language, nothing missing that is asked for, nothing kept that nobody asks."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from string import Formatter
from typing import Any, get_args

import pytest

from core.diagnosis.model import Cause, CheckName, Confidence, Outcome, RerunHelps
from core.errors import Ambiguous, Denied, Frozen, NotFound, RemoteError, XOpsError
from core.i18n import DEFAULT, LANGUAGES, closest, words
from core.schedulers.base import Operation, RunType, Status

ROOT = Path(__file__).parents[2]
CATALOGUES = ROOT / "core/i18n"
AREAS = sorted(file.stem for file in (CATALOGUES / DEFAULT).glob("*.toml"))
SOURCES = [*ROOT.glob("core/**/*.py"), *ROOT.glob("bots/**/*.py")]
START = re.compile(rf"(?:{'|'.join(AREAS)})\.[a-z0-9_.]*")
KEY = re.compile(rf"(?:{'|'.join(AREAS)})\.[a-z0-9_]+(?:\.[a-z0-9_]+)*")


def sentences(language: str, area: str) -> dict[str, str]:
    """The sentences of one file, by key within the area."""
    return dict(_flat(tomllib.loads((CATALOGUES / language / f"{area}.toml").read_text("utf-8"))))


def _flat(node: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in node.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")  # pyright: ignore[reportUnknownArgumentType]
        else:
            yield f"{prefix}{name}", value


def placeholders(template: str) -> set[str]:
    """Names that a sentence wants filled in."""
    return {name for _, name, _, _ in Formatter().parse(template) if name is not None}


def asked() -> Iterator[tuple[str, re.Pattern[str]]]:
    """(where, pattern) of each key that the code asks for; parts that are only known at run time match anything."""
    for source in SOURCES:
        for node in ast.walk(ast.parse(source.read_text("utf-8"))):
            parts = _parts(node)
            if START.fullmatch(parts[0]):
                pattern = ".+".join(re.escape(part) for part in parts)
                yield f"{source.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}", re.compile(pattern)


def _parts(node: ast.AST) -> list[str]:
    """The text of a string between its run-time parts; a single empty part for anything that is no key."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and KEY.fullmatch(node.value):
        return [node.value]
    if isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
        parts = [str(part.value) if isinstance(part, ast.Constant) else "\0" for part in node.values]
        return "".join(parts).split("\0")
    return [""]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_the_same_areas(language: str) -> None:
    """A file that exists in one language exists in all."""
    assert sorted(file.stem for file in (CATALOGUES / language).glob("*.toml")) == AREAS


@pytest.mark.parametrize("area", AREAS)
@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != DEFAULT])
def test_every_language_says_the_same_with_the_same_values(language: str, area: str) -> None:
    """Same keys, same placeholders, and no sentence left empty."""
    ours, theirs = sentences(DEFAULT, area), sentences(language, area)
    assert sorted(theirs) == sorted(ours)
    assert {key: placeholders(theirs[key]) for key in theirs} == {key: placeholders(ours[key]) for key in ours}
    assert all(theirs.values())


@pytest.mark.parametrize("area", AREAS)
def test_placeholders_are_plain_names(area: str) -> None:
    """No sentence reaches into a value (`{x.y}`, `{x[0]}`) or fills in by position."""
    for sentence in sentences(DEFAULT, area).values():
        assert all(name.isidentifier() for name in placeholders(sentence)), sentence


def test_every_key_the_code_asks_for_exists() -> None:
    """A misspelt key is found here and not by a person at night."""
    keys = [f"{area}.{key}" for area in AREAS for key in sentences(DEFAULT, area)]
    lost = [
        f"{where}: {pattern.pattern}" for where, pattern in asked() if not any(pattern.fullmatch(key) for key in keys)
    ]
    assert lost == []


@pytest.mark.parametrize("area", ["views", "status", "operations", "errors", "tables"])
def test_every_sentence_is_asked_for(area: str) -> None:
    """Words nobody can ever read are dead weight for three translators."""
    patterns = [pattern for _, pattern in asked()]
    keys = (f"{area}.{key}" for key in sentences(DEFAULT, area))
    assert [key for key in keys if not any(pattern.fullmatch(key) for pattern in patterns)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_member_of_our_vocabularies_has_words(language: str) -> None:
    """Statuses, run kinds, operations, causes and verdicts can all be said."""
    say = words(language)
    keys = [f"status.{status}" for status in Status]
    keys += [f"status.next.{status}" for status in Status]
    keys += [f"status.run_type.{kind}" for kind in RunType]
    keys += [f"operations.{operation}.{part}" for operation in Operation for part in ("name", "effect", "risk")]
    keys += [f"diagnosis.{part}.{cause}" for cause in Cause for part in ("cause", "meaning")]
    for part, kind in (("confidence", Confidence), ("rerun", RerunHelps), ("check", CheckName), ("outcome", Outcome)):
        keys += [f"diagnosis.{part}.{member}" for member in get_args(kind)]
    assert [key for key in keys if key not in say] == []


def _all_errors(root: type[XOpsError] = XOpsError) -> Iterator[type[XOpsError]]:
    yield root
    for kind in root.__subclasses__():
        yield from _all_errors(kind)


def _raised(kind: type[XOpsError]) -> XOpsError:
    if issubclass(kind, NotFound):
        return kind("m", kind="task", name="x")
    if issubclass(kind, Ambiguous):
        return kind("m", kind="task", name="x", choices=())
    if issubclass(kind, Frozen):
        return kind("m", system="X-Ops", window="x", until="y", by="z", reason="w")
    if issubclass(kind, RemoteError):
        return kind("m", system="airflow")
    return kind("m", person="x", needed="operator") if issubclass(kind, Denied) else kind("m")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", list(dict.fromkeys(_all_errors())))
def test_every_error_can_be_told(kind: type[XOpsError], language: str) -> None:
    """Each class of the tree has its sentence, and carries what the sentence wants."""
    error = _raised(kind)
    assert words(language)(f"errors.{error.text}", **error.details)


def test_every_denial_says_what_would_be_needed() -> None:
    """`errors.denied` names the missing right, so whoever raises it must."""
    calls = (node for source in SOURCES for node in ast.walk(ast.parse(source.read_text("utf-8"))))
    denials = [
        node
        for node in calls
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Denied"
    ]
    assert denials
    assert all("needed" in {keyword.arg for keyword in node.keywords} for node in denials)


@pytest.mark.parametrize(
    ("tag", "language"),
    [
        ("zh-CN", "zh-CN"),
        ("zh_cn", "zh-CN"),
        ("zh-Hans-SG", "zh-CN"),
        ("zh-TW", "zh-TW"),
        ("zh_hk", "zh-TW"),
        ("zh-Hant", "zh-TW"),
        ("zh-Hant-MO", "zh-TW"),
        ("en", "en"),
        ("en-US", "en"),
        ("EN_gb", "en"),
        ("", "zh-CN"),
        ("fr", "zh-CN"),
    ],
)
def test_the_closest_language_is_chosen(tag: str, language: str) -> None:
    """Tags come from three messengers and browsers, in every spelling."""
    assert closest(tag) == language
    assert words(tag).language == language


def test_values_are_never_templates() -> None:
    """A value with braces stands as it is."""
    assert words("en")("errors.unreachable", system="{0.__class__}{x}").startswith("{0.__class__}{x} did not answer")
