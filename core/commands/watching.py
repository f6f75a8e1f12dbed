"""Commands about promises: follow, mute, "ready or call", daily cards, and what one has of them.

No tool of a model leads here: a mute hides what others rely on, a deadline calls people at night.
"""

from collections.abc import Awaitable, Mapping
from typing import Literal

from core.commands.table import Asked, Command, Handler
from core.errors import Busy, NotFound, XOpsError
from core.results import Notice, Result
from core.schedulers.fleet import Fleet
from core.tools.look import explain
from core.watches.model import Kind
from core.watches.promises import Promises

USUAL_MUTE = "1h"
"""How long a mute is proposed for when nobody says how long."""
USUAL_DEADLINE = "23:59"
"""Until when a table is waited for when nobody says until when, and nobody is to be called."""


def watching(promises: Promises, fleet: Fleet) -> Mapping[str, Command]:
    """The words of this area."""
    return _Watching(promises, fleet).commands


class _Watching:
    def __init__(self, promises: Promises, fleet: Fleet) -> None:
        self._promises = promises
        self._fleet = fleet
        self.commands: Mapping[str, Command] = {
            "follow": Command(self._follow, ("target",)),
            "unfollow": Command(self._ended("follow"), ("target",)),
            "mute": Command(self._mute, ("target", "duration", "sure")),
            "unmute": Command(self._ended("mute"), ("target",)),
            "mutes": Command(self._mutes),
            "ready": Command(self._ready, ("target", "at", "call")),
            "ack": Command(self._acknowledge, ("watch",)),
            "digest": Command(self._appointed("digest"), ("at", "days")),
            "handover": Command(self._appointed("handover"), ("at", "days")),
            "watches": Command(self._watches),
            "unwatch": Command(self._ended(None), ("target",)),
        }

    async def _follow(self, asked: Asked) -> Result:
        target = asked.need("target")
        return await self._found("follow", self._promises.follow(asked.person, asked.conversation, target), {})

    async def _mute(self, asked: Asked) -> Result:
        """Without `sure`, only what it would hide."""
        target, duration = asked.need("target"), asked.arguments.get("duration", "") or USUAL_MUTE
        given = {"duration": duration}
        if asked.arguments.get("sure", "").strip().lower() != "yes":
            return await self._found("mute", self._promises.preview(asked.person, target, duration), given)
        muting = self._promises.mute(asked.person, asked.conversation, target, duration)
        return await self._found("mute", muting, given)

    async def _ready(self, asked: Asked) -> Result:
        target, at, call = asked.need("target"), asked.arguments.get("at", ""), asked.arguments.get("call", "")
        if not at and not call:
            return await self._found("ready", self._told_when_ready(asked, target), {})
        at = asked.need("at")
        names = tuple(call.replace(",", " ").replace("，", " ").replace("、", " ").split())
        promised = self._promises.ready(asked.person, asked.conversation, target, at, names)
        return await self._found("ready", promised, {"at": at, "call": call})

    async def _told_when_ready(self, asked: Asked, target: str) -> Result:
        """A promise about a table until the day is over; where no table has the name, about the task that has it."""
        try:
            return await self._promises.ready(asked.person, asked.conversation, target, USUAL_DEADLINE)
        except NotFound:
            return await self._promises.follow(asked.person, asked.conversation, target)

    async def _acknowledge(self, asked: Asked) -> Result | None:
        shown = await self._promises.acknowledge(asked.person, asked.need("watch"))
        return None if asked.pressed else shown

    async def _mutes(self, asked: Asked) -> Result:
        return await self._promises.all_mutes(asked.person)

    async def _watches(self, asked: Asked) -> Result:
        return await self._promises.mine(asked.person)

    def _ended(self, kind: Kind | None) -> Handler:
        return lambda asked: self._promises.end(asked.person, asked.need("target"), kind)

    def _appointed(self, kind: Literal["digest", "handover"]) -> Handler:
        return lambda asked: self._promises.appoint(
            kind, asked.person, asked.conversation, asked.need("at"), asked.arguments.get("days", "")
        )

    async def _found(self, word: str, work: Awaitable[Result], arguments: Mapping[str, str]) -> Result:
        """The answer; or, when several things or none have the name, which one may be meant."""
        try:
            return await work
        except Busy:
            return Notice("too_many_watches")
        except XOpsError as error:
            return explain(error, word, self._fleet, arguments)
