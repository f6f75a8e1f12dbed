"""The administration under its one path, with the session, the policy and the headers of the page."""

from collections.abc import Sequence
from typing import Protocol
from zoneinfo import ZoneInfo

from aiohttp import web

from bots.messenger import ADMIN
from bots.web.admin.audit import AuditPages
from bots.web.admin.desk import Desk
from bots.web.admin.flows import FlowPages
from bots.web.admin.people import PeoplePages
from bots.web.admin.switches import SwitchPages
from bots.web.admin.tickets import TicketPages
from bots.web.gate import Gate, protect
from core.access import Access
from core.approvals.service import Approvals
from core.audit import Audit
from core.people import Linking, People
from core.switches import Switches


class Pages(Protocol):
    """A part of the administration."""

    def routes(self) -> Sequence[web.RouteDef]:
        """Its addresses, below `/admin`."""
        ...


def administration(
    gate: Gate,
    zone: ZoneInfo,
    access: Access,
    approvals: Approvals,
    people: People,
    linking: Linking,
    switches: Switches,
    audit: Audit,
    *,
    schedulers: Sequence[str],
) -> web.Application:
    """The whole of it, to be served at `bots.messenger.ADMIN`.

    Args:
        gate: of the page.
        zone: of the times shown.
        access: who may do what.
        approvals: flows and tickets.
        people: who is listed.
        linking: makes codes that link a messenger.
        switches: the assistant and its model.
        audit: the trail.
        schedulers: names that a flow can be associated with.
    """
    desk = Desk(gate, access, zone)
    parts: Sequence[Pages] = (
        FlowPages(desk, approvals.flows, people, schedulers),
        TicketPages(desk, approvals),
        PeoplePages(desk, people, linking),
        SwitchPages(desk, switches),
        AuditPages(desk, audit),
    )
    pages = web.Application(middlewares=[desk.refusals])
    pages.add_routes([web.get("", _first), web.get("/", _first)])
    for part in parts:
        pages.add_routes(part.routes())
    pages.on_response_prepare.append(protect)
    return pages


async def _first(_request: web.Request) -> web.Response:
    raise web.HTTPSeeOther(f"{ADMIN}/tickets")
