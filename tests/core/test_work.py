"""Durable work within one process: once, in order, with patience, at its time, on both databases."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import partial

import pytest
from structlog.testing import capture_logs

from core.errors import Refused, Unreachable
from core.store import Store
from core.work import Work
from tests.waiting import eventually


class Worker:
    """Writes down what it was asked to do; can be told to fail."""

    def __init__(self) -> None:
        self.done: list[tuple[str, Mapping[str, str]]] = []
        self.failures: list[Exception] = []
        self.tries = 0

    async def __call__(self, id: str, payload: Mapping[str, str]) -> None:
        self.tries += 1
        if self.failures:
            raise self.failures.pop()
        self.done.append((id, payload))

    def ids(self) -> list[str]:
        """What is done, in the order it was."""
        return [id for id, _ in self.done]


@asynccontextmanager
async def started(store: Store, worker: Worker) -> AsyncGenerator[Work]:
    """Durable work with one kind, `note`; stopped afterwards."""
    work = Work(store, owner="a", retry_seconds=0.001)
    work.on("note", worker)
    await work.start()
    try:
        yield work
    finally:
        await work.stop()


async def test_an_id_is_done_once_with_its_payload(store: Store) -> None:
    worker = Worker()
    async with started(store, worker) as work:
        answers = await asyncio.gather(*(work.submit("note", "n-1", {"字": "值"}) for _ in range(5)))
        assert sorted(answers) == [False, False, False, False, True]
        await eventually(worker.ids)
        assert await work.submit("note", "n-1", {"字": "else"}) is False
        await work.submit("note", "n-2", {})
        await eventually(lambda: _count(worker, 2))
    assert worker.done == [("n-1", {"字": "值"}), ("n-2", {})]


async def test_a_lane_keeps_its_order(store: Store) -> None:
    worker = Worker()
    async with started(store, worker) as work:
        for number in range(5):
            await work.submit("note", f"n-{number}", {}, lane="one")
        await eventually(lambda: _count(worker, 5))
    assert worker.ids() == [f"n-{number}" for number in range(5)]


async def test_a_failure_that_may_pass_is_tried_again_and_no_more_often_than_agreed(store: Store) -> None:
    worker = Worker()
    worker.failures = [Unreachable("no answer", system="airflow")] * 4
    async with started(store, worker) as work:
        with capture_logs():
            await work.submit("note", "n-1", {})
            await eventually(worker.ids)
        assert worker.tries == 5
        worker.failures = [Unreachable("no answer", system="airflow")] * 100
        with capture_logs() as logs:
            await work.submit("note", "n-2", {})
            await eventually(lambda: _logged(logs, "work.failed"))
        assert worker.tries == 10


@pytest.mark.parametrize("kind", ["note", "unknown"])
async def test_a_failure_that_cannot_pass_is_not_tried_again(sqlite_store: Store, kind: str) -> None:
    worker = Worker()
    worker.failures = [Refused("no", system="airflow")] * 2
    async with started(sqlite_store, worker) as work:
        with capture_logs() as logs:
            await work.submit(kind, "n-1", {})
            await eventually(lambda: _logged(logs, "work.failed"))
    assert worker.tries == (1 if kind == "note" else 0)


async def test_delayed_work_can_be_cancelled_until_it_begins(store: Store) -> None:
    worker = Worker()
    async with started(store, worker) as work:
        await work.submit("note", "later", {}, delay=3600)
        await work.submit("note", "soon", {}, delay=0.1)
        assert await work.cancel("later") is True
        assert await work.cancel("later") is False
        assert await work.cancel("never submitted") is False
        await eventually(worker.ids)
        assert await work.cancel("soon") is False
    assert worker.ids() == ["soon"]


async def test_submitting_before_the_engine_is_up_waits_for_it(sqlite_store: Store) -> None:
    worker = Worker()
    work = Work(sqlite_store, owner="a")
    work.on("note", worker)
    early = asyncio.create_task(work.submit("note", "n-1", {}))
    await work.start()
    assert await early is True
    await eventually(worker.ids)
    await work.stop()


async def test_what_stop_interrupted_is_done_after_the_next_start(store: Store) -> None:
    """Each run is on its own: what the first submitted before it ended is not taken for what the second submits."""
    worker, submitted, runs = Worker(), asyncio.Event(), list[Mapping[str, str]]()

    async def pass_on(work: Work, id: str, payload: Mapping[str, str]) -> None:
        runs.append(payload)
        await work.submit("note", f"{id}:{len(runs)}", payload)
        submitted.set()
        if len(runs) == 1:
            await asyncio.Event().wait()

    def built() -> Work:
        work = Work(store, owner="a")
        work.on("note", worker)
        work.on("pass on", partial(pass_on, work))
        return work

    first, second = built(), built()
    await first.start()
    await first.submit("pass on", "p", {"a": "b"})
    await submitted.wait()
    await first.stop(within=0)
    await second.start()
    await eventually(lambda: {"p:1", "p:2"} <= set(worker.ids()))
    await second.stop()
    assert runs == [{"a": "b"}] * 2
    assert sorted(worker.ids()) == ["p:1", "p:2"]


async def test_a_schedule_fires_once_a_slot_until_nobody_asks_for_it(sqlite_store: Store) -> None:
    """Two schedules that fire each second take turns; one that comes three times running is alone."""
    for name in ("digest", "other"):
        worker = Worker()
        work = Work(sqlite_store, owner="a")
        work.on("note", worker)
        await work.cron(name, "* * * * * *", "Asia/Shanghai", "note")
        await work.start()
        await eventually(lambda worker=worker, name=name: _alone(worker, name))
        await work.stop()
        ids = worker.ids()
        assert len(set(ids)) == len(ids)
        assert all(datetime.fromisoformat(payload["slot"]).tzinfo for _, payload in worker.done)
        assert all(id.endswith(f":{payload['slot']}") for id, payload in worker.done)


async def test_ended_work_is_swept_and_its_id_is_free_again(store: Store) -> None:
    worker = Worker()
    async with started(store, worker) as work:
        await work.submit("note", "n-1", {})
        await work.submit("note", "later", {}, delay=3600)
        await eventually(worker.ids)
        assert await work.sweep(timedelta(days=1)) == 0

        async def swept() -> bool:  # the outcome is written just after the handler returned
            return await work.sweep(timedelta()) == 1

        await eventually(swept)
        assert await work.submit("note", "n-1", {}) is True
        assert await work.submit("note", "later", {}) is False
        await eventually(lambda: _count(worker, 2))


def _count(worker: Worker, number: int) -> bool:
    return len(worker.done) >= number


def _alone(worker: Worker, schedule: str) -> bool:
    latest = (worker.ids())[-3:]
    return len(latest) == 3 and all(id.startswith(f"{schedule}:") for id in latest)


def _logged(logs: Sequence[Mapping[str, object]], event: str) -> bool:
    return any(line["event"] == event for line in logs)
