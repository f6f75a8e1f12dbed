"""One real Airflow for the whole session, and connections to it."""

from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from yarl import URL

from core.errors import Unreachable
from core.http import Http, Response
from core.schedulers.airflow import AirflowScheduler
from core.schedulers.base import Order, Receipt
from core.settings import SchedulerConnection
from tests.airflow.server import Airflow
from tests.fakes.feishu import FakeFeishu
from tests.waiting import eventually

ZONE = ZoneInfo("Asia/Shanghai")
Connect = Callable[..., AirflowScheduler]


class WatchedHttp(Http):
    """The real session, which remembers what it asked for, and carries `token` instead of its own until the next log-in."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.token = ""

    async def request(
        self, method: str, url: str | URL, *, headers: Mapping[str, str] | None = None, **rest: Any
    ) -> Response:
        """As `Http.request`."""
        path = URL(url).path
        self.asked.append(f"{method} {path}")
        if path == "/auth/token":
            self.token = ""
        elif self.token:
            headers = {**(headers or {}), "Authorization": f"Bearer {self.token}"}
        return await super().request(method, url, headers=headers, **rest)


class PatientScheduler(AirflowScheduler):
    """Orders again what got a 5xx, which Airflow gives whenever its own scheduler writes to SQLite at that moment.

    That is safe: it finds its note, or its backfill.
    """

    async def operate(self, order: Order) -> Receipt:
        """As `AirflowScheduler.operate`."""

        async def ordered() -> Receipt | None:
            try:
                return await super(PatientScheduler, self).operate(order)
            except Unreachable:
                return None

        receipt = await eventually(ordered, within=60, every=0.3)
        assert receipt
        return receipt


@pytest.fixture(scope="session")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Generator[Airflow]:
    """Airflow with its first scheduled runs over: yesterday's and today's `trade_daily` failed, `daily_stats` succeeded."""
    server = Airflow(tmp_path_factory.mktemp("airflow"))
    try:
        server.start()
        server.wait_for_first_runs()
        yield server
    finally:
        server.stop()


@pytest.fixture
async def http() -> AsyncGenerator[WatchedHttp]:
    """A session of the test's own."""
    session = WatchedHttp()
    await session.start()
    yield session
    await session.stop()


@pytest.fixture
async def connect(airflow: Airflow, http: WatchedHttp) -> AsyncGenerator[Connect]:
    """Makes schedulers; the settings of the connection can be given."""
    made: list[AirflowScheduler] = []

    def connection(**settings: Any) -> AirflowScheduler:
        given = {"name": "air", "kind": "airflow", "url": airflow.url, "username": "op", "password": "op"} | settings
        made.append(PatientScheduler(SchedulerConnection.model_validate(given), http, zone=ZONE))
        return made[-1]

    yield connection
    for one in made:
        await one.close()


@pytest.fixture
async def scheduler(connect: Connect) -> AirflowScheduler:
    """Airflow as someone with the role `op` sees it."""
    return connect()


@pytest.fixture
async def feishu() -> AsyncGenerator[FakeFeishu]:
    """Feishu on loopback."""
    async with FakeFeishu() as platform:
        yield platform
