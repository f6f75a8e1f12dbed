"""What is answered without a model: the words a person types after a slash and the words that buttons carry are the same.

A click is input like any other: its arguments name things, and the handler checks rights and state itself.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from core.access import Person
from core.errors import BadInput, NotFound, RemoteError, Stale
from core.execution import Execution
from core.messages import Conversation
from core.results import Notice, Result
from core.schedulers.search import rank
from core.tools.act import Act
from core.tools.look import Look, explain


@dataclass(frozen=True, slots=True)
class Asked:
    """A command with everything its handler may need.

    Attributes:
        pressed: it came from a button on a card, so the card itself shows what became of it.
    """

    person: Person
    conversation: Conversation
    arguments: Mapping[str, str] = field(default_factory=dict[str, str])
    pressed: bool = False

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


@dataclass(frozen=True, slots=True)
class Command:
    """A word, the arguments it takes in typed order, and who answers. The last argument takes the rest of the line."""

    handler: Handler
    arguments: tuple[str, ...] = ()


class Commands:
    """The table of commands.

    Args:
        look: reads.
        act: proposes.
        execution: carries out what a person confirmed.
    """

    def __init__(self, look: Look, act: Act, execution: Execution) -> None:
        self._look = look
        self._act = act
        self._execution = execution
        listed = {
            kind: Command(self._listed(kind), ("subject",))
            for kind in ("failed", "repeated", "mine", "running", "waiting")
        }
        self._commands: dict[str, Command] = listed | {
            "help": Command(self._help),
            "whoami": Command(self._whoami),
            "overview": Command(self._overview, ("day",)),
            "instances": Command(self._instances, ("kind", "subject")),
            "status": Command(self._status, ("target",)),
            "diagnose": Command(self._diagnose, ("target",)),
            "log": Command(self._log, ("target", "run")),
            "upstream": Command(self._lineage("upstream"), ("target",)),
            "downstream": Command(self._lineage("downstream"), ("target",)),
            "table": Command(self._table, ("name", "day")),
            "propose": Command(self._propose, ("operation", "target")),
            "rerun": Command(self._rerun, ("target",)),
            "confirm": Command(self._confirm, ("proposal",)),
            "cancel": Command(self._cancel, ("proposal",)),
        }

    def parse(self, line: str) -> tuple[str, dict[str, str]]:
        """A typed line such as `/log demo:1 2` as a command's word and its arguments by name."""
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

    async def _help(self, _asked: Asked) -> Result:
        return Notice("help")

    async def _whoami(self, asked: Asked) -> Result:
        person = asked.person
        details = {
            "name": person.name,
            "role": person.role,
            "projects": ", ".join(sorted(person.projects)) or "-",
            "owners": ", ".join(sorted(person.owners)) or "-",
        }
        return Notice("whoami", details)

    async def _overview(self, asked: Asked) -> Result:
        return await self._look.overview(asked.person, day=asked.arguments.get("day", ""))

    async def _instances(self, asked: Asked) -> Result:
        return await self._list(asked, asked.need("kind"))

    def _listed(self, kind: str) -> Handler:
        return lambda asked: self._list(asked, kind)

    async def _list(self, asked: Asked, kind: str) -> Result:
        subject, day = asked.arguments.get("subject", ""), asked.arguments.get("day", "")
        return await self._look.instances(
            asked.person, kind=kind, subject=subject, day=day, offset=asked.number("offset")
        )

    async def _status(self, asked: Asked) -> Result:
        return await self._look.status(asked.person, asked.need("target"))

    async def _diagnose(self, asked: Asked) -> Result:
        return await self._look.diagnose(asked.person, asked.need("target"))

    async def _log(self, asked: Asked) -> Result:
        return await self._look.log(asked.person, asked.need("target"), run=asked.number("run"))

    def _lineage(self, direction: Literal["upstream", "downstream"]) -> Handler:
        return lambda asked: self._look.lineage(asked.person, asked.need("target"), direction=direction)

    async def _table(self, asked: Asked) -> Result:
        return await self._look.table(asked.person, asked.need("name"), day=asked.arguments.get("day", ""))

    async def _propose(self, asked: Asked) -> Result:
        return await self._act.propose(asked.person, asked.conversation, asked.need("operation"), asked.need("target"))

    async def _rerun(self, asked: Asked) -> Result:
        return await self._act.propose(asked.person, asked.conversation, "rerun", asked.need("target"))

    async def _confirm(self, asked: Asked) -> Result | None:
        return await self._decided(asked, self._execution.confirm)

    async def _cancel(self, asked: Asked) -> Result | None:
        return await self._decided(asked, self._execution.cancel)

    async def _decided(self, asked: Asked, decide: Callable[[Person, str], Awaitable[Result]]) -> Result | None:
        try:
            result = await decide(asked.person, asked.need("proposal"))
        except Stale:
            if asked.pressed:  # a second press, or one too late: the card already says so
                return None
            raise
        except RemoteError as error:  # nothing was decided: the card stays as it is
            return explain(error, "status", self._look.fleet, {})
        return None if asked.pressed else result
