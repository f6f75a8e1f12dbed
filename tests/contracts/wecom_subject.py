"""The WeCom app and the WeCom AI bot, for the contract every channel keeps."""

import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self, TypeVar

from aiohttp import web
from aiohttp.test_utils import TestServer

from bots.wecom.bot import WeComBotChannel
from bots.wecom.client import WeComChannel
from bots.wecom.hearing import Hearing
from bots.wecom.pace import Pace
from bots.wecom.routes import app_routes
from bots.wecom.stream import LongConnection
from core.http import Http
from core.i18n import words
from core.leases import Leases
from core.messages import Actor, Conversation
from core.sent_cards import SentCards
from core.store import Store
from core.store.tables import declared
from tests.contracts.channels import ChannelSubject
from tests.contracts.wire import Json, Wiretap
from tests.fakes.clock import Clock
from tests.fakes.wecom import Delivery, FakeWeCom
from tests.fakes.wecom_bot import FakeWeComBot
from tests.waiting import eventually

PAGE = "https://xops.example/mobile/ops/chat"


class WeComSubject(ChannelSubject):
    """The self-built app, against the WeCom of the tests."""

    here = Conversation("wecom", "ann")
    unknown = "0" * 40
    someone = Actor("wecom", "ann", name="Ann")
    stranger = "stranger"

    async def __aenter__(self) -> Self:
        clock = Clock()
        self._stack = AsyncExitStack()
        self._wecom = await self._stack.enter_async_context(_OverheardWeCom(self.wire, clock))
        store = await opened_store(self._stack)
        http = Wiretap(self.wire)
        await http.start()
        self._stack.push_async_callback(http.stop)
        say = words("zh-CN")
        pace = Pace(say, 28, 950, clock=clock, sleep=clock.sleep)
        sent = SentCards(store, "wecom")
        settings = self._wecom.settings
        self.channel = WeComChannel(settings, http, sent, say, page=PAGE, pace=pace, sleep=clock.sleep)
        application = web.Application()
        application.add_routes(app_routes(settings, sent, self.hear, body_limit=64 * 1024, clock=clock))
        server = await self._stack.enter_async_context(TestServer(application))
        self._wecom.webhook = str(server.make_url("/wecom/app"))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def shown(self) -> list[str]:
        return ["\n".join(message.text for message in card) for card in whole_cards(self._wecom.messages)]

    async def labels(self) -> list[str]:
        return [label for message in whole_cards(self._wecom.messages)[-1] for label in message.labels]

    async def say(self, text: str) -> None:
        await self._wecom.say("ann", text)

    async def press(self, label: str) -> None:
        await self._wecom.press(*labelled(whole_cards(self._wecom.messages)[-1], label))


class WeComBotSubject(ChannelSubject):
    """The AI bot, over its long connection."""

    here = Conversation("wecom_bot", "ann")
    unknown = "0" * 40
    someone = Actor("wecom_bot", "ann")
    stranger = "stranger"

    async def __aenter__(self) -> Self:
        self._stack = AsyncExitStack()
        clock = Clock()
        self._wecom = await self._stack.enter_async_context(_OverheardBot(self.wire, clock))
        self._wecom.known_chats.add("ann")
        store = await opened_store(self._stack)
        http = Http()
        await http.start()
        self._stack.push_async_callback(http.stop)
        line = LongConnection(self._wecom.settings, http, Leases(store, owner="me", seconds=15))
        say = words("zh-CN")
        pace = Pace(say, 28, 950, clock=clock, sleep=clock.sleep)
        sent = SentCards(store, "wecom_bot")
        self.channel = WeComBotChannel(line, sent, say, page=PAGE, pace=pace, clock=clock)
        await line.start(Hearing("", self.channel, self.hear).take)
        self._stack.push_async_callback(line.stop)
        await self._wecom.until(lambda: self._wecom.online)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def shown(self) -> list[str]:
        return ["\n".join(message.text for message in card) for card in whole_cards(self._wecom.said)]

    async def labels(self) -> list[str]:
        return [label for message in whole_cards(self._wecom.said)[-1] for label in message.labels]

    async def say(self, text: str) -> None:
        before = len(self.heard)
        await self._wecom.say("ann", text)
        await eventually(lambda: len(self.heard) > before)

    async def press(self, label: str) -> None:
        before = len(self.heard)
        await self._wecom.press(*labelled(whole_cards(self._wecom.said)[-1], label))
        await eventually(lambda: len(self.heard) > before)


class _OverheardWeCom(FakeWeCom):
    """Writes down what it brings to the app, before it is encrypted."""

    def __init__(self, wire: list[Json], clock: Clock) -> None:
        super().__init__(clock=clock)
        self._wire = wire

    async def deliver(self, inner: str) -> Delivery:
        delivery = await super().deliver(inner)
        self._wire.append({"brought": inner, "answered": delivery.body.decode()})
        return delivery


class _OverheardBot(FakeWeComBot):
    """Writes down every frame, but those that keep the connection."""

    def __init__(self, wire: list[Json], clock: Clock) -> None:
        super().__init__(clock=clock)
        self._wire = wire

    async def _answer(self, connection: object, frame: Json) -> None:
        if frame["cmd"] not in {"aibot_subscribe", "ping"}:
            self._wire.append({"frame": frame})
        await super()._answer(connection, frame)  # pyright: ignore[reportArgumentType]

    async def _send(self, command: str, request: str, body: Json) -> None:
        self._wire.append({"brought": {"cmd": command, "headers": {"req_id": request}, "body": body}})
        await super()._send(command, request, body)


class Message(Protocol):
    """A message on either fake."""

    @property
    def is_card(self) -> bool: ...

    @property
    def labels(self) -> list[str]: ...


M = TypeVar("M", bound=Message)


def whole_cards(messages: list[M]) -> list[list[M]]:
    """Messages that belong together: texts, then the template cards below them."""
    found: list[list[M]] = []
    for message in messages:
        before = found[-1] if found else []
        continues = bool(before) and not before[0].is_card and (message.is_card or not before[-1].is_card)
        if continues:
            before.append(message)
        else:
            found.append([message])
    return found


def labelled(messages: list[M], label: str) -> tuple[M, str]:
    """The first button that says this, perhaps after the name of an entry, and the message it is on."""
    shown = [(message, said) for message in messages for said in message.labels]
    return next((message, said) for message, said in shown if said == label or said.endswith(f" {label}"))


async def opened_store(stack: AsyncExitStack) -> Store:
    """A database of the subject's own."""
    folder = stack.enter_context(tempfile.TemporaryDirectory())
    store = Store(f"sqlite:///{Path(folder)}/xops.sqlite")
    stack.push_async_callback(store.stop)
    await store.write(declared().create_all)
    return store
