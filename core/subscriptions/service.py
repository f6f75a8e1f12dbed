"""The table of subscriptions, and who may make one."""

import secrets
from collections.abc import Callable, Sequence
from datetime import datetime, time
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter
from sqlalchemy import Column, Connection, Row, String, Table, Text, UniqueConstraint, delete, func, insert, select

from core.access import Access, Person
from core.audit import Audit
from core.errors import Busy, Denied, NotFound
from core.messages import Conversation
from core.proposals import ALPHABET
from core.settings import SubscriptionSettings
from core.store import Store, metadata
from core.store.types import EPOCH, Moment
from core.subscriptions.model import (
    Kind,
    Quiet,
    Severity,
    Subscription,
    SubscriptionList,
    Topic,
    concerns,
    hears,
    holds_back,
)
from core.watches.terms import Calendar

MOST = 50
"""Most subscriptions of one chat."""

CONVERSATION: TypeAdapter[Conversation] = TypeAdapter(Conversation)

subscription = Table(
    "subscription",
    metadata,
    Column("id", String(12), primary_key=True),
    Column("chat", String(300), nullable=False),
    Column("conversation", Text, nullable=False),
    Column("kind", String(10), nullable=False),
    Column("subject", String(400), nullable=False),
    Column("severity", String(10), nullable=False),
    Column("quiet", String(11), nullable=False),
    Column("person", String(120), nullable=False),
    Column("created_at", Moment, nullable=False),
    UniqueConstraint("chat", "kind", "subject"),
)


