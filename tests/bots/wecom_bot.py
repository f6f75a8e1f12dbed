"""The WeCom AI bot alone: its long connection and its channel, with a journal in memory behind them."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from bots.wecom.bot import WeComBotChannel
from bots.wecom.hearing import Hearing
from bots.wecom.pace import Pace
from bots.wecom.stream import LongConnection
from core.http import Http
from core.i18n import words
from core.leases import Leases
from core.sent_cards import SentCards
from core.store import Store
from tests.bots.journal import Journal
from tests.bots.wecom_app import PAGE
from tests.fakes.wecom_bot import FakeWeComBot


@dataclass
class Bot(Journal):
    """The bot, connected."""

    channel: WeComBotChannel = field(kw_only=True)
    line: LongConnection = field(kw_only=True)


async def no_pause(_seconds: float) -> None:
    """Waits between attempts, which are about the other side and not about us."""


@asynccontextmanager
async def connected(
    wecom: FakeWeComBot, store: Store, clock: Callable[[], float], *, owner: str = "me", wait: bool = True
) -> AsyncGenerator[Bot]:
    """A bot on `wecom`, with pings and deadlines of a tenth of a second."""
    http = Http()
    await http.start()
    say = words("zh-CN")
    leases = Leases(store, owner=owner, seconds=0.3)
    line = LongConnection(wecom.settings, http, leases, ping_seconds=0.1, ack_seconds=0.3, sleep=_shortly)
    channel = WeComBotChannel(line, SentCards(store, "wecom_bot"), say, page=PAGE, pace=Pace(say, 28, 950), clock=clock)
    bot = Bot(channel=channel, line=line)
    await line.start(Hearing("小数 助手", channel, bot.accept, sleep=no_pause).take)
    if wait:
        await wecom.until(lambda: wecom.online)
    yield bot
    await line.stop()
    await http.stop()


async def _shortly(_seconds: float) -> None:
    await asyncio.sleep(0.02)
