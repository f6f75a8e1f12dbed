"""What chats hear of, what is followed and what is muted, over REST: the services behind the commands, with the same rights."""

from collections.abc import Sequence
from http import HTTPStatus

from bots.api.endpoints import Call, Endpoint, Nothing
from bots.api.wire import ChatEntry, PromiseBody, PromiseEntry, SubscriptionBody, SubscriptionEntry
from core.subscriptions.model import Subscription
from core.subscriptions.wishes import Wishes
from core.watches.model import Watch
from core.watches.promises import Promises

SUBSCRIPTION = {"subscription": r"^S-[2-9A-HJKMNP-Z]{5}$"}
PROMISE = {"promise": r"^W-[2-9A-HJKMNP-Z]{6}$"}


class HearingEndpoints:
    """Everything under `/chats`, `/subscriptions` and `/promises`.

    Args:
        wishes: reads and keeps subscriptions.
        promises: follows and mutes.
    """

    def __init__(self, wishes: Wishes, promises: Promises) -> None:
        self._wishes = wishes
        self._promises = promises

    def all(self) -> Sequence[Endpoint]:
        """The table."""
        made, gone = HTTPStatus.CREATED, HTTPStatus.NO_CONTENT
        return (
            Endpoint("GET", "/chats", self.chats, tuple[ChatEntry, ...]),
            Endpoint("POST", "/subscriptions", self.subscribe, SubscriptionEntry, SubscriptionBody, status=made),
            Endpoint("DELETE", "/subscriptions/{subscription}", self.end, None, status=gone, patterns=SUBSCRIPTION),
            Endpoint("GET", "/promises", self.promised, tuple[PromiseEntry, ...]),
            Endpoint("POST", "/promises", self.promise, PromiseEntry, PromiseBody, status=made),
            Endpoint("DELETE", "/promises/{promise}", self.release, None, status=gone, patterns=PROMISE),
        )

    async def chats(self, call: Call[None, Nothing]) -> tuple[ChatEntry, ...]:
        """List one's own chats, with what each hears of."""
        found = await self._wishes.listed(call.person)
        return tuple(
            ChatEntry(chat=chat.key, kind=chat.kind, subscriptions=tuple(map(_heard, hears.subscriptions)))
            for chat, hears in found
        )

    async def subscribe(self, call: Call[SubscriptionBody, Nothing]) -> SubscriptionEntry:
        """Let a chat hear of something; the same again changes severity and quiet hours."""
        asked = call.body
        chat = await self._wishes.chat(call.person, asked.chat)
        made = await self._wishes.subscribe(call.person, chat, asked.about, asked.subject, asked.severity, asked.quiet)
        return _heard(made.subscriptions[0])

    async def end(self, call: Call[None, Nothing]) -> None:
        """End a subscription."""
        await self._wishes.end(call.person, call.path["subscription"])

    async def promised(self, call: Call[None, Nothing]) -> tuple[PromiseEntry, ...]:
        """List one's own promises, and what anybody muted."""
        mine, mutes = await self._promises.mine(call.person), await self._promises.all_mutes(call.person)
        found = {one.id: one for one in (*mine.watches, *mutes.watches)}
        return tuple(_promised(one) for one in found.values())

    async def promise(self, call: Call[PromiseBody, Nothing]) -> PromiseEntry:
        """Follow an instance until it is done, or mute a task, table or project for a while."""
        asked, person = call.body, call.person
        chat = await self._wishes.chat(person, asked.chat)
        if asked.kind == "follow":
            return _promised((await self._promises.follow(person, chat, asked.target)).watch)
        return _promised((await self._promises.mute(person, chat, asked.target, asked.duration)).watch)

    async def release(self, call: Call[None, Nothing]) -> None:
        """End a promise of one's own; ops admins end every mute."""
        await self._promises.end(call.person, call.path["promise"])


def _heard(one: Subscription) -> SubscriptionEntry:
    return SubscriptionEntry(
        id=one.id, about=one.kind, subject=one.subject, severity=one.severity, quiet=one.quiet, person=one.person
    )


def _promised(watch: Watch) -> PromiseEntry:
    names = ("id", "kind", "person", "subject", "name", "state", "until")
    return PromiseEntry(chat=watch.conversation.key, **{name: getattr(watch, name) for name in names})
