"""The composition root: settings in, a running assistant out. Objects are built here and passed in; nothing finds another.

No HTTP here: `bots.serving` puts the server around it, a terminal uses it as it is.
"""

import asyncio
import os
import socket
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING
from uuid import uuid4
from zoneinfo import ZoneInfo

from bots.approving import CHECK_SECONDS, build_approving
from bots.messenger import Surroundings
from bots.messengers import messengers
from bots.mirroring import Mirroring, asked, shown
from bots.promising import Promising
from bots.web.channel import WebChannel
from bots.web.routes import Page, make_page
from core import views
from core.access import Access, Person
from core.agent import Agent
from core.agent.history import History
from core.approvals.gate import ApprovalGate
from core.approvals.model import TicketView
from core.audit import Audit
from core.background import Background
from core.cards import Card
from core.channel import Channel
from core.commands import Commands, approving, deciding, looking, people, subscribing, watching
from core.commands.sentences import wish
from core.delivery import Delivery
from core.diagnosis.runbooks import configured
from core.engine import Engine
from core.execution import SWEEP, Execution
from core.http import Http
from core.i18n import closest, words
from core.inbox import Inbox
from core.lanes import Lanes
from core.messages import Conversation, Event
from core.people import Linking, People, Register
from core.people.door import Door
from core.people.members import Members
from core.proposals import Proposals
from core.results import Proposal, Result
from core.schedulers.base import Scheduler
from core.schedulers.fleet import Fleet
from core.settings import SchedulerConnection, Settings
from core.store import Store
from core.store.migrate import upgrade
from core.subscriptions.service import Subscriptions
from core.subscriptions.wishes import Wishes
from core.switches import Switches
from core.tools.act import Act
from core.tools.look import Look
from core.work import Work

REFRESH_SECONDS = 2.0
"""How soon looking follows what another replica changed of people and switches; a decision asks at that moment."""

if TYPE_CHECKING:
    from bots.effecting import Effecting
    from bots.events.service import EventService


def now() -> datetime:
    """The present, in UTC."""
    return datetime.now(UTC)


