"""Who may do what, where. Rights fail closed: whoever is not listed changes nothing and sees nothing.

An actor (someone as one messenger knows them) becomes a person only through a listed or a linked identity; never by name
or e-mail. Rights are asked at the request, again at the click, and again at the execution, and always those in force at
that moment: `refresh` first, since another replica may have taken some away.

People come from the settings and from tables (`core.people`). Who is in both is as the settings say.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Literal, Protocol

from core.errors import Denied
from core.messages import Actor
from core.operations import RULES
from core.schedulers.base import Operation, Task
from core.settings import PersonSettings

Role = Literal["stranger", "viewer", "operator", "ops_admin", "admin"]
RANK: dict[Role, int] = {"stranger": 0, "viewer": 1, "operator": 2, "ops_admin": 3, "admin": 4}
"""Each role may do whatever those before it may."""

OWN_WORD = ("terminal", "web")
"""Channels that know people by their name: whoever gets there holds the settings' own secrets, or a session of ours."""


@dataclass(frozen=True, slots=True)
class Person:
    """Someone, whichever messenger they use.

    Attributes:
        name: unique; for a stranger, `channel:id`.
        projects: what they may operate now: `*`, `project`, or `scheduler:project`.
        owners: names under which schedulers list them.
        language: preferred language; empty for the default.
        break_glass: may carry out an order without its approval in an emergency; a permission beside the role.
        groups: names of the groups they are in, for approvals.
    """

    name: str
    role: Role = "stranger"
    projects: frozenset[str] = frozenset()
    owners: frozenset[str] = frozenset()
    language: str = ""
    break_glass: bool = False
    groups: frozenset[str] = frozenset()

    def has(self, role: Role) -> bool:
        """Whether they have this role, or one that includes it."""
        return RANK[self.role] >= RANK[role]

    def covers(self, scheduler: str, project: str) -> bool:
        """Whether the project is one of theirs, whatever their role lets them do there."""
        return bool({"*", project, f"{scheduler}:{project}"} & self.projects)

    def operates(self, task: Task) -> bool:
        """Whether the task is in a project they may operate."""
        return self.has("operator") and self.covers(task.scheduler, task.project)

    def may(self, operation: Operation, task: Task) -> bool:
        """Whether `Access.may_operate` would let them: decides which buttons they see, never what is carried out."""
        return self.has(RULES[operation].role) and self.operates(task)


@dataclass(frozen=True, slots=True)
class Identity:
    """Someone on one channel.

    Attributes:
        person: whose it is.
        tenant: the company in which the id is theirs; empty when that is not known.
    """

    person: str
    channel: str
    id: str
    tenant: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """A person as they are listed.

    Attributes:
        person: with all projects, those included whose time is over.
        ends: of some of the projects, when the right to it ends.
        origin: who is from the settings is changed there and nowhere else.
        disabled_at: since when they have no rights; None while they have.
    """

    person: Person
    ends: Mapping[str, datetime] = field(default_factory=dict[str, datetime])
    origin: Literal["settings", "tables"] = "tables"
    disabled_at: datetime | None = None

    def at(self, moment: datetime) -> Person:
        """The person with the projects that are theirs at this moment."""
        over = {project for project, end in self.ends.items() if end <= moment}
        return replace(self.person, projects=self.person.projects - over) if over else self.person


@dataclass(frozen=True, slots=True)
class Roster:
    """Everyone in the tables, as of one version of them. An identity may be of someone whom only the settings list."""

    version: int
    listings: Sequence[Listing] = ()
    identities: Sequence[Identity] = ()


class Directory(Protocol):
    """What is needed of `core.people`."""

    async def version(self) -> int:
        """A number that grows with every change."""
        ...

    async def roster(self) -> Roster:
        """Everyone who is not disabled."""
        ...


class Memberships(Protocol):
    """What is needed of `core.people.members`."""

    async def projects(self) -> Mapping[str, frozenset[str]]:
        """Projects that schedulers give to people, by the name under which they list them."""
        ...


