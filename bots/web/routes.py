"""The page under its one path: rendered whole on the server, then kept current by a small script."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from http import HTTPStatus
from secrets import token_bytes
from zoneinfo import ZoneInfo

import orjson
from aiohttp import web

from bots.web import assets
from bots.web.channel import WebChannel, overview_reference
from bots.web.gate import PATH, Gate, Visit, protect
from bots.web.posts import Posts
from bots.web.render import Renderer
from bots.web.session import Session, Sessions
from bots.web.stream import Stream
from core.access import Access, Person
from core.cards import Card
from core.errors import Busy
from core.i18n import closest, words
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
        first_paint: see `FIRST_PAINT`.
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
        first_paint: float = FIRST_PAINT,
    ) -> None:
        self._channel = channel
        self._sessions = sessions
        self._access = access
        self._home = home
        self._first_paint = first_paint
        self._renderer = Renderer(ZoneInfo(settings.zone))
        self._gate = Gate(sessions, public_url=settings.server.public_url, language=settings.language)
        self._posts = Posts(self._gate, channel, accept, clock=clock)
        self._stream = Stream(self._gate, channel, self._renderer)

    @property
    def sign_on_token(self) -> str:
        """What signs a person on, for `xops run` to print."""
        return self._sessions.sign_on_token

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
                web.post("/sign-on", self.sign_on),
                web.post("/sign-out", self.sign_out),
                web.get("/static/{digest}/{name}", assets.serve),
            ]
        )
        page.on_response_prepare.append(protect)
        page.on_shutdown.append(self._end_streams)
        app.add_subapp(PATH, page)

    async def show(self, request: web.Request) -> web.StreamResponse:
        """The page; or the sign-on form; or, with a token in the address, sign-on and back to an address without it."""
        if "token" in request.query:
            return self._admit(request, request.query["token"])
        visit = self._gate.visit(request)
        if visit is None:
            return self._form(request)
        if "lang" in request.query:
            return self._remember(visit)
        return await self._page(visit)

    async def sign_on(self, request: web.Request) -> web.StreamResponse:
        """Take the form's token."""
        self._gate.need_own_origin(request)
        token = (await request.post()).get("token", "")
        return self._admit(request, token if isinstance(token, str) else "")

    async def sign_out(self, request: web.Request) -> web.Response:
        """End the session in this browser."""
        self._gate.need_own_script(request)
        response = web.json_response({})
        self._gate.forget(response)
        return response

    async def overview(self, request: web.Request) -> web.Response:
        """Look up the overview again; it reaches the page through the stream."""
        await self._look(self._gate.need_own_script(request))
        return web.json_response({}, status=HTTPStatus.ACCEPTED)

    async def older(self, request: web.Request) -> web.Response:
        """Entries before a place in the dialogue, in reading order."""
        visit = self._gate.need_visit(request)
        before = request.query.get("before", "")
        if not (before.isascii() and before.isdecimal() and len(before) <= 9):
            self._gate.refuse(request, HTTPStatus.BAD_REQUEST, "web.error.malformed")
        entries = await self._channel.cards.history(visit.conversation.key, limit=SHOWN, before=int(before))
        shown = [self._renderer.entry(entry, visit.words) for entry in entries]
        body = orjson.dumps({"entries": shown, "more": len(entries) == SHOWN})
        return web.Response(body=body, content_type="application/json")

    async def _page(self, visit: Visit) -> web.Response:
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
        )
        return _html(html)

    async def _look(self, visit: Visit) -> None:
        person = replace(self._access.person(visit.actor), language=visit.words.language)
        await self._channel.pin(visit.conversation, await self._home(person))

    def _admit(self, request: web.Request, token: str) -> web.Response:
        chosen = request.query.get("lang", "")
        try:
            language = closest(chosen) if chosen else ""
            session = self._sessions.sign_on(token, request.remote or "", language=language)
        except Busy:
            return self._form(request, HTTPStatus.TOO_MANY_REQUESTS, "web.error.too_many_attempts")
        if session is None:
            return self._form(request, HTTPStatus.UNAUTHORIZED, "web.error.wrong_token")
        return self._to_page(session)

    def _remember(self, visit: Visit) -> web.Response:
        return self._to_page(visit.session.model_copy(update={"language": visit.words.language}))

    def _to_page(self, session: Session) -> web.Response:
        response = web.Response(status=HTTPStatus.SEE_OTHER, headers={"Location": PATH})
        self._gate.admit(response, session)
        return response

    def _form(self, request: web.Request, status: HTTPStatus = HTTPStatus.OK, problem: str = "") -> web.Response:
        language = self._gate.language(request, None)
        return _html(self._renderer.sign_on(words(language), problem=problem), status)

    async def _end_streams(self, _: web.Application) -> None:
        self._channel.stop()


def _html(text: str, status: HTTPStatus = HTTPStatus.OK) -> web.Response:
    return web.Response(text=text, status=status, content_type="text/html")


async def make_page(
    channel: WebChannel,
    settings: Settings,
    *,
    accept: Callable[[Event], Awaitable[bool]],
    access: Access,
    home: Callable[[Person], Awaitable[Card]],
    clock: Callable[[], datetime],
    first_paint: float = FIRST_PAINT,
) -> Page:
    """The page, with the secret that its sessions share; the tables must exist. Arguments as for `Page`."""
    sessions = Sessions(settings, await channel.cards.secret(token_bytes(32)), clock=clock)
    return Page(
        channel, settings, sessions, accept=accept, access=access, home=home, clock=clock, first_paint=first_paint
    )
