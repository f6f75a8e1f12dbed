"""Who may do what, where. Rights fail closed: whoever is not listed in the settings changes nothing and sees nothing.

An actor (someone as one messenger knows them) becomes a person only through `people[].identities`; never by name or
e-mail. Rights are asked at the request, again at the click, and again at the execution.
"""

from dataclasses import dataclass
from typing import Literal

from core.errors import Denied
from core.messages import Actor
from core.schedulers.base import Operation, Task
from core.settings import PersonSettings

Role = Literal["stranger", "viewer", "operator", "admin"]
RANK: dict[Role, int] = {"stranger": 0, "viewer": 1, "operator": 2, "admin": 3}

NEEDED: dict[Operation, Role] = {
    Operation.RERUN: "operator",
    Operation.RERUN_DOWNSTREAM: "operator",
    Operation.UNFREEZE: "operator",
    Operation.FREEZE: "operator",
    Operation.SET_SUCCESS: "admin",
    Operation.KILL: "admin",
    Operation.BACKFILL: "admin",
}
"""The least role for each operation; the riskier ones follow Dataphin's warnings (reference: OperateInstance)."""


@dataclass(frozen=True, slots=True)
class Person:
    """Someone, whichever messenger they use.

    Attributes:
        name: unique name in the settings; for a stranger, `channel:id`.
        projects: what they may operate: `*`, `project`, or `scheduler:project`.
        owners: names under which schedulers list them.
        language: preferred language; empty for the default.
    """

    name: str
    role: Role = "stranger"
    projects: frozenset[str] = frozenset()
    owners: frozenset[str] = frozenset()
    language: str = ""

    def operates(self, task: Task) -> bool:
        """Whether the task is in a project they may operate."""
        names = {"*", task.project, f"{task.scheduler}:{task.project}"}
        return RANK[self.role] >= RANK["operator"] and bool(names & self.projects)

    def may(self, operation: Operation, task: Task) -> bool:
        """Whether `Access.may_operate` would let them: decides which buttons they see, never what is carried out."""
        return RANK[self.role] >= RANK[NEEDED[operation]] and self.operates(task)


class Access:
    """Maps actors to people and decides.

    Args:
        people: from the settings.
    """

    def __init__(self, people: tuple[PersonSettings, ...]) -> None:
        self._people: dict[tuple[str, str], Person] = {}
        self._named: dict[str, Person] = {}
        self._identities: dict[tuple[str, str], str] = {}
        for entry in people:
            person = Person(entry.name, entry.role, frozenset(entry.projects), frozenset(entry.owners), entry.language)
            self._named[entry.name] = person
            own_word = {"terminal": entry.name, "web": entry.name}  # both are entered with the settings' own secrets
            for channel, identity in (own_word | entry.identities).items():
                self._people[channel, identity] = person
                self._identities[person.name, channel] = identity

    def person(self, actor: Actor) -> Person:
        """Who this is; a stranger when nobody is listed under this channel and id."""
        known = self._people.get((actor.channel, actor.id))
        return known or Person(f"{actor.channel}:{actor.id}", language=actor.locale)

    def identity(self, person: Person, channel: str) -> str:
        """The id of someone listed on a channel; empty for strangers, and for those without one there."""
        return self._identities.get((person.name, channel), "")

    def named(self, name: str) -> Person | None:
        """The person of this name, to check rights again when their order is carried out."""
        return self._named.get(name)

    def may_look(self, person: Person) -> None:
        """Raises `Denied` unless the person may see instances, logs and tables."""
        if RANK[person.role] < RANK["viewer"]:
            raise Denied(f"{person.name} is not listed", person=person.name, needed="viewer")

    def may_operate(self, person: Person, operation: Operation, task: Task) -> None:
        """Raises `Denied` unless the person may do this to this task now."""
        needed = NEEDED[operation]
        if RANK[person.role] < RANK[needed]:
            raise Denied(f"{person.name} is {person.role}, needs {needed}", person=person.name, needed=needed)
        if not person.operates(task):
            raise Denied(f"{person.name} does not operate {task.project}", person=person.name, needed=task.project)
