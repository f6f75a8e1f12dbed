"""Dataphin behind the scheduler seam: what it tells, and what it makes of odd answers. The contract is in its own file."""

from collections.abc import AsyncGenerator
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadInput, NotFound
from core.schedulers.aliyun import Calls
from core.schedulers.base import AlertRule, Flags, InstanceQuery, KnowsAlertRules, RunType, Status
from core.schedulers.dataphin import DataphinScheduler
from core.schedulers.dataphin.model import cycle_of, node_of, run_type, status
from core.schedulers.dataphin.wire import NodeInstance
from tests.fakes.dataphin import NOW, TODAY, ZONE, FakeDataphin, Refusal, milliseconds


@pytest.fixture
async def dataphin() -> AsyncGenerator[FakeDataphin]:
    async with FakeDataphin() as server:
        yield server


@pytest.fixture
async def scheduler(dataphin: FakeDataphin) -> AsyncGenerator[DataphinScheduler]:
    one = DataphinScheduler(dataphin.connection(), zone=ZONE, clock=dataphin.clock)
    yield one
    await one.close()


def today(**query: object) -> InstanceQuery:
    """A question about today."""
    return InstanceQuery(day=TODAY, **query)  # pyright: ignore[reportArgumentType]


# ── words
@pytest.mark.parametrize(
    ("words", "meaning"),
    [
        (["INIT"], Status.NOT_RUN),
        (["WAIT_SUBMISSION"], Status.NOT_RUN),
        (["WAITING"], Status.WAIT_UPSTREAM),
        (["WATING"], Status.WAIT_UPSTREAM),
        (["WAIT_SCHEDULE"], Status.WAIT_TIME),
        (["DISPATCH_BLOCKED"], Status.WAIT_RESOURCE),
        (["success"], Status.SUCCESS),
        (["SUCCESS", "RUNNING"], Status.RUNNING),
        (["SUCCESS", "FAILED", "WAITING"], Status.FAILED),
        (["SUCCESS", "HIBERNATING"], Status.UNKNOWN),
        ([], Status.UNKNOWN),
    ],
)
def test_the_statuses_of_fields_are_one_status(words: list[str], meaning: Status) -> None:
    assert status(words) is meaning


@given(st.lists(st.text()), st.text())
def test_no_word_is_too_strange(words: list[str], word: str) -> None:
    """Whatever a newer server writes becomes something we know; an id that is none is not found."""
    assert isinstance(status(words), Status)
    assert isinstance(run_type(word), RunType)
    assert cycle_of(word) == ""
    with pytest.raises(NotFound):
        node_of(word)


@pytest.mark.parametrize(
    "written",
    [1795342500000, "1795342500000", "2026-11-22 18:15:00", "2026-11-22T18:15:00+08:00", "2026-11-22T10:15:00Z"],
)
def test_a_time_is_the_same_however_it_is_written(written: object) -> None:
    wire = {"Id": "t_1_20261122_1", "DueTime": written, "StartExecuteTime": None, "EndExecuteTime": 0}
    read = NodeInstance.model_validate(wire, context={"zone": ZONE})
    assert read.due == datetime(2026, 11, 22, 10, 15, tzinfo=UTC)
    assert (read.started, read.finished) == (None, None)


@pytest.mark.parametrize(
    "written", ["20261122", 20261122, "2026-11-22", milliseconds(datetime(2026, 11, 22, tzinfo=ZONE))]
)
def test_a_business_date_is_the_same_however_it_is_written(written: object) -> None:
    read = NodeInstance.model_validate({"Id": "t_1_20261122_1", "BizDate": written}, context={"zone": ZONE})
    assert read.biz_date == date(2026, 11, 22)


# ── instances
async def test_what_is_paused_keeps_its_status_and_says_that_it_is_frozen(
    dataphin: FakeDataphin, scheduler: DataphinScheduler
) -> None:
    frozen = await scheduler.instance(dataphin.id("ads_frozen_report"))
    trial = await scheduler.instance(dataphin.id("dws_user_trial"))
    assert (frozen.status, frozen.flags) == (Status.WAIT_TIME, Flags(frozen=True))
    assert (trial.status, trial.flags) == (Status.SUCCESS, Flags(dry_run=True))
    assert (await scheduler.constraints(frozen.id)).paused


