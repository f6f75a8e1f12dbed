"""What people ask for: promises made, looked at and ended, with the rights of this moment."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from typing import Literal

from core.access import Access, Person
from core.errors import BadInput, NotApprover, NotFound
from core.messages import Conversation
from core.results import Result, TableReport
from core.schedulers.base import DataTable, Instance, Scheduler
from core.schedulers.search import rank
from core.tools.look import Look
from core.watches import course
from core.watches.model import Kind, Memory, MutePreview, Watch, WatchList, WatchView
from core.watches.mutes import Mutes
from core.watches.register import Watches, Wish
from core.watches.terms import Calendar, read_clock, read_days, read_end

MOST_CALLED = 5
Changed = Callable[[Watch], Awaitable[None]]
"""Told of a change that cards have to show soon."""


class Promises:
    """The service behind the commands.

    Args:
        look: finds what is meant, and what it does.
        access: who may look and mute, and whom one can call.
        watches: where promises are kept.
        mutes: what a mute would hide, and who may.
        calendar: in which zone, and on which days people work.
        changed: see `Changed`.
        clock: the present, with zone.
    """

    def __init__(
        self,
        look: Look,
        access: Access,
        watches: Watches,
        mutes: Mutes,
        calendar: Calendar,
        *,
        changed: Changed,
        clock: Callable[[], datetime],
    ) -> None:
        self._look = look
        self._access = access
        self._watches = watches
        self._mutes = mutes
        self._calendar = calendar
        self._changed = changed
        self._clock = clock

    async def follow(self, person: Person, conversation: Conversation, target: str) -> WatchView:
        """Tell of each change of an instance until it succeeds."""
        await self._may_look(person)
        instance = await self._look.find.instance(target, interest="activity")
        until = self._clock() + course.RERUN_WITHIN
        wish = self._wish("follow", person, conversation, f"instance:{instance.ref}", instance.task.name, until)
        return self._view(await self._watches.make(replace(wish, until=until, memory=Memory(instance=instance))))

    async def preview(self, person: Person, target: str, duration: str) -> MutePreview:
        """What muting something for so long would have hidden in the last days.

        Raises:
            Denied: it is not their project, or too long for their role.
        """
        await self._access.refresh()
        until = read_end(duration, self._clock(), self._calendar)
        lasts = until - self._clock()
        meant = await self._muteable(target)
        if isinstance(meant, Instance):
            self._mutes.may(person, meant.task.scheduler, meant.task.project, lasts)
            return await self._mutes.of_instance(meant, until)
        if isinstance(meant, DataTable):
            self._mutes.may(person, meant.scheduler, meant.project, lasts)
            return await self._mutes.of_table(meant, until)
        scheduler, _, project = meant.partition(":")
        self._mutes.may(person, scheduler, project, lasts)
        return await self._mutes.of_project(meant, until)

    async def mute(self, person: Person, conversation: Conversation, target: str, duration: str) -> WatchView:
        """Hide alerts about something from everyone, for a while; again, to change for how long. Raises as `preview`."""
        shown = await self.preview(person, target, duration)
        wish = self._wish("mute", person, conversation, shown.subject, shown.name, shown.until)
        wish = replace(wish, key=f"mute:{shown.subject}", until=shown.until, memory=Memory(instance=shown.instance))
        made = await self._watches.make(wish)
        if made.until != shown.until:
            after = replace(made, until=shown.until, next_at=shown.until, person=person.name, conversation=conversation)
            made = await self._watches.move(made, after, aloud=False, by=person.name)
        return self._view(made)

    async def ready(
        self, person: Person, conversation: Conversation, target: str, at: str, call: tuple[str, ...] = ()
    ) -> Result:
        """Tell when a table is there; and when it is not by a time, call people, one after the other.

        Args:
            person: who asks.
            conversation: where they are told.
            target: the table.
            at: time of day of the deadline, the next time the clock shows it.
            call: names of people or groups, in the order in which they are called.
        """
        await self._may_look(person)
        until = self._calendar.following(read_clock(at), self._clock())
        people = self._callable(call)
        table = await self._look.find.table(target)
        reference = f"{table.scheduler}:{table.name}"
        report = await self._look.table(person, reference, day=self.day(until))
        if not isinstance(report, TableReport) or report.verdict == "updated":
            return report
        wish = self._wish("ready", person, conversation, f"table:{reference}", table.name, self._clock())
        memory = Memory(instance=report.producer, verdict=report.verdict, expected_at=report.expected_at, call=people)
        return self._view(await self._watches.make(replace(wish, until=until, memory=memory)))

    async def appoint(
        self, kind: Literal["digest", "handover"], person: Person, conversation: Conversation, at: str, days: str
    ) -> Result:
        """Show a card every day, or every working day, at a time of day. Asking again changes the time."""
        await self._may_look(person)
        clock, on = read_clock(at), read_days(days)
        following = self._calendar.following(clock, self._clock(), on)
        memory = Memory(at=f"{clock:%H:%M}", days=on)
        wish = self._wish(kind, person, conversation, "", "", following)
        made = await self._watches.make(replace(wish, memory=memory))
        if (made.memory.at, made.memory.days) != (memory.at, memory.days):
            after = replace(made, next_at=following, memory=memory)
            made = await self._watches.move(made, after, aloud=False)
        return self._view(made)

    async def acknowledge(self, person: Person, watch_id: str) -> Result:
        """Take on a table that is late, as whoever was called may; or take over a shift, as whoever may look.

        Raises:
            NotApprover: they were not called.
        """
        await self._may_look(person)
        seen = await self._watches.get(watch_id)
        if not seen.asks:
            return self._view(seen)
        if seen.kind == "ready" and person.name not in seen.callees:
            raise NotApprover(f"{person.name} was not called", person=person.name, needed=", ".join(seen.callees))
        moved = await self._watches.move(seen, course.acknowledged(seen, person.name), aloud=True, by=person.name)
        await self._changed(moved)
        return self._view(moved)

    async def end(self, person: Person, target: str, kind: Kind | None = None) -> Result:
        """End a promise of one's own; a mute, also one of others on a project that one operates.

        Args:
            person: who asks.
            target: its id, or what it is about.
            kind: which kind is meant.

        Raises:
            NotFound: there is no such promise that they may end.
        """
        await self._may_look(person)
        seen = await self._mine(person, target, kind)
        moved = await self._watches.move(seen, course.ended(seen, "hand", person.name), aloud=True, by=person.name)
        if person.name == seen.person:
            await self._watches.told(moved)
        return self._view(moved)

    async def mine(self, person: Person) -> WatchList:
        """All promises of a person that are not over."""
        await self._may_look(person)
        return WatchList("mine", tuple(await self._watches.going_on(person=person.name)), self._clock())

    async def all_mutes(self, person: Person) -> WatchList:
        """All that is muted now, by whomever."""
        await self._may_look(person)
        return WatchList("mutes", tuple(await self._watches.going_on(kind="mute")), self._clock())

    def may_end(self, person: Person, watch: Watch) -> bool:
        """Whether it is theirs to end: their own; and for an ops admin any mute, since it hides alerts from everyone."""
        if watch.person == person.name:
            return True
        return watch.kind == "mute" and self._access.present(person).has("ops_admin")

    def day(self, deadline: datetime) -> str:
        """The day whose data is meant by a deadline."""
        return deadline.astimezone(self._calendar.zone).date().isoformat()

    async def _may_look(self, person: Person) -> None:
        await self._access.refresh()
        self._access.may_look(person)

    async def _mine(self, person: Person, target: str, kind: Kind | None) -> Watch:
        going_on = await self._watches.going_on(kind=kind)
        theirs = [one for one in going_on if self.may_end(person, one)]
        wanted = target.strip().casefold()
        for one in theirs:
            if wanted in {one.id.casefold(), one.name.casefold(), one.subject.casefold(), one.ref.casefold()}:
                return one
        nearest = rank(target, theirs, lambda one: (one.name,), limit=3)
        raise NotFound(f"no promise {target}", kind="watch", name=target, nearest=tuple(one.name for one in nearest))

    async def _muteable(self, target: str) -> Instance | DataTable | str:
        """What is to be muted: an instance of the task, a table, or the reference of a project."""
        kind, _, ref = target.strip().partition(":")
        if kind == "table":
            return await self._look.find.table(ref)
        if kind == "task":
            return await self._look.find.instance(ref)
        if project := await self._project(ref if kind == "project" else target.strip()):
            return project
        if kind == "project":
            raise NotFound(f"no project {ref}", kind="project", name=ref)
        try:
            return await self._look.find.instance(target)
        except NotFound as error:
            try:
                return await self._look.find.table(target)
            except NotFound:
                raise error from None

    async def _project(self, name: str) -> str:
        """`scheduler:project` of the project of exactly this name, so written or not; empty when there is none."""
        parts, _ = await self._look.fleet.each(_projects)
        refs = (ref for part in parts for ref in part)
        return next((ref for ref in refs if name in {ref, ref.partition(":")[2]}), "")

    def _callable(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """People, those of a group one after the other, who may look at what they are called about."""
        found: dict[str, None] = {}
        for name in names:
            members = self._access.group(name) or tuple(filter(None, (self._access.named(name),)))
            allowed = [one.name for one in members if one.has("viewer")]
            if not allowed:
                everyone = (one.name for one in self._access.holders("viewer"))
                nearest = rank(name, everyone, lambda one: (one,), limit=3)
                raise NotFound(f"nobody is {name}", kind="person", name=name, nearest=nearest)
            found |= dict.fromkeys(allowed)
        if len(found) > MOST_CALLED:
            raise BadInput(f"at most {MOST_CALLED} people are called", argument="call")
        return tuple(found)

    def _wish(
        self, kind: Kind, person: Person, conversation: Conversation, subject: str, name: str, next_at: datetime
    ) -> Wish:
        key = f"{kind}:{person.name}:{conversation.key}:{subject}"
        return Wish(kind, key, person.name, conversation, subject, name, next_at)

    def _view(self, watch: Watch) -> WatchView:
        return WatchView(watch, self._clock())


async def _projects(scheduler: Scheduler) -> tuple[str, ...]:
    """References of all projects of a scheduler."""
    return tuple(f"{scheduler.name}:{name}" for name in await scheduler.projects())
