"""DingTalk without a card template: messages by session webhook or by the robot, edited by recalling, remembered by key."""

from datetime import timedelta

import pytest
from aiohttp import web

from bots.dingtalk.client import DingTalkChannel
from core.errors import NotFound, Refused, Throttled, Unreachable
from core.messages import Conversation
from tests.bots.conftest import MakeDingTalk
from tests.bots.dingtalk_bot import BY_SESSION, GROUP, PRIVATE, TO_GROUP, TO_PEOPLE, card
from tests.fakes.clock import Clock
from tests.fakes.dingtalk import FakeDingTalk
from tests.fakes.dingtalk_api import RECALL_SECONDS, WEBHOOK_SECONDS, ApiRefused


@pytest.fixture
def plain(make_dingtalk: MakeDingTalk) -> DingTalkChannel:
    """A channel without a card template."""
    return make_dingtalk(card_template_id="")


def hear(channel: DingTalkChannel, dingtalk: FakeDingTalk, chat: str) -> None:
    """Let Ann write into a chat, so that it has a session webhook."""
    data = dingtalk.message(chat, "ann") | {"msgtype": "text", "text": {"content": "hi"}}
    channel.hear("message", data, id="", at="")


@pytest.mark.parametrize(
    ("code", "status", "least"),
    [
        ("Forbidden.AccessDenied.QpsLimitForAppkeyAndApi", 403, 1),
        ("Forbidden.AccessDenied.QpsLimitForApi", 403, 1),
        ("Forbidden.AccessDenied.QpmLimitForAppkeyAndApi", 403, 60),
        ("send.too.fast", 400, 1),
        ("system.busy", 500, 1),
        ("systemBusy", 429, 1),
    ],
)
async def test_waits_when_told_to_slow_down(
    dingtalk: FakeDingTalk, plain: DingTalkChannel, clock: Clock, code: str, status: int, least: float
) -> None:
    """A clear refusal was not carried out, so even a message may be sent again."""
    dingtalk.faults[TO_GROUP].append(ApiRefused(code, status))
    began = clock.now

    await plain.send(GROUP, card("late"), key="1")

    assert clock.now >= began + least
    assert len(dingtalk.messages) == 1


async def test_a_message_whose_outcome_is_unknown_is_not_sent_again(
    dingtalk: FakeDingTalk, plain: DingTalkChannel
) -> None:
    dingtalk.faults[TO_GROUP].append(web.Response(status=504))

    with pytest.raises(Unreachable):
        await plain.send(GROUP, card("x"), key="1")

    assert dingtalk.calls.count(f"POST {TO_GROUP}") == 1


@pytest.mark.parametrize("chat", ["cidGroup==", "ann"])
async def test_answers_through_the_session_webhook_while_it_works(
    dingtalk: FakeDingTalk, plain: DingTalkChannel, clock: Clock, chat: str
) -> None:
    conversation = GROUP if chat == "cidGroup==" else PRIVATE
    hear(plain, dingtalk, chat)

    await plain.send(conversation, card("soon"), key="1")
    clock.now += WEBHOOK_SECONDS - 30
    await plain.send(conversation, card("late"), key="2")

    assert [(shown.chat, shown.text) for shown in dingtalk.messages] == [
        (chat, "Title\n\nsoon"),
        (chat, "Title\n\nlate"),
    ]
    assert dingtalk.calls.count(f"POST {BY_SESSION}") == 1


async def test_a_session_that_ended_early_is_not_believed(dingtalk: FakeDingTalk, plain: DingTalkChannel) -> None:
    """The refusal comes with HTTP 200; the robot's API takes over, also for what follows."""
    hear(plain, dingtalk, "cidGroup==")
    dingtalk.webhooks.clear()

    await plain.send(GROUP, card("one"), key="1")
    await plain.send(GROUP, card("two"), key="2")

    assert len(dingtalk.messages) == 2
    assert dingtalk.calls.count(f"POST {BY_SESSION}") == 1


@pytest.mark.parametrize("address", ["http://169.254.169.254/latest", "file:///etc/passwd", "not an address", ""])
async def test_a_webhook_on_another_host_is_not_called(
    dingtalk: FakeDingTalk, plain: DingTalkChannel, address: str
) -> None:
    body = {"msgtype": "text", "text": {"content": "hi"}, "sessionWebhook": address}
    plain.hear("message", dingtalk.message("cidGroup==", "ann") | body, id="", at="")

    await plain.send(GROUP, card("x"), key="1")

    assert dingtalk.calls[-1] == f"POST {TO_GROUP}"
    assert len(dingtalk.messages) == 1


