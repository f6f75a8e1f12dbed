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
from tests.contracts.wire import Json
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
        site.assistant.answers = False
        self._assistant = site.assistant
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

    async def say(self, text: str) -> None:
        await self._sent("messages", {"text": text})

    async def press(self, label: str) -> None:
        newest = (await self._cards())[-1]
        number = next(int(n) for n, said in re.findall(r'data-button="(\d+)">([^<]*)<', newest) if said == label)
        found = re.search(r'data-reference="([^"]+)"', newest)
        assert found is not None
        await self._sent("clicks", {"reference": found[1], "button": number, "form": {}})

    async def drawn(self) -> list[Json]:
        return [{"entry": (await self._cards())[-1]}]

    async def _sent(self, what: str, said: dict[str, object]) -> None:
        body = {"id": f"00000000-0000-4000-8000-{len(self.heard):012}", **said}
        status, answer = await self._visitor.post(what, body)
        self.wire.append({"brought": {"post": what, "body": body}, "answered": {"status": status, "body": answer}})
        self.heard.append(self._assistant.events[-1])

    async def _cards(self) -> list[str]:
        return re.findall(r'<article class="card card .*?</article>', await self._visitor.page(), re.DOTALL)
