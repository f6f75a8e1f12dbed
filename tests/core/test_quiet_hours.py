"""What quiet hours held back: told once, in one card, when they end, as far as anybody still wants to hear of it."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.cards import Card, Text
from core.messages import Conversation
from core.schedulers.base import DataTable
from core.settings import SubscriptionSettings
from core.store import Store
from core.subscriptions.model import quiet
from core.subscriptions.service import quiet_until
from tests.core.event_samples import status_changed
from tests.core.test_effects import FAILURE, failing, milliseconds, recovering
from tests.fakes.chat import FakeChat
from tests.fakes.effects import START, Newsroom, failed, project
from tests.fakes.timeline import Killed

HOUR = 3600.0
QUIET = project(quiet="08:00-10:00")
"""It is nine in the morning when each test begins."""


def said(card: Card) -> str:
    """The card's sentences."""
    return "\n".join(block.text for block in card.blocks if isinstance(block, Text))


def newsroom(store: Store, *settled: SubscriptionSettings, count: int = 3, chat: FakeChat | None = None) -> Newsroom:
    """A chat that is quiet, and tasks that failed; nobody is their owner."""
    instances = [failed(number, owner="nobody") for number in range(1, count + 1)]
    return Newsroom(store, instances, settled or (QUIET,), chat)


async def test_what_was_held_back_is_one_card_when_quiet_hours_end(store: Store) -> None:
    """What is open is named, what has recovered is counted; a recovery afterwards edits that card; nothing is told again."""
    room = newsroom(store)
    await room.hear(*(failing(number) for number in (1, 2, 3)))
    await room.hear(recovering(2))
    await room.settle(HOUR - 1)
    assert room.cards() == []
    await room.settle(1)
    (card,) = room.cards()
    assert card.title == "Quiet hours 08:00-10:00: alerts about 3"
    assert "Still open: 2 of 3" in said(card)
    assert ("dws_orders_1, dws_orders_3" in said(card), "dws_orders_2" in said(card)) == (True, False)
    await room.hear(recovering(1), recovering(3))
    await room.settle(HOUR)
    (card,) = room.cards()
    assert card.title == "Quiet hours 08:00-10:00: all 3 have recovered"


async def test_the_next_night_is_another_card(sqlite_store: Store) -> None:
    """The same matter may be in both."""
    room = newsroom(sqlite_store)
    await room.hear(failing())
    await room.settle(HOUR)
    await room.settle(23 * HOUR)
    await room.hear(status_changed(1, FAILURE, milliseconds(room.timeline()), "again"))
    assert len(room.cards()) == 1
    await room.settle(HOUR)
    assert len(room.cards()) == 2


@pytest.mark.parametrize("muted", ["task:demo:t1", "table:demo:dws_orders_1", "project:demo:trade"])
async def test_what_was_muted_meanwhile_is_left_out(sqlite_store: Store, muted: str) -> None:
    """By its task, the table that the task writes, or its project."""
    room = newsroom(sqlite_store, count=1)
    await room.hear(failing())
    await room.mute(muted)
    await room.settle(HOUR)
    assert room.cards() == []


async def test_who_does_not_want_to_hear_of_it_any_more_is_spared(sqlite_store: Store) -> None:
    """The subscription was ended, or whoever made it has lost the right to look."""
    for change in ("ended", "rights"):
        room = newsroom(sqlite_store, project("other"), count=1)
        vic, private = room.access.named("vic"), Conversation("chat", f"vic-{change}")
        assert vic is not None
        await room.subscriptions.subscribe(vic, private, "all", "", "warning", "08:00-10:00")
        await room.hear(failing(id=f"f-{change}"))
        if change == "ended":
            await room.subscriptions.end(vic, private, "all")
        else:
            room.people = tuple(one for one in room.people if one.name != "vic")
            room.start()
        await room.settle(HOUR)
        assert room.cards(private) == []


