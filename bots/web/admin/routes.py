"""The administration under its one path, with the session, the policy and the headers of the page."""

from collections.abc import Sequence
from typing import Protocol

from aiohttp import web

from bots.messenger import ADMIN
from bots.web.admin.desk import Desk
from bots.web.gate import protect


class Pages(Protocol):
    """A part of the administration."""

    def routes(self) -> Sequence[web.RouteDef]:
        """Its addresses, below `/admin`."""
        ...


def administration(desk: Desk, *parts: Pages) -> web.Application:
    """The whole of it, to be served at `bots.messenger.ADMIN`; `desk` is that of its parts."""
    pages = web.Application(middlewares=[desk.refusals])
    pages.add_routes([web.get("", _first), web.get("/", _first)])
    for part in parts:
        pages.add_routes(part.routes())
    pages.on_response_prepare.append(protect)
    return pages


async def _first(_request: web.Request) -> web.Response:
    raise web.HTTPSeeOther(f"{ADMIN}/tickets")
