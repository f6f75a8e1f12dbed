"""The web page, for the contract every channel keeps."""

import re
from contextlib import AsyncExitStack
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self

from core.messages import Actor
from core.store import Store
from core.store.tables import declared
from tests.contracts.channels import ChannelSubject
from tests.fakes.web import CONVERSATION, Markup, running, visiting


class WebSubject(ChannelSubject):
    """As a signed-on browser sees it after a reload."""

    here = CONVERSATION
    unknown = "0" * 32
    someone = Actor("web", "demo")
    stranger = "nobody"

    async def __aenter__(self) -> Self:
        self._stack = AsyncExitStack()
        store = Store(f"sqlite:///{self._stack.enter_context(TemporaryDirectory())}/xops.sqlite")
        self._stack.push_async_callback(store.stop)
        await store.write(declared().create_all)
        site = await self._stack.enter_async_context(running(store))
        self._visitor = await self._stack.enter_async_context(visiting(site))
        await self._visitor.sign_on()
        self.channel = site.channel
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def shown(self) -> list[str]:
        texts = [Markup(card).text for card in await self._cards()]
        return ["\n".join(filter(None, map(str.strip, text.splitlines()))) for text in texts]

    async def labels(self) -> list[str]:
        return re.findall(r'data-button="\d+">([^<]*)<', (await self._cards())[-1])

    async def _cards(self) -> list[str]:
        return re.findall(r'<article class="card card .*?</article>', await self._visitor.page(), re.DOTALL)
