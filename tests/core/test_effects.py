"""What follows from events: who hears of a failure, in which card, what ends it, and what nobody hears of."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from core.cards import Card, Log, Text
from core.events.incoming import OPENLINEAGE, read_event
from core.messages import Conversation
from core.schedulers.base import AlertRule, Flags, Status
from core.schedulers.fleet import Fleet
from core.schedulers.mirror import MirrorScheduler
from core.settings import SchedulerConnection, SubscriptionSettings
from core.store import Store
from tests.core.event_samples import Json, cloud_event, status_changed
from tests.fakes.chat import FakeChat
from tests.fakes.effects import GROUP, START, ZONE, Newsroom, failed, project
from tests.fakes.timeline import Killed

FAILURE, SUCCESS = 5, 6
ANN = Conversation("chat", "ann")


def milliseconds(at: datetime = START) -> int:
    """As the platform writes a time."""
    return int(at.timestamp() * 1000)


def failing(instance: int = 1, id: str = "", **more: object) -> Json:
    """The event of a failure."""
    event = status_changed(instance, FAILURE, milliseconds(), id or f"f{instance}")
    event["data"] |= more
    return event


def recovering(instance: int = 1, id: str = "") -> Json:
    """The event of a success."""
    return status_changed(instance, SUCCESS, milliseconds() + 1000, id or f"s{instance}")


def lines(card: Card) -> str:
    """The log that stands on a card."""
    return "\n".join(text for block in card.blocks if isinstance(block, Log) for _, text in block.lines)


def texts(card: Card) -> list[str]:
    """The sentences of a card."""
    return [block.text for block in card.blocks if isinstance(block, Text)]


async def test_a_failure_becomes_a_diagnosis_for_the_subscribed_chat_and_for_the_owner(store: Store) -> None:
    """Both get one card, with the cause in its title and the line that proves it."""
    room = Newsroom(store, [failed()], [project()])
    room.shelf.logs["1"] = ("start", "FAILED: ODPS-0130131:[1,15] Table not found - table trade.dwd_orders")
    await room.hear(failing())
    for chat in (GROUP, ANN):
        (card,) = room.cards(chat)
        assert "dws_orders_1" in card.title
        assert "Table not found" in lines(card)


async def test_the_same_event_twice_is_one_card(sqlite_store: Store) -> None:
    """A redelivery changes nothing."""
    room = Newsroom(sqlite_store, [failed()], [project()])
    await room.hear(failing(), failing())
    await room.hear(failing())
    assert len(room.cards()) == 1
    assert len(room.chat.cards["card-1"]) == 1


async def test_a_storm_is_one_card_that_lists_them(store: Store) -> None:
    """Forty failures of a project within minutes edit the card of the first; the recovered ones are counted out."""
    room = Newsroom(store, [failed(number) for number in range(40)], [project()])
    await room.hear(*(failing(number) for number in range(40)))
    (card,) = room.cards()
    assert card.title == "trade: alerts about 40"
    await room.hear(*(recovering(number) for number in range(40)))
    assert room.titles() == ["trade: all 40 have recovered"]


async def test_a_crowd_is_not_looked_into_one_by_one(sqlite_store: Store) -> None:
    """With very many failures at once, the scheduler is not asked for each log."""
    room = Newsroom(sqlite_store, [failed(number) for number in range(40)], [project()])
    await room.hear(*(failing(number) for number in range(40)))
    assert room.shelf.asked.count("log") == 0


async def test_a_recovery_edits_the_card_of_the_failure_however_late(store: Store) -> None:
    """Two hours later it is still the same card, and quiet hours or a changed subscription do not hide it."""
    room = Newsroom(store, [failed()], [project()])
    await room.hear(failing())
    room.shelf.all[0] = replace(room.shelf.all[0], status=Status.SUCCESS)
    await room.settle(7200)
    await room.hear(recovering())
    assert room.titles() == ["dws_orders_1 has recovered"]
    assert room.cards()[0].tone == "success"


async def test_a_success_nobody_worried_about_is_no_news(sqlite_store: Store) -> None:
    """Successes make no rows and no cards."""
    room = Newsroom(sqlite_store, [failed()], [project()])
    await room.hear(recovering())
    assert room.cards() == []
    assert await room.outbox.due() == []


async def test_a_failure_that_is_over_when_it_is_heard_is_no_news(sqlite_store: Store) -> None:
    """Events come late and out of order; what has recovered meanwhile wakes nobody."""
    room = Newsroom(sqlite_store, [failed(status=Status.SUCCESS)], [project()])
    await room.hear(failing())
    assert room.cards() == []


@pytest.mark.parametrize(
    "event", [failing(taskType=2), failing(dagType=2), failing(status=4)], ids=["frozen", "smoke test", "running"]
)
async def test_what_only_looks_like_a_failure_is_none(sqlite_store: Store, event: Json) -> None:
    """A frozen node "fails", a smoke test is watched by whoever started it."""
    room = Newsroom(sqlite_store, [failed()], [project()])
    await room.hear(event)
    assert room.cards() == []


async def test_an_instance_that_a_person_froze_is_none(sqlite_store: Store) -> None:
    """Even when the event does not say so."""
    room = Newsroom(sqlite_store, [failed(flags=Flags(frozen=True))], [project()])
    await room.hear(failing())
    assert room.cards() == []


async def test_old_events_are_no_news(sqlite_store: Store) -> None:
    """Events of last week, played into the journal, wake nobody."""
    room = Newsroom(sqlite_store, [failed()], [project()])
    await room.hear(status_changed(1, FAILURE, milliseconds(datetime(2026, 11, 14, tzinfo=UTC)), "old"))
    assert room.cards() == []


async def test_an_instance_that_nobody_knows_is_told_all_the_same(sqlite_store: Store) -> None:
    """Without a scheduler to ask, the card says what the event says, to whoever hears of that project's id."""
    room = Newsroom(sqlite_store, [], [project("30000002")])
    await room.hear(failing())
    assert room.titles() == ["1 failed"]


