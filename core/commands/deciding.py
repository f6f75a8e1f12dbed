"""Commands that propose a change, confirm it, or drop it."""

from collections.abc import Awaitable, Callable, Mapping

from core.access import Person
from core.commands.table import Asked, Command
from core.errors import RemoteError, Stale
from core.execution import Execution
from core.results import Result
from core.tools.act import Act
from core.tools.look import Look, explain


def deciding(look: Look, act: Act, execution: Execution) -> Mapping[str, Command]:
    """The words of this area."""
    return _Deciding(look, act, execution).commands


class _Deciding:
    def __init__(self, look: Look, act: Act, execution: Execution) -> None:
        self._look = look
        self._act = act
        self._execution = execution
        self.commands: Mapping[str, Command] = {
            "propose": Command(self._propose, ("operation", "target")),
            "rerun": Command(self._rerun, ("target",)),
            "confirm": Command(self._confirm, ("proposal",)),
            "cancel": Command(self._cancel, ("proposal",)),
        }

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
