"""Promises put together: the table, the clock that keeps them, the cards, and who is asked about what."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from core import views
from core.access import Access, Person
from core.approvals.model import OPEN, Ticket
from core.approvals.service import Approvals
from core.approvals.tickets import TicketFilter
from core.audit import Audit
from core.cards import Card
from core.delivery import Delivery
from core.i18n import closest, words
from core.schedulers.fleet import Fleet
from core.settings import Settings
from core.store import Store
from core.tools.look import Look
from core.watches.digest import Digest, Digests
from core.watches.model import WatchView
from core.watches.mutes import Mutes
from core.watches.promises import Promises
from core.watches.register import Watches
from core.watches.storm import Gatherer, Storm
from core.watches.telling import Teller
from core.watches.terms import Calendar
from core.watches.ticking import EVERY, TICK, Ticker
from core.work import Work


@dataclass(frozen=True, slots=True)
class Kept:
    """Promises that are kept.

    Attributes:
        promises: behind the commands.
        gatherer: makes one card of an alert storm.
    """

    promises: Promises
    gatherer: Gatherer


class Promising:
    """Everything about promises, in two steps: what is muted is asked by those whom `keep` needs.

    Args:
        settings: checked settings.
        store: the database.
        access: who people are.
        audit: the trail.
        fleet: the schedulers.
        clock: the present as it is told to people, with zone.

    Attributes:
        mutes: tells what is muted.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        access: Access,
        audit: Audit,
        fleet: Fleet,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._store = store
        self._access = access
        self._clock = clock
        self._zone = ZoneInfo(settings.zone)
        self._operations = fleet.operations
        self._watches = Watches(store, audit, clock=clock, most=settings.watches.per_person)
        self.mutes = Mutes(self._watches, fleet, access, settings.watches, clock=clock)

    def keep(
        self, work: Work, delivery: Delivery, look: Look, approvals: Approvals, *, channels: Sequence[str]
    ) -> Kept:
        """Have promises made and kept.

        Args:
            work: the durable queue; `start` it later.
            delivery: where cards go.
            look: what is asked about the pipelines.
            approvals: whose open tickets stand on daily cards.
            channels: names of those on which people can be called.
        """

        async def tickets(person: Person) -> tuple[Ticket, ...]:
            own = await approvals.listed(person, TicketFilter(states=tuple(OPEN), requester=person.name))
            return tuple({ticket.id: ticket for ticket in (*await approvals.pending(person), *own)}.values())

        limits, language = self._settings.watches, self._settings.language
        calendar = Calendar(self._zone, limits.holidays, limits.workdays)
        digests = Digests(look, self._watches, tickets, clock=self._clock)
        teller = Teller(delivery, self._access, digests, channels, render=self._card, language=language)
        patience = timedelta(minutes=limits.acknowledge_minutes)
        ticker = Ticker(look, self._access, self._watches, teller, work, calendar, patience=patience, clock=self._clock)
        promises = Promises(
            look, self._access, self._watches, self.mutes, calendar, changed=ticker.notice, clock=self._clock
        )
        return Kept(promises, Gatherer(self._store, delivery, render=self._storm_card, clock=self._clock))

    async def start(self, work: Work) -> None:
        """Have the clock tick, once for all replicas; before `work` starts."""
        await work.cron("watches", EVERY, self._settings.zone, TICK)

    def _card(self, shown: WatchView | Digest, language: str, person: Person) -> Card:
        chosen = words(closest(language))
        if isinstance(shown, Digest):
            return views.daily_card(shown, chosen, self._zone, person)
        return views.show(shown, chosen, self._zone, person, self._operations)

    def _storm_card(self, shown: Storm, language: str) -> Card:
        return views.storm_card(shown, words(closest(language)), self._zone)
