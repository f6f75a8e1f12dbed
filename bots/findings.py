"""What a check of `xops doctor` finds, and how a failure is told: what to do about it, not only what it was."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Literal

from core.errors import RemoteError, Throttled, Unauthorized, Unreachable, XOpsError
from core.http import CERTIFICATE
from core.i18n import Words
from core.schedulers.base import Health, Scheduler

WITHOUT_RIGHT = ("403", "Forbidden", "NoPermission", "NotAuthorized", "NoAuthorized")
"""What is in codes that speak of rights, whoever says it."""
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
        case Unreachable() if error.code == CERTIFICATE:
            return say("doctor.certificate")
        case Unreachable():
            return say("doctor.unreachable")
        case Unauthorized():
            return say("doctor.unauthorized")
        case Throttled():
            return say("doctor.throttled")
        case RemoteError() if any(word in error.code for word in WITHOUT_RIGHT):
            return say("doctor.forbidden", code=error.code)
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


async def examine_scheduler(scheduler: Scheduler, say: Words) -> Finding:
    """Whether a scheduler answers, what the connection may not read, and whether it may change anything, where that is told."""
    found: list[Health] = []

    async def ask() -> str:
        found.append(await scheduler.health())
        changes = {True: "may_change", False: "may_not_change", None: "change_unknown"}[found[0].may_change]
        return f"{say('doctor.scheduler_ok', version=found[0].version)} · {say(f'doctor.{changes}')}"

    told = await timed(f"scheduler {scheduler.name}", say("doctor.scheduler_todo", name=scheduler.name), ask, say)
    problems = found[0].problems if found else ()
    return replace(told, grade="warning", todo="\n".join(problems)) if problems else told
