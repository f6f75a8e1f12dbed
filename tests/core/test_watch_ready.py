"""Ready, or someone is called: told when the table is there; at the deadline one person after the other, until one answers."""

from datetime import timedelta

import pytest

from core.errors import NotApprover
from core.results import Missing, TableReport
from core.schedulers.base import Flags, Status
from core.settings import PersonSettings
from core.store import Store
from core.watches.model import WatchView
from tests.fakes.desk import ran
from tests.fakes.promises import PATIENCE, PEOPLE, Office, table_of

MINUTE = timedelta(minutes=1)
HALF_HOUR = timedelta(minutes=30)
ASK = "/ready orders 11:00 bob cid"
"""Asked at half past ten."""


@pytest.fixture
def office(sqlite_store: Store) -> Office:
    """A table whose task waits for another that failed; it was there every day before."""
    orders = ran("orders", Status.WAIT_UPSTREAM, hours_ago=2)
    before = [ran("orders", hours_ago=2 + 24 * days) for days in range(1, 6)]
    source = ran("source", Status.FAILED, hours_ago=3)
    made = Office(sqlite_store, orders, source, *before, tables=(table_of(orders),))
    made.shelf.upstreams[orders.id] = (source.id,)
    return made


async def test_who_asked_is_told_when_it_is_there_and_nobody_is_called(office: Office) -> None:
    made = await office.promised(ASK)
    office.becomes("orders", status=Status.SUCCESS)
    office.fills("orders")
    await office.tick(MINUTE)
    assert office.titles(office.ding)[-1] == "orders is ready"
    await office.tick(HALF_HOUR)
    assert (await office.state(made), office.wecom.shown) == ("ended done", {})


async def test_a_success_that_wrote_nothing_is_not_ready(office: Office) -> None:
    """The deadline holds."""
    made = await office.promised(ASK)
    office.becomes("orders", status=Status.SUCCESS, flags=Flags(dry_run=True))
    await office.tick(MINUTE)
    assert await office.state(made) == "open"
    await office.tick(HALF_HOUR)
    assert await office.state(made) == "late"


async def test_at_the_deadline_the_first_is_called_with_what_holds_it_up(office: Office) -> None:
    """In their own messenger: state, forecast, blocker with its owner, and a button to take it on."""
    await office.promised(ASK)
    await office.tick(HALF_HOUR - MINUTE)
    assert office.wecom.shown == {}
    await office.tick(MINUTE)
    (card,) = office.cards(office.wecom, "w-bob")
    text = card.as_text()
    assert card.title == "orders is late"
    for line in ("Now: late", "Expected: ", "· source  failed", "Called: bob", "[I take it on]", "Asked by: ann"):
        assert line in text
    assert office.titles(office.ding)[-1] == "orders is late"
    assert "[I take it on]" not in office.cards(office.ding, "group")[-1].as_text()


async def test_the_next_is_called_when_nobody_answers(office: Office) -> None:
    """On every messenger that knows them; the first one's card stays one card."""
    await office.promised(ASK)
    await office.tick(HALF_HOUR)
    await office.tick(PATIENCE - MINUTE)
    assert "wecom:w-cid" not in office.wecom.shown
    await office.tick(MINUTE)
    assert (len(office.cards(office.wecom, "w-cid")), len(office.cards(office.ding, "d-cid"))) == (1, 1)
    (first,) = office.cards(office.wecom, "w-bob")
    assert "Called: bob, cid" in first.as_text()
    await office.tick(PATIENCE)
    await office.tick(PATIENCE)
    assert sum(map(len, office.wecom.shown.values())) == 2


async def test_whoever_takes_it_on_ends_the_calling_and_everyone_sees_who(office: Office) -> None:
    """Only someone who was called may; pressing twice is harmless."""
    made = await office.promised(ASK)
    await office.tick(HALF_HOUR)
    with pytest.raises(NotApprover):
        await office.say(f"/ack {made.id}", "cid")
    for _ in range(2):
        shown = await office.say(f"/ack {made.id}", "bob")
        assert isinstance(shown, WatchView)
        assert shown.watch.memory.acknowledged_by == "bob"
    await office.tick(PATIENCE)
    await office.tick(PATIENCE)
    assert "wecom:w-cid" not in office.wecom.shown
    assert office.titles(office.ding)[-1] == "orders is late; someone is on it"
    assert "[I take it on]" not in office.cards(office.wecom, "w-bob")[0].as_text()
    office.becomes("orders", status=Status.SUCCESS)
    office.fills("orders")
    await office.tick(MINUTE)
    assert office.titles(office.wecom, "w-bob") == ["orders is ready"]
    assert await office.state(made) == "ended done"