async def test_a_scheduler_that_is_down_costs_the_diagnosis_and_not_the_card(sqlite_store: Store) -> None:
    """The alert goes out in time."""
    room = Newsroom(sqlite_store, [failed()], [project("30000002")])
    room.shelf.hangs = True
    await room.hear(failing())
    assert room.titles() == ["1 failed"]


async def test_a_mute_hides_it_from_everyone(sqlite_store: Store) -> None:
    """Subscribed or owner."""
    room = Newsroom(sqlite_store, [failed()], [project()])
    await room.mute("project:demo:trade")
    await room.hear(failing())
    assert room.cards() == []
    assert room.cards(ANN) == []


async def test_a_messenger_that_is_down_gets_it_later_and_once(store: Store) -> None:
    """Work that failed is handed over again after a minute, until the messenger takes it."""
    room = Newsroom(store, [failed()], [project()])
    room.chat.down = True
    await room.accept(failing())
    with pytest.raises(Exception, match="down"):
        await room.settle()
    room.chat.down = False
    await room.settle(61)
    assert len(room.cards()) == 1


async def test_what_a_dead_process_left_is_done_by_the_next(store: Store) -> None:
    """The row is there as soon as the event is: nobody has to have been told of it."""
    room = Newsroom(store, [failed()], [project()])
    await room.accept(failing())
    room.start()
    await room.settle()
    assert len(room.cards()) == 1


class FatalChat(FakeChat):
    """The process dies once, right after the first card was shown."""

    async def send(self, conversation: Conversation, card: Card, *, key: str) -> str:
        """Show a card."""
        first = not self.cards
        reference = await super().send(conversation, card, key=key)
        if first:
            raise Killed
        return reference


async def test_a_process_that_dies_after_sending_shows_nothing_twice(store: Store) -> None:
    """The work is done again, and the messenger knows its key."""
    room = Newsroom(store, [failed(owner="nobody")], [project()], FatalChat())
    await room.accept(failing())
    with pytest.raises(Killed):
        await room.settle()
    room.start()
    await room.settle()
    assert len(room.cards()) == 1
    assert len(room.chat.cards["card-1"]) == 1


async def test_quiet_hours_let_only_what_is_critical_through(sqlite_store: Store) -> None:
    """It is nine in the morning; the chat is quiet from eight to ten. An urgent task comes through."""
    urgent = failed(2)
    urgent = replace(urgent, task=replace(urgent.task, priority=8))
    room = Newsroom(sqlite_store, [failed(1), urgent], [project(quiet="08:00-10:00")])
    await room.hear(failing(1))
    assert room.cards() == []
    await room.hear(failing(2))
    assert len(room.cards()) == 1


MONITOR = "dataworks:MonitorAlert:WorkbenchMonitorAlert"
CHECK = "dataworks:DqcCheck:DqcCheckFinishedEvent"
DAG = "dataworks:DagStatusChanges:DagStatusChanges"


