"""Opening the page inside WeCom, in a real browser: through WeCom's own page and back, and nobody types a token."""

from collections.abc import AsyncGenerator

import pytest
from playwright.async_api import Browser, Page, expect

from core.i18n import words
from core.messages import Message
from core.store import Store
from tests.bots.wecom_page import AGENT, page_inside
from tests.fakes.web import Site
from tests.fakes.wecom import FakeWeCom

pytestmark = pytest.mark.browser

SAY = words("zh-CN")


@pytest.fixture
async def wecom() -> AsyncGenerator[FakeWeCom]:
    async with FakeWeCom() as fake:
        yield fake


@pytest.fixture
async def site(wecom: FakeWeCom, sqlite_store: Store) -> AsyncGenerator[Site]:
    async with page_inside(wecom, sqlite_store) as running_site:
        yield running_site


@pytest.fixture
async def page(browser: Browser) -> AsyncGenerator[Page]:
    """WeCom's web view on a phone."""
    context = await browser.new_context(viewport={"width": 390, "height": 844}, locale="zh-CN", user_agent=AGENT)
    yield await context.new_page()
    await context.close()


async def test_a_link_on_a_card_opens_its_instance_as_the_person_wecom_names(page: Page, site: Site) -> None:
    """The browser comes back from another site, with the cookie it was sent away with; no code stays in the address."""
    await page.goto(f"{site.url}?at=demo:20260301/t_1")

    await expect(page.locator(".said p")).to_have_text("/status demo:20260301/t_1")
    await expect(page.locator("body")).to_have_attribute("data-subject", "ann@web")
    assert "code=" not in page.url
    await page.reload()
    assert [event.text for event in site.assistant.events if isinstance(event, Message)] == [
        "/status demo:20260301/t_1"
    ]


async def test_someone_from_outside_reads_why_and_may_be_recognised_again(
    page: Page, wecom: FakeWeCom, site: Site
) -> None:
    wecom.sign_on.visitor = "zoe"
    await page.goto(site.url)
    await expect(page.get_by_role("alert")).to_have_text(SAY("web.error.outsider"))

    wecom.sign_on.visitor = "ann"
    await page.get_by_role("link", name=SAY("web.sign_on.again")).click()

    await expect(page.get_by_role("heading", name="运行失败 12")).to_be_visible()
    await expect(page.locator("body")).to_have_attribute("data-subject", "ann@web")


async def test_an_untrusted_domain_ends_at_wecom(page: Page, wecom: FakeWeCom, site: Site) -> None:
    """What an administrator sees who forgot the trusted domain; our page is not called with anything."""
    wecom.sign_on.trusted = "xops.example"
    await page.goto(site.url)

    await expect(page.get_by_text("redirect_uri")).to_be_visible()
    assert page.url.startswith(wecom.settings.sign_on)
