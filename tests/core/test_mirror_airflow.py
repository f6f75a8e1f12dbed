"""A night of a real Airflow as its OpenLineage provider told it (`tests/airflow/record.py`), in any order.

In that night `check` of part 1 failed and was run again, and then set failed and successful by hand; `shaky` succeeded the
second time; `holidays` was skipped; `publish` never began; `report` wrote an asset that has no address.
"""

import json
import re
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.cards import Text
from core.events.incoming import OPENLINEAGE, Incoming, read_event
from core.events.openlineage import RunEvent
from core.schedulers.base import InstanceQuery, RunType, Status
from core.schedulers.mirror import MirrorScheduler, airflow, openlineage
from core.settings import SchedulerConnection, SubscriptionSettings
from core.store import Store
from core.watches.storm import ITEMS, storm
from tests.fakes.effects import START, ZONE, Newsroom

TOLD = (Path(__file__).parents[1] / "data" / "airflow" / "told.jsonl").read_text()
EVERYTHING = InstanceQuery(run_types=frozenset(RunType))
ENDED = {
    "build": (Status.SUCCESS, 1),
    "check/0": (Status.SUCCESS, 1),
    "check/1": (Status.SUCCESS, 2),
    "holidays": (Status.SKIPPED, 1),
    "publish": (Status.UPSTREAM_FAILED, 0),
    "report": (Status.SUCCESS, 1),
    "shaky": (Status.SUCCESS, 2),
}
NAMES = count()
"""Each example has a DAG of its own, so that they can share a database."""


def night(dag: str = "told") -> list[dict[str, Any]]:
    """The events as they were sent, about a DAG of some name."""
    text = re.sub(r'"runId": "', f'"runId": "{dag}-', TOLD.replace("told", dag))
    return [json.loads(line) for line in text.splitlines()]


def received(event: dict[str, Any]) -> Incoming:
    """An event that came as soon as it happened."""
    return read_event(OPENLINEAGE, event, datetime.fromisoformat(event["eventTime"]))


def run_event(event: dict[str, Any]) -> RunEvent:
    """What an event holds."""
    body = received(event).body
    assert isinstance(body, RunEvent)
    return body


def mirror(store: Store) -> MirrorScheduler:
    """It keeps up with an Airflow, and with no other."""
    connection = SchedulerConnection(name=f"air{next(NAMES)}", kind="mirror", source="openlineage")
    return MirrorScheduler(connection, store, zone=ZONE, clock=lambda: START)


ORDERS = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@ORDERS
@given(st.permutations(night()), st.integers(1, 30))
async def test_the_night_ends_the_same_in_any_order(
    sqlite_store: Store, order: list[dict[str, Any]], size: int
) -> None:
    """Tries are one instance, a skipped task is no success, one that never began is known, what a hand set joins its run."""
    subject = mirror(sqlite_store)
    for start in range(0, len(order), size):
        batch = [received(event) for event in order[start : start + size]]
        await sqlite_store.write(lambda connection, batch=batch: subject.feed.apply(connection, batch))
    seen = (await subject.instances(EVERYTHING)).items
    assert {one.id.removeprefix("told/night/"): (one.status, one.run_number) for one in seen} == ENDED
    assert {one.run_type for one in seen} == {RunType.MANUAL}
    assert len({one.scheduled_at for one in seen}) == 1  # when the DAG's run was due
    counted = await subject.counts(EVERYTHING)
    assert counted == {Status.SUCCESS: 5, Status.SKIPPED: 1, Status.UPSTREAM_FAILED: 1}
    tables = {
        name: (await subject.tables(name))[0].updates for name in ("dw.told_orders", "told_report", "dw.told_holidays")
    }
    assert [(one.instance, one.rows) for one in tables["told_report"]] == [(f"{subject.name}:told/night/report", 42)]
    assert [one.instance for one in tables["dw.told_orders"]] == [f"{subject.name}:told/night/build"]
    assert tables["dw.told_holidays"] == ()


FAILED, DONE = (
    next(one for one in night() if one["eventType"] == kind and ".check" in one["job"]["name"])
    for kind in ("FAIL", "COMPLETE")
)


def tried(dag: str, index: int, number: int, good: bool) -> Incoming:
    """How a try of a mapped instance ended."""
    event = json.loads(json.dumps(DONE if good else FAILED).replace("told", dag))
    event["eventTime"] = (START + timedelta(minutes=number)).isoformat()
    event["run"]["runId"] = f"{dag}-{index}-{number}"
    event["run"]["facets"]["airflow"]["taskInstance"] |= {"map_index": index, "try_number": number}
    return received(event)


