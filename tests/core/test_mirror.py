"""The mirror in the database: fed in any order it shows the same, counts what is there, and forgets in time."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from functools import partial
from itertools import permutations
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest

from core.errors import NotFound, Refused
from core.events.incoming import OPENLINEAGE, Incoming, read_event
from core.schedulers.base import Capability, InstanceQuery, Operation, Order, RunType, Status
from core.schedulers.mirror import MirrorScheduler
from core.schedulers.mirror.facts import NOTHING
from core.schedulers.mirror.reconcile import Reconciler
from core.schedulers.simulated import SimulatedScheduler
from core.settings import SchedulerConnection
from core.store import Store
from core.store.tables import declared
from tests.core.test_mirror_state import MIDNIGHT, NIGHT, operated, status
from tests.fakes.event_stream import event, journal, mirror
from tests.fakes.wall_clock import WallClock

DAY = date(2026, 11, 21)
EVERYTHING = InstanceQuery(run_types=frozenset(RunType), limit=1000)


def many(instances: int) -> list[Incoming]:
    """Each instance waits, runs and ends; one in five fails and is run again."""
    told: list[Incoming] = []
    for number in range(instances):
        told += [status(number, 2, instance_id=number), status(number + 1, 4, began=number + 1, instance_id=number)]
        told.append(status(number + 9, 5 if number % 5 == 0 else 6, began=number + 1, instance_id=number))
        if number % 5 == 0:
            told.append(status(number + 30, 6, began=number + 20, instance_id=number))
    return told


async def shown(subject: MirrorScheduler) -> dict[str, tuple[Any, ...]]:
    """What a person would see of every instance."""
    page = await subject.instances(EVERYTHING)
    counted = Counter(one.status for one in page.items)
    assert {name: n for name, n in (await subject.counts(EVERYTHING)).items() if n} == counted
    assert page.total == len(page.items)
    return {
        one.id: (one.status, one.run_number, one.scheduled_at, one.started_at, one.finished_at, one.flags)
        for one in page.items
    }


async def fed(store: Store, events: Sequence[Incoming], *sizes: int) -> MirrorScheduler:
    """A mirror that heard these, in bodies of these sizes over and over."""
    subject = mirror(store, WallClock())
    taken = journal(store, subject)
    rest, turn = list(events), 0
    while rest:
        size = sizes[turn % len(sizes)]
        await taken.accept(rest[:size])
        rest, turn = rest[size:], turn + 1
    return subject


async def test_order_and_repetition_change_nothing(store: Store, tmp_path: Path) -> None:
    """Shuffled, cut into other bodies, a third of it applied twice: instance by instance and count by count the same."""
    events = many(60)
    plain = Store(f"sqlite:///{tmp_path}/plain.sqlite")
    await plain.write(declared().create_all)
    expected = await shown(await fed(plain, events, 1000))
    await plain.stop()
    shuffled = sorted(events, key=lambda one: crc32(one.id.encode()))
    subject = await fed(store, shuffled, 1, 7, 50)
    await journal(store, subject).apply_again(shuffled[::3])
    assert await shown(subject) == expected
    assert Counter(one[0] for one in expected.values()) == {Status.SUCCESS: 60}


async def test_a_day_is_counted_where_it_is_due_and_moves_when_more_is_known(store: Store) -> None:
    """Made in the evening it is expected the next day; having run the day after, it is counted there and nowhere else."""
    subject = await fed(store, [status(-600, 1, createTime=int((MIDNIGHT - timedelta(hours=9)).timestamp() * 1000))], 1)
    evening = InstanceQuery(day=date(2026, 11, 21))
    assert await subject.counts(evening) == {Status.NOT_RUN: 1}
    await journal(store, subject).accept([status(20 * 60, 4, began=20 * 60)])
    assert await subject.counts(evening) == {}
    assert await subject.counts(InstanceQuery(day=date(2026, 11, 22))) == {Status.RUNNING: 1}


async def test_what_was_done_to_an_unseen_instance_is_kept_and_shown_only_once_it_is_seen(store: Store) -> None:
    """A freeze that arrives before the first status."""
    subject = await fed(store, [operated("FreezeInstance", 12)], 1)
    assert (await subject.instances(EVERYTHING)).total == 0
    await journal(store, subject).accept([status(3, 2)])
    (one,) = (await subject.instances(EVERYTHING)).items
    assert (one.status, one.flags.frozen) == (Status.WAIT_TIME, True)


async def test_changes_tell_who_did_what_and_which_check_failed(store: Store) -> None:
    """To the task, its instances and its tables, newest first; nothing from before."""
    check = {"tableName": "dwd_orders", "ruleName": "rows", "ruleId": "9", "externalId": "501", "checkResult": 2}
    node = {"nodeId": 501, "nodeName": "orders", "projectId": 101, "operator": "2001", "modifyTime": 1}
    at = [MIDNIGHT + timedelta(minutes=minute) for minute in range(4)]
    subject = await fed(
        store,
        [
            *NIGHT,
            event(
                "dataworks:NodeChange:NodeChangeUpdated", {**node, "modifyTime": int(at[1].timestamp() * 1000)}, at[1]
            ),
            event("dataworks:DqcCheck:DqcCheckFinishedEvent", check, at[2]),
            event("dataworks:TableChange:DeployTable", {"tableName": "dwd_orders", "operator": "2002"}, at[3]),
        ],
        100,
    )
    found = await subject.changes("501", at[1])
    assert [(one.kind, one.who, one.ref) for one in found] == [
        ("operation", "2001", "prod:7"),
        ("table", "2002", "dwd_orders"),
        ("quality", "", "dwd_orders"),
        ("task", "2001", "prod:501"),
    ]
    assert found[2].what == "rows: critical"
    assert [one.kind for one in await subject.changes("501", at[2])] == ["operation", "table", "quality"]


async def test_a_node_is_described_by_the_newest_event_and_gone_once_deleted(store: Store) -> None:
    """An older description arriving late does not come back."""
    data = {"nodeId": 501, "projectId": 101, "ownerId": "2001", "cronExpress": "00 15 02 * * ?"}
    at = [MIDNIGHT + timedelta(minutes=minute) for minute in range(3)]
    times = [{"modifyTime": int(moment.timestamp() * 1000)} for moment in at]
    told = [
        event("dataworks:NodeChange:NodeChangeUpdated", {**data, "nodeName": "orders_new", **times[1]}, at[1]),
        event("dataworks:NodeChange:NodeChangeCreated", {**data, "nodeName": "orders_old", **times[0]}, at[0]),
    ]
    subject = await fed(store, told, 1)
    (task,) = await subject.tasks("orders_new")
    assert (task.name, task.owner, task.cycle, task.project) == ("orders_new", "2001", "daily", "101")
    gone = event("dataworks:NodeChange:NodeChangeDeleted", {**data, "nodeName": "orders_new", **times[2]}, at[2])
    await journal(store, subject).accept([gone])
    assert await subject.tasks("orders_new") == ()


async def test_only_its_own_events_count(store: Store) -> None:
    """By project and by tenant."""
    elsewhere = mirror(store, WallClock(), projects=("999",))
    tenant = mirror(store, WallClock(), tenant="5")
    await journal(store, elsewhere, tenant).accept([status(3, 2)])
    assert (await elsewhere.instances(EVERYTHING)).total == 0
    assert (await elsewhere.health()).problems == ("prod: no event of dataworks was ever heard: see docs/events.md",)


async def test_without_an_api_it_only_listens(store: Store) -> None:
    """It says so instead of failing in some other way."""
    subject = await fed(store, NIGHT, 100)
    assert Capability.LOGS not in subject.capabilities
    assert subject.operations == frozenset()
    assert (await subject.log("7")).lines == ()
    with pytest.raises(Refused):
        await subject.operate(Order(Operation.RERUN, "7", "note", "r1"))
    with pytest.raises(NotFound):
        await subject.operate(Order(Operation.RERUN, "8", "note", "r2"))


async def test_what_is_old_is_forgotten_together_with_its_counts(store: Store) -> None:
    """And nothing else."""
    subject = await fed(store, [*many(5), status(60 * 24 * 40, 6, began=60 * 24 * 40, instance_id=99)], 100)
    await subject.feed.forget(DAY + timedelta(days=36))
    assert list(await shown(subject)) == ["99"]


def lineage(kind: str, minute: int, job: str, run: str, **more: Any) -> Incoming:
    """OpenLineage tells something of a run."""
    body = {
        "eventType": kind,
        "eventTime": (MIDNIGHT + timedelta(minutes=minute)).isoformat(),
        "producer": "https://example.com/producer",
        "run": {"runId": run, "facets": {**parent(job), **more.pop("facets", {})}},
        "job": {"namespace": "airflow", "name": job, "facets": more.pop("described", {})},
        **more,
    }
    return read_event(OPENLINEAGE, body, MIDNIGHT)


def parent(job: str) -> dict[str, Any]:
    """Which run it is part of: in every event of Airflow's tasks."""
    dag, _, task = job.partition(".")
    return {"parent": {"run": {"runId": "run-dag"}, "job": {"namespace": "airflow", "name": dag}}} if task else {}


