"""Everything that can be asked, for commands and for the agent alike. Reads only.

Each method checks that the person may look and answers with a `core.results.Result`. What went wrong on the way (nothing
found, several found, not allowed, a scheduler down) is a result as well, made in one place: `explain`.

Two definitions everything here shares (Dataphin X-Ops). *Failed*: instances of the day that failed up to now; killed ones
count, frozen ones do not, since nothing broke: a person suspended them, and some platforms merely report them as failed.
*Repeatedly failed*: tasks with a failed instance on the day and one on the day before; one is enough on either side.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Literal, cast, get_args

from core.access import Access, Person
from core.alerts import read
from core.diagnosis import diagnose, read_log
from core.diagnosis.forecast import expected_finish
from core.diagnosis.model import LogFinding
from core.diagnosis.runbooks import Knowledge
from core.errors import Ambiguous, BadInput, NotFound, RemoteError, XOpsError
from core.observe import INJECTIONS
from core.results import (
    AlertReport,
    Choice,
    Diagnosed,
    InstanceDetail,
    InstanceList,
    Lineage,
    LogView,
    Missing,
    Notice,
    Observed,
    Overview,
    Problem,
    Result,
)
from core.schedulers.base import DataTable, Instance, InstanceQuery, KnowsDuty, Status
from core.schedulers.fleet import Fleet
from core.schedulers.grounds import gathered
from core.tools.evidence import Lookup, gather, masked
from core.tools.find import Finder, pick
from core.tools.freshness import BROKEN, Sighting, report
from core.tools.groups import Groups, Kind
from core.tools.paste import log_page
from core.tools.paste import report as report_alert
from core.watches.model import Watch

LINEAGE_DEPTH = 3
LOOKED_AT = 5
"""Most producers of a table, and most of its updates, that are looked at one by one."""
RUNNING = frozenset({Status.RUNNING, Status.CHECKING})


def explain(error: XOpsError, command: str, fleet: Fleet, arguments: Mapping[str, str]) -> Result:
    """What to show instead of an answer.

    Args:
        error: what happened.
        command: the command word that a choice or a nearest name is tried with.
        fleet: who was asked.
        arguments: the command's other arguments.
    """
    given = {name: value for name, value in arguments.items() if value}
    match error:
        case Ambiguous():
            return Choice(error.kind, error.name, error.choices, command, given)
        case NotFound():
            return Missing(error.kind, error.name, error.nearest, fleet.names, command, given)
        case RemoteError():
            return Problem(error.text, error.details, fleet.outage(error.system, error))
        case _:
            return Problem(error.text, error.details)


class Look:
    """Answers questions.

    Args:
        fleet: who is asked.
        access: who may ask.
        clock: the present moment, with zone.
        knowledge: signatures and runbooks; by default those that come with X-Ops.
        mute: what hides alerts about an instance; answers say so, and are never hidden.
    """

    def __init__(
        self,
        fleet: Fleet,
        access: Access,
        *,
        clock: Callable[[], datetime],
        knowledge: Knowledge | None = None,
        mute: Callable[[Instance], Awaitable[Watch | None]] | None = None,
    ) -> None:
        self.fleet = fleet
        self.find = Finder(fleet, clock)
        self._groups = Groups(fleet, self.find)
        self._access = access
        self._clock = clock
        self._knowledge = knowledge
        self._muted = mute

    async def overview(self, person: Person, *, day: str = "") -> Result:
        """How the day went: all that the person may operate (for a viewer: all there is), and what they own."""
        return await self._answer(person, "overview", lambda: self._overview(person, self.find.day(day)), day=day)

    async def instances(
        self, person: Person, *, kind: str, subject: str = "", day: str = "", limit: int = 20, offset: int = 0
    ) -> Result:
        """A page of instances.

        Args:
            person: who asks.
            kind: as in `InstanceList.kind`. `repeated` lists the latest failed instance of each such task.
            subject: a project, an owner, part of a task's name, or `mine`; empty for all the person may operate.
            day: calendar day; empty for today.
            limit: largest number to list, at most 100.
            offset: how many to pass over.
        """
        page = slice(max(offset, 0), max(offset, 0) + min(max(limit, 1), 100))
        return await self._answer(
            person,
            "instances",
            lambda: self._instances(person, kind, subject.strip(), self.find.day(day), page),
            kind=kind,
            day=day,
        )

    async def status(self, person: Person, target: str, *, day: str = "") -> Result:
        """What one instance is doing, what holds it, and how it went before."""
        return await self._answer(person, "status", lambda: self._status(target, day), day=day)

    async def table(self, person: Person, name: str, *, day: str = "") -> Result:
        """Whether a table or asset was updated on a day."""
        return await self._answer(person, "table", lambda: self._table(name, self.find.day(day)), day=day)

    async def log(self, person: Person, target: str, *, run: int = 0, day: str = "") -> Result:
        """The log of a run, masked, the lines that prove the fault marked; the latest run when `run` is 0."""
        return await self._answer(person, "log", lambda: self._log(target, run, day), day=day, run=str(run or ""))

    async def lineage(self, person: Person, target: str, *, direction: Literal["upstream", "downstream"]) -> Result:
        """Instances that one waits for, or that wait for it."""
        return await self._answer(person, direction, lambda: self._lineage(target, direction))

    async def diagnose(self, person: Person, target: str, *, day: str = "") -> Result:
        """Why an instance failed or does not start, with the evidence."""
        return await self._answer(person, "diagnose", lambda: self._diagnose(target, day), day=day)

    async def duty(self, person: Person) -> Result:
        """Who is on duty now, by the rosters of all schedulers that keep some."""
        return await self._answer(person, "duty", self._duty)

    async def alert(self, person: Person, text: str) -> AlertReport | None:
        """What a pasted alert says and what is known of it; None for a text that is none, or a person who may not look."""
        reading = await asyncio.to_thread(read, text)
        if reading.kind != "alert" or person.role == "stranger":
            return None
        return await report_alert(reading, self.find, self._groups, self._clock())

    async def pasted_log(self, person: Person, text: str) -> LogFinding | None:
        """What a pasted log says by itself; None for a text that is none or proves nothing, or a person who may not look."""
        page = log_page(text)
        if page is None or person.role == "stranger":
            return None
        rules = self._knowledge.rules if self._knowledge else None
        found = await asyncio.to_thread(read_log, page, rules=rules)
        INJECTIONS.labels("log").inc(len(found.injection))
        return None if found.confidence == "inconclusive" else found

    async def _answer(
        self, person: Person, command: str, look: Callable[[], Awaitable[Result]], **arguments: str
    ) -> Result:
        with gathered() as grounds:
            try:
                self._access.may_look(person)
                result = await look()
            except XOpsError as error:
                return explain(error, command, self.fleet, arguments)
        if isinstance(result, Observed):
            return replace(result, outages=result.outages or grounds.outages, sources=grounds.sources)
        return result

    async def _overview(self, person: Person, day: date) -> Overview:
        (operable, out), (mine, out_too) = await asyncio.gather(
            self._groups.tally(self._groups.operable(person), day),
            self._groups.tally(self._groups.owned(person), day),
        )
        outages = {outage.scheduler: outage for outage in (*out, *out_too)}
        return Overview(day, self._clock(), operable, mine, tuple(outages.values()))

    async def _instances(self, person: Person, kind: str, subject: str, day: date, page: slice) -> InstanceList:
        if kind not in get_args(Kind):
            raise BadInput(f"no kind of list {kind}", argument="kind")
        known = cast("Kind", kind)
        group = await self._groups.meant(person, known, subject)
        shown, total, outages = await self._groups.listed(known, group.queries, day, page)
        return InstanceList(known, day, self._clock(), shown, total, group.subject, outages, page.start)

    async def _status(self, target: str, day: str) -> InstanceDetail:
        instance = await self.find.instance(target, day=day)
        look = Lookup(self.fleet, instance)
        history, mute = await asyncio.gather(look.history(), self._mute(instance))
        if instance.status.finished or instance.status in RUNNING:
            return InstanceDetail(instance, self._clock(), history=history, mute=mute)
        constraints, parents = await asyncio.gather(look.constraints(), look.parents())
        blockers = tuple(one.instance for one in parents if not one.instance.status.succeeded)
        return InstanceDetail(instance, self._clock(), constraints, blockers, history, mute)

    async def _log(self, target: str, run: int, day: str) -> LogView:
        instance = await self.find.instance(target, day=day, interest="failure")
        raw = await self.fleet.one(instance.ref, lambda asked, identity: asked.log(identity, run_number=max(run, 0)))
        page = await asyncio.to_thread(masked, raw)
        rules = self._knowledge.rules if self._knowledge else None
        finding = await asyncio.to_thread(read_log, page, kind=instance.task.kind, rules=rules)
        INJECTIONS.labels("log").inc(len(finding.injection))
        marked = frozenset(proof.line for proof in finding.proofs if proof.line)
        return LogView(instance, page, self._clock(), marked, frozenset(finding.injection))

    async def _lineage(self, target: str, direction: Literal["upstream", "downstream"]) -> Lineage:
        instance = await self.find.instance(target, interest="failure")
        related = await self.fleet.one(
            instance.ref,
            lambda asked, identity: (
                asked.upstream(identity, depth=LINEAGE_DEPTH)
                if direction == "upstream"
                else asked.downstream(identity, depth=LINEAGE_DEPTH)
            ),
        )
        return Lineage(instance, direction, related, self._clock())

    async def _diagnose(self, target: str, day: str) -> Diagnosed:
        instance = await self.find.instance(target, day=day, interest="failure")
        evidence = await gather(self.fleet, instance, self._clock())
        found = await asyncio.to_thread(diagnose, evidence, self._knowledge)
        INJECTIONS.labels("diagnosis").inc(len(found.injection))
        return Diagnosed(instance, found, evidence.now, await self._mute(instance))

    async def _mute(self, instance: Instance) -> Watch | None:
        return await self._muted(instance) if self._muted else None

    async def _table(self, name: str, day: date) -> Result:
        table = await self.find.table(name)
        now = self._clock()
        producer, sightings = await asyncio.gather(self._producer(table, day), self._sightings(table))
        history = await Lookup(self.fleet, producer).history() if producer else ()
        return report(
            table,
            sightings,
            producer,
            day=day,
            now=now,
            zone=self.fleet.zone,
            expected_at=expected_finish(history, producer, now) if producer else None,
        )

    async def _duty(self) -> Notice:
        keeping = [scheduler for scheduler in self.fleet.schedulers if isinstance(scheduler, KnowsDuty)]
        found = await asyncio.gather(*(scheduler.shifts() for scheduler in keeping))
        rosters = [f"{shift.name}: {', '.join(shift.people) or '-'}" for shifts in found for shift in shifts]
        if not rosters:
            return Notice("duty_unknown", {"schedulers": ", ".join(self.fleet.names)})
        return Notice(
            "duty", {"rosters": "; ".join(rosters), "at": f"{self._clock().astimezone(self.fleet.zone):%H:%M}"}
        )

    async def _producer(self, table: DataTable, day: date) -> Instance | None:
        """The instance that had to write the table on that day: of several, the one that has not, or failed to."""
        asked = (self._of_day(f"{task.scheduler}:{task.id}", day) for task in table.producers[:LOOKED_AT])
        found = [pick(instances, "failure", self._clock()) for instances in await asyncio.gather(*asked) if instances]
        return min(found, key=_readiness, default=None)

    async def _of_day(self, task_ref: str, day: date) -> tuple[Instance, ...]:
        page = await self.fleet.one(
            task_ref, lambda asked, identity: asked.instances(InstanceQuery(day=day, task=identity))
        )
        return page.items

    async def _sightings(self, table: DataTable) -> tuple[Sighting, ...]:
        looked = table.updates[:LOOKED_AT]
        writers = await asyncio.gather(*(self._writer(update.instance) for update in looked))
        return tuple(map(Sighting, looked, writers))

    async def _writer(self, ref: str) -> Instance | None:
        try:
            return await self.fleet.instance(ref) if ref else None
        except (NotFound, RemoteError):
            return None


def _readiness(instance: Instance) -> int:
    if instance.status in BROKEN:
        return 0
    return 2 if instance.status.finished else 1
