"""`xops people`: who may do what, for administrators. Whoever may run this holds the server's own secrets.

People of the settings are shown and not changed here. A running server knows a change within seconds, and before any
decision.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from getpass import getuser
from typing import TYPE_CHECKING, Annotated, TypedDict, TypeVar

import typer

from bots.output import Json, configured, moment, print_json, print_line, print_text
from core.settings import Language, Role

if TYPE_CHECKING:
    from core.access import Access, Listing
    from core.people import Administrator, Linking, People

T = TypeVar("T")
people = typer.Typer(no_args_is_help=True, help=__doc__)

Who = Annotated[str, typer.Argument(help="Name of the person, as `xops people list` shows it.")]


class _Described(TypedDict):
    name: str
    role: str
    break_glass: bool
    projects: dict[str, str]
    groups: list[str]
    owners: list[str]
    identities: dict[str, str]
    origin: str
    disabled_at: str


@dataclass(frozen=True, slots=True)
class _Office:
    """What these commands need of X-Ops, and in whose name they act."""

    access: "Access"
    people: "People"
    linking: "Linking"
    by: "Administrator"

    def described(self, listing: "Listing") -> _Described:
        """A person for people and scripts."""
        person = listing.person
        ends = {project: end.isoformat() for project, end in listing.ends.items()}
        return {
            "name": person.name,
            "role": person.role,
            "break_glass": person.break_glass,
            "projects": {project: ends.get(project, "") for project in sorted(person.projects)},
            "groups": sorted(person.groups),
            "owners": sorted(person.owners),
            "identities": dict(self.access.identities(person)),
            "origin": listing.origin,
            "disabled_at": listing.disabled_at.isoformat() if listing.disabled_at else "",
        }


@people.command("list")
def list_(as_json: Json = False) -> None:
    """Everyone: those of the settings, those added here, and the disabled. With --json one object a line."""

    async def work(office: _Office) -> list[_Described]:
        return [office.described(listing) for listing in await office.people.everyone()]

    for one in _run(work):
        if as_json:
            print_line(one)
        else:
            state = "disabled" if one["disabled_at"] else one["role"]
            print_text(f"{one['name']:<24} {state:<10} {one['origin']:<9} {' '.join(one['projects'])}")


@people.command()
def show(name: Who, as_json: Json = False) -> None:
    """One person: role, projects and until when, groups, messengers."""

    async def work(office: _Office) -> _Described:
        return office.described(await office.people.listed(name))

    shown = _run(work)
    if as_json:
        print_json(shown)
    else:
        print_text("\n".join(f"{key:<12} {value}" for key, value in shown.items() if value))


@people.command()
def add(
    name: Annotated[str, typer.Argument(help="1 to 80 characters without : / and ,")],
    role: Role = "viewer",
    owner: Annotated[list[str] | None, typer.Option(help="A name under which schedulers list them.")] = None,
    language: Annotated[Language | None, typer.Option()] = None,
) -> None:
    """List someone new. Give them projects with `projects`, and their messenger with `link`."""
    from core.access import Person

    person = Person(name, role, owners=frozenset(owner or ()), language=language or "")
    _run(lambda office: office.people.add(office.by, person))


@people.command()
def role(name: Who, role: Role, break_glass: bool = False) -> None:
    """Set what they may do, and whether they may act without approval in an emergency."""
    _run(lambda office: office.people.set_role(office.by, name, role, break_glass=break_glass))


@people.command()
def projects(
    name: Who,
    give: Annotated[list[str] | None, typer.Option(help="A project, `*` for all, or `scheduler:project`.")] = None,
    take: Annotated[list[str] | None, typer.Option(help="A project they are to operate no more.")] = None,
    until: Annotated[str, typer.Option(help="When what is given ends: a moment, or 8h, 7d from now.")] = "",
) -> None:
    """Let someone operate projects, for good or until a moment; or take projects away."""
    end = moment(until, ahead=True)

    async def work(office: _Office) -> None:
        for project in give or ():
            await office.people.give(office.by, name, project, until=end)
        for project in take or ():
            await office.people.take(office.by, name, project)

    _run(work)


@people.command()
def groups(name: Who, group: Annotated[list[str] | None, typer.Argument()] = None) -> None:
    """Put someone into these groups and no others; approvals can be given to a group."""
    _run(lambda office: office.people.put_into(office.by, name, frozenset(group or ())))


@people.command()
def disable(name: Who) -> None:
    """Make someone a stranger at once, on every messenger."""
    _run(lambda office: office.people.disable(office.by, name))


@people.command()
def enable(name: Who) -> None:
    """Give a disabled person their rights back."""
    _run(lambda office: office.people.enable(office.by, name))


@people.command()
def link(
    name: Who,
    channel: Annotated[str, typer.Argument(help="dingtalk, feishu, wecom or wecom_bot; none prints a code.")] = "",
    identity: Annotated[str, typer.Argument(help="Their id there, as X-Ops tells strangers.")] = "",
    tenant: Annotated[str, typer.Option(help="The company in which that id is theirs.")] = "",
) -> None:
    """Say who someone is on a messenger; or print a code that they send from there, which proves it."""
    from core.access import Identity
    from core.people.linking import shown

    async def work(office: _Office) -> str:
        if channel:
            await office.people.link(office.by, Identity(name, channel, identity, tenant))
            return ""
        code = await office.linking.code((await office.people.listed(name)).person, by=office.by.name)
        return f"/link {shown(code.text)}    (good once, until {code.expires_at.astimezone():%H:%M})"

    if told := _run(work):
        print_text(told)


@people.command()
def unlink(name: Who, channel: str) -> None:
    """Make their id on a messenger nobody's."""
    _run(lambda office: office.people.unlink(office.by, name, channel))


def _run(work: Callable[[_Office], Awaitable[T]]) -> T:
    """Do it against the database of the settings; a request that cannot be done ends in one line."""
    from core.errors import XOpsError

    try:
        return asyncio.run(_with_office(work))
    except XOpsError as error:
        print(f"xops: {error}", file=sys.stderr)  # noqa: T201  # no log, an answer
        raise typer.Exit(1) from error


async def _with_office(work: Callable[[_Office], Awaitable[T]]) -> T:
    from core.access import Access
    from core.audit import Audit
    from core.people import Administrator, Linking, People, Register
    from core.store import Store
    from core.store.migrate import upgrade

    def clock() -> datetime:
        return datetime.now(UTC)

    settings = configured("error")
    store = Store(settings.storage.url.get_secret_value())
    try:
        await upgrade(store)
        audit = Audit(store, clock=clock)
        access = Access(settings.people, Register(store), tenants=settings.access.tenants, clock=clock)
        await access.refresh()
        book = People(store, access, audit, clock=clock)
        linking = Linking(store, access, audit, clock=clock)
        return await work(_Office(access, book, linking, Administrator(f"console:{getuser()}")))
    finally:
        await store.stop()