class Subscriptions:
    """All subscriptions: those of the settings, and those that people made.

    Args:
        store: the database.
        access: asked for the rights of whoever subscribed.
        audit: the trail.
        settled: those of the settings.
        zone: in which quiet hours are meant.
        clock: the present, with zone.
    """

    def __init__(
        self,
        store: Store,
        access: Access,
        audit: Audit,
        settled: Sequence[SubscriptionSettings],
        *,
        zone: ZoneInfo,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._access = access
        self._audit = audit
        self._settled = tuple(map(_settled, settled))
        self._zone = zone
        self._clock = clock

    async def subscribe(
        self, person: Person, conversation: Conversation, kind: Kind, subject: str, severity: Severity, quiet: str
    ) -> SubscriptionList:
        """Let a chat hear of something from now on. Asking for the same again changes severity and quiet hours.

        Raises:
            Denied: they may not look; or for a group, not operate anything, or not this project.
            Busy: the chat has too many.
        """
        await self._access.refresh()
        self._need(person, conversation, kind, subject)
        id = "S-" + "".join(secrets.choice(ALPHABET) for _ in range(5))
        made = Subscription(id, conversation, kind, subject, severity, quiet, person.name, self._clock())
        await self._store.write(lambda connection: self._put(connection, made))
        return SubscriptionList("made", (made,), made.created_at)

    async def end(self, person: Person, conversation: Conversation, target: str) -> SubscriptionList:
        """End a subscription of this chat, named by its id or by what it is about.

        Raises:
            NotFound: the chat has none of this name.
            Denied: in a group, they are neither who subscribed nor an operator.
        """
        await self._access.refresh()
        self._access.may_look(person)
        wanted = target.strip().casefold()
        own = [one for one in await self._made() if one.conversation.key == conversation.key]
        found = [one for one in own if wanted in _names(one)]
        if not found:
            raise NotFound(f"no subscription {target}", kind="subscription", name=target)
        if conversation.kind == "group" and found[0].person != person.name:
            self._access.needs(person, "operator")
        await self._store.write(lambda connection: self._drop(connection, person, found[0]))
        return SubscriptionList("ended", (found[0],), self._clock())

    async def listed(self, person: Person, conversation: Conversation) -> SubscriptionList:
        """What this chat hears of, the settings' included. Raises `Denied` for strangers."""
        self._access.may_look(person)
        found = [one for one in await self._all() if one.conversation.key == conversation.key]
        return SubscriptionList("listed", tuple(found), self._clock())

    async def chats(self, person: Person) -> tuple[Conversation, ...]:
        """Chats in which they subscribed; to an administrator, every group that hears of anything. Raises as `listed`."""
        self._access.may_look(person)
        governs = self._access.present(person).has("admin")
        found = [
            one.conversation
            for one in await self._all()
            if one.person == person.name or (governs and one.conversation.kind == "group")
        ]
        return tuple({chat.key: chat for chat in found}.values())

    async def hearing(self, topic: Topic) -> tuple[Conversation, ...]:
        """The chats that hear of something, each once, by the rights of this moment."""
        now = self._clock()
        about = [one for one in await self._all() if hears(one, topic, now, self._zone) and self._allowed(one, topic)]
        return tuple({one.conversation.key: one.conversation for one in about}.values())

    async def held(self, topic: Topic) -> tuple[Quiet, ...]:
        """The chats that would hear of something but for their quiet hours, each once, with the first end of those."""
        now, zone = self._clock(), self._zone
        about = [one for one in await self._all() if concerns(one, topic) and self._allowed(one, topic)]
        awake = {one.conversation.key for one in about if not holds_back(one, topic, now, zone)}
        waiting = [
            Quiet(one.conversation, one.quiet, quiet_until(one.quiet, now, zone))
            for one in about
            if one.conversation.key not in awake
        ]
        first_last = sorted(waiting, key=lambda one: one.until, reverse=True)
        return tuple({one.conversation.key: one for one in first_last}.values())

    def _need(self, person: Person, conversation: Conversation, kind: Kind, subject: str) -> None:
        self._access.needs(person, "operator" if conversation.kind == "group" else "viewer")
        scheduler, _, project = subject.rpartition(":")
        present = self._access.present(person)
        if conversation.kind == "group" and kind == "project" and not present.covers(scheduler, project):
            raise Denied(f"{present.name} does not operate {subject}", person=present.name, needed=subject)

    def _allowed(self, one: Subscription, topic: Topic) -> bool:
        if not one.person:
            return True
        person = self._access.named(one.person)
        if person is None or one.conversation.kind == "private":
            return person is not None and person.has("viewer")
        covered = "*" in person.projects or any(person.covers(topic.scheduler, project) for project in topic.projects)
        return person.has("operator") and covered

    async def _all(self) -> tuple[Subscription, ...]:
        return (*self._settled, *await self._made())

    async def _made(self) -> tuple[Subscription, ...]:
        oldest_first = select(subscription).order_by(subscription.c.created_at)
        rows = await self._store.read(lambda connection: connection.execute(oldest_first).all())
        return tuple(map(_subscription, rows))

    def _put(self, connection: Connection, made: Subscription) -> None:
        chat = subscription.c.chat == made.conversation.key
        same = chat & (subscription.c.kind == made.kind) & (subscription.c.subject == made.subject)
        connection.execute(delete(subscription).where(same))
        if (connection.scalar(select(func.count()).where(chat)) or 0) >= MOST:
            raise Busy(f"{made.conversation.key} has {MOST} subscriptions")
        connection.execute(insert(subscription), _row(made))
        self._record(connection, made, made.person, "subscribe")

    def _drop(self, connection: Connection, person: Person, ended: Subscription) -> None:
        connection.execute(delete(subscription).where(subscription.c.id == ended.id))
        self._record(connection, ended, person.name, "unsubscribe")

    def _record(self, connection: Connection, one: Subscription, actor: str, action: str) -> None:
        self._audit.entry(
            connection,
            actor=actor,
            action=action,
            target=f"{one.kind} {one.subject}".strip(),
            outcome="done",
            details={"chat": one.conversation.key, "severity": one.severity, "quiet": one.quiet},
        )


def quiet_until(hours: str, now: datetime, zone: ZoneInfo) -> datetime:
    """When quiet hours such as `22:00-08:00` end next."""
    return Calendar(zone).following(time.fromisoformat(hours.partition("-")[2]), now)


def _names(one: Subscription) -> tuple[str, str, str]:
    return one.id.casefold(), f"{one.kind} {one.subject}".strip().casefold(), one.subject.casefold()


def _settled(entry: SubscriptionSettings) -> Subscription:
    chat = Conversation(entry.channel, entry.chat, entry.kind)
    return Subscription("", chat, entry.about, entry.subject, entry.severity, entry.quiet, "", EPOCH)


def _row(one: Subscription) -> dict[str, object]:
    plain: dict[str, object] = {
        name: getattr(one, name) for name in ("id", "kind", "subject", "severity", "quiet", "person", "created_at")
    }
    conversation = CONVERSATION.dump_json(one.conversation).decode()
    return plain | {"chat": one.conversation.key, "conversation": conversation}


def _subscription(row: Row[tuple[object, ...]]) -> Subscription:
    return Subscription(
        row.id,
        CONVERSATION.validate_json(row.conversation),
        row.kind,
        row.subject,
        row.severity,
        row.quiet,
        row.person,
        row.created_at,
    )
