"""Following an instance, and the cards of every day: told once, of what changed, in place where that is enough."""

from datetime import date, timedelta

import pytest

from core.audit import Sought
from core.cards import Text, buttons
from core.commands import Asked
from core.errors import Denied, NotFound, Unreachable
from core.i18n import words
from core.messages import Conversation
from core.results import Choice, Missing, Notice
from core.schedulers.base import RunType, Status
from core.settings import WatchSettings
from core.store import Store
from core.watches.model import WatchList
from tests.fakes.desk import ran
from tests.fakes.promises import HERE, PEOPLE, Office

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
def office(sqlite_store: Store) -> Office:
    """One task that waits, one of another project that runs."""
    other = ran("clicks", Status.RUNNING, project="crm", owner="bob")
    return Office(sqlite_store, ran("orders", Status.WAIT_UPSTREAM), other)


async def test_each_change_is_told_once_in_one_live_card(office: Office) -> None:
    """Waiting, running, succeeded: the card is edited, and the end comes as a card of its own."""
    made = await office.promised("/follow orders")
    await office.tick(MINUTE)
    assert office.titles(office.ding) == ["Following orders: waiting for upstream"]
    office.becomes("orders", status=Status.RUNNING, run_number=1)
    await office.tick(MINUTE)
    await office.tick(MINUTE)
    assert office.titles(office.ding) == ["Following orders: running"]
    assert len(office.ding.cards["card-1"]) == 2
    office.becomes("orders", status=Status.SUCCESS)
    await office.tick(MINUTE)
    await office.tick(MINUTE)
    assert office.titles(office.ding) == ["orders is done: success"] * 2
    assert await office.state(made) == "ended done"


async def test_a_failure_rings_and_its_rerun_is_followed_on(office: Office) -> None:
    """With what to do on the card; the rerun edits the newest card."""
    made = await office.promised("/follow orders")
    office.becomes("orders", status=Status.FAILED, run_number=1)
    await office.tick(MINUTE)
    assert office.titles(office.ding) == ["Following orders: failed"] * 2
    assert "[Diagnose]  [Log]  [Rerun]  [End this]" in office.cards(office.ding, "group")[1].as_text()
    office.becomes("orders", status=Status.RUNNING, run_number=2)
    await office.tick(MINUTE)
    assert office.titles(office.ding) == ["Following orders: failed", "Following orders: running · run 2"]
    office.becomes("orders", status=Status.SUCCESS)
    await office.tick(MINUTE)
    assert await office.state(made) == "ended done"


async def test_a_failure_nobody_repairs_is_not_followed_for_ever(office: Office) -> None:
    made = await office.promised("/follow orders")
    office.becomes("orders", status=Status.FAILED, run_number=1)
    await office.tick(MINUTE)
    await office.tick(11 * HOUR)
    assert await office.state(made) == "open"
    await office.tick(HOUR)
    assert await office.state(made) == "ended time"


@pytest.mark.parametrize("run_type", list(RunType))
async def test_whatever_kind_of_run_is_followed(sqlite_store: Store, run_type: RunType) -> None:
    """Also backfills, which platforms do not watch themselves."""
    office = Office(sqlite_store, ran("orders", Status.RUNNING, run_type=run_type))
    made = await office.promised(f"/follow demo:{office.shelf.all[0].id}")
    office.becomes("orders", status=Status.SUCCESS)
    await office.tick(MINUTE)
    assert await office.state(made) == "ended done"


async def test_however_many_promises_a_tick_asks_a_scheduler_once_a_day_that_is_watched(sqlite_store: Store) -> None:
    """Two hundred follows of today and yesterday: two questions, and none for a table whose writer did nothing."""
    names = [f"job_{number}" for number in range(200)]
    runs = [ran(name, Status.RUNNING, hours_ago=3 + 24 * (number % 2)) for number, name in enumerate(names)]
    office = Office(sqlite_store, *runs, settings=WatchSettings(per_person=500))
    for name in names:
        await office.promised(f"/follow {name}")
    office.shelf.asked.clear()
    await office.tick(MINUTE)
    assert office.shelf.asked == ["instances", "instances"]


async def test_a_scheduler_that_is_down_ends_nothing_and_tells_nothing(office: Office) -> None:
    made = await office.promised("/follow orders")
    office.shelf.hangs = True
    office.becomes("orders", status=Status.RUNNING)
    await office.tick(MINUTE)
    assert (await office.state(made), office.titles(office.ding)) == (
        "open",
        ["Following orders: waiting for upstream"],
    )
    office.shelf.hangs = False
    await office.tick(MINUTE)
    assert office.titles(office.ding) == ["Following orders: running"]


