"""The audit trail: whole under concurrent writers, and no change of it goes unnoticed."""

import asyncio
import hashlib
import json
from contextlib import suppress
from datetime import datetime, timedelta
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, update
from sqlalchemy.exc import IntegrityError

from core.audit import Audit, Sought
from core.audit import audit as table
from core.errors import Tampered
from core.store import Store
from core.store.tables import declared
from tests.fakes.wall_clock import WallClock

AT = datetime(2026, 3, 1, 8, 30, 15, 123456, ZoneInfo("Asia/Shanghai"))

MOMENTS = st.datetimes(datetime(1980, 1, 1), datetime(2200, 1, 1), timezones=st.timezones())  # noqa: DTZ001  # it adds one


def trail(store: Store) -> Audit:
    """A trail whose clock stands still."""
    return Audit(store, clock=lambda: AT)


async def write(audit: Audit, count: int, actor: str = "陈晓雯") -> None:
    """Append some entries at once."""
    targets = [f"demo:{number}" for number in range(count)]
    await asyncio.gather(
        *(
            audit.record(actor=actor, action="rerun", target=name, outcome="denied", details={"原因": "角色"})
            for name in targets
        )
    )


async def test_an_untouched_trail_holds(store: Store) -> None:
    audit = trail(store)
    assert await audit.verify() == 0
    await write(audit, 25)
    assert await audit.verify() == 25


async def test_writers_in_two_processes_make_one_chain(store: Store) -> None:
    """Two stores are two processes as far as the database can see."""
    other = Store(store.url.render_as_string(hide_password=False))
    await asyncio.gather(write(trail(store), 60, "a"), write(trail(other), 60, "b"))
    await other.stop()
    assert await trail(store).verify() == 120


async def test_an_entry_stands_and_falls_with_its_transaction(store: Store) -> None:
    audit = trail(store)

    def refused(connection: Connection) -> None:
        audit.entry(connection, actor="a", action="rerun", target="demo:1", outcome="confirmed")
        raise LookupError

    await write(audit, 2)
    with pytest.raises(LookupError):
        await store.write(refused)
    await write(audit, 1)
    assert await audit.verify() == 3


@pytest.mark.parametrize(
    ("tampering", "message"),
    [
        ("UPDATE audit SET outcome = 'confirmed' WHERE number = 3", "entry 3 .* not what was written"),
        ("UPDATE audit SET actor = 'nobody' WHERE number = 5", "entry 5 .* not what was written"),
        ("UPDATE audit SET at = at + 1 WHERE number = 1", "entry 1 .* not what was written"),
        ("DELETE FROM audit WHERE number = 2", "entry 2 .* missing"),
        ("DELETE FROM audit WHERE number = 5", "ends with entry 4, and should with 5"),
        ("DELETE FROM audit", "ends with entry 0, and should with 5"),
        ("DELETE FROM audit_head", "ends with entry 5, and should with 0"),
        ("UPDATE audit_head SET entries = 4", "ends with entry 5, and should with 4"),
        ("UPDATE audit_head SET hash = 'f'", "not the one its head names"),
        ("UPDATE audit SET number = number + 10 WHERE number > 1", "ends with entry 15, and should with 5"),
        (
            "INSERT INTO audit SELECT 6, at, actor, action, target, outcome, details, trace, hash FROM audit WHERE number = 5",
            "ends with entry 6, and should with 5",
        ),
    ],
)
async def test_tampering_is_noticed_and_located(store: Store, tampering: str, message: str) -> None:
    audit = trail(store)
    await write(audit, 5)
    await store.write(lambda connection: connection.exec_driver_sql(tampering))
    with pytest.raises(Tampered, match=message):
        await audit.verify()


async def test_two_entries_that_change_places_are_noticed(store: Store) -> None:
    audit = trail(store)
    await write(audit, 5)
    for before, after in ((2, 99), (3, 2), (99, 3)):
        move = update(table).where(table.c.number == before).values(number=after)
        await store.write(lambda connection, move=move: connection.execute(move))
    with pytest.raises(Tampered, match="entry 2"):
        await audit.verify()


async def test_cutting_off_the_end_is_noticed_even_when_the_count_is_made_to_fit(store: Store) -> None:
    audit = trail(store)
    await write(audit, 5)
    for step in ("DELETE FROM audit WHERE number > 3", "UPDATE audit_head SET entries = 3"):
        await store.write(lambda connection, step=step: connection.exec_driver_sql(step))
    with pytest.raises(Tampered, match="not the one its head names"):
        await audit.verify()


async def test_a_long_trail_is_checked_page_by_page(sqlite_store: Store) -> None:
    """Longer than one page, with a fault in the last one."""
    audit = trail(sqlite_store)
    await write(audit, 2100)
    assert await audit.verify() == 2100
    await sqlite_store.write(lambda connection: connection.exec_driver_sql("DELETE FROM audit WHERE number = 2050"))
    with pytest.raises(Tampered, match=r"entry 2050 .* missing"):
        await audit.verify()


