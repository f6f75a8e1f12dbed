"""Tasks beside the events: they end with their owner, and what fails is seen."""

import asyncio

from structlog.testing import capture_logs

from core.background import Background
from tests.waiting import eventually


async def test_what_runs_has_ended_when_stop_returns() -> None:
    ended: list[str] = []
    began = asyncio.Event()

    async def job() -> None:
        try:
            began.set()
            await asyncio.Event().wait()
        finally:
            ended.append("job")

    background = Background()
    background.start(job(), "job")
    await began.wait()
    await background.stop()
    assert ended == ["job"]


async def test_a_round_that_fails_is_logged_and_the_next_comes_all_the_same() -> None:
    rounds: list[int] = []

    async def job() -> None:
        rounds.append(len(rounds))
        if len(rounds) == 1:
            raise OSError("disk full")

    background = Background()
    with capture_logs() as logged:
        background.repeat(job, 0, "rounds")
        await eventually(lambda: len(rounds) > 2)
    await background.stop()
    assert [line["event"] for line in logged] == ["background.failed"]


async def test_a_job_that_fails_is_logged_by_its_name() -> None:
    async def job() -> None:
        raise OSError("disk full")

    background = Background()
    with capture_logs() as logged:
        background.start(job(), "once")
        await eventually(lambda: logged)
    assert [(line["job"], str(line["exc_info"])) for line in logged] == [("once", "disk full")]
    await background.stop()
