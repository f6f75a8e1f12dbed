"""The page under its one path: rendered whole on the server, then kept current by a small script."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from http import HTTPStatus
from secrets import token_bytes
from zoneinfo import ZoneInfo

import orjson
from aiohttp import web

from bots.messenger import ADMIN, PAGE, WebView
from bots.web import assets
from bots.web.channel import WebChannel, overview_reference
from bots.web.gate import Gate, Visit, protect
from bots.web.posts import Posts
from bots.web.render import Renderer
from bots.web.session import Sessions
from bots.web.sign_on import SignOn, place
from bots.web.stream import Stream
from core.access import Access, Person
from core.cards import Card
from core.messages import Event
from core.settings import Settings

SHOWN = 30
"""Entries of the dialogue in the page as it is first sent; older ones are fetched by this many."""
FIRST_PAINT = 2.0
"""Seconds the page waits for a new overview before it shows the last one, and lets the script ask again."""


class Page:
    """The page and what belongs to it.

    Args:
        channel: where cards go.
        settings: sign-on, public address, zone, language.
        sessions: who is signed on.
        accept: journals and queues an event (`core.inbox.Inbox.accept`).
        access: who people are.
        home: makes the overview of a person, in the person's language.
        clock: the present, with zone.
        views: messengers whose people sign on without a token.
        first_paint: see `FIRST_PAINT`.

    Attributes:
        gate: admits requests, those of the administration as well.
    """

    def __init__(
        self,
        channel: WebChannel,
        settings: Settings,
        sessions: Sessions,
        *,
        accept: Callable[[Event], Awaitable[bool]],
        access: Access,
        home: Callable[[Person], Awaitable[Card]],
        clock: Callable[[], datetime],
        views: Sequence[WebView] = (),
        first_paint: float = FIRST_PAINT,
    ) -> None:
        self._channel = channel
        self._sessions = sessions
        self._access = access
        self._home = home
        self._first_paint = first_paint
        self._renderer = Renderer(ZoneInfo(settings.zone))
        self.gate = Gate(sessions, public_url=settings.server.public_url, language=settings.language)
        self._sign_on = SignOn(self.gate, sessions, self._renderer, access, views)
        self._posts = Posts(self.gate, channel, accept, clock=clock)
        self._stream = Stream(self.gate, channel, self._renderer)

    @property
    def sign_on_token(self) -> str:
        """What signs a person on, for `xops run` to print."""
        return self._sessions.sign_on_token

    def subject(self, cookie: str) -> str:
        """Whose session a cookie's value holds; empty when it is forged or over."""
        session = self._sessions.open(cookie)
        return session.subject if session is not None else ""

    def add_to(self, app: web.Application) -> None:
        """Serve the page as a part of an application."""
        page = web.Application()
        page.add_routes(
            [
                web.get("", self.show),
                web.get("/stream", self._stream.serve),
                web.get("/older", self.older),
                web.post("/overview", self.overview),
                web.post("/messages", self._posts.message),
                web.post("/clicks", self._posts.click),
                web.post("/sign-on", self._sign_on.by_form),
                web.post("/sign-on/{messenger}", self._sign_on.by_script),
                web.get("/sign-on/{messenger}", self._sign_on.by_redirect),
                web.post("/sign-out", self.sign_out),
                web.get("/static/{digest}/{name}", assets.serve),
            ]
        )
        page.on_response_prepare.append(protect)
        page.on_shutdown.append(self._end_streams)
        app.add_subapp(PAGE, page)

    async def show(self, request: web.Request) -> web.StreamResponse:
        """The page; or a way to sign on; or, with a token in the address, sign-on and back to an address without it."""
        if "token" in request.query:
            return self._sign_on.by_token(request, request.query["token"])
        visit = self.gate.visit(request)
        if visit is None:
            return self._sign_on.ask(request)
        at = place(request)
        if "lang" in request.query:
            session = visit.session.model_copy(update={"language": visit.words.language})
            return self._sign_on.to_page(session, at)
        if at.startswith(f"{ADMIN}/"):
            raise web.HTTPSeeOther(at)
        return await self._page(visit, at)

    async def sign_out(self, request: web.Request) -> web.Response:
        """End the session in this browser."""
        self.gate.need_own_script(request)
        response = web.json_response({})
        self.gate.forget(response)
        return response

    async def overview(self, request: web.Request) -> web.Response:
        """Look up the overview again; it reaches the page through the stream."""
        await self._look(self.gate.need_own_script(request))
        return web.json_response({}, status=HTTPStatus.ACCEPTED)

    async def older(self, request: web.Request) -> web.Response:
        """Entries before a place in the dialogue, in reading order."""
        visit = self.gate.need_visit(request)
        before = request.query.get("before", "")
        if not (before.isascii() and before.isdecimal() and len(before) <= 9):
            self.gate.refuse(request, HTTPStatus.BAD_REQUEST, "web.error.malformed")
        entries = await self._channel.cards.history(visit.conversation.key, limit=SHOWN, before=int(before))
        shown = [self._renderer.entry(entry, visit.words) for entry in entries]
        body = orjson.dumps({"entries": shown, "more": len(entries) == SHOWN})
        return web.Response(body=body, content_type="application/json")

    async def _page(self, visit: Visit, place: str) -> web.Response:
        fresh = False
        with suppress(TimeoutError):
            async with asyncio.timeout(self._first_paint):
                await self._look(visit)
                fresh = True
        cards, key = self._channel.cards, visit.conversation.key
        revision = await cards.revision(key)  # before the entries: what changes meanwhile is sent again, not missed
        entries = await cards.history(key, limit=SHOWN)
        html = self._renderer.page(
            visit,
            token=self._sessions.token(visit.session),
            revision=revision,
            oldest=entries[0].seq if len(entries) == SHOWN else 0,
            entries=entries,
            overview=await cards.get(key, overview_reference(visit.conversation)),
            fresh=fresh,
            place=place,
        )
        return web.Response(text=html, content_type="text/html")

    async def _look(self, visit: Visit) -> None:
        person = replace(self._access.person(visit.actor), language=visit.words.language)
        await self._channel.pin(visit.conversation, await self._home(person))

    async def _end_streams(self, _: web.Application) -> None:
        self._channel.stop()


async def make_page(
    channel: WebChannel,
    settings: Settings,
    *,
    accept: Callable[[Event], Awaitable[bool]],
    access: Access,
    home: Callable[[Person], Awaitable[Card]],
    clock: Callable[[], datetime],
    views: Sequence[WebView] = (),
    first_paint: float = FIRST_PAINT,
) -> Page:
    """The page, with the secret that its sessions share; the tables must exist. Arguments as for `Page`."""
    sessions = Sessions(settings, await channel.cards.secret(token_bytes(32)), clock=clock)
    return Page(
        channel,
        settings,
        sessions,
        accept=accept,
        access=access,
        home=home,
        clock=clock,
        views=views,
        first_paint=first_paint,
    )
