"""Commands that only look."""

from collections.abc import Mapping
from typing import Literal

from core.commands.table import Asked, Command, Handler
from core.results import Notice, Result
from core.tools.look import Look


def looking(look: Look) -> Mapping[str, Command]:
    """The words of this area."""
    return _Looking(look).commands


class _Looking:
    def __init__(self, look: Look) -> None:
        self._look = look
        listed = {
            kind: Command(self._listed(kind), ("subject",))
            for kind in ("failed", "repeated", "mine", "running", "waiting")
        }
        self.commands: Mapping[str, Command] = listed | {
            "help": Command(self._help),
            "overview": Command(self._overview, ("day",)),
            "instances": Command(self._instances, ("kind", "subject")),
            "status": Command(self._status, ("target",)),
            "diagnose": Command(self._diagnose, ("target",)),
            "log": Command(self._log, ("target", "run")),
            "upstream": Command(self._lineage("upstream"), ("target",)),
            "downstream": Command(self._lineage("downstream"), ("target",)),
            "duty": Command(self._duty),
            "table": Command(self._table, ("name", "day")),
        }

    async def _help(self, _asked: Asked) -> Result:
        return Notice("help")

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

    async def _duty(self, asked: Asked) -> Result:
        return await self._look.duty(asked.person)

    async def _table(self, asked: Asked) -> Result:
        return await self._look.table(asked.person, asked.need("name"), day=asked.arguments.get("day", ""))
