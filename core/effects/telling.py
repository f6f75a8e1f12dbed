"""Whom something concerns, and their cards: one live card a project in each chat, however many alerts there are.

An alert that stands alone is shown with its diagnosis; as soon as there are several they are listed in the same card. What
ends something is shown where it was shown, and nowhere else.
"""

from collections.abc import Callable, Sequence

import structlog

from core.access import Access, Person
from core.cards import Card
from core.effects.model import Finding
from core.effects.outbox import Outbox, Place
from core.effects.postponing import Postponing
from core.errors import XOpsError
from core.i18n import words
from core.messages import Conversation
from core.subscriptions.model import Severity, Topic
from core.subscriptions.service import Subscriptions
from core.watches.mutes import Mutes
from core.watches.storm import Gatherer, Item

MENDED = frozenset({"failed", "alert", "quality", "heard"})
"""What somebody has to put right: the owner of a task hears of it without subscribing, a quiet chat later."""
URGENT = 7
"""DataWorks' priorities are 1, 3, 5, 7 and 8."""

Render = Callable[[Finding, str, Person], Card]
"""Makes the card of something that stands alone, in a language, for a person."""

EVERYONE = Person("", "operator", frozenset({"*"}))
"""Who reads a group's card: it offers what an operator may do, and rights are checked at the click."""

log = structlog.get_logger(__name__)


class Crier:
    """Tells people.

    Args:
        outbox: where it was told before.
        subscriptions: which chats hear of what.
        access: where people are.
        mutes: what is muted.
        postponing: keeps for later what a chat does not hear in its quiet hours.
        gatherer: keeps one card for many alerts.
        channels: names of the channels on which owners can be reached; none when owners hear nothing unasked.
        render: see `Render`.
        language: of groups, and of those who state no preference.
    """

    def __init__(
        self,
        outbox: Outbox,
        subscriptions: Subscriptions,
        access: Access,
        mutes: Mutes,
        postponing: Postponing,
        gatherer: Gatherer,
        channels: Sequence[str],
        *,
        render: Render,
        language: str,
    ) -> None:
        self._outbox = outbox
        self._subscriptions = subscriptions
        self._access = access
        self._mutes = mutes
        self._postponing = postponing
        self._gatherer = gatherer
        self._channels = channels
        self._render = render
        self._language = language

    async def tell(self, found: Finding) -> tuple[Place, ...]:
        """Show it to everyone it concerns; returns where that was.

        Raises:
            XOpsError: a messenger did not answer. Everyone else was told; doing it again shows nothing twice.
        """
        places = await self._places(found)
        problems = [problem for place in places if (problem := await self._show(found, place))]
        for problem in problems:
            if problem.retryable:
                raise problem
        return places

    async def _places(self, found: Finding) -> tuple[Place, ...]:
        if found.over and found.happening.kind != "progress":
            return (*await self._outbox.told(found.subject), *await self._postponing.over(found.ref))
        if found.happening.again:
            return await self._outbox.told(found.subject)
        about = topic(found)
        if await self._mutes.muted(about.scheduler, about.projects, about.task.partition(":")[2], about.tables):
            return ()
        group, title = _group(found)
        readers = dict.fromkeys(await self._subscriptions.hearing(about), "")
        if found.happening.kind in MENDED:
            readers |= self._owners(about)
            await self._postponing.keep(about, _item(found, self._language), readers)
        return tuple(Place(chat, group, title, speaks or self._language) for chat, speaks in readers.items())

    def _owners(self, about: Topic) -> dict[Conversation, str]:
        """Private chats of the people whom a scheduler lists as owners, with the language they prefer."""
        people = [person for person in self._access.holders("viewer") if person.owners & about.owners]
        return {
            Conversation(channel, identity): person.language
            for person in people
            for channel, identity in self._access.identities(person).items()
            if channel in self._channels
        }

    async def _show(self, found: Finding, place: Place) -> XOpsError | None:
        chat = place.conversation
        alone = self._render(found, place.language, self._reader(chat))
        item = _item(found, place.language)
        try:
            await self._gatherer.tell(chat, place.group, place.title, item, language=place.language, alone=alone)
        except XOpsError as error:
            log.warning("effect.not_shown", chat=chat.key, error=str(error))
            return error
        return None

    def _reader(self, chat: Conversation) -> Person:
        if chat.kind == "group":
            return EVERYONE
        known = (person for person in self._access.holders("viewer"))
        return next((person for person in known if self._access.identity(person, chat.channel) == chat.id), Person(""))


def topic(found: Finding) -> Topic:
    """What it is about, for those who decide whether they hear of it."""
    one, instance, table = found.happening, found.instance, found.table
    task = instance.task if instance else table.producers[0] if table and table.producers else None
    projects = {one.project, task.project if task else "", table.project if table else ""}
    baselines = {one.name, one.subject.partition(":")[2]} if one.subject.startswith("baseline:") else set[str]()
    late = {baseline.name for baseline in found.diagnosis.late} if found.diagnosis else set[str]()
    return Topic(
        severity=_severity(found),
        scheduler=task.scheduler if task else table.scheduler if table else "",
        projects=frozenset(projects - {""}),
        owners=frozenset(task.owners) if task else frozenset(),
        task=task.ref if task else "",
        tables=frozenset({*(task.outputs if task else ()), *([one.name] if one.kind == "quality" else [])}),
        baselines=frozenset(baselines | late),
        tool=one.source if one.kind == "heard" else "",
    )


def _severity(found: Finding) -> Severity:
    """A failure is critical when it breaks a promise, or its task is urgent."""
    breaks = found.diagnosis is not None and bool(found.diagnosis.late)
    urgent = found.instance is not None and found.instance.task.priority >= URGENT
    return "critical" if found.happening.severity == "warning" and (breaks or urgent) else found.happening.severity


def _group(found: Finding) -> tuple[str, str]:
    """What it is gathered with, and how people call that."""
    one, instance = found.happening, found.instance
    if instance is not None and one.kind in {"failed", "heard"}:
        return f"project:{instance.task.scheduler}:{instance.task.project}", instance.task.project
    if one.kind in {"failed", "quality"}:
        return f"{one.kind}:{one.project}", one.project
    return one.subject, one.name or one.source


def _item(found: Finding, language: str) -> Item:
    one, instance = found.happening, found.instance
    task = instance.task if instance else found.table.producers[0] if found.table and found.table.producers else None
    cause = words(language)(f"diagnosis.cause.{found.diagnosis.cause}") if found.diagnosis else ""
    return Item(
        ref=found.ref,
        name=instance.task.name if instance else one.name or one.subject.partition(":")[2],
        project=task.project if task else one.project,
        owner=task.owner if task else "",
        cause=cause,
        over=found.over or one.again,  # what goes on belongs to the card it has, however long ago that was
        told=one.key,
    )
