"""A storm of cards for one place: few messages, nothing lost, nobody else held up."""

import asyncio
from collections.abc import Callable

import pytest

from bots.wecom.pace import RESERVE, Pace
from core.cards import Button, Buttons, Card, Item
from core.errors import Refused, Unreachable
from core.i18n import words
from tests.fakes.clock import Clock

MINUTE_LIMIT = 10


class Sender:
    """Sends one message a card, and remembers when and what."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.pace = Pace(words("zh-CN"), MINUTE_LIMIT, 40, clock=clock, sleep=clock.sleep)
        self.sent: list[tuple[float, str, Card]] = []
        self.fails: Callable[[Card], bool] = lambda _card: False

    async def send(self, where: str, card: Card) -> None:
        """As a channel does."""
        async with self.pace.turn(where, card) as due:
            if due is None:
                return
            self.pace.count(where, 1)
            if self.fails(due):
                raise Refused("no", system="wecom")
            self.sent.append((self.clock.now, where, due))

    @property
    def titles(self) -> list[str]:
        """Of every card that was shown, on its own or merged."""
        found: list[str] = []
        for _, _, card in self.sent:
            found += [item.title for item in card.blocks if isinstance(item, Item)] or [card.title]
        return found


@pytest.fixture
def sender() -> Sender:
    return Sender(Clock())


def cards(count: int) -> list[Card]:
    return [Card(f"alert {n}", (Buttons((Button("日志", "log", {"n": f"{n}"}),)),)) for n in range(count)]


async def test_a_hundred_at_once_become_few_messages_and_none_is_lost(sender: Sender) -> None:
    await asyncio.gather(*(sender.send("ann", card) for card in cards(100)))

    assert sender.titles == [card.title for card in cards(100)]
    assert len(sender.sent) <= MINUTE_LIMIT
    merged = sender.sent[-1][2]
    assert str(100 - len(sender.sent) + 1) in merged.title
    assert all(item.buttons for item in merged.blocks if isinstance(item, Item))


async def test_no_minute_and_no_hour_sees_too_many(sender: Sender) -> None:
    for card in cards(120):
        await sender.send("ann", card)

    times = [at for at, _, _ in sender.sent]
    for window, most in ((60, MINUTE_LIMIT), (3600, 40)):
        assert max(sum(start <= at < start + window for at in times) for start in times) <= most


async def test_an_unhurried_card_is_sent_at_once_and_as_it_is(sender: Sender) -> None:
    for card in cards(MINUTE_LIMIT - RESERVE):
        await sender.send("ann", card)

    assert sender.clock.now == Clock().now
    assert [card for _, _, card in sender.sent] == cards(MINUTE_LIMIT - RESERVE)


async def test_places_do_not_hold_each_other_up(sender: Sender) -> None:
    await asyncio.gather(*(sender.send("ann", card) for card in cards(50)))
    now = sender.clock.now

    await sender.send("bob", Card("hello"))

    assert sender.sent[-1] == (now, "bob", Card("hello"))


async def test_whoever_was_merged_into_a_message_that_fails_learns_it(sender: Sender) -> None:
    sender.fails = lambda card: "合并" in card.title

    outcomes = await asyncio.gather(*(sender.send("ann", card) for card in cards(20)), return_exceptions=True)

    failed = [type(outcome) for outcome in outcomes if outcome is not None]
    assert failed == [Refused, *[Unreachable] * (len(failed) - 1)]
    assert len(failed) + len(sender.sent) == 20


async def test_a_caller_that_gives_up_takes_nobody_along(sender: Sender) -> None:
    for card in cards(MINUTE_LIMIT):
        await sender.send("ann", card)
    first, second = (asyncio.ensure_future(sender.send("ann", Card(name))) for name in ("one", "two"))
    await asyncio.sleep(0)

    second.cancel()
    await asyncio.gather(first, second, return_exceptions=True)
    await sender.send("ann", Card("three"))

    assert first.exception() is None
    assert sender.titles[-1] == "three"
