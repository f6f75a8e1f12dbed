"""Promises over a shelf of instances and two messengers in memory, with the clock and the durable queue in the test's hand."""

from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

from core import views
from core.access import Access, Person
from core.approvals.model import Ticket
from core.audit import Audit
from core.cards import Card
from core.commands import Asked, Commands, watching
from core.commands.sentences import wish
from core.delivery import Delivery
from core.i18n import words
from core.messages import Conversation
from core.results import Result
from core.schedulers.base import DataTable, Instance, TableUpdate
from core.schedulers.fleet import Fleet
from core.settings import PersonSettings, WatchSettings
from core.store import Store
from core.tools.look import Look
from core.watches.digest import Digest, Digests
from core.watches.model import Watch, WatchView, promise
from core.watches.mutes import Mutes
from core.watches.promises import Promises
from core.watches.register import Watches
from core.watches.telling import Teller
from core.watches.terms import Calendar
from core.watches.ticking import Ticker
from tests.fakes.chat import FakeChat
from tests.fakes.desk import NOW
from tests.fakes.shelf import Shelf
from tests.fakes.timeline import Timeline

HERE = Conversation("ding", "group", "group")
PEOPLE = (
    PersonSettings(name="ann", role="operator", projects=("trade",), identities={"ding": "d-ann"}),
    PersonSettings(name="bob", role="operator", projects=("crm",), groups=("night",), identities={"wecom": "w-bob"}),
    PersonSettings(name="cid", role="viewer", groups=("night",), identities={"ding": "d-cid", "wecom": "w-cid"}),
    PersonSettings(name="ops", role="ops_admin", projects=("*",), identities={"wecom": "w-ops"}),
    PersonSettings(name="root", role="admin", projects=("*",)),
)
PATIENCE = timedelta(minutes=10)
T = TypeVar("T")


class Office:
    """Everything around promises, over a store.

    Args:
        store: where they are kept.
        instances: what the one scheduler has.
        tables: its tables.
        shelf: another process's scheduler, to share it.
        beside: another process, whose clock, queue and messengers are shared.
        people: who is listed; change it and call `restart`.
    """

    def __init__(
        self,
        store: Store,
        *instances: Instance,
        tables: tuple[DataTable, ...] = (),
        beside: "Office | None" = None,
        settings: WatchSettings | None = None,
    ) -> None:
        self.store = store
        self.shelf = beside.shelf if beside else Shelf("demo", instances, tables)
        self.now = beside.now if beside else Timeline()
        self.now.now = beside.now.now if beside else NOW
        self.ding, self.wecom = (beside.ding, beside.wecom) if beside else (FakeChat("ding"), FakeChat("wecom"))
        self.settings = settings or WatchSettings()
        self.tickets: tuple[Ticket, ...] = ()
        self.restart(PEOPLE)

    def restart(self, people: tuple[PersonSettings, ...]) -> None:
        """A process over the same store in which these people are listed."""
        self.access = Access(people, clock=self.now)
        self.fleet = Fleet([self.shelf], timeout=0.05, clock=self.now)
        self.delivery = Delivery({"ding": self.ding, "wecom": self.wecom}, self.store)
        self.audit = Audit(self.store, clock=self.now)
        self.watches = Watches(self.store, self.audit, clock=self.now, most=self.settings.per_person)
        self.mutes = Mutes(self.watches, self.fleet, self.access, self.settings, clock=self.now)
        self.look = Look(self.fleet, self.access, clock=self.now, mute=self.mutes.about)
        calendar = Calendar(self.fleet.zone, self.settings.holidays, self.settings.workdays)
        digests = Digests(self.look, self.watches, self._tickets, clock=self.now)
        teller = Teller(self.delivery, self.access, digests, ("ding", "wecom"), render=draw, language="en")
        self.ticker = Ticker(
            self.look, self.access, self.watches, teller, self.now, calendar, patience=PATIENCE, clock=self.now
        )
        promises = Promises(
            self.look, self.access, self.watches, self.mutes, calendar, changed=self.ticker.notice, clock=self.now
        )
        self.commands = Commands(watching(promises, self.fleet), sentence=wish)

    def person(self, name: str) -> Person:
        """Someone who is listed, or a stranger of this name."""
        return self.access.named(name) or Person(name)

    async def say(self, line: str, name: str = "ann", chat: Conversation = HERE) -> Result | None:
        """What someone is answered; the card of a promise is shown as the engine shows it."""
        word, arguments = self.commands.parse(line)
        answer = await self.commands.run(word, Asked(self.person(name), chat, arguments))
        if isinstance(answer, WatchView) and not answer.watch.over:
            card = draw(answer, "en", self.person(name))
            reference = await self.delivery.send(chat, card, key=f"answer:{line}:{name}")
            await self.delivery.attach(promise(answer.watch.id), chat, reference, "en")
        return answer

    async def promised(self, line: str, name: str = "ann", chat: Conversation = HERE) -> Watch:
        """The promise that somebody's words made."""
        answer = await self.say(line, name, chat)
        assert isinstance(answer, WatchView), answer
        return answer.watch

    async def tick(self, after: timedelta = timedelta()) -> None:
        """Let time pass at once, then look and tell."""
        self.now.now += after
        await self.ticker.tick()
        await self.now.pass_time(0)

    async def state(self, watch: Watch) -> str:
        """What has become of a promise, and why if it is over."""
        now = await self.watches.get(watch.id)
        return f"{now.state} {now.memory.outcome}".strip()

    def becomes(self, name: str, **changes: object) -> None:
        """Something happened to the instances of a task."""
        self.shelf.all = [replace(one, **changes) if one.task.name == name else one for one in self.shelf.all]

    def fills(self, name: str) -> None:
        """A table is written now, by the first instance of its task."""
        writer = next(one for one in self.shelf.all if one.task.name == name)
        update = TableUpdate(self.now.now, writer.ref, rows=7)
        self.shelf.shelved = [
            replace(table, updates=(update,)) if table.name == name else table for table in self.shelf.shelved
        ]

    def cards(self, chat: FakeChat, where: str) -> list[Card]:
        """All cards in a conversation, as they are now."""
        return [chat.cards[reference][-1] for reference in chat.shown.get(f"{chat.name}:{where}", [])]

    def titles(self, chat: FakeChat, where: str = "group") -> list[str]:
        """Their titles."""
        return [card.title for card in self.cards(chat, where)]

    async def _tickets(self, _person: Person) -> tuple[Ticket, ...]:
        return self.tickets


def draw(shown: WatchView | Digest, language: str, person: Person) -> Card:
    """As people see it."""
    zone = Shelf("demo").zone
    if isinstance(shown, Digest):
        return views.daily_card(shown, words(language), zone, person)
    return views.show(shown, words(language), zone, person)


def table_of(instance: Instance) -> DataTable:
    """The table that the instance's task writes, not written yet."""
    task = instance.task
    return DataTable(task.scheduler, task.name, task.project, producers=(task,))
