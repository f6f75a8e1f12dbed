"""Waiting for something another task or process does, without sleeping for a guessed time."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def eventually(look: Callable[[], Awaitable[T]], *, within: float = 20.0, every: float = 0.02) -> T:
    """Look again and again until the answer is true, and return it.

    Args:
        look: asks for the present state.
        within: seconds after which this fails with the last answer.
        every: seconds between two looks; longer where looking keeps the other side from its work.
    """
    deadline = asyncio.get_running_loop().time() + within
    while not (answer := await look()):
        assert asyncio.get_running_loop().time() < deadline, f"not so within {within} s; last seen: {answer!r}"
        await asyncio.sleep(every)
    return answer
