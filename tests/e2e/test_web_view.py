"""Opening the page inside Feishu, in a real browser: nobody types a token, and a deep link leads to its instance."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from functools import partial

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from playwright.async_api import Browser, Page, expect

from bots.feishu import sign_on
from bots.messenger import Script, WebView
from core.http import Http
from core.i18n import words
from core.messages import Message
from core.store import Store
from tests.fakes.feishu import FakeFeishu
from tests.fakes.web import Site, running

pytestmark = pytest.mark.browser

SAY = words("zh-CN")
AGENT = "Mozilla/5.0 (Linux; Android 14) Chrome/120 Mobile Lark/7.9.5"
PEOPLE = [
    {"name": "demo", "role": "viewer"},
    {"name": "ann", "role": "operator", "identities": {"feishu": "ou_ann"}},
]
GIVES = "({ appID, appId, success }) => success({ code: (appID ?? appId) === 'cli_fake' ? CODE : '' })"
REFUSES = "window.tt = { requestAccess: ({ fail }) => fail({ errno: ERRNO }) };"
CLIENTS = {
    "current": f"window.tt = {{ requestAccess: {GIVES} }};",
    "without requestAccess": f"window.tt = {{ requestAuthCode: {GIVES} }};",
    "refuses requestAccess": f"{REFUSES} window.tt.requestAuthCode = {GIVES};".replace("ERRNO", "103"),
    "refuses": REFUSES.replace("ERRNO", "1"),
}
"""What the script of each kind of Feishu client offers."""


@dataclass
class Inside:
    """The page, as Feishu's web view shows it. `client` is one of `CLIENTS`."""

    feishu: FakeFeishu
    site: Site
    client: str = "current"

    def script(self) -> web.Response:
        """Feishu's script, from a host of its own."""
        code = f'const CODE = "{self.feishu.code("ou_ann")}"; window.h5sdk = {{ error() {{}}, ready: (go) => go() }};'
        return web.Response(text=code + CLIENTS[self.client], content_type="text/javascript")


@pytest.fixture
async def inside(sqlite_store: Store) -> AsyncGenerator[Inside]:
    shown: list[Inside] = []

    async def h5(_request: web.Request) -> web.Response:
        return shown[0].script()

    http, application = Http(), web.Application()
    application.router.add_get("/h5.js", h5)
    await http.start()
    async with FakeFeishu() as feishu, TestServer(application) as scripts:
        identify = partial(sign_on.identify, feishu.settings, http)
        script = Script(str(scripts.make_url("/h5.js")), feishu.settings.app_id)
        view = WebView("feishu", sign_on.AGENT, script, identify)
        async with running(sqlite_store, views=[view], people=PEOPLE) as site:
            shown.append(Inside(feishu, site))
            yield shown[0]
    await http.stop()


@pytest.fixture
async def page(browser: Browser) -> AsyncGenerator[Page]:
    """Feishu's web view on a phone."""
    context = await browser.new_context(viewport={"width": 390, "height": 844}, locale="zh-CN", user_agent=AGENT)
    yield await context.new_page()
    await context.close()


@pytest.mark.parametrize("client", ["current", "without requestAccess", "refuses requestAccess"])
async def test_opens_as_the_person_feishu_names(page: Page, inside: Inside, client: str) -> None:
    inside.client = client
    await page.goto(inside.site.url)

    await expect(page.get_by_role("heading", name="运行失败 12")).to_be_visible()
    await expect(page.locator("body")).to_have_attribute("data-subject", "ann")


async def test_the_form_stays_when_feishu_says_nothing(page: Page, inside: Inside) -> None:
    inside.client = "refuses"
    await page.goto(inside.site.url)

    await expect(page.get_by_role("status")).to_have_text(SAY("web.error.not_recognised"))
    await expect(page.get_by_label(SAY("web.sign_on.token"))).to_be_visible()


async def test_a_link_on_a_card_leads_to_its_instance(page: Page, inside: Inside) -> None:
    """Signed on on the way; asked once, not again when the page is loaded again."""
    await page.goto(f"{inside.site.url}?at=demo:20260301/t_1")
    await expect(page.locator(".said p")).to_have_text("/status demo:20260301/t_1")
    await page.reload()
    await expect(page.locator(".said")).to_have_count(1)

    assert [event.text for event in inside.site.assistant.events if isinstance(event, Message)] == [
        "/status demo:20260301/t_1"
    ]
