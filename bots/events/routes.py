"""The addresses for other systems. Each is there once its secret is set; docs/events.md says how to set up the other side."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

from aiohttp import web

from bots.crypto import same
from bots.events.desk import Decide, Desk
from bots.events.door import Answer, Door, Room
from bots.events.robots import ANSWERS, robot_text
from bots.events.signature import Certificates, EventBridgeSignature
from core.errors import BadSignature
from core.events.journal import Events
from core.http import Http
from core.settings import Settings

DATAWORKS = "/events/dataworks", "/extensions/dataworks"
LINEAGE = "/api/v1/lineage"

Heard = Callable[[str, str], Awaitable[None]]
"""(name of the tool, what it said): takes what a tool posted, and returns once that is safe."""


@dataclass(frozen=True, slots=True)
class Takers:
    """Who takes what comes in. What nobody takes has no address.

    Attributes:
        events: the journal.
        decide: operations that wait for a decision.
        heard: what tools post to a robot.
    """

    events: Events
    decide: Decide | None = None
    heard: Heard | None = None


def event_routes(
    settings: Settings, http: Http, takers: Takers, *, clock: Callable[[], datetime]
) -> list[web.RouteDef]:
    """The routes that the settings switch on.

    Args:
        settings: secrets, limits, this server's public address.
        http: fetches EventBridge's certificates.
        takers: who takes what comes in.
        clock: the present, with zone.
    """
    own = settings.events
    desk = Desk(takers.events, clock=clock, zone=ZoneInfo(settings.zone), decide=takers.decide)
    open_door = partial(Door, admit=takers.events.admit, room=Room(), body_limit=settings.server.body_limit)

    async def dataworks(_: web.Request, body: bytes) -> Answer:
        return await desk.dataworks(body)

    async def lineage(_: web.Request, body: bytes) -> Answer:
        return await desk.lineage(body)

    found: list[web.RouteDef] = []
    if own.signed:
        signature = EventBridgeSignature(
            own, Certificates(own, http, clock=clock), settings.server.public_url, clock=clock
        )
        signed = open_door("dataworks", verify=partial(_signed, signature), take=dataworks)
        found += (web.post(path, signed.handle) for path in DATAWORKS)
    if token := own.path_token.get_secret_value():
        trusted = open_door("dataworks", verify=partial(_knows_path, token), take=dataworks)
        found += (web.post(f"{path}/{{token}}", trusted.handle) for path in DATAWORKS)
    if key := own.lineage_key.get_secret_value():
        producers = open_door("openlineage", verify=partial(_bears, key), take=lineage)
        found.append(web.post(LINEAGE, producers.handle))
    if own.robots and takers.heard is not None:
        robots = _Robots({name: key.get_secret_value() for name, key in own.robots.items()}, takers.heard)
        listening = open_door("robot", verify=robots.verify, take=robots.take)
        found.append(web.post("/hooks/{vendor:dingtalk|feishu|wecom}/{key}", listening.handle))
    return found


async def _signed(signature: EventBridgeSignature, request: web.Request, body: bytes) -> None:
    await signature.verify(request.path_qs, request.headers, body)


async def _knows_path(token: str, request: web.Request, _: bytes) -> None:
    same(request.match_info["token"], token)


async def _bears(key: str, request: web.Request, _: bytes) -> None:
    same(request.headers.get("Authorization", ""), f"Bearer {key}")


class _Robots:
    """Stands in for the group robots of three platforms.

    Args:
        keys: of each tool, by its name.
        heard: takes what it said.
    """

    def __init__(self, keys: dict[str, str], heard: Heard) -> None:
        self._keys = keys
        self._heard = heard

    async def verify(self, request: web.Request, _: bytes) -> None:
        """Some tool must have this key."""
        self._tool(request)

    async def take(self, request: web.Request, body: bytes) -> Answer:
        """Hand on what it said, and answer as the platform would."""
        vendor = request.match_info["vendor"]
        if text := robot_text(vendor, body):
            await self._heard(self._tool(request), text)
        return ANSWERS[vendor]

    def _tool(self, request: web.Request) -> str:
        """The tool whose key this is. All are compared, so that the time taken tells nothing.

        Tools that sign for a robot append `&timestamp=…&sign=…` to what they take for an address with a query.
        """
        given = request.match_info["key"].split("&", 1)[0]
        found = [name for name, key in self._keys.items() if _equal(given, key)]
        if not found:
            raise BadSignature("no tool has this key")
        return found[0]


def _equal(given: str, expected: str) -> bool:
    try:
        same(given, expected)
    except BadSignature:
        return False
    return True
