"""Extension points put together: who answers for them, and whom to ask."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from bots.approving import Approving
from core.access import Access
from core.audit import Audit
from core.errors import ConfigurationError
from core.execution import Queue
from core.extensions.facts import Surveyor
from core.extensions.points import Points
from core.extensions.service import TASK_TYPE, Extensions
from core.schedulers.base import AnswersExtensions, Scheduler
from core.schedulers.mirror import MirrorScheduler
from core.settings import Settings
from core.store import Store


def build_extensions(
    settings: Settings,
    points: Points,
    schedulers: Iterable[Scheduler],
    approving: Approving,
    access: Access,
    work: Queue,
    *,
    clock: Callable[[], datetime],
) -> Extensions:
    """Everything about extension points.

    Args:
        settings: the rules, and which connection answers.
        points: what waits.
        schedulers: all that are configured.
        approving: whom to ask; carries out what they approve.
        access: who people are.
        work: the durable queue; start it later.
        clock: the present, with zone.

    Raises:
        ConfigurationError: no connection to DataWorks answers.
    """
    scheduler = _answering(schedulers, settings.extensions.scheduler)
    extensions = Extensions(
        points, scheduler, Surveyor(scheduler), approving.approvals, access, work, settings, clock=clock
    )
    approving.attendant.on(TASK_TYPE, extensions)
    return extensions


def build_points(settings: Settings, store: Store, audit: Audit, *, clock: Callable[[], datetime]) -> Points:
    """The table of operations that wait; the arguments are those of `build_extensions`."""
    return Points(store, audit, patience=timedelta(minutes=settings.extensions.answer_minutes), clock=clock)


def _answering(schedulers: Iterable[Scheduler], name: str) -> AnswersExtensions:
    """The connection that answers; a mirror answers through the one behind it."""
    behind = [one.api if isinstance(one, MirrorScheduler) and one.api else one for one in schedulers]
    found = next((one for one in behind if isinstance(one, AnswersExtensions) and name in {"", one.name}), None)
    if found is None:
        raise ConfigurationError("extensions.code is set, so a scheduler of kind 'dataworks' is needed to answer")
    return found
