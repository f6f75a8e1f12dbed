"""Commands about oneself (who am I, link another messenger) and the switches of administrators.

No tool of a model leads here: what a person types after a slash, or presses, is read before any model is asked.
"""

from collections.abc import Awaitable, Mapping
from typing import Protocol

import structlog

from core.access import Access, Person
from core.commands.table import Asked, Command
from core.errors import BadInput, Busy, RemoteError
from core.messages import Conversation
from core.people.linking import Linked, Linking, shown
from core.results import Account, LinkCode, Notice, Result
from core.switches import Switch, Switches

log = structlog.get_logger(__name__)


class Tell(Protocol):
    """Shows a result to a person in a conversation in which they did not just ask."""

    def __call__(self, conversation: Conversation, person: Person, result: Result, *, key: str) -> Awaitable[None]:
        """Send it once for a key; raises RemoteError when the messenger could not."""
        ...


def people(access: Access, linking: Linking, switches: Switches, tell: Tell) -> Mapping[str, Command]:
    """The words of this area."""
    return _People(access, linking, switches, tell).commands


class _People:
    def __init__(self, access: Access, linking: Linking, switches: Switches, tell: Tell) -> None:
        self._access = access
        self._linking = linking
        self._switches = switches
        self._tell = tell
        self.commands: Mapping[str, Command] = {
            "whoami": Command(self._whoami),
            "link": Command(self._link, ("code",)),
            "unlink": Command(self._unlink, ("channel",)),
            "assistant": Command(self._assistant, ("value",)),
            "model": Command(self._model, ("value",)),
        }

    async def _whoami(self, asked: Asked) -> Result:
        person = self._access.present(asked.person)
        return Account(
            person,
            asked.identity,
            self._access.ends(person),
            tuple(sorted(self._access.identities(person))),
            self._switches.assistant.value,
            self._switches.model_name,
        )

    async def _link(self, asked: Asked) -> Result:
        if code := asked.arguments.get("code", "").strip():
            return await self._redeem(asked, code)
        if asked.person.role == "stranger":
            return Account(asked.person, asked.identity)
        if asked.conversation.kind != "private":
            return Notice("link.public")
        try:
            made = await self._linking.code(asked.person, asked.conversation)
        except Busy:
            return Notice("link.too_many")
        return LinkCode(shown(made.text), made.expires_at)

    async def _redeem(self, asked: Asked, code: str) -> Result:
        linked = await self._linking.redeem(asked.actor, asked.conversation, code)
        await self._tell_the_other_side(linked, asked)
        return Notice(f"link.{linked.outcome}", {"name": linked.person})

    async def _tell_the_other_side(self, linked: Linked, asked: Asked) -> None:
        """Whoever's code it was learns what was done with it, in case it was not them."""
        person = self._access.named(linked.person)
        if linked.asked_in is None or person is None:
            return
        told = "told_linked" if linked.outcome == "linked" else "told_refused"
        notice = Notice(f"link.{told}", {"identity": asked.identity, "channel": asked.actor.channel})
        try:
            await self._tell(linked.asked_in, person, notice, key=f"link:{linked.key}")
        except RemoteError as error:  # the link stands and is in the trail; a messenger that is down undoes nothing
            log.warning("link.not_told", person=person.name, error=str(error))

    async def _unlink(self, asked: Asked) -> Result:
        channel = asked.need("channel")
        self._access.may_look(asked.person)
        gone = await self._linking.unlink(asked.person, channel)
        return Notice("link.unlinked" if gone else "link.not_linked", {"channel": channel})

    async def _assistant(self, asked: Asked) -> Result:
        match asked.arguments.get("value", "").strip().lower():
            case "":
                return self._told("assistant", self._switches.assistant)
            case "on" | "off" as value:
                return self._told("assistant", await self._switches.turn_assistant(asked.person, value))
            case other:
                raise BadInput(f"the assistant can be on or off, not {other}", argument="value")

    async def _model(self, asked: Asked) -> Result:
        value = asked.arguments.get("value", "").strip()
        turned = await self._switches.turn_model(asked.person, value) if value else self._switches.model
        return self._told("model", turned)

    def _told(self, kind: str, switch: Switch) -> Notice:
        state = switch.value if switch.value in {"on", "off"} else "named"
        by, models = switch.changed_by or "-", ", ".join(self._switches.models) or "-"
        return Notice(f"switch.{kind}.{state}", {"value": switch.value, "by": by, "models": models})
