"""The doors for other systems on loopback, and everybody who uses them."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import ClientSession, web

from bots.events.routes import Takers, event_routes
from core.errors import Busy
from core.events.incoming import Incoming
from core.events.journal import Events
from core.http import Http
from core.settings import Settings
from core.store import Store
from tests.fakes import eventbridge
from tests.fakes.eventbridge import EventBridge
from tests.fakes.wall_clock import WallClock

PUBLIC = "https://xops.example.com"
TOKEN = "path-token-of-ours"
KEY = "lineage-key-of-ours"
ROBOT = "robot-key-of-grafana"
PATH = "/events/dataworks"


@dataclass
class Site:
    """X-Ops' doors on loopback.

    Attributes:
        heard: (tool, text) of everything that a robot heard.
        decided: events that wait for a decision.
        applied: events that were applied.
        busy: whether whoever hears has no room.
    """

    address: str
    session: ClientSession
    journal: Events
    bridge: EventBridge
    clock: WallClock
    heard: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    decided: list[str] = field(default_factory=list[str])
    applied: list[str] = field(default_factory=list[str])
    busy: bool = False

    async def post(self, path: str, body: bytes, headers: Mapping[str, str] | None = None) -> tuple[int, Any]:
        """Status and answer of a request."""
        sent = {"Content-Type": "application/json", **(headers or {})}
        async with self.session.post(self.address + path, data=body, headers=sent) as answer:
            return answer.status, await answer.json(content_type=None)

    async def push(self, body: bytes, *, url: str = PUBLIC + PATH, path: str = PATH) -> int:
        """Status of what EventBridge hears."""
        return (await self.post(path, body, self.bridge.signed(url, body)))[0]


@asynccontextmanager
async def running(
    store: Store, bridge: EventBridge | None = None, *, most: int = 1000, **own: object
) -> AsyncGenerator[Site]:
    """A site with these settings of events beside all its secrets."""
    clock, http = WallClock(), Http()
    applied: list[str] = []

    def apply(_: object, batch: Sequence[Incoming]) -> None:
        applied.extend(one.id for one in batch)

    async with eventbridge.serving(bridge or EventBridge(clock)) as serving, ClientSession() as session:
        serving.clock = clock
        secrets = {
            "path_token": TOKEN,
            "lineage_key": KEY,
            "robots": {"grafana": ROBOT, "zabbix": "robot-key-of-zabbix"},
        }
        events = {
            **secrets,
            "eventbridge_region": "cn-shanghai",
            "eventbridge_certificates": f"{serving.certificates}/",
            **own,
        }
        settings = Settings.model_validate(
            {"server": {"public_url": PUBLIC, "body_limit": 1_048_576}, "events": events}
        )
        journal = Events(store, clock=clock, zone=ZoneInfo(settings.zone), appliers=[apply], most=most)
        site = Site("", session, journal, serving, clock, applied=applied)

        async def decide(event: Incoming) -> Mapping[str, object]:
            site.decided.append(event.id)
            return {"checkResult": "OK"}

        async def heard(tool: str, text: str) -> None:
            if site.busy:
                raise Busy("full")
            site.heard.append((tool, text))

        await http.start()
        application = web.Application()
        application.add_routes(event_routes(settings, http, Takers(journal, decide, heard), clock=clock))
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        site.address = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield site
        finally:
            await runner.cleanup()
            await http.stop()
