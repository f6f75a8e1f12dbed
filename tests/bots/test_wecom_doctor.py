"""`xops doctor` on WeCom: what works, and in words what to do about what does not."""

import time
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from pydantic import SecretStr

from bots.doctor import examine
from bots.findings import Finding
from core.settings import WeCom, WeComBot
from core.store import Store
from tests.bots.wecom_app import listening
from tests.fakes.clock import Clock
from tests.fakes.wecom import FakeWeCom
from tests.fakes.wecom_api import ADDRESS
from tests.fakes.wecom_bot import FakeWeComBot
from tests.fakes.wecom_crypto import fresh_aes_key


@pytest.fixture
async def gateway() -> AsyncGenerator[FakeWeComBot]:
    async with FakeWeComBot() as fake:
        yield fake


async def found(
    monkeypatch: pytest.MonkeyPatch,
    folder: Path,
    app: WeCom | None = None,
    bot: WeComBot | None = None,
    *,
    public_url: str = "",
) -> dict[str, Finding]:
    """What doctor finds with these settings, by check."""
    monkeypatch.setenv("XOPS_SERVER__PUBLIC_URL", public_url)
    monkeypatch.chdir(folder)
    for section, settings in (("WECOM", app), ("WECOM_BOT", bot)):
        for name, value in (settings.model_dump(exclude_unset=True) if settings else {}).items():
            text = value.get_secret_value() if isinstance(value, SecretStr) else str(value)
            monkeypatch.setenv(f"XOPS_{section}__{name.upper()}", text)
    return {finding.check: finding for finding in await examine()}


async def test_both_are_off_by_default(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    findings = await found(monkeypatch, tmp_path)

    assert [findings[name].grade for name in ("wecom", "wecom_bot")] == ["off", "off"]


async def test_what_works_is_named(
    wecom: FakeWeCom, gateway: FakeWeComBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    findings = await found(monkeypatch, tmp_path, wecom.settings, gateway.settings)

    assert [findings[name].grade for name in ("wecom", "wecom_bot")] == ["warning", "ok"]
    assert "OpsApp" in findings["wecom"].found
    assert "public_url" in findings["wecom"].todo


async def test_the_callback_address_is_tried_as_wecom_would(
    wecom: FakeWeCom, sqlite_store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A wrong key, or nothing at all behind the reverse proxy, is what makes a console refuse an address."""
    async with listening(wecom, sqlite_store, Clock(time.time())):
        address = wecom.webhook.removesuffix("/wecom/app")
        wecom.sign_on.trusted = address.removeprefix("http://")
        other = wecom.settings.model_copy(update={"encoding_aes_key": SecretStr(fresh_aes_key())})

        works = (await found(monkeypatch, tmp_path, wecom.settings, public_url=address))["wecom"]
        wrong_key = (await found(monkeypatch, tmp_path, other, public_url=address))["wecom"]
        nothing = (await found(monkeypatch, tmp_path, wecom.settings, public_url="http://127.0.0.1:1"))["wecom"]
        wecom.sign_on.trusted = "elsewhere.example"
        domain = (await found(monkeypatch, tmp_path, wecom.settings, public_url=address))["wecom"]

    assert (works.grade, works.todo) == ("ok", "")
    assert "EncodingAESKey" in wrong_key.todo
    assert "http://127.0.0.1:1/wecom/app" in nothing.todo
    assert "elsewhere.example" in domain.todo


async def test_an_address_that_is_not_trusted_is_explained(
    wecom: FakeWeCom, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The commonest failure of all: the console wants to know from where we call."""
    wecom.trouble.untrusted = True

    finding = (await found(monkeypatch, tmp_path, wecom.settings))["wecom"]

    assert finding.grade == "failed"
    assert ADDRESS in finding.found
    assert "企业可信IP" in finding.todo


async def test_wrong_secrets_are_said(
    wecom: FakeWeCom, gateway: FakeWeComBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    wrong = {"secret": SecretStr("not-the-secret")}

    findings = await found(
        monkeypatch, tmp_path, wecom.settings.model_copy(update=wrong), gateway.settings.model_copy(update=wrong)
    )

    assert [findings[name].grade for name in ("wecom", "wecom_bot")] == ["failed", "failed"]
    assert "凭证" in findings["wecom"].todo
    assert "not-the-secret" not in repr(findings)
