"""Operations that wait in DataWorks' console: who answers, what, by which callback, once, in time, through a restart."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from core.events.incoming import DATAWORKS, Incoming, read_event
from core.events.journal import Events
from core.extensions.facts import Surveyor
from core.extensions.points import Points
from core.extensions.policy import Facts, Ruling, rule_on
from core.extensions.service import Extensions
from core.schedulers.aliyun import Calls
from core.schedulers.dataworks import DataWorksScheduler
from core.settings import ExtensionSettings, Settings
from core.store import Store
from tests.core.event_samples import Json, cloud_event, function_event
from tests.fakes.aliyun import Fault
from tests.fakes.approvals import Bureau
from tests.fakes.dataworks import ZONE
from tests.fakes.extensions import EXTENSION, Console, Waiting

RERUN = "dataworks:InstanceChange:PreRerunInstance"
DEPLOY = "dataworks:FileChange:DeployFile"
DOWNLOAD = "dataworks:ResourcesDownload:DownloadResources"
CALLBACKS = {RERUN: "UpdateWorkbenchEventResult", DEPLOY: "UpdateIDEEventResult", DOWNLOAD: "CallbackExtension"}


class Gatehouse:
    """X-Ops between the console and the people who approve."""

    def __init__(self, console: Console, bureau: Bureau, store: Store, **rules: Any) -> None:
        self.console, self.bureau = console, bureau
        settings = Settings.model_validate({"language": "en", "extensions": {"code": EXTENSION, **rules}})
        calls = Calls("dw", per_second=2000, concurrency=4, sleep=_at_once)
        self.scheduler = DataWorksScheduler(console.connection(), zone=ZONE, clock=console.clock, calls=calls)
        self.points = Points(store, bureau.audit, patience=timedelta(minutes=30), clock=bureau.now)
        self.extensions = Extensions(
            self.points,
            self.scheduler,
            Surveyor(self.scheduler),
            bureau.approvals,
            bureau.access,
            bureau.now,
            settings,
            clock=bureau.now,
        )
        bureau.attendant.on("extension_point", self.extensions)
        self.journal = Events(store, clock=bureau.now, zone=ZONE, appliers=[self.points.record])

    async def asks(self, type: str, data: Json | None = None, id: str = "m1", *, function: bool = False) -> Incoming:
        """The console asks; the event is stored."""
        told = {"operator": 1000, "projectId": 10001, "blockBusiness": True, **(data or {})}
        envelope = function_event(type, told, id) if function else cloud_event(type, told, id)
        self.console.waiting.setdefault(id, Waiting(CALLBACKS[type]))
        event = read_event(DATAWORKS, envelope, self.bureau.now(), ZONE)
        await self.journal.accept([event])
        return event

    async def answers(self, type: str, data: Json | None = None) -> str:
        """What the console has been told once all is done that can be done now."""
        await self.extensions.decide(await self.asks(type, data))
        await self.bureau.settle()
        await self.bureau.now.pass_time(0)
        return self.console.verdict("m1")


async def _at_once(_: float) -> None:
    """Waits for nothing."""


@pytest.fixture
async def console() -> AsyncGenerator[Console]:
    async with Console() as server:
        yield server


@pytest.fixture
def bureau(sqlite_store: Store) -> Bureau:
    return Bureau(sqlite_store)


@pytest.mark.parametrize("type", CALLBACKS)
@pytest.mark.parametrize(("otherwise", "verdict"), [("allow", "OK"), ("refuse", "FAIL")])
async def test_each_kind_is_answered_by_its_callback(
    console: Console, bureau: Bureau, type: str, otherwise: str, verdict: str
) -> None:
    """The official SDK calls the one that waits, with the word it knows, and once."""
    gate = Gatehouse(console, bureau, bureau.store, otherwise=otherwise)
    assert await gate.answers(type) == verdict
    assert console.count[CALLBACKS[type]] == 1
    assert (await gate.points.get("m1")).state == "answered"


async def test_people_are_asked_by_a_ticket_and_their_yes_is_told(console: Console, bureau: Bureau) -> None:
    """The card says what is about to be done; the approval reaches the console and ends the ticket."""
    gate = Gatehouse(console, bureau, bureau.store, rules=[{"answer": "ask"}])
    instance = console.of("dws_trade_order_di")["Id"]
    assert await gate.answers(RERUN, {"taskIds": [instance]}) == ""
    ticket = await bureau.tickets.get((await gate.points.get("m1")).ticket)
    assert "dws_trade_order_di" in ticket.request.title
    await bureau.approvals.approve(bureau.says("root", ticket))
    await bureau.settle()
    await bureau.now.pass_time(0)
    assert console.verdict("m1") == "OK"
    await bureau.settle(after=timedelta(seconds=20))
    assert await bureau.state(ticket) == "succeeded"


async def test_their_no_is_told_with_its_reason(console: Console, bureau: Bureau) -> None:
    """Whoever waits in the console reads why."""
    gate = Gatehouse(console, bureau, bureau.store)
    await gate.answers(RERUN)
    ticket = await bureau.tickets.get((await gate.points.get("m1")).ticket)
    await bureau.approvals.reject(bureau.says("root", ticket, "month end"))
    await bureau.settle()
    await bureau.now.pass_time(0)
    assert console.verdict("m1") == "FAIL"
    assert "month end" in console.waiting["m1"].tip


@pytest.mark.parametrize(("unanswered", "verdict"), [("allow", "OK"), ("refuse", "FAIL")])
async def test_when_nobody_answers_in_time_the_default_is_told(
    console: Console, bureau: Bureau, unanswered: str, verdict: str
) -> None:
    """Before the platform's own limit; an approval that comes later changes nothing and says so."""
    gate = Gatehouse(console, bureau, bureau.store, unanswered=unanswered)
    await gate.answers(RERUN)
    await bureau.now.pass_time(31 * 60)
    await gate.extensions.sweep()
    await bureau.now.pass_time(0)
    assert console.verdict("m1") == verdict
    ticket = await bureau.tickets.get((await gate.points.get("m1")).ticket)
    await bureau.approvals.approve(bureau.says("root", ticket))
    await bureau.settle()
    assert console.verdict("m1") == verdict