async def test_a_group_is_called_one_after_the_other(office: Office) -> None:
    made = await office.promised("orders 好了告诉我，11点还没好就叫 night")
    assert made.memory.call == ("bob", "cid")


async def test_nobody_need_be_called(office: Office) -> None:
    """Then only whoever asked learns that it is late, once."""
    made = await office.promised("/ready orders 11:00")
    for _ in range(4):
        await office.tick(HALF_HOUR)
    assert office.titles(office.ding).count("orders is late") == 2  # the first card, edited, and the one that rang
    assert await office.state(made) == "late"


async def test_who_is_called_must_be_known_and_may_look(office: Office) -> None:
    """A misspelt name is found out when it is written, not at the deadline."""
    unknown = await office.say("/ready orders 11:00 bpb")
    assert isinstance(unknown, Missing)
    assert (unknown.kind, await office.watches.going_on()) == ("person", [])


async def test_someone_who_lost_their_rights_is_not_called(office: Office) -> None:
    """The next is, after the same wait."""
    await office.promised(ASK)
    gone = PersonSettings(name="bob2", role="viewer")
    office.restart((*(one for one in PEOPLE if one.name != "bob"), gone))
    await office.tick(HALF_HOUR)
    assert office.wecom.shown == {}
    await office.tick(PATIENCE)
    assert list(office.wecom.shown) == ["wecom:w-cid"]


async def test_a_table_that_is_there_needs_no_promise(office: Office) -> None:
    office.becomes("orders", status=Status.SUCCESS)
    office.fills("orders")
    answer = await office.say(ASK)
    assert isinstance(answer, TableReport)
    assert await office.watches.going_on() == []


async def test_a_scheduler_that_is_down_makes_no_deadline_wait(office: Office) -> None:
    """Whoever is called learns what was known last."""
    made = await office.promised(ASK)
    office.shelf.hangs = True
    await office.tick(HALF_HOUR)
    assert (await office.state(made), office.titles(office.wecom, "w-bob")) == ("late", ["orders is late"])


async def test_a_deadline_that_passed_while_no_process_ran_still_calls(office: Office) -> None:
    """Late is better than never, and one card is enough."""
    made = await office.promised(ASK)
    office.restart(PEOPLE)
    await office.tick(timedelta(hours=5))
    assert (await office.state(made), office.titles(office.wecom, "w-bob")) == ("late", ["orders is late"])


async def test_a_table_that_never_comes_is_waited_for_one_day(office: Office) -> None:
    made = await office.promised(ASK)
    await office.tick(HALF_HOUR)
    await office.tick(timedelta(days=1))
    assert await office.state(made) == "ended time"
    assert office.titles(office.ding)[-1] == "orders did not come"


async def test_a_table_whose_writer_does_nothing_is_not_asked_about(office: Office) -> None:
    """Between two looks only the list of the day is read."""
    await office.promised("/ready orders 23:00 bob")
    await office.tick(MINUTE)
    office.shelf.asked.clear()
    for _ in range(3):
        await office.tick(MINUTE)
    assert office.shelf.asked == ["instances"] * 3


async def test_without_a_deadline_it_is_waited_for_until_the_day_is_over(office: Office) -> None:
    """Nobody is called; who asked is told either way."""
    made = await office.promised("tell me when orders is ready")
    assert (made.kind, made.memory.call) == ("ready", ())
    assert made.until is not None
    assert f"{made.until.astimezone(office.fleet.zone):%d %H:%M}" == "22 23:59"


async def test_a_task_that_writes_no_table_of_its_name_is_followed(office: Office) -> None:
    made = await office.promised("source 跑好了喊我")
    assert (made.kind, made.name) == ("follow", "source")
