"""What people ask to hear of, read and resolved: behind the command in a chat, behind the page and REST.

In a chat it is about that chat; elsewhere a person chooses among those that are theirs.
"""

import re
from collections.abc import Collection
from typing import cast, get_args

from core.access import Access, Person
from core.errors import BadInput, NotFound
from core.messages import Conversation
from core.settings.subscriptions import HOURS
from core.subscriptions.model import Kind, Severity, SubscriptionList
from core.subscriptions.service import Subscriptions
from core.tools.find import Finder

USUAL: Severity = "warning"
LONGEST = 400
"""Characters of a subject, as the table has them."""


class Wishes:
    """Reads what is asked for.

    Args:
        subscriptions: where they are kept.
        find: knows what is meant by a name.
        access: where people are.
        channels: names of the channels on which people can be told something.
    """

    def __init__(
        self, subscriptions: Subscriptions, find: Finder, access: Access, channels: Collection[str] = ()
    ) -> None:
        self._subscriptions = subscriptions
        self._find = find
        self._access = access
        self._channels = channels

    async def subscribe(
        self, person: Person, conversation: Conversation, kind: str, subject: str, severity: str = "", quiet: str = ""
    ) -> SubscriptionList:
        """Let a chat hear of what is meant; raises as `Subscriptions.subscribe` and `Finder.task` do.

        Raises:
            BadInput: an argument makes no sense; the error names it.
        """
        severity, quiet = severity or USUAL, quiet.replace(" ", "")
        for argument, text, fits in (
            ("kind", kind, kind in get_args(Kind)),
            ("severity", severity, severity in get_args(Severity)),
            ("quiet", quiet, re.fullmatch(HOURS, quiet)),
            ("subject", subject, len(subject) <= LONGEST and bool(subject.strip()) is (kind != "all")),
        ):
            if not fits:
                raise BadInput(f"{argument} cannot be {text[:LONGEST]!r}", argument=argument)
        wanted = cast("Kind", kind)
        meant = await self._meant(wanted, subject.strip())
        return await self._subscriptions.subscribe(
            person, conversation, wanted, meant, cast("Severity", severity), quiet
        )

    async def chats(self, person: Person) -> tuple[Conversation, ...]:
        """The chats of a person: their private ones on every channel, and those of `Subscriptions.chats`."""
        await self._access.refresh()
        self._access.may_look(person)
        private = (
            Conversation(channel, identity)
            for channel, identity in self._access.identities(person).items()
            if channel in self._channels
        )
        known = {chat.key: chat for chat in (*private, *await self._subscriptions.chats(person))}
        return tuple(known.values())

    async def chat(self, person: Person, key: str) -> Conversation:
        """The chat of this key among those of the person. Raises `NotFound` when it is not theirs."""
        found = next((chat for chat in await self.chats(person) if chat.key == key), None)
        if found is None:
            raise NotFound(f"{person.name} has no chat {key}", kind="chat", name=key)
        return found

    async def listed(self, person: Person) -> tuple[tuple[Conversation, SubscriptionList], ...]:
        """What each of their chats hears of."""
        return tuple([(chat, await self._subscriptions.listed(person, chat)) for chat in await self.chats(person)])

    async def end(self, person: Person, id: str) -> SubscriptionList:
        """End a subscription of any of their chats, by its id. Raises as `Subscriptions.end`."""
        for chat, hears in await self.listed(person):
            if id and id in {one.id for one in hears.subscriptions}:
                return await self._subscriptions.end(person, chat, id)
        raise NotFound(f"no subscription {id}", kind="subscription", name=id)

    async def _meant(self, kind: Kind, name: str) -> str:
        """The subject as schedulers call it."""
        match kind:
            case "project":
                return await self._find.project(name)
            case "table":
                return (await self._find.table(name)).name
            case "task":
                return (await self._find.task(name)).ref
            case _:
                return name
