"""DataWorks behind the scheduler seam: what it costs, what it tells, what it refuses. The contract is in its own file."""

import asyncio
import sys
from collections.abc import AsyncGenerator
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadInput, NotFound, Refused, Throttled, Unauthorized, Unreachable
from core.schedulers.aliyun import Calls
from core.schedulers.base import Flags, InstanceQuery, RunType, Status, incomplete
from core.schedulers.cron import cycle
from core.schedulers.dataworks import DataWorksScheduler
from core.schedulers.dataworks.model import business_day, letters, recurrence, run_type, status
from core.schedulers.dataworks.tables import entity
from tests.fakes.aliyun import KEY, SECRET, Fault
from tests.fakes.dataworks import NOW, TODAY, ZONE, FakeDataWorks
from tests.fakes.dataworks_rules import milliseconds

ROOT = Path(__file__).parents[2]
BUSY = Fault(429, "Throttling.User", "Request was denied due to user flow control.")


@pytest.fixture
async def dataworks() -> AsyncGenerator[FakeDataWorks]:
    async with FakeDataWorks() as server:
        yield server


@pytest.fixture
async def scheduler(dataworks: FakeDataWorks) -> AsyncGenerator[DataWorksScheduler]:
    one = DataWorksScheduler(dataworks.connection(), zone=ZONE, clock=dataworks.clock)
    yield one
    await one.close()


def today(**query: object) -> InstanceQuery:
    """A question about today."""
    return InstanceQuery(day=TODAY, **query)  # pyright: ignore[reportArgumentType]


# ── words
@pytest.mark.parametrize(
    ("word", "meaning"),
    [
        ("NotRun", Status.NOT_RUN),
        ("NOT_RUN(1)", Status.NOT_RUN),
        ("WAIT_TIME", Status.WAIT_TIME),
        ("WaitTrigger", Status.WAIT_TRIGGER),
        ("CHECKING_CONDITION(8)", Status.CHECKING),
        ("FAILURE(5)", Status.FAILED),
        ("Archived", Status.UNKNOWN),
        ("", Status.UNKNOWN),
    ],
)
def test_both_generations_words_for_a_status_are_known(word: str, meaning: Status) -> None:
    assert status(word) is meaning


@given(st.text())
def test_no_word_is_too_strange(word: str) -> None:
    """Whatever a newer server writes becomes something we know, and comparing letters is settled after one time."""
    assert isinstance(status(word), Status)
    assert isinstance(run_type(word), RunType)
    assert isinstance(recurrence(word), Flags)
    assert letters(letters(word)) == letters(word)


@pytest.mark.parametrize(
    ("word", "flags"),
    [
        ("Pause", Flags(frozen=True)),
        ("PAUSE(2)", Flags(frozen=True)),
        ("PauseCalendar", Flags(frozen=True)),
        ("Skip", Flags(dry_run=True)),
        ("SKIP_CYCLE(5)", Flags(off_cycle=True)),
        ("Normal", Flags()),
    ],
)
def test_how_something_is_triggered_becomes_a_flag(word: str, flags: Flags) -> None:
    assert recurrence(word) == flags


@pytest.mark.parametrize(
    ("cron", "word"),
    [
        ("00 15 02 * * ?", "daily"),
        ("00 05 00-23/1 * * ?", "hourly"),
        ("00 00/30 * * * ?", "minute"),
        ("00 00 03 ? * 1", "weekly"),
        ("00 00 03 1 * ?", "monthly"),
        ("", ""),
        ("nonsense", ""),
    ],
)
def test_a_cron_expression_becomes_a_cycle(cron: str, word: str) -> None:
    assert cycle(cron) == word


def test_the_bizdate_is_the_day_before() -> None:
    assert business_day(date(2026, 3, 1)) == date(2026, 2, 28)


def test_ids_of_the_data_map_know_schemas() -> None:
    assert entity("odps.trade.orders") == "maxcompute-table:::trade::orders"
    assert entity("odps.trade.ods.orders") == "maxcompute-table:::trade:ods:orders"