async def test_a_messenger_that_is_down_is_tried_again(office: Office) -> None:
    """The change is kept with the promise until it was told."""
    await office.promised("/follow orders")
    office.becomes("orders", status=Status.FAILED)
    office.ding.down = True
    with pytest.raises(Unreachable):
        await office.tick(MINUTE)
    office.ding.down = False
    await office.tick(MINUTE)
    assert office.titles(office.ding) == ["Following orders: failed"] * 2


async def test_whoever_lost_the_right_to_look_is_told_no_more(office: Office) -> None:
    """Asked when the promise is kept, not only when it is made."""
    made = await office.promised("/follow orders")
    office.restart(tuple(one for one in PEOPLE if one.name != "ann"))
    office.becomes("orders", status=Status.FAILED)
    await office.tick(MINUTE)
    assert (await office.state(made), len(office.titles(office.ding))) == ("ended rights", 1)
    with pytest.raises(Denied):
        await office.say("/watches", "ann")


async def test_a_promise_made_twice_is_one(office: Office) -> None:
    """Also when the messenger delivers the command twice; another person or chat has their own."""
    first = await office.promised("/follow orders")
    assert (await office.promised("follow orders")).id == first.id
    assert (await office.promised("/follow orders", "bob")).id != first.id
    assert (await office.promised("/follow orders", "ann", Conversation("ding", "d-ann"))).id != first.id


async def test_names_are_looked_up_as_everywhere(sqlite_store: Store) -> None:
    """Several are offered, none is guessed."""
    office = Office(sqlite_store, ran("orders_a"), ran("orders_b"))
    several, none = await office.say("/follow orders"), await office.say("/follow nothing_like_it")
    assert isinstance(several, Choice)
    assert (several.command, len(several.options)) == ("follow", 2)
    assert isinstance(none, Missing)


async def test_all_of_mine_are_listed_and_ended_by_a_button(office: Office) -> None:
    """And nobody else's."""
    made = await office.promised("/follow orders")
    theirs = await office.promised("/follow clicks", "bob")
    listed = await office.say("/watches")
    assert isinstance(listed, WatchList)
    assert [one.id for one in listed.watches] == [made.id]
    with pytest.raises(NotFound):
        await office.say(f"/unwatch {theirs.id}")
    await office.say(f"/unwatch {made.id.lower()}")
    office.becomes("orders", status=Status.FAILED)
    await office.tick(MINUTE)
    assert await office.state(made) == "ended hand"
    assert "failed" not in " ".join(office.titles(office.ding))


async def test_following_ends_by_name_too(office: Office) -> None:
    made = await office.promised("/follow orders")
    await office.say("/unfollow orders")
    assert await office.state(made) == "ended hand"
    with pytest.raises(NotFound):
        await office.say("/unfollow orders")


async def test_a_person_has_a_limit(sqlite_store: Store) -> None:
    """Said in a sentence of its own; ending one makes room."""
    office = Office(sqlite_store, ran("a_task"), ran("b_task"), settings=WatchSettings(per_person=1))
    await office.promised("/follow a_task")
    full = await office.say("/follow b_task")
    assert isinstance(full, Notice)
    await office.say("/unfollow a_task")
    await office.promised("/follow b_task")


async def test_what_ended_long_ago_is_forgotten(office: Office) -> None:
    made = await office.promised("/follow orders")
    await office.say("/unfollow orders")
    await office.tick(15 * DAY)
    with pytest.raises(NotFound):
        await office.watches.get(made.id)


# ── cards of every day
async def test_a_daily_card_comes_at_its_time_every_day_until_it_is_ended(office: Office) -> None:
    """Asked for on Sunday at half past ten for nine o'clock."""
    made = await office.promised("/digest 09:00")
    await office.tick(22 * HOUR)
    assert office.titles(office.ding)[1:] == []
    await office.tick(30 * MINUTE)
    await office.tick(MINUTE)
    assert office.titles(office.ding)[1:] == ["Good morning, ann"]
    await office.tick(DAY)
    assert office.titles(office.ding)[1:] == ["Good morning, ann"] * 2
    await office.say(f"/unwatch {made.id}")
    await office.tick(DAY)
    assert office.titles(office.ding)[1:] == ["Good morning, ann"] * 2


