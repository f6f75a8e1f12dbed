"""What the page says X-Ops does with each of DataWorks' 51 events is what it does, with the reference's own messages.

`PROOFS` has one proof for each sentence of the page; a sentence without one, or a proof without a sentence, fails.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Table, func, select

from core.cards import Card
from core.effects import meaning
from core.effects.outbox import effect
from core.events.dataworks import TYPES
from core.events.dataworks.nodes import NodeDeleted
from core.events.incoming import DATAWORKS, Incoming, read_event
from core.extensions.points import Points, extension_point
from core.schedulers.base import Flags, Status
from core.schedulers.mirror import dataworks
from core.schedulers.mirror.changes import mirror_change, mirror_quality
from core.schedulers.mirror.instances import mirror_instance
from core.schedulers.mirror.tasks import mirror_task
from core.settings import SubscriptionSettings
from core.store import Store
from tests.core.event_samples import Json, Sample, cloud_event, samples
from tests.core.test_events_table import deeds
from tests.fakes.effects import START, ZONE, Newsroom, failed
from tests.fakes.event_stream import mirror, ms
from tests.fakes.wall_clock import WallClock

NODE = "501"
BEFORE = START - timedelta(hours=1)
MIRRORED = (mirror_instance, mirror_task, mirror_change, mirror_quality)
ALL = SubscriptionSettings(channel="chat", chat="ops", about="all", severity="info")


class House:
    """X-Ops with a mirror, a chat that hears of everything, and extension points; it has heard one sample."""

    def __init__(self, store: Store, sample: Sample) -> None:
        self.store, self.sample = store, sample
        self.model = TYPES[sample.type]
        self.mirror = mirror(store, WallClock(START))
        self.room = Newsroom(store, settled=[ALL], appliers=[self.mirror.feed.apply, self._record])
        self.points = Points(store, self.room.audit, patience=timedelta(minutes=30), clock=lambda: START)
        self.body: Any = self.read(sample.type, sample.data, START).body

    def _record(self, *arguments: Any) -> None:
        self.points.record(*arguments)

    def read(self, type: str, data: Json, at: datetime) -> Incoming:
        """A message as EventBridge brings it, as if it were of this night: samples are years old."""
        envelope = cloud_event(type, data, f"{type}-{at}-{sorted(data.items())}"[:512])
        return replace(read_event(DATAWORKS, envelope, at, ZONE), at=at, received_at=at)

    async def hears(self, at: datetime = START, type: str = "", **more: Any) -> Incoming:
        """The sample with other values, or another event."""
        data = {} if type else self.sample.data
        event = self.read(type or self.sample.type, {**data, **more}, at)
        await self.room.hear(event)
        return event

    async def runs(self, at: datetime, id: str, status: int, **more: Any) -> None:
        """An instance has a status."""
        event = "dataworks:InstanceStatusChanges:InstanceStatusChanges"
        await self.hears(at, event, taskId=id, nodeId=NODE, status=status, **more)

    async def knows(self, kind: str, id: str) -> str:
        """Let the mirror know of something by what came before; returns the node it belongs to."""
        node = id if kind == "node" else NODE
        name = id if kind == "file" else "orders"
        earlier = BEFORE - timedelta(hours=1)
        await self.hears(earlier, "dataworks:NodeChange:NodeChangeCreated", nodeId=node, nodeName=name)
        table, rule = (id if kind == "table" else "dwd_orders"), (id if kind == "rule" else "9")
        checked = {"tableName": table, "ruleId": rule, "externalId": node}
        await self.hears(earlier, "dataworks:DqcCheck:DqcCheckFinishedEvent", checkResult=0, **checked)
        if kind == "instance":
            await self.runs(earlier, id, 2)
        return node

    async def changed(self, kind: str, id: str) -> bool:
        """Whether diagnosis of the node that this belongs to would show the sample as what changed before."""
        found = await self.mirror.changes(await self.knows(kind, id), BEFORE)
        return any(change.what.startswith(self.model.code) for change in found)

    async def rows(self, *tables: Table) -> int:
        """Rows of these tables."""
        count = [select(func.count()).select_from(table) for table in tables]
        return await self.store.read(lambda connection: sum(connection.scalar(one) or 0 for one in count))

    def cards(self) -> list[Card]:
        """What the chat shows."""
        return self.room.cards()


Proof = Callable[[House], Awaitable[None]]


def changes(*kinds: str) -> Proof:
    """Everything of these kinds that the sample is about has changed."""

    async def proof(house: House) -> None:
        about = [(kind, id) for kind, id in house.body.subjects if kind in kinds]
        assert about or house.sample.data.get("showTableMapping") is False
        assert [await house.changed(kind, id) for kind, id in about] == [True] * len(about)

    return proof


async def status_is_known(house: House) -> None:
    """As the sample tells; then through a run to its end."""
    assert (await house.mirror.instance(house.body.task_id)).status is Status.WAIT_RESOURCE
    later = START + timedelta(minutes=5)
    await house.hears(later, status=6, beginRunningTime=ms(START), finishTime=ms(later), modifyTime=ms(later))
    one = await house.mirror.instance(house.body.task_id)
    assert (one.status, one.run_number, one.started_at, one.finished_at) == (Status.SUCCESS, 1, START, later)
    assert one.task.id == house.body.node_id


async def _operated(house: House, code: int) -> list[tuple[Status, Flags]]:
    """Statuses of the instances of the sample, which had run before, once they have this status."""
    await changes("instance")(house)
    at, found = START + timedelta(minutes=1), list[tuple[Status, Flags]]()
    for id in house.body.task_ids:
        await house.runs(at, id, code, beginRunningTime=ms(BEFORE), modifyTime=ms(at))
        one = await house.mirror.instance(id)
        found.append((one.status, one.flags))
    return found


async def frozen(house: House) -> None:
    await changes("instance")(house)
    assert all([(await house.mirror.instance(id)).flags.frozen for id in house.body.task_ids])


async def unfrozen(house: House) -> None:
    await house.runs(BEFORE, house.body.task_ids[0], 2, taskType=2)
    assert not (await house.mirror.instance(house.body.task_ids[0])).flags.frozen
    await changes("instance")(house)


async def stopped(house: House) -> None:
    assert {status for status, _ in await _operated(house, 5)} == {Status.KILLED}


async def by_hand(house: House) -> None:
    assert await _operated(house, 6) == [(Status.FORCED_SUCCESS, Flags(forced=True))] * len(house.body.task_ids)


async def node_is_known(house: House) -> None:
    named = await house.mirror.tasks(house.body.node_id)
    if issubclass(house.model, NodeDeleted):
        assert named == ()
    else:
        assert [(task.name, task.owner, task.cycle, task.priority) for task in named] == [
            (house.body.node_name, house.body.owner_id, "daily", 1)
        ]
    await changes("node")(house)


async def check_is_known(house: House) -> None:
    await house.knows("node", NODE)
    then = START + timedelta(minutes=1)
    await house.hears(then, checkResult=2, externalId=NODE, endTime=ms(then))
    (table,) = await house.mirror.tables(house.body.table_name)
    assert [task.id for task in table.producers] == [NODE]
    (change,) = await house.mirror.changes(NODE, BEFORE)
    assert (change.kind, change.what, change.ref) == (
        "quality",
        f"{house.body.rule_name}: critical",
        house.body.table_name,
    )
    then += timedelta(minutes=1)
    await house.hears(then, checkResult=0, externalId=NODE, endTime=ms(then))
    assert await house.mirror.changes(NODE, BEFORE) == ()


async def file_changed(house: House) -> None:
    ref = ("node", house.body.node_id) if house.body.node_id else ("file", house.body.file_name)
    assert await house.changed(*ref)


async def failure_is_told(house: House) -> None:
    house.room.shelf.all.append(replace(failed(), id=house.body.task_id))
    house.room.shelf.logs[house.body.task_id] = ("ODPS-0130131:[1,15] Table not found - table trade.dwd_orders",)
    await house.hears(START + timedelta(minutes=1), status=5)
    (card,) = house.cards()
    assert "Table not found" in repr(card)
    house.room.shelf.all[0] = replace(house.room.shelf.all[0], status=Status.SUCCESS)
    await house.hears(START + timedelta(minutes=2), status=6)
    assert [card.tone for card in house.cards()] == ["success"]


async def run_is_one_card(house: House) -> None:
    for minute, status in enumerate((4, 5, 4, 6)):
        await house.hears(START + timedelta(minutes=minute + 1), status=status)
    (versions,) = house.room.chat.cards.values()
    said = [card.title.removeprefix(house.body.dag_name) for card in versions]
    assert said == [" is running", " failed", " is running", " is done"]


async def alert_is_told(house: House) -> None:
    """With what is known of the instance that the platform blames."""
    named = [house.body.task_id, *house.body.task_ids]
    assert len(house.cards()) == 1
    late = house.body.baseline_status == "3"
    assert (house.cards()[0].tone == "danger") is late
    for id in filter(None, named[:1]):
        house.room.shelf.all.append(replace(failed(), id=id))
        await house.hears(START + timedelta(minutes=1), projectId=1)
        assert "log" in house.room.shelf.asked


async def check_is_told(house: House) -> None:
    assert house.cards() == [], "the sample's check passed"
    await house.hears(START + timedelta(minutes=1), checkResult=2)
    assert house.room.titles() == [f"{house.body.table_name} broke a strong quality rule"]
    await house.hears(START + timedelta(minutes=2), checkResult=0)
    assert house.room.titles() == [f"{house.body.table_name} has recovered"]


async def trail_has_it(house: House) -> None:
    entries = [(entry.actor, entry.target) for entry in await house.room.trail(house.model.code)]
    instances = [id for kind, id in house.body.subjects if kind == "instance"]
    assert entries == [(f"dataworks:{house.body.operator}", id) for id in instances]
    assert house.cards() == []


async def order_is_one_card(house: House) -> None:
    process = house.body.process_id or "528"
    for minute, name in enumerate(("Created", "Finished")):
        event = f"dataworks:ApprovalChange:ApprovalChange{name}"
        await house.hears(START + timedelta(minutes=minute + 1), event, processId=process, status=name)
    assert len([card for card in house.cards() if process in repr(card)]) == 1


async def card_is_shown(house: House) -> None:
    assert len(house.cards()) == 1


async def request_is_told(house: House) -> None:
    (card,) = house.cards()
    for said in (*(name for _, name in house.body.subjects), house.body.order.apply_reason):
        assert said in repr(card)


async def transfer_is_told(house: House) -> None:
    (card,) = house.cards()
    for said in (getattr(house.body, "file_name", ""), getattr(house.body, "table_guid", "")):
        assert said in repr(card)


def asks(callback: str) -> Proof:
    """A decision is asked for, to be told by this call, before its time is over."""

    async def proof(house: House) -> None:
        (point,) = await house.points.waiting()
        assert (point.state, point.callback, point.code) == ("new", callback, house.model.code)
        assert point.deadline > START

    return proof


PROOFS: dict[str, Proof] = {
    "Mirror: The instance's status, times and runs.": status_is_known,
    "Mirror: The instances are frozen; a change of them.": frozen,
    "Mirror: The instances are no longer frozen; a change of them.": unfrozen,
    "Mirror: The failure that follows is a stop; a change of the instances.": stopped,
    "Mirror: The success that follows is by hand; a change of the instances.": by_hand,
    "Mirror: The node's name, owner, cycle and priority, or that it is gone; a change of it.": node_is_known,
    "Mirror: The table's newest result by this rule, and which node writes the table; a failed check is a change of it.": (
        check_is_known
    ),
    "Mirror: A change of the nodes.": changes("node"),
    "Mirror: A change of its node, or else of the node that bears its name.": file_changed,
    "Mirror: A change of the table.": changes("table"),
    "Mirror: A change of how the table is checked.": changes("table", "rule"),
    "Mirror: A change of what it is about: instances, nodes, or the tables that are written.": changes(
        "instance", "node", "table"
    ),
    "People: A failure is diagnosed and told to subscribers and owners; a success after it turns the card green.": (
        failure_is_told
    ),
    "People: Running, failed and done are one card for subscribers, for backfills and workflows by hand.": (
        run_is_one_card
    ),
    "People: An alert for subscribers and owners: the instance to blame is diagnosed, a late baseline is critical.": (
        alert_is_told
    ),
    "People: A check that fails is told to subscribers and owners of the table, a check that passes ends that.": (
        check_is_told
    ),
    "People: An entry in the audit trail for each instance, with who did it.": trail_has_it,
    "People: An entry in the audit trail for the instance, with who did it.": trail_has_it,
    "People: A card for subscribers, the same one from order to decision.": order_is_one_card,
    "People: A card for subscribers: which tables, and why.": request_is_told,
    "People: A card for subscribers: who moves which file or table, and how much.": transfer_is_told,
    "People: A card for subscribers.": card_is_shown,
    "Decision: by rule, approval or default, told by `UpdateIDEEventResult`.": asks("ide"),
    "Decision: by rule, approval or default, told by `UpdateWorkbenchEventResult`.": asks("workbench"),
    "Decision: by rule, approval or default, told by `CallbackExtension`.": asks("extension"),
}


def test_every_sentence_of_the_page_has_a_proof_and_every_type_a_sentence() -> None:
    """A new sentence needs a new proof, and no event is only stored."""
    said = {model: deeds(model) for model in TYPES.values()}
    assert {sentence for some in said.values() for sentence in some} == set(PROOFS)
    assert [model.__name__ for model, some in said.items() if not some] == []


CASES = [(sample, sentence) for sample in samples() for sentence in deeds(TYPES[sample.type])]


@pytest.mark.parametrize(("sample", "sentence"), CASES, ids=[f"{one.type.split(':')[2]}-{said}" for one, said in CASES])
async def test_what_the_page_says_is_done_with_the_sample(sqlite_store: Store, sample: Sample, sentence: str) -> None:
    """Taken in by its type, it does what its row says, and leaves alone what its row does not name."""
    house = House(sqlite_store, sample)
    await house.hears()
    assert dataworks.reader(house.model) or not await house.rows(*MIRRORED)
    assert meaning.reader(house.model) or not await house.rows(effect)
    assert await house.rows(extension_point) == house.model.before
    await PROOFS[sentence](house)
