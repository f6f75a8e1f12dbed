"""The AI bot by webhook: streams that WeCom asks for, edits within the acknowledgement, addresses good for one message."""

import asyncio
import json
import secrets
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from bots.wecom.bot import WeComBotChannel
from bots.wecom.pace import Pace
from bots.wecom.webhook import WebhookLine, bot_routes
from core.cards import Button, Buttons, Card, Text
from core.http import Http
from core.i18n import words
from core.messages import Click, Conversation, Event, Message
from core.sent_cards import SentCards
from core.settings import WeComBot
from core.store import Store
from tests.bots.journal import Journal
from tests.bots.wecom_app import PAGE
from tests.fakes.clock import Clock
from tests.fakes.wecom_crypto import Crypto, fresh_aes_key

Json = dict[str, Any]

ANN = Conversation("wecom_bot", "ann")
LOG = Buttons((Button("日志", "log"),))
TOKEN = "a-callback-token"


@dataclass
class Bench(Journal):
    """The bot's webhook, and WeCom around it. `posted` is what came to the addresses for one message."""

    channel: WeComBotChannel = field(kw_only=True)
    crypto: Crypto = field(kw_only=True)
    clock: Clock = field(kw_only=True)
    posted: list[Json] = field(default_factory=list[Json])
    url: str = ""
    replies: str = ""
    answer_clicks: bool = False

    async def accept(self, event: Event) -> bool:
        """Journal, and in some tests edit the pressed card right away."""
        new = await super().accept(event)
        if isinstance(event, Click) and self.answer_clicks:
            await self.channel.update(event.card, Card("Title", (Text("running"), LOG)), key=f"{event.key}:u")
        return new

    async def call(self, body: Json, **query: str) -> tuple[int, Json]:
        """Call the bot; returns the status and what it answered."""
        sealed = self.crypto.seal(json.dumps(body))
        asked = self.crypto.query(sealed, self.clock()) | query
        async with (
            aiohttp.ClientSession() as session,
            session.post(self.url, params=asked, json={"encrypt": sealed}) as answer,
        ):
            said = await answer.read()
        if not said:
            return answer.status, {}
        envelope = json.loads(said)
        sealed = envelope["encrypt"]
        assert envelope["nonce"] == asked["nonce"]
        assert envelope["msgsignature"] == self.crypto.sign(str(envelope["timestamp"]), envelope["nonce"], sealed)
        return answer.status, json.loads(self.crypto.open(sealed))

    def callback(self, text: str, **more: object) -> Json:
        """A callback of a person's message."""
        url = f"{self.replies}/reply/{secrets.token_hex(4)}"
        place = {"msgid": secrets.token_hex(8), "chattype": "single", "from": {"userid": "ann"}, "response_url": url}
        return {**place, "msgtype": "text", "text": {"content": text}, **more}

    def press(self, card: Json) -> Json:
        """A callback of a click on the first button."""
        event = {"card_type": card["card_type"], "event_key": card["button_list"][0]["key"], "task_id": card["task_id"]}
        return self.callback(
            "", msgtype="event", event={"eventtype": "template_card_event", "template_card_event": event}
        )


@pytest.fixture
async def bench(sqlite_store: Store) -> AsyncGenerator[Bench]:
    clock, http, say = Clock(), Http(), words("zh-CN")
    posted: list[Json] = []

    async def reply(request: web.Request) -> web.Response:
        posted.append(await request.json())
        return web.json_response({"errcode": 0, "errmsg": "ok"})

    application = web.Application()
    application.router.add_post("/reply/{code}", reply)
    async with TestServer(application) as replies:
        base = str(replies.make_url("")).rstrip("/")
        key = fresh_aes_key()
        settings = WeComBot(
            bot_id="bot-1",
            mode="webhook",
            callback_token=SecretStr(TOKEN),
            encoding_aes_key=SecretStr(key),
            replies=f"{base}/reply/",
        )
        await http.start()
        line = WebhookLine(settings, http, clock=clock)
        pace = Pace(say, 28, 950, clock=clock, sleep=clock.sleep)
        channel = WeComBotChannel(line, SentCards(sqlite_store, "wecom_bot"), say, page=PAGE, pace=pace, clock=clock)
        made = Bench(channel=channel, crypto=Crypto(TOKEN, key, ""), clock=clock, posted=posted, replies=base)
        served = web.Application()
        served.add_routes(bot_routes(settings, channel, line, made.accept, say, body_limit=65536, clock=clock))
        async with TestServer(served) as server:
            made.url = str(server.make_url("/wecom/bot"))
            yield made
        await http.stop()


def newest(bench: Bench) -> Message:
    event = bench.accepted[-1]
    assert isinstance(event, Message)
    return event


