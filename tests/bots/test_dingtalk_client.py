"""The DingTalk channel against a DingTalk that keeps its rules: tokens, rates, quotas, refusals behind a 200, lost answers."""

import asyncio

import pytest
from aiohttp import web
from prometheus_client import REGISTRY
from pydantic import SecretStr

from bots.dingtalk.client import DingTalkChannel
from bots.dingtalk.instances import AFTER_CLICK
from core.cards import Button, Buttons, Card
from core.errors import Refused, Throttled, Unauthorized, Unreachable
from tests.bots.conftest import MakeDingTalk
from tests.bots.dingtalk_bot import CREATE, GROUP, PRIVATE, TOKEN, UPDATE, card
from tests.fakes.clock import Clock
from tests.fakes.dingtalk import FakeDingTalk
from tests.fakes.dingtalk_api import ApiRefused


@pytest.fixture
def cards(make_dingtalk: MakeDingTalk) -> DingTalkChannel:
    """A channel that answers in cards."""
    return make_dingtalk()


def counted(call: str, outcome: str) -> float:
    return REGISTRY.get_sample_value("xops_dingtalk_calls_total", {"call": call, "outcome": outcome}) or 0.0


def exhausted(quota: str) -> float | None:
    return REGISTRY.get_sample_value("xops_dingtalk_quota_exhausted", {"quota": quota})


async def test_many_senders_share_one_token(dingtalk: FakeDingTalk, cards: DingTalkChannel) -> None:
    await asyncio.gather(*(cards.send(PRIVATE, card(f"{n}"), key=f"{n}") for n in range(10)))

    assert dingtalk.calls.count(TOKEN) == 1
    assert len(dingtalk.messages) == 10


async def test_a_token_that_ends_early_is_renewed_once(dingtalk: FakeDingTalk, cards: DingTalkChannel) -> None:
    """The refusal is a 400, not a 401."""
    await cards.send(PRIVATE, card("one"), key="1")
    dingtalk.expire_tokens()

    await asyncio.gather(*(cards.send(PRIVATE, card(f"more {n}"), key=f"more {n}") for n in range(4)))

    assert len(dingtalk.messages) == 5
    assert dingtalk.calls.count(TOKEN) == 2


async def test_a_token_that_stays_refused_is_said(dingtalk: FakeDingTalk, cards: DingTalkChannel) -> None:
    dingtalk.faults[CREATE].extend(ApiRefused("InvalidAuthentication") for _ in range(2))

    with pytest.raises(Unauthorized):
        await cards.send(PRIVATE, card("x"), key="1")

    assert dingtalk.calls.count(TOKEN) == 2


async def test_wrong_credentials_are_said_without_showing_them(make_dingtalk: MakeDingTalk) -> None:
    with pytest.raises(Unauthorized) as refused:
        await make_dingtalk(client_secret=SecretStr("not-the-secret")).check()

    assert refused.value.code == "invalidClientIdOrSecret"
    assert "not-the-secret" not in repr(refused.value)


async def test_proves_that_a_connection_would_be_given(dingtalk: FakeDingTalk, cards: DingTalkChannel) -> None:
    await cards.check()

    assert "POST /v1.0/gateway/connections/open" in dingtalk.calls
    assert not dingtalk.connections


async def test_does_not_wait_for_ever(dingtalk: FakeDingTalk, cards: DingTalkChannel, clock: Clock) -> None:
    dingtalk.faults[CREATE].extend(
        ApiRefused("Forbidden.AccessDenied.QpsLimitForAppkeyAndApi", 403) for _ in range(100)
    )
    began = clock.now

    with pytest.raises(Throttled):
        await cards.send(PRIVATE, card("never"), key="1")

    assert 30 <= clock.now - began <= 90


async def test_a_banned_address_is_not_knocked_at_again(dingtalk: FakeDingTalk, cards: DingTalkChannel) -> None:
    ban = {"status": 1111, "wait": 5, "source": "x5", "punish": "deny", "uuid": "u"}
    dingtalk.faults[CREATE].append(web.json_response(ban))

    with pytest.raises(Throttled) as throttled:
        await cards.send(PRIVATE, card("x"), key="1")

    assert throttled.value.retry_after >= 300
    assert dingtalk.calls.count(f"POST {CREATE}") == 1


async def test_a_burst_arrives_whole(dingtalk: FakeDingTalk, cards: DingTalkChannel) -> None:
    """DingTalk takes twenty calls a second; what it refuses is sent again when it may."""
    await asyncio.gather(*(cards.send(GROUP, card(f"{n}"), key=f"{n}") for n in range(50)))

    assert len(dingtalk.messages) == 50
    assert dingtalk.calls.count(f"POST {CREATE}") > 50


async def test_a_spent_month_is_not_argued_with(dingtalk: FakeDingTalk, cards: DingTalkChannel) -> None:
    dingtalk.monthly = 0

    with pytest.raises(Refused) as refused:
        await cards.send(PRIVATE, card("x"), key="1")

    assert refused.value.code == "Forbidden.AccessDenied.ApiCountLimitForOrg"
    assert dingtalk.calls.count(f"POST {CREATE}") == 1
    assert exhausted("calls") == 1

    dingtalk.monthly = 5000
    await cards.send(PRIVATE, card("x"), key="2")
    assert exhausted("calls") == 0


async def test_calls_are_counted(dingtalk: FakeDingTalk, cards: DingTalkChannel) -> None:
    good, bad = counted(CREATE, "ok"), counted(CREATE, "refused")
    dingtalk.faults[CREATE].append(ApiRefused("param.templateUnpublished"))

    with pytest.raises(Refused):
        await cards.send(PRIVATE, card("x"), key="1")
    await cards.send(PRIVATE, card("x"), key="2")

    assert (counted(CREATE, "ok"), counted(CREATE, "refused")) == (good + 1, bad + 1)


