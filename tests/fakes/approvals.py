"""Approvals over two messengers in memory, with the clock and the durable queue in the test's hand."""

from datetime import timedelta

from core.access import Access, Person
from core.approvals.attending import Attendant
from core.approvals.calling import Calling
from core.approvals.flows import Flows, task_types
from core.approvals.freezes import Freezes
from core.approvals.model import Definition, Level, Node, Request, Saying, State, Ticket, TicketView
from core.approvals.service import Approvals
from core.approvals.tickets import Tickets
from core.audit import Audit
from core.cards import Card
from core.delivery import Delivery
from core.messages import Conversation
from core.settings import ApprovalSettings, PersonSettings
from core.store import Store
from tests.fakes.chat import FakeChat
from tests.fakes.timeline import Timeline

HERE = Conversation("ding", "group", "group")
PEOPLE = (
    PersonSettings(name="asker", role="operator", projects=("trade",), identities={"ding": "d-asker"}),
    PersonSettings(name="ops", role="ops_admin", projects=("trade",), identities={"wecom": "w-ops"}),
    PersonSettings(name="ops2", role="ops_admin", projects=("trade",), identities={"ding": "d-ops2"}),
    PersonSettings(name="dba", role="operator", groups=("dba",), identities={"wecom": "w-dba"}),
    PersonSettings(name="root", role="admin", projects=("*",), identities={"ding": "d-root"}, break_glass=True),
    PersonSettings(name="fire", role="operator", projects=("trade",), break_glass=True),
    PersonSettings(name="guest", role="viewer"),
)


def flow(name: str = "kills", task_type: str = "kill", *approvers: str | Node, **more: object) -> Definition:
    """A flow of one level whose nodes ask these approvers in turn, an ops admin of the project if none is given."""
    nodes = tuple(one if isinstance(one, Node) else Node(approver=one) for one in approvers or ("ops_admin@project",))
    return Definition.model_validate({"name": name, "task_type": task_type, "levels": (Level(nodes=nodes),), **more})


def kill(**more: object) -> Request:
    """Someone wants an instance stopped."""
    values: dict[str, object] = {
        "task_type": "kill",
        "title": "kill load_orders",
        "requester": "asker",
        "scheduler": "demo",
        "project": "trade",
        "facts": {"instances": 1},
        "payload": {"target": "demo:1"},
    }
    return Request(**(values | more))  # pyright: ignore[reportArgumentType]  # keywords of a test


class Hand:
    """A runner that a test looks into.

    Attributes:
        started: tickets it was told to carry out, in order, repeats included.
        dropped: (ticket, by, reason) of those it was told to give up.
        state: what it says of all that it carries out.
    """

    def __init__(self) -> None:
        self.started: list[str] = []
        self.dropped_tickets: list[tuple[str, str, str]] = []
        self.state: State = "succeeded"

    async def start(self, ticket: Ticket) -> None:
        """Note it."""
        self.started.append(ticket.id)

    async def outcome(self, ticket: Ticket) -> tuple[State, str]:
        """What the test decided."""
        return self.state, ""

    async def dropped(self, ticket: Ticket, by: str, reason: str) -> None:
        """Note it."""
        self.dropped_tickets.append((ticket.id, by, reason))


class Bureau:
    """Everything around approvals, over a store.

    Attributes:
        now: the clock and the queue.
        people: who has which rights; change it and call `restart`.
        settings: as of `Approvals`; the same.
        environment: of the scheduler `demo`.
    """

    def __init__(
        self,
        store: Store,
        *,
        people: tuple[PersonSettings, ...] = PEOPLE,
        now: Timeline | None = None,
        settings: ApprovalSettings | None = None,
        environment: str = "",
    ) -> None:
        self.store = store
        self.now = now or Timeline()
        self.ding, self.wecom = FakeChat("ding"), FakeChat("wecom")
        self.settings = settings or ApprovalSettings(enabled=True)
        self.environment = environment
        self.hand = Hand()
        self.delivery = Delivery({"ding": self.ding, "wecom": self.wecom}, store)
        self.audit = Audit(store, clock=self.now)
        self.tickets = Tickets(store, self.audit, clock=self.now)
        self.restart(people)

    def restart(self, people: tuple[PersonSettings, ...]) -> None:
        """A process over the same store in which these people are listed."""
        self.access = Access(people, clock=self.now)
        self.flows = Flows(self.store, self.access, self.audit, task_types(), clock=self.now)
        calling = Calling(self.delivery, self.access, ("ding", "wecom"), render=draw, language="en")
        freezes = Freezes(self.settings.freeze, {"demo": self.environment}, clock=self.now)
        self.attendant = Attendant(self.tickets, self.access, self.now, calling, freezes, clock=self.now)
        self.attendant.on("kill", self.hand)
        self.approvals = Approvals(
            self.flows,
            self.tickets,
            self.access,
            self.attendant,
            self.settings,
            freezes,
            risky=frozenset({"kill", "extension_point"}),
            easy=frozenset({"rerun"}),
            clock=self.now,
        )

    def person(self, name: str) -> Person:
        """Someone who is listed, or a stranger of this name."""
        return self.access.named(name) or Person(name)

    def says(self, name: str, ticket: Ticket, comment: str = "") -> Saying:
        """What somebody types about a ticket."""
        return Saying(self.person(name), ticket.id, "command", comment)

    async def ask(self, request: Request | None = None) -> Ticket:
        """Open a ticket, which must be needed, and let what follows happen."""
        ticket = await self.approvals.open(request or kill())
        assert ticket is not None
        await self.settle()
        return await self.tickets.get(ticket.id)

    async def settle(self, *, after: timedelta = timedelta()) -> None:
        """Let time pass, then attend to whatever is due until nothing is."""
        self.now.now += after
        for _ in range(20):
            due = await self.tickets.due()
            if not due:
                return
            await self.attendant.sweep()
            await self.now.pass_time(0)
        raise AssertionError("tickets never settle")

    async def state(self, ticket: Ticket) -> str:
        """What it has come to."""
        return (await self.tickets.get(ticket.id)).state

    def cards_of(self, chat: FakeChat, actor: str) -> list[Card]:
        """The cards in somebody's private chat as they are now."""
        return [chat.cards[reference][-1] for reference in chat.shown.get(f"{chat.name}:{actor}", [])]


def draw(view: TicketView, language: str, person: Person) -> Card:
    """A card whose title says all that tests look at."""
    decide = " decide" if view.decide and view.purpose == "show" else ""
    purpose = f"{view.purpose} " if view.purpose != "show" else ""
    frozen = " frozen" if view.freeze else ""
    return Card(f"{purpose}{view.ticket.id} {view.ticket.state} {view.ticket.node}{decide}{frozen}")
