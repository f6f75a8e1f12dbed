"""Everything around events and what follows from them, over a shelf of instances and a chat in memory."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from core import views
from core.access import Access, Person
from core.audit import Audit, Entry, Sought
from core.cards import Card
from core.delivery import Delivery
from core.effects.effects import Effects
from core.effects.finding import Investigator
from core.effects.held import Held
from core.effects.model import Finding
from core.effects.outbox import Outbox
from core.effects.postponing import Postponing
from core.effects.telling import Crier
from core.events.incoming import DATAWORKS, Incoming, read_event
from core.events.journal import Applier, Events
from core.i18n import words
from core.messages import Conversation
from core.schedulers.base import Instance, Status, Task
from core.schedulers.fleet import Fleet
from core.schedulers.mirror import MirrorScheduler
from core.settings import PersonSettings, SubscriptionSettings, WatchSettings
from core.store import Store
from core.subscriptions.service import Subscriptions
from core.watches.mutes import Mutes
from core.watches.register import Watches, Wish
from core.watches.storm import Gatherer, Storm
from tests.fakes.chat import FakeChat
from tests.fakes.shelf import Shelf
from tests.fakes.timeline import Timeline

ZONE = ZoneInfo("Asia/Shanghai")
START = datetime(2026, 11, 22, 1, tzinfo=UTC)
GROUP = Conversation("chat", "ops", "group")
PEOPLE = (
    PersonSettings(name="ann", role="operator", projects=("trade",), owners=("陈晓雯",), identities={"chat": "ann"}),
    PersonSettings(name="vic", role="viewer", identities={"chat": "vic"}),
    PersonSettings(name="root", role="admin", projects=("*",), identities={"chat": "root"}),
)


def failed(number: int = 1, *, project: str = "trade", owner: str = "陈晓雯", **more: object) -> Instance:
    """An instance that failed, with a task of its own."""
    task = Task(
        "demo", f"t{number}", f"dws_orders_{number}", project, owners=(owner,), outputs=(f"dws_orders_{number}",)
    )
    values: dict[str, object] = {"status": Status.FAILED, "run_number": 1, "scheduled_at": START, "started_at": START}
    return Instance(str(number), task, **(values | more))  # pyright: ignore[reportArgumentType]  # keywords of a test


class Newsroom:
    """Events in, cards out.

    Attributes:
        timeline: the clock, and durable work.
        shelf: what the scheduler knows.
        chat: where cards go.
        people: who has which rights; change it and call `start`.
    """

    def __init__(
        self,
        store: Store,
        instances: Sequence[Instance] = (),
        settled: Sequence[SubscriptionSettings] = (),
        chat: FakeChat | None = None,
        appliers: Sequence[Applier] = (),
        mirrors: Sequence[MirrorScheduler] = (),
    ) -> None:
        self.store = store
        self.timeline = Timeline()
        self.shelf = Shelf("demo", instances)
        self.chat = chat or FakeChat()
        self.people: tuple[PersonSettings, ...] = PEOPLE
        self._settled = settled
        self._mirrors = mirrors
        self._appliers = [*appliers, *(mirror.feed.apply for mirror in mirrors)]
        self.start()

    def start(self) -> None:
        """A new process over the same store and the same queue."""
        timeline, store = self.timeline, self.store
        self.fleet = fleet = Fleet([self.shelf, *self._mirrors], timeout=0.5)
        self.access = Access(self.people)
        self.audit = Audit(store, clock=timeline)
        delivery = Delivery({"chat": self.chat}, store)
        self.watches = Watches(store, self.audit, clock=timeline, most=50)
        mutes = Mutes(self.watches, fleet, self.access, WatchSettings(), clock=timeline)
        self.subscriptions = Subscriptions(store, self.access, self.audit, self._settled, zone=ZONE, clock=timeline)
        self.outbox = Outbox(store, clock=timeline)
        gatherer = Gatherer(store, delivery, render=_storm, clock=timeline)
        postponing = Postponing(Held(store), self.subscriptions, mutes, gatherer, language="en")
        crier = Crier(
            self.outbox,
            self.subscriptions,
            self.access,
            mutes,
            postponing,
            gatherer,
            ("chat",),
            render=_card,
            language="en",
        )
        investigator = Investigator(fleet, None, self._progress, clock=timeline)
        self.effects = Effects(
            self.outbox, timeline, investigator, crier, postponing, self.audit, store, clock=timeline
        )
        appliers = [*self._appliers, self.outbox.record]
        self.journal = Events(store, clock=timeline, zone=ZONE, appliers=appliers, committed=self.effects.committed)

    async def _progress(self, run: str) -> Mapping[Status, int]:
        return await self._mirrors[0].progress(run) if self._mirrors else {}

    async def accept(self, *events: object, source: str = DATAWORKS) -> None:
        """Store events, which may be envelopes or have been read."""
        now = self.timeline()
        await self.journal.accept(
            [one if isinstance(one, Incoming) else read_event(source, one, now, ZONE) for one in events]
        )

    async def settle(self, seconds: float = 0.0) -> None:
        """Do what is due after so much time."""
        await self.timeline.pass_time(seconds)
        await self.effects.sweep()
        await self.timeline.pass_time(0)

    async def hear(self, *events: object) -> None:
        """Store events, and do what follows."""
        await self.accept(*events)
        await self.settle()

    async def mute(self, subject: str) -> None:
        """Mute something for two hours."""
        until = self.timeline() + timedelta(hours=2)
        wish = Wish("mute", f"mute:{subject}", "root", GROUP, subject, subject, until, until)
        await self.watches.make(wish)

    async def trail(self, action: str) -> list[Entry]:
        """What was recorded of an action, oldest first."""
        return list(await self.audit.search(Sought(action=action)))[::-1]

    def cards(self, chat: Conversation = GROUP) -> list[Card]:
        """The cards of a chat as they are now."""
        return [self.chat.cards[reference][-1] for reference in self.chat.shown.get(chat.key, [])]

    def titles(self, chat: Conversation = GROUP) -> list[str]:
        """Their titles."""
        return [card.title for card in self.cards(chat)]


def project(name: str = "trade", **more: object) -> SubscriptionSettings:
    """The group hears of a project."""
    return SubscriptionSettings.model_validate({"channel": "chat", "chat": "ops", "subject": name, **more})


def _card(found: Finding, language: str, person: Person) -> Card:
    return views.event_card(found, words(language), ZONE, person)


def _storm(storm: Storm, language: str) -> Card:
    return views.storm_card(storm, words(language), ZONE)