def told(type: str, data: Json, id: str) -> Json:
    """An event that tells no time of its own."""
    return cloud_event(type, data, id) | {"time": START.isoformat()}


def baseline(status: str, id: str) -> Json:
    """An alert of a baseline, with the instance to blame."""
    data = {"alarmType": "SLA_ALERT", "baselineId": 7, "baselineName": "gmv", "baselineStatus": status, "taskId": 1}
    return told(MONITOR, data, id)


async def test_a_baseline_that_is_late_is_critical_and_names_what_is_to_blame(sqlite_store: Store) -> None:
    """At night too; when it is safe again, the same card says so."""
    hears = SubscriptionSettings(
        channel="chat", chat="ops", about="baseline", subject="gmv", severity="critical", quiet="00:00-23:59"
    )
    room = Newsroom(sqlite_store, [failed()], [hears])
    await room.hear(baseline("3", "b1"))
    (card,) = room.cards()
    assert room.shelf.asked.count("log") == 1
    assert card.tone == "danger"
    await room.hear(baseline("1", "b2"))
    assert len(room.cards()) == 1
    assert room.cards()[0].title.endswith("has recovered")


async def test_an_alert_of_a_rule_says_whose_rule_it_is_and_whom_it_calls(sqlite_store: Store) -> None:
    """Asked of the scheduler, by the id that the event carries; an id that nobody knows costs nothing."""
    hears = SubscriptionSettings(channel="chat", chat="ops", about="all")
    room = Newsroom(sqlite_store, [failed()], [hears])
    room.shelf.rules["t1"] = (AlertRule("70", "orders late", "UnFinished", "王敏", people=("陈晓雯",)),)
    data = {"alarmType": "REMIND_ALERT", "remindType": "UNFINISHED", "remindName": "late", "taskIds": "1"}
    await room.hear(told(MONITOR, data | {"remindId": 70}, "m1"))
    await room.hear(told(MONITOR, data | {"remindId": 71}, "m2"))
    known, unknown = (card.as_text() for card in room.cards())
    raised = "Raised by the rule orders late (when it is not done in time): calls 陈晓雯; kept by 王敏"
    assert raised in known
    assert "Raised by" not in unknown


async def test_a_broken_quality_rule_is_told_with_what_was_found(sqlite_store: Store) -> None:
    """To those who subscribed to the table; a check that passes ends it."""
    hears = SubscriptionSettings(channel="chat", chat="ops", about="table", subject="ods_orders")
    room = Newsroom(sqlite_store, [], [hears])
    data = {"tableName": "ods_orders", "ruleId": 3, "ruleName": "rows", "checkResult": 2, "blockType": 1, "appId": 9}
    await room.hear(told(CHECK, data | {"op": ">=", "expectValue": 10, "sampleValue": [{"value": 0}]}, "q1"))
    assert room.titles() == ["ods_orders broke a strong quality rule"]
    await room.hear(told(CHECK, data | {"checkResult": 0}, "q2"))
    assert room.titles() == ["ods_orders has recovered"]


async def test_a_backfill_is_one_card_from_start_to_end(sqlite_store: Store) -> None:
    """Its progress edits it."""
    room = Newsroom(sqlite_store, [], [SubscriptionSettings(channel="chat", chat="ops", about="all", severity="info")])
    for status, id in ((4, "d1"), (6, "d2")):
        await room.hear(told(DAG, {"dagId": 5, "dagName": "补数据", "dagType": 3, "status": status}, id))
    assert [card.title for card in room.chat.cards["card-1"]] == ["补数据 is running", "补数据 is done"]