async def test_what_a_dead_process_left_is_answered_by_the_next(console: Console, bureau: Bureau) -> None:
    """Stored and never looked at; and decided and never told."""
    gate = Gatehouse(console, bureau, bureau.store, otherwise="allow")
    await gate.asks(RERUN)
    second = Gatehouse(console, bureau, bureau.store, otherwise="allow")
    await second.extensions.sweep()
    await bureau.now.pass_time(0)
    assert console.verdict("m1") == "OK"
    await gate.asks(DEPLOY, id="m2")
    await gate.points.decide(await gate.points.get("m2"), "FAIL", "no", "rule 1")
    await second.extensions.sweep()
    await bureau.now.pass_time(0)
    assert console.verdict("m2") == "FAIL"


async def test_redeliveries_ask_and_answer_once(console: Console, bureau: Bureau) -> None:
    """The same message again finds the ticket there is, and later the verdict."""
    gate = Gatehouse(console, bureau, bureau.store)
    event = await gate.asks(RERUN)
    assert [await gate.extensions.decide(event) for _ in range(3)] == [{}, {}, {}]
    ticket = await bureau.tickets.get((await gate.points.get("m1")).ticket)
    await bureau.settle()
    await bureau.approvals.approve(bureau.says("root", ticket))
    await bureau.settle()
    await bureau.now.pass_time(0)
    assert (await gate.extensions.decide(event))["checkResult"] == "OK"
    assert console.count["UpdateWorkbenchEventResult"] == 1


