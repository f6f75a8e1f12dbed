"""What comes out of a turn of the agent, and what the rules see of it. No LangChain here: commands use it too."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from core.results import Result


@dataclass(frozen=True, slots=True)
class Call:
    """One use of a tool. Arguments that were left out are not in it."""

    name: str
    arguments: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Answer:
    """What was found, and how.

    Attributes:
        results: in the order of the calls.
        text: the model's own sentence; empty unless every id in it was found by a tool.
        calls: the tools used.
        source: who chose them.
        note: key in the catalogues that says why the rules answered instead of the model; empty when nothing is amiss.
    """

    results: tuple[Result, ...]
    text: str
    calls: tuple[Call, ...]
    source: Literal["model", "rules"]
    note: str = ""
