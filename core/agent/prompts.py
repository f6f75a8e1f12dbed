"""What a model is told: Markdown files of the folder `prompts`, by name, each with a digest that tells versions apart."""

from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files

PROMPTS = {"tools": "assistant", "router": "router"}
"""What a model is told, by `core.settings.Model.mode`."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """A text, and the first 12 hex digits of its SHA-256."""

    text: str
    digest: str


@cache
def prompt(name: str) -> Prompt:
    """The prompt of this name: `prompts/<name>.md`."""
    text = files("prompts").joinpath(f"{name}.md").read_text("utf-8")
    return Prompt(text, sha256(text.encode()).hexdigest()[:12])
