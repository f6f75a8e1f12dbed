"""Waiting for something another task or process does, without sleeping for a guessed time."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import TypeVar, overload

T = TypeVar("T")


@overload
async def eventually(look: Callable[[], Awaitable[T]], *, within: float = ..., every: float = ...) -> T: ...
@overload
async def eventually(look: Callable[[], T], *, within: float = ..., every: float = ...) -> T: ...
async def eventually(look: Callable[[], object], *, within: float = 20.0, every: float = 0.02) -> object:
    """Look again and again until the answer is true, and return it.

    Args:
        look: tells the present state, at once or as a coroutine.
        within: seconds after which this fails with the last answer.
        every: seconds between two looks; longer where looking keeps the other side from its work.
    """
    deadline = asyncio.get_running_loop().time() + within
    while True:
        found = look()
        answer = await found if inspect.isawaitable(found) else found
        if answer:
            return answer
        assert asyncio.get_running_loop().time() < deadline, f"not so within {within} s; last seen: {answer!r}"
        await asyncio.sleep(every)
