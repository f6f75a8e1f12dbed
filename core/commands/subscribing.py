"""Commands about what a chat hears of. No tool of a model leads here: a subscription decides what a whole group reads."""

import re
from collections.abc import Mapping
from typing import cast, get_args

from core.commands.table import Asked, Command
from core.errors import BadInput, Busy, XOpsError
from core.results import Notice, Result
from core.settings.subscriptions import HOURS
from core.subscriptions.model import Kind, Severity
from core.subscriptions.service import Subscriptions
from core.tools.look import Look, explain

USUAL: Severity = "warning"


def subscribing(subscriptions: Subscriptions, look: Look) -> Mapping[str, Command]:
    """The words of this area."""
    return _Subscribing(subscriptions, look).commands


class _Subscribing:
    def __init__(self, subscriptions: Subscriptions, look: Look) -> None:
        self._subscriptions = subscriptions
        self._look = look
        self.commands: Mapping[str, Command] = {
            "subscribe": Command(self._subscribe, ("kind", "subject", "severity", "quiet")),
            "unsubscribe": Command(self._unsubscribe, ("target",)),
            "subscriptions": Command(self._listed),
        }

    async def _subscribe(self, asked: Asked) -> Result:
        kind, severity = asked.need("kind"), asked.arguments.get("severity", "") or USUAL
        quiet = asked.arguments.get("quiet", "").replace(" ", "")
        if kind not in get_args(Kind):
            raise BadInput(f"nothing is subscribed to by {kind}", argument="kind")
        if severity not in get_args(Severity):
            raise BadInput(f"{severity} is no severity", argument="severity")
        if not re.fullmatch(HOURS, quiet):
            raise BadInput(f"{quiet} are no hours", argument="quiet")
        try:
            subject = await self._subject(asked, cast("Kind", kind))
            return await self._subscriptions.subscribe(
                asked.person, asked.conversation, cast("Kind", kind), subject, cast("Severity", severity), quiet
            )
        except Busy:
            return Notice("too_many_subscriptions")
        except XOpsError as error:
            return explain(error, "subscribe", self._look.fleet, {"kind": kind, "severity": severity, "quiet": quiet})

    async def _subject(self, asked: Asked, kind: Kind) -> str:
        """What is meant by a name, as schedulers call it."""
        if kind == "all":
            return ""
        name = asked.need("subject")
        match kind:
            case "project":
                return await self._look.find.project(name)
            case "table":
                return (await self._look.find.table(name)).name
            case "task":
                return (await self._look.find.task(name)).ref
            case _:
                return name

    async def _unsubscribe(self, asked: Asked) -> Result:
        return await self._subscriptions.end(asked.person, asked.conversation, asked.need("target"))

    async def _listed(self, asked: Asked) -> Result:
        return await self._subscriptions.listed(asked.person, asked.conversation)