# ── instances
async def test_a_frozen_instance_is_failed_and_says_that_it_is_frozen(
    dataworks: FakeDataWorks, scheduler: DataWorksScheduler
) -> None:
    frozen = await scheduler.instance(str(dataworks.of("ads_frozen_report")["Id"]))
    weekly = await scheduler.instance(str(dataworks.of("dws_user_weekly")["Id"]))
    assert (frozen.status, frozen.flags) == (Status.FAILED, Flags(frozen=True))
    assert (weekly.status, weekly.flags) == (Status.SUCCESS, Flags(off_cycle=True))


async def test_a_success_set_by_a_person_says_so(dataworks: FakeDataWorks, scheduler: DataWorksScheduler) -> None:
    one = dataworks.of("dws_trade_order_di")
    one |= {"Status": "Success", "OperationType": "SetSuccess"}
    assert (await scheduler.instance(str(one["Id"]))).flags == Flags(forced=True)


async def test_unknown_words_and_new_fields_break_nothing(
    dataworks: FakeDataWorks, scheduler: DataWorksScheduler
) -> None:
    one = dataworks.of("ods_order")
    one |= {"Status": "Hibernating", "WorkflowInstanceType": "Quantum", "NewField": {"deep": [1]}}
    dataworks.extra = {"AnotherNewField": True}
    found = await scheduler.instance(str(one["Id"]))
    assert (found.status, found.raw_status, found.run_type) == (Status.UNKNOWN, "Hibernating", RunType.MANUAL)


async def test_the_owner_is_called_by_name_and_a_stranger_by_account(
    dataworks: FakeDataWorks, scheduler: DataWorksScheduler
) -> None:
    one = dataworks.of("ods_order")
    assert (await scheduler.instance(str(one["Id"]))).task.owner == "陈晓雯"
    one["Owner"] = "9999"
    assert (await scheduler.instance(str(one["Id"]))).task.owner == "9999"


async def test_a_rerun_that_waits_does_not_show_the_run_before(
    dataworks: FakeDataWorks, scheduler: DataWorksScheduler
) -> None:
    one = dataworks.of("dws_trade_order_di")
    one |= {"Status": "WaitResource", "RunNumber": 2}
    found = await scheduler.instance(str(one["Id"]))
    assert (found.run_number, found.started_at, found.finished_at) == (2, None, None)


async def test_other_workspaces_are_left_alone_when_some_are_named(dataworks: FakeDataWorks) -> None:
    scheduler = DataWorksScheduler(dataworks.connection(projects=("trade",)), zone=ZONE, clock=dataworks.clock)
    assert await scheduler.projects() == ("trade",)
    with pytest.raises(NotFound):
        await scheduler.instance(str(dataworks.of("fin_settlement_di")["Id"]))
    assert await scheduler.tasks("601") == ()
    await scheduler.close()


async def test_what_is_being_checked_is_counted_as_such(
    dataworks: FakeDataWorks, scheduler: DataWorksScheduler
) -> None:
    """No operation counts or selects by this status, so the day is read whole as soon as there is one."""
    dataworks.of("ods_order")["Status"] = "Checking"
    assert (await scheduler.counts(today()))[Status.CHECKING] == 1
    page = await scheduler.instances(today(statuses=frozenset({Status.RUNNING, Status.CHECKING})))
    assert [one.task.name for one in page.items] == ["ods_order"]


async def test_backfills_and_tests_are_listed_when_asked_for(
    dataworks: FakeDataWorks, scheduler: DataWorksScheduler
) -> None:
    dataworks.of("ods_order")["WorkflowInstanceType"] = "SupplementData"
    asked = today(run_types=frozenset({RunType.BACKFILL, RunType.TEST}))
    assert [one.run_type for one in (await scheduler.instances(asked)).items] == [RunType.BACKFILL]
    assert await scheduler.counts(asked) == {Status.SUCCESS: 1}


