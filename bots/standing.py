"""Whether a messenger's long connection stands: one figure with one meaning for all, `xops_connected{channel}`.

It is there while a process is set up to keep the connection: 1 while one is open and accepted, so that events come over it,
otherwise 0. A messenger that calls us has none. Of replicas that share one connection (WeCom's AI bot) the holder has 1.
"""

from collections.abc import Generator
from contextlib import contextmanager

from core.observe import CONNECTED


def keeping(channel: str) -> None:
    """A process begins to keep a connection; there is none yet."""
    CONNECTED.labels(channel).set(0)


@contextmanager
def standing(channel: str) -> Generator[None]:
    """While events come over it."""
    CONNECTED.labels(channel).set(1)
    try:
        yield
    finally:
        CONNECTED.labels(channel).set(0)
