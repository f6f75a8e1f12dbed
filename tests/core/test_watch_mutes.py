"""Muting: who may for how long, what it would hide and hides, when it ends; and that answers are never muted."""

from dataclasses import replace
from datetime import timedelta

import pytest

from core.audit import Sought
from core.errors import NotFound
from core.results import Diagnosed, InstanceDetail, Problem
from core.schedulers.base import AlertRule, Flags, Status
from core.store import Store
from core.watches.model import MutePreview, WatchList
from tests.fakes.desk import ran
from tests.fakes.promises import Office, table_of

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


@pytest.fixture
def office(sqlite_store: Store) -> Office:
    """A task that failed today, twice this week, and nine days ago; and once while it was frozen."""
    runs = [ran("orders", Status.FAILED, hours_ago=hours) for hours in (1, 25, 49, 9 * 24)]
    frozen = ran("orders", Status.FAILED, hours_ago=73, flags=Flags(frozen=True))
    failed = ran("clicks", Status.FAILED, project="crm", owner="bob")
    return Office(sqlite_store, *runs, frozen, failed, tables=(table_of(runs[0]),))


async def hidden(office: Office, *, project: str = "trade", task: str = "t_orders", table: str = "") -> bool:
    """Whether an alert about this would be kept from people now."""
    return await office.mutes.muted("demo", {project}, task, {table}) is not None


async def test_nothing_is_muted_before_the_person_saw_what_it_would_hide(office: Office) -> None:
    """The last seven days: neither older failures nor frozen ones, which nobody is told of anyway."""
    shown = await office.say("/mute orders 2h")
    assert isinstance(shown, MutePreview)
    assert (len(shown.hidden), shown.lasts) == (3, 2 * HOUR)
    assert not await hidden(office)


async def test_whom_the_scheduler_calls_all_the_same_is_said_before_anything_is_muted(office: Office) -> None:
    """Not of rules that are switched off."""
    calls = AlertRule("70", "orders late", people=("陈晓雯",))
    office.shelf.rules["t_orders"] = (calls, replace(calls, id="71", enabled=False))
    shown = await office.say("/mute orders 2h")
    assert isinstance(shown, MutePreview)
    assert shown.alert_rules == (calls,)


async def test_a_mute_ends_at_its_time_and_says_so(office: Office) -> None:
    made = await office.promised("/mute orders 2h yes")
    assert await hidden(office)
    await office.tick(2 * HOUR - MINUTE)
    assert await hidden(office)
    office.now.now += MINUTE
    assert not await hidden(office)  # also before anybody has ticked
    await office.tick()
    assert await office.state(made) == "ended time"
    assert office.titles(office.ding)[-1] == "The mute of orders is over, its alerts are heard again"


async def test_a_mute_ends_when_the_task_works_again(office: Office) -> None:
    """Really works: a success that wrote nothing, or that a person set, is none; neither is one from before."""
    made = await office.promised("/mute orders 2h yes")
    for flags in (Flags(dry_run=True), Flags(forced=True)):
        office.becomes("orders", status=Status.SUCCESS, flags=flags, finished_at=office.now.now + MINUTE)
        await office.tick(2 * MINUTE)
        assert await office.state(made) == "open"
    office.becomes("orders", status=Status.SUCCESS, flags=Flags(), finished_at=made.created_at - MINUTE)
    await office.tick(MINUTE)
    assert await office.state(made) == "open"
    office.becomes("orders", finished_at=office.now.now)
    await office.tick(MINUTE)
    assert await office.state(made) == "ended recovered"
    assert not await hidden(office)


