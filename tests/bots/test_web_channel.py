"""The page as a channel, on both databases: once per key, in order, kept, and bounded."""

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings

from bots.web.channel import WebChannel
from core.cards import Card, Text
from core.errors import Refused
from core.messages import Actor, Conversation
from core.store import Store
from core.web_cards import CARD, KEPT
from tests.fakes.web import CONVERSATION, Clock, running, visiting
from tests.strategies import of


@pytest.fixture
def channel(store: Store) -> WebChannel:
    """The page's channel."""
    return WebChannel(store, clock=Clock())


async def shown(channel: WebChannel, conversation: Conversation = CONVERSATION) -> list[str]:
    """Titles of the dialogue, in reading order."""
    return [entry.card.title for entry in await channel.cards.history(conversation.key, limit=1000)]


async def test_same_key_shows_nothing_twice(channel: WebChannel) -> None:
    """A second call with a key returns the first one's reference, whatever it brings."""
    first = await channel.send(CONVERSATION, Card("一"), key="k")
    assert await channel.send(CONVERSATION, Card("二"), key="k") == first
    assert await shown(channel) == ["一"]


async def test_same_key_at_the_same_moment(channel: WebChannel) -> None:
    """Also when the calls overlap."""
    references = await asyncio.gather(*(channel.send(CONVERSATION, Card("一"), key="k") for _ in range(10)))
    assert len(set(references)) == 1
    assert await shown(channel) == ["一"]


async def test_update_keeps_the_place(channel: WebChannel) -> None:
    """A card is edited where it stands."""
    first = await channel.send(CONVERSATION, Card("一"), key="1")
    await channel.send(CONVERSATION, Card("二"), key="2")
    await channel.update(first, Card("一，改"), key="u")
    assert await shown(channel) == ["一，改", "二"]


async def test_same_update_twice_changes_nothing(channel: WebChannel) -> None:
    """Nobody is woken by it either."""
    reference = await channel.send(CONVERSATION, Card("一"), key="1")
    await channel.update(reference, Card("二"), key="u")
    before = await channel.cards.revision(CONVERSATION.key)
    await channel.update(reference, Card("二"), key="u")
    assert await channel.cards.after(CONVERSATION.key, before) == ()


async def test_update_of_what_never_was_is_refused(channel: WebChannel) -> None:
    """Said to the caller, not swallowed."""
    with pytest.raises(Refused):
        await channel.update("never", Card("x"), key="u")


async def test_every_change_has_a_revision_of_its_own(channel: WebChannel) -> None:
    """However many come at once, so that a reader who stopped at one misses none of the others."""
    references = await asyncio.gather(*(channel.send(CONVERSATION, Card(str(n)), key=str(n)) for n in range(25)))
    await asyncio.gather(*(channel.update(reference, Card("x"), key="u") for reference in references))
    revisions = [entry.revision for entry in await channel.cards.after(CONVERSATION.key, 0)]
    assert revisions == list(range(26, 51))


async def test_replicas_share_one_order(postgres_url: str, postgres_store: Store) -> None:
    """Two processes writing into one conversation count together, and agree on keys."""
    other = Store(postgres_url)
    try:
        channels = [WebChannel(store, clock=Clock()) for store in (postgres_store, other)]
        calls = [channel.send(CONVERSATION, Card("x"), key=str(n)) for n in range(10) for channel in channels]
        references = await asyncio.gather(*calls)
        entries = await channels[0].cards.after(CONVERSATION.key, 0)
    finally:
        await other.stop()
    assert len(set(references)) == len(entries) == 10
    assert len({entry.revision for entry in entries}) == 10


async def test_conversations_are_apart(channel: WebChannel) -> None:
    """Each counts for itself, and sees its own."""
    alice = Conversation("web", "alice")
    reference = await channel.send(alice, Card("给 Alice"), key="a")
    assert await shown(channel) == []
    assert await channel.cards.get(CONVERSATION.key, reference) is None
    assert await shown(channel, alice) == ["给 Alice"]


async def test_old_entries_go_and_the_overview_stays(channel: WebChannel) -> None:
    """A dialogue is bounded; the overview is the oldest row of all."""
    await channel.pin(CONVERSATION, Card("概览"))
    for number in range(KEPT + 5):
        await channel.send(CONVERSATION, Card(str(number)), key=str(number))
    assert await shown(channel) == [str(number) for number in range(5, KEPT + 5)]
    assert await channel.cards.get(CONVERSATION.key, "overview:web:demo") is not None


async def test_dialogue_outlives_the_process(store: Store) -> None:
    """After a restart the page shows what was said and answered, rendered on the server."""
    async with running(store) as site, visiting(site) as visitor:
        await visitor.sign_on()
        await visitor.say("今天哪些失败了")
    async with running(store) as site, visiting(site) as visitor:
        page = await visitor.sign_on()
    assert page.index("今天哪些失败了") < page.index("失败实例 12 个")


async def test_older_entries_can_be_fetched(sqlite_store: Store) -> None:
    """The page brings the newest thirty, and says from where to ask for more."""
    async with running(sqlite_store) as site, visiting(site) as visitor:
        for number in range(35):
            await site.channel.send(CONVERSATION, Card(f"第 {number} 张"), key=str(number))
        page = await visitor.sign_on()
        assert "第 5 张" in page
        assert "第 4 张" not in page
        async with visitor.session.get(f"{site.url}/older", params={"before": "6"}) as answer:
            older = await answer.json()
        async with visitor.session.get(f"{site.url}/older", params={"before": "x"}) as answer:
            assert answer.status == 400
    assert 'data-oldest="6"' in page
    assert ["第 0 张" in older["entries"][0], len(older["entries"]), older["more"]] == [True, 5, False]


async def test_slow_overview_does_not_hold_up_the_page(sqlite_store: Store) -> None:
    """It shows the last one and asks again; there is none yet on the first visit."""
    async with running(sqlite_store, first_paint=0.01) as site, visiting(site) as visitor:
        site.assistant.may_look.clear()
        page = await visitor.sign_on()
        assert ["data-placeholder" in page, 'data-fresh="false"' in page] == [True, True]
        await site.channel.pin(CONVERSATION, Card("上次的概览"))
        assert "上次的概览" in await visitor.page()


async def test_lookup_knows_the_subject(channel: WebChannel) -> None:
    """There is nobody to ask."""
    assert await channel.lookup("demo") == Actor("web", "demo")


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(of(Card))
def test_every_card_can_be_kept(card: Card) -> None:
    """What is read back is what was stored."""
    assert CARD.validate_json(CARD.dump_json(card)) == card


async def test_texts_that_databases_dislike_are_kept(channel: WebChannel) -> None:
    """NUL is refused by PostgreSQL in plain text."""
    card = Card("a\x00b", (Text("🧯\u2028"),))
    reference = await channel.send(CONVERSATION, card, key="odd")
    entry = await channel.cards.get(CONVERSATION.key, reference)
    assert entry is not None
    assert entry.card == card
