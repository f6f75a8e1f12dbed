"""What every way in for other systems needs: room before reading, proof before parsing, an answer a machine understands.

| status | why | what the sender does |
|---|---|---|
| 400 | not JSON, or no event in it; kept as dead | looks at what it sends |
| 401 | not who it says it is | checks its secret; it learns nothing more |
| 413 | larger than the limit, also once uncompressed | sends less at once |
| 429 | too much under way here | comes back after `Retry-After` |
| 503 | stopping, or a database or certificate out of reach | comes back after `Retry-After` |
"""

from collections.abc import Awaitable, Callable, Mapping

import orjson
import structlog
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from prometheus_client import Counter

from bots.edge import TooLarge, read_body
from core.errors import BadInput, BadSignature, Busy, XOpsError

REQUESTS = Counter("xops_platform_requests", "Requests of other systems, by what became of them", ["door", "status"])
READ_SECONDS = 5.0
RETRY_SECONDS = "5"
BODIES_AT_ONCE = 64
"""Bodies in memory at the same time, each no larger than the limit."""

Answer = Mapping[str, object]

_log = structlog.get_logger(__name__)


class Room:
    """How many bodies may be in memory at once, over all doors."""

    def __init__(self, most: int = BODIES_AT_ONCE) -> None:
        self._free = most

    def __enter__(self) -> None:
        if not self._free:
            raise Busy("too many requests at once")
        self._free -= 1

    def __exit__(self, *_: object) -> None:
        self._free += 1


class Door:
    """One way in; `handle` is its aiohttp handler.

    Args:
        name: for metrics and logs.
        admit: raises `Busy` when there is no room, before anything is read.
        verify: raises `BadSignature` unless the sender is who it says it is.
        take: does what the body says, and returns the answer.
        room: shared by all doors.
        body_limit: largest body in bytes, uncompressed.
    """

    def __init__(
        self,
        name: str,
        *,
        admit: Callable[[], None],
        verify: Callable[[web.Request, bytes], Awaitable[None]],
        take: Callable[[web.Request, bytes], Awaitable[Answer]],
        room: Room,
        body_limit: int,
    ) -> None:
        self._name = name
        self._admit = admit
        self._verify = verify
        self._take = take
        self._room = room
        self._body_limit = body_limit

    async def handle(self, request: web.Request) -> web.Response:
        """Answer one request."""
        try:
            answer = orjson.dumps(await self._answer(request))
            response = web.Response(body=answer, content_type="application/json")
        except XOpsError as error:
            response = _refusal(error)
            _log.warning("event_refused", door=self._name, status=response.status, reason=str(error))
        REQUESTS.labels(self._name, str(response.status)).inc()
        return response

    async def _answer(self, request: web.Request) -> Answer:
        self._admit()
        with self._room:
            try:
                body = await read_body(request, limit=self._body_limit, seconds=READ_SECONDS)
            except (HttpProcessingError, web.RequestPayloadError) as error:
                raise BadInput("the body cannot be read: cut short, or not compressed as it says") from error
            await self._verify(request, body)
            return await self._take(request, body)


def _refusal(error: XOpsError) -> web.Response:
    match error:
        case BadSignature():
            return web.json_response({"error": "unauthorized"}, status=401)
        case TooLarge():
            response = web.json_response({"error": str(error)}, status=413)
            response.force_close()  # nobody reads the rest
            return response
        case BadInput():
            return web.json_response({"error": str(error)}, status=400)
        case _:
            status = 429 if isinstance(error, Busy) else 503
            return web.json_response(
                {"error": "come back later"}, status=status, headers={"Retry-After": RETRY_SECONDS}
            )
