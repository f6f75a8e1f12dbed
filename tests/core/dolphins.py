"""DolphinScheduler and a loopback server together, for its tests."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from core.http import Http
from core.schedulers.dolphinscheduler import DolphinScheduler
from tests.fakes.dolphin import FakeDolphin
from tests.fakes.dolphin_night import ZONE


@dataclass(frozen=True)
class Pair:
    """A server, and a scheduler that speaks to it."""

    server: FakeDolphin
    scheduler: DolphinScheduler


@asynccontextmanager
async def dolphin(version: str = "3.4.3", *, zone: str = "UTC", **settings: Any) -> AsyncGenerator[Pair]:
    """Both, started; the server checks at the end that nothing broke the published contract."""
    http = Http()
    await http.start()
    async with FakeDolphin(version, zone=zone) as server:
        scheduler = DolphinScheduler(server.connection(**settings), http, zone=ZONE, clock=server.clock)
        try:
            yield Pair(server, scheduler)
        finally:
            await scheduler.close()
            await http.stop()
