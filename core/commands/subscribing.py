"""Commands about what a chat hears of. No tool of a model leads here: a subscription decides what a whole group reads."""

from collections.abc import Mapping

from core.commands.table import Asked, Command
from core.errors import Busy, XOpsError
from core.results import Notice, Result
from core.subscriptions.service import Subscriptions
from core.subscriptions.wishes import Wishes
from core.tools.look import Look, explain


def subscribing(subscriptions: Subscriptions, wishes: Wishes, look: Look) -> Mapping[str, Command]:
    """The words of this area."""
    return _Subscribing(subscriptions, wishes, look).commands


class _Subscribing:
    def __init__(self, subscriptions: Subscriptions, wishes: Wishes, look: Look) -> None:
        self._subscriptions = subscriptions
        self._wishes = wishes
        self._look = look
        self.commands: Mapping[str, Command] = {
            "subscribe": Command(self._subscribe, ("kind", "subject", "severity", "quiet")),
            "unsubscribe": Command(self._unsubscribe, ("target",)),
            "subscriptions": Command(self._listed),
        }

    async def _subscribe(self, asked: Asked) -> Result:
        """Of everything, whatever stands where a subject would: severity and hours have their places after it."""
        given = asked.arguments
        kind, severity, quiet = given.get("kind", ""), given.get("severity", ""), given.get("quiet", "")
        subject = "" if kind == "all" else given.get("subject", "")
        try:
            return await self._wishes.subscribe(asked.person, asked.conversation, kind, subject, severity, quiet)
        except Busy:
            return Notice("too_many_subscriptions")
        except XOpsError as error:
            return explain(error, "subscribe", self._look.fleet, {"kind": kind, "severity": severity, "quiet": quiet})

    async def _unsubscribe(self, asked: Asked) -> Result:
        return await self._subscriptions.end(asked.person, asked.conversation, asked.need("target"))

    async def _listed(self, asked: Asked) -> Result:
        return await self._subscriptions.listed(asked.person, asked.conversation)
