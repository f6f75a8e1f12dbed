"""What a check of `xops doctor` finds, and how a failure is told: what to do about it, not only what it was."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from core.errors import RemoteError, Throttled, Unauthorized, Unreachable, XOpsError
from core.i18n import Words

Grade = Literal["ok", "warning", "failed", "off"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found.

    Attributes:
        check: what was looked at: `settings`, `database`, `scheduler demo`, `feishu`, `model`, `web`.
        found: one line.
        todo: what to do; empty when nothing.
        seconds: how long it took.
    """

    check: str
    grade: Grade
    found: str
    todo: str = ""
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether X-Ops can work with this."""
        return self.grade != "failed"

    def as_json(self) -> dict[str, object]:
        """For scripts."""
        return {
            "check": self.check,
            "grade": self.grade,
            "found": self.found,
            "todo": self.todo,
            "seconds": round(self.seconds, 3),
        }


def advice(error: XOpsError, say: Words) -> str:
    """What to do about a failure of any remote system."""
    match error:
        case Unreachable():
            return say("doctor.unreachable")
        case Unauthorized():
            return say("doctor.unauthorized")
        case Throttled():
            return say("doctor.throttled")
        case RemoteError():
            return say("doctor.refused", code=error.code)
        case _:
            return ""


async def timed(
    check: str,
    todo: str,
    ask: Callable[[], Awaitable[str]],
    say: Words,
    *,
    advise: Callable[[XOpsError, Words], str] = advice,
) -> Finding:
    """Run a check that answers with one line or fails with one of our errors.

    Args:
        check: its name.
        todo: where to look when it fails.
        ask: the check.
        say: the words.
        advise: what to do about an error, when the system's own codes tell more.
    """
    began = time.perf_counter()
    try:
        found = await ask()
    except XOpsError as error:
        seconds = time.perf_counter() - began
        return Finding(check, "failed", str(error), f"{advise(error, say)} {todo}".strip(), seconds)
    return Finding(check, "ok", found, seconds=time.perf_counter() - began)
