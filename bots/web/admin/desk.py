"""What every page of the administration needs: who asks, with which rights now; drawing; answers; refusals.

A GET is a whole page. A POST comes from our script and is answered with where to go next, with the form again and what is
wrong in it (422), or with a sentence.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import quote
from zoneinfo import ZoneInfo

import orjson
from aiohttp import web
from multidict import MultiDict

from bots.messenger import ADMIN, PAGE
from bots.web.admin.wording import Wording, sentence_of
from bots.web.assets import assets
from bots.web.gate import Gate, Visit
from bots.web.render import FUNCTIONS, LANGUAGE_NAMES, TABLE_ROWS, environment
from core.access import Access, Person, Role
from core.errors import BadInput, Denied, NotFound, XOpsError
from core.i18n import LANGUAGES, Words
from core.views.reader import Reader

LISTED = 20
"""Entries on one page of a list."""
PLACES: Mapping[str, Role] = {
    "flows": "admin",
    "tickets": "viewer",
    "subscriptions": "viewer",
    "people": "admin",
    "switches": "ops_admin",
    "audit": "admin",
}
"""The parts of the administration, and the role that is shown each; what a role may change is asked of the services."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody on these pages, with the rights of this moment."""

    visit: Visit
    person: Person

    @property
    def words(self) -> Words:
        """In their language."""
        return self.visit.words


class Desk:
    """Admits, draws and answers.

    Args:
        gate: of the page; the session is the same.
        access: asked at every request.
        zone: of the times shown.
    """

    def __init__(self, gate: Gate, access: Access, zone: ZoneInfo) -> None:
        self.access = access
        self.zone = zone
        self._gate = gate

    async def reader(self, request: web.Request, place: str) -> Visitor:
        """Who wants to see a part of the administration; whoever is not signed on is led to that and back.

        Raises:
            Denied: it is not for them.
        """
        visit = self._gate.visit(request)
        if visit is None:
            raise web.HTTPSeeOther(f"{PAGE}?at={quote(request.path, safe='')}")
        return await self._admitted(visit, place)

    async def writer(self, request: web.Request, place: str) -> Visitor:
        """Who wants to change something: also proves that our own script asks. Raises as `reader`."""
        return await self._admitted(self._gate.need_own_script(request), place)

    def page(self, visitor: Visitor, request: web.Request, template: str, **values: object) -> web.Response:
        """A whole page."""
        done = request.query.get("done", "")
        told = visitor.words(f"admin.done.{done}") if f"admin.done.{done}" in visitor.words else ""
        html = self._fill(visitor, template, here=request.path, told=told, **values)
        return web.Response(text=html, content_type="text/html")

    def form(self, visitor: Visitor, template: str, **values: object) -> web.Response:
        """A form again: with another entry, or with what is wrong in it."""
        return self.part(visitor, template, HTTPStatus.UNPROCESSABLE_ENTITY, **values)

    def part(self, visitor: Visitor, template: str, status: HTTPStatus, **values: object) -> web.Response:
        """What our script puts in place of the form that it sent."""
        return web.Response(text=self._fill(visitor, template, **values), status=status, content_type="text/html")

    def wording(self, visitor: Visitor) -> Wording:
        """What values are called in the reader's language."""
        return Wording(Reader(visitor.words, self.zone, visitor.person))

    @staticmethod
    def go(address: str) -> web.Response:
        """It is done; the page to see now."""
        return web.json_response({"go": ADMIN + address})

    @web.middleware
    async def refusals(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Tell in the person's language why something cannot be done."""
        try:
            return await handler(request)
        except XOpsError as error:
            visit = self._gate.need_visit(request)
            visitor = Visitor(visit, self.access.person(visit.actor))
            status = next(status for kind, status in STATUSES.items() if isinstance(error, kind))
            sentence = sentence_of(error, visitor.words)
            if request.method == "POST":
                body = orjson.dumps({"error": sentence})
                return web.Response(body=body, status=status, content_type="application/json")
            response = self.page(visitor, request, "admin/problem.html", sentence=sentence, place="")
            response.set_status(status)
            return response

    async def _admitted(self, visit: Visit, place: str) -> Visitor:
        await self.access.refresh()
        person = self.access.person(visit.actor)
        self.access.needs(person, PLACES[place])
        return Visitor(visit, person)

    def _fill(self, visitor: Visitor, template: str, **values: object) -> str:
        words = visitor.words
        shared: dict[str, object] = {
            "problems": {},
            "told": "",
            "words": words,
            "zone": self.zone,
            "admin": ADMIN,
            "path": PAGE,
            "visitor": visitor,
            "token": self._gate.sessions.token(visitor.visit.session),
            "assets": {name: asset.url for name, asset in assets().items()},
            "languages": [(language, LANGUAGE_NAMES[language]) for language in LANGUAGES],
            "places": [place for place, role in PLACES.items() if visitor.person.has(role)],
            "table_rows": TABLE_ROWS,
        }
        return (
            environment().get_template(template).render(FUNCTIONS | self.wording(visitor).functions() | shared | values)
        )


STATUSES: Mapping[type[XOpsError], HTTPStatus] = {
    NotFound: HTTPStatus.NOT_FOUND,
    BadInput: HTTPStatus.UNPROCESSABLE_ENTITY,
    Denied: HTTPStatus.FORBIDDEN,
    XOpsError: HTTPStatus.CONFLICT,
}
"""The first that fits."""


async def fields(request: web.Request) -> MultiDict[str]:
    """What a form holds, by the names of its fields; files are read into a field by our script."""
    return MultiDict((name, text) for name, text in (await request.post()).items() if isinstance(text, str))


def turned(request: web.Request, offset: int) -> str:
    """The address of another part of the list, with the same filters."""
    query = {name: text for name, text in request.query.items() if name not in {"done", "offset"}}
    return str(request.rel_url.with_query(query | {"offset": str(max(0, offset))}))
