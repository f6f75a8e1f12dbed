"""Everything around one execution: a pipeline, people, a chat, durable work under the test's clock."""

from dataclasses import dataclass, field

from core.access import Access, Person
from core.audit import Audit
from core.cards import Card
from core.delivery import Delivery
from core.errors import Refused
from core.execution import Execution, subject
from core.messages import Conversation
from core.proposals import Proposals, Record
from core.results import Proposal
from core.schedulers.base import Operation
from core.schedulers.fleet import Fleet
from core.settings import PersonSettings
from core.store import Store
from tests.fakes.chat import FakeChat
from tests.fakes.pipeline import Pipeline
from tests.fakes.timeline import Timeline

PEOPLE = (
    PersonSettings(name="chen", role="operator", projects=("trade",)),
    PersonSettings(name="boss", role="admin", projects=("*",)),
    PersonSettings(name="guest", role="viewer"),
)
CHAT = Conversation("chat", "c1")


def draw(proposal: Proposal, language: str, person: Person) -> Card:
    """A card whose title is all that these tests look at."""
    return Card(f"{proposal.state} {proposal.instance.status} run {proposal.instance.run_number} by {person.name}")


class FakeGate:
    """A `Gate` that asks for approval when told to.

    Attributes:
        ticket: what it answers.
        refuses: it lets nobody do anything.
        forbids: it lets nothing be carried out at present.
        asked: the proposals it was asked about.
    """

    def __init__(self, ticket: str = "") -> None:
        self.ticket = ticket
        self.refuses = False
        self.forbids = False
        self.asked: list[str] = []

    async def ask(self, record: Record, person: Person) -> str:
        """Note who asked."""
        self.asked.append(f"{record.shown.id} {record.shown.state} {person.name}")
        if self.refuses:
            raise Refused("no flow allows this", system="approvals")
        return self.ticket

    async def permit(self, record: Record) -> None:
        """Refuse when told to."""
        if self.forbids:
            raise Refused("not now", system="approvals")


@dataclass
class World:
    """Everything around one execution."""

    store: Store
    timeline: Timeline
    pipeline: Pipeline
    chat: FakeChat
    access: Access
    proposals: Proposals
    audit: Audit
    gate: FakeGate = field(default_factory=lambda: FakeGate())

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """A new process over the same store and the same queue."""
        self.delivery = Delivery({"chat": self.chat}, self.store)
        self.execution = Execution(
            self.proposals,
            Fleet([self.pipeline]),
            self.access,
            self.timeline,
            self.delivery,
            self.audit,
            render=draw,
            clock=self.timeline,
            gate=self.gate,
        )

    def person(self, name: str) -> Person:
        """Someone from the settings."""
        found = self.access.named(name)
        assert found is not None
        return found

    async def propose(self, operation: Operation = Operation.RERUN, name: str = "chen") -> str:
        """A proposal whose card is in the chat; returns its id."""
        return await self.show(await self.proposals.propose(self.person(name), CHAT, operation, self.pipeline.now))

    async def show(self, made: Proposal) -> str:
        """Put the card of a proposal into the chat; returns its id."""
        reference = await self.chat.send(CHAT, draw(made, "en", self.person(made.requester)), key=made.id)
        await self.delivery.attach(subject(made.id), CHAT, reference, "en")
        return made.id

    async def state(self, proposal_id: str) -> str:
        """What the proposal has come to."""
        return (await self.proposals.get(proposal_id)).shown.state

    @property
    def titles(self) -> list[str]:
        """What the first card said, one after the other."""
        return self.chat.titles("card-1")


def build(store: Store, pipeline: Pipeline) -> World:
    """A world over this pipeline, at nine in the morning."""
    timeline = Timeline()
    access, proposals = Access(PEOPLE), Proposals(store, clock=timeline)
    return World(store, timeline, pipeline, FakeChat(), access, proposals, Audit(store, clock=timeline))
