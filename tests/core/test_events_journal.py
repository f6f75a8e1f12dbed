"""The journal of events: once each, applied in one transaction, nothing lost and nobody held up."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from core.errors import Busy, Unreachable
from core.events.dataworks.instances import InstanceStatusChanged
from core.events.incoming import DATAWORKS, Incoming, read_event, unreadable
from core.events.journal import BITE, Applier, Committed, Events
from core.store import Store
from tests.core.event_samples import cloud_event, status_changed
from tests.fakes.wall_clock import WallClock

ZONE = ZoneInfo("Asia/Shanghai")


def status(id: str, modified: int = 1652700577000, instance: int = 7, code: int = 6) -> Incoming:
    """An instance's new status."""
    return read_event(DATAWORKS, status_changed(instance, code, modified, id), datetime(2026, 11, 22, tzinfo=UTC))


class Mirror:
    """Keeps the newest status of each instance in a table of its own, as an applier may."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.seen: list[str] = []
        self.poisoned = ""

    async def start(self) -> None:
        """Make the table."""
        await self._store.write(
            lambda connection: connection.execute(
                text("CREATE TABLE IF NOT EXISTS seen (instance TEXT PRIMARY KEY, status TEXT, at BIGINT)")
            )
        )

    def apply(self, connection: Connection, batch: Sequence[Incoming]) -> None:
        """The newer of two wins."""
        for one in batch:
            assert isinstance(one.body, InstanceStatusChanged)
            row = {"instance": one.body.task_id, "status": str(one.body.status), "at": int(one.at.timestamp() * 1000)}
            connection.execute(
                text(
                    "INSERT INTO seen VALUES (:instance, :status, :at) ON CONFLICT (instance) DO UPDATE"
                    " SET status = excluded.status, at = excluded.at WHERE excluded.at > seen.at"
                ),
                row,
            )
            if one.id == self.poisoned:
                raise LookupError("cannot be applied")
            self.seen.append(one.id)

    async def states(self) -> dict[str, str]:
        """What it knows."""
        rows = await self._store.read(lambda c: c.execute(text("SELECT instance, status FROM seen")).all())
        return {row[0]: row[1] for row in rows}


def events(
    store: Store,
    *appliers: Applier,
    clock: WallClock | None = None,
    committed: Committed | None = None,
    most: int = 10_000,
) -> Events:
    """A journal."""
    return Events(store, clock=clock or WallClock(), zone=ZONE, appliers=appliers, committed=committed, most=most)


async def test_a_redelivery_changes_nothing(store: Store) -> None:
    """In the same request, in the next one, and in two at once."""
    mirror = Mirror(store)
    await mirror.start()
    journal = events(store, mirror.apply)
    assert await journal.accept([status("a"), status("a"), status("b")]) == 2
    assert await journal.accept([status("a")]) == 0
    both = await asyncio.gather(*(journal.accept([status("c"), status("d")]) for _ in range(4)))
    assert sum(both) == 2
    assert sorted(mirror.seen) == ["a", "b", "c", "d"]


async def test_a_batch_is_applied_by_the_platforms_clock(sqlite_store: Store) -> None:
    """Whatever the order on the wire."""
    mirror = Mirror(sqlite_store)
    await mirror.start()
    await events(sqlite_store, mirror.apply).accept([status("late", 3000), status("early", 1000), status("mid", 2000)])
    assert mirror.seen == ["early", "mid", "late"]


async def test_one_that_cannot_be_applied_is_set_aside_and_the_rest_goes_on(store: Store) -> None:
    """What it wrote before it failed is undone; once the fault is gone it can be tried again."""
    mirror = Mirror(store)
    await mirror.start()
    mirror.poisoned = "bad"
    journal = events(store, mirror.apply)
    assert (
        await journal.accept([status("good", instance=1), status("bad", instance=2), status("well", instance=3)]) == 3
    )
    assert set(await mirror.states()) == {"1", "3"}
    (dead,) = await journal.dead()
    assert (dead.id, dead.error) == ("bad", "LookupError: cannot be applied")
    assert await journal.retry() == (1, 0)
    mirror.poisoned = ""
    assert await journal.retry("bad") == (1, 1)
    assert (await mirror.states(), await journal.dead()) == ({"1": "6", "2": "6", "3": "6"}, [])


async def test_what_is_no_event_is_kept_and_cannot_be_revived(store: Store) -> None:
    """It is listed with its reason; trying it again leaves it where it is."""
    journal = events(store)
    await journal.accept([unreadable(DATAWORKS, '{"broken": password=hunter22x', "not JSON", datetime.now(UTC))])
    (dead,) = await journal.dead()
    assert (dead.error, dead.payload) == ("not JSON", '{"broken": password=***')
    assert await journal.retry() == (1, 0)


async def test_what_is_understood_later_is_revived_under_the_key_it_has(store: Store) -> None:
    """A body that was set aside as no event, and that a newer version can read, is applied like any other."""
    mirror = Mirror(store)
    await mirror.start()
    journal = events(store, mirror.apply)
    readable = status("a")
    await journal.accept([unreadable(DATAWORKS, readable.payload, "not understood", readable.received_at)])
    assert await journal.retry() == (1, 1)
    assert (await mirror.states(), await journal.dead(), await journal.retry()) == ({"7": "6"}, [], (0, 0))


async def test_unknown_types_are_counted(store: Store) -> None:
    """So that somebody notices what the platform has added; nobody applies them."""
    mirror = Mirror(store)
    journal = events(store, mirror.apply)
    kinds = [("1", "dataworks:New:One"), ("2", "dataworks:New:One"), ("3", "dataworks:New:Two")]
    await journal.accept([read_event(DATAWORKS, cloud_event(kind, {}, id), datetime.now(UTC)) for id, kind in kinds])
    assert await journal.unknown() == {"dataworks:New:One": 2, "dataworks:New:Two": 1}
    assert mirror.seen == []


async def test_the_hook_hears_of_what_is_safe_and_new(sqlite_store: Store) -> None:
    """After the commit, and never of a redelivery."""
    heard: list[list[str]] = []

    async def committed(batch: Sequence[Incoming]) -> None:
        rows = await sqlite_store.read(lambda c: c.execute(text("SELECT id FROM event")).scalars().all())
        assert {one.id for one in batch} <= set(rows)
        heard.append([one.id for one in batch])

    journal = events(sqlite_store, committed=committed)
    await journal.accept([status("b", 2000), status("a", 1000)])
    await journal.accept([status("a", 1000)])
    assert heard == [["a", "b"]]


async def test_a_flood_waits_with_its_sender(sqlite_store: Store) -> None:
    """Beyond so many events nothing more is taken until some are done."""
    journal = events(sqlite_store, most=3)
    first = asyncio.create_task(journal.accept([status("a"), status("b")]))
    await asyncio.sleep(0)
    with pytest.raises(Busy):
        await journal.accept([status("c"), status("d")])
    assert await first == 2
    assert await journal.accept([status("c"), status("d")]) == 2


async def test_nothing_is_taken_while_stopping(sqlite_store: Store) -> None:
    """What was under way is still finished."""
    journal = events(sqlite_store)
    under_way = asyncio.create_task(journal.accept([status("a")]))
    await asyncio.sleep(0)
    journal.stop()
    with pytest.raises(Unreachable):
        journal.admit()
    assert await under_way == 1


async def test_stored_events_are_applied_again_in_bites(store: Store) -> None:
    """How a mirror is rebuilt: everything since, oldest first, once, more than one bite of it."""
    mirror = Mirror(store)
    await mirror.start()
    journal = events(store)
    many = [status(f"{number:05}", instance=number) for number in range(BITE + 5)]
    await journal.accept(many)
    since = many[0].received_at
    rebuilt = events(store, mirror.apply)
    sizes: list[int] = []
    async for bite in rebuilt.stored(since):
        sizes.append(len(bite))
        await rebuilt.apply_again(bite)
    assert (sizes, await journal.count(since)) == ([BITE, 5], BITE + 5)
    assert len(set(mirror.seen)) == len(mirror.seen) == BITE + 5
    assert [bite async for bite in rebuilt.stored(since + timedelta(seconds=1))] == []


async def test_old_events_are_forgotten(store: Store) -> None:
    """In bites, and only those that are older than they are kept."""
    clock = WallClock(datetime(2026, 11, 22, tzinfo=UTC))
    journal = events(store, clock=clock)
    await journal.accept([status(f"{number}") for number in range(BITE + 1)])
    clock.advance(4 * 86400)
    fresh = read_event(DATAWORKS, status_changed(1, 6, 1000, "new"), clock())
    await journal.accept([fresh])
    await journal.forget()
    assert await journal.count(datetime(2020, 1, 1, tzinfo=UTC)) == 1


def test_an_event_from_a_skewed_clock_keeps_its_time() -> None:
    """The platform's clock puts its events in order; that it is a day ahead of ours changes nothing."""
    ahead = int(datetime(2026, 11, 23, tzinfo=UTC).timestamp() * 1000)
    assert status("a", ahead).at > status("a").received_at


