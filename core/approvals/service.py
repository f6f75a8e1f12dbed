"""What people ask for and what they say about it: the one service that chat, REST, the page and the command line share.

Each of `approve`, `reject` … checks the rights of this moment and makes one transition in the tables; what follows from it
is `core.approvals.attending`'s. A refusal is recorded as well: who tried what, and why not.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta

from core.access import Access, Person
from core.approvals import approvers, course
from core.approvals.attending import Attendant
from core.approvals.course import Phase
from core.approvals.flows import Flows, builtin
from core.approvals.freezes import Freezes
from core.approvals.matching import classify, match
from core.approvals.model import Act, Flow, Match, Request, Saying, State, Ticket, TicketView
from core.approvals.tickets import TicketFilter, Tickets
from core.errors import BadInput, Denied, Frozen, NoFlow, NotApprover, Stale
from core.redact import clean, mask
from core.settings import ApprovalSettings

PER_DAY = 3
SHORTEST_REASON = 20
"""Limits of orders in an emergency: how many a person may give in a day, and how much they have to say."""

COMMENT = 1024
DAY = timedelta(days=1)


class Approvals:
    """The service that chat, REST, the page and the command line share.

    Args:
        flows: what administrators defined.
        tickets: what is under way.
        access: asked again at each decision.
        attendant: does what follows.
        settings: whether approvals apply, and what is risky.
        freezes: when nothing is carried out.
        risky: task types that need approval also where nobody made a flow.
        easy: task types for which a confirmation is enough where nobody made a flow.
        clock: the present, with zone.
        page: address of the page on which tickets are decided; empty when people cannot reach it.
    """

    def __init__(  # noqa: PLR0913  # the service where everything about approvals meets
        self,
        flows: Flows,
        tickets: Tickets,
        access: Access,
        attendant: Attendant,
        settings: ApprovalSettings,
        freezes: Freezes,
        *,
        risky: frozenset[str],
        easy: frozenset[str],
        clock: Callable[[], datetime],
        page: str = "",
    ) -> None:
        self.flows = flows
        self._tickets = tickets
        self._access = access
        self._attendant = attendant
        self._settings = settings
        self.freezes = freezes
        self._risky = risky
        self._easy = easy
        self._clock = clock
        self._page = page

    def now(self) -> datetime:
        """The present, as it counts for deadlines."""
        return self._clock()

    async def open(self, request: Request, *, via: str = "system") -> Ticket | None:
        """Ask for something to be done. The same key gives the same ticket.

        Returns:
            None when the confirmation of an entitled person is enough.

        Raises:
            NoFlow: there are flows for this, but none that is enabled covers it.
            Frozen: it would be carried out in a freeze.
            BadInput: a time that does not fit the flow.
        """
        request = self.freezes.placed(request)
        if request.strategy != "manual":
            self.freezes.check(request, request.execute_at)
        if not self._settings.enabled:
            return None
        found = await self._match(request)
        if found is None:
            return None
        _check_time(request, found.flow, self._clock())
        ticket = await self._tickets.open(request, found, self._phase(0, request, found), via=via)
        self._attendant.notice()
        return ticket

    async def submit(self, person: Person, request: Request, *, via: str) -> Ticket:
        """Ask for a task that a person will carry out, of a type of the settings' own or of ODC's.

        Raises:
            NoFlow: approvals are off, or no flow is for this.
            BadInput: there is no such type, or X-Ops carries it out itself, so it is asked for by proposing it.
            Denied: the person may not operate the project.
        """
        await self._access.refresh()
        self._access.needs(person, "operator")
        if request.project and not self._present(person).covers(request.scheduler, request.project):
            raise Denied("not their project", person=person.name, needed=request.project)
        if self._attendant.carries_out(request.task_type) or request.task_type not in self.flows.types:
            raise BadInput(f"{request.task_type} cannot be asked for here", argument="task_type")
        ticket = await self.open(request, via=via)
        if ticket is None:
            raise NoFlow(f"nothing decides about {request.task_type}", system="X-Ops")
        return ticket

    async def approve(self, said: Saying) -> Ticket:
        """Vote for the node that is asked now.

        Raises:
            NotApprover: not (any more) a candidate, or the one who asked.
            Stale: decided, expired, voted already, or something else than the card showed.
            BadInput: the node wants a comment.
            Frozen: it would be carried out at once, in a freeze.
        """

        async def vote(ticket: Ticket, act: Act) -> Ticket:
            await self._need_candidate(ticket, said)
            if ticket.nodes[ticket.node].comment_required and not act.comment:
                raise BadInput("this node wants a comment", argument="comment")
            following = self._phase(ticket.node + 1, ticket.request, ticket.match, ticket)
            if following.state == "executing":
                self.freezes.check(ticket.request)
            return await self._tickets.vote(ticket, act, following)

        return await self._attempt(said, "approve", vote)

    async def reject(self, said: Saying) -> Ticket:
        """End the ticket; final. Needs a reason. Raises as `approve` does."""

        async def reject(ticket: Ticket, act: Act) -> Ticket:
            await self._need_candidate(ticket, said)
            if not act.comment:
                raise BadInput("rejecting needs a reason", argument="comment")
            return await self._tickets.move(
                ticket, act, course.ended(ticket, "rejected", self._clock()), message=act.comment
            )

        return await self._attempt(said, "reject", reject)

    async def withdraw(self, said: Saying) -> Ticket:
        """Take it back, by who asked; or cancel it, by an ops admin of the project. Not once it is being carried out."""

        async def withdraw(ticket: Ticket, act: Act) -> Ticket:
            self._need_steward(ticket, said)
            _need_state(ticket, "approving", "waiting")
            state: State = "withdrawn" if act.actor == ticket.request.requester else "cancelled"
            return await self._tickets.move(
                ticket, act, course.ended(ticket, state, self._clock()), message=act.comment
            )

        return await self._attempt(said, "withdraw", withdraw)

    async def execute_now(self, said: Saying) -> Ticket:
        """Carry out what waits for a hand to start it: who asked, or an ops admin of the project. Not in a freeze."""

        async def execute(ticket: Ticket, act: Act) -> Ticket:
            self._need_steward(ticket, said)
            _need_state(ticket, "waiting")
            if ticket.request.strategy != "manual":
                raise Stale(f"{ticket.id} begins by itself", ticket=ticket.id, state=ticket.state)
            self.freezes.check(ticket.request)
            return await self._tickets.move(ticket, act, course.executing(ticket, self._clock()))

        return await self._attempt(said, "execute", execute)

    async def report(self, said: Saying, outcome: State) -> Ticket:
        """Say how something ended: what a person carried out, or what nobody could tell (`unknown`)."""

        async def report(ticket: Ticket, act: Act) -> Ticket:
            self._need_steward(ticket, said)
            by_hand = not self._attendant.carries_out(ticket.request.task_type)
            _need_state(ticket, "unknown", *(("executing",) if by_hand else ()))
            return await self._tickets.move(
                ticket, act, course.ended(ticket, outcome, self._clock()), message=act.comment
            )

        return await self._attempt(said, "report", report)

    async def break_glass(self, said: Saying, incident: str) -> Ticket:
        """Carry out at once what waits for approval. It is reviewed afterwards, and everyone who could have approved is told.

        Args:
            said: with a reason of at least 20 characters.
            incident: reference of the incident it belongs to.

        Raises:
            Denied: without the permission, outside their projects, or a fourth time within a day.
            Frozen: there is a freeze, which even an emergency does not lift.
        """

        async def break_glass(ticket: Ticket, act: Act) -> Ticket:
            person = self._present(said.person)
            if not (person.break_glass and person.covers(ticket.request.scheduler, ticket.request.project)):
                raise Denied(f"{person.name} may not break glass", person=person.name, needed="break_glass")
            if not ticket.match.flow.break_glass or ticket.path != "normal":
                raise Denied(
                    f"{ticket.match.flow.id} does not allow it", person=person.name, needed=ticket.match.flow.name
                )
            if len(said.comment.strip()) < SHORTEST_REASON or not incident.strip():
                raise BadInput("an emergency needs an incident and a reason of 20 characters", argument="comment")
            if await self._tickets.count("break_glass", person.name, self._clock() - DAY) >= PER_DAY:
                raise Denied(f"{person.name} broke glass {PER_DAY} times", person=person.name, needed="another day")
            _need_state(ticket, "approving")
            self.freezes.check(ticket.request)
            act = replace(act, details={"incident": clean(incident)[:200]})
            limit = Phase("executing", ticket.node, self._clock() + course.BREAK_GLASS)
            return await self._tickets.move(ticket, act, limit, path="break_glass")

        return await self._attempt(said, "break_glass", break_glass)

    async def view(self, person: Person, ticket_id: str) -> TicketView:
        """A ticket as this person may see it."""
        await self._access.refresh()
        self._access.may_look(person)
        ticket = await self._tickets.get(ticket_id)
        events = await self._tickets.events(ticket.id)
        found = tuple(sorted(one.name for one in approvers.candidates(self._access, ticket, events)))
        return TicketView(
            ticket,
            events,
            found,
            self._clock(),
            decide=person.name in found,
            steward=self._stewards(ticket, person),
            by_hand=not self._attendant.carries_out(ticket.request.task_type),
            address=f"{self._page}/{ticket.id}" if self._page else "",
            freeze=self.freezes.said(ticket.request),
        )

    async def pending(self, person: Person) -> tuple[Ticket, ...]:
        """Tickets that wait for this person's decision, the newest first."""
        await self._access.refresh()
        self._access.may_look(person)
        waiting = await self._tickets.listed(TicketFilter(states=("approving",), limit=500))
        events = await self._tickets.histories([ticket.id for ticket in waiting])
        return tuple(
            ticket
            for ticket in waiting
            if any(one.name == person.name for one in approvers.candidates(self._access, ticket, events[ticket.id]))
        )

    async def ticket(self, ticket_id: str) -> Ticket:
        """A ticket, for who carries it out. Raises `NotFound`."""
        return await self._tickets.get(ticket_id)

    async def listed(self, person: Person, wanted: TicketFilter) -> tuple[Ticket, ...]:
        """Tickets that match, the newest first."""
        await self._access.refresh()
        self._access.may_look(person)
        return await self._tickets.listed(wanted)

    async def _match(self, request: Request) -> Match | None:
        flows = await self.flows.of_type(request.task_type)
        if flows:
            found = match(flows, request)
            if found is None:
                raise NoFlow(f"no enabled flow covers {request.task_type} there", system="X-Ops")
            return found
        bulk = request.facts.get("instances", 1) >= self._settings.bulk
        if request.task_type in self._easy and not bulk and request.task_type not in self._risky:
            return None
        if request.task_type in self._risky | self._easy:
            return classify(builtin(request.task_type, self._clock()), request)
        raise NoFlow(f"nobody made a flow for {request.task_type}", system="X-Ops")

    async def _attempt(self, said: Saying, kind: str, work: Callable[[Ticket, Act], Awaitable[Ticket]]) -> Ticket:
        """Do it with the rights and the state of this moment; a refusal is recorded on the ticket."""
        await self._access.refresh()
        if len(said.comment) > COMMENT:
            raise BadInput(f"a comment has at most {COMMENT} characters", argument="comment")
        ticket = await self._tickets.get(said.ticket)
        act = Act(kind, said.person.name, said.via, mask(clean(said.comment)).strip())
        try:
            changed = await work(ticket, act)
        except (Denied, Stale, Frozen) as error:
            await self._tickets.denied(ticket, act, str(error))
            raise
        finally:
            self._attendant.notice()
        return changed

    async def _need_candidate(self, ticket: Ticket, said: Saying) -> None:
        """Raises unless the ticket is where the card said, and the person may decide it now."""
        _need_state(ticket, "approving")
        if said.node not in {None, ticket.node} or said.digest not in {"", ticket.digest}:
            raise Stale(f"the card showed something else than {ticket.id} is now", ticket=ticket.id, state=ticket.state)
        events = await self._tickets.events(ticket.id)
        if said.person.name not in {one.name for one in approvers.candidates(self._access, ticket, events)}:
            if any(
                one.kind == "approve" and (one.node, one.actor) == (ticket.node, said.person.name) for one in events
            ):
                raise Stale(f"{said.person.name} has voted", ticket=ticket.id, state=ticket.state)
            needed = ticket.nodes[ticket.node].approver.partition("@")[0]
            raise NotApprover(
                f"{said.person.name} is no candidate of {ticket.id}", person=said.person.name, needed=needed
            )

    def _need_steward(self, ticket: Ticket, said: Saying) -> None:
        if not self._stewards(ticket, said.person):
            raise NotApprover("neither who asked nor an ops admin", person=said.person.name, needed="ops_admin")

    def _stewards(self, ticket: Ticket, person: Person) -> bool:
        """Whether they may withdraw, start or report: who asked, or an ops admin of the project."""
        present = self._present(person)
        admin = present.has("ops_admin") and present.covers(ticket.request.scheduler, ticket.request.project)
        return present.has("viewer") and (admin or present.name == ticket.request.requester)

    def _present(self, person: Person) -> Person:
        return self._access.named(person.name) or Person(person.name)

    def _phase(self, node: int, request: Request, found: Match, ticket: Ticket | None = None) -> Phase:
        now = self._clock()
        nodes = found.flow.levels[found.level - 1].nodes
        review, born = (ticket.path == "review", ticket.created_at) if ticket else (False, now)
        return course.phase_from(node, nodes, found.flow, request, review=review, born=born, now=now)


def _check_time(request: Request, flow: Flow, now: datetime) -> None:
    """A time is for a timed request, and within what the flow lets a ticket wait."""
    if (request.strategy == "timed") != (request.execute_at is not None):
        raise BadInput("a time goes with the strategy timed", argument="execute_at")
    if request.execute_at is None:
        return
    latest = now + timedelta(minutes=flow.validity.waiting_minutes)
    if not now < request.execute_at <= latest:
        raise BadInput(f"the time has to be before {latest.isoformat()}", argument="execute_at")


def _need_state(ticket: Ticket, *states: State) -> None:
    if ticket.state not in states:
        raise Stale(f"{ticket.id} is {ticket.state}", ticket=ticket.id, state=ticket.state)