async def test_a_card_that_is_long_late_is_left_out_and_a_little_late_is_sent(office: Office) -> None:
    """No process ran at nine: at five past it is still of use, at a quarter past it is not."""
    await office.promised("/digest 09:00")
    await office.tick(22.5 * HOUR + 15 * MINUTE)
    assert len(office.titles(office.ding)) == 1
    await office.tick(DAY - 10 * MINUTE)
    assert office.titles(office.ding)[1:] == ["Good morning, ann"]


async def test_a_card_for_working_days_knows_holidays(sqlite_store: Store) -> None:
    """Monday the 23rd is one here, so it comes on Tuesday."""
    office = Office(sqlite_store, ran("orders"), settings=WatchSettings(holidays=(date(2026, 11, 23),)))
    made = await office.promised("/handover 18:00 workdays")
    assert made.next_at.astimezone(office.fleet.zone).day == 24
    again = await office.promised("/handover 18:00 daily")
    assert (again.id, again.next_at.astimezone(office.fleet.zone).day) == (made.id, 22)


async def test_the_card_tells_what_failed_what_is_late_and_what_is_promised(sqlite_store: Store) -> None:
    """As the person may see it: nothing of projects that are not theirs."""
    office = Office(
        sqlite_store,
        ran("orders", Status.FAILED, hours_ago=1),
        ran("orders", Status.FAILED, hours_ago=25),
        ran("slow", Status.WAIT_UPSTREAM, hours_ago=4),
        ran("secret", Status.WAIT_UPSTREAM, hours_ago=4, project="crm"),
    )
    await office.promised("/follow slow")
    await office.promised("/mute orders 1h yes")
    await office.promised("/handover 10:35")
    await office.tick(5 * MINUTE)
    card = office.cards(office.ding, "group")[-1]
    text = card.as_text()
    for line in ("Failed: 1", "Failed again: 1", "Due two hours ago and not done: 1", "Your promises: 2", "Muted: 1"):
        assert line in text
    assert "secret" not in text


async def test_a_new_clock_time_replaces_the_old_one(office: Office) -> None:
    """One card a day in a chat, whatever was asked for before."""
    await office.promised("/digest 09:00")
    await office.promised("每天 11:00 发日报")
    await office.tick(30 * MINUTE)
    await office.tick(22 * HOUR)
    assert office.titles(office.ding).count("Good morning, ann") == 1


# ── taking over
async def test_a_shift_is_taken_over_once_and_its_card_says_by_whom(store: Store) -> None:
    """The button stands on the hand-over card, which is edited in place; the next shift is nobody's again."""
    office = Office(store, ran("orders"))
    made = await office.promised("/handover 10:35")
    await office.tick(5 * MINUTE)
    card = office.cards(office.ding, "group")[-1]
    pressed = next(button for button in buttons(card) if button.command == "ack")
    for name in ("cid", "ann"):
        asked = Asked(office.person(name), HERE, pressed.arguments, pressed=True)
        assert await office.commands.run("ack", asked) is None
        await office.tick()
    card = office.cards(office.ding, "group")[-1]
    assert Text(words("en")("watches.daily.taken_over", name="cid"), "strong") in card.blocks
    assert "ack" not in {button.command for button in buttons(card)}
    assert (len(office.cards(office.ding, "group")), await office.state(made)) == (2, "acknowledged")
    trail = [(one.actor, one.outcome) for one in await office.audit.search(Sought(action="watch.handover"))]
    assert trail == [("cid", "acknowledged"), ("ann", "made")]
    await office.tick(DAY)
    third = office.cards(office.ding, "group")[-1]
    assert "ack" in {button.command for button in buttons(third)}
    assert (len(office.cards(office.ding, "group")), await office.state(made)) == (3, "open")


async def test_nobody_takes_over_before_there_was_a_card_or_without_the_right_to_look(office: Office) -> None:
    """Nor a morning's card, which asks nobody."""
    handover, digest = await office.promised("/handover 10:35"), await office.promised("/digest 10:35")
    await office.say(f"/ack {handover.id}")
    assert await office.state(handover) == "open"
    await office.tick(5 * MINUTE)
    with pytest.raises(Denied):
        await office.say(f"/ack {handover.id}", "stranger")
    await office.say(f"/ack {digest.id}")
    assert (await office.state(handover), await office.state(digest)) == ("open", "open")
