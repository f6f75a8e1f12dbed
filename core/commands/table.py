"""The table of commands: a word, its arguments, who answers. Each area of the product brings its own words."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from core.access import Person
from core.errors import BadInput, NotFound
from core.messages import Actor, Conversation
from core.results import Result
from core.schedulers.search import rank

NOBODY = Actor("", "")
"""Who asks when no person does."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A command with everything its handler may need.

    Attributes:
        actor: who asked, as their channel knows them.
        pressed: it came from a button on a card, so the card itself shows what became of it.
    """

    person: Person
    conversation: Conversation
    arguments: Mapping[str, str] = field(default_factory=dict[str, str])
    pressed: bool = False
    actor: Actor = NOBODY

    @property
    def identity(self) -> str:
        """`channel:id` of who asked: what an administrator needs to list them."""
        return f"{self.actor.channel}:{self.actor.id}"

    def need(self, name: str) -> str:
        """An argument that must be there.

        Raises:
            BadInput: it is not; the text names it.
        """
        value = self.arguments.get(name, "").strip()
        if not value:
            raise BadInput(f"argument {name} is missing", argument=name)
        return value

    def number(self, name: str) -> int:
        """A number of at most six digits; 0 when it is not given.

        Raises:
            BadInput: it is not a number.
        """
        value = self.arguments.get(name, "").strip() or "0"
        if not (value.isascii() and value.isdecimal() and len(value) <= 6):
            raise BadInput(f"argument {name} is not a number", argument=name)
        return int(value)


Handler = Callable[[Asked], Awaitable[Result | None]]
Sentence = Callable[[str], tuple[str, dict[str, str]] | None]
"""Reads a sentence that says as much as a command; None for any other."""


@dataclass(frozen=True, slots=True)
class Command:
    """A word, the arguments it takes in typed order, and who answers. The last argument takes the rest of the line."""

    handler: Handler
    arguments: tuple[str, ...] = ()


class Commands:
    """All commands.

    Args:
        areas: words and their commands; a word belongs to one area.
        sentence: see `Sentence`.
    """

    def __init__(self, *areas: Mapping[str, Command], sentence: Sentence | None = None) -> None:
        self._commands = {word: command for area in areas for word, command in area.items()}
        self._sentence = sentence

    def parse(self, line: str) -> tuple[str, dict[str, str]]:
        """A typed line such as `/log demo:1 2` as a command's word and its arguments by name; no word for free words."""
        if not line.lstrip().startswith("/"):
            return (self._sentence(line) if self._sentence else None) or ("", {})
        word, _, rest = line.strip().removeprefix("/").partition(" ")
        names = self._commands[word].arguments if word in self._commands else ()
        values = rest.split(maxsplit=max(len(names) - 1, 0)) if names else []
        return word.lower(), dict(zip(names, (value.strip() for value in values), strict=False))

    async def run(self, word: str, asked: Asked) -> Result | None:
        """Answer a command; None when the pressed card was edited and nothing more is to be said.

        Raises:
            NotFound: no such command; carries the nearest ones.
            XOpsError: whatever the handler could not do.
        """
        command = self._commands.get(word)
        if command is None:
            nearest = rank(word, self._commands, lambda name: (name,), limit=3)
            raise NotFound(f"no command {word}", kind="command", name=word, nearest=nearest)
        return await command.handler(asked)