class Application:
    """Everything but HTTP.

    Args:
        settings: checked settings.
        channels: further channels beside those of the settings; `xops chat` brings the terminal.
    """

    def __init__(self, settings: Settings, channels: Sequence[Channel] = ()) -> None:
        self.settings = settings
        self.zone = ZoneInfo(settings.zone)
        self.owner = f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}"
        self.store = Store(settings.storage.url.get_secret_value())
        self.http = Http()
        self.fleet = Fleet([build_scheduler(connection, self) for connection in shown(settings.schedulers)])
        self.mirroring = Mirroring(self.fleet.schedulers, self.store, clock=now)
        trusted = Members(self.fleet.schedulers, clock=now) if settings.access.trust_scheduler_members else None
        self.access = Access(
            settings.people,
            Register(self.store),
            memberships=trusted,
            tenants=settings.access.tenants,
            clock=now,
        )
        self._work_started: asyncio.Task[None] | None = None
        self._background = Background()
        self.web = WebChannel(self.store, clock=now)
        self.messengers = messengers(Surroundings(settings, self.http, self.store, self.owner))
        known = (self.web, *(messenger.channel for messenger in self.messengers), *channels)
        self._build_core({channel.name: channel for channel in known})

    def _build_core(self, channels: Mapping[str, Channel]) -> None:
        settings, lease = self.settings, self.settings.storage.lease_seconds
        self.audit = Audit(self.store, clock=now)
        self.people = People(self.store, self.access, self.audit, clock=now)
        self.linking = Linking(self.store, self.access, self.audit, clock=now)
        self.switches = Switches(self.store, self.access, self.audit, settings.model.names, clock=now)
        self.work = Work(self.store, owner=self.owner, lease_seconds=lease)
        self.delivery = Delivery(channels, self.store)
        self.proposals = Proposals(self.store, clock=now)
        self.told = build_clock(settings)
        self.subscriptions = Subscriptions(
            self.store, self.access, self.audit, settings.subscriptions, zone=self.zone, clock=now
        )
        self.promising = Promising(settings, self.store, self.access, self.audit, self.fleet, clock=self.told)
        self.look = Look(
            self.fleet,
            self.access,
            clock=self.told,
            knowledge=configured(settings),
            mute=self.promising.mutes.about,
        )
        self.act = Act(self.look, self.access, self.proposals, settings.operations)
        self.history = History(self.store)
        self.agent = Agent(settings.model, self.look, self.act, self.history, chosen=lambda: self.switches.model_name)
        self.reached = [self.web.name, *(messenger.channel.name for messenger in self.messengers)]
        self.wishes = Wishes(self.subscriptions, self.look.find, self.access, self.reached)
        self.approving = build_approving(
            settings,
            self.store,
            self.access,
            self.audit,
            self.work,
            self.delivery,
            channels=self.reached,
            render=self._ticket_card,
            clock=now,
        )
        self.kept = self.promising.keep(
            self.work, self.delivery, self.look, self.approving.approvals, channels=self.reached
        )
        self.execution = Execution(
            self.proposals,
            self.fleet,
            self.access,
            self.work,
            self.delivery,
            self.audit,
            render=self._proposal_card,
            clock=now,
            gate=ApprovalGate(self.approving.approvals),
        )
        self.approving.carry_out(self.execution, self.proposals)
        self.engine = self._engine()
        self.inbox = Inbox(
            self.store, Lanes(), self.engine.handle, self.engine.busy, owner=self.owner, lease_seconds=lease
        )

    def _engine(self) -> Engine:
        return Engine(
            Door(self.access, self.switches),
            self._commands(),
            self.agent,
            self.history,
            self.delivery,
            self.audit,
            views.House(self.settings.language, self.zone, self.fleet.operations),
            clock=now,
        )

    def _commands(self) -> Commands:
        return Commands(
            looking(self.look),
            deciding(self.look, self.act, self.execution),
            approving(self.approving.approvals),
            people(self.access, self.linking, self.switches, self._tell),
            watching(self.kept.promises, self.fleet),
            subscribing(self.subscriptions, self.wishes, self.look),
            sentence=wish,
        )

    @cached_property
    def effecting(self) -> "Effecting":
        """Other systems' events, and what follows; loaded once the settings or a command ask for them."""
        from bots.effecting import build_effecting

        return build_effecting(self)

    @property
    def events(self) -> "EventService":
        """The way in for them."""
        return self.effecting.events

    async def start(self) -> None:
        """Open what is needed to answer."""
        await upgrade(self.store)
        await self.http.start()
        await self._refresh()

    async def start_accepting(self) -> None:
        """Take over what an earlier process left, accept events, and start durable work in the background."""
        await self.mirroring.note_gap()
        await self.inbox.start()
        for messenger in self.messengers:
            await messenger.start(self.inbox.accept)
        if self.settings.events.open:
            self.effecting.start()
        self._work_started = asyncio.create_task(self._start_work())
        self._background.repeat(self._refresh, REFRESH_SECONDS, "refresh")

    def warm(self) -> None:
        """Have the first free question answered as soon as those after it; call it once nobody waits for the start."""
        self._background.start(self.agent.warm(), "warm")

    async def stop(self) -> None:
        """Take nothing more, finish what is under way, then let go of everything."""
        if self.settings.events.open:
            await self.effecting.stop()
        for messenger in self.messengers:
            await messenger.stop_listening()
        if self._work_started is not None:
            await self.inbox.stop()
            await self._work_started
            await self._background.stop()
            await self.work.stop()
        for messenger in self.messengers:
            await messenger.stop()
        await self.fleet.close()
        await self.http.stop()
        await self.store.stop()

    async def answer(self, event: Event) -> None:
        """Answer one event here and now, without the journal: for a terminal, whose person asks again if it dies."""
        await self.store.write(await self.engine.handle(event))

    async def home(self, person: Person) -> Card:
        """The overview that the web page shows on top, in the person's language."""
        result = await self.look.overview(person)
        say = words(person.language or self.settings.language)
        return views.show(result, say, self.zone, person, self.fleet.operations)

    async def page(self) -> Page:
        """The web page around this assistant."""
        return await make_page(
            self.web,
            self.settings,
            accept=self.inbox.accept,
            access=self.access,
            home=self.home,
            clock=now,
            views=[messenger.view for messenger in self.messengers if messenger.view is not None],
        )

    async def _refresh(self) -> None:
        """Know who may do what, and what is switched off, as any replica has it."""
        await self.access.refresh()
        await self.switches.refresh()

    async def _start_work(self) -> None:
        await self.work.cron("sweep", "*/5 * * * *", self.settings.zone, SWEEP)
        await self.promising.start(self.work)
        await self.mirroring.start(self.work, self.settings.zone)
        await self.work.start()
        await self.execution.resume()
        self._background.repeat(self.approving.attendant.watch, CHECK_SECONDS, "approvals")

    async def _tell(self, conversation: Conversation, person: Person, result: Result, *, key: str) -> None:
        card = views.show(result, words(person.language or self.settings.language), self.zone, person)
        await self.delivery.send(conversation, card, key=key)

    def _ticket_card(self, view: TicketView, language: str, person: Person) -> Card:
        return views.show(view, words(closest(language)), self.zone, person)

    def _proposal_card(self, proposal: Proposal, language: str, person: Person) -> Card:
        return views.show(proposal, words(closest(language)), self.zone, person, self.fleet.operations)