async def test_a_function_gets_its_verdict_as_the_answer(console: Console, bureau: Bureau) -> None:
    """Function Compute returns it itself, so nothing is called back."""
    gate = Gatehouse(console, bureau, bureau.store, otherwise="refuse")
    verdict = await gate.extensions.decide(await gate.asks(DOWNLOAD, function=True))
    await bureau.now.pass_time(0)
    assert verdict["checkResult"] == "FAIL"
    assert console.count["CallbackExtension"] == 0


async def test_a_platform_that_is_busy_is_told_later(console: Console, bureau: Bureau) -> None:
    """An answer that did not get through is told again; it is never changed."""
    gate = Gatehouse(console, bureau, bureau.store, otherwise="allow")
    console.refusals["UpdateWorkbenchEventResult"] = Fault(503, "ServiceUnavailable")
    with pytest.raises(Exception, match="ServiceUnavailable"):
        await gate.answers(RERUN)
    await bureau.now.pass_time(61)
    await gate.extensions.sweep()
    await bureau.now.pass_time(0)
    assert console.verdict("m1") == "OK"


async def test_a_verdict_that_the_platform_refuses_is_recorded_as_such(console: Console, bureau: Bureau) -> None:
    """Nobody tries for ever."""
    gate = Gatehouse(console, bureau, bureau.store, otherwise="allow")
    console.refusals["UpdateWorkbenchEventResult"] = Fault(403, "Forbidden.Access", "not your edition")
    await gate.answers(RERUN)
    assert (await gate.points.get("m1")).state == "failed"


NOW = datetime(2026, 11, 22, 15, 30, tzinfo=UTC)
"""Half past eleven at night in Shanghai."""
FACTS = Facts("pre-rerun-instance", "1000", frozenset({"10001", "trade"}), named=True, downstream=12, owned=True)
UNKNOWN = Facts("pre-rerun-instance", "1000", frozenset({"10001"}))


@pytest.mark.parametrize(
    ("rule", "facts", "holds"),
    [
        ({"events": ["pre-rerun-instance"]}, FACTS, True),
        ({"events": ["deploy-file"]}, FACTS, False),
        ({"hours": "22:00-08:00"}, FACTS, True),
        ({"hours": "08:00-22:00"}, FACTS, False),
        ({"start": "2026-11-22T00:00:00+08:00", "end": "2026-11-23T00:00:00+08:00"}, FACTS, True),
        ({"end": "2026-11-22T23:30:00+08:00"}, FACTS, False),
        ({"projects": ["trade"]}, FACTS, True),
        ({"projects": ["risk"]}, FACTS, False),
        ({"projects": ["risk"]}, UNKNOWN, True),
        ({"operators": ["1000"]}, FACTS, True),
        ({"downstream": 12}, FACTS, False),
        ({"downstream": 11}, FACTS, True),
        ({"downstream": 11}, UNKNOWN, True),
        ({"without_owner": True}, FACTS, False),
        ({"without_owner": True}, UNKNOWN, True),
        ({"projects": ["trade"], "hours": "08:00-22:00"}, FACTS, False),
    ],
)
def test_a_rule_holds_when_all_its_conditions_do(rule: Json, facts: Facts, holds: bool) -> None:
    """What is not known is taken for the worse."""
    settings = ExtensionSettings.model_validate({"rules": [{"answer": "refuse", **rule}], "otherwise": "allow"})
    found = rule_on(settings, facts, NOW, ZoneInfo("Asia/Shanghai"))
    assert found == (Ruling("refuse", 1) if holds else Ruling("allow"))


def test_nothing_is_allowed_by_what_is_not_known() -> None:
    """A rule that allows needs all its facts; the next rule answers then."""
    rules = [{"answer": "allow", "downstream": 100}, {"answer": "ask", "tip": "who is this?"}]
    settings = ExtensionSettings.model_validate({"rules": rules})
    assert rule_on(settings, UNKNOWN, NOW, ZONE) == Ruling("ask", 2, "who is this?")