async def test_a_page_says_when_dataworks_was_asked_for_it(
    dataworks: FakeDataWorks, scheduler: DataWorksScheduler
) -> None:
    first = await scheduler.instances(today())
    dataworks.now += timedelta(seconds=5)
    again = await scheduler.instances(today())
    assert first.as_of == again.as_of == NOW


async def test_a_log_of_an_instance_that_never_ran_is_empty(
    dataworks: FakeDataWorks, scheduler: DataWorksScheduler
) -> None:
    page = await scheduler.log(str(dataworks.of("ads_gmv_daily")["Id"]))
    assert (page.lines, page.run_number) == ((), 0)


async def test_what_waits_for_a_resource_group_names_the_group_and_its_holders(
    dataworks: FakeDataWorks, scheduler: DataWorksScheduler
) -> None:
    dataworks.of("ods_order")["Status"] = "Running"
    found = await scheduler.constraints(str(dataworks.of("dim_region_full")["Id"]))
    assert (found.resource_group, found.resource_holders) == ("group_a", (f"dw:{dataworks.of('ods_order')['Id']}",))


async def test_what_waits_in_a_workspace_we_may_not_see_is_told_by_ids(
    dataworks: FakeDataWorks, scheduler: DataWorksScheduler
) -> None:
    stranger = dataworks.of("ads_gmv_daily")
    stranger["ProjectId"] = 999
    (found,) = await scheduler.downstream(str(dataworks.of("dws_trade_order_di")["Id"]))
    assert (found.instance.task.project, found.instance.task.owner) == ("999", "2002")


async def test_a_walk_ends_in_a_circle(dataworks: FakeDataWorks, scheduler: DataWorksScheduler) -> None:
    first, last = dataworks.of("ods_order")["Id"], dataworks.of("ads_gmv_daily")["Id"]
    dataworks.ties[first] = [last]
    found = await scheduler.downstream(str(first), depth=25)
    assert [one.instance.task.name for one in found if one.distance == 3] == ["ads_gmv_daily"]
    assert str(first) not in {one.instance.id for one in found}
    assert not incomplete(found)


async def test_a_walk_is_bounded_by_calls(dataworks: FakeDataWorks) -> None:
    """A chain of five hundred at five calls a second: the nearest forty are told, and that there are more."""
    dataworks.many(500)
    for id_ in range(900_000_001, 900_000_500):
        dataworks.ties[id_] = [id_ - 1]
    slow, calls = dataworks.connection(calls_per_second=5), Calls("dw", per_second=2000, concurrency=4)
    scheduler = DataWorksScheduler(slow, zone=ZONE, clock=dataworks.clock, calls=calls)
    found = await scheduler.downstream("900000000", depth=600)
    assert [one.instance.task.name for one in found] == [f"job_{position}" for position in range(1, 41)]
    assert incomplete(found)
    assert dataworks.count["ListDownstreamTaskInstances"] == 40
    await scheduler.close()


async def test_history_knows_the_runs_of_a_month_by_one_call(
    dataworks: FakeDataWorks, scheduler: DataWorksScheduler
) -> None:
    found = await scheduler.history("505", limit=14)
    assert len(found) == 14
    assert {one.task.owner for one in found} == {"林志豪"}
    assert dataworks.count["ListInstances"] == 1


# ── tables, changes, promises
async def test_a_table_without_partitions_is_as_fresh_as_its_data(
    dataworks: FakeDataWorks, scheduler: DataWorksScheduler
) -> None:
    (table,) = await scheduler.tables("ods_order")
    assert not table.partitioned
    assert [update.instance for update in table.updates] == [f"dw:{dataworks.of('ods_order')['Id']}"]


async def test_many_tables_are_named_without_details(dataworks: FakeDataWorks, scheduler: DataWorksScheduler) -> None:
    found = await scheduler.tables("dws_di")
    assert [table.name for table in found] == [f"dws_trade_part{part}_di" for part in range(4)]
    assert dataworks.count["GetTable"] == 0