TRIES = st.lists(st.lists(st.booleans(), min_size=1, max_size=3), min_size=1, max_size=3)
"""Of some mapped instances, whether each try succeeded."""


@ORDERS
@given(TRIES, st.randoms())
async def test_a_mapped_instance_ends_only_its_own_alert(
    sqlite_store: Store, plan: list[list[bool]], chance: Any
) -> None:
    """In whatever order the tries of some instances are heard, those are open on the card whose last try failed."""
    dag = f"dag{next(NAMES)}"
    events = [
        tried(dag, index, number, good) for index, tries in enumerate(plan) for number, good in enumerate(tries, 1)
    ]
    chance.shuffle(events)
    room = Newsroom(sqlite_store, [], [ALL], mirrors=[mirror(sqlite_store)])
    for event in events:
        await room.hear(event)
    rows = await sqlite_store.read(
        lambda connection: connection.execute(storm.select().where(storm.c.title == dag)).all()
    )
    shown = {item.ref for row in rows for item in ITEMS.validate_json(row.items).values() if not item.over}
    assert shown == {f"instance:{dag}/night/check/{index}" for index, tries in enumerate(plan) if not tries[-1]}


ALL = SubscriptionSettings(channel="chat", chat="ops", about="all")


async def test_one_card_for_the_night(sqlite_store: Store) -> None:
    """The failure that counts, and no try that was followed by another; run again, set failed and set right by hand."""
    room = Newsroom(sqlite_store, [], [ALL], mirrors=[mirror(sqlite_store)])
    titles: list[list[str]] = []
    for event in night():
        await room.hear(received(event))
        if not titles or titles[-1] != room.titles():
            titles.append(room.titles())
    failed, over = ["check: Not enough evidence"], ["check has recovered"]
    assert titles == [[], failed, over, failed, over]


async def test_a_run_by_hand_is_a_card_for_those_who_want_news(sqlite_store: Store) -> None:
    """With how many of its tasks are known, and done, at each of its two ends."""
    everything = ALL.model_copy(update={"severity": "info"})
    room = Newsroom(sqlite_store, [], [everything], mirrors=[mirror(sqlite_store)])
    for event in night():
        await room.hear(received(event))
    told = [card for card in room.cards() if card.title.startswith("told/night")]
    assert [card.title for card in told] == ["told/night failed"]
    assert Text("7 instances are known: 6 done, 0 failed, 1 others.") in told[0].blocks


def again(**more: Any) -> bool:
    """Whether another try follows one that failed as told."""
    event = json.loads(json.dumps(FAILED))
    facets = event["run"]["facets"]
    facets["airflow"]["task"]["retries"] = 2
    facets["airflow"]["taskInstance"]["try_number"] = more.pop("number", 1)
    facets["errorMessage"] |= more
    found = airflow.told_try(run_event(event))
    assert found is not None
    (instance,) = openlineage.read(run_event(event), START).instances
    assert instance.status is (Status.WAIT_TIME if found.again else Status.FAILED)
    return found.again


def test_airflow_tries_again_until_none_is_left() -> None:
    """Unless the task gives up by one of the exceptions that say so."""
    gave_up = 'Traceback:\n  File "dag.py", line 3\nairflow.sdk.exceptions.AirflowFailException: no\nuse'
    spoke_of_it = "Traceback:\nValueError: no AirflowFailException here\n"
    assert again()
    assert again(number=2)
    assert not again(number=3)
    assert not again(stackTrace=gave_up)
    assert again(stackTrace=spoke_of_it)
    assert again(stackTrace=None)


@pytest.mark.parametrize(
    "outlets", ["", "[", "[" * 5000, "nonsense()", "{'uri': 'a'}", "[1, {'uri': 2}, {'uri': 'file:///a'}]", 7]
)
def test_assets_that_make_no_sense_are_none(outlets: object) -> None:
    """The provider sends Python's own notation of a list, and tasks may be named by anybody."""
    event = json.loads(json.dumps(DONE))
    event["run"]["facets"]["airflow"]["task"]["outlets"] = outlets
    found = airflow.told_try(run_event(event))
    assert found is not None
    assert found.writes == {}
