"""Time that passes only when someone sleeps."""

import asyncio


class Clock:
    """A clock to pass where a program takes `time` and `sleep`.

    Args:
        now: Unix seconds to begin with.
    """

    def __init__(self, now: float = 1_795_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Let time pass at once, and others run."""
        self.now += seconds
        await asyncio.sleep(0)
