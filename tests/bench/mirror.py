"""`python -m tests.bench.mirror [--instances N]`: a month of instances in a mirror, and what asking it costs, as Markdown.

Thirty nights of 10,000 tasks in 20 projects are taken in through the mirror's own feed, then each question is asked twenty
times in one process, as a chat would. Plans are those of the statements that the questions send.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event, text

from core.events.incoming import DATAWORKS, Incoming, read_event
from core.schedulers.base import FAILED, Flags, InstanceQuery, Status
from core.schedulers.mirror import MirrorScheduler
from core.schedulers.mirror.facts import Facts, FlowFact, TaskFact
from core.schedulers.mirror.state import Mirrored, Run, Said
from core.store import Store
from core.store.tables import declared
from tests import postgres
from tests.bench.__main__ import percentile
from tests.core.event_samples import status_changed
from tests.fakes.event_stream import journal, mirror
from tests.fakes.wall_clock import WallClock

NIGHTS = 30
TASKS = 10_000
PROJECTS = 20
AT_ONCE = 2000
LAST = datetime(2026, 11, 21, 16, tzinfo=UTC)
"""Midnight in China before the last night."""
EVENTS = 20_000
TIMES = 20

Question = Callable[[], Awaitable[object]]


def tasks() -> Iterator[Facts]:
    """The tasks, each writing one table and reading another's."""
    for number in range(TASKS):
        name = f"dwd_subject_{number:05}_di"
        task = TaskFact(LAST, str(number), name, f"project{number % PROJECTS}", (f"owner{number % 300}",), "ODPS_SQL")
        yield Facts(tasks=(task,), flows=(FlowFact(str(number), f"table_{number:05}", "out"),))


