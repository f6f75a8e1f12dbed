"""The composition root: settings in, a running assistant out. Objects are built here and passed in; nothing finds another.

Application   the assistant itself: store, schedulers, agent, engine, durable work. No HTTP; a terminal uses it as it is.
serve         the HTTP server around it: webhooks, the web page, health and metrics.
"""

import asyncio
import gc
import os
import socket
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from uuid import uuid4
from zoneinfo import ZoneInfo

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from bots.dingtalk.client import WEB_AGENT, WEB_SDK, DingTalkChannel
from bots.dingtalk.routes import dingtalk_routes
from bots.feishu import sign_on as feishu_sign_on
from bots.feishu.client import FeishuChannel, Rates
from bots.feishu.routes import feishu_routes
from bots.feishu.stream import FeishuStream
from bots.web.channel import WebChannel
from bots.web.gate import PATH
from bots.web.routes import Page, make_page
from bots.web.web_view import WebView
from bots.wecom.client import WeComChannel
from bots.wecom.pace import Pace
from bots.wecom.routes import app_routes
from bots.wecom.service import AiBot
from core import views
from core.access import Access, Person
from core.agent import Agent
from core.agent.history import History
from core.audit import Audit
from core.cards import Card
from core.channel import Channel
from core.commands import Commands, deciding, looking
from core.delivery import Delivery
from core.engine import Engine
from core.execution import Execution
from core.http import Http
from core.i18n import closest, words
from core.inbox import Inbox
from core.lanes import Lanes
from core.messages import Event
from core.observe import READY
from core.proposals import Proposals
from core.results import Proposal
from core.schedulers.base import Scheduler
from core.schedulers.fleet import Fleet
from core.sent_cards import SentCards
from core.settings import SchedulerConnection, Settings
from core.store import Store
from core.store.migrate import upgrade
from core.tools.act import Act
from core.tools.look import Look
from core.work import Work

DRAIN_SECONDS = 10.0
"""How long answers under way may take to end when the process is asked to stop."""


def now() -> datetime:
    """The present, in UTC."""
    return datetime.now(UTC)


