"""The journal: what is accepted once, what happens when there is too much, and what a dead process leaves."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Column, Connection, MetaData, Table, Text, insert, select, update
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from core.errors import ConfigurationError, Unreachable
from core.inbox import Inbox, inbox
from core.lanes import Lanes
from core.messages import Actor, Click, Conversation, Event, Message
from core.store import Store
from core.store.clock import now
from tests.waiting import eventually

AT = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)


def message(number: int, chat: str = "oc_1") -> Message:
    """The message of this number, in a chat."""
    return Message(
        id=f"{chat}-{number}",
        conversation=Conversation("feishu", chat),
        actor=Actor("feishu", "ou_1"),
        text=f"昨晚哪些任务失败了 {number}",
        at=AT,
    )


class Desk:
    """Handles events by writing down their keys; can be told to fail or to wait."""

    def __init__(self) -> None:
        self.handled: list[str] = []
        self.told: list[str] = []
        self.open = asyncio.Event()
        self.open.set()
        self.failure: Exception | None = None

    async def handle(self, event: Event) -> None:
        """What `Inbox` calls for an event."""
        await self.open.wait()
        if self.failure is not None:
            raise self.failure
        self.handled.append(event.key)

    async def busy(self, event: Event) -> None:
        """What `Inbox` calls when there is too much."""
        self.told.append(event.key)


@asynccontextmanager
async def opened(
    store: Store, desk: Desk, *, owner: str = "a", lanes: Lanes | None = None, lease: float = 15.0
) -> AsyncGenerator[Inbox]:
    """A started inbox, stopped afterwards."""
    opened_inbox = Inbox(store, lanes or Lanes(), desk.handle, desk.busy, owner=owner, lease_seconds=lease)
    await opened_inbox.start()
    try:
        yield opened_inbox
    finally:
        desk.open.set()
        await opened_inbox.stop()


async def outcomes(store: Store) -> dict[str, str]:
    """Outcome of every journalled event; empty while it is unfinished."""
    query = select(inbox.c.key, inbox.c.outcome)
    return await store.read(lambda connection: {row.key: row.outcome for row in connection.execute(query)})


def all_are(store: Store, outcome: str) -> Callable[[], Awaitable[bool]]:
    """Whether every journalled event has this outcome."""

    async def look() -> bool:
        found = await outcomes(store)
        return bool(found) and set(found.values()) == {outcome}

    return look


async def test_an_event_is_handled_once_however_often_it_comes(store: Store) -> None:
    desk = Desk()
    async with opened(store, desk) as journal:
        answers = await asyncio.gather(*(journal.accept(message(1)) for _ in range(5)))
        assert sorted(answers) == [False, False, False, False, True]
        await eventually(all_are(store, "done"))
        assert await journal.accept(message(1)) is False
    assert desk.handled == ["feishu:oc_1-1"]


async def test_a_conversation_is_answered_in_the_order_it_spoke(store: Store) -> None:
    desk, lanes = Desk(), Lanes(per_lane=50)
    async with opened(store, desk, lanes=lanes) as journal:
        await asyncio.gather(*(journal.accept(message(number)) for number in range(40)))
        await eventually(all_are(store, "done"))
    assert desk.handled == [f"feishu:oc_1-{number}" for number in range(40)]


async def test_too_much_is_recorded_as_busy_and_the_person_is_told(store: Store) -> None:
    desk, lanes = Desk(), Lanes(per_lane=1)
    desk.open.clear()
    async with opened(store, desk, lanes=lanes) as journal:
        assert await journal.accept(message(1))
        assert await journal.accept(message(2))
        await eventually(lambda: desk.told)
        assert await outcomes(store) == {"feishu:oc_1-1": "", "feishu:oc_1-2": "busy"}
    assert desk.told == ["feishu:oc_1-2"]
    assert desk.handled == ["feishu:oc_1-1"]


async def test_an_event_whose_handling_fails_has_failed_and_names_itself_in_the_log(store: Store) -> None:
    desk = Desk()
    desk.failure = Unreachable("no answer", system="airflow")
    with capture_logs(processors=[merge_contextvars]) as logs:
        async with opened(store, desk) as journal:
            await journal.accept(message(1))
            await eventually(all_are(store, "failed"))
            desk.failure = None
            await journal.accept(message(2))
    assert [(line["event"], line["key"]) for line in logs] == [("lane.failed", "feishu:oc_1-1")]
    assert desk.handled == ["feishu:oc_1-2"]


@pytest.mark.parametrize(("note", "outcome"), [("fits", "done"), (None, "")])
async def test_what_a_handler_returns_is_written_with_the_outcome_or_neither(
    store: Store, note: str | None, outcome: str
) -> None:
    """Without its outcome an event is unfinished, so it will be handled again."""
    table = Table("note", MetaData(), Column("text", Text, nullable=False))
    await store.write(table.create)
    tried = asyncio.Event()

    async def handle(event: Event) -> Callable[[Connection], object]:
        tried.set()
        return lambda connection: connection.execute(insert(table), {"text": note})

    with capture_logs():
        journal = Inbox(store, Lanes(), handle, Desk().busy, owner="a")
        await journal.start()
        await journal.accept(message(1))
        await tried.wait()
        await journal.stop()
    assert await outcomes(store) == {"feishu:oc_1-1": outcome}
    written = await store.read(lambda connection: connection.scalars(select(table.c.text)).all())
    assert list(written) == ([note] if note else [])


async def test_what_a_dead_process_left_is_handled_in_order_with_nothing_lost(store: Store) -> None:
    """Clicks with their arguments come back from the journal as they went in."""
    click = Click("c-1", Conversation("feishu", "oc_1"), Actor("feishu", "ou_1"), "log", AT, {"target": "demo:一"})
    events = [message(1), message(2), click]
    await abandon(store, events)
    seen: list[Event] = []

    async def handle(event: Event) -> None:
        seen.append(event)

    heir = Inbox(store, Lanes(), handle, handle, owner="heir")
    await heir.start()
    await eventually(all_are(store, "done"))
    await heir.stop()
    assert seen == events


async def test_an_event_that_ended_its_process_three_times_is_given_up(store: Store) -> None:
    desk = Desk()
    await abandon(store, [message(1)], attempts=3)
    with capture_logs() as logs:
        async with opened(store, desk):
            await eventually(all_are(store, "failed"))
    assert "inbox.given_up" in [line["event"] for line in logs]
    assert desk.handled == []


async def test_a_row_nobody_can_read_does_not_hold_up_the_others(store: Store) -> None:
    desk = Desk()
    await abandon(store, [message(1), message(2)])
    broken = update(inbox).where(inbox.c.key == "feishu:oc_1-1").values(payload='{"type": "message"}')
    await store.write(lambda connection: connection.execute(broken))
    with capture_logs() as logs:
        async with opened(store, desk):
            await eventually(lambda: desk.handled)
    assert await outcomes(store) == {"feishu:oc_1-1": "failed", "feishu:oc_1-2": "done"}
    assert "inbox.unreadable" in [line["event"] for line in logs]


async def test_old_events_are_forgotten_and_recent_ones_are_kept(store: Store) -> None:
    desk = Desk()
    async with opened(store, desk) as journal:
        await journal.accept(message(1))
        await journal.accept(message(2))
        await eventually(all_are(store, "done"))
    old = update(inbox).where(inbox.c.key == "feishu:oc_1-1").values(finished_at=now(-14 * 86400 - 1))
    await store.write(lambda connection: connection.execute(old))
    async with opened(store, desk):

        async def only_the_recent() -> bool:
            return list(await outcomes(store)) == ["feishu:oc_1-2"]

        await eventually(only_the_recent)


async def test_only_one_process_works_on_a_sqlite_file(sqlite_store: Store) -> None:
    desk, second = Desk(), Store(str(sqlite_store.url))
    async with opened(sqlite_store, desk):
        with pytest.raises(ConfigurationError, match="already works on"):
            await Inbox(second, Lanes(), desk.handle, desk.busy, owner="b").start()
    await second.stop()


async def test_replicas_leave_each_others_events_alone_while_both_live(postgres_store: Store) -> None:
    """A lease is renewed for as long as the work takes, so the other replica never sees it end."""
    mine, theirs = Desk(), Desk()
    mine.open.clear()
    async with (
        opened(postgres_store, mine, owner="a", lease=0.3) as journal,
        opened(postgres_store, theirs, owner="b", lease=0.3),
    ):
        await journal.accept(message(1))
        begun = await _lease(postgres_store)

        async def renewed() -> bool:
            return await _lease(postgres_store) > begun + timedelta(seconds=0.6)

        await eventually(renewed)
        mine.open.set()
        await eventually(all_are(postgres_store, "done"))
    assert (mine.handled, theirs.handled) == (["feishu:oc_1-1"], [])


async def test_a_replica_that_stops_hands_over_at_once(postgres_store: Store) -> None:
    """Without that, others would wait for the end of a lease that is an hour long here."""
    desk, heir = Desk(), Desk()
    desk.open.clear()
    leaving = Inbox(postgres_store, Lanes(), desk.handle, desk.busy, owner="a", lease_seconds=3600)
    await leaving.start()
    await leaving.accept(message(1))
    await leaving.stop(within=0.01)
    async with opened(postgres_store, heir, owner="b"):
        await eventually(all_are(postgres_store, "done"))
    assert (desk.handled, heir.handled) == ([], ["feishu:oc_1-1"])


async def abandon(store: Store, events: list[Event], *, attempts: int = 1) -> None:
    """Journal events as a process does that dies before it handled them."""
    desk = Desk()
    desk.open.clear()
    dead = Inbox(store, Lanes(), desk.handle, desk.busy, owner="dead", lease_seconds=-1)
    for event in events:
        await dead.accept(event)
    await store.write(lambda connection: connection.execute(update(inbox).values(attempts=attempts)))


async def _lease(store: Store) -> datetime:
    return await store.read(lambda connection: connection.execute(select(inbox.c.lease_until)).scalar_one())
