"""What `xops doctor` says about DingTalk: credentials, permissions, address, template."""

from collections.abc import AsyncGenerator, Callable, Coroutine
from pathlib import Path

import pytest

from bots.doctor import examine
from bots.findings import Finding
from tests.fakes.dingtalk import FakeDingTalk
from tests.fakes.dingtalk_api import ApiRefused

Examine = Callable[..., Coroutine[None, None, Finding]]
CARDS, ROBOT = "/v1.0/card/instances", "/v1.0/robot/oToMessages/batchSend"
DENIED = "Forbidden.AccessDenied.AccessTokenPermissionDenied"


@pytest.fixture
async def dingtalk() -> AsyncGenerator[FakeDingTalk]:
    async with FakeDingTalk() as fake:
        yield fake


@pytest.fixture
def dingtalk_found(dingtalk: FakeDingTalk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Examine:
    """Examines, with further settings, and picks what was found about DingTalk."""
    monkeypatch.chdir(tmp_path)
    own = dingtalk.settings
    given = {
        "CLIENT_ID": own.client_id,
        "CLIENT_SECRET": own.client_secret.get_secret_value(),
        "CARD_TEMPLATE_ID": own.card_template_id,
        "API": own.api,
        "OAPI": own.oapi,
    }

    async def find(**more: str) -> Finding:
        for name, value in (given | more).items():
            monkeypatch.setenv(f"XOPS_DINGTALK__{name}", value)
        monkeypatch.setenv("XOPS_LANGUAGE", "en")
        monkeypatch.setenv("XOPS_SERVER__PORT", "1")
        return next(finding for finding in await examine() if finding.check == "dingtalk")

    return find


async def test_asks_for_nothing_and_nobody(dingtalk: FakeDingTalk, dingtalk_found: Examine) -> None:
    """What must be refused proves the permission; nobody sees anything, and no connection is opened."""
    found = await dingtalk_found()

    assert (found.grade, found.todo) == ("ok", "")
    assert found.found == "app works, stream mode; X-Ops does not run here"
    assert (dingtalk.shown, dingtalk.opened) == ([], 0)


async def test_names_the_permissions_that_are_missing(dingtalk: FakeDingTalk, dingtalk_found: Examine) -> None:
    for path, scope in ((CARDS, "Card.Instance.Write"), (ROBOT, "qyapi_robot_sendmsg")):
        dingtalk.faults[path].append(ApiRefused(DENIED, 403, accessdenieddetail={"requiredScopes": [scope]}))

    found = await dingtalk_found()

    assert found.grade == "failed"
    assert "Card.Instance.Write" in found.todo
    assert "qyapi_robot_sendmsg" in found.todo


async def test_an_address_that_is_not_listed_is_explained(dingtalk: FakeDingTalk, dingtalk_found: Examine) -> None:
    dingtalk.faults[CARDS].append(ApiRefused("Forbidden.AccessDenied.IpNotInWhiteList", 403))

    found = await dingtalk_found()

    assert found.grade == "failed"
    assert "security settings" in found.todo


async def test_a_missing_template_is_no_failure(dingtalk_found: Examine) -> None:
    found = await dingtalk_found(CARD_TEMPLATE_ID="")

    assert found.grade == "warning"
    assert "deploy/dingtalk/card.json" in found.todo


async def test_wrong_credentials_are_said(dingtalk_found: Examine) -> None:
    found = await dingtalk_found(CLIENT_SECRET="not-the-secret-of-the-app")  # wrong on purpose

    assert found.grade == "failed"
    assert "not-the-secret" not in repr(found)
