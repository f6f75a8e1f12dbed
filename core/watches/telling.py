"""Cards of promises: one live card where it was asked for, one to each person who was called, edited until it is over.

What deserves a person's attention comes as a card of its own, which is the live one from then on. Every card carries a key
made of the promise and its change, so saying it again after a crash shows nothing twice.
"""

from collections.abc import Awaitable, Callable, Sequence

import structlog

from core.access import Access, Person
from core.cards import Card
from core.delivery import Delivery
from core.errors import XOpsError
from core.messages import Conversation
from core.watches.digest import Digest, Digests
from core.watches.model import CALENDAR, Watch, WatchView, promise

Render = Callable[[WatchView | Digest, str, Person], Card]
"""Makes a card in a language, for a person."""

log = structlog.get_logger(__name__)


class Teller:
    """Shows promises.

    Args:
        delivery: the channels, and where live cards are.
        access: where people are.
        digests: puts daily cards together.
        channels: names of the channels on which people can be called.
        render: see `Render`.
        language: of those who state no preference.
    """

    def __init__(
        self,
        delivery: Delivery,
        access: Access,
        digests: Digests,
        channels: Sequence[str],
        *,
        render: Render,
        language: str,
    ) -> None:
        self._delivery = delivery
        self._access = access
        self._digests = digests
        self._channels = channels
        self._render = render
        self._language = language

    async def tell(self, view: WatchView) -> None:
        """Show a promise as it is now, to everyone it concerns.

        Raises:
            XOpsError: a messenger did not answer. Everyone else was told; doing it again tells nobody twice.
        """
        problems = await self._told(view)
        if view.watch.over and not problems:
            for call in (False, True):
                await self._delivery.detach(promise(view.watch.id, call=call))
        for problem in problems:
            if problem.retryable:
                raise problem

    async def _told(self, view: WatchView) -> list[XOpsError]:
        watch, person = view.watch, self._access.named(view.watch.person)
        if person is None or not person.has("viewer"):
            return []
        if watch.kind in CALENDAR and not watch.over:
            return await self._try(self._daily(watch, person))
        problems = await self._edited(view, call=False)
        problems += await self._edited(view, call=True)
        if watch.loud:
            problems += await self._try(self._anew(view, person))
        for name in watch.callees:
            problems += await self._called(view, name)
        return problems

    async def _daily(self, watch: Watch, person: Person) -> None:
        digest = await self._digests.compose(watch, person)
        card = self._render(digest, self._spoken(person), person)
        slot = watch.memory.slot.isoformat() if watch.memory.slot else ""
        key = f"{promise(watch.id)}:{slot}"
        reference = await self._delivery.send(watch.conversation, card, key=key)
        if watch.state == "acknowledged":
            await self._delivery.edit(watch.conversation.channel, reference, card, key=f"{key}:{watch.seq}")

    async def _anew(self, view: WatchView, person: Person) -> None:
        watch, language = view.watch, self._spoken(person)
        name = promise(watch.id)
        card = self._render(view, language, person)
        reference = await self._delivery.send(watch.conversation, card, key=f"{name}:{watch.seq}")
        await self._delivery.attach(name, watch.conversation, reference, language)

    async def _edited(self, view: WatchView, *, call: bool) -> list[XOpsError]:
        problems: list[XOpsError] = []
        shown = WatchView(view.watch, view.as_of, call)
        for live in await self._delivery.live(promise(view.watch.id, call=call)):
            card = self._render(shown, live.language, Person(view.watch.person))
            key = f"{promise(view.watch.id)}:{view.watch.seq}:{live.reference}"
            problems += await self._try(self._delivery.edit(live.channel, live.reference, card, key=key))
        return problems

    async def _called(self, view: WatchView, name: str) -> list[XOpsError]:
        """Show it to someone who was called, once in each of their private chats."""
        person = self._access.named(name)
        if person is None or not person.has("viewer"):
            return []
        problems: list[XOpsError] = []
        there = {live.conversation for live in await self._delivery.live(promise(view.watch.id, call=True))}
        for channel, identity in self._access.identities(person).items():
            conversation = Conversation(channel, identity)
            if channel in self._channels and conversation.key not in there:
                problems += await self._try(self._call(view, person, conversation))
        return problems

    async def _call(self, view: WatchView, person: Person, conversation: Conversation) -> None:
        name, language = promise(view.watch.id, call=True), self._spoken(person)
        card = self._render(WatchView(view.watch, view.as_of, call=True), language, person)
        reference = await self._delivery.send(conversation, card, key=f"{name}:{conversation.key}")
        await self._delivery.attach(name, conversation, reference, language)

    async def _try(self, sending: Awaitable[object]) -> list[XOpsError]:
        try:
            await sending
        except XOpsError as error:
            log.warning("watch.not_told", error=str(error))
            return [error]
        return []

    def _spoken(self, person: Person) -> str:
        return person.language or self._language
