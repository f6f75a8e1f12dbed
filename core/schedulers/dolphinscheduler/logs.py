"""The log of one row, part after part: DolphinScheduler gives lines from one number on, never from the end.

The worker that ran the task keeps the log and is asked for it; when it is gone, so is the log.
"""

from collections import deque
from typing import Final

from core.errors import Refused, Unreachable
from core.schedulers.base import LogPage
from core.schedulers.dolphinscheduler.client import Client
from core.schedulers.dolphinscheduler.wire import Attempt, LogPart

PART: Final = 5000
"""Lines asked for at once."""
PARTS: Final = 200
"""Most parts read of one log: a million lines."""
NO_HOST: Final = "10191"
UNREADABLE: Final = "10103"
"""Codes: no worker took it yet; the worker did not give the log."""
HEAD: Final = "[LOG-PATH]:"
"""Begins the line that DolphinScheduler puts before the first part."""


async def tail(client: Client, attempt: Attempt, run_number: int, lines: int, *, running: bool) -> LogPage:
    """The last lines of a row's log; none when it never came to a worker.

    Raises:
        Unreachable: the worker does not give it.
    """
    kept: deque[str] = deque(maxlen=lines)
    total = 0
    for _ in range(PARTS):
        part = await _part(client, attempt, total)
        kept.extend(part)
        total += len(part)
        if len(part) < PART:
            break
    return LogPage(run_number, tuple(kept), total - len(kept) + 1, total, running=running)


async def _part(client: Client, attempt: Attempt, skip: int) -> list[str]:
    if not attempt.host:
        return []
    given = {"taskInstanceId": attempt.id, "skipLineNum": skip, "limit": PART}
    try:
        text = (await client.get(("log", "detail"), LogPart, given, what="instance", name=str(attempt.id))).message
    except Refused as error:
        if error.code == NO_HOST:
            return []
        if error.code == UNREADABLE:
            message = f"{client.system}: worker {attempt.host} does not give the log; it may be gone"
            raise Unreachable(message, system=client.system, code=UNREADABLE) from error
        raise
    found = [line.removesuffix("\r") for line in (text or "").removesuffix("\n").split("\n")]
    if skip == 0 and found[0].startswith(HEAD):
        found = found[1:]
    return found if found != [""] else []
