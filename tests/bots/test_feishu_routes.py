"""Who may call the Feishu webhook, and what everyone else learns: a status, never a word."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from tests.bots.feishu_bot import BODY_LIMIT, Bot, listening
from tests.fakes.feishu import FakeFeishu
from tests.fakes.feishu_events import envelope, sealed_body, signed

Json = dict[str, Any]


@pytest.fixture
async def bot(feishu: FakeFeishu) -> AsyncGenerator[Bot]:
    async with listening(feishu, feishu.clock) as listener:
        yield listener


async def test_answers_the_challenge(feishu: FakeFeishu, bot: Bot) -> None:
    delivery = await feishu.challenge()

    assert delivery.ok
    assert delivery.answer == {"challenge": delivery.payload["challenge"]}
    assert not bot.accepted


async def refused(feishu: FakeFeishu, body: bytes, headers: dict[str, str]) -> int:
    """Post this and return the status; whatever it is, no word comes with it."""
    delivery = await feishu.request(body, headers)
    assert delivery.body == b""
    return delivery.status


def message_payload(feishu: FakeFeishu, **header: str) -> Json:
    payload = envelope("im.message.receive_v1", {}, feishu.settings, 1)
    payload["header"] |= header
    return payload


@pytest.mark.usefixtures("bot")
async def test_a_wrong_signature_is_401_without_detail(feishu: FakeFeishu) -> None:
    body = sealed_body(message_payload(feishu), feishu.settings)
    headers = signed(body, feishu.settings, feishu.clock())

    assert await refused(feishu, body, headers | {"X-Lark-Signature": "0" * 64}) == 401
    assert await refused(feishu, body, headers | {"X-Lark-Signature": "签名"}) == 401
    assert await refused(feishu, body, headers | {"X-Lark-Request-Nonce": "x"}) == 401
    assert await refused(feishu, body + b" ", headers) == 401


@pytest.mark.usefixtures("bot")
@pytest.mark.parametrize("seconds", [-8 * 3600 - 1, 8 * 3600 + 1])
async def test_a_recorded_request_cannot_be_played_back_later(feishu: FakeFeishu, seconds: float) -> None:
    body = sealed_body(message_payload(feishu), feishu.settings)

    assert await refused(feishu, body, signed(body, feishu.settings, feishu.clock() + seconds)) == 401


@pytest.mark.usefixtures("bot")
async def test_an_event_without_signature_is_401_even_when_rightly_encrypted(feishu: FakeFeishu) -> None:
    body = sealed_body(message_payload(feishu), feishu.settings)

    assert await refused(feishu, body, {"Content-Type": "application/json"}) == 401


@pytest.mark.usefixtures("bot")
@pytest.mark.parametrize(
    "body",
    [
        b"not json",
        b"{}",
        b'{"encrypt":"AAAA"}',
        b'{"encrypt":1}',
        b'{"type":"url_verification","challenge":"x","token":"t"}',
    ],
)
async def test_whatever_is_wrong_without_a_signature_looks_the_same(feishu: FakeFeishu, body: bytes) -> None:
    assert await refused(feishu, body, {"Content-Type": "application/json"}) == 401


@pytest.mark.usefixtures("bot")
async def test_a_wrong_verification_token_is_401(feishu: FakeFeishu) -> None:
    for payload in (
        message_payload(feishu, token="guessed"),
        {"type": "url_verification", "challenge": "x", "token": "g"},
    ):
        body = sealed_body(payload, feishu.settings)
        assert await refused(feishu, body, signed(body, feishu.settings, feishu.clock())) == 401


@pytest.mark.usefixtures("bot")
@pytest.mark.parametrize(
    "body",
    [
        b"not json",
        b'{"schema":"2.0","header":{"event_type":"im.message.receive_v1"}}',
        b'{"encrypt":"AAAA"}',
        b"[" * 50_000,
        b'{"encrypt":' * 5_000,
    ],
    ids=["no JSON", "in clear", "broken envelope", "depth bomb", "depth bomb of objects"],
)
async def test_a_signed_body_that_makes_no_sense_is_400(feishu: FakeFeishu, body: bytes) -> None:
    assert await refused(feishu, body, signed(body, feishu.settings, feishu.clock())) == 400


@pytest.mark.usefixtures("bot")
async def test_an_event_without_what_makes_it_one_is_400(feishu: FakeFeishu) -> None:
    event = {"sender": {"sender_type": "user"}, "message": {"chat_type": "p2p"}}
    body = sealed_body(envelope("im.message.receive_v1", event, feishu.settings, 1), feishu.settings)

    assert await refused(feishu, body, signed(body, feishu.settings, feishu.clock())) == 400


@pytest.mark.usefixtures("bot")
async def test_a_depth_bomb_inside_the_envelope_is_refused(feishu: FakeFeishu) -> None:
    body = sealed_body({"header": bomb(400), "event": bomb(400)}, feishu.settings)

    assert await refused(feishu, body, signed(body, feishu.settings, feishu.clock())) == 401


@pytest.mark.usefixtures("bot")
async def test_an_oversized_body_is_413(feishu: FakeFeishu) -> None:
    body = b"x" * (BODY_LIMIT + 1)

    assert await refused(feishu, body, signed(body, feishu.settings, feishu.clock())) == 413


async def test_what_cannot_be_journalled_is_not_acknowledged(feishu: FakeFeishu, bot: Bot) -> None:
    bot.failures.append(OSError("disk full"))

    delivery = await feishu.say("oc_private", "ou_ann", "overview")

    assert (delivery.status, delivery.body) == (500, b"")


async def test_many_at_once_are_all_acknowledged_in_time(feishu: FakeFeishu, bot: Bot) -> None:
    await asyncio.gather(*(feishu.say("oc_private", "ou_ann", f"/status {n}") for n in range(50)))

    assert len(bot.accepted) == 50
    assert not feishu.failures


def bomb(depth: int) -> Json:
    nested: Json = {}
    for _ in range(depth):
        nested = {"elements": nested}
    return nested
