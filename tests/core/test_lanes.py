"""Lanes: order within one, independence of others, bounds, and nothing left behind."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from core.errors import Busy
from core.lanes import Lanes


async def test_jobs_of_a_lane_run_one_after_the_other_in_order() -> None:
    lanes, running, seen = Lanes(), 0, list[int]()

    async def job(number: int) -> None:
        nonlocal running
        running += 1
        assert running == 1
        await asyncio.sleep(0)
        seen.append(number)
        running -= 1

    for number in range(10):
        lanes.put("a", lambda number=number: job(number))
    await lanes.drain(5)
    assert seen == list(range(10))


async def test_a_lane_that_waits_does_not_hold_up_another() -> None:
    lanes, released, done = Lanes(), asyncio.Event(), asyncio.Event()

    async def finish() -> None:
        done.set()

    async def wait() -> None:
        await released.wait()

    lanes.put("slow", wait)
    lanes.put("quick", finish)
    await asyncio.wait_for(done.wait(), 5)
    assert lanes.held == 1
    released.set()
    await lanes.drain(5)


@pytest.mark.parametrize(("per_lane", "total", "names"), [(2, 100, "aa"), (100, 2, "ab")])
async def test_what_is_full_says_so_and_takes_nothing(per_lane: int, total: int, names: str) -> None:
    lanes, released = Lanes(per_lane=per_lane, total=total), asyncio.Event()

    async def wait() -> None:
        await released.wait()

    for name in names:
        lanes.put(name, wait)
    with pytest.raises(Busy):
        lanes.put("a", wait)
    assert lanes.held == 2
    released.set()
    await lanes.drain(5)
    lanes.put("a", wait)  # there is room again
    await lanes.drain(5)


async def test_a_job_that_fails_is_logged_and_the_next_one_runs() -> None:
    lanes, done = Lanes(), asyncio.Event()

    async def fail() -> None:
        raise ValueError("of no use")

    async def finish() -> None:
        done.set()

    with capture_logs() as logs:
        lanes.put("a", fail)
        lanes.put("a", finish)
        await lanes.drain(5)
    assert done.is_set()
    assert [(line["event"], line["lane"], line["log_level"]) for line in logs] == [("lane.failed", "a", "error")]


async def test_drain_gives_up_at_its_limit_and_drops_what_waits() -> None:
    lanes, began, second = Lanes(), asyncio.Event(), asyncio.Event()

    async def hang() -> None:
        began.set()
        await asyncio.Event().wait()

    async def never() -> None:
        second.set()

    lanes.put("a", hang)
    lanes.put("a", never)
    await began.wait()
    await lanes.drain(0.01)
    assert lanes.held == 0
    assert not second.is_set()
    lanes.put("a", never)  # the lane was left usable
    await lanes.drain(5)
    assert second.is_set()


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=60))
def test_whatever_comes_each_lane_keeps_its_order_and_none_is_left(plan: list[tuple[str, bool]]) -> None:
    async def scenario() -> None:
        lanes, seen, taken = Lanes(per_lane=5, total=10), list[tuple[str, int]](), list[tuple[str, int]]()

        async def job(lane: str, number: int, fails: bool) -> None:
            await asyncio.sleep(0)
            seen.append((lane, number))
            if fails:
                raise ValueError(lane)

        for number, (lane, fails) in enumerate(plan):
            try:
                lanes.put(lane, lambda lane=lane, number=number, fails=fails: job(lane, number, fails))
                taken.append((lane, number))
            except Busy:
                await asyncio.sleep(0)
        await lanes.drain(5)
        assert lanes.held == 0
        for name in "abc":
            assert [pair for pair in seen if pair[0] == name] == [pair for pair in taken if pair[0] == name]

    with capture_logs():
        asyncio.run(scenario())
