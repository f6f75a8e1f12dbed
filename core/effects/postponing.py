"""What happens in a chat's quiet hours: kept until they end, then told in one card, as far as it is still of interest.

Only what can be put right is kept: failures and alerts that are not critical. News of the night are none in the morning. What
was muted meanwhile, or is not subscribed to any more, is left out; what has recovered is counted.
"""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from core.effects.held import Held, HeldBack
from core.effects.outbox import Place
from core.i18n import words
from core.messages import Conversation
from core.subscriptions.model import Topic
from core.subscriptions.service import Subscriptions
from core.watches.mutes import Mutes
from core.watches.storm import Gatherer, Item


class Postponing:
    """Keeps it, and tells it.

    Args:
        held: where it is kept.
        subscriptions: whose quiet hours it is, and whether they still want to hear of it.
        mutes: what is muted by then.
        gatherer: shows the card.
        language: of the card.
    """

    def __init__(
        self,
        held: Held,
        subscriptions: Subscriptions,
        mutes: Mutes,
        gatherer: Gatherer,
        *,
        language: str,
    ) -> None:
        self._held = held
        self._subscriptions = subscriptions
        self._mutes = mutes
        self._gatherer = gatherer
        self._language = language

    async def keep(self, about: Topic, item: Item, told: Collection[Conversation]) -> None:
        """Keep an alert for the chats that are quiet now, but for those in which it is told at this moment."""
        if about.severity == "info":
            return
        awake = {chat.key for chat in told}
        quiet = [one for one in await self._subscriptions.held(about) if one.conversation.key not in awake]
        say = words(self._language)
        await self._held.keep(
            [
                HeldBack(
                    one.until,
                    item.ref,
                    Place(
                        one.conversation,
                        f"quiet:{one.until.isoformat()}",
                        say("effects.quiet", hours=one.hours),
                        self._language,
                    ),
                    about,
                    item,
                )
                for one in quiet
            ]
        )

    async def over(self, subject: str) -> tuple[Place, ...]:
        """Something has ended: where it was told after quiet hours."""
        return await self._held.over(subject)

    async def due(self, now: datetime) -> list[tuple[str, datetime]]:
        """(key of a chat, end of its quiet hours) of what is to be told now."""
        return await self._held.due(now)

    async def tell(self, chat: str, due: datetime) -> None:
        """Tell what was held back from a chat until then.

        Raises:
            XOpsError: the messenger did not answer; telling it again shows what is missing, and nothing twice.
        """
        kept = await self._held.of(chat, due)
        wanted = [one for one in kept if await self._of_interest(one)]
        await self._show(wanted)
        meanwhile = await self._held.told(kept, wanted)
        await self._show(
            [replace(one, item=replace(one.item, over=True)) for one in wanted if one.subject in meanwhile]
        )

    async def _show(self, found: list[HeldBack]) -> None:
        if found:
            place, items = found[0].place, [one.item for one in found]
            await self._gatherer.gather(place.conversation, place.group, place.title, items, language=place.language)

    async def _of_interest(self, one: HeldBack) -> bool:
        about, chat = one.topic, one.place.conversation.key
        if await self._mutes.muted(about.scheduler, about.projects, about.task.partition(":")[2], about.tables):
            return False
        hearing = {each.key for each in await self._subscriptions.hearing(about)}
        quiet = {each.conversation.key for each in await self._subscriptions.held(about)}
        return chat in hearing | quiet
