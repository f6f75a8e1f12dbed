"""Opening the page inside DingTalk: DingTalk says who it is, the settings say whether that is somebody."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack

import pytest

from bots.dingtalk.client import DingTalkChannel
from bots.dingtalk.messenger import WEB_AGENT, WEB_SDK
from bots.messenger import Script, WebView
from core.http import Http
from core.sent_cards import SentCards
from core.store import Store
from tests.fakes.dingtalk import FakeDingTalk
from tests.fakes.web import Visitor, running, visiting

AGENT = "Mozilla/5.0 (iPhone) Mobile/15E148 AliApp(DingTalk/7.6.0) com.laiwang.DingTalk/1 Channel/201200"
PEOPLE = [
    {"name": "demo", "role": "viewer"},
    {"name": "Ann", "role": "operator", "identities": {"dingtalk": "ann", "web": "ann@web"}},
]


@pytest.fixture
async def dingtalk() -> AsyncGenerator[FakeDingTalk]:
    async with FakeDingTalk() as fake:
        yield fake


@pytest.fixture
async def visitor(dingtalk: FakeDingTalk, sqlite_store: Store) -> AsyncGenerator[Visitor]:
    async with AsyncExitStack() as stack:
        http = Http()
        await http.start()
        stack.push_async_callback(http.stop)
        channel = DingTalkChannel(dingtalk.settings, http, SentCards(sqlite_store, "dingtalk"))
        view = WebView("dingtalk", WEB_AGENT, Script(WEB_SDK, "dingcompany"), channel.identify)
        site = await stack.enter_async_context(running(sqlite_store, views=[view], people=PEOPLE))
        yield await stack.enter_async_context(visiting(site))


async def test_whoever_dingtalk_names_and_the_settings_list_is_signed_on(
    dingtalk: FakeDingTalk, visitor: Visitor
) -> None:
    dingtalk.codes["c0de"] = "ann"

    assert await visitor.post("sign-on/dingtalk", {"code": "c0de"}) == (200, {})


async def test_nobody_else_is(dingtalk: FakeDingTalk, visitor: Visitor) -> None:
    """Neither a colleague who is not listed, nor a code that was used, or made up."""
    dingtalk.codes |= {"bobs": "bob", "used": "ann"}
    dingtalk.codes.pop("used")

    statuses = [(await visitor.post("sign-on/dingtalk", {"code": code}))[0] for code in ("bobs", "used", "made-up")]

    assert statuses[0] == 403
    assert all(status >= 400 for status in statuses)


async def test_the_page_loads_dingtalks_script_only_inside_dingtalk(visitor: Visitor) -> None:
    async with visitor.session.get(visitor.site.url, headers={"User-Agent": AGENT}) as inside:
        assert WEB_SDK in await inside.text()
        assert "https://g.alicdn.com" in inside.headers["Content-Security-Policy"]
    async with visitor.session.get(visitor.site.url) as outside:
        assert WEB_SDK not in await outside.text()