class Access:
    """Maps actors to people and decides, from memory.

    Args:
        people: from the settings.
        directory: where others are kept.
        memberships: schedulers whose word about members counts; None when none does.
        tenants: companies whose people are served; empty for every company that a messenger lets through.
        clock: the present, with zone.

    Attributes:
        settled: the people of the settings.
    """

    def __init__(
        self,
        people: tuple[PersonSettings, ...],
        directory: Directory | None = None,
        *,
        memberships: Memberships | None = None,
        tenants: tuple[str, ...] = (),
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.settled = tuple(_listing(entry) for entry in people)
        self._settled_identities = tuple(
            Identity(entry.name, channel, identity)
            for entry in people
            for channel, identity in entry.identities.items()
        )
        self._directory = directory
        self._memberships = memberships
        self._projects: Mapping[str, frozenset[str]] = {}
        self._tenants = frozenset(tenants)
        self._clock = clock
        self._load(Roster(-1))

    async def refresh(self) -> None:
        """Know what any replica has changed by now. Call it before every decision that changes something.

        Raises:
            Unreachable: the database does not answer, so nothing may be decided.
        """
        if self._directory is not None and await self._directory.version() != self._version:
            self._load(await self._directory.roster())
        if self._memberships is not None:
            self._projects = await self._memberships.projects()

    def person(self, actor: Actor) -> Person:
        """Who this is; a stranger when nobody is listed under this channel and id, or only in another company."""
        known = self._identities.get((actor.channel, actor.id))
        if known is not None and self.serves(actor) and known.tenant in {"", actor.tenant or known.tenant}:
            return self._at(self._people[known.person])
        return Person(f"{actor.channel}:{actor.id}", language=actor.locale)

    def serves(self, actor: Actor) -> bool:
        """Whether people of the actor's company are served at all; a channel that tells no company has one of its own."""
        return not (self._tenants and actor.tenant) or actor.tenant in self._tenants

    def identity(self, person: Person, channel: str) -> str:
        """The id of someone listed on a channel; empty for strangers, and for those without one there."""
        return self._ids.get((person.name, channel), "")

    def identities(self, person: Person) -> Mapping[str, str]:
        """Their ids by channel: where they can be reached."""
        return {channel: identity for (name, channel), identity in self._ids.items() if name == person.name}

    def ends(self, person: Person) -> Mapping[str, datetime]:
        """Of some of their projects, when the right to it ends."""
        listing = self._people.get(person.name)
        return listing.ends if listing else {}

    def taken(self, identity: Identity) -> bool:
        """Whether the id is somebody's already, or the person has one on that channel: nobody is two, and no id is two's."""
        return (identity.channel, identity.id) in self._identities or (identity.person, identity.channel) in self._ids

    def named(self, name: str) -> Person | None:
        """The person of this name, to check rights again when their order is carried out."""
        listing = self._people.get(name)
        return self._at(listing) if listing else None

    def present(self, person: Person) -> Person:
        """The person with the rights in force now: the caller's copy may be from before they were taken away."""
        stranger = person.role == "stranger"  # whose name is an id, and never looked up as a name
        return person if stranger else self.named(person.name) or Person(person.name)

    def holders(self, role: Role, scheduler: str = "", project: str = "") -> tuple[Person, ...]:
        """Everyone with a role or one that includes it, by name; of those only whose project it is, when one is given."""
        return self._who(lambda person: person.has(role) and (not project or person.covers(scheduler, project)))

    def group(self, name: str) -> tuple[Person, ...]:
        """Everyone in a group, by name."""
        return self._who(lambda person: name in person.groups)

    def may_look(self, person: Person) -> None:
        """Raises `Denied` unless the person may see instances, logs and tables."""
        self.needs(person, "viewer")

    def needs(self, person: Person, role: Role) -> None:
        """Raises `Denied` unless the person has this role now, or one that includes it."""
        present = self.present(person)
        if not present.has(role):
            raise Denied(f"{present.name} is {present.role}, needs {role}", person=present.name, needed=role)

    def may_operate(self, person: Person, operation: Operation, task: Task) -> None:
        """Raises `Denied` unless the person may do this to this task now."""
        self.needs(person, RULES[operation].role)
        if not self.present(person).operates(task):
            raise Denied(f"{person.name} does not operate {task.project}", person=person.name, needed=task.project)

    def _at(self, listing: Listing) -> Person:
        """The person with the projects that are theirs now, by their listing or by a scheduler's word."""
        person = listing.at(self._clock())
        given = frozenset[str]().union(*(self._projects.get(owner, frozenset()) for owner in person.owners))
        return replace(person, projects=person.projects | given) if given else person

    def _who(self, condition: Callable[[Person], bool]) -> tuple[Person, ...]:
        present = (self._at(self._people[name]) for name in sorted(self._people))
        return tuple(person for person in present if condition(person))

    def _load(self, roster: Roster) -> None:
        listings = (*roster.listings, *self.settled)
        self._people = {listing.person.name: listing for listing in listings}
        own = (Identity(name, channel, name) for name in self._people for channel in OWN_WORD)
        valid = [
            identity
            for identity in (*own, *roster.identities, *self._settled_identities)
            if identity.person in self._people
        ]
        self._identities = {(identity.channel, identity.id): identity for identity in valid}
        self._ids = {(identity.person, identity.channel): identity.id for identity in self._identities.values()}
        self._version = roster.version


def _listing(entry: PersonSettings) -> Listing:
    return Listing(
        Person(
            entry.name,
            entry.role,
            frozenset(entry.projects),
            frozenset(entry.owners),
            entry.language,
            entry.break_glass,
            frozenset(entry.groups),
        ),
        origin="settings",
    )
