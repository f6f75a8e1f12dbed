"""What comes out of a turn of the agent, and what the rules see of it. No LangChain here: commands use it too."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from core.diagnosis.model import Proof
from core.results import AlertReport, Result


@dataclass(frozen=True, slots=True)
class Call:
    """One use of a tool. Arguments that were left out are not in it."""

    name: str
    arguments: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence of a model about a diagnosis, without its citations, and the evidence that it cites: at least one."""

    text: str
    proofs: tuple[Proof, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What was found, and how.

    Attributes:
        results: in the order of the calls.
        claims: what the model adds to the one diagnosis among the results, checked sentence by sentence.
        calls: the tools used.
        source: who chose them.
        note: key in the catalogues that says why the rules answered instead of the model; empty when nothing is amiss.
        tokens: what a model used, as its provider counts them.
        alert: the alert that was pasted, read by code whoever answers; None when none was.
    """

    results: tuple[Result, ...]
    claims: tuple[Claim, ...]
    calls: tuple[Call, ...]
    source: Literal["model", "rules"]
    note: str = ""
    tokens: int = 0
    alert: AlertReport | None = None
