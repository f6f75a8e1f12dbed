"""The WeCom app and the WeCom AI bot, for the contract every channel keeps."""

import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self, TypeVar

from bots.wecom.bot import WeComBotChannel
from bots.wecom.client import WeComChannel
from bots.wecom.hearing import Hearing
from bots.wecom.pace import Pace
from bots.wecom.stream import LongConnection
from core.http import Http
from core.i18n import words
from core.leases import Leases
from core.messages import Actor, Conversation, Event
from core.sent_cards import SentCards
from core.store import Store
from core.store.tables import declared
from tests.contracts.channels import ChannelSubject
from tests.fakes.clock import Clock
from tests.fakes.wecom import FakeWeCom
from tests.fakes.wecom_bot import FakeWeComBot

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
        self._wecom = await self._stack.enter_async_context(FakeWeCom(clock=clock))
        store = await opened_store(self._stack)
        http = Http()
        await http.start()
        self._stack.push_async_callback(http.stop)
        say = words("zh-CN")
        pace = Pace(say, 28, 950, clock=clock, sleep=clock.sleep)
        sent = SentCards(store, "wecom")
        self.channel = WeComChannel(self._wecom.settings, http, sent, say, page=PAGE, pace=pace, sleep=clock.sleep)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def shown(self) -> list[str]:
        return ["\n".join(message.text for message in card) for card in whole_cards(self._wecom.messages)]

    async def labels(self) -> list[str]:
        return [label for message in whole_cards(self._wecom.messages)[-1] for label in message.labels]


class WeComBotSubject(ChannelSubject):
    """The AI bot, over its long connection."""

    here = Conversation("wecom_bot", "ann")
    unknown = "0" * 40
    someone = Actor("wecom_bot", "ann")
    stranger = "stranger"

    async def __aenter__(self) -> Self:
        self._stack = AsyncExitStack()
        self._wecom = await self._stack.enter_async_context(FakeWeComBot())
        self._wecom.known_chats.add("ann")
        store = await opened_store(self._stack)
        http = Http()
        await http.start()
        self._stack.push_async_callback(http.stop)
        line = LongConnection(self._wecom.settings, http, Leases(store, owner="me", seconds=15))
        say = words("zh-CN")
        self.channel = WeComBotChannel(line, SentCards(store, "wecom_bot"), say, page=PAGE, pace=Pace(say, 28, 950))
        await line.start(Hearing("", self.channel, _nothing).take)
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


async def _nothing(_event: Event) -> bool:
    return True


class Message(Protocol):
    """A message on either fake."""

    @property
    def is_card(self) -> bool: ...


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


async def opened_store(stack: AsyncExitStack) -> Store:
    """A database of the subject's own."""
    folder = stack.enter_context(tempfile.TemporaryDirectory())
    store = Store(f"sqlite:///{Path(folder)}/xops.sqlite")
    stack.push_async_callback(store.stop)
    await store.write(declared().create_all)
    return store