async def test_a_message_opens_a_stream_that_is_asked_for_until_it_ends(bench: Bench) -> None:
    status, opening = await bench.call(bench.callback("why?"))
    stream = opening["stream"]["id"]
    assert (status, opening["msgtype"], opening["stream"]["finish"]) == (200, "stream", False)
    asking = bench.callback("", msgtype="stream", stream={"id": stream})
    assert (await bench.call(asking))[1]["stream"]["finish"] is False

    key = newest(bench).key
    reference = await bench.channel.send(ANN, Card("Title", (Text("looking"),), pending=True), key=f"{key}:0")
    looking = (await bench.call(asking))[1]
    await bench.channel.update(reference, Card("Title", (Text("found"), LOG)), key=f"{key}:0:done")
    found = (await bench.call(asking))[1]

    assert (looking["stream"]["finish"], looking["stream"]["content"]) == (False, "**Title**\n\nlooking")
    assert (found["msgtype"], found["stream"]["finish"]) == ("stream_with_template_card", True)
    assert found["stream"]["content"] == "**Title**\n\nfound"
    assert found["template_card"]["button_list"][0]["text"] == "日志"
    assert {part["stream"]["id"] for part in (looking, found)} == {stream}
    assert (await bench.call(asking))[1]["stream"]["finish"] is True
    assert bench.posted == []


async def test_a_redelivered_message_opens_the_same_stream(bench: Bench) -> None:
    body = bench.callback("x")
    answers = await asyncio.gather(*(bench.call(body) for _ in range(3)))

    assert len(bench.accepted) == 1
    assert len({answer["stream"]["id"] for _, answer in answers if answer}) == 1


async def test_the_second_card_goes_to_the_address_that_came_along(bench: Bench) -> None:
    await bench.call(bench.callback("x"))
    key = newest(bench).key
    await bench.channel.send(ANN, Card("Title", (Text("one"),)), key=f"{key}:0")

    await bench.channel.send(ANN, Card("Second", (Text("two"), LOG)), key=f"{key}:1")

    assert [message["msgtype"] for message in bench.posted] == ["template_card"]


async def test_what_finds_no_way_waits_for_the_next_callback(bench: Bench) -> None:
    """A webhook's bot may not speak first: nothing is lost, and nothing is said twice."""
    await bench.channel.send(ANN, Card("Alarm", (Text("x"),)), key="alarm")
    assert bench.posted == []

    await bench.call(bench.callback("hello"))
    for _ in range(2):
        await bench.channel.say_waiting()

    assert len(bench.posted) == 1


async def test_an_address_of_somebody_else_is_never_called(bench: Bench) -> None:
    await bench.call(bench.callback("x", response_url=f"{bench.replies}.evil.example/reply/1"))

    await bench.channel.send(ANN, Card("Title", (Text("x"),)), key="k")

    assert len(await bench.channel.sent.waiting()) == 1


async def test_an_old_address_is_not_used(bench: Bench) -> None:
    await bench.call(bench.callback("x"))
    bench.clock.now += 3600

    await bench.channel.send(ANN, Card("Title", (Text("x"),)), key="k")

    assert bench.posted == []


async def test_a_click_is_acknowledged_with_the_edited_card(bench: Bench) -> None:
    await bench.call(bench.callback("x"))
    reference = await bench.channel.send(ANN, Card("Title", (Text("ask"), LOG)), key="k")
    bench.answer_clicks = True

    _, answer = await bench.call(bench.press(bench.posted[0]["template_card"]))

    assert bench.click.card == reference
    assert answer["response_type"] == "update_template_card"
    assert answer["template_card"]["sub_title_text"] == "running"
    assert answer["template_card"]["task_id"] == bench.posted[0]["template_card"]["task_id"]


async def test_wrong_signatures_and_nonsense_are_refused(bench: Bench) -> None:
    assert (await bench.call(bench.callback("x"), msg_signature="0" * 40))[0] == 401
    assert (await bench.call({"msgtype": "stream", "stream": []}))[0] == 400
    assert (await bench.call({"msgtype": "text", "text": {"content": "x"}}))[0] == 400
    assert (await bench.call({"msgtype": "event", "from": {"userid": "a"}, "event": {"eventtype": "enter_chat"}}))[
        0
    ] == 200
    assert bench.accepted == []


async def test_a_recorded_callback_cannot_be_played_back_later(bench: Bench) -> None:
    recorded = bench.crypto.query("", bench.clock()) | {"timestamp": str(int(bench.clock()) - 301)}
    late = {name: recorded[name] for name in ("timestamp", "nonce")}
    body = bench.callback("x")
    sealed = bench.crypto.seal(json.dumps(body))
    signature = bench.crypto.sign(late["timestamp"], late["nonce"], sealed)

    async with (
        aiohttp.ClientSession() as session,
        session.post(bench.url, params={**late, "msg_signature": signature}, json={"encrypt": sealed}) as answer,
    ):
        assert answer.status == 401
    assert bench.accepted == []


async def test_an_oversized_body_is_413(bench: Bench) -> None:
    assert (await bench.call(bench.callback("x" * 100_000)))[0] == 413
    assert bench.accepted == []
