"""The vendor's SDK against our imitation of Feishu: what it builds, `lark_oapi` reads; what `lark_oapi` sends, it answers.

The last tests are about its long connection: what we read and write is what it reads and writes, and why we keep our own.

Importing the SDK takes several seconds, so all of it is in this one module, imported by the one fixture.
"""

import asyncio
import json
import threading
import warnings
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, suppress
from importlib import import_module
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given

from bots.feishu.cards import render
from bots.feishu.frames import Frame, decode, encode
from core.cards import Button, Buttons, Card, Text
from tests.fakes.clock import Clock
from tests.fakes.feishu import FakeFeishu
from tests.fakes.feishu_events import click, envelope, mention, person, sealed_body, signed
from tests.fakes.feishu_stream import StreamingFeishu, frames
from tests.waiting import eventually

Json = dict[str, Any]

CARD = Card("From the SDK", (Text("hello"), Buttons((Button("Log", "log"),))))


@pytest.fixture(scope="module")
def lark() -> Generator[ModuleType]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the SDK's and its dependencies' own
        import lark_oapi
        from lark_oapi.ws import client
    yield lark_oapi
    client.loop.close()  # made by the import, and closed by nobody else


async def test_the_sdks_client_sends_edits_and_understands_refusals(lark: Any) -> None:
    from lark_oapi.api.im.v1 import (
        CreateMessageRequest,
        CreateMessageRequestBody,
        PatchMessageRequest,
        PatchMessageRequestBody,
    )

    async with FakeFeishu() as feishu:
        settings = feishu.settings
        client = (
            lark.Client.builder()
            .app_id(settings.app_id)
            .app_secret(settings.app_secret.get_secret_value())
            .domain(settings.domain)
            .build()
        )
        create = (
            CreateMessageRequest.builder()
            .receive_id_type("chat_id")
            .request_body(
                CreateMessageRequestBody.builder()
                .receive_id("oc_group")
                .msg_type("interactive")
                .content(render(CARD, "group/"))
                .uuid("u1")
                .build()
            )
            .build()
        )
        sent = await asyncio.to_thread(client.im.v1.message.create, create)
        again = await asyncio.to_thread(client.im.v1.message.create, create)
        patch = (
            PatchMessageRequest.builder()
            .message_id(sent.data.message_id)
            .request_body(PatchMessageRequestBody.builder().content(render(Card("Edited"), "group/")).build())
            .build()
        )
        patched = await asyncio.to_thread(client.im.v1.message.patch, patch)

        missing = (
            PatchMessageRequest.builder()
            .message_id("om_unknown")
            .request_body(PatchMessageRequestBody.builder().content(render(CARD, "group/")).build())
            .build()
        )
        refused = await asyncio.to_thread(client.im.v1.message.patch, missing)

        assert (sent.success(), again.success(), patched.success()) == (True, True, True)
        assert sent.data.message_id == again.data.message_id == feishu.messages[0].id
        assert feishu.messages[0].text == "Edited"
        assert (refused.success(), refused.code) == (False, 99992354)


class Heard:
    """What the SDK's dispatcher handed to its handlers."""

    def __init__(self, lark: Any, feishu: FakeFeishu) -> None:
        self.events: list[Any] = []
        settings = feishu.settings
        self._dispatcher = (
            lark.EventDispatcherHandler.builder(
                settings.encrypt_key.get_secret_value(), settings.verification_token.get_secret_value()
            )
            .register_p2_im_message_receive_v1(self.events.append)
            .register_p2_card_action_trigger(self._click)
            .build()
        )

    def _click(self, event: Any) -> dict[str, Any]:
        self.events.append(event)
        return {"toast": {"type": "info", "content": "ok"}}

    def hear(self, body: bytes, headers: dict[str, str]) -> Any:
        """Give the dispatcher a request; it looks headers up by their exact names."""
        from lark_oapi.core.model import RawRequest

        request = RawRequest()
        request.uri, request.headers, request.body = "/feishu/events", headers, body
        return self._dispatcher.do(request)


async def test_the_sdk_accepts_the_events_we_build(lark: Any) -> None:
    async with FakeFeishu(clock=Clock()) as feishu:
        heard = Heard(lark, feishu)
        message = {
            "message_id": "om_1",
            "create_time": "1717000000100",
            "chat_id": "oc_1",
            "chat_type": "group",
            "message_type": "text",
            "content": json.dumps({"text": "@_user_1 为什么失败"}),
            "mentions": [mention("@_user_1", "ou_bot", "OpsBot", bot=True)],
        }
        sender = {"sender_id": person("ou_ann"), "sender_type": "user", "tenant_key": "t"}
        said = envelope("im.message.receive_v1", {"sender": sender, "message": message}, feishu.settings, 1717000000100)
        action: Json = {"tag": "button", "value": {"command": "log", "arguments": {}}}
        pressed = envelope("card.action.trigger", click("ou_ann", "oc_1", "om_1", action), feishu.settings, 1)

        for payload in (said, pressed):
            body = sealed_body(payload, feishu.settings)
            assert heard.hear(body, signed(body, feishu.settings, feishu.clock())).status_code == 200

    assert json.loads(heard.events[0].event.message.content) == {"text": "@_user_1 为什么失败"}
    assert heard.events[0].event.message.mentions[0].id.open_id == "ou_bot"
    assert heard.events[1].event.action.value == {"command": "log", "arguments": {}}
    assert heard.events[1].event.context.open_message_id == "om_1"


