"""A mirror in the running assistant: fed by the journal, asking the connection that people see no longer."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from bots.app import running
from bots.mirroring import asked
from core.errors import ConfigurationError
from core.schedulers.base import InstanceQuery, RunType, Status
from core.settings import SchedulerConnection, Settings, Storage
from tests.core.test_mirror_state import status

API = SchedulerConnection(name="api", kind="simulated")
MIRROR = SchedulerConnection(name="prod", kind="mirror", api="api")
ALL = InstanceQuery(run_types=frozenset(RunType), limit=1000)


async def test_what_is_told_and_what_is_asked_for_is_seen_under_one_name(tmp_path: Path) -> None:
    """Events go in by the journal, gaps are filled by the API, which is no scheduler of its own any more."""
    storage = Storage(url=SecretStr(f"sqlite:///{tmp_path}/xops.sqlite"))
    settings = Settings(storage=storage, schedulers=(API, MIRROR))
    async with running(settings, accepting=False) as application:
        (mirror,) = application.fleet.schedulers
        assert mirror.name == "prod"
        await application.mirroring.reconcile()
        polled = await mirror.counts(ALL)
        assert sum(polled.values()) > 100
        await application.events.journal.accept([status(3, 4, began=3)])
        assert (await mirror.instance("7")).status is Status.RUNNING
        await application.mirroring.reconcile()
        assert sum((await mirror.counts(ALL)).values()) == sum(polled.values()) + 1
        await application.mirroring.forget()


@pytest.mark.parametrize("api", ["nobody", "prod"])
def test_a_mirror_asks_another_connection_that_exists(api: str) -> None:
    """Neither one that is not there nor itself."""
    mirror = MIRROR.model_copy(update={"api": api})
    with pytest.raises(ConfigurationError, match="prod"):
        asked(mirror, (API, mirror))