async def test_a_missing_permission_is_named(dingtalk: FakeDingTalk, cards: DingTalkChannel) -> None:
    code = "Forbidden.AccessDenied.AccessTokenPermissionDenied"
    scopes = {"requiredScopes": ["Card.Instance.Write"]}
    dingtalk.faults[CREATE].append(ApiRefused(code, 403, accessdenieddetail=scopes))

    with pytest.raises(Refused, match=r"Card\.Instance\.Write"):
        await cards.send(PRIVATE, card("x"), key="1")


async def test_a_card_that_nobody_got_is_a_failure(dingtalk: FakeDingTalk, cards: DingTalkChannel) -> None:
    """The call says success; the delivery inside says no."""
    dingtalk.undelivered = "robot is not in the group"

    with pytest.raises(Refused, match="robot is not in the group"):
        await cards.send(GROUP, card("x"), key="1")


@pytest.mark.parametrize("repeats_refused", [True, False])
async def test_a_card_whose_answer_was_lost_is_made_once(
    dingtalk: FakeDingTalk, cards: DingTalkChannel, repeats_refused: bool
) -> None:
    dingtalk.repeats_refused = repeats_refused
    reference = await cards.send(GROUP, card("x"), key="1")
    dingtalk.faults[CREATE].append(web.Response(status=504))

    assert await cards.send(GROUP, card("x"), key="1") == reference
    assert len(dingtalk.messages) == 1


async def test_the_same_key_in_two_conversations_is_two_cards(dingtalk: FakeDingTalk, cards: DingTalkChannel) -> None:
    await cards.send(GROUP, card("x"), key="1")
    await cards.send(PRIVATE, card("x"), key="1")

    assert [shown.chat for shown in dingtalk.messages] == ["cidGroup==", "ann"]


async def test_edits_that_overtake_each_other_show_the_newest(dingtalk: FakeDingTalk, cards: DingTalkChannel) -> None:
    reference = await cards.send(PRIVATE, card("first"), key="k")

    await asyncio.gather(*(cards.update(reference, card(f"step {n}"), key=f"{n}") for n in range(20)))

    assert dingtalk.messages[0].text == "Title\nstep 19"
    assert dingtalk.calls.count(f"PUT {UPDATE}") <= 2


async def test_versions_that_others_follow_cost_no_call(dingtalk: FakeDingTalk, cards: DingTalkChannel) -> None:
    reference = await cards.send(PRIVATE, card("looking", pending=True), key="k")

    await cards.update(reference, card("still looking", pending=True), key="1")
    assert dingtalk.messages[0].text == "Title\nlooking"
    await cards.update(reference, card("found"), key="2")
    assert dingtalk.messages[0].text == "Title\nfound"
    assert dingtalk.calls.count(f"PUT {UPDATE}") == 1


async def test_every_caller_of_an_edit_that_is_refused_learns_it(cards: DingTalkChannel) -> None:
    unknown = f"xops-{'0' * 32}.cidGroup=="

    outcomes = await asyncio.gather(
        *(cards.update(unknown, card(f"{n}"), key=f"{n}") for n in range(3)), return_exceptions=True
    )

    assert [outcome.code for outcome in outcomes if isinstance(outcome, Refused)] == ["param.cardNotExist"] * 3


async def test_a_card_is_not_edited_within_the_callback_of_its_button(
    dingtalk: FakeDingTalk, cards: DingTalkChannel, clock: Clock
) -> None:
    reference = await cards.send(PRIVATE, Card("T", (Buttons((Button("Log", "log"),)),)), key="k")
    data = {"outTrackId": reference, "userId": "ann", "content": {"cardPrivateData": {"params": {"command": "log"}}}}
    cards.hear("click", data, id="1", at="")
    pressed = clock.now

    await cards.update(reference, card("done"), key="u")

    assert clock.now >= pressed + AFTER_CLICK


@pytest.mark.parametrize("code", ["contain.notAllowed.content", "param.contentUnsafe"])
async def test_a_moderated_answer_says_so_instead(dingtalk: FakeDingTalk, cards: DingTalkChannel, code: str) -> None:
    dingtalk.faults[CREATE].append(ApiRefused(code))

    reference = await cards.send(GROUP, card("DROP TABLE"), key="1")

    (shown,) = dingtalk.messages
    assert "content moderation" in shown.text
    assert "DROP TABLE" not in shown.text
    assert reference == shown.id


async def test_a_closed_port_is_unreachable(make_dingtalk: MakeDingTalk) -> None:
    with pytest.raises(Unreachable):
        await make_dingtalk(api="http://127.0.0.1:1").check()


async def test_a_code_of_the_page_says_who_it_is_once(dingtalk: FakeDingTalk, cards: DingTalkChannel) -> None:
    dingtalk.codes["c0de"] = "ann"

    assert await cards.identify("c0de") == "ann"
    with pytest.raises(Refused) as refused:
        await cards.identify("c0de")

    assert refused.value.code == "40078"


async def test_the_old_apis_stale_token_is_renewed_too(dingtalk: FakeDingTalk, cards: DingTalkChannel) -> None:
    """It refuses with HTTP 200 and a code inside."""
    await cards.lookup("ann")
    dingtalk.expire_tokens()

    assert (await cards.lookup("ann")).name == "Ann"
    assert dingtalk.calls.count(TOKEN) == 2
