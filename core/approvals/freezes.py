"""Times in which nothing is carried out, whoever approved it: a calendar in the settings, which an emergency does not lift.

It is asked when something is asked for, when the last approval would set it going, and again right before each order, since
hours can lie between them and a batch can run into it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from core.approvals.matching import exactness
from core.approvals.model import Request, Scope
from core.errors import Frozen
from core.settings import FreezeSettings


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
        """What forbids carrying it out, now or at a time: the window that ends last."""
        moment = at or self._clock()
        found = [one for one in self._windows if one.start <= moment < one.end and _forbids(one, request)]
        return max(found, key=lambda window: window.end, default=None)

    def check(self, request: Request, at: datetime | None = None) -> None:
        """Raises `Frozen` if it may not be carried out now, or at a time."""
        window = self.over(request, at)
        if window is not None:
            until = f"{window.end:%Y-%m-%d %H:%M %Z}"
            raise Frozen(f"{window.name}: until {until}", system="X-Ops", window=window.name, until=until)


def _forbids(window: FreezeSettings, request: Request) -> bool:
    if window.task_types and request.task_type not in window.task_types:
        return False
    if window.environments and not request.environment:
        return True
    scope = Scope(schedulers=window.schedulers, projects=window.projects, environments=window.environments)
    return exactness(scope, request) is not None
