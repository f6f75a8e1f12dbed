"""Dataphin's gateways: failures inside answers of 200, older signatures, certificates of one's own, and what doctor says."""

import asyncio
import ssl
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from core.errors import NotFound, Refused, Throttled, Unauthorized, Unreachable
from core.schedulers.dataphin import DataphinScheduler
from tests.certificates import self_signed
from tests.fakes.aliyun import SECRET, Fault
from tests.fakes.dataphin import ZONE, FakeDataphin, Refusal

BUSY = Fault(429, "Throttling.User", "Request was denied due to user flow control.")


@pytest.fixture
async def dataphin() -> AsyncGenerator[FakeDataphin]:
    async with FakeDataphin() as server:
        yield server


@pytest.fixture
async def scheduler(dataphin: FakeDataphin) -> AsyncGenerator[DataphinScheduler]:
    one = DataphinScheduler(dataphin.connection(), zone=ZONE, clock=dataphin.clock)
    yield one
    await one.close()


# ── when things go wrong
async def test_a_failure_inside_an_answer_of_200_is_a_failure(scheduler: DataphinScheduler) -> None:
    with pytest.raises(Refused) as refusal:
        await scheduler.tables("fin_settlement_di")
    assert refusal.value.code == "DPN.Filter.NoPermission"


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("DPN.Commons.InternalError", 500, Unreachable),
        ("DPN.Gateway.TooManyRequests", 429, Throttled),
        ("DPN.OP.ProjectNotExist", 400, NotFound),
        ("DPN.OP.NodeNotFound", 400, NotFound),
        ("DPN.Commons.InvalidParam", 400, Refused),
    ],
)
async def test_a_failure_inside_a_200_is_told_by_its_code(
    dataphin: FakeDataphin, scheduler: DataphinScheduler, code: str, status: int, kind: type[Exception]
) -> None:
    await scheduler.instance(dataphin.id("ods_order"))
    dataphin.inside["GetPhysicalInstance"] = Refusal(code, "no", status)
    if kind is Throttled:  # is asked again, and then answered
        assert (await scheduler.instance(dataphin.id("ods_order"))).id
        assert dataphin.count["GetPhysicalInstance"] == 3
        return
    with pytest.raises(kind):
        await scheduler.instance(dataphin.id("ods_order"))
    assert dataphin.count["GetPhysicalInstance"] == 2


async def test_a_busy_platform_is_asked_again_and_no_more_than_twice_so(
    dataphin: FakeDataphin, scheduler: DataphinScheduler
) -> None:
    dataphin.faults = [BUSY]
    assert await scheduler.projects() == ("finance", "trade")
    assert dataphin.calls == ["ListProjects"] * 2


async def test_an_expired_session_is_said_without_its_token(dataphin: FakeDataphin) -> None:
    connection = dataphin.connection(security_token="CAIS-token-of-the-session")
    scheduler = DataphinScheduler(connection, zone=ZONE, clock=dataphin.clock)
    dataphin.token = "CAIS-token-of-the-session"
    assert await scheduler.projects()
    dataphin.token = "the next one"
    with pytest.raises(Unauthorized) as refusal:
        await scheduler.tasks("ods_order")
    assert refusal.value.code == "InvalidSecurityToken.Expired"
    assert "CAIS" not in str(refusal.value)
    await scheduler.close()


async def test_a_slow_platform_holds_up_nobody_else(dataphin: FakeDataphin) -> None:
    """The loop turns while a call waits, and the call ends by its time-out."""
    dataphin.slow = asyncio.Event()
    scheduler = DataphinScheduler(dataphin.connection(timeout_seconds=0.3), zone=ZONE, clock=dataphin.clock)
    asked = asyncio.create_task(scheduler.projects())
    turns = 0
    while not asked.done():
        await asyncio.sleep(0.01)
        turns += 1
    with pytest.raises(Unreachable):
        await asked
    assert turns >= 10
    dataphin.slow.set()
    await scheduler.close()


async def test_every_call_names_the_operator_when_one_is_set(dataphin: FakeDataphin) -> None:
    scheduler = DataphinScheduler(dataphin.connection(operator="3001"), zone=ZONE, clock=dataphin.clock)
    await scheduler.instance(dataphin.id("ods_order"))
    assert set(dataphin.operators) == {"3001"}
    await scheduler.close()


