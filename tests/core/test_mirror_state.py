"""Knowledge of an instance: whatever the order, however often, late or in parts, the same events make the same state."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import reduce
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from core.events.incoming import DATAWORKS, OPENLINEAGE, Incoming, read_event
from core.schedulers.base import RunType, Status, Task
from core.schedulers.mirror import dataworks, openlineage
from core.schedulers.mirror.state import Mirrored, dump, instance, join, load
from tests.core.event_samples import cloud_event

MIDNIGHT = datetime(2026, 11, 21, tzinfo=UTC)
DONE = {5: Status.FAILED, 6: Status.SUCCESS}
GROUP = "dataworks:InstanceStatusChanges:InstanceStatusChanges"


def ms(minutes: float) -> int:
    """So many minutes after midnight, as DataWorks writes it."""
    return int((MIDNIGHT + timedelta(minutes=minutes)).timestamp() * 1000)


def status(minute: int, code: int, *, began: int | None = None, instance_id: int = 7, **more: Any) -> Incoming:
    """DataWorks tells a status."""
    data = {"taskId": instance_id, "nodeId": 501, "appId": 101, "status": code, "modifyTime": ms(minute), **more}
    if began is not None:
        data |= {"beginRunningTime": ms(began), "beginWaitResTime": ms(began)}
    if code in DONE:
        data["finishTime"] = ms(minute)
    return read_event(DATAWORKS, cloud_event(GROUP, data, f"{instance_id}-{minute}-{code}"), MIDNIGHT)


def operated(name: str, minute: int, instance_id: int = 7) -> Incoming:
    """DataWorks tells what a person did."""
    envelope = cloud_event(f"dataworks:InstanceChange:{name}", {"taskIds": [instance_id], "operator": "2001"}, name)
    return read_event(DATAWORKS, {**envelope, "time": (MIDNIGHT + timedelta(minutes=minute)).isoformat()}, MIDNIGHT)


def states(events: Sequence[Incoming]) -> list[Mirrored]:
    """What DataWorks' events say of instances."""
    found: list[Mirrored] = []
    for one in events:
        assert one.body is not None
        reader: Any = openlineage if one.source == OPENLINEAGE else dataworks
        found += reader.read(one.body, one.at).instances
    return found


def known(*events: Incoming) -> Mirrored:
    """All of it together."""
    return reduce(join, states(events))


NIGHT = (
    status(1, 2),
    status(135, 3, began=None),
    status(136, 4, began=136),
    status(150, 5, began=136),
    operated("RerunInstance", 200),
    status(201, 3),
    status(202, 4, began=202),
    status(210, 7, began=202),
    status(215, 6, began=202),
)
"""An instance fails, is run again, is checked, succeeds."""


def ran(minute: int, code: int, before: int) -> Incoming:
    """A status of a run that began so many minutes before."""
    return status(minute, code, began=minute - before)


events_of_one = st.one_of(
    st.builds(status, st.integers(0, 40), st.sampled_from([0, 1, 2, 3, 8])),
    st.builds(ran, st.integers(0, 40), st.sampled_from([4, 5, 6, 7]), st.integers(0, 5)),
    st.builds(
        operated,
        st.sampled_from(["FreezeInstance", "UnfreezeInstance", "KillInstance", "SetInstanceSuccess"]),
        st.integers(0, 40),
    ),
)


class InOrder:
    """The plain way, which needs every event in the platform's order: the oracle of what the mirror must show."""

    def __init__(self, events: Sequence[Incoming]) -> None:
        self.status = Status.UNKNOWN
        self.runs: list[int] = []
        for one in sorted(events, key=lambda one: one.at):
            body: Any = one.body
            if hasattr(body, "status"):
                self.status = dataworks.STATUSES[body.status]
                ran = body.begin_running_time
                if ran and ran not in self.runs:
                    self.runs.append(ran)


