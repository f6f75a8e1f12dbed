"""The DingTalk channel, for the contract every channel keeps: with a card template, and without one."""

from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from bots.dingtalk.client import DingTalkChannel
from core.messages import Actor, Conversation
from core.sent_cards import SentCards
from tests.contracts.channels import ChannelSubject
from tests.contracts.wecom_subject import PAGE, opened_store
from tests.contracts.wire import Wiretap
from tests.fakes.clock import Clock
from tests.fakes.dingtalk import Delivery, FakeDingTalk
from tests.waiting import eventually


class DingTalkSubject(ChannelSubject):
    """Against the DingTalk of the tests, answering in cards."""

    here = Conversation("dingtalk", "cidGroup==", "group")
    unknown = f"xops-{'0' * 32}.cidGroup=="
    someone = Actor("dingtalk", "ann", name="Ann")
    stranger = "stranger"
    template = True

    async def __aenter__(self) -> Self:
        clock = Clock()
        self._stack = AsyncExitStack()
        self._dingtalk = await self._stack.enter_async_context(FakeDingTalk(clock=clock))
        sent = SentCards(await opened_store(self._stack), "dingtalk")
        http = Wiretap(self.wire)
        await http.start()
        self._stack.push_async_callback(http.stop)
        settings = self._dingtalk.settings
        if not self.template:
            settings = settings.model_copy(update={"card_template_id": ""})
        self.channel = DingTalkChannel(settings, http, sent, page=PAGE, sleep=clock.sleep, clock=clock)
        await self.channel.start(self.hear)
        self._stack.push_async_callback(self.channel.stop)
        await eventually(lambda: self._dingtalk.connections)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def shown(self) -> list[str]:
        return [message.text for message in self._dingtalk.messages]

    async def labels(self) -> list[str]:
        return self._dingtalk.messages[-1].labels

    async def say(self, text: str) -> None:
        self._note(await self._dingtalk.say(self.here.id, "ann", text))

    async def press(self, label: str) -> None:
        self._note(await self._dingtalk.press(self._dingtalk.messages[-1], label))

    def _note(self, delivery: Delivery) -> None:
        self.wire.append({"brought": delivery.data, "answered": delivery.answer})


class PlainDingTalkSubject(DingTalkSubject):
    """Without a card template: markdown messages whose buttons are links."""

    unknown = f"dingtalk/{'0' * 32}"
    template = False
