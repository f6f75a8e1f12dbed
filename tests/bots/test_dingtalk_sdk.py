"""The vendor's own SDK on the other side of the wire: it works with the fake gateway, and answers frames as we do."""

import asyncio
import os
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from core.cards import Button, Buttons, Card
from core.messages import Conversation
from tests.bots.dingtalk_bot import connected
from tests.fakes.dingtalk import FakeDingTalk

BOT = """
import asyncio, sys, dingtalk_stream as sdk

class Messages(sdk.ChatbotHandler):
    async def process(self, callback):
        message = sdk.ChatbotMessage.from_dict(callback.data)
        return 200, f"{message.sender_staff_id} in {message.conversation_type}: {message.text.content.strip()}"

class Cards(sdk.CallbackHandler):
    async def process(self, callback):
        pressed = sdk.CardCallbackMessage.from_dict(callback.data)
        return 200, {"user": pressed.user_id, "card": pressed.card_instance_id, "content": pressed.content}

client = sdk.DingTalkStreamClient(sdk.Credential(sys.argv[1], sys.argv[2]))
client.register_callback_handler(sdk.ChatbotMessage.TOPIC, Messages())
client.register_callback_handler(sdk.CallbackHandler.TOPIC_CARD_CALLBACK, Cards())
asyncio.run(client.start())
"""


@pytest.fixture
async def dingtalk() -> AsyncGenerator[FakeDingTalk]:
    async with FakeDingTalk() as fake:
        yield fake


@asynccontextmanager
async def vendors_bot(dingtalk: FakeDingTalk) -> AsyncGenerator[None]:
    """A bot made of the SDK alone, connected; in a process of its own, since it blocks the loop it runs on."""
    app = dingtalk.settings
    environment = {**os.environ, "DINGTALK_OPENAPI_ENDPOINT": app.api, "NO_PROXY": "127.0.0.1"}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", BOT, app.client_id, app.client_secret.get_secret_value()),
        env=environment,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await dingtalk.until(lambda: dingtalk.connections, within=30)
        yield
    finally:
        process.kill()
        await process.wait()


async def test_the_sdk_reads_what_the_fake_sends(dingtalk: FakeDingTalk) -> None:
    async with vendors_bot(dingtalk):
        said = await dingtalk.say("cidGroup==", "ann", "hello")
        request = {"actionId": "press", "params": {"command": "log"}}
        pressed = await dingtalk.click("card-1", "bob", request, extension="{}")

    assert (said.code, said.answer) == (200, "ann in 2: hello")
    content = {"cardPrivateData": {"actionIds": ["press"], "params": {"command": "log"}}}
    assert (pressed.code, pressed.answer) == (200, {"user": "bob", "card": "card-1", "content": content})


async def shapes(dingtalk: FakeDingTalk) -> list[dict[str, Any]]:
    """Acknowledgements of one frame of each kind, without what differs by content."""
    ping = await dingtalk.frame("SYSTEM", "ping", {"opaque": "1"})
    message = dingtalk.message("ann", "ann") | {"msgtype": "text", "text": {"content": "hi"}}
    said = await dingtalk.frame("CALLBACK", "/v1.0/im/bot/messages/get", message)
    return [
        {
            **answer,
            "headers": sorted(answer["headers"]),
            "data": type(answer["data"]),
            "message": type(answer["message"]),
        }
        for answer in (ping, said)
    ]


async def test_our_acknowledgements_look_like_the_sdks(dingtalk: FakeDingTalk) -> None:
    async with vendors_bot(dingtalk):
        theirs = await shapes(dingtalk)
    await dingtalk.until(lambda: not dingtalk.connections)
    async with connected(dingtalk):
        ours = await shapes(dingtalk)

    assert ours == theirs


async def test_two_bots_of_one_app_share_what_arrives(dingtalk: FakeDingTalk) -> None:
    """DingTalk picks a connection at random, so replicas share a journal; a press may come to either."""
    async with connected(dingtalk) as first, connected(dingtalk) as second:
        await dingtalk.until(lambda: len(dingtalk.connections) == 2)
        card = Card("T", (Buttons((Button("Log", "log"),)),))
        await first.channel.send(Conversation("dingtalk", "ann"), card, key="k")
        await asyncio.gather(*(dingtalk.press(dingtalk.messages[0], "Log") for _ in range(40)))

        assert first.accepted
        assert second.accepted
        assert len(first.accepted) + len(second.accepted) == 40
        assert dingtalk.failures == []
