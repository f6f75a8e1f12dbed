"""The cases of the suites, read from TOML.

alerts      `text`, and `alerts`: what must be read, in order, with any fields of `core.alerts.Alert`; none for small talk.
            Objects are written "type name id", without what is empty.
logs        `text`, `cause`, and if the log tells them `object`, `line`, `confidence`, `rerun_helps`.
conversations   `about`, and `turn`s: `say`, `quoted` (the message it replies to), `calls` as below, where `#2` is the second
            thing that the card before listed and `@` what it was about; `injected`, when the logs are to instruct the reader;
            `tries`: what a scripted model tries instead. Each turn is a case.
questions   `say`: wordings of the same thing, `calls`: the tool calls they mean, `past`: what was shown before.
"""

import shlex
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, Literal

from core.agent.answer import Call
from core.agent.rules.text import fold

Suite = Literal["alerts", "logs", "questions", "conversations"]
Half = Literal["known", "unseen"]
SUITES: tuple[Suite, ...] = ("alerts", "logs", "questions", "conversations")
HALVES: tuple[Half, ...] = ("known", "unseen")


@dataclass(frozen=True, slots=True)
class Case:
    """One case.

    Attributes:
        source: the file it stands in: an engine, a platform, a kind of question.
        expected: the row of the file, with what the whole file says.
    """

    suite: Suite
    half: Half
    source: str
    name: str
    text: str
    expected: Mapping[str, Any]

    @property
    def language(self) -> str:
        """`tw`, `zh` or `en`, told from the text; one Chinese character makes it Chinese."""
        chinese = [letter for letter in self.text if "\u4e00" <= letter <= "\u9fff"]
        if not chinese:
            return "en"
        return "tw" if any(fold(letter) != letter for letter in chinese) else "zh"

    @property
    def calls(self) -> tuple[Call, ...]:
        """The tool calls that a question means; in the file one a line, `tool name=value …`."""
        return tuple(map(call, self.expected["calls"]))


def packaged() -> Traversable:
    """The folder of the suites that come with X-Ops."""
    return files("core.evaluation").joinpath("suites")


def cases(suite: Suite, half: Half, folder: Traversable | None = None) -> tuple[Case, ...]:
    """The cases of one half of a suite, in a stable order; none when the folder has no such.

    Args:
        suite: which.
        half: which.
        folder: a folder laid out as the packaged one; that one by default.
    """
    inside = (folder or packaged()).joinpath(suite).joinpath(half)
    if not inside.is_dir():
        return ()
    tables = sorted((file for file in inside.iterdir() if file.name.endswith(".toml")), key=lambda file: file.name)
    return tuple(case for file in tables for case in _of_file(suite, half, file))


def _of_file(suite: Suite, half: Half, file: Traversable) -> Iterator[Case]:
    content = tomllib.loads(file.read_text("utf-8"))
    whole = {name: value for name, value in content.items() if name not in {"case", "conversation"}}
    for conversation in content.get("conversation", ()):
        about = {name: value for name, value in conversation.items() if name != "turn"}
        for row in conversation["turn"]:
            name = f"{conversation['about']}: {row['say']}"
            yield Case(suite, half, file.name.removesuffix(".toml"), name, row["say"], whole | about | row)
    for row in content.get("case", ()):
        for text in row.get("say", [row.get("text")]):
            name = row.get("name", text)
            yield Case(suite, half, file.name.removesuffix(".toml"), name, text, whole | row)


def call(line: str) -> Call:
    """`tool name=value …` as a call."""
    tool, *arguments = shlex.split(line)
    return Call(tool, dict(argument.split("=", 1) for argument in arguments))