def dataset(name: str, rows: int | None = None) -> dict[str, Any]:
    """A dataset, and how much was written."""
    facets = {"outputFacets": {"outputStatistics": {"rowCount": rows}}} if rows is not None else {}
    return {"namespace": "postgres://db", "name": name, **facets}


def airflow(task: str, number: int = 1) -> dict[str, Any]:
    """Airflow's own names, as its provider tells them of a task's try."""
    run = {"dag": {"dag_id": "shop"}, "dagRun": {"run_id": "scheduled__1"}, "task": {"task_id": task}}
    return {"airflow": {**run, "taskInstance": {"try_number": number}}}


TRIES = (
    lineage("START", 1, "shop.load", "run-1", facets=airflow("load")),
    lineage("FAIL", 2, "shop.load", "run-1", facets={"errorMessage": {"message": "no table\nTraceback"}}),
    lineage("START", 5, "shop.load", "run-2", facets=airflow("load", 2)),
    lineage("COMPLETE", 9, "shop.load", "run-2", outputs=[dataset("orders", 42)]),
)
"""A task fails and is tried again; only the beginnings name the instance."""


async def test_tries_are_runs_of_one_instance_whatever_comes_first(sqlite_store: Store) -> None:
    """In each of the 24 orders, also when an end arrives before the beginning that says whose it is."""
    for number, order in enumerate(permutations(TRIES)):
        subject = mirror(sqlite_store, WallClock(), name=f"m{number}", source="openlineage")
        for one in order:
            await sqlite_store.write(partial(subject.feed.apply, batch=[one]))
        (seen,) = (await subject.instances(EVERYTHING)).items
        assert (seen.id, seen.task.id, seen.task.project) == ("shop/scheduled__1/load", "shop/load", "shop")
        assert (seen.status, seen.run_number) == (Status.SUCCESS, 2)
        assert seen.started_at == MIDNIGHT + timedelta(minutes=5)
        assert await subject.counts(EVERYTHING) == {Status.SUCCESS: 1}
        (table,) = await subject.tables("orders")
        assert [(update.instance, update.rows) for update in table.updates] == [(seen.ref, 42)]