async def test_a_mute_is_of_a_task_a_table_or_a_project(office: Office) -> None:
    """And of nothing else: there is no way to mute everything."""
    await office.promised("/mute table:orders 1h yes")
    assert not await hidden(office)
    assert await hidden(office, task="", table="orders")
    await office.promised("/mute trade 1h yes")
    assert await hidden(office)
    assert await hidden(office, task="any other")
    assert not await hidden(office, project="crm", task="t_clicks")
    assert not await hidden(office, project="", task="")
    for everything in ("*", "project:*", "project:demo:*"):
        answer = await office.say(f"/mute {everything} 1h yes", "root")
        assert not isinstance(answer, MutePreview)
        assert len(await office.watches.going_on(kind="mute")) == 2


@pytest.mark.parametrize(
    ("name", "line", "allowed"),
    [
        ("ann", "/mute orders 4h yes", True),
        ("ann", "/mute orders 5h yes", False),
        ("ops", "/mute orders 5h yes", True),
        ("ops", "/mute orders 25h yes", False),
        ("root", "/mute orders 7d yes", True),
        ("root", "/mute orders 8d yes", False),
        ("ann", "/mute clicks 1h yes", False),
        ("bob", "/mute clicks 1h yes", True),
        ("cid", "/mute orders 1h", False),
        ("stranger", "/mute orders 1h", False),
        ("ann", "mute orders for 5h", False),
        ("ann", "/mute orders forever", False),
    ],
)
async def test_who_may_mute_what_for_how_long(office: Office, name: str, line: str, *, allowed: bool) -> None:
    """By role, and on projects that are theirs: a mute hides it from everyone."""
    answer = await office.say(line, name)
    assert isinstance(answer, Problem) is not allowed
    assert len(await office.watches.going_on()) == allowed


async def test_muting_again_changes_for_how_long(office: Office) -> None:
    """One mute for a thing, with the name of who mutes it now."""
    first = await office.promised("/mute orders 1h yes")
    again = await office.promised("/mute orders 3h yes", "ops")
    assert (again.id, again.person) == (first.id, "ops")
    await office.tick(2 * HOUR)
    assert await hidden(office)


async def test_all_mutes_are_listed_and_ended_by_their_owner_or_an_ops_admin(office: Office) -> None:
    """The owner is told when it was someone else."""
    made = await office.promised("/mute orders 1h yes")
    listed = await office.say("/mutes", "cid")
    assert isinstance(listed, WatchList)
    assert [one.id for one in listed.watches] == [made.id]
    with pytest.raises(NotFound):
        await office.say("/unmute orders", "bob")
    await office.say("/unmute orders", "ops")
    await office.tick()
    assert not await hidden(office)
    assert office.titles(office.ding)[-1] == "ops ended the mute of orders, its alerts are heard again"


async def test_answers_are_never_muted_and_say_what_is(office: Office) -> None:
    """By whom and until when, on the status and on the diagnosis."""
    made = await office.promised("/mute orders 1h yes")
    ann = office.person("ann")
    detail, diagnosed = await office.look.status(ann, "orders"), await office.look.diagnose(ann, "orders")
    assert isinstance(detail, InstanceDetail)
    assert isinstance(diagnosed, Diagnosed)
    assert (detail.mute, diagnosed.mute) == (made, made)
    await office.say("/unmute orders")
    after = await office.look.status(ann, "orders")
    assert isinstance(after, InstanceDetail)
    assert after.mute is None


async def test_the_trail_tells_who_muted_what_and_how_it_ended(office: Office) -> None:
    await office.promised("/mute orders 1h yes")
    await office.tick(HOUR)
    told = [(entry.actor, entry.action, entry.outcome) for entry in await office.audit.search(Sought())]
    assert sorted(told) == [("ann", "watch.mute", "made"), ("system", "watch.mute", "ended")]


async def test_a_scheduler_that_does_not_answer_is_said_in_the_preview(office: Office) -> None:
    """Less than everything must not look like everything."""
    whole = await office.mutes.of_project("demo:trade", office.now.now + HOUR)
    office.shelf.hangs = True
    part = await office.mutes.of_project("demo:trade", office.now.now + HOUR)
    assert (len(whole.hidden), whole.partial, part.partial) == (3, False, True)
