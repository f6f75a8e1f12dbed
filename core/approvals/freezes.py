"""Times in which nothing is carried out, whoever approved it: a calendar in the settings, which an emergency does not lift.

It is asked when something is asked for, when the last approval would set it going, and again right before each order, since
hours can lie between them and a batch can run into it. Cards of open tickets say that one holds.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from core.approvals.matching import exactness
from core.approvals.model import Request, Scope
from core.errors import Frozen
from core.settings import FreezeSettings
from core.settings.approvals import Repeats

WEEK = timedelta(days=7)


class Freezes:
    """The calendar.

    Args:
        windows: from the settings.
        environments: of schedulers, by their names.
        clock: the present, with zone.
    """

    def __init__(
        self, windows: Sequence[FreezeSettings], environments: Mapping[str, str], *, clock: Callable[[], datetime]
    ) -> None:
        self._windows = windows
        self._environments = environments
        self._clock = clock

    def placed(self, request: Request) -> Request:
        """The request with its environment: its scheduler's, whatever the request says; else what the request says."""
        return replace(request, environment=self._environments.get(request.scheduler) or request.environment)

    def over(self, request: Request, at: datetime | None = None) -> FreezeSettings | None:
        """What forbids carrying it out, now or at a time: the window that ends last, as it comes round then."""
        moment = at or self._clock()
        rounds = [come_round(one, moment) for one in self._windows if _forbids(one, request)]
        found = [one for one in rounds if one.start <= moment < one.end]
        return max(found, key=lambda window: window.end, default=None)

    def check(self, request: Request, at: datetime | None = None) -> None:
        """Raises `Frozen` if it may not be carried out now, or at a time."""
        if window := self.over(request, at):
            raise _frozen(window)

    def said(self, request: Request) -> Mapping[str, str]:
        """What people are told of the freeze that holds now (`XOpsError.said`); empty when there is none."""
        window = self.over(request)
        return _frozen(window).said if window else {}

    def turn(self, request: Request) -> datetime | None:
        """When a freeze begins or ends next for it; None when that never happens."""
        now = self._clock()
        rounds = [come_round(one, now) for one in self._windows if _forbids(one, request)]
        return min((moment for one in rounds for moment in (one.start, one.end) if moment > now), default=None)


def come_round(window: FreezeSettings, at: datetime) -> FreezeSettings:
    """The window as it holds at a moment, or next; one that does not repeat as it is.

    Days and hours are those of the zone in which the settings write the start.
    """
    lasts, start = window.end - window.start, window.start
    while window.repeats and start + lasts <= at:
        start = _again(start, window.repeats)
    return window.model_copy(update={"start": start, "end": start + lasts})


def _again(start: datetime, repeats: Repeats) -> datetime:
    match repeats:
        case "weekly":
            return start + WEEK
        case "monthly":
            return start.replace(year=start.year + start.month // 12, month=start.month % 12 + 1)
        case "yearly":
            return start.replace(year=start.year + 1)


def _frozen(window: FreezeSettings) -> Frozen:
    until = f"{window.end:%Y-%m-%d %H:%M %Z}"
    by, reason = window.by or "-", window.reason or "-"
    message = f"{window.name}: until {until}"
    return Frozen(message, system="X-Ops", window=window.name, until=until, by=by, reason=reason)


def _forbids(window: FreezeSettings, request: Request) -> bool:
    if window.task_types and request.task_type not in window.task_types:
        return False
    if window.environments and not request.environment:
        return True
    scope = Scope(schedulers=window.schedulers, projects=window.projects, environments=window.environments)
    return exactness(scope, request) is not None