async def test_datasets_tie_tasks_together(store: Store) -> None:
    """Who reads what another writes waits for it, two hops deep; and an error is told as a note."""
    subject = mirror(store, WallClock(), source="openlineage")
    chain: list[tuple[str, list[str], list[str]]] = [("a", [], ["x"]), ("b", ["x"], ["y"]), ("c", ["y"], [])]
    for number, (job, reads, writes) in enumerate(chain):
        tables = {"inputs": [dataset(name) for name in reads], "outputs": [dataset(name) for name in writes]}
        kind = "FAIL" if job == "c" else "COMPLETE"
        facets = {"errorMessage": {"message": "boom"}}
        await journal(store, subject).accept([lineage(kind, number, job, f"run-{job}", facets=facets, **tables)])
    assert [(one.instance.id, one.distance) for one in await subject.upstream("run-c", depth=3)] == [
        ("run-b", 1),
        ("run-a", 2),
    ]
    assert [one.parents for one in await subject.downstream("run-a")] == [("run-a",)]
    assert (await subject.instance("run-c")).note == "boom"


async def test_a_dag_is_no_task_of_its_own(sqlite_store: Store) -> None:
    """Its run says nothing that its tasks do not; counted, every failure would count twice."""
    subject = mirror(sqlite_store, WallClock(), source="openlineage")
    dag = lineage("FAIL", 1, "shop", "run-dag", described={"jobType": {"jobType": "DAG"}})
    await journal(sqlite_store, subject).accept([dag])
    assert await subject.counts(EVERYTHING) == {}


