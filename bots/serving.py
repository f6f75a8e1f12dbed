"""The HTTP server around the assistant: webhooks, the web page, health and metrics."""

import gc
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from bots.api.flows import FlowEndpoints
from bots.api.hearing import HearingEndpoints
from bots.api.server import Api
from bots.api.tickets import TicketEndpoints
from bots.app import Application, running
from bots.messenger import ADMIN
from bots.web.admin.audit import AuditPages
from bots.web.admin.desk import Desk
from bots.web.admin.flows import FlowPages
from bots.web.admin.people import PeoplePages
from bots.web.admin.routes import administration
from bots.web.admin.subscriptions import SubscriptionPages
from bots.web.admin.switches import SwitchPages
from bots.web.admin.tickets import TicketPages
from bots.web.gate import Gate
from core.observe import READY
from core.settings import Settings

DRAIN_SECONDS = 10.0
"""How long answers under way may take to end when the process is asked to stop."""


async def health(_request: web.Request) -> web.Response:
    """The process is alive."""
    return web.Response(text="ok")


async def metrics(_request: web.Request) -> web.Response:
    """Prometheus' text format."""
    return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})


def routes(application: Application) -> Sequence[web.RouteDef]:
    """Every address the server answers."""

    async def ready(_request: web.Request) -> web.Response:
        await application.store.read(lambda connection: connection.exec_driver_sql("SELECT 1").scalar())
        return web.Response(text="ready")

    accept, limit = application.inbox.accept, application.settings.server.body_limit
    found = [web.get("/healthz", health), web.get("/readyz", ready), web.get("/metrics", metrics)]
    for messenger in application.messengers:
        found += messenger.routes(accept, body_limit=limit)
    if application.settings.events.open:
        found += application.events.routes()
    return found


def api(application: Application, subject: Callable[[str], str]) -> Api:
    """The REST interface; `subject` says whose session of the page a bearer sent."""
    settings, approvals = application.settings, application.approving.approvals
    endpoints = (
        *FlowEndpoints(approvals.flows, application.access).all(),
        *TicketEndpoints(approvals).all(),
        *HearingEndpoints(application.wishes, application.kept.promises).all(),
    )
    return Api(endpoints, application.access, settings.api_tokens, subject)


def administered(application: Application, gate: Gate) -> web.Application:
    """The administration; `gate` is the page's."""
    desk = Desk(gate, application.access, application.zone)
    approvals, people = application.approving.approvals, application.people
    return administration(
        desk,
        FlowPages(desk, approvals.flows, people, application.fleet.names),
        TicketPages(desk, approvals),
        SubscriptionPages(desk, application.wishes, application.kept.promises),
        PeoplePages(desk, people, application.linking),
        SwitchPages(desk, application.switches),
        AuditPages(desk, application.audit),
    )


@asynccontextmanager
async def serving(settings: Settings) -> AsyncGenerator[tuple[str, str]]:
    """The assistant behind its HTTP server; yields the address it listens on, and the token that signs a person on."""
    async with running(settings, accepting=True) as application:
        server = web.Application(client_max_size=settings.server.body_limit)
        server.add_routes(routes(application))
        page = await application.page()
        page.add_to(server)
        server.add_subapp(ADMIN, administered(application, page.gate))
        server.add_routes(api(application, page.subject).routes())
        runner = web.AppRunner(server, access_log=None, shutdown_timeout=DRAIN_SECONDS)
        await runner.setup()
        site = web.TCPSite(runner, settings.server.host, settings.server.port)
        await site.start()
        port = runner.addresses[0][1]
        gc.freeze()  # what start-up made lives for ever: one look through it is a pause of 100 ms
        READY.set(1)
        application.warm()
        try:
            yield f"http://{settings.server.host}:{port}", page.sign_on_token
        finally:
            READY.set(0)
            await runner.cleanup()
