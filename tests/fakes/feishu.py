"""A Feishu on loopback that keeps Feishu's rules, and people in it who talk to the bot.

    async with FakeFeishu() as feishu:
        feishu.webhook = "http://127.0.0.1:…/feishu/events"     # where the bot listens
        await feishu.say("oc_private", "ou_ann", "昨晚哪些任务失败了")
        await feishu.until(lambda: feishu.messages)
        await feishu.press(feishu.messages[0].id, "查看日志")

Rules and codes come from the reference of Feishu's API: tokens with a lifetime, sizes, card JSON 2.0 (`feishu_cards`),
idempotency by `uuid` for an hour, edits only of own cards, rates per app, chat and message, acknowledgements within
three seconds. `throttle=False` lifts the rates, for benchmarks.
"""

import asyncio
import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import aiohttp

from tests.fakes import feishu_events as events
from tests.fakes.feishu_api import BOT, BOT_NAME, FeishuApi, Sent
from tests.fakes.feishu_cards import buttons, walk

Json = dict[str, Any]

DEADLINE = 3.0


@dataclass(frozen=True)
class Delivery:
    """One request to the bot and how it answered. Feishu counts anything but a 200 within three seconds as a failure."""

    payload: Json
    status: int
    body: bytes
    seconds: float

    @property
    def ok(self) -> bool:
        """Whether Feishu is content."""
        return self.status == 200 and self.seconds <= DEADLINE

    @property
    def answer(self) -> Json:
        """The answer's JSON."""
        return json.loads(self.body)


class FakeFeishu(FeishuApi):
    """The API, and people who use the chats. See the module.

    Attributes:
        webhook: where the bot listens.
        deliveries: every request to the bot.
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
    def failures(self) -> list[Delivery]:
        """Requests the bot answered wrongly or late."""
        return [delivery for delivery in self.deliveries if not delivery.ok]

    async def say(
        self,
        chat: str,
        user: str,
        text: str,
        *,
        mention: bool = True,
        times: int = 1,
        parent: str = "",
        thread: str = "",
    ) -> Delivery:
        """Write to the bot: in a private chat, or in a group (mentioning it, unless told otherwise)."""
        group = self.chats[chat] == "group" and mention
        mentions = [events.mention("@_user_1", BOT, BOT_NAME, bot=True)] if group else []
        content = {"text": f"@_user_1 {text}" if group else text}
        return await self.post(
            chat, user, "text", content, mentions=mentions, times=times, parent=parent, thread=thread
        )

    async def post(
        self,
        chat: str,
        user: str,
        kind: str,
        content: Json,
        *,
        mentions: list[Json] | None = None,
        forwarded: "list[Sent] | None" = None,
        times: int = 1,
        parent: str = "",
        thread: str = "",
        sender_type: str = "user",
    ) -> Delivery:
        """Send a message of any kind to a chat the bot is in, and bring it to the bot, `times` times at once."""
        message = self.store(chat, user, kind, json.dumps(content, ensure_ascii=False), thread=thread, parent=parent)
        message.mentions = mentions or []
        message.forwarded = forwarded or []
        told: Json = {
            "message_id": message.id,
            "create_time": str(int(message.at * 1000)),
            "chat_id": chat,
            "chat_type": self.chats[chat],
            "message_type": kind,
            "content": message.contents[0],
        }
        told |= {"mentions": mentions} if mentions else {}
        told |= {"parent_id": parent, "root_id": parent} if parent else {}
        told |= {"thread_id": thread} if thread else {}
        sender = {"sender_id": events.person(user), "sender_type": sender_type, "tenant_key": events.TENANT}
        event = {"sender": sender, "message": told}
        payload = events.envelope("im.message.receive_v1", event, self.settings, int(message.at * 1000))
        return (await asyncio.gather(*(self.deliver(payload) for _ in range(times))))[0]

    async def press(
        self, message_id: str, what: str, *, user: str = "ou_ann", form: Mapping[str, object] | None = None
    ) -> Delivery:
        """Press what is labelled so, or the first that carries this command. Forms are filled in by the inputs' labels."""
        message = self.all[message_id]
        offered = buttons(message.card)
        button = offered.get(what) or next(b for b in offered.values() if _command(b) == what)
        filled = {_name_of(message.card, label): value for label, value in (form or {}).items()}
        event = events.click(user, message.chat, message.id, events.pressed(button, filled))
        return await self.deliver(
            events.envelope("card.action.trigger", event, self.settings, int(self.clock() * 1_000_000))
        )

    async def challenge(self) -> Delivery:
        """Check the bot's address, as Feishu does when it is saved: encrypted, but not signed."""
        token = self.settings.verification_token.get_secret_value()
        payload = {"challenge": secrets.token_hex(8), "token": token, "type": "url_verification"}
        return await self.request(
            events.sealed_body(payload, self.settings), {"Content-Type": "application/json"}, payload
        )

    async def deliver(self, payload: Json) -> Delivery:
        """Bring a payload to the bot, encrypted and signed."""
        body = events.sealed_body(payload, self.settings)
        return await self.request(body, events.signed(body, self.settings, self.clock()), payload)

    async def request(self, body: bytes, headers: Mapping[str, str], payload: Json | None = None) -> Delivery:
        """Post bytes to the bot and measure its answer."""
        started = time.perf_counter()
        async with self._people.post(self.webhook, data=body, headers=headers) as answer:
            content = await answer.read()
        delivery = Delivery(payload or {}, answer.status, content, time.perf_counter() - started)
        self.deliveries.append(delivery)
        return delivery


def _command(button: Json) -> str:
    """The command a button or a menu's option carries; empty for links."""
    said = [button.get("value"), *(behaviour.get("value") for behaviour in button.get("behaviors", ()))]
    values = [json.loads(value) if isinstance(value, str) else value for value in said if value]
    return values[0]["command"] if values else ""


def _name_of(card: Json, label: str) -> str:
    """The name of the input with this label: its own, or the one right after a label of its own."""
    before = ""
    for component in walk(card):
        own = component.get("label", {}).get("content", "")
        if "name" in component and label in (own, before) and component["tag"] not in {"button", "form"}:
            return component["name"]
        if component["tag"] == "plain_text":
            before = component["content"]
    raise KeyError(label)