async def test_a_failure_inside_an_answer_of_200_is_a_failure(scheduler: DataWorksScheduler) -> None:
    with pytest.raises(Refused) as refusal:
        await scheduler.tables("fin_settlement_di")
    assert refusal.value.code == "1010040007"


async def test_what_people_did_to_a_task_is_told_with_their_names(
    dataworks: FakeDataWorks, scheduler: DataWorksScheduler
) -> None:
    id_ = dataworks.of("dws_trade_order_di")["Id"]
    done = {"TaskId": 503, "TaskInstanceId": id_, "User": "2002"}
    for hours in (2, 30, 300):
        at = milliseconds(NOW - timedelta(hours=hours))
        dataworks.operations.append(done | {"OperationContent": f"{hours} hours ago", "CreateTime": at})
    found = await scheduler.changes("503", NOW - timedelta(days=3))
    assert [(one.what, one.who, one.ref) for one in found] == [
        ("2 hours ago", "林志豪", f"dw:{id_}"),
        ("30 hours ago", "林志豪", f"dw:{id_}"),
    ]


async def test_baselines_that_wait_for_an_instance_through_others_are_told(
    dataworks: FakeDataWorks, scheduler: DataWorksScheduler
) -> None:
    promised, expected = NOW + timedelta(hours=1), NOW + timedelta(hours=2)
    one = {
        "BaselineId": 77,
        "BaselineName": "核心报表",
        "FinishStatus": "UNFINISH",
        "Owner": "2002,2001",
        "SlaTime": milliseconds(promised),
        "EndCast": milliseconds(expected),
    }
    dataworks.baselines = [one, one | {"BaselineId": 78}, one | {"FinishStatus": "FINISH"}]
    (found,) = await scheduler.baselines(str(dataworks.of("dws_trade_order_di")["Id"]))
    assert (found.name, found.promised_at, found.expected_at, found.owner) == ("核心报表", promised, expected, "林志豪")
    assert await scheduler.baselines(str(dataworks.of("fin_settlement_di")["Id"])) == ()


# ── when things go wrong
async def test_a_busy_platform_is_asked_again_and_no_more_than_twice_so(
    dataworks: FakeDataWorks, scheduler: DataWorksScheduler
) -> None:
    dataworks.faults = [BUSY]
    assert await scheduler.projects() == ("finance", "trade")
    assert dataworks.calls == ["ListProjects"] * 2


async def test_the_header_by_which_it_says_how_long_to_wait_is_heard(
    dataworks: FakeDataWorks, scheduler: DataWorksScheduler
) -> None:
    dataworks.faults = [Fault(429, "Throttling.Api", headers=(("x-acs-retry-after", "60000"),))]
    with pytest.raises(Throttled) as refusal:
        await scheduler.projects()
    assert refusal.value.retry_after == pytest.approx(60, abs=1)
    assert dataworks.calls == ["ListProjects"]


async def test_an_expired_session_is_said_without_its_token(dataworks: FakeDataWorks) -> None:
    connection = dataworks.connection(security_token="CAIS-token-of-the-session")
    scheduler = DataWorksScheduler(connection, zone=ZONE, clock=dataworks.clock)
    dataworks.token = "CAIS-token-of-the-session"
    assert await scheduler.projects()
    dataworks.token = "the next one"
    with pytest.raises(Unauthorized) as refusal:
        await scheduler.tasks("501")
    assert refusal.value.code == "InvalidSecurityToken.Expired"
    assert "CAIS" not in str(refusal.value)
    await scheduler.close()


async def test_a_wrong_secret_is_said_without_what_was_sent(dataworks: FakeDataWorks) -> None:
    connection = dataworks.connection(access_key_secret="another-secret-altogether")
    scheduler = DataWorksScheduler(connection, zone=ZONE, clock=dataworks.clock)
    with pytest.raises(Unauthorized) as refusal:
        await scheduler.projects()
    assert refusal.value.code == "SignatureDoesNotMatch"
    assert "x-acs" not in str(refusal.value)
    assert SECRET not in repr(dataworks.connection())
    await scheduler.close()


