"""An alert storm is one card: the first alert at once, the others in place, counted right whatever their number and order."""

import asyncio
from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core import views
from core.cards import Card
from core.delivery import Delivery
from core.errors import Unreachable
from core.i18n import words
from core.messages import Conversation
from core.store import Store
from core.watches import storm as storms
from core.watches.storm import MOST, QUIET, Gatherer, Item, Storm
from tests.fakes.chat import FakeChat
from tests.fakes.desk import NOW
from tests.fakes.shelf import Shelf
from tests.fakes.wall_clock import WallClock
from tests.strategies import texts

HERE = Conversation("chat", "ops", "group")
SECOND = timedelta(seconds=1)


class Weather:
    """A gatherer, a chat and a clock."""

    def __init__(self, store: Store) -> None:
        self.chat = FakeChat()
        self.clock = WallClock()
        self.delivery = Delivery({"chat": self.chat}, store)
        self.gatherer = Gatherer(store, self.delivery, render=draw, clock=self.clock)

    async def tell(self, ref: str, group: str = "demo:source", *, over: bool = False, cause: str = "source") -> Storm:
        """An alert about one of two projects."""
        item = Item(ref, f"task {ref}", "trade" if ref < "m" else "crm", "ann", cause, over)
        return await self.gatherer.tell(HERE, group, "source", item, language="en")

    @property
    def titles(self) -> list[str]:
        """Of all cards, as they are now."""
        return [self.chat.cards[reference][-1].title for reference in self.chat.shown.get(HERE.key, [])]


def draw(shown: Storm, language: str) -> Card:
    """As people see it."""
    return views.storm_card(shown, words(language), Shelf("demo").zone)


async def test_fifty_alerts_become_one_card(store: Store) -> None:
    """Told at once or one by one, also by two replicas; the card says of what, and whom to call."""
    weather, other = Weather(store), Weather(store)
    other.chat, other.gatherer = weather.chat, Gatherer(store, weather.delivery, render=draw, clock=weather.clock)
    await weather.tell("a")
    assert weather.titles == ["source: alerts about 1"]
    await asyncio.gather(*((weather if n % 2 else other).tell(f"{n:02}") for n in range(48)))
    await weather.tell("z")
    assert weather.titles == ["source: alerts about 50"]
    text = weather.chat.cards["card-1"][-1].as_text()
    for line in (
        "Still open: 50 of 50",
        "Because of: source (50)",
        "Projects: trade (49), crm (1)",
        "Call first: ann (50)",
    ):
        assert line in text
    assert len(weather.chat.cards["card-1"]) <= 51


async def test_a_recovery_edits_the_card_until_all_have_recovered(sqlite_store: Store) -> None:
    weather = Weather(sqlite_store)
    for ref in "ab":
        await weather.tell(ref)
    await weather.tell("a", over=True)
    assert "Still open: 1 of 2" in weather.chat.cards["card-1"][-1].as_text()
    await weather.tell("b", over=True)
    assert weather.titles == ["source: all 2 have recovered"]


async def test_what_comes_after_a_quiet_while_is_another_storm(sqlite_store: Store) -> None:
    """And so is what has another root; a storm goes on as long as alerts come."""
    weather = Weather(sqlite_store)
    for ref in "abc":
        await weather.tell(ref)
        weather.clock.now += QUIET
    await weather.tell("x", "demo:other")
    assert weather.titles == ["source: alerts about 3", "source: alerts about 1"]
    weather.clock.now += SECOND
    await weather.tell("d")
    assert weather.titles == ["source: alerts about 3", "source: alerts about 1", "source: alerts about 1"]


async def test_the_same_alert_again_changes_nothing(sqlite_store: Store) -> None:
    """A redelivered event, or a second attempt after the messenger was down."""
    weather = Weather(sqlite_store)
    weather.chat.down = True
    with pytest.raises(Unreachable):
        await weather.tell("a")
    weather.chat.down = False
    for _ in range(3):
        await weather.tell("a")
    assert weather.titles == ["source: alerts about 1"]


async def test_what_is_kept_of_a_storm_is_bounded(sqlite_store: Store) -> None:
    """Beyond, alerts are only counted, and the card says so."""
    full = Storm("k", "source", {str(n): Item(str(n), "task") for n in range(MOST)}, 0, 7, NOW, NOW)
    after = storms._with(full, Item("more", "task"), NOW)  # pyright: ignore[reportPrivateUsage]
    assert (len(after.items), after.beyond, after.total) == (MOST, 1, MOST + 1)
    assert "1 more were counted" in draw(after, "en").as_text()


alerts = st.lists(
    st.builds(Item, texts, texts, st.sampled_from("pq"), st.sampled_from(["", "ann", "bob"]), texts, st.booleans()),
    min_size=1,
    max_size=20,
)


@given(told=alerts)
def test_counts_are_those_of_the_latest_alert_about_each_thing(told: list[Item]) -> None:
    """In whatever order they come: against a dictionary."""
    now = Storm("k", "source", {}, 0, 0, NOW, NOW)
    for item in told:
        now = storms._with(now, item, NOW)  # pyright: ignore[reportPrivateUsage]
    latest = {item.ref: item for item in told}
    opened = Counter(item.project for item in latest.values() if not item.over)
    assert now.items == latest
    assert dict(now.most(lambda one: one.project)) == opened
    assert now.seq <= len(told)


@settings(max_examples=50)
@given(told=alerts, title=texts)
def test_any_storm_makes_a_card(told: list[Item], title: str) -> None:
    """Whatever alerts hold: bounded, in words."""
    shown = Storm("k", title, {item.ref: item for item in told}, 3, 1, NOW, NOW)
    for language in ("zh-CN", "zh-TW", "en"):
        assert len(draw(shown, language).as_text()) < 10_000
