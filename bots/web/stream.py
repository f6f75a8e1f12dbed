"""Server-sent events: what changed since the page was rendered, as rendered entries, for as long as someone watches.

The id of each event is the conversation's revision. A browser that was away names the last one it has (`Last-Event-ID`, or
`after` on the first connection) and gets the rest from the table, each entry once and as it is now. Whoever reads too
slowly is cut off and comes back that way, so nothing piles up here.
"""

import asyncio
from http import HTTPStatus

import orjson
from aiohttp import ClientConnectionError, web

from bots.web.channel import WebChannel
from bots.web.gate import Gate, Visit
from bots.web.render import Renderer
from core.errors import Busy
from core.web_cards import Entry

PATIENCE = 20.0
"""Seconds a browser may take for one event before it counts as gone."""


class Stream:
    """Serves the events of one conversation to one browser at a time.

    Args:
        gate: admits the request.
        channel: knows the cards and when they change.
        renderer: makes them HTML.
        patience: see `PATIENCE`.
    """

    def __init__(self, gate: Gate, channel: WebChannel, renderer: Renderer, *, patience: float = PATIENCE) -> None:
        self._gate = gate
        self._channel = channel
        self._renderer = renderer
        self._patience = patience

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Stream until the browser leaves, its session ends, or the server does."""
        visit = self._gate.need_visit(request)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"})
        try:
            with self._channel.watch(visit.conversation) as changed:
                await response.prepare(request)
                await self._follow(visit, changed, response, _last_seen(request))
        except Busy:
            self._gate.refuse(request, HTTPStatus.TOO_MANY_REQUESTS, "web.error.busy")
        except (TimeoutError, ClientConnectionError):
            if request.transport is not None:
                request.transport.abort()
        return response

    async def _follow(self, visit: Visit, changed: asyncio.Event, response: web.StreamResponse, after: int) -> None:
        while not self._channel.stopping and self._gate.sessions.valid(visit.session):
            changed.clear()
            entries = await self._channel.cards.after(visit.conversation.key, after)
            events = b"".join(self._event(entry, visit) for entry in entries)
            async with asyncio.timeout(self._patience):
                await response.write(events or b":\n\n")  # a comment keeps proxies from closing a quiet stream
            after = entries[-1].revision if entries else after
            await _set_within(changed, self._channel.poll_seconds)

    def _event(self, entry: Entry, visit: Visit) -> bytes:
        html = self._renderer.entry(entry, visit.words)
        data = orjson.dumps({"reference": entry.reference, "seq": entry.seq, "kind": entry.kind, "html": html})
        return b"id: %d\ndata: %b\n\n" % (entry.revision, data)


def _last_seen(request: web.Request) -> int:
    given = request.headers.get("Last-Event-ID") or request.query.get("after", "")
    return int(given) if given.isascii() and given.isdecimal() and len(given) <= 18 else 0


async def _set_within(changed: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await changed.wait()
    except TimeoutError:
        return
