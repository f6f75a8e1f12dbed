"""Commands that propose a change, choose what it bears on, confirm it, or drop it."""

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
            "backfill": Command(self._backfill, ("target", "start", "end")),
            "batch": Command(self._batch, ("operation", "kind", "subject")),
            "rerun-failed": Command(self._rerun_failed, ("subject",)),
            "choose": Command(self._choose, ("proposal", "scope")),
            "confirm": Command(self._confirm, ("proposal",)),
            "cancel": Command(self._cancel, ("proposal",)),
        }

    async def _propose(self, asked: Asked) -> Result:
        operation, target = asked.need("operation"), asked.need("target")
        return await self._act.propose(
            asked.person, asked.conversation, operation, target, day=asked.arguments.get("day", "")
        )

    async def _rerun(self, asked: Asked) -> Result:
        return await self._act.propose(asked.person, asked.conversation, "rerun", asked.need("target"))

    async def _backfill(self, asked: Asked) -> Result:
        start, end = asked.arguments.get("start", ""), asked.arguments.get("end", "")
        return await self._act.backfill(asked.person, asked.conversation, asked.need("target"), start, end)

    async def _batch(self, asked: Asked) -> Result:
        return await self._proposed_batch(asked, asked.need("operation"), asked.need("kind"))

    async def _rerun_failed(self, asked: Asked) -> Result:
        return await self._proposed_batch(asked, "rerun", "failed")

    async def _proposed_batch(self, asked: Asked, operation: str, kind: str) -> Result:
        subject, day = asked.arguments.get("subject", ""), asked.arguments.get("day", "")
        return await self._act.propose_batch(
            asked.person, asked.conversation, operation, kind=kind, subject=subject, day=day
        )

    async def _choose(self, asked: Asked) -> Result | None:
        scope = asked.need("scope")
        return await self._decided(asked, lambda person, proposal: self._execution.choose(person, proposal, scope))

    async def _confirm(self, asked: Asked) -> Result | None:
        return await self._decided(asked, self._execution.confirm)

    async def _cancel(self, asked: Asked) -> Result | None:
        return await self._decided(asked, self._execution.cancel)

    async def _decided(self, asked: Asked, decide: Callable[[Person, str], Awaitable[Result]]) -> Result | None:
        try:
            result = await decide(asked.person, asked.need("proposal"))
        except Stale:  # a second press, or one too late: the card says what became of it
            result = await self._execution.look_up(asked.need("proposal"))
        except RemoteError as error:  # nothing was decided: the card stays as it is
            return explain(error, "status", self._look.fleet, {})
        return None if asked.pressed else result
