"""People of DataWorks: who may operate a workspace, whom its alert rules ring, who is on duty."""

from collections.abc import AsyncGenerator

import pytest

from core.errors import NotFound
from core.schedulers.base import KnowsMembers
from core.schedulers.dataworks import DataWorksScheduler
from tests.fakes.dataworks import ZONE, FakeDataWorks


@pytest.fixture
async def dataworks() -> AsyncGenerator[FakeDataWorks]:
    async with FakeDataWorks() as server:
        yield server


@pytest.fixture
async def scheduler(dataworks: FakeDataWorks) -> AsyncGenerator[DataWorksScheduler]:
    one = DataWorksScheduler(dataworks.connection(), zone=ZONE, clock=dataworks.clock)
    yield one
    await one.close()


async def test_members_are_those_whose_role_may_operate(scheduler: DataWorksScheduler) -> None:
    """A developer and a locked administrator work in the workspace, and operate nothing."""
    assert isinstance(scheduler, KnowsMembers)
    assert await scheduler.members("trade") == {"陈晓雯"}
    assert await scheduler.members("finance") == {"王敏"}
    with pytest.raises(NotFound):
        await scheduler.members("tradde")


async def test_who_left_a_workspace_is_gone_from_its_members_at_once(
    dataworks: FakeDataWorks, scheduler: DataWorksScheduler
) -> None:
    """Names are remembered for an hour; rights are not."""
    await scheduler.tasks("501")
    assert await scheduler.members("trade")
    dataworks.members[101] = []
    assert await scheduler.members("trade") == frozenset()