@settings(max_examples=15, deadline=None)
@given(st.dictionaries(st.text(max_size=20), st.text(max_size=50), max_size=5), st.text(max_size=100), MOMENTS)
def test_whatever_is_recorded_verifies(details: dict[str, str], target: str, at: datetime) -> None:
    async def scenario(directory: str) -> None:
        store = Store(f"sqlite:///{directory}/xops.sqlite")
        await store.write(declared().create_all)
        audit = Audit(store, clock=lambda: at)
        for outcome in ("denied", "confirmed"):
            await audit.record(actor="a", action="rerun", target=target, outcome=outcome, details=details)
        assert await audit.verify() == 2
        await store.stop()

    with TemporaryDirectory() as directory:
        asyncio.run(scenario(directory))


COLUMNS = {
    "number": st.integers(1, 2**31 - 1),
    "at": MOMENTS,
    "hash": st.text(alphabet="0123456789abcdef", min_size=64, max_size=64),
} | dict.fromkeys(("actor", "action", "target", "outcome", "details", "trace"), st.text(max_size=30))


@settings(max_examples=20, deadline=None)
@given(column=st.sampled_from(sorted(COLUMNS)), number=st.integers(1, 4), data=st.data())
def test_no_column_of_any_entry_can_be_changed_unnoticed(column: str, number: int, data: st.DataObject) -> None:
    """Whatever is written over whatever stands there, unless it is the same."""
    value = data.draw(COLUMNS[column])

    async def scenario(directory: str) -> None:
        store = Store(f"sqlite:///{directory}/xops.sqlite")
        await store.write(declared().create_all)
        audit = trail(store)
        await write(audit, 4)
        before = next(entry for entry in await audit.search(Sought()) if entry.number == number)
        change = update(table).where(table.c.number == number).values({column: value})
        with suppress(IntegrityError):  # a number that another entry has
            await store.write(lambda connection: connection.execute(change))
            if getattr(before, column) != value:
                with pytest.raises(Tampered):
                    await audit.verify()
        await store.stop()

    with TemporaryDirectory() as directory:
        asyncio.run(scenario(directory))


async def test_entries_are_found_by_what_they_say(store: Store) -> None:
    """By exact actor, by the first words of an action, by a part of the target, by time; the newest first, page by page."""
    clock = WallClock(AT)
    audit = Audit(store, clock=clock)
    for actor, action, target in (
        ("chen", "people.add", "li"),
        ("chen", "people", "li%"),
        ("li", "peoplex", "li"),
        ("chen", "rerun", "demo:orders_di"),
    ):
        await audit.record(actor=actor, action=action, target=target, outcome="done")
        clock.advance(60)

    async def numbers(sought: Sought, limit: int = 50) -> list[int]:
        return [entry.number for entry in await audit.search(sought, limit=limit)]

    assert await numbers(Sought()) == [4, 3, 2, 1]
    assert await numbers(Sought(before=3), limit=1) == [2]
    assert await numbers(Sought(actor="chen")) == [4, 2, 1]
    assert await numbers(Sought(action="people")) == [2, 1]
    assert await numbers(Sought(target="orders")) == [4]
    assert await numbers(Sought(target="%")) == [2]
    assert await numbers(Sought(since=AT + timedelta(seconds=60), until=AT + timedelta(seconds=180))) == [3, 2]


def checked(lines: list[str]) -> int:
    """What docs/people.md tells an outsider to do, with nothing of ours: the number of entries, or an AssertionError."""
    previous = "0" * 64
    *entries, head = [json.loads(line) for line in lines]
    for number, entry in enumerate(entries, 1):
        found = entry.pop("hash")
        contents = json.dumps(entry, sort_keys=True, separators=(",", ":"))
        assert entry["number"] == number
        assert hashlib.sha256((previous + contents).encode()).hexdigest() == found
        previous = found
    assert head == {"entries": len(entries), "hash": previous}
    return len(entries)


async def test_an_outsider_can_check_what_is_exported(store: Store) -> None:
    """Whole, it holds; with a line changed, left out, or cut off at the end, it does not."""
    audit = trail(store)
    assert checked([line async for line in audit.export()]) == 0
    await write(audit, 7, "陈晓雯\n\u202e")
    lines = [line async for line in audit.export()]
    assert checked(lines) == 7
    for broken in (
        [*lines[:3], lines[3].replace("denied", "done"), *lines[4:]],
        [*lines[:3], *lines[4:]],
        [*lines[:5], lines[-1]],
    ):
        with pytest.raises(AssertionError):
            checked(broken)


async def test_an_export_ends_where_it_began_while_others_write(store: Store) -> None:
    """What is appended meanwhile is in the next one."""
    audit = trail(store)
    await write(audit, 5)
    lines: list[str] = []
    async for line in audit.export():
        lines.append(line)
        if len(lines) == 1:
            await write(audit, 3)
    assert checked(lines) == 5