async def test_the_sdk_answers_our_challenge_and_refuses_a_broken_signature(lark: Any) -> None:
    async with FakeFeishu() as feishu:
        heard = Heard(lark, feishu)
        token = feishu.settings.verification_token.get_secret_value()
        challenge = sealed_body({"challenge": "c1", "token": token, "type": "url_verification"}, feishu.settings)
        event = sealed_body(envelope("im.message.receive_v1", {}, feishu.settings, 1), feishu.settings)
        headers = signed(event, feishu.settings, feishu.clock()) | {"X-Lark-Signature": "0" * 64}

        assert json.loads(heard.hear(challenge, {}).content) == {"challenge": "c1"}
        assert heard.hear(event, headers).status_code == 500
        assert heard.events == []


class Handler:
    """Hears what the SDK's connection brings; it takes no time over anything but "wait", which lasts until `go_on`."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.go_on = threading.Event()

    def _do_without_validation(self, payload: bytes) -> Json | None:
        event = json.loads(payload)["event"]
        if "action" in event:
            return {"toast": {"type": "info", "content": "ok"}}
        text = json.loads(event["message"]["content"])["text"]
        self.heard.append(text)
        if text == "wait":
            self.go_on.wait()
        return None


@asynccontextmanager
async def sdk_connected(feishu: StreamingFeishu) -> AsyncGenerator[Handler]:
    """The SDK's long connection, in a thread and a loop of its own; its loop is stopped, since it has no stop."""
    client: Any = import_module("lark_oapi.ws.client")
    handler, loop, made_at_import = Handler(), asyncio.new_event_loop(), client.loop
    app = feishu.settings

    def connect() -> None:
        asyncio.set_event_loop(loop)
        secret = app.app_secret.get_secret_value()
        connection = client.Client(app.app_id, secret, event_handler=handler, domain=app.domain)
        with suppress(RuntimeError):
            connection.start()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(connection._disconnect())
        loop.close()

    client.loop = loop
    thread = threading.Thread(target=connect)
    thread.start()
    try:
        yield handler
    finally:
        handler.go_on.set()
        loop.call_soon_threadsafe(loop.stop)
        await asyncio.to_thread(thread.join)
        client.loop = made_at_import


@pytest.mark.usefixtures("lark")
async def test_the_sdks_long_connection_understands_ours() -> None:
    async with StreamingFeishu(chunk=100) as feishu, sdk_connected(feishu) as handler:
        await feishu.until_connected()
        await eventually(lambda: feishu.pings)
        message = await feishu.say("oc_private", "ou_ann", "昨晚哪些任务失败了")
        feishu.chunk = 10_000
        sent = feishu.store("oc_private", "ou_bot", "interactive", render(CARD, "private/"))
        press = await feishu.press(sent.id, "Log")

    assert (message.ok, message.answer, handler.heard[0]) == (True, {}, "昨晚哪些任务失败了")
    assert press.answer == {"toast": {"type": "info", "content": "ok"}}


@pytest.mark.usefixtures("lark")
async def test_the_sdk_answers_one_event_at_a_time() -> None:
    """The reason for a client of our own: one event that waits makes all others late, and cannot be passed by."""
    async with StreamingFeishu(deadline=0.3) as feishu, sdk_connected(feishu):
        await feishu.until_connected()
        waits, follows = await asyncio.gather(
            feishu.say("oc_private", "ou_ann", "wait"), feishu.say("oc_group", "ou_bob", "next")
        )

    assert (waits.status, follows.status) == (504, 504)


@pytest.mark.usefixtures("lark")
async def test_the_sdk_leaves_card_frames_unanswered() -> None:
    """The other reason: the person who pressed sees an error."""
    async with StreamingFeishu(deadline=0.3) as feishu:
        feishu.click_frames = "card"
        async with sdk_connected(feishu):
            await feishu.until_connected()
            sent = feishu.store("oc_private", "ou_bot", "interactive", render(CARD, "private/"))
            press = await feishu.press(sent.id, "Log")

    assert press.status == 504


@given(frames)
@pytest.mark.usefixtures("lark")
def test_the_sdk_reads_our_frames_and_we_read_its(frame: Frame) -> None:
    theirs = import_module("lark_oapi.ws.pb.pbbp2_pb2").Frame()
    theirs.ParseFromString(encode(frame))

    assert {header.key: header.value for header in theirs.headers} == frame.headers
    assert (theirs.method, theirs.service, theirs.payload) == (frame.method, frame.service, frame.payload)
    assert (theirs.SeqID, theirs.LogID) == (frame.sequence, frame.log)
    assert decode(theirs.SerializeToString()) == frame