def states(instances: int) -> Iterator[Mirrored]:
    """So many instances, evenly over the nights; one in a hundred failed."""
    a_night = instances // NIGHTS
    for night in range(NIGHTS):
        midnight = LAST - timedelta(days=NIGHTS - 1 - night)
        for number in range(a_night):
            yield state(night, number, midnight + timedelta(seconds=number * 21_600 // a_night))


def state(night: int, number: int, due: datetime) -> Mirrored:
    """An instance that ended."""
    status = Status.FAILED if (number * 7 + night) % 100 == 0 else Status.SUCCESS
    started, ended = due + timedelta(minutes=1), due + timedelta(minutes=12)
    return Mirrored(
        id=f"{10_000_000_000 + night * 1_000_000 + number}",
        task=str(number % TASKS),
        project=f"project{number % PROJECTS}",
        began_at=due,
        made_at=due - timedelta(hours=3),
        said=Said(ended, status, status.upper(), Flags()),
        runs={started.isoformat(): Run(ended, status, started, ended)},
    )


async def fill(store: Store, subject: MirrorScheduler, instances: int) -> float:
    """Take all of it in; returns seconds."""
    began = time.perf_counter()
    described = list(tasks())
    await store.write(lambda connection: subject.feed.absorb(connection, [("", one) for one in described], LAST))
    batch: list[Mirrored] = []
    for one in states(instances):
        batch.append(one)
        if len(batch) == AT_ONCE:
            facts, batch = Facts(tuple(batch)), []
            await store.write(lambda connection, facts=facts: subject.feed.absorb(connection, [("", facts)], LAST))
    last = Facts(tuple(batch))
    await store.write(lambda connection: subject.feed.absorb(connection, [("", last)], LAST))
    return time.perf_counter() - began


async def rate(store: Store, subject: MirrorScheduler) -> tuple[float, float]:
    """Events a second through the journal and the mirror, in bodies of 200; and the p99 of one body, in ms."""
    events = journal(store, subject)
    bodies = [[changed(number) for number in range(start, start + 200)] for start in range(0, EVENTS, 200)]
    took: list[float] = []
    for body in bodies:
        began = time.perf_counter()
        await events.accept(body)
        took.append(time.perf_counter() - began)
    return EVENTS / sum(took), percentile(took, 0.99)


def changed(number: int) -> Incoming:
    """A status event; each instance has four."""
    at = int((LAST + timedelta(days=1)).timestamp() * 1000) + number
    return read_event(DATAWORKS, status_changed(number // 4, 3 + number % 4, at, f"bench-{number}"), LAST)


def questions(subject: MirrorScheduler) -> dict[str, Question]:
    """What is asked."""
    today = (LAST + timedelta(hours=8)).date()
    instance = f"{10_000_000_000 + (NIGHTS - 1) * 1_000_000 + 77}"
    return {
        "overview of a day": lambda: subject.counts(InstanceQuery(day=today)),
        "overview of all days": lambda: subject.counts(InstanceQuery()),
        "a day's failed instances, 200": lambda: subject.instances(InstanceQuery(day=today, statuses=FAILED)),
        "failed of all days, 200": lambda: subject.instances(InstanceQuery(statuses=FAILED)),
        "failed of one project": lambda: subject.instances(
            InstanceQuery(day=today, statuses=FAILED, projects=frozenset({"project3"}))
        ),
        "a day's instances, 200": lambda: subject.instances(InstanceQuery(day=today)),
        "a day's instances by part of a name": lambda: subject.instances(InstanceQuery(day=today, name="ject_0012")),
        "a day's instances of an owner": lambda: subject.instances(InstanceQuery(day=today, owner="owner7")),
        "14 instances of a task": lambda: subject.history("77"),
        "one instance": lambda: subject.instance(instance),
        "task by name": lambda: subject.tasks("dwd_subject_00077_di"),
        "task with a slip": lambda: subject.tasks("dwd_subjekt_00077_di"),
        "freshness of a table": lambda: subject.tables("table_00077"),
    }


class Statements:
    """Remembers the statements that one question sends."""

    def __init__(self, store: Store) -> None:
        self.sent: list[tuple[str, Any]] = []
        event.listen(store.engine, "before_cursor_execute", self._hear)

    def _hear(self, _c: object, _cursor: object, sql: str, given: Any, _context: object, _many: bool) -> None:
        self.sent.append((sql, given))


async def plans(store: Store, asked: dict[str, Question]) -> None:
    """Print how the database answers each question about instances."""
    heard = Statements(store)
    print("\n```")
    for name, question in asked.items():
        heard.sent.clear()
        await question()
        for sql, given in [one for one in heard.sent if "mirror_instance" in one[0] or "mirror_count" in one[0]]:
            print(f"-- {name}")
            for line in await store.read(lambda connection, sql=sql, given=given: explained(connection, sql, given)):
                print(f"   {line}")
    print("```")


def explained(connection: Connection, sql: str, given: Any) -> list[str]:  # a driver's own parameters
    """The plan, a line a step."""
    word = "EXPLAIN QUERY PLAN " if connection.dialect.name == "sqlite" else "EXPLAIN (COSTS OFF) "
    return [str(row[-1]) for row in connection.exec_driver_sql(word + sql, given)]


def size(connection: Connection) -> float:
    """Megabytes of all tables and indices."""
    pages = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
    sql = pages if connection.dialect.name == "sqlite" else "SELECT pg_database_size(current_database())"
    return (connection.scalar(text(sql)) or 0) / 1e6


async def bench(database: str, url: str, instances: int) -> None:
    """One database's figures."""
    store = Store(url)
    await store.write(declared().create_all)
    subject = mirror(store, WallClock())
    took = await fill(store, subject, instances)
    await store.write(lambda connection: connection.execute(text("ANALYZE")))
    megabytes = await store.read(size)
    print(f"\n## {database}\n\n{instances:,} instances taken in in {took:.0f} s, {megabytes:,.0f} MB\n")
    print("| question | median ms | slowest ms |\n|---|---:|---:|")
    asked = questions(subject)
    for name, question in asked.items():
        times = [await timed(question) for _ in range(TIMES)]
        print(f"| {name} | {statistics.median(times):.1f} | {max(times):.1f} |", flush=True)
    await plans(store, asked)
    events, p99 = await rate(store, subject)
    print(f"\nevents through journal and mirror: {events:,.0f} a second, p99 of 200 events {p99:.0f} ms", flush=True)
    await store.stop()


async def timed(question: Question) -> float:
    """Milliseconds."""
    began = time.perf_counter()
    await question()
    return (time.perf_counter() - began) * 1000


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.mirror", description=__doc__)
    parser.add_argument("--instances", type=int, default=1_000_000)
    parser.add_argument("--only", choices=("sqlite", "postgresql"), help="one database")
    arguments = parser.parse_args()
    if arguments.only != "postgresql":
        with tempfile.TemporaryDirectory() as directory:
            asyncio.run(bench("SQLite", f"sqlite:///{Path(directory)}/mirror.sqlite", arguments.instances))
    if arguments.only != "sqlite":
        with postgres.running() as server:
            asyncio.run(bench("PostgreSQL", server.create(), arguments.instances))


if __name__ == "__main__":
    main()
