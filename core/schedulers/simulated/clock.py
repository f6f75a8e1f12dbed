"""The simulated platform's clock, and its dice.

From ten past nine the clock is the wall clock. Before that a real platform would still be in the middle of its night, and
a demonstration would have little to show; so between midnight and 09:10 the simulated clock creeps from 09:00 to 09:10.
It never stands still, never jumps within a day, and never leaves the calendar day of the wall clock.
"""

from datetime import datetime, timedelta
from hashlib import blake2b

MORNING = timedelta(hours=9)
"""Where the simulated day begins: the night is over."""
AWAKE = timedelta(hours=9, minutes=10)
"""From here on, simulated time is wall time."""
STRETCH = AWAKE / (AWAKE - MORNING)
"""Wall seconds in a simulated second before `AWAKE`."""


def midnight(moment: datetime) -> datetime:
    """When the moment's day began."""
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def simulated(wall: datetime) -> datetime:
    """What the platform's clock shows at this local wall time."""
    start = midnight(wall)
    passed = wall - start
    return wall if passed >= AWAKE else start + MORNING + passed / STRETCH


def later(moment: datetime, seconds: float) -> datetime:
    """What the platform's clock will show when so many seconds of wall time have passed; `moment` is past 09:00."""
    start = midnight(moment)
    passed = moment - start
    wall = moment if passed >= AWAKE else start + (passed - MORNING) * STRETCH
    return simulated(wall + timedelta(seconds=seconds))


def dice(*what: object) -> float:
    """A number in [0, 1) that depends on nothing but the arguments."""
    digest = blake2b("/".join(map(str, what)).encode(), digest_size=7).digest()
    return int.from_bytes(digest) / 2**56
