"""A wall clock that moves when a test says so."""

from datetime import UTC, datetime, timedelta


class WallClock:
    """Call it for the time.

    Args:
        now: what it shows at first; half past ten on a Sunday in Shanghai unless said otherwise.
    """

    def __init__(self, now: datetime = datetime(2026, 11, 22, 2, 30, tzinfo=UTC)) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)
