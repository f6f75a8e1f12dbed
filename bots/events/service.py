"""Other systems' events as one part of the application: the journal, the doors, and what is forgotten in time."""

from collections.abc import Callable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from aiohttp import web

from bots.events.desk import Decide
from bots.events.routes import Heard, Takers, event_routes
from core.background import Background
from core.events.journal import Applier, Committed, Events
from core.http import Http
from core.settings import Settings
from core.store import Store

FORGET_SECONDS = 3600.0


class EventService:
    """Events, from the doors to whoever applies them.

    Args:
        settings: which doors there are, and for how long events are kept.
        store: the database.
        http: fetches EventBridge's certificates.
        clock: the present, with zone.
        appliers: see `Events`.
        committed: see `Events`.
        decide: see `bots.events.desk.Decide`; nobody decides without it.
        heard: see `bots.events.routes.Heard`; robots have no address without it.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        http: Http,
        *,
        clock: Callable[[], datetime],
        appliers: Sequence[Applier] = (),
        committed: Committed | None = None,
        decide: Decide | None = None,
        heard: Heard | None = None,
    ) -> None:
        self._settings = settings
        self._http = http
        self._clock = clock
        own = settings.events
        self.journal = Events(
            store,
            clock=clock,
            appliers=appliers,
            committed=committed,
            most=own.most,
            keep_days=own.keep_days,
            zone=ZoneInfo(settings.zone),
        )
        self._takers = Takers(self.journal, decide, heard)
        self._background = Background()

    def routes(self) -> list[web.RouteDef]:
        """The addresses that the settings switch on."""
        return event_routes(self._settings, self._http, self._takers, clock=self._clock)

    def start(self) -> None:
        """Forget old events, now and then."""
        self._background.repeat(self.journal.forget, FORGET_SECONDS, "events-forget")

    async def stop(self) -> None:
        """Take nothing more."""
        self.journal.stop()
        await self._background.stop()