async def test_unknown_words_and_new_fields_break_nothing(dataphin: FakeDataphin, scheduler: DataphinScheduler) -> None:
    one = dataphin.of("ods_order")
    one |= {"StatusList": ["HIBERNATING"], "Type": "QUANTUM", "NewField": {"deep": [1]}}
    dataphin.extra = {"AnotherNewField": True}
    found = await scheduler.instance(one["Id"])
    assert (found.status, found.raw_status, found.run_type) == (Status.UNKNOWN, "HIBERNATING", RunType.MANUAL)


async def test_nulls_are_as_good_as_nothing(dataphin: FakeDataphin, scheduler: DataphinScheduler) -> None:
    one = dataphin.of("ods_order")
    one["NodeInfo"] |= {"OwnerList": None, "PriorityList": None, "SchedulePaused": None, "SubDetailType": None}
    task = (await scheduler.instance(one["Id"])).task
    assert (task.owners, task.priority, task.flags, task.kind) == ((), 0, Flags(), "")


async def test_a_rerun_that_the_instance_does_not_show_is_seen_in_its_runs(
    dataphin: FakeDataphin, scheduler: DataphinScheduler
) -> None:
    """So Dataphin does after a rerun with downstream: what had succeeded says so while it runs again."""
    one = dataphin.of("ods_order")
    dataphin.runs[one["Id"]].append({"Status": "RUNNING", "LogContent": "again\n"})
    found = await scheduler.instance(one["Id"])
    assert (found.status, found.run_number, found.finished_at) == (Status.RUNNING, 2, None)
    assert found.raw_status == "SUCCESS"
    page = await scheduler.log(one["Id"])
    assert (page.lines, page.run_number, page.running) == (("again",), 2, True)


async def test_the_reason_why_it_waits_is_told_though_the_sdk_drops_it(
    dataphin: FakeDataphin, scheduler: DataphinScheduler
) -> None:
    one = dataphin.of("dim_region_full")
    one |= {"StatusList": ["DISPATCH_BLOCKED"], "BlockType": "FLOW_CONTROL", "WaitReason": "100 of 100 in group_a"}
    assert (await scheduler.instance(one["Id"])).note == "100 of 100 in group_a"
    found = await scheduler.constraints(one["Id"])
    assert (found.throttled_by, found.resource_group) == (("100 of 100 in group_a",), "")


async def test_what_waits_for_a_resource_group_names_the_group_and_its_holders(
    dataphin: FakeDataphin, scheduler: DataphinScheduler
) -> None:
    dataphin.of("ods_order")["StatusList"] = ["RUNNING"]
    elsewhere = dataphin.of("dwd_trade_order_di")
    elsewhere["StatusList"] = ["RUNNING"]
    elsewhere["NodeInfo"]["ResourceGroupList"] = ["group_b"]
    found = await scheduler.constraints(dataphin.id("dim_region_full"))
    assert (found.resource_group, found.resource_holders) == ("group_a", (f"dp:{dataphin.id('ods_order')}",))


async def test_other_projects_are_left_alone_when_some_are_named(dataphin: FakeDataphin) -> None:
    scheduler = DataphinScheduler(dataphin.connection(projects=("trade",)), zone=ZONE, clock=dataphin.clock)
    assert await scheduler.projects() == ("trade",)
    with pytest.raises(NotFound):
        await scheduler.instance(dataphin.id("fin_settlement_di"))
    assert await scheduler.tasks("fin_settlement_di") == ()
    await scheduler.close()


async def test_members_of_a_project_are_told_by_the_names_that_owners_have(scheduler: DataphinScheduler) -> None:
    assert await scheduler.members("finance") == {"王敏"}
    assert (await scheduler.tasks("fin_settlement_di"))[0].owner == "王敏"
    with pytest.raises(NotFound):
        await scheduler.members("marketing")


async def test_what_no_word_selects_is_read_and_selected_here(
    dataphin: FakeDataphin, scheduler: DataphinScheduler
) -> None:
    page = await scheduler.instances(today(statuses=frozenset({Status.WAIT_UPSTREAM, Status.RUNNING})))
    assert [one.task.name for one in page.items] == ["ads_gmv_daily"]
    assert page.total == 1


async def test_a_status_that_no_instance_has_costs_no_call(
    dataphin: FakeDataphin, scheduler: DataphinScheduler
) -> None:
    assert (await scheduler.instances(today(statuses=frozenset({Status.CHECKING})))).total == 0
    assert dataphin.count["ListInstances"] == 0