@given(st.permutations(NIGHT), st.lists(st.sampled_from(NIGHT)))
def test_a_night_out_of_order_and_repeated_ends_as_the_night_in_order(
    shuffled: list[Incoming], repeated: list[Incoming]
) -> None:
    """Two runs, the second successful, each with its times."""
    expected = InOrder(NIGHT)
    state = known(*shuffled, *repeated)
    assert (state.status, state.run_number) == (expected.status, len(expected.runs)) == (Status.SUCCESS, 2)
    seen = instance(state, Task("prod", "501", "orders", "trade"))
    assert seen.started_at == MIDNIGHT + timedelta(minutes=202)
    assert seen.finished_at == MIDNIGHT + timedelta(minutes=215)
    assert seen.scheduled_at == MIDNIGHT + timedelta(minutes=136)
    assert [run.status for run in sorted(state.runs.values(), key=lambda run: run.at)] == [
        Status.FAILED,
        Status.SUCCESS,
    ]


@given(st.data(), st.lists(events_of_one, min_size=1, max_size=12))
def test_any_events_in_any_order_make_the_same_state(data: st.DataObject, events: list[Incoming]) -> None:
    """Also such as contradict each other, and told in any grouping: join is commutative, associative and idempotent."""
    whole = known(*events)
    shuffled = states(data.draw(st.permutations(events)))
    cut = data.draw(st.integers(0, len(shuffled) - 1)) if len(shuffled) > 1 else 0
    parts = [part for part in (shuffled[cut:], shuffled[:cut]) if part]
    assert reduce(join, [reduce(join, part) for part in parts]) == whole
    assert join(whole, whole) == whole


@given(st.lists(events_of_one, min_size=1, max_size=12, unique_by=lambda one: one.at))
def test_where_times_differ_the_newest_status_counts(events: list[Incoming]) -> None:
    """What applying the events one after the other would end in, but for what a person did to it."""
    expected = InOrder(events).status
    state = known(*events)
    forced = {Status.KILLED: Status.FAILED, Status.FORCED_SUCCESS: Status.SUCCESS}
    assert forced.get(state.status, state.status) is expected


@given(st.lists(events_of_one, min_size=1, max_size=12))
def test_a_state_is_stored_without_loss(events: list[Incoming]) -> None:
    """Every register, through text and back."""
    state = known(*events)
    assert load(dump(state)) == state


def test_a_failure_after_a_stop_is_a_stop_until_it_runs_again() -> None:
    """DataWorks reports both as failures."""
    stopped = (status(10, 4, began=10), operated("KillInstance", 12), status(13, 5, began=10))
    assert known(*stopped).status is Status.KILLED
    assert known(*stopped, status(20, 4, began=20), status(25, 5, began=20)).status is Status.FAILED


def test_a_success_by_hand_is_forced_until_it_runs_again() -> None:
    """The flag says so too."""
    forced = (status(10, 5, began=5), operated("SetInstanceSuccess", 12), status(13, 6, began=5))
    assert known(*forced).status is Status.FORCED_SUCCESS
    assert known(*forced).flags.forced
    again = known(*forced, status(20, 6, began=15))
    assert again.status is Status.SUCCESS
    assert not again.flags.forced


def test_a_frozen_instance_is_frozen_by_its_node_or_by_a_person() -> None:
    """The newer of both counts."""
    assert known(status(10, 5, taskType=2)).flags.frozen
    assert not known(status(10, 2, taskType=2), operated("UnfreezeInstance", 12)).flags.frozen
    assert known(status(10, 2), operated("FreezeInstance", 12)).flags.frozen
    assert not known(operated("FreezeInstance", 12), status(14, 2)).flags.frozen


def test_an_instance_made_in_the_evening_belongs_to_the_next_day() -> None:
    """DataWorks makes a day's instances at half past eleven the evening before."""
    made = known(status(0, 0, createTime=ms(-30)))
    assert made.due_at.date() == MIDNIGHT.date()


def test_kinds_of_run_are_told_apart() -> None:
    """A kind nobody knows is manual, so that it disturbs no overview."""
    kinds = {code: known(status(0, 1, dagType=code)).run_type for code in (0, 1, 2, 3, 4, 99)}
    assert kinds == {
        0: RunType.NORMAL,
        1: RunType.MANUAL,
        2: RunType.TEST,
        3: RunType.BACKFILL,
        4: RunType.MANUAL,
        99: RunType.MANUAL,
    }