STORY = [(instance, step) for instance in range(3) for step in range(4)]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.permutations(STORY), st.lists(st.sampled_from(STORY), max_size=10), st.integers(1, 8))
async def test_any_order_and_any_number_of_deliveries_converge(
    sqlite_store: Store, order: list[tuple[int, int]], again: list[tuple[int, int]], size: int
) -> None:
    """Permuted, duplicated and cut into requests at will: the mirror ends as if all had come once and in order."""
    mirror = Mirror(sqlite_store)
    await mirror.start()
    for forget in ("DELETE FROM seen", "DELETE FROM event"):
        await sqlite_store.write(lambda connection, forget=forget: connection.exec_driver_sql(forget))
    journal = events(sqlite_store, mirror.apply)
    sent = [status(f"{instance}-{step}", 1000 + step, instance, code=step + 1) for instance, step in [*order, *again]]
    await asyncio.gather(*(journal.accept(sent[start : start + size]) for start in range(0, len(sent), size)))
    assert await mirror.states() == {"0": "4", "1": "4", "2": "4"}


async def test_requests_that_wait_are_taken_together_and_each_hears_of_its_own(sqlite_store: Store) -> None:
    """One transaction for all that came during the one before; of an event that two bring, one hears that it is new."""
    sizes: list[int] = []
    journal = events(sqlite_store, lambda _, batch: sizes.append(len(batch)))
    bodies = [[status("a"), status("b")], [status("b"), status("c")], [status("c")], [status("d")]]
    assert await asyncio.gather(*(journal.accept(body) for body in bodies)) == [2, 1, 0, 1]
    assert sizes == [4]


async def test_a_batch_that_no_database_takes_fails_alone(sqlite_store: Store) -> None:
    """Those that wait with it are stored, and only its sender hears of it."""
    journal = events(sqlite_store)
    impossible = replace(status("bad"), payload="\ud800")
    bodies = [[status("a")], [impossible], [status("b")]]
    results = await asyncio.gather(*(journal.accept(body) for body in bodies), return_exceptions=True)
    assert (results[0], type(results[1]), results[2]) == (1, UnicodeEncodeError, 1)


async def test_a_sender_that_gives_up_costs_nobody_else_an_answer(sqlite_store: Store) -> None:
    """Its events stand."""
    journal = events(sqlite_store)
    leaving, staying = (asyncio.create_task(journal.accept([status(id)])) for id in "ab")
    await asyncio.sleep(0)
    leaving.cancel()
    assert await staying == 1
    assert await journal.accept([status("a")]) == 0