async def test_a_backfill_tells_how_many_of_its_instances_are_done(store: Store) -> None:
    """At its start, at most once a minute while they end, however long one takes, and at its end; in the same card."""
    connection = SchedulerConnection(name="dw", kind="mirror", source="dataworks")
    mirror = MirrorScheduler(connection, store, zone=ZONE, clock=lambda: START)
    hears = SubscriptionSettings(channel="chat", chat="ops", about="all", severity="info")
    room = Newsroom(store, [], [hears], mirrors=[mirror])
    backfill: Json = {"dagId": 5, "dagName": "backfill", "dagType": 3}
    instances = [status_changed(number, 1, milliseconds(), f"n{number}") for number in range(4)]
    for event in instances:
        event["data"] |= backfill
    await room.hear(*instances, told(DAG, backfill | {"status": 4}, "d1"))
    for number, seconds in ((0, 0), (1, 1), (2, 3600)):
        await room.settle(seconds)
        await room.hear(recovering(number) | {"data": recovering(number)["data"] | backfill})
    await room.settle(60)
    await room.hear(failing(3) | {"data": failing(3)["data"] | backfill})
    await room.hear(told(DAG, backfill | {"status": 6}, "d2"))
    shown = [(card.title, said) for card in room.chat.cards["card-1"] for said in texts(card)]
    assert shown == [
        ("backfill is running", "4 instances are known: 0 done, 0 failed, 4 others."),
        ("backfill is running", "4 instances are known: 1 done, 0 failed, 3 others."),
        ("backfill is running", "4 instances are known: 3 done, 0 failed, 1 others."),
        ("backfill is running", "4 instances are known: 3 done, 1 failed, 0 others."),
        ("backfill is done", "4 instances are known: 3 done, 1 failed, 0 others."),
    ]


async def test_what_others_did_stands_in_the_trail_once(store: Store) -> None:
    """An operation in the platform's own console is recorded for each instance, and shown to nobody."""
    room = Newsroom(store, [failed()], [project()])
    data = {"operator": 1000, "taskIds": [1, 2], "projectId": 3}
    await room.hear(told("dataworks:InstanceChange:SetInstanceSuccess", data, "o1"))
    await room.hear(told("dataworks:InstanceChange:SetInstanceSuccess", data, "o1"))
    found = [
        (entry.actor, entry.action, entry.target, entry.outcome) for entry in await room.trail("set-instance-success")
    ]
    assert found == [("dataworks:1000", "set-instance-success", target, "seen") for target in ("1", "2")]
    assert room.cards() == []


ALERT = "【告警】任务 dws_orders_1 失败，项目：trade，请尽快处理 password=hunter2222"


async def test_what_a_tool_says_is_read_masked_and_told_once(sqlite_store: Store) -> None:
    """Its text is read like a pasted alert; the instance it names is looked up and diagnosed; a repeat is none."""
    room = Newsroom(sqlite_store, [failed()], [project()])
    await room.effects.heard("zabbix", ALERT)
    await room.effects.heard("zabbix", ALERT)
    await room.settle()
    (card,) = room.cards()
    assert "zabbix" in card.title
    assert "hunter2222" not in repr(card)
    assert room.shelf.asked.count("log") == 1


async def test_a_tool_and_an_event_about_one_instance_are_one_alert(sqlite_store: Store) -> None:
    """They share the card, and it still counts one."""
    room = Newsroom(sqlite_store, [failed()], [project()])
    await room.hear(failing())
    await room.effects.heard("zabbix", ALERT)
    await room.settle()
    assert len(room.cards()) == 1
    assert "alerts about" not in room.titles()[0]


async def test_watching_sweeps_as_soon_as_something_came(sqlite_store: Store) -> None:
    """Nobody waits for the next poll."""
    room = Newsroom(sqlite_store, [failed()], [project()])
    watching = asyncio.create_task(room.effects.watch())
    await room.accept(failing())
    await asyncio.wait_for(watching, 2)
    await room.settle()
    assert len(room.cards()) == 1


async def test_a_run_of_airflow_is_found_by_the_id_that_its_failure_tells(sqlite_store: Store) -> None:
    """Only the start of a run names the instance; what comes after names the run."""
    connection = SchedulerConnection(name="airflow", kind="mirror", source="openlineage")
    mirror = MirrorScheduler(connection, sqlite_store, zone=ZONE, clock=lambda: START)
    named = {"airflow": {"dag": {"dag_id": "etl"}, "dagRun": {"run_id": "r1"}, "task": {"task_id": "load"}}}
    told: Json = {"eventTime": START.isoformat(), "job": {"namespace": "airflow", "name": "etl.load"}}
    events = [
        told | {"eventType": "START", "run": {"runId": "u-1", "facets": named}},
        told | {"eventType": "FAIL", "run": {"runId": "u-1"}},
    ]
    read = [read_event(OPENLINEAGE, event, START, ZONE) for event in events]
    await sqlite_store.write(lambda connection: mirror.feed.apply(connection, read))
    instance = await Fleet([mirror]).instance("airflow:u-1")
    assert (instance.id, instance.status) == ("etl/r1/load", Status.FAILED)
