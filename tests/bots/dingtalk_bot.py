"""The DingTalk edge alone: the real connection or routes, the real channel, and a journal in memory behind them."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

from bots.dingtalk.client import DingTalkChannel
from bots.dingtalk.routes import dingtalk_routes
from core.cards import Card, Text
from core.http import Http
from core.messages import Conversation
from core.sent_cards import SentCards
from tests.bots.journal import Journal
from tests.contracts.wecom_subject import opened_store
from tests.fakes.clock import Clock
from tests.fakes.dingtalk import FakeDingTalk
from tests.waiting import eventually

BODY_LIMIT = 64 * 1024
PRIVATE = Conversation("dingtalk", "ann")
GROUP = Conversation("dingtalk", "cidGroup==", "group")
TOKEN = "POST /v1.0/oauth2/accessToken"
CREATE, UPDATE = "/v1.0/card/instances/createAndDeliver", "/v1.0/card/instances"
TO_GROUP, TO_PEOPLE = "/v1.0/robot/groupMessages/send", "/v1.0/robot/oToMessages/batchSend"
BY_SESSION = "/robot/sendBySession"


def card(text: str, *, pending: bool = False) -> Card:
    """A card of one line."""
    return Card("Title", (Text(text),), pending=pending)


@dataclass
class Bot(Journal):
    """A bot, and how long its connection waited before each new attempt."""

    channel: DingTalkChannel = field(kw_only=True)
    pauses: list[float] = field(default_factory=list[float])


@asynccontextmanager
async def connected(dingtalk: FakeDingTalk, **settings: object) -> AsyncGenerator[Bot]:
    """A bot in Stream mode, connected. `settings` replace some of the fake's."""
    async with _made(dingtalk, "", settings) as bot:
        await bot.channel.start(bot.accept)
        await eventually(lambda: dingtalk.connections)
        yield bot


@asynccontextmanager
async def listening(dingtalk: FakeDingTalk) -> AsyncGenerator[Bot]:
    """A bot in HTTP mode, listening where `dingtalk` posts, its card callbacks registered."""
    port = unused_port()
    async with _made(dingtalk, f"http://127.0.0.1:{port}", {"mode": "http"}) as bot:
        settings = dingtalk.settings.model_copy(update={"mode": "http"})
        application = web.Application()
        routes = dingtalk_routes(settings, bot.channel, bot.accept, body_limit=BODY_LIMIT, clock=dingtalk.clock)
        application.add_routes(routes)
        async with TestServer(application, port=port):
            dingtalk.address = f"http://127.0.0.1:{port}"
            await bot.channel.start(bot.accept)
            await eventually(lambda: dingtalk.callbacks)
            yield bot


@asynccontextmanager
async def _made(dingtalk: FakeDingTalk, address: str, changed: Mapping[str, object]) -> AsyncGenerator[Bot]:
    clock = Clock(dingtalk.clock())
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        await clock.sleep(seconds)

    async with AsyncExitStack() as stack:
        sent = SentCards(await opened_store(stack), "dingtalk")
        http = Http()
        await http.start()
        stack.push_async_callback(http.stop)
        settings = dingtalk.settings.model_copy(update=dict(changed))
        channel = DingTalkChannel(settings, http, sent, public_url=address, sleep=sleep, clock=dingtalk.clock)
        stack.push_async_callback(channel.stop)
        yield Bot(channel=channel, pauses=pauses)
