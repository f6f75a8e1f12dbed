"""A deadline whose process is killed between the deadline and the card: afterwards there is one card, and not two."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from core.audit import Audit
from core.messages import Conversation
from core.store import Store
from core.store.migrate import upgrade
from core.watches.model import Memory
from core.watches.register import Watches, Wish
from core.web_cards import web_card
from tests.e2e.test_crash import alive
from tests.waiting import eventually

ASKED_IN = Conversation("web", "ann")


def now() -> datetime:
    """The present."""
    return datetime.now(UTC)


async def promised(store: Store) -> Watches:
    """A table that had to be there a minute ago, and of which bob is called."""
    await upgrade(store)
    watches = Watches(store, Audit(store, clock=now), clock=now, most=50)
    late = now() - timedelta(minutes=1)
    memory = Memory(call=("bob",))
    await watches.make(Wish("ready", "k", "ann", ASKED_IN, "table:demo:orders", "orders", late, late, memory))
    return watches


async def cards(store: Store) -> Counter[str]:
    """How many cards each conversation of the page has."""
    rows = await store.read(lambda connection: connection.execute(select(web_card.c.conversation)).all())
    return Counter(row.conversation for row in rows)


@pytest.mark.parametrize("killed", ["before", "after"])
async def test_a_kill_between_the_deadline_and_the_card_leaves_one_card(database_url: str, killed: str) -> None:
    """Before the card was sent, or when it was and nobody had written that down; on both databases."""
    store = Store(database_url)
    watches = await promised(store)
    async with alive(database_url, killed, module="tests.e2e.promises") as (first,):
        await first.order("tick", "now")
        await first.says("sending web:ann" if killed == "before" else "sent web:ann")
        await first.kill()
    assert await watches.untold()
    async with alive(database_url, "", module="tests.e2e.promises") as (second,):
        await second.order("tick", "now")
        await eventually(lambda: _all_told(watches))
        await second.order("tick", "again")
        await second.says("ticked again")
    assert await cards(store) == {"web:ann": 1, "web:bob": 1}
    await store.stop()


async def test_two_replicas_show_one_card(postgres_url: str) -> None:
    """Both tick at the same moment."""
    store = Store(postgres_url)
    watches = await promised(store)
    async with alive(postgres_url, "", "", module="tests.e2e.promises") as replicas:
        for replica in replicas:
            await replica.order("tick", "now")
        await eventually(lambda: _all_told(watches))
        for replica in replicas:
            await replica.says("ticked now")
    assert await cards(store) == {"web:ann": 1, "web:bob": 1}
    await store.stop()


async def _all_told(watches: Watches) -> bool:
    (late,) = await watches.going_on()
    return late.state == "late" and not await watches.untold()
