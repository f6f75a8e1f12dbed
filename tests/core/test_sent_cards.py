"""What was sent is found again, on any replica, and a code is used once."""

import asyncio

from core.cards import Button
from core.sent_cards import SentCard, SentCards
from core.store import Store

CARD = SentCard(
    "r1",
    "ann",
    "private",
    task="r1-1",
    edition=1,
    change="k",
    alone=True,
    waiting=({"msgtype": "text", "text": {"content": "hi"}},),
    sent=("m1", "m2"),
    presses={"1.0": Button("Log", "log", {"target": "demo:1"})},
    stream="s1",
)


async def test_a_card_is_read_as_it_was_written(store: Store) -> None:
    cards = SentCards(store, "wecom")
    await cards.put(CARD)

    assert await cards.get("r1") == CARD
    assert await cards.of_stream("s1") == CARD
    assert await cards.waiting() == (CARD,)
    assert await cards.get("r2") is None


async def test_channels_do_not_see_each_others_cards(store: Store) -> None:
    await SentCards(store, "wecom").put(CARD)

    other = SentCards(store, "wecom_bot")
    assert (await other.get("r1"), await other.of_stream("s1"), await other.waiting()) == (None, None, ())


async def test_a_code_is_taken_once_by_whoever_comes_first(store: Store) -> None:
    cards = SentCards(store, "wecom")
    await cards.put(CARD)
    assert await cards.take_code("r1") == ""

    await cards.offer_code("r1", "c1")
    taken = await asyncio.gather(*(cards.take_code("r1") for _ in range(5)))

    assert sorted(taken) == ["", "", "", "", "c1"]


async def test_a_card_written_again_keeps_its_code(store: Store) -> None:
    cards = SentCards(store, "wecom")
    await cards.put(CARD)
    await cards.offer_code("r1", "c1")

    await cards.put(CARD)

    assert await cards.take_code("r1") == "c1"


async def test_a_code_that_comes_with_a_card_replaces_the_one_before(store: Store) -> None:
    cards = SentCards(store, "wecom")
    await cards.put(CARD, code="c1")

    await cards.put(CARD, code="c2")

    assert await cards.take_code("r1") == "c2"


async def test_recent_cards_are_not_forgotten(store: Store) -> None:
    cards = SentCards(store, "wecom")
    await cards.put(CARD)

    await cards.forget_old()

    assert await cards.get("r1") == CARD