# ── gateways on premises
async def test_an_older_gateway_is_spoken_to_in_its_signature(dataphin: FakeDataphin) -> None:
    dataphin.knows = "v2"
    scheduler = DataphinScheduler(dataphin.connection(signature="v2"), zone=ZONE, clock=dataphin.clock)
    assert (await scheduler.health()).problems == ()
    assert (await scheduler.instance(dataphin.id("ods_order"))).task.name == "ods_order"
    await scheduler.close()


@pytest.mark.parametrize("faults", [[], [Fault(400, "MissingParameter", "Action is mandatory")]])
async def test_doctor_finds_out_that_a_gateway_wants_the_older_signature(
    dataphin: FakeDataphin, scheduler: DataphinScheduler, faults: list[Fault]
) -> None:
    """Whatever it calls what it misses."""
    dataphin.knows, dataphin.faults = "v2", faults
    (problem,) = (await scheduler.health()).problems
    assert "signature = 'v2'" in problem


async def test_a_wrong_secret_is_wrong_in_either_signature(dataphin: FakeDataphin) -> None:
    connection = dataphin.connection(access_key_secret="another-secret-altogether")
    scheduler = DataphinScheduler(connection, zone=ZONE, clock=dataphin.clock)
    with pytest.raises(Unauthorized) as refusal:
        await scheduler.health()
    assert refusal.value.code == "SignatureDoesNotMatch"
    assert SECRET not in repr(dataphin.connection())
    await scheduler.close()


async def test_a_certificate_of_ones_own_is_trusted_when_named_and_only_then(tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    async with FakeDataphin(tls) as dataphin:
        wary = DataphinScheduler(dataphin.connection(), zone=ZONE, clock=dataphin.clock)
        with pytest.raises(Unreachable) as refusal:
            await wary.projects()
        assert refusal.value.code == "certificate"
        await wary.close()
        trusting = DataphinScheduler(dataphin.connection(ca_file=str(certificate)), zone=ZONE, clock=dataphin.clock)
        assert await trusting.projects() == ("finance", "trade")
        await trusting.close()


# ── doctor
async def test_each_missing_right_is_named(dataphin: FakeDataphin, scheduler: DataphinScheduler) -> None:
    dataphin.denied = {"ListInstances", "ListTables"}
    problems = (await scheduler.health()).problems
    assert len(problems) == 2
    assert all(any(action in problem for problem in problems) for action in dataphin.denied)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("DPN.OP.NoPermission", "role"),
        ("InvalidAction.NotFound", "newer"),
        ("DPN.Filter.ProjectNotFound", "tenant"),
        ("DPN.Commons.InvalidParam", "look it up"),
    ],
)
async def test_what_stands_in_the_way_is_told_with_what_to_do(
    dataphin: FakeDataphin, scheduler: DataphinScheduler, code: str, words: str
) -> None:
    dataphin.inside["ListTables"] = Refusal(code, "no")
    (problem,) = (await scheduler.health()).problems
    assert words in problem


@pytest.mark.parametrize("code", ["InvalidAction.NotFound", "DPN.Commons.InternalError", "DPN.Filter.NoPermission"])
async def test_a_server_that_does_not_tell_its_version_is_no_problem(
    dataphin: FakeDataphin, scheduler: DataphinScheduler, code: str
) -> None:
    dataphin.inside["GetServerVersion"] = Refusal(code, "no")
    health = await scheduler.health()
    assert (health.version, health.problems) == ("2023-06-30", ())


async def test_a_project_that_is_not_there_is_named(dataphin: FakeDataphin) -> None:
    scheduler = DataphinScheduler(dataphin.connection(projects=("trade", "tradde")), zone=ZONE, clock=dataphin.clock)
    (problem,) = (await scheduler.health()).problems
    assert "tradde" in problem
    await scheduler.close()


@pytest.mark.parametrize(
    "wrong", [{"tenant": ""}, {"tenant": "acme"}, {"url": ""}, {"access_key_secret": ""}, {"signature": "v1"}]
)
async def test_settings_that_cannot_work_are_refused(dataphin: FakeDataphin, wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"dp|signature"):
        dataphin.connection(**wrong)
