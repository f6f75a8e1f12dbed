"""HTTP mode: who may post to the robot's addresses, and what everyone else learns: a status, never a word."""

from collections.abc import AsyncGenerator

import pytest
from pydantic import ValidationError

from bots.crypto import dingtalk_signature
from bots.dingtalk.routes import dingtalk_routes
from core.cards import Button, Buttons, Card
from core.messages import Conversation
from core.settings import DingTalk, Settings
from tests.bots.dingtalk_bot import BODY_LIMIT, Bot, listening
from tests.fakes.clock import Clock
from tests.fakes.dingtalk import MESSAGES, FakeDingTalk
from tests.fakes.dingtalk_api import ApiRefused

REGISTER = "/v1.0/card/callbacks/register"
PATHS = ("/dingtalk/messages", "/dingtalk/cards")


@pytest.fixture
async def bot(dingtalk: FakeDingTalk) -> AsyncGenerator[Bot]:
    async with listening(dingtalk) as listener:
        yield listener


def test_the_signature_is_dingtalks() -> None:
    """A fixed pair, computed apart from this code."""
    assert dingtalk_signature("1577262236757", "this is a secret") == "DJrE6qdyVGCQz9z5r2MDuNcNAhwYnuAkyj13cx169CA="


async def test_a_message_and_a_press_arrive_by_webhook(dingtalk: FakeDingTalk, bot: Bot) -> None:
    said = await dingtalk.say("cidGroup==", "ann", "hello")
    card = Card("T", (Buttons((Button("Log", "log", {"target": "demo:1"}),)),))
    await bot.channel.send(Conversation("dingtalk", "cidGroup==", "group"), card, key="k")
    pressed = await dingtalk.press(dingtalk.messages[-1], "Log")

    assert said.ok
    assert said.answer == {"msgtype": "empty"}
    assert pressed.ok
    assert pressed.answer["userPrivateData"]["cardParamMap"]["receipt"]
    assert [event.type for event in bot.accepted] == ["message", "click"]
    assert not dingtalk.opened


async def test_a_press_brought_twice_is_one(dingtalk: FakeDingTalk, bot: Bot) -> None:
    card = Card("T", (Buttons((Button("Log", "log"),)),))
    await bot.channel.send(Conversation("dingtalk", "cidGroup==", "group"), card, key="k")

    for _ in range(2):
        await dingtalk.press(dingtalk.messages[-1], "Log")

    assert bot.answers == [True, False]


async def refused(dingtalk: FakeDingTalk, path: str, headers: dict[str, str], body: bytes = b"{}") -> int:
    """Post this and return the status; whatever it is, no word comes with it."""
    status, answer = await dingtalk.request(f"{dingtalk.address}{path}", headers, body)
    assert answer == b""
    return status


def headers(dingtalk: FakeDingTalk, bot: Bot, path: str) -> dict[str, str]:
    secret = bot.channel.callback_secret if path == PATHS[1] else dingtalk.settings.client_secret.get_secret_value()
    return dingtalk.signed(secret, cards=path == PATHS[1])


@pytest.mark.parametrize("path", PATHS)
async def test_a_wrong_signature_is_401_without_detail(dingtalk: FakeDingTalk, bot: Bot, path: str) -> None:
    right = headers(dingtalk, bot, path)
    timestamp, sign = right

    assert await refused(dingtalk, path, {}) == 401
    assert await refused(dingtalk, path, right | {sign: "x"}) == 401
    assert await refused(dingtalk, path, right | {timestamp: str(int(right[timestamp]) + 1)}) == 401
    assert await refused(dingtalk, path, dingtalk.signed("another secret", cards=path == PATHS[1])) == 401
    assert not bot.accepted


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("seconds", [-3602, 3602])
async def test_a_signature_is_good_for_an_hour(dingtalk: FakeDingTalk, bot: Bot, path: str, seconds: float) -> None:
    signed = headers(dingtalk, bot, path)
    assert isinstance(dingtalk.clock, Clock)
    dingtalk.clock.now += seconds

    assert await refused(dingtalk, path, signed) == 401


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(("body", "status"), [(b"not json", 400), (b"[]", 400), (b"{}", 400), (b"x" * 70_000, 413)])
async def test_bad_bodies_are_4xx(dingtalk: FakeDingTalk, bot: Bot, path: str, body: bytes, status: int) -> None:
    assert len(body) != BODY_LIMIT
    assert await refused(dingtalk, path, headers(dingtalk, bot, path), body) == status


async def test_registering_the_callbacks_is_tried_until_it_works(dingtalk: FakeDingTalk) -> None:
    dingtalk.faults[REGISTER].extend(ApiRefused("Forbidden.AccessDenied.IpNotInWhiteList", 403) for _ in range(3))

    async with listening(dingtalk) as bot:
        address, secret = dingtalk.callbacks["xops"]
        assert address == f"{dingtalk.address}/dingtalk/cards"
        assert secret == bot.channel.callback_secret
        assert dingtalk.settings.client_secret.get_secret_value() not in secret
        assert dingtalk.calls.count(f"POST {REGISTER}") == 4


async def test_stream_mode_opens_no_address(dingtalk: FakeDingTalk, bot: Bot) -> None:
    assert dingtalk_routes(dingtalk.settings, bot.channel, bot.accept, body_limit=BODY_LIMIT) == []


async def test_a_message_with_a_wrong_body_is_counted_not_raised(dingtalk: FakeDingTalk, bot: Bot) -> None:
    delivery = await dingtalk.deliver(MESSAGES, {"msgtype": "text", "text": {"content": "no id"}})

    assert delivery.code == 400
    assert not bot.accepted


def test_settings_that_cannot_work_are_refused_at_the_start() -> None:
    app = {"client_id": "ding", "client_secret": "a-long-secret"}

    assert DingTalk.model_validate(app).mode == "stream"
    with pytest.raises(ValidationError, match="client_secret"):
        DingTalk.model_validate({"client_id": "ding"})
    with pytest.raises(ValidationError, match="public_url"):
        Settings.model_validate({"dingtalk": {**app, "mode": "http"}})
    assert "a-long-secret" not in repr(Settings.model_validate({"dingtalk": app}))