async def test_a_project_too_large_to_read_is_counted_status_by_status(
    dataphin: FakeDataphin, scheduler: DataphinScheduler
) -> None:
    """What cannot be selected is the remainder, which is honest about being unknown."""
    before = await scheduler.counts(today())
    dataphin.many(1500, failed=3)
    await scheduler.close()
    other = DataphinScheduler(dataphin.connection(), zone=ZONE, clock=dataphin.clock)
    counts = await other.counts(today())
    assert counts[Status.FAILED] == before[Status.FAILED] + 3
    assert (counts[Status.UNKNOWN], before[Status.WAIT_UPSTREAM]) == (1, 1)
    assert sum(counts.values()) == sum(before.values()) + 1500
    await other.close()


async def test_a_question_that_would_read_everything_is_refused(
    dataphin: FakeDataphin, scheduler: DataphinScheduler
) -> None:
    dataphin.many(5_100)
    with pytest.raises(BadInput):
        await scheduler.instances(today(statuses=frozenset({Status.WAIT_UPSTREAM})))
    assert dataphin.count["ListInstances"] == 2


async def test_a_page_says_when_dataphin_was_asked_for_it(dataphin: FakeDataphin, scheduler: DataphinScheduler) -> None:
    first = await scheduler.instances(today())
    dataphin.now += timedelta(seconds=5)
    again = await scheduler.instances(today())
    assert first.as_of == again.as_of == NOW


@pytest.mark.parametrize(("word", "kind"), [("MANUAL", RunType.MANUAL), ("SUPPLEMENT", RunType.BACKFILL)])
async def test_other_kinds_of_run_are_listed_when_asked_for(
    dataphin: FakeDataphin, scheduler: DataphinScheduler, word: str, kind: RunType
) -> None:
    dataphin.of("ods_order")["ScheduleType"] = word
    asked = today(run_types=frozenset({kind}))
    assert [one.run_type for one in (await scheduler.instances(asked)).items] == [kind]
    assert await scheduler.counts(asked) == {Status.SUCCESS: 1}


# ── lineage
async def test_the_root_of_all_nodes_is_nobodys_upstream(dataphin: FakeDataphin, scheduler: DataphinScheduler) -> None:
    assert await scheduler.upstream(dataphin.id("ods_order")) == ()


async def test_what_waits_in_a_project_we_may_not_see_is_told_by_name(dataphin: FakeDataphin) -> None:
    dataphin.ties[dataphin.id("fin_settlement_di")] = [dataphin.id("dws_trade_order_di")]
    scheduler = DataphinScheduler(dataphin.connection(projects=("trade",)), zone=ZONE, clock=dataphin.clock)
    found = await scheduler.downstream(dataphin.id("dws_trade_order_di"), depth=3)
    stranger = next(one.instance for one in found if one.instance.task.name == "fin_settlement_di")
    assert (stranger.status, stranger.task.project) == (Status.UNKNOWN, "")
    await scheduler.close()


async def test_a_tie_to_yesterday_crosses_cycles(dataphin: FakeDataphin, scheduler: DataphinScheduler) -> None:
    yesterday = dataphin.id("ods_order", TODAY - timedelta(days=1))
    dataphin.ties[dataphin.id("ods_order")] = [yesterday]
    (found,) = await scheduler.upstream(dataphin.id("ods_order"))
    assert (found.instance.id, found.cross_cycle) == (yesterday, True)


async def test_a_walk_ends_in_a_circle_and_is_bounded_by_calls(dataphin: FakeDataphin) -> None:
    """A ring of a hundred at five calls a second: the nearest ten are told."""
    dataphin.many(100)
    for position in range(100):
        dataphin.ties[f"t_{900_000 + position}_20261122_1"] = [f"t_{900_000 + (position - 1) % 100}_20261122_1"]
        dataphin.runs[f"t_{900_000 + position}_20261122_1"] = []
    for rate, most in ((5, 10), (2000, 99)):
        quick = Calls("dp", per_second=2000, concurrency=4)
        connection = dataphin.connection(calls_per_second=rate)
        scheduler = DataphinScheduler(connection, zone=ZONE, clock=dataphin.clock, calls=quick)
        found = await scheduler.downstream("t_900000_20261122_1", depth=600)
        assert [one.instance.task.name for one in found] == [f"job_{position}" for position in range(1, most + 1)]
        await scheduler.close()


async def test_an_instance_that_is_gone_has_no_neighbours(scheduler: DataphinScheduler) -> None:
    with pytest.raises(NotFound):
        await scheduler.downstream("t_8126482847401836503_20200101_1")


