"""One process of X-Ops that keeps promises, for tests that kill it.

Run as `python -m tests.e2e.promises URL LEASE_SECONDS [before|after]`. It reads `tick now` from standard input and writes
`up`, `ticked now`, `sending` and `sent`. Told `before` or `after`, it never ends the sending of its first card: it hangs
before the page has it, or when it has.
"""

import asyncio
import os
import sys
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from bots.web.channel import WebChannel
from core import views
from core.access import Access, Person
from core.approvals.model import Ticket
from core.audit import Audit
from core.cards import Card
from core.delivery import Delivery
from core.i18n import words
from core.messages import Conversation
from core.schedulers.fleet import Fleet
from core.settings import PersonSettings
from core.store import Store
from core.store.migrate import upgrade
from core.tools.look import Look
from core.watches.digest import Digest, Digests
from core.watches.model import WatchView
from core.watches.register import Watches
from core.watches.telling import Teller
from core.watches.terms import Calendar
from core.watches.ticking import Ticker
from core.work import Work
from tests.e2e.replica import say
from tests.fakes.desk import ran
from tests.fakes.promises import PATIENCE, table_of
from tests.fakes.shelf import Shelf

PEOPLE = (PersonSettings(name="ann", role="viewer"), PersonSettings(name="bob", role="viewer"))
ORDERS = ran("orders")


def now() -> datetime:
    """The present."""
    return datetime.now(UTC)


class Page(WebChannel):
    """The real page, on which a card can take for ever to appear."""

    hangs: str = ""

    async def send(self, conversation: Conversation, card: Card, *, key: str) -> str:
        """Show it, and say so."""
        say("sending", conversation.key)
        if self.hangs == "before":
            await asyncio.Event().wait()
        reference = await super().send(conversation, card, key=key)
        say("sent", conversation.key)
        if self.hangs == "after":
            await asyncio.Event().wait()
        return reference


async def main(url: str, lease_seconds: str, hangs: str = "") -> None:
    """Serve until killed."""
    store = Store(url)
    await upgrade(store)
    page = Page(store, clock=now)
    page.hangs = hangs
    access = Access(PEOPLE)
    fleet = Fleet([Shelf("demo", (ORDERS,), (table_of(ORDERS),))])
    work = Work(store, owner=f"promises:{os.getpid()}", lease_seconds=float(lease_seconds))
    watches = Watches(store, Audit(store, clock=now), clock=now, most=50)
    look = Look(fleet, access, clock=now)
    digests = Digests(look, watches, _no_tickets, clock=now)
    teller = Teller(Delivery({"web": page}, store), access, digests, ("web",), render=_draw, language="en")
    calendar = Calendar(ZoneInfo("Asia/Shanghai"))
    ticker = Ticker(look, access, watches, teller, work, calendar, patience=PATIENCE, clock=now)
    await work.start()
    say("up")
    while line := await asyncio.to_thread(sys.stdin.readline):
        await ticker.tick()
        say("ticked", *line.split()[1:])


async def _no_tickets(_person: Person) -> tuple[Ticket, ...]:
    return ()


def _draw(shown: WatchView | Digest, language: str, person: Person) -> Card:
    assert isinstance(shown, WatchView)
    return views.show(shown, words(language), ZoneInfo("Asia/Shanghai"), person)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
