"""A `Look` over a shelf of instances made for one rule each, at half past ten on a Sunday in Shanghai."""

from datetime import UTC, date, datetime, timedelta
from typing import TypeVar

from core.access import Access, Person
from core.messages import Conversation
from core.results import (
    InstanceList,
    Overview,
    Result,
    TableReport,
)
from core.schedulers.base import (
    DataTable,
    Flags,
    Instance,
    RunType,
    Status,
    Task,
)
from core.schedulers.fleet import Fleet
from core.settings import PersonSettings
from core.tools.look import Look
from tests.fakes.shelf import Shelf
from tests.fakes.wall_clock import WallClock

T = TypeVar("T")
NOW = datetime(2026, 11, 22, 2, 30, tzinfo=UTC)
"""Half past ten on a Sunday in Shanghai."""
TODAY = date(2026, 11, 22)
DAY = timedelta(days=1)
TALK = Conversation("terminal", "1")

OPERATOR = Person("ann", "operator", frozenset({"trade"}), frozenset({"ann"}))
ADMIN = Person("root", "admin", frozenset({"*"}))
VIEWER = Person("vic", "viewer")


def access() -> Access:
    """The three people, and one who is new, listed with the rights they have here."""
    return Access(
        (
            PersonSettings(name="ann", role="operator", projects=("trade",), owners=("ann",)),
            PersonSettings(name="root", role="admin", projects=("*",)),
            PersonSettings(name="vic"),
            PersonSettings(name="new", role="operator"),
        )
    )


def ran(
    name: str,
    status: Status = Status.SUCCESS,
    *,
    hours_ago: float = 3,
    project: str = "trade",
    owner: str = "ann",
    flags: Flags | None = None,
    run_type: RunType = RunType.NORMAL,
) -> Instance:
    """An instance of a task of this name, due some hours ago."""
    due = NOW - timedelta(hours=hours_ago)
    task = Task("demo", f"t_{name}", name, project, owners=(owner,), outputs=(name,))
    started = None if status.startswith("wait") or status is Status.NOT_RUN else due
    finished = due + timedelta(minutes=10) if status.finished else None
    return Instance(
        f"{name}@{due:%m%d%H%M}",
        task,
        status,
        flags=flags or Flags(),
        run_type=run_type,
        run_number=1 if started else 0,
        scheduled_at=due,
        started_at=started,
        finished_at=finished,
    )


class Desk:
    """A `Look` over a shelf."""

    def __init__(self, *instances: Instance, tables: tuple[DataTable, ...] = ()) -> None:
        self.shelf = Shelf("demo", instances, tables)
        self.fleet = Fleet([self.shelf], timeout=0.05)
        self.clock = WallClock(NOW)
        self.look = Look(self.fleet, access(), clock=self.clock)

    async def overview(self, person: Person = OPERATOR) -> Overview:
        """Today's."""
        return of(Overview, await self.look.overview(person))

    async def listed(self, kind: str, person: Person = OPERATOR, subject: str = "", day: str = "") -> list[str]:
        """Names of the tasks listed."""
        result = of(InstanceList, await self.look.instances(person, kind=kind, subject=subject, day=day))
        assert result.total == len(result.instances)
        return [one.task.name for one in result.instances]

    async def report(self, name: str = "orders", day: str = "") -> TableReport:
        """On a table."""
        return of(TableReport, await self.look.table(OPERATOR, name, day=day))


def of(kind: type[T], result: Result) -> T:
    """The result, which must be of this kind."""
    assert isinstance(result, kind), result
    return result