# ── tasks, tables, changes
async def test_a_task_without_an_instance_yesterday_is_found_among_the_definitions(
    scheduler: DataphinScheduler,
) -> None:
    (found,) = await scheduler.tasks("ads_user_monthly")
    assert (found.cycle, found.priority) == ("monthly", 4)


async def test_definitions_that_cannot_be_listed_do_not_stop_a_search(
    dataphin: FakeDataphin, scheduler: DataphinScheduler
) -> None:
    for project in range(2):
        dataphin.inside["ListNodes"] = Refusal("DPN.Commons.InternalError", f"trace {project}", 500)
    (found,) = await scheduler.tasks("ads_gmv_daily")
    assert found.name == "ads_gmv_daily"


async def test_a_table_is_as_fresh_as_its_data_and_names_the_run_that_wrote(
    dataphin: FakeDataphin, scheduler: DataphinScheduler
) -> None:
    (table,) = await scheduler.tables("ods_order")
    (update,) = table.updates
    assert (update.instance, update.bytes, table.partitioned) == (f"dp:{dataphin.id('ods_order')}", 1 << 20, False)
    assert [task.owner for task in table.producers] == ["陈晓雯"]


async def test_many_tables_are_named_without_details(dataphin: FakeDataphin, scheduler: DataphinScheduler) -> None:
    found = await scheduler.tables("dws_di")
    assert [table.name for table in found] == [f"dws_trade_part{part}_di" for part in range(4)]
    assert dataphin.count["GetTable"] == 0


async def test_what_people_did_to_a_node_is_told_with_their_names(
    dataphin: FakeDataphin, scheduler: DataphinScheduler
) -> None:
    node = dataphin.of("dws_trade_order_di")["NodeInfo"]["Id"]
    done = {"NodeId": node, "OperationType": "PAUSE_TASK", "OperatorName": "林志豪", "Context": ""}
    dataphin.operations = [done | {"OperationTime": f"2026-11-{day} 09:00:00"} for day in ("01", "22")]
    (found,) = await scheduler.changes(node, NOW - timedelta(days=3))
    assert (found.what, found.who, found.ref) == ("PAUSE_TASK", "林志豪", f"dp:{node}")
    everything = await scheduler.changes(node, NOW - timedelta(days=60))
    assert [one.kind for one in everything] == ["operation", "operation", "task"]


# ── alerts
async def test_whom_dataphin_calls_is_told_by_its_latest_alerts(
    dataphin: FakeDataphin, scheduler: DataphinScheduler
) -> None:
    """Of each reason the latest; not those of a node whose name only contains this one's, nor those of long ago."""
    assert isinstance(scheduler, KnowsAlertRules)
    node = dataphin.of("dws_trade_order_di")["NodeInfo"]["Id"]
    failed = AlertRule(
        "74",
        "dws_trade_order_di",
        on="VDM_BATCH_ERROR",
        people=("陈晓雯", "林志豪"),
        elsewhere=("夜班", "c-7"),
    )
    undone = AlertRule(
        "72", "dws_trade_order_di", on="VDM_BATCH_UNDONE", people=("林志豪",), elsewhere=("夜班",), enabled=False
    )
    assert await scheduler.alert_rules(node) == (failed, undone)
    assert await scheduler.alert_rule("74") == failed
    assert await scheduler.alert_rules(dataphin.of("ods_order")["NodeInfo"]["Id"]) == ()


@pytest.mark.parametrize("alert", ["75", "", "vdm-74", "٧٤", "9" * 40])
async def test_an_alert_that_is_not_there_is_not_found(scheduler: DataphinScheduler, alert: str) -> None:
    with pytest.raises(NotFound):
        await scheduler.alert_rule(alert)


async def test_an_alert_of_another_shape_says_what_it_can(dataphin: FakeDataphin, scheduler: DataphinScheduler) -> None:
    dataphin.alerts = [
        {
            "Id": 80,
            "AlertObject": {"Name": "ods_order", "Type": "OF_TOMORROW"},
            "AlertReason": None,
            "AlertReceiverList": [{"Type": "ROBOT", "UserList": [{"Name": None}]}, {"Type": "OWNER"}],
            "BelongProject": {"ProjectName": "trade"},
            "LatestAlertTime": "2026-11-22 01:00:00",
        }
    ]
    node = dataphin.of("ods_order")["NodeInfo"]["Id"]
    assert await scheduler.alert_rules(node) == (AlertRule("80", "ods_order"),)