class Application:
    """Everything but HTTP.

    Args:
        settings: checked settings.
        channels: further channels beside those of the settings; `xops chat` brings the terminal.
    """

    def __init__(self, settings: Settings, channels: Sequence[Channel] = ()) -> None:
        self.settings = settings
        self.zone = ZoneInfo(settings.zone)
        self.owner = f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}"
        self.store = Store(settings.storage.url.get_secret_value())
        self.http = Http()
        self.access = Access(settings.people)
        self.fleet = Fleet([build_scheduler(connection, self) for connection in settings.schedulers])
        self._work_started: asyncio.Task[None] | None = None
        self._warming: asyncio.Task[None] | None = None
        self.web = WebChannel(self.store, clock=now)
        self.feishu = build_feishu(settings, self.http) if settings.feishu.app_id else None
        self.dingtalk = build_dingtalk(settings, self.http, self.store) if settings.dingtalk.client_id else None
        self.wecom = build_wecom(settings, self.http, self.store) if settings.wecom.corp_id else None
        self.wecom_bot = build_wecom_bot(self) if settings.wecom_bot.bot_id else None
        talking = self.wecom_bot.channel if self.wecom_bot is not None else None
        known = (self.web, self.feishu, self.dingtalk, self.wecom, talking, *channels)
        configured = [channel for channel in known if channel is not None]
        self._build_core({channel.name: channel for channel in configured})
        self.feishu_stream = self._build_feishu_stream()

    def _build_core(self, channels: Mapping[str, Channel]) -> None:
        settings, lease = self.settings, self.settings.storage.lease_seconds
        self.audit = Audit(self.store, clock=now)
        self.work = Work(self.store, owner=self.owner, lease_seconds=lease)
        self.delivery = Delivery(channels, self.store)
        self.proposals = Proposals(self.store, clock=now)
        self.look = Look(self.fleet, self.access, clock=build_clock(settings))
        self.act = Act(self.look, self.access, self.proposals)
        self.history = History(self.store)
        self.agent = Agent(settings.model, self.look, self.act, self.history)
        self.execution = Execution(
            self.proposals,
            self.fleet,
            self.access,
            self.work,
            self.delivery,
            self.audit,
            render=self._proposal_card,
            clock=now,
        )
        self.engine = Engine(
            self.access,
            Commands(looking(self.look), deciding(self.look, self.act, self.execution)),
            self.agent,
            self.history,
            self.delivery,
            self.audit,
            language=settings.language,
            zone=self.zone,
            clock=now,
        )
        lanes = Lanes()
        self.inbox = Inbox(
            self.store, lanes, self.engine.handle, self.engine.busy, owner=self.owner, lease_seconds=lease
        )

    def _build_feishu_stream(self) -> FeishuStream | None:
        settings = self.settings
        if self.feishu is None or settings.feishu.mode != "stream":
            return None
        accept, limit = self.inbox.accept, settings.server.body_limit
        return FeishuStream(settings.feishu, self.http, self.feishu, accept, body_limit=limit)

    async def start(self) -> None:
        """Open what is needed to answer."""
        await upgrade(self.store)
        await self.http.start()

    async def start_accepting(self) -> None:
        """Take over what an earlier process left, accept events, and start durable work in the background."""
        await self.inbox.start()
        if self.feishu is not None:
            await self.feishu.start()
        if self.dingtalk is not None:
            await self.dingtalk.start(self.inbox.accept)
        if self.wecom is not None:
            await self.wecom.start()
        if self.wecom_bot is not None:
            await self.wecom_bot.start(self.inbox.accept)
        if self.feishu_stream is not None:
            await self.feishu_stream.start()
        self._work_started = asyncio.create_task(self._start_work())
        if self.settings.model.name:
            self._warming = asyncio.create_task(self.agent.warm())

    async def stop(self) -> None:
        """Take nothing more, finish what is under way, then let go of everything."""
        if self.feishu_stream is not None:
            await self.feishu_stream.stop()
        if self.dingtalk is not None:
            await self.dingtalk.stop()
        if self._warming is not None:
            self._warming.cancel()
            await asyncio.wait({self._warming})
        if self._work_started is not None:
            await self.inbox.stop()
            await self._work_started
            await self.work.stop()
        if self.feishu is not None:
            await self.feishu.stop()
        if self.wecom is not None:
            await self.wecom.stop()
        if self.wecom_bot is not None:
            await self.wecom_bot.stop()
        await self.fleet.close()
        await self.http.stop()
        await self.store.stop()

    async def answer(self, event: Event) -> None:
        """Answer one event here and now, without the journal: for a terminal, whose person asks again if it dies."""
        await self.store.write(await self.engine.handle(event))

    async def home(self, person: Person) -> Card:
        """The overview that the web page shows on top, in the person's language."""
        result = await self.look.overview(person)
        return views.show(result, words(person.language or self.settings.language), self.zone, person)

    async def page(self) -> Page:
        """The web page around this assistant."""
        return await make_page(
            self.web,
            self.settings,
            accept=self.inbox.accept,
            access=self.access,
            home=self.home,
            clock=now,
            views=self._web_views(),
        )

    def _web_views(self) -> Sequence[WebView]:
        """Messengers inside which the page knows people without a token."""
        found: list[WebView] = []
        if self.feishu is not None:
            own = self.settings.feishu
            identify = partial(feishu_sign_on.identify, own, self.http)
            found.append(WebView("feishu", feishu_sign_on.AGENT, feishu_sign_on.SDK, own.app_id, identify))
        if self.dingtalk is not None and self.settings.dingtalk.corp_id:
            corp_id = self.settings.dingtalk.corp_id
            found.append(WebView("dingtalk", WEB_AGENT, WEB_SDK, corp_id, self.dingtalk.identify))
        return found

    async def _start_work(self) -> None:
        await self.work.start()
        await self.execution.resume()

    def _proposal_card(self, proposal: Proposal, language: str, person: Person) -> Card:
        return views.show(proposal, words(closest(language)), self.zone, person)


def build_feishu(settings: Settings, http: Http) -> FeishuChannel:
    """The Feishu app's bot, no faster than its quota."""
    own = settings.feishu
    rates = Rates(own.calls_per_second, own.calls_per_minute, own.calls_per_chat)
    return FeishuChannel(own, http, page=page_address(settings), rates=rates)