async def test_an_edited_message_takes_the_place_of_the_old_one(dingtalk: FakeDingTalk, plain: DingTalkChannel) -> None:
    reference = await plain.send(PRIVATE, card("first"), key="k")

    for text in ("second", "third"):
        await plain.update(reference, card(text), key=text)

    assert [shown.text for shown in dingtalk.messages] == ["Title\n\nthird"]
    assert len(dingtalk.shown) == 3


async def test_a_message_of_a_webhook_stays_above_the_newer_one(dingtalk: FakeDingTalk, plain: DingTalkChannel) -> None:
    hear(plain, dingtalk, "ann")
    reference = await plain.send(PRIVATE, card("first"), key="k")

    await plain.update(reference, card("second"), key="u")

    assert [shown.text for shown in dingtalk.messages] == ["Title\n\nfirst", "Title\n\nsecond"]


async def test_a_message_older_than_a_day_cannot_be_edited(
    dingtalk: FakeDingTalk, plain: DingTalkChannel, clock: Clock
) -> None:
    reference = await plain.send(PRIVATE, card("old"), key="k")
    clock.now += RECALL_SECONDS + 1
    dingtalk.expire_tokens()

    with pytest.raises(Refused):
        await plain.update(reference, card("new"), key="u")

    assert plain.limits.editable_for == timedelta(seconds=RECALL_SECONDS)
    assert [shown.text for shown in dingtalk.messages] == ["Title\n\nold"]


async def test_a_reference_of_another_channel_is_not_found(plain: DingTalkChannel) -> None:
    with pytest.raises(NotFound):
        await plain.update("om_1/group/", card("x"), key="u")


async def test_a_message_that_reached_nobody_is_a_failure(dingtalk: FakeDingTalk, plain: DingTalkChannel) -> None:
    with pytest.raises(Refused) as refused:
        await plain.send(Conversation("dingtalk", "stranger"), card("x"), key="1")

    assert refused.value.code == "staffId.notExisted"
    assert not dingtalk.messages


async def test_a_person_who_gets_too_much_is_a_throttle(dingtalk: FakeDingTalk, plain: DingTalkChannel) -> None:
    answer = {"processQueryKey": "", "invalidStaffIdList": [], "flowControlledStaffIdList": ["ann"]}
    dingtalk.faults[TO_PEOPLE].append(web.json_response(answer))

    with pytest.raises(Throttled):
        await plain.send(PRIVATE, card("x"), key="1")

    await plain.send(PRIVATE, card("x"), key="1")  # the failed attempt did not use the key up
    assert len(dingtalk.messages) == 1


async def test_moderation_of_a_webhook_is_not_answered_by_trying_elsewhere(
    dingtalk: FakeDingTalk, plain: DingTalkChannel
) -> None:
    hear(plain, dingtalk, "cidGroup==")
    dingtalk.faults[BY_SESSION].append(web.json_response({"errcode": 430102, "errmsg": "sensitive"}))

    await plain.send(GROUP, card("DROP TABLE"), key="1")

    assert ["content moderation" in shown.text for shown in dingtalk.messages] == [True]
    assert not any(TO_GROUP in call for call in dingtalk.calls)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (web.Response(status=500, text="<html>oops"), Unreachable),
        (web.Response(text="<html>blocked by the firewall"), Unreachable),
        (web.Response(status=403, text="<html>banned"), Refused),
        (web.json_response([]), Refused),
        (web.json_response({"success": False}), Refused),
    ],
    ids=["broken", "firewall", "forbidden", "list", "no success"],
)
async def test_answers_that_are_none(
    dingtalk: FakeDingTalk, plain: DingTalkChannel, answer: web.Response, error: type[Exception]
) -> None:
    again = web.Response(status=answer.status, body=answer.body, content_type=answer.content_type)
    dingtalk.faults[TO_GROUP].append(again)

    with pytest.raises(error):
        await plain.send(GROUP, card("x"), key="1")


async def test_a_message_sent_before_a_restart_is_not_sent_again_and_can_be_edited(
    dingtalk: FakeDingTalk, make_dingtalk: MakeDingTalk
) -> None:
    reference = await make_dingtalk(card_template_id="").send(PRIVATE, card("first"), key="k")
    await make_dingtalk(card_template_id="").update(reference, card("second"), key="u")
    restarted = make_dingtalk(card_template_id="")

    assert await restarted.send(PRIVATE, card("first"), key="k") == reference
    await restarted.update(reference, card("third"), key="v")

    assert [shown.text for shown in dingtalk.messages] == ["Title\n\nthird"]
    assert len(dingtalk.shown) == 3
