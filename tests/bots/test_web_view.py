"""Signing on inside a messenger: Feishu says who it is, the settings say whether that is somebody."""

from collections.abc import AsyncGenerator
from functools import partial
from http.cookies import Morsel
from typing import Any

import pytest

from bots.feishu import sign_on
from bots.messenger import Script, WebView
from bots.web.gate import COOKIE, POLICY
from bots.web.session import ATTEMPTS
from core.http import Http
from core.store import Store
from tests.fakes.feishu import FakeFeishu
from tests.fakes.web import TOKEN, Site, Visitor, references, running, visiting

INSIDE = {"User-Agent": "Mozilla/5.0 (iPhone) AppleWebKit/605.1.15 Mobile/15E148 Lark/7.9.5 LarkLocale/zh_CN"}
PEOPLE = [
    {"name": "demo", "role": "viewer"},
    {"name": "Ann", "role": "operator", "identities": {"feishu": "ou_ann", "web": "ann@web"}},
]


@pytest.fixture
async def site(feishu: FakeFeishu, sqlite_store: Store) -> AsyncGenerator[Site]:
    http = Http()
    await http.start()
    identify = partial(sign_on.identify, feishu.settings, http)
    view = WebView("feishu", sign_on.AGENT, Script(sign_on.SDK, feishu.settings.app_id), identify)
    async with running(sqlite_store, views=[view], people=PEOPLE) as running_site:
        yield running_site
    await http.stop()


@pytest.fixture
async def visitor(site: Site) -> AsyncGenerator[Visitor]:
    async with visiting(site) as someone:
        yield someone


def cookie(visitor: Visitor) -> Morsel[str] | None:
    return next((morsel for morsel in visitor.session.cookie_jar if morsel.key == COOKIE), None)


async def told(visitor: Visitor, code: object, **headers: str) -> tuple[int, dict[str, Any]]:
    return await visitor.post("sign-on/feishu", {"code": code}, **headers)


async def test_whoever_feishu_names_and_the_settings_list_is_signed_on(feishu: FakeFeishu, visitor: Visitor) -> None:
    """As the same person as in the chat: by open id, and with the dialogue their identity has on the page."""
    assert await told(visitor, feishu.code("ou_ann")) == (200, {})

    found = cookie(visitor)
    assert found is not None
    assert (found["httponly"], found["samesite"], found["path"]) == (True, "Lax", "/")
    assert references(await visitor.page()) == ["overview:web:ann@web"]


async def test_somebody_who_is_not_listed_is_told_so(feishu: FakeFeishu, visitor: Visitor) -> None:
    """Also when their name in Feishu is that of a listed person."""
    feishu.users["ou_other"] = "Ann"

    status, answer = await told(visitor, feishu.code("ou_other"))

    assert (status, cookie(visitor)) == (403, None)
    assert "/whoami" in answer["error"]


async def test_a_code_works_once_and_not_for_long(feishu: FakeFeishu, visitor: Visitor) -> None:
    code = feishu.code("ou_ann")
    await told(visitor, code)
    visitor.session.cookie_jar.clear()

    assert (await told(visitor, code))[0] == 401
    assert (await told(visitor, "made-up"))[0] == 401
    assert cookie(visitor) is None


async def test_who_guesses_codes_has_to_wait(feishu: FakeFeishu, visitor: Visitor) -> None:
    for _ in range(ATTEMPTS):
        await told(visitor, "made-up")

    assert (await told(visitor, feishu.code("ou_ann")))[0] == 429


@pytest.mark.parametrize("code", ["", 1, None, "x" * 3000])
async def test_what_is_no_code_never_reaches_feishu(feishu: FakeFeishu, visitor: Visitor, code: object) -> None:
    assert (await told(visitor, code))[0] == 400
    assert feishu.calls == []


async def test_a_foreign_page_cannot_sign_anyone_on(feishu: FakeFeishu, visitor: Visitor) -> None:
    """Else it could sign its visitors on as its author."""
    assert (await told(visitor, feishu.code("ou_ann"), Origin="https://evil.example"))[0] == 403
    assert (await visitor.post("sign-on/slack", {"code": "x"}))[0] == 404
    assert cookie(visitor) is None


async def test_feishus_script_is_loaded_inside_feishu_and_nowhere_else(visitor: Visitor) -> None:
    """And its host is trusted on that one page only."""
    async with visitor.session.get(visitor.site.url, headers=INSIDE) as answer:
        inside, policy = await answer.text(), answer.headers["Content-Security-Policy"]
    async with visitor.session.get(visitor.site.url) as answer:
        outside = await answer.text()
        assert answer.headers["Content-Security-Policy"] == POLICY
    await visitor.sign_on()
    async with visitor.session.get(visitor.site.url, headers=INSIDE) as answer:
        assert answer.headers["Content-Security-Policy"] == POLICY

    assert sign_on.SDK in inside
    assert sign_on.SDK not in outside
    assert policy == POLICY.replace("script-src 'self'", "script-src 'self' https://lf1-cdn-tos.bytegoofy.com")


async def test_a_deep_link_survives_signing_on(visitor: Visitor) -> None:
    """It leads to the form, then to the page, which asks about the instance; what is no reference is dropped."""
    async with visitor.session.get(visitor.site.url, params={"at": "demo:20260301/t_1"}) as answer:
        assert "at=demo%3A20260301/t_1" in await answer.text()
    address = f"{visitor.site.url}/sign-on"
    token, place = {"token": TOKEN}, {"at": "demo:20260301/t_1"}
    async with visitor.session.post(address, data=token, params=place, headers=visitor.headers) as answer:
        assert 'data-place="demo:20260301/t_1"' in await answer.text()

    assert 'data-place=""' in await visitor.page(at='demo:1" onload="x')
    assert 'data-place=""' in await visitor.page(at="demo:1 \n/confirm P-1")
