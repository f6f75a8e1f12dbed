"""Managing people: one implementation for `xops people` and for the page.

Every change is one transaction with its audit entry, and is in force at once: here when the call returns, on other
replicas at their next decision. People of the settings are read-only here; only further identities of theirs are kept.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from core.access import OWN_WORD, Access, Identity, Listing, Person, Role
from core.audit import Audit
from core.errors import BadInput, Denied, NotFound
from core.people import register
from core.redact import clean
from core.store import Connection, Store

NAME = re.compile(r"[^\s:/,][^:/,\n]{0,79}")
"""No colon, since a stranger is called `channel:id`, and nobody is to be taken for one."""
CHANNEL = re.compile(r"[a-z][a-z0-9_]{0,39}")
LONGEST = 200
"""Of an id on a channel, and of a project's name."""

RESERVED = frozenset({"system", "xops", "model", "rules"})
"""Names under which the audit trail knows what no person did."""


@dataclass(frozen=True, slots=True)
class Administrator:
    """Whose right to manage people was checked: made by `People.administrator`, or by whoever holds the server itself."""

    name: str


class People:
    """The people in the tables.

    Args:
        store: where the tables are.
        access: refreshed after each change; knows the people of the settings.
        audit: the trail.
        clock: the present, with zone.
    """

    def __init__(self, store: Store, access: Access, audit: Audit, *, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._access = access
        self._audit = audit
        self._clock = clock

    async def administrator(self, person: Person) -> Administrator:
        """The right to manage people, for someone who has it now.

        Raises:
            Denied: they have not. It is in the trail.
        """
        await self._access.refresh()
        try:
            self._access.needs(person, "admin")
        except Denied:
            await self._audit.record(actor=person.name, action="people", target="people", outcome="denied")
            raise
        return Administrator(person.name)

    async def everyone(self) -> tuple[Listing, ...]:
        """All people by name, those of the settings and the disabled included."""
        settled = {listing.person.name: listing for listing in self._access.settled}
        stored = {listing.person.name: listing for listing in await self._store.read(register.listings)}
        return tuple(listing for _, listing in sorted((stored | settled).items()))

    async def listed(self, name: str) -> Listing:
        """One of them.

        Raises:
            NotFound: nobody has this name.
        """
        everyone = await self.everyone()
        found = next((listing for listing in everyone if listing.person.name == name), None)
        if found is None:
            names = tuple(listing.person.name for listing in everyone)
            raise NotFound(f"nobody is called {name}", kind="person", name=name, nearest=names[:5])
        return found

    async def add(self, by: Administrator, person: Person) -> None:
        """List someone new; what they may operate, and their groups, come with `give` and `put_into`.

        Raises:
            BadInput: the name cannot be used, or somebody has it.
        """
        if not NAME.fullmatch(person.name) or clean(person.name) != person.name or person.name in RESERVED:
            raise BadInput(f"{person.name!r} cannot be a name: 1 to 80 characters without : / and ,", argument="person")
        if any(listing.person.name == person.name for listing in self._access.settled):
            raise BadInput(f"{person.name} is listed in the settings", argument="person")
        at = self._clock()
        added = await self._change(by, "add", person.name, lambda c: register.add(c, person, at), role=person.role)
        if not added:
            raise BadInput(f"{person.name} is listed already", argument="person")

    async def set_role(self, by: Administrator, name: str, role: Role, *, break_glass: bool) -> None:
        """What they may do. Raises as `give`."""
        await self._change_listed(by, "role", name, role=role, break_glass=break_glass)

    async def disable(self, by: Administrator, name: str) -> None:
        """Make them a stranger at once, everywhere; their entry and identities stay, for the trail. Raises as `give`."""
        await self._change_listed(by, "disable", name, disabled_at=self._clock())

    async def enable(self, by: Administrator, name: str) -> None:
        """Give a disabled person their rights back. Raises as `give`."""
        await self._change_listed(by, "enable", name, disabled_at=None)

    async def give(self, by: Administrator, name: str, project: str, *, until: datetime | None = None) -> None:
        """Let them operate a project (`*` for all, or `scheduler:project`), until a moment or for good.

        Raises:
            NotFound: nobody has this name.
            BadInput: they are of the settings, the project is no name, or the end is past.
        """
        await self._managed(name)
        if not _usable(project):
            raise BadInput(f"{project!r} cannot be the name of a project", argument="project")
        if until is not None and until <= self._clock():
            raise BadInput(f"{until.isoformat()} is past", argument="until")
        end = until.isoformat() if until else ""
        await self._change(
            by, "give", name, lambda c: register.give_project(c, name, project, until), project=project, until=end
        )

    async def take(self, by: Administrator, name: str, project: str) -> None:
        """Take a project away. Raises as `give`; also BadInput when it was not theirs."""
        await self._managed(name)
        if not await self._change(by, "take", name, lambda c: register.take_project(c, name, project), project=project):
            raise BadInput(f"{project} is not a project of {name}", argument="project")

    async def put_into(self, by: Administrator, name: str, groups: frozenset[str]) -> None:
        """Put them into these groups and no others. Raises as `give`."""
        await self._managed(name)
        wrong = sorted(group for group in groups if not NAME.fullmatch(group))
        if wrong:
            raise BadInput(f"{wrong[0]!r} cannot be the name of a group", argument="groups")
        told = ",".join(sorted(groups))
        await self._change(by, "groups", name, lambda c: register.set_groups(c, name, groups), groups=told)

    async def link(self, by: Administrator, identity: Identity) -> None:
        """Say who someone is on a channel, from what an administrator knows; `core.people.linking` proves it instead.

        Raises:
            NotFound: nobody has this name.
            BadInput: the id is somebody's already, they have one there already, or it can be nobody's.
        """
        await self.listed(identity.person)
        if identity.channel in OWN_WORD or not CHANNEL.fullmatch(identity.channel) or not _usable(identity.id):
            raise BadInput(f"{identity.channel}:{identity.id} cannot be linked", argument="identity")
        at, shown = self._clock(), f"{identity.channel}:{identity.id}"

        def put(connection: Connection) -> bool:
            return not self._access.taken(identity) and register.put_identity(connection, identity, at)

        if not await self._change(by, "link", identity.person, put, identity=shown):
            raise BadInput(
                f"{shown} is somebody's already, or {identity.person} has another id there", argument="identity"
            )

    async def unlink(self, by: Administrator, name: str, channel: str) -> None:
        """Make their id on a channel nobody's.

        Raises:
            BadInput: none was linked there; one of the settings is changed there.
        """
        if not await self._change(
            by, "unlink", name, lambda c: register.drop_identity(c, name, channel), channel=channel
        ):
            raise BadInput(f"{name} was not linked on {channel}", argument="channel")

    async def _change_listed(self, by: Administrator, action: str, name: str, **values: object) -> None:
        await self._managed(name)
        told = {key: "" if value is None else str(value) for key, value in values.items()}
        await self._change(by, action, name, lambda c: register.change(c, name, **values), **told)

    async def _managed(self, name: str) -> None:
        if (await self.listed(name)).origin == "settings":
            raise BadInput(f"{name} is listed in the settings: change it there", argument="settings")

    async def _change(
        self, by: Administrator, action: str, name: str, change: Callable[[Connection], bool], **details: str
    ) -> bool:
        """Change the tables and record it, or neither; then know it. Returns whether anything was to be changed."""

        def work(connection: Connection) -> bool:
            done = change(connection)
            outcome = "done" if done else "refused"
            self._audit.entry(
                connection, actor=by.name, action=f"people.{action}", target=name, outcome=outcome, details=details
            )
            return done

        done = await self._store.write(work)
        await self._access.refresh()
        return done


def _usable(text: str) -> bool:
    return 0 < len(text) <= LONGEST and clean(text) == text == text.strip()
