"""The store: what is committed together, what does not take others along, and how it begins and ends."""

import asyncio
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Column, Connection, Integer, MetaData, String, Table, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from core.errors import ConfigurationError, Unreachable
from core.store import Store

thing = Table("thing", MetaData(), Column("id", Integer, primary_key=True), Column("word", String(20), nullable=False))


@pytest.fixture
async def things(store: Store) -> Store:
    """A store with one table for these tests, apart from the product's."""
    await store.write(thing.create)
    return store


async def in_one_batch(store: Store, *works: Callable[[Connection], object]) -> list[object]:
    """Have writes wait while another one is under way, so that they share a transaction; returns what became of each."""
    go = threading.Event()
    first = asyncio.create_task(store.write(lambda _: go.wait(10)))
    rest = [asyncio.create_task(store.write(work)) for work in works]
    await asyncio.sleep(0)  # each has joined the queue
    go.set()
    await first
    return await asyncio.gather(*rest, return_exceptions=True)


async def count(store: Store) -> int:
    """Rows committed."""
    return await store.read(lambda connection: connection.scalar(select(func.count()).select_from(thing)) or 0)


class Adding:
    """A write of one row; counts how often it was run."""

    def __init__(self, id: int, word: str | None = "a") -> None:
        self.row = {"id": id, "word": word}
        self.runs = 0

    def __call__(self, connection: Connection) -> int:
        self.runs += 1
        connection.execute(insert(thing), self.row)
        return self.runs


class Change:
    """Adds a letter to a row's word; the first run may wait until another transaction is as far."""

    def __init__(self, id: int, meeting: threading.Barrier | None = None) -> None:
        self.id = id
        self.meeting = meeting

    def __call__(self, connection: Connection) -> None:
        connection.execute(update(thing).where(thing.c.id == self.id).values(word=thing.c.word + "a"))
        meeting, self.meeting = self.meeting, None
        if meeting is not None:
            meeting.wait(10)


async def test_a_write_returns_what_its_function_returned_and_is_there_to_read(things: Store) -> None:
    assert await things.write(Adding(1)) == 1
    assert await count(things) == 1


async def test_writes_that_wait_are_committed_together(things: Store) -> None:
    order, transactions = list[int](), set[int]()

    def note(number: int, connection: Connection) -> None:
        order.append(number)
        transactions.add(id(connection.get_transaction()))

    await in_one_batch(things, *(partial(note, number) for number in range(50)))
    assert order == list(range(50))
    assert len(transactions) == 1


async def test_a_write_that_fails_takes_nobody_along(things: Store) -> None:
    await things.write(Adding(7))
    writes = [Adding(id) for id in (1, 2, 7, 3)] + [Adding(4, None), Adding(5)]
    outcomes = await in_one_batch(things, *writes)
    assert [isinstance(outcome, IntegrityError) for outcome in outcomes] == [False, False, True, False, True, False]
    assert await count(things) == 5


async def test_a_write_that_fails_leaves_nothing_of_itself(things: Store) -> None:
    def half(connection: Connection) -> None:
        connection.execute(insert(thing), {"id": 1, "word": "a"})
        raise LookupError

    outcomes = await in_one_batch(things, half, half, half)
    assert [type(outcome) for outcome in outcomes] == [LookupError] * 3
    assert await count(things) == 0


async def test_a_write_whose_caller_gave_up_stands_and_the_others_go_on(things: Store) -> None:
    given_up = asyncio.create_task(things.write(Adding(1)))
    await asyncio.sleep(0)
    given_up.cancel()
    await asyncio.gather(things.write(Adding(2)), given_up, return_exceptions=True)
    assert await count(things) == 2


async def test_a_deadlock_that_batching_made_is_settled_by_running_each_alone(postgres_store: Store) -> None:
    """Two replicas lock two rows in opposite order, each within one batch of two writes."""
    other = Store(postgres_store.url.render_as_string(hide_password=False))
    await postgres_store.write(thing.create)
    for id in (1, 2):
        await postgres_store.write(Adding(id))
    met = threading.Barrier(2)
    outcomes = await asyncio.gather(
        in_one_batch(postgres_store, Change(1, met), Change(2)), in_one_batch(other, Change(2, met), Change(1))
    )
    assert outcomes == [[None, None], [None, None]]
    words = await other.read(lambda connection: connection.scalars(select(thing.c.word)).all())
    assert sorted(words) == ["aaa", "aaa"]
    await other.stop()


async def test_stopping_commits_what_waits_and_then_refuses(sqlite_url: str) -> None:
    store = Store(sqlite_url)
    await store.write(thing.create)
    waiting = [asyncio.create_task(store.write(Adding(number))) for number in range(500)]
    await asyncio.sleep(0)
    await store.stop()
    await asyncio.gather(*waiting)
    for _ in range(2):
        with pytest.raises(RuntimeError):
            await store.write(Adding(1000))
    reopened = Store(sqlite_url)
    assert await count(reopened) == 500
    await reopened.stop()


async def test_a_database_that_is_away_is_unreachable_and_stopping_still_works(
    postgres_url: str,
) -> None:
    store = Store(postgres_url.replace("xops_", "gone_"))
    for attempt in (store.read, store.write):
        with pytest.raises(Unreachable):
            await attempt(lambda connection: connection.scalar(select(1)))
    await store.stop()


async def test_one_process_claims_a_sqlite_file_until_it_stops(sqlite_url: str) -> None:
    first, second = Store(sqlite_url), Store(sqlite_url)
    first.claim()
    first.claim()
    with pytest.raises(ConfigurationError, match="already works on"):
        second.claim()
    await first.stop()
    second.claim()
    await second.stop()


async def test_replicas_need_no_claim(postgres_url: str) -> None:
    stores = [Store(postgres_url), Store(postgres_url)]
    for store in stores:
        store.claim()
        await store.stop()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
def test_sqlite_without_a_file_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="needs a file"):
        Store(url)


async def test_the_directory_of_a_sqlite_file_is_made(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/new/directory/xops.sqlite")
    await store.write(thing.create)
    await store.stop()
    assert (tmp_path / "new/directory/xops.sqlite").is_file()
