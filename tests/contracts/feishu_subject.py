"""The Feishu channel, for the contract every channel keeps."""

from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from aiohttp import web
from aiohttp.test_utils import TestServer

from bots.feishu.client import FeishuChannel
from bots.feishu.routes import feishu_routes
from core.messages import Actor, Conversation
from tests.contracts.channels import ChannelSubject
from tests.contracts.wire import Wiretap
from tests.fakes.clock import Clock
from tests.fakes.feishu import Delivery, FakeFeishu

PAGE = "https://xops.example/mobile/ops/chat"


class FeishuSubject(ChannelSubject):
    """Against the Feishu of the tests."""

    here = Conversation("feishu", "oc_group", "group")
    unknown = "om_unknown/group/"
    someone = Actor("feishu", "ou_ann", name="Ann")
    stranger = "ou_stranger"

    async def __aenter__(self) -> Self:
        clock = Clock()
        self._stack = AsyncExitStack()
        self._feishu = await self._stack.enter_async_context(FakeFeishu(clock=clock))
        http = Wiretap(self.wire)
        await http.start()
        self._stack.push_async_callback(http.stop)
        settings = self._feishu.settings.model_copy(update={"bot_open_id": "ou_bot"})
        self.channel = FeishuChannel(settings, http, page=PAGE, sleep=clock.sleep)
        application = web.Application()
        routes = feishu_routes(settings, self.channel, self.hear, body_limit=64 * 1024, clock=clock)
        application.add_routes(routes)
        server = await self._stack.enter_async_context(TestServer(application))
        self._feishu.webhook = str(server.make_url("/feishu/events"))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def shown(self) -> list[str]:
        return [message.text for message in self._feishu.messages]

    async def labels(self) -> list[str]:
        return self._feishu.messages[-1].labels

    async def say(self, text: str) -> None:
        self._note(await self._feishu.say(self.here.id, "ou_ann", text))

    async def press(self, label: str) -> None:
        self._note(await self._feishu.press(self._feishu.messages[-1].id, label))

    def _note(self, delivery: Delivery) -> None:
        self.wire.append({"brought": delivery.payload, "answered": delivery.answer})
