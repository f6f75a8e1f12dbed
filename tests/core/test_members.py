"""A scheduler's word about members adds projects, never a role; it ends, and fails closed."""

import pytest

from core.access import Access, Person
from core.errors import Denied, Unreachable
from core.people.members import AGAIN, HOLDS, Members
from core.schedulers.base import Operation, Task
from core.schedulers.simulated import SimulatedScheduler
from core.settings import PersonSettings, SchedulerConnection
from tests.fakes.wall_clock import WallClock

PEOPLE = (
    PersonSettings(name="li", role="operator", owners=("李雷",)),
    PersonSettings(name="vic", role="viewer", owners=("李雷",)),
    PersonSettings(name="li_like", role="operator"),
)
LI = Person("li", "operator")


class Platform(SimulatedScheduler):
    """The demonstration's platform with members of a test's own, which may be down."""

    def __init__(self, name: str = "demo") -> None:
        super().__init__(SchedulerConnection(name=name, kind="simulated"))
        self.listed = {"trade": frozenset({"李雷"}), "crm": frozenset({"韩梅梅"})}
        self.asked = 0
        self.down = False

    async def projects(self) -> tuple[str, ...]:
        """Those with members."""
        self.asked += 1
        if self.down:
            raise Unreachable("refused", system=self.name)
        return tuple(self.listed)

    async def members(self, project: str) -> frozenset[str]:
        """As listed."""
        return self.listed[project]


def task(project: str, scheduler: str = "demo") -> Task:
    """A task of a project."""
    return Task(scheduler, "1", "load", project)


async def opened(*platforms: Platform) -> tuple[Access, WallClock]:
    """Rights that trust these platforms."""
    clock = WallClock()
    access = Access(PEOPLE, memberships=Members(platforms, clock=clock), clock=clock)
    await access.refresh()
    return access, clock


async def test_a_member_operates_the_project_there_and_nowhere_else() -> None:
    """By the name that an administrator listed; the like of it and a viewer's role give nothing."""
    access, _ = await opened(Platform())
    access.may_operate(LI, Operation.RERUN, task("trade"))
    for person, target, operation in (
        (LI, task("crm"), Operation.RERUN),
        (LI, task("trade", "other"), Operation.RERUN),
        (LI, task("trade"), Operation.KILL),
        (Person("vic", "viewer"), task("trade"), Operation.RERUN),
        (Person("li_like", "operator"), task("trade"), Operation.RERUN),
    ):
        with pytest.raises(Denied):
            access.may_operate(person, operation, target)
    assert [person.name for person in access.holders("operator", "demo", "trade")] == ["li"]


async def test_it_is_off_unless_it_is_asked_for() -> None:
    """Without memberships nothing is added."""
    access = Access(PEOPLE)
    await access.refresh()
    with pytest.raises(Denied):
        access.may_operate(LI, Operation.RERUN, task("trade"))


async def test_who_left_a_project_loses_it_when_the_word_is_over() -> None:
    """Meanwhile the scheduler is not asked again."""
    platform = Platform()
    access, clock = await opened(platform)
    platform.listed["trade"] = frozenset()
    await access.refresh()
    access.may_operate(LI, Operation.RERUN, task("trade"))
    assert platform.asked == 1
    clock.advance(HOLDS.total_seconds())
    await access.refresh()
    with pytest.raises(Denied):
        access.may_operate(LI, Operation.RERUN, task("trade"))


async def test_a_scheduler_that_does_not_answer_gives_nothing_and_takes_nothing_of_others() -> None:
    """Closed at the end of its word, and asked again a while later."""
    down, up = Platform(), Platform("second")
    access, clock = await opened(down, up)
    down.down = True
    clock.advance(HOLDS.total_seconds())
    await access.refresh()
    access.may_operate(LI, Operation.RERUN, task("trade", "second"))
    with pytest.raises(Denied):
        access.may_operate(LI, Operation.RERUN, task("trade"))
    down.down = False
    await access.refresh()
    assert down.asked == 2
    clock.advance(AGAIN.total_seconds())
    await access.refresh()
    access.may_operate(LI, Operation.RERUN, task("trade"))


async def test_the_demonstration_tells_who_owns_tasks_in_a_project() -> None:
    """So that the setting can be tried."""
    platform = SimulatedScheduler(SchedulerConnection(name="demo", kind="simulated"))
    members = {project: await platform.members(project) for project in await platform.projects()}
    assert "陈晓雯" in frozenset[str]().union(*members.values())
    assert await platform.members("no such project") == frozenset()
