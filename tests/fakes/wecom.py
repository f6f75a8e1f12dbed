"""A WeCom on loopback that keeps WeCom's rules for a self-built app, and members who talk to it.

    async with FakeWeCom() as wecom:
        wecom.webhook = "http://127.0.0.1:…/wecom/app"        # where the app listens
        await wecom.say("ann", "昨晚哪些任务失败了")
        await wecom.until(lambda: wecom.cards)
        await wecom.press(wecom.cards[0], "查看日志")

Callbacks are encrypted and signed, come up to three times when they are not answered with 200 within five seconds, and
carry a fresh `response_code` with each click.
"""

import asyncio
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from xml.sax.saxutils import escape

import aiohttp

from tests.fakes.wecom_api import Sent, WeComApi
from tests.fakes.wecom_cards import key_of, lists
from tests.fakes.wecom_crypto import Crypto

DEADLINE = 5.0


@dataclass(frozen=True)
class Delivery:
    """One callback and how it was answered. WeCom counts anything but a 200 within five seconds as a failure."""

    status: int
    body: bytes
    seconds: float

    @property
    def ok(self) -> bool:
        """Whether WeCom is content."""
        return self.status == 200 and self.seconds <= DEADLINE


class FakeWeCom(WeComApi):
    """The API, and members who use the app. See the module.

    Attributes:
        webhook: where the app listens.
        deliveries: every callback.
    """

    def __init__(self, *, clock: Callable[[], float] = time.time, throttle: bool = True) -> None:
        super().__init__(clock=clock, throttle=throttle)
        self.webhook = ""
        self.deliveries: list[Delivery] = []

    async def __aenter__(self) -> Self:
        self._people = aiohttp.ClientSession()
        return await super().__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._people.close()
        await super().__aexit__(kind, error, trace)

    @property
    def crypto(self) -> Crypto:
        """The keys of the callback address."""
        settings = self.settings
        return Crypto(
            settings.callback_token.get_secret_value(), settings.encoding_aes_key.get_secret_value(), settings.corp_id
        )

    @property
    def failures(self) -> list[Delivery]:
        """Callbacks the app answered wrongly or late."""
        return [delivery for delivery in self.deliveries if not delivery.ok]

    async def say(self, user: str, text: str, *, times: int = 1) -> Delivery:
        """Write to the app; `times` times at once, as redeliveries come."""
        inner = self.inner(user, MsgType="text", Content=text, MsgId=str(secrets.randbits(63)))
        return (await asyncio.gather(*(self.deliver(inner) for _ in range(times))))[0]

    async def press(
        self, message: Sent, label: str, *, choose: Mapping[str, str] | None = None, menu: bool = False, times: int = 1
    ) -> Delivery:
        """Press a button of a card, or an entry of its menu, after choosing in its lists by what their options show."""
        card = message.content
        items = "".join(_selected(one["question_key"], _option(one, choose or {})) for one in lists(card))
        inner = self.inner(
            message.user,
            MsgType="event",
            Event="template_card_menu_event" if menu else "template_card_event",
            EventKey=key_of(card, label),
            TaskId=card["task_id"],
            CardType=card["card_type"],
            ResponseCode=self.new_code(message),
        )
        inner = inner.replace("</xml>", f"<SelectedItems>{items}</SelectedItems></xml>" if items else "</xml>")
        return (await asyncio.gather(*(self.deliver(inner) for _ in range(times))))[0]

    async def check_address(self, **changed: str) -> Delivery:
        """Check the app's address, as WeCom does when it is saved; `changed` replaces parts of the query."""
        sealed = self.crypto.seal("1234567890")
        query = self.crypto.query(sealed, self.clock()) | {"echostr": sealed} | changed
        return await self._asked("GET", query)

    def inner(self, user: str, **parts: str) -> str:
        """The inside of a callback."""
        common = {"ToUserName": self.settings.corp_id, "FromUserName": user, "CreateTime": str(int(self.clock()))}
        common["AgentID"] = str(self.settings.agent_id)
        tags = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in (common | parts).items())
        return f"<xml>{tags}</xml>"

    async def deliver(self, inner: str) -> Delivery:
        """Bring a callback to the app, encrypted and signed anew, up to three times until it is answered."""
        delivery = await self._deliver_once(inner)
        for _ in range(2):
            if not delivery.ok:
                delivery = await self._deliver_once(inner)
        return delivery

    def outer(self, sealed: str) -> bytes:
        """The body of a callback."""
        settings = self.settings
        return (
            f"<xml><ToUserName><![CDATA[{settings.corp_id}]]></ToUserName><AgentID><![CDATA[{settings.agent_id}]]>"
            f"</AgentID><Encrypt><![CDATA[{sealed}]]></Encrypt></xml>"
        ).encode()

    async def request(self, body: bytes, query: Mapping[str, str]) -> Delivery:
        """Post bytes to the app and measure its answer."""
        return await self._asked("POST", query, body)

    async def _deliver_once(self, inner: str) -> Delivery:
        sealed = self.crypto.seal(inner)
        return await self.request(self.outer(sealed), self.crypto.query(sealed, self.clock()))

    async def _asked(self, method: str, query: Mapping[str, str], body: bytes | None = None) -> Delivery:
        started = time.perf_counter()
        headers = {"Content-Type": "text/xml"}
        async with self._people.request(method, self.webhook, data=body, params=query, headers=headers) as answer:
            content = await answer.read()
        delivery = Delivery(answer.status, content, time.perf_counter() - started)
        self.deliveries.append(delivery)
        return delivery


def _option(one: dict[str, object], choose: Mapping[str, str]) -> str:
    """The id of what is chosen in a list: by its title, or what it shows when nobody touches it."""
    wanted = choose.get(str(one["title"]))
    options: list[dict[str, str]] = one["option_list"]  # pyright: ignore[reportAssignmentType]
    return next((option["id"] for option in options if option["text"] == wanted), str(one["selected_id"]))


def _selected(key: str, option: str) -> str:
    return f"<SelectedItem><QuestionKey>{key}</QuestionKey><OptionIds><OptionId>{option}</OptionId></OptionIds></SelectedItem>"
