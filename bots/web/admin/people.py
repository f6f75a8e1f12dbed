"""People on the page: who is listed, their role, projects, groups and messengers."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from http import HTTPStatus
from urllib.parse import quote

from aiohttp import web
from multidict import MultiMapping

from bots.web.admin.desk import Desk, Visitor, fields
from bots.web.admin.forms import nested
from bots.web.admin.wording import sentence_of
from core.access import Identity, Listing, Person, Role
from core.errors import BadInput
from core.people import Administrator, Linking, People
from core.people.linking import shown

ROLES: tuple[Role, ...] = ("viewer", "operator", "ops_admin", "admin")
CHANNELS = ("dingtalk", "feishu", "wecom", "wecom_bot")
PERSON = "/people/{name}"

Form = MultiMapping[str]
Change = Callable[[Administrator, str, Form], Awaitable[None]]


class PeoplePages:
    """Everything under `/admin/people`.

    Args:
        desk: admits and draws.
        people: the service that the command line uses.
        linking: makes codes.
    """

    def __init__(self, desk: Desk, people: People, linking: Linking) -> None:
        self._desk = desk
        self._people = people
        self._linking = linking
        self._changes: Mapping[str, Change] = {
            "role": self._role,
            "give": self._give,
            "take": self._take,
            "groups": self._groups,
            "disable": self._disable,
            "enable": self._enable,
            "link": self._link,
            "unlink": self._unlink,
        }

    def routes(self) -> Sequence[web.RouteDef]:
        """The table."""
        words = "|".join(self._changes)
        return (
            web.get("/people", self.listed),
            web.post("/people", self.add),
            web.get(PERSON, self.show),
            web.post(f"{PERSON}/code", self.code),
            web.post(f"{PERSON}/{{word:{words}}}", self.change),
        )

    async def listed(self, request: web.Request) -> web.Response:
        """Everyone, or those of a name, a role or a state."""
        visitor = await self._desk.reader(request, "people")
        query = {name: request.query.get(name, "").strip() for name in ("name", "role", "state")}
        listings = [listing for listing in await self._people.everyone() if _fits(listing, query)]
        return self._desk.page(
            visitor, request, "admin/people.html", listings=listings, query=query, roles=ROLES, given={}
        )

    async def show(self, request: web.Request) -> web.Response:
        """One person."""
        visitor = await self._desk.reader(request, "people")
        return self._desk.page(visitor, request, "admin/person.html", **await self._about(request.match_info["name"]))

    async def add(self, request: web.Request) -> web.Response:
        """List someone new."""
        visitor, form = await self._desk.writer(request, "people"), await fields(request)
        person = Person(
            form.get("person", "").strip(),
            _role(form),
            owners=frozenset(nested([("owners", form.get("owners", ""))]).get("owners", ())),
        )
        try:
            await self._people.add(await self._people.administrator(visitor.person), person)
        except BadInput as error:
            return self._again(visitor, "admin/person_add.html", error, given=form, roles=ROLES)
        return self._desk.go(f"/people/{quote(person.name, safe='')}?done=saved")

    async def change(self, request: web.Request) -> web.Response:
        """Change something about a person."""
        visitor, form = await self._desk.writer(request, "people"), await fields(request)
        name, word = request.match_info["name"], request.match_info["word"]
        try:
            await self._changes[word](await self._people.administrator(visitor.person), name, form)
        except BadInput as error:
            about = await self._about(name)
            return self._again(visitor, "admin/person_forms.html", error, **about | {"given": form})
        return self._desk.go(f"/people/{quote(name, safe='')}?done=saved")

    async def code(self, request: web.Request) -> web.Response:
        """A code that links a messenger, shown once, for the administrator to hand over."""
        visitor = await self._desk.writer(request, "people")
        by = await self._people.administrator(visitor.person)
        person = (await self._people.listed(request.match_info["name"])).person
        code = await self._linking.code(person, by=by.name)
        values = {"person": person, "line": shown(code.text), "until": code.expires_at}
        return self._desk.part(visitor, "admin/code.html", HTTPStatus.OK, **values)

    async def _about(self, name: str) -> dict[str, object]:
        listing = await self._people.listed(name)
        identities = self._desk.access.identities(listing.person)
        return {"listing": listing, "identities": identities, "roles": ROLES, "channels": CHANNELS, "given": {}}

    def _again(self, visitor: Visitor, template: str, error: BadInput, **values: object) -> web.Response:
        found = {error.details.get("argument", ""): sentence_of(error, visitor.words)}
        return self._desk.form(visitor, template, problems=found, **values)

    async def _role(self, by: Administrator, name: str, form: Form) -> None:
        await self._people.set_role(by, name, _role(form), break_glass="break_glass" in form)

    async def _give(self, by: Administrator, name: str, form: Form) -> None:
        await self._people.give(by, name, form.get("project", "").strip(), until=self._until(form))

    async def _take(self, by: Administrator, name: str, form: Form) -> None:
        await self._people.take(by, name, form.get("project", ""))

    async def _groups(self, by: Administrator, name: str, form: Form) -> None:
        given = nested([("groups", form.get("groups", ""))])
        await self._people.put_into(by, name, frozenset(given.get("groups", ())))

    async def _disable(self, by: Administrator, name: str, _form: Form) -> None:
        await self._people.disable(by, name)

    async def _enable(self, by: Administrator, name: str, _form: Form) -> None:
        await self._people.enable(by, name)

    async def _link(self, by: Administrator, name: str, form: Form) -> None:
        channel, identity = form.get("channel", ""), form.get("identity", "").strip()
        await self._people.link(by, Identity(name, channel, identity, form.get("tenant", "").strip()))

    async def _unlink(self, by: Administrator, name: str, form: Form) -> None:
        await self._people.unlink(by, name, form.get("channel", ""))

    def _until(self, form: Form) -> datetime | None:
        """A moment as a browser's field has it, in the zone of the installation."""
        text = form.get("until", "")
        try:
            return datetime.fromisoformat(text).replace(tzinfo=self._desk.zone) if text else None
        except ValueError as error:
            raise BadInput(f"{text} is no moment", argument="until") from error


def _role(form: Form) -> Role:
    """The role that was chosen.

    Raises:
        BadInput: none of ours.
    """
    given = form.get("role", "")
    found: Role | None = next((role for role in ROLES if role == given), None)
    if found is None:
        raise BadInput(f"there is no role {given}", argument="role")
    return found


def _fits(listing: Listing, query: Mapping[str, str]) -> bool:
    state = "disabled" if listing.disabled_at else "enabled"
    return (
        query["name"].casefold() in listing.person.name.casefold()
        and query["role"] in {"", listing.person.role}
        and query["state"] in {"", state}
    )
