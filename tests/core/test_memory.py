"""What is remembered of a scheduler's definitions, and for how long."""

import asyncio

import pytest

from core.errors import Unreachable
from core.schedulers.memory import Memory


class Source:
    """Answers with how often it was asked, once it may."""

    def __init__(self) -> None:
        self.asked = 0
        self.may_answer = asyncio.Event()
        self.down = False

    async def answer(self, key: str) -> str:
        """What `Memory` fetches."""
        self.asked += 1
        await self.may_answer.wait()
        if self.down:
            raise Unreachable("down", system="air")
        return f"{key}{self.asked}"


async def test_an_answer_is_used_until_it_is_too_old() -> None:
    source, now = Source(), [0.0]
    source.may_answer.set()
    memory = Memory(source.answer, seconds=10, clock=lambda: now[0])
    assert [await memory.get("a"), await memory.get("a"), await memory.get("b")] == ["a1", "a1", "b2"]
    now[0] = 10
    assert await memory.get("a") == "a3"
    memory.forget()
    assert await memory.get("a") == "a4"


async def test_one_who_gives_up_does_not_take_the_answer_from_the_others() -> None:
    source = Source()
    memory = Memory(source.answer, seconds=10)
    impatient, patient = (asyncio.create_task(memory.get("a")) for _ in range(2))
    await asyncio.sleep(0)
    impatient.cancel()
    source.may_answer.set()
    assert await patient == "a1"
    assert impatient.cancelled()


async def test_a_failure_reaches_all_who_wait_and_is_then_forgotten() -> None:
    source = Source()
    memory = Memory(source.answer, seconds=10)
    waiting = [asyncio.create_task(memory.get("a")) for _ in range(3)]
    source.down = True
    source.may_answer.set()
    for one in waiting:
        with pytest.raises(Unreachable):
            await one
    source.down = False
    assert (await memory.get("a"), source.asked) == ("a2", 2)


async def test_closing_stops_what_is_being_fetched() -> None:
    source = Source()
    memory = Memory(source.answer, seconds=10)
    waiting = asyncio.create_task(memory.get("a"))
    await asyncio.sleep(0)
    await memory.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await memory.close()