def build_dingtalk(settings: Settings, http: Http, store: Store) -> DingTalkChannel:
    """The DingTalk app's robot."""
    sent, address = SentCards(store, DingTalkChannel.name), settings.server.public_url
    return DingTalkChannel(settings.dingtalk, http, sent, language=settings.language, public_url=address)


def build_wecom(settings: Settings, http: Http, store: Store) -> WeComChannel:
    """The WeCom app, no faster than what WeCom delivers."""
    own, say = settings.wecom, words(settings.language)
    pace = Pace(say, own.per_member_minute, own.per_member_hour)
    return WeComChannel(own, http, SentCards(store, WeComChannel.name), say, page=page_address(settings), pace=pace)


def build_wecom_bot(application: Application) -> AiBot:
    """The WeCom AI bot, on whichever line its settings name."""
    settings = application.settings
    return AiBot(
        settings.wecom_bot,
        application.http,
        application.store,
        words(settings.language),
        owner=application.owner,
        lease_seconds=settings.storage.lease_seconds,
        page=page_address(settings),
    )


def page_address(settings: Settings) -> str:
    """Where cards lead people to; empty when phones cannot reach this server."""
    public = settings.server.public_url.rstrip("/")
    return f"{public}{PATH}" if public else ""


def build_scheduler(connection: SchedulerConnection, application: Application) -> Scheduler:
    """The scheduler behind a connection; its module is imported only when it is configured."""
    zone = ZoneInfo(connection.zone or application.settings.zone)
    if connection.kind == "airflow":
        from core.schedulers.airflow import AirflowScheduler

        return AirflowScheduler(connection, application.http, zone=zone, clock=now)
    from core.schedulers.simulated import SimulatedScheduler

    return SimulatedScheduler(connection, zone=zone, clock=now)


def build_clock(settings: Settings) -> Callable[[], datetime]:
    """The present as it is told to people: the wall clock, but in the demonstration the clock of its simulated night."""
    if any(connection.kind != "simulated" for connection in settings.schedulers):
        return now
    from core.schedulers.simulated.clock import simulated

    zone = ZoneInfo(settings.zone)
    return lambda: simulated(now().astimezone(zone))


@asynccontextmanager
async def running(
    settings: Settings, *, accepting: bool, channels: Sequence[Channel] = ()
) -> AsyncGenerator[Application]:
    """The assistant, started, and stopped afterwards.

    Args:
        settings: checked settings.
        channels: see `Application`.
        accepting: also take events and carry out orders; a single question from the command line needs neither.
    """
    application = Application(settings, channels)
    await application.start()
    try:
        if accepting:
            await application.start_accepting()
        yield application
    finally:
        await application.stop()


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

    settings, accept, limit = application.settings, application.inbox.accept, application.settings.server.body_limit
    found = [web.get("/healthz", health), web.get("/readyz", ready), web.get("/metrics", metrics)]
    if application.feishu is not None and application.feishu_stream is None:
        found += feishu_routes(settings.feishu, application.feishu, accept, body_limit=limit)
    if application.dingtalk is not None:
        found += dingtalk_routes(settings.dingtalk, application.dingtalk, accept, body_limit=limit)
    if application.wecom is not None:
        found += app_routes(settings.wecom, application.wecom.sent, accept, body_limit=limit)
    if application.wecom_bot is not None:
        found += application.wecom_bot.routes(accept, body_limit=limit)
    return found


@asynccontextmanager
async def serving(settings: Settings) -> AsyncGenerator[tuple[str, str]]:
    """The assistant behind its HTTP server; yields the address it listens on, and the token that signs a person on."""
    async with running(settings, accepting=True) as application:
        server = web.Application(client_max_size=settings.server.body_limit)
        server.add_routes(routes(application))
        page = await application.page()
        page.add_to(server)
        runner = web.AppRunner(server, access_log=None, shutdown_timeout=DRAIN_SECONDS)
        await runner.setup()
        site = web.TCPSite(runner, settings.server.host, settings.server.port)
        await site.start()
        port = runner.addresses[0][1]
        gc.collect()
        gc.freeze()  # what start-up made lives for ever: looking through it again costs 100 ms pauses under load
        READY.set(1)
        try:
            yield f"http://{settings.server.host}:{port}", page.sign_on_token
        finally:
            READY.set(0)
            await runner.cleanup()
