"""`xops doctor --card`: a card to oneself through each messenger."""

import json
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from bots.doctor import examine
from bots.findings import Finding
from core.i18n import words
from tests.e2e.process import feishu_settings
from tests.e2e.test_wecom import app_settings
from tests.fakes.feishu_stream import StreamingFeishu
from tests.fakes.wecom import FakeWeCom

PEOPLE = json.dumps([{"name": "Ann", "identities": {"feishu": "ou_ann", "wecom": "ann"}}, {"name": "Zoe"}])
TITLE = words("zh-CN")("doctor.card_title")


@pytest.fixture
async def feishu() -> AsyncGenerator[StreamingFeishu]:
    async with StreamingFeishu() as fake:
        yield fake


@pytest.fixture
async def wecom(feishu: StreamingFeishu, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[FakeWeCom]:
    """WeCom, with settings for it and for Feishu in the environment."""
    monkeypatch.chdir(tmp_path)
    async with FakeWeCom() as fake:
        for name, value in (app_settings(fake.settings) | feishu_settings(feishu, PEOPLE)).items():
            monkeypatch.setenv(name, value)
        yield fake


async def greeted(whom: str) -> dict[str, Finding]:
    """What doctor says of the cards, by channel."""
    return {f.check.removeprefix("card "): f for f in await examine(whom) if f.check.startswith("card ")}


async def test_a_person_gets_a_card_everywhere(feishu: StreamingFeishu, wecom: FakeWeCom) -> None:
    """In their private chats; each finding says how long it took."""
    findings = await greeted("Ann")

    assert [findings[name].grade for name in ("feishu", "wecom")] == ["ok", "ok"]
    assert all("秒" in finding.found for finding in findings.values())
    assert TITLE in feishu.messages[0].text
    assert (wecom.messages[0].user, TITLE in wecom.messages[0].text) == ("ann", True)


async def test_an_id_gets_a_card_there_alone(feishu: StreamingFeishu, wecom: FakeWeCom) -> None:
    """Before anybody is listed. Run twice, it comes twice."""
    await greeted("feishu:ou_ann")
    findings = await greeted("feishu:ou_ann")

    assert (findings["feishu"].grade, findings["wecom"].grade) == ("ok", "off")
    assert (len(feishu.messages), wecom.messages) == (2, [])


async def test_who_cannot_be_reached_is_said(feishu: StreamingFeishu, wecom: FakeWeCom) -> None:
    """Outside the visible range, without an id, or unknown altogether."""
    outside, without, unknown = (await greeted("wecom:zoe"), await greeted("Zoe"), await greeted("nobody"))

    assert outside["wecom"].grade == "failed"
    assert "/whoami" in outside["wecom"].todo
    assert [found["wecom"].grade for found in (without, unknown)] == ["off", "off"]
    assert (feishu.messages, wecom.messages) == ([], [])


async def test_nobody_gets_a_card_unasked(feishu: StreamingFeishu, wecom: FakeWeCom) -> None:
    await examine()

    assert (feishu.messages, wecom.messages) == ([], [])
