"""The Feishu channel, for the contract every channel keeps."""

from types import TracebackType
from typing import Self

from bots.feishu.client import FeishuChannel
from core.http import Http
from core.messages import Actor, Conversation
from tests.contracts.channels import ChannelSubject
from tests.fakes.clock import Clock
from tests.fakes.feishu import FakeFeishu


class FeishuSubject(ChannelSubject):
    """Against the Feishu of the tests."""

    here = Conversation("feishu", "oc_group", "group")
    unknown = "om_unknown/group/"
    someone = Actor("feishu", "ou_ann", name="Ann")
    stranger = "ou_stranger"

    async def __aenter__(self) -> Self:
        clock = Clock()
        self._feishu = await FakeFeishu(clock=clock).__aenter__()
        self._http = Http()
        await self._http.start()
        self.channel = FeishuChannel(self._feishu.settings, self._http, sleep=clock.sleep)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.stop()
        await self._feishu.__aexit__(kind, error, trace)

    async def shown(self) -> list[str]:
        return [message.text for message in self._feishu.messages]

    async def labels(self) -> list[str]:
        return self._feishu.messages[-1].labels
