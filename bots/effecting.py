"""What follows from events, put together: the outbox, who finds out and tells, extension points, and their sweeps."""

from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from bots.app import Application, now
from bots.events.service import EventService
from bots.extensions import build_extensions, build_points
from core import views
from core.access import Person
from core.background import Background
from core.cards import Card
from core.diagnosis.runbooks import configured
from core.effects.effects import Effects
from core.effects.finding import Investigator
from core.effects.held import Held
from core.effects.model import Finding
from core.effects.outbox import Outbox
from core.effects.postponing import Postponing
from core.effects.telling import Crier
from core.extensions.service import Extensions
from core.i18n import closest, words

PAUSE = 0.05
"""Between two sweeps when much happens."""
WAITING_SECONDS = 5.0
FORGET_SECONDS = 600.0


@dataclass(slots=True)
class Effecting:
    """Events, and what follows from them.

    Attributes:
        events: the way in.
        effects: what follows.
        outbox: what is still to be done.
        held: what waits for the end of quiet hours.
        extensions: answers operations that wait; None when no extension is configured.
    """

    events: EventService
    effects: Effects
    outbox: Outbox
    held: Held
    extensions: Extensions | None
    _background: Background = field(default_factory=Background)

    def start(self) -> None:
        """Take events, and go on with what an earlier process left."""
        self.events.start()
        self._background.repeat(self.effects.watch, PAUSE, "effects")
        self._background.repeat(self._tidy, FORGET_SECONDS, "effects-forget")
        if self.extensions is not None:
            self._background.repeat(self.extensions.sweep, WAITING_SECONDS, "extensions")

    async def _tidy(self) -> None:
        await self.outbox.tidy()
        await self.held.tidy(now())

    async def stop(self) -> None:
        """Take nothing more."""
        await self.events.stop()
        await self._background.stop()


def build_effecting(application: Application) -> Effecting:
    """Everything about events, out of the application's parts."""
    settings, store = application.settings, application.store
    outbox = Outbox(store, clock=now)

    def render(found: Finding, language: str, person: Person) -> Card:
        zone = ZoneInfo(settings.zone)
        return views.event_card(found, words(closest(language)), zone, person, application.fleet.operations)

    held = Held(store)
    postponing = Postponing(
        held,
        application.subscriptions,
        application.promising.mutes,
        application.kept.gatherer,
        language=settings.language,
    )
    crier = Crier(
        outbox,
        application.subscriptions,
        application.access,
        application.promising.mutes,
        postponing,
        application.kept.gatherer,
        application.reached if settings.events.tell_owners else (),
        render=render,
        language=settings.language,
    )
    investigator = Investigator(
        application.fleet, configured(settings), application.mirroring.progress, clock=application.told
    )
    effects = Effects(outbox, application.work, investigator, crier, postponing, application.audit, store, clock=now)
    appliers = [*application.mirroring.appliers, outbox.record]
    extensions: Extensions | None = None
    if settings.extensions.code:
        points = build_points(settings, store, application.audit, clock=now)
        appliers.append(points.record)
        schedulers, approving = application.fleet.schedulers, application.approving
        extensions = build_extensions(
            settings, points, schedulers, approving, application.access, application.work, clock=now
        )
    events = EventService(
        settings,
        store,
        application.http,
        clock=now,
        appliers=appliers,
        committed=effects.committed,
        decide=extensions.decide if extensions else None,
        heard=effects.heard,
    )
    return Effecting(events, effects, outbox, held, extensions)