async def test_a_slow_platform_holds_up_nobody_else(dataworks: FakeDataWorks) -> None:
    """The loop turns while a call waits, and the call ends by its time-out."""
    dataworks.slow = asyncio.Event()
    connection = dataworks.connection(timeout_seconds=0.3)
    scheduler = DataWorksScheduler(connection, zone=ZONE, clock=dataworks.clock)
    asked = asyncio.create_task(scheduler.projects())
    turns = 0
    while not asked.done():
        await asyncio.sleep(0.01)
        turns += 1
    with pytest.raises(Unreachable):
        await asked
    assert turns >= 10
    dataworks.slow.set()
    await scheduler.close()


async def test_nobody_at_the_address_is_unreachable(dataworks: FakeDataWorks) -> None:
    connection = dataworks.connection(url="http://127.0.0.1:9")
    scheduler = DataWorksScheduler(connection, zone=ZONE, clock=dataworks.clock)
    with pytest.raises(Unreachable):
        await scheduler.projects()
    await scheduler.close()


async def test_a_server_that_fails_is_unreachable(dataworks: FakeDataWorks, scheduler: DataWorksScheduler) -> None:
    dataworks.faults = [Fault(500, "InternalError.System")]
    with pytest.raises(Unreachable):
        await scheduler.projects()


async def test_a_page_of_a_proxy_is_no_answer(dataworks: FakeDataWorks, scheduler: DataWorksScheduler) -> None:
    dataworks.faults = [Fault(200, "", "<html>please sign in</html>")]
    with pytest.raises(Unreachable) as refusal:
        await scheduler.projects()
    assert refusal.value.code == "not-json"


async def test_credentials_come_from_the_environment(dataworks: FakeDataWorks, tmp_path: Path) -> None:
    """In a process of its own, since the SDK reads variables when it is imported, with every other source switched off."""
    code = f"""
import asyncio
from zoneinfo import ZoneInfo
from core.schedulers.dataworks import DataWorksScheduler
from core.settings import SchedulerConnection
connection = SchedulerConnection(name="dw", kind="dataworks", region="cn-shanghai", url="{dataworks.url}")
print(asyncio.run(DataWorksScheduler(connection, zone=ZoneInfo("UTC")).projects()))
"""
    environment = {
        "ALIBABA_CLOUD_ACCESS_KEY_ID": KEY,
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": SECRET,
        "ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true",
        "ALIBABA_CLOUD_CLI_PROFILE_DISABLED": "true",
        "HOME": str(tmp_path),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, cwd=ROOT, env=environment, stdout=asyncio.subprocess.PIPE
    )
    said, _ = await process.communicate()
    assert said.decode().strip() == "('finance', 'trade')"


async def test_each_missing_right_is_named(dataworks: FakeDataWorks, scheduler: DataWorksScheduler) -> None:
    dataworks.denied = {"ListTaskInstances", "SearchMetaTables"}
    problems = (await scheduler.health()).problems
    assert len(problems) == 2
    assert all(any(f"dataworks:{action}" in problem for problem in problems) for action in dataworks.denied)


async def test_a_workspace_that_is_not_there_is_named(dataworks: FakeDataWorks) -> None:
    connection = dataworks.connection(projects=("trade", "tradde"))
    scheduler = DataWorksScheduler(connection, zone=ZONE, clock=dataworks.clock)
    (problem,) = (await scheduler.health()).problems
    assert "tradde" in problem
    await scheduler.close()


@pytest.mark.parametrize(
    "wrong",
    [{"region": "", "url": ""}, {"access_key_secret": ""}, {"access_key_id": ""}, {"edition": "ultimate"}],
)
async def test_settings_that_cannot_work_are_refused(dataworks: FakeDataWorks, wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"dw|edition"):
        dataworks.connection(**wrong)


async def test_a_question_that_would_read_everything_is_refused(
    dataworks: FakeDataWorks, scheduler: DataWorksScheduler
) -> None:
    dataworks.many(20_500)
    with pytest.raises(BadInput):
        await scheduler.counts(today(owner="陈晓雯"))
