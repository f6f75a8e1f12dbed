"""What `xops doctor` says about each kind of scheduler when something is wrong: a sentence that tells what to do, no secret."""

import json
import logging
import ssl
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from aiohttp import web
from aiohttp.test_utils import unused_port

from bots.findings import examine_scheduler
from core.http import Http
from core.i18n import words
from core.schedulers.airflow import AirflowScheduler
from core.schedulers.base import Scheduler
from core.schedulers.dataphin import DataphinScheduler
from core.schedulers.dataworks import DataWorksScheduler
from core.schedulers.dolphinscheduler import DolphinScheduler
from core.settings import SchedulerConnection
from tests.certificates import self_signed
from tests.fakes.airflow import FakeAirflow
from tests.fakes.dataphin import FakeDataphin
from tests.fakes.dataworks import ZONE, FakeDataWorks
from tests.fakes.dolphin import FakeDolphin

Server = FakeAirflow | FakeDataWorks | FakeDataphin | FakeDolphin
SECRET = "s3cret-of-the-connection"
"""The wrong password, secret or token: never shown."""
KINDS: Mapping[str, Callable[[], Server]] = {
    "airflow": FakeAirflow,
    "dataworks": FakeDataWorks,
    "dataphin": FakeDataphin,
    "dolphinscheduler": FakeDolphin,
}
PASSWORD: Mapping[str, dict[str, Any]] = {
    "airflow": {"password": SECRET},
    "dataworks": {"access_key_secret": SECRET},
    "dataphin": {"access_key_secret": SECRET},
    "dolphinscheduler": {"token": SECRET},
}
"""By kind, a wrong one."""
EXPIRED: Mapping[str, dict[str, Any]] = {
    "airflow": {"token": SECRET},
    "dataworks": {"security_token": SECRET},
    "dataphin": {"security_token": SECRET},
    "dolphinscheduler": {"token": SECRET},
}
"""By kind, a session or token that was good once."""


@asynccontextmanager
async def connected(kind: str, **settings: Any) -> AsyncGenerator[tuple[Server, Scheduler]]:
    """A server and a scheduler that speaks to it, with some of its settings spoilt."""
    http = Http()
    await http.start()
    async with KINDS[kind]() as server:
        if isinstance(server, FakeDataWorks | FakeDataphin) and "security_token" in settings:
            server.token = "of the next session"
        scheduler = _scheduler(server.connection(**settings), http, getattr(server, "clock", None))
        try:
            yield server, scheduler
        finally:
            await scheduler.close()
            await http.stop()


def _scheduler(connection: SchedulerConnection, http: Http, clock: Any) -> Scheduler:
    match connection.kind:
        case "airflow":
            return AirflowScheduler(connection, http, zone=ZoneInfo("UTC"))
        case "dataworks":
            return DataWorksScheduler(connection, zone=ZONE, clock=clock)
        case "dataphin":
            return DataphinScheduler(connection, zone=ZONE, clock=clock)
        case _:
            return DolphinScheduler(connection, http, zone=ZONE, clock=clock)


async def todo(scheduler: Scheduler, caplog: pytest.LogCaptureFixture) -> str:
    """What is said to do; in it, in all that was found, and in the logs there is no secret.

    Of libraries the logs hold warnings and worse, whatever the level of our own (`core.observe`).
    """
    with caplog.at_level(logging.WARNING):
        finding = await examine_scheduler(scheduler, words("en"))
    assert finding.grade in {"failed", "warning"}
    assert SECRET not in json.dumps(finding.as_json()) + caplog.text + repr(scheduler)
    return finding.todo


@pytest.mark.parametrize("kind", KINDS)
async def test_nothing_is_wrong_with_what_works(kind: str) -> None:
    async with connected(kind) as (_, scheduler):
        finding = await examine_scheduler(scheduler, words("en"))
        assert (finding.grade, finding.todo) == ("ok", "")
        known = "may change instances" if kind == "airflow" else "cannot be asked without doing it"
        assert known in finding.found


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("wrong", [PASSWORD, EXPIRED], ids=["password", "expired"])
async def test_wrong_and_expired_credentials_are_told_apart_from_anything_else(
    kind: str, wrong: Mapping[str, dict[str, Any]], caplog: pytest.LogCaptureFixture
) -> None:
    async with connected(kind, **wrong[kind]) as (_, scheduler):
        said = await todo(scheduler, caplog)
        assert "check user, password or token, and whether they expired" in said
        assert f'[[schedulers]] name = "{scheduler.name}"' in said


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("airflow", "give it the role Viewer"),
        ("dataworks", "add the identity to the workspace"),
        ("dataphin", "add the connection's user to the projects"),
        ("dolphinscheduler", "grant it with read and write"),
    ],
)
async def test_missing_rights_on_a_project_say_what_to_grant(
    kind: str, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with connected(kind, **({"projects": ("moon",)} if kind == "dolphinscheduler" else {})) as (
        server,
        scheduler,
    ):
        if isinstance(server, FakeAirflow):
            server.denied = ("taskInstances",)
        elif isinstance(server, FakeDataWorks | FakeDataphin):
            server.denied = {"ListTaskInstances", "ListInstances"}
        assert said in await todo(scheduler, caplog)


@pytest.mark.parametrize("kind", KINDS)
async def test_an_account_that_may_do_nothing_at_all_is_told_so(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    """Before anything can be probed: listing projects is refused."""
    async with connected(kind) as (server, scheduler):
        if isinstance(server, FakeAirflow):
            server.denied = ("dags",)
        elif isinstance(server, FakeDataWorks | FakeDataphin):
            server.denied = {"ListProjects"}
        else:
            server.trouble = lambda _: web.Response(status=403)
        assert "with a role that may see instances and logs" in await todo(scheduler, caplog)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_server_that_is_not_there_says_where_to_look(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    async with connected(kind, url=f"http://127.0.0.1:{unused_port()}") as (_, scheduler):
        assert "check address, port, firewall" in await todo(scheduler, caplog)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_certificate_that_nobody_vouches_for_is_told_as_one(
    kind: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with https(tmp_path) as url, connected(kind, url=url) as (_, scheduler):
        assert "certificate is not trusted" in await todo(scheduler, caplog)


async def test_an_airflow_account_that_may_only_read_is_told_so_without_changing_anything() -> None:
    """A dry run of a clear is refused like the real thing; nothing else is posted but the log-in."""
    async with connected("airflow") as (server, scheduler):
        assert isinstance(server, FakeAirflow)
        server.denied = ("clearTaskInstances",)
        finding = await examine_scheduler(scheduler, words("en"))
        assert (finding.grade, "may read only" in finding.found) == ("ok", True)
        posted = [one for one in server.asked if one.startswith("POST")]
        assert posted == ["POST /auth/token", "POST /api/v2/dags/trade_daily/clearTaskInstances"]


@asynccontextmanager
async def https(folder: Path) -> AsyncGenerator[str]:
    """A server whose certificate vouches for itself."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(*self_signed(folder))
    runner = web.AppRunner(web.Application())
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    yield site.name
    await runner.cleanup()