async def test_after_a_gap_the_api_fills_in_what_was_missed(store: Store) -> None:
    """Names, owners, days and states come from it; an event of a later moment still counts; it is not asked twice."""
    clock = WallClock()
    api = SimulatedScheduler(SchedulerConnection(name="api", kind="simulated"), clock=clock)
    subject = mirror(store, clock, api)
    reconciler = Reconciler(subject, store, clock=clock)
    assert await reconciler.fill()
    assert not await reconciler.fill()
    (task,) = await api.tasks("dws_trade_order_di")
    (theirs, *_), (ours, *_) = await api.history(task.id, limit=1), await subject.history(task.id, limit=1)
    assert (ours.id, ours.status, ours.run_number, ours.scheduled_at, ours.business_date) == (
        theirs.id,
        theirs.status,
        theirs.run_number,
        theirs.scheduled_at,
        theirs.business_date,
    )
    assert (ours.task.name, ours.task.owners, ours.task.project) == (task.name, task.owners, task.project)
    day = InstanceQuery(day=clock().astimezone(api.zone).date(), projects=frozenset({task.project}))
    assert {name: n for name, n in (await subject.counts(day)).items() if n} == {
        name: n for name, n in (await api.counts(day)).items() if n
    }
    later = {"taskId": ours.id, "nodeId": task.id, "appId": "p1", "status": 4}
    later |= {"modifyTime": int(clock().timestamp() * 1000), "beginRunningTime": int(clock().timestamp() * 1000)}
    await journal(store, subject).accept(
        [event("dataworks:InstanceStatusChanges:InstanceStatusChanges", later, clock())]
    )
    again = await subject.instance(ours.id)
    assert (again.status, again.task.project) == (Status.RUNNING, task.project), "the id p1 is known to be that project"


async def test_a_gap_is_remembered_until_it_was_asked_for(store: Store) -> None:
    """Also when events come again before anybody asked, and when the asking failed."""
    clock = WallClock()
    api = SimulatedScheduler(SchedulerConnection(name="api", kind="simulated"), clock=clock)
    subject = mirror(store, clock, api)
    reconciler = Reconciler(subject, store, clock=clock)
    assert await reconciler.fill()
    began = clock()
    for minutes in (30, 1):
        clock.advance(minutes * 60)
        await store.write(partial(subject.feed.absorb, facts=[("", NOTHING)], heard_at=clock()))
    assert await store.read(partial(subject.feed.gap_from, now=clock())) == began
    subject.api = None
    assert not await reconciler.fill()
    subject.api = api
    assert await reconciler.fill()
    assert not await reconciler.fill()
    clock.advance(120)
    await store.write(partial(subject.feed.note_gap, before=clock()))
    assert await reconciler.fill(), "it was down for two minutes"