async def test_longer_quiet_hours_do_not_swallow_what_waits(sqlite_store: Store) -> None:
    """It is told when those end that it fell into."""
    room = newsroom(sqlite_store, project("other"), count=1)
    root, private = room.access.named("root"), Conversation("chat", "root")
    assert root is not None
    await room.subscriptions.subscribe(root, private, "all", "", "warning", "08:00-10:00")
    await room.hear(failing())
    await room.subscriptions.subscribe(root, private, "all", "", "warning", "08:00-12:00")
    await room.settle(HOUR)
    assert len(room.cards(private)) == 1


async def test_a_chat_that_hears_by_another_subscription_is_not_told_twice(sqlite_store: Store) -> None:
    """One of its subscriptions is quiet, the other is not."""
    table = SubscriptionSettings(channel="chat", chat="ops", about="table", subject="dws_orders_1")
    room = newsroom(sqlite_store, QUIET, table, count=1)
    await room.hear(failing())
    await room.settle(HOUR)
    assert [card.title.startswith("Quiet hours") for card in room.cards()] == [False]


async def test_another_process_tells_what_the_first_one_held_back(store: Store) -> None:
    """And of two that live, one card comes."""
    room = newsroom(store)
    await room.hear(failing(1), failing(2))
    room.start()
    other = newsroom(store, chat=room.chat)
    other.timeline.now = room.timeline.now
    for each in (room, other):
        await each.settle(HOUR)
    assert len(room.cards()) == 1


class FatalChat(FakeChat):
    """The process dies once, right after the card was shown."""

    async def send(self, conversation: Conversation, card: Card, *, key: str) -> str:
        """Show a card."""
        first = not self.cards
        reference = await super().send(conversation, card, key=key)
        if first:
            raise Killed
        return reference


async def test_a_process_that_dies_after_showing_it_shows_it_once(store: Store) -> None:
    """The work is done again, and the messenger knows the card's key."""
    room = newsroom(store, chat=FatalChat())
    await room.hear(failing(1), failing(2))
    with pytest.raises(Killed):
        await room.settle(HOUR)
    room.start()
    await room.settle()
    assert len(room.cards()) == 1
    await room.hear(recovering(1), recovering(2))
    assert room.titles() == ["Quiet hours 08:00-10:00: all 2 have recovered"]


async def test_a_messenger_that_is_down_in_the_morning_gets_it_later(sqlite_store: Store) -> None:
    """The work is handed over again after a minute."""
    room = newsroom(sqlite_store)
    await room.hear(failing())
    room.chat.down = True
    with pytest.raises(Exception, match="down"):
        await room.settle(HOUR)
    room.timeline.give_up()
    room.chat.down = False
    await room.settle(61)
    assert len(room.cards()) == 1


async def test_what_the_table_of_a_mute_is_written_by_is_muted_too(sqlite_store: Store) -> None:
    """As the preview of the mute says: failures of the task that writes it."""
    room = newsroom(sqlite_store, project(), count=2)
    room.shelf.shelved.append(DataTable("demo", "dws_orders_1", "trade"))
    await room.mute("table:demo:dws_orders_1")
    await room.hear(failing(1))
    assert room.cards() == []
    await room.hear(failing(2))
    assert len(room.cards()) == 1


@given(
    st.integers(0, 366 * 24 * 60).map(lambda minutes: START + timedelta(minutes=minutes)),
    st.sampled_from(["22:00-08:00", "00:00-06:30", "12:00-13:00", "23:59-00:00"]),
    st.sampled_from([ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")]),
)
def test_quiet_hours_end_within_a_day_and_not_before(now: datetime, hours: str, zone: ZoneInfo) -> None:
    """At their end it is not quiet any more, whatever the clocks do that night."""
    until = quiet_until(hours, now, zone)
    assert timedelta() < until - now <= timedelta(hours=25)
    assert not quiet(hours, until.astimezone(zone).time())