def build_scheduler(connection: SchedulerConnection, application: Application) -> Scheduler:
    """The scheduler behind a connection; its module is imported only when it is configured."""
    zone = ZoneInfo(connection.zone or application.settings.zone)
    if connection.kind == "airflow":
        from core.schedulers.airflow import AirflowScheduler

        return AirflowScheduler(connection, application.http, zone=zone, clock=now)
    if connection.kind == "dataworks":
        from core.schedulers.dataworks import DataWorksScheduler

        return DataWorksScheduler(connection, zone=zone, clock=now)
    if connection.kind == "dataphin":
        from core.schedulers.dataphin import DataphinScheduler

        return DataphinScheduler(connection, zone=zone, clock=now)
    if connection.kind == "dolphinscheduler":
        from core.schedulers.dolphinscheduler import DolphinScheduler

        return DolphinScheduler(connection, application.http, zone=zone, clock=now)
    if connection.kind == "mirror":
        from core.schedulers.mirror import MirrorScheduler

        named = asked(connection, application.settings.schedulers) if connection.api else None
        api = build_scheduler(named, application) if named else None
        return MirrorScheduler(connection, application.store, zone=zone, clock=now, api=api)
    from core.schedulers.simulated import SimulatedScheduler

    return SimulatedScheduler(connection, zone=zone, clock=now)


def build_clock(settings: Settings) -> Callable[[], datetime]:
    """The present as it is told to people: the wall clock, but in the demonstration the clock of its simulated night."""
    if any(connection.kind != "simulated" for connection in settings.schedulers):
        return now
    from core.schedulers.simulated.clock import simulated

    zone = ZoneInfo(settings.zone)
    return lambda: simulated(now().astimezone(zone))


@asynccontextmanager
async def running(
    settings: Settings, *, accepting: bool, channels: Sequence[Channel] = ()
) -> AsyncGenerator[Application]:
    """The assistant, started, and stopped afterwards.

    Args:
        settings: checked settings.
        channels: see `Application`.
        accepting: also take events and carry out orders; a single question from the command line needs neither.
    """
    application = Application(settings, channels)
    await application.start()
    try:
        if accepting:
            await application.start_accepting()
        yield application
    finally:
        await application.stop()
