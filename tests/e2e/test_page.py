"""The page in a real browser: on a phone, by keyboard, in the dark, without script, without network."""

import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from core.cards import Button, Buttons, Card, Chart, Form, Input, Item, Log, Note, Table, Text
from core.errors import Busy
from core.i18n import words
from core.store import Store
from tests.fakes.web import CONVERSATION, TOKEN, Site, log_card, running

pytestmark = pytest.mark.browser

SAY = words("zh-CN")
AUDIT = (Path(__file__).parent / "audit.js").read_text("utf-8")


@pytest.fixture
async def site(sqlite_store: Store) -> AsyncGenerator[Site]:
    """A running page."""
    async with running(sqlite_store) as site:
        yield site


@asynccontextmanager
async def opened(browser: Browser, width: int = 390, **options: Any) -> AsyncGenerator[Page]:
    """A phone's browser; in the end nothing may have been reported on its console."""
    context = await browser.new_context(
        viewport={"width": width, "height": 844}, locale="zh-CN", reduced_motion="reduce", **options
    )
    page = await context.new_page()
    reported: list[str] = []
    page.on("console", lambda message: reported.append(message.text))
    page.on("pageerror", lambda error: reported.append(str(error)))
    yield page
    await context.close()
    assert [line for line in reported if not line.startswith("Failed to load resource")] == []  # a status is no error


async def sign_on(page: Page, site: Site) -> None:
    """Sign on by address."""
    await page.goto(f"{site.url}?token={TOKEN}")


async def test_from_sign_on_to_a_pressed_button(browser: Browser, site: Site) -> None:
    """The whole way: token, overview, question, progress, answer in its place, button, reload."""
    async with opened(browser) as page:
        await page.goto(site.url)
        await page.get_by_label(SAY("web.sign_on.token")).fill(TOKEN)
        await page.get_by_role("button", name=SAY("web.sign_on.submit")).click()
        overview = page.get_by_role("region", name=SAY("web.overview"))
        await expect(overview.get_by_role("heading", name="运行失败 12")).to_be_visible()
        await expect(overview.get_by_role("heading", name="重复失败 4")).to_be_visible()

        site.assistant.may_answer.clear()
        await page.get_by_label(SAY("web.say")).fill("昨晚哪些失败了")
        await page.get_by_role("button", name=SAY("web.send")).click()
        dialogue = page.get_by_role("log")
        await expect(dialogue.get_by_role("article")).to_have_count(2)
        await expect(dialogue.get_by_role("heading", name="正在查询")).to_be_visible()
        site.assistant.may_answer.set()
        await expect(dialogue.get_by_role("heading", name="失败实例 12 个")).to_be_in_viewport()
        await expect(dialogue.get_by_role("article")).to_have_count(2)

        await dialogue.get_by_role("button", name="日志").first.click()
        await expect(dialogue.get_by_role("heading", name="原因：上游表不存在")).to_be_in_viewport()
        await expect(dialogue.locator("mark")).to_contain_text("Table not found")
        await expect(dialogue.locator("mark")).to_be_in_viewport()
        await page.reload()
        await expect(dialogue.get_by_role("article")).to_have_count(3)


async def test_form_sends_what_was_entered(browser: Browser, site: Site) -> None:
    """And is kept by the browser until what is required is there."""
    await site.channel.send(CONVERSATION, log_card(), key="log")
    async with opened(browser) as page:
        await sign_on(page, site)
        submit = page.get_by_role("button", name="免打扰")
        await submit.click()
        assert site.assistant.events == []
        await page.get_by_role("textbox", name="原因").fill("割接")
        await page.get_by_label("级别").select_option("高")
        await submit.click()
        await expect(page.get_by_text("reason=割接, until=, level=high")).to_be_visible()


async def test_suggestion_asks(browser: Browser, site: Site) -> None:
    """A press on a chip is a question."""
    async with opened(browser) as page:
        await sign_on(page, site)
        await page.get_by_role("button", name=SAY("web.suggestion.repeated")).click()
        await expect(page.get_by_role("log")).to_contain_text(f"你问的是：{SAY('web.suggestion.repeated')}")


async def test_keyboard_alone_is_enough(browser: Browser, site: Site) -> None:
    """Skip to the message box, ask with Enter, walk back to a button, press it; the focus is always seen and never lost."""
    async with opened(browser) as page:
        await sign_on(page, site)
        await page.keyboard.press("Tab")
        await expect(page.get_by_role("link", name=SAY("web.skip"))).to_be_in_viewport()
        await page.keyboard.press("Enter")
        await expect(page.get_by_label(SAY("web.say"))).to_be_focused()
        await page.keyboard.type("第一行")
        await page.keyboard.press("Shift+Enter")
        await page.keyboard.type("第二行")
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("你问的是：第一行\n第二行")).to_be_visible()
        await expect(page.get_by_label(SAY("web.say"))).to_be_focused()

        button = page.get_by_role("log").get_by_role("button", name="重跑").last
        for _ in range(30):
            await page.keyboard.press("Shift+Tab")
            outline = "getComputedStyle(document.activeElement).outlineStyle"
            assert await page.evaluate(outline) != "none"
            if await button.evaluate("button => button === document.activeElement"):
                break
        reference = str(await page.locator("#dialogue .card").get_attribute("data-reference"))
        same = Card("改过", (Item("x", buttons=tuple(Button(str(number), "x") for number in range(9))),))
        await site.channel.update(reference, same, key="again")
        await expect(page.get_by_role("button", name="5", exact=True)).to_be_focused()
        await site.channel.update(reference, Card("完成"), key="done")
        await expect(page.get_by_role("heading", name="完成")).to_be_focused()


@pytest.mark.parametrize("width", [320, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_nobody_is_left_out(browser: Browser, site: Site, width: int, scheme: str, tmp_path: Path) -> None:
    """Names, targets of a thumb's size, contrast, nothing beyond the edge: on the form and on a full page."""
    await site.channel.send(CONVERSATION, log_card(), key="log")
    async with opened(browser, width, color_scheme=scheme) as page:
        await page.goto(f"{site.url}?token=wrong")
        assert await page.evaluate(AUDIT) == []
        await sign_on(page, site)
        for text in ("昨晚哪些失败了", "很长的一段" * 60 + "a" * 300):
            await page.get_by_label(SAY("web.say")).fill(text)
            await page.get_by_role("button", name=SAY("web.send")).click()
            await expect(page.get_by_text(f"你问的是：{text}")).to_be_attached()
        await page.locator(".menu summary").click()
        assert await page.evaluate(AUDIT) == []
        background = await page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        assert (sum(map(int, re.findall(r"\d+", background))) < 200) == (scheme == "dark")
        picture = await page.screenshot(path=tmp_path / f"{scheme}-{width}.png", full_page=True)
        assert len(picture) > 20_000


async def test_page_is_whole_without_script(browser: Browser, site: Site) -> None:
    """First paint in a messenger's web view: overview and dialogue come from the server."""
    await site.channel.send(CONVERSATION, log_card(), key="log")
    async with opened(browser, java_script_enabled=False) as page:
        await sign_on(page, site)
        await expect(page.get_by_role("heading", name="运行失败 12")).to_be_visible()
        await expect(page.get_by_role("heading", name="原因：上游表不存在")).to_be_attached()


async def test_what_could_not_be_sent_is_given_back(browser: Browser, site: Site) -> None:
    """Without network, or when too much is going on, the words stay and the person is told."""
    async with opened(browser) as page:
        await sign_on(page, site)
        box, send = page.get_by_label(SAY("web.say")), page.get_by_role("button", name=SAY("web.send"))
        await page.context.set_offline(True)
        await box.fill("还在吗")
        await send.click()
        await expect(page.get_by_role("alert")).to_have_text(SAY("web.error.offline"))
        await expect(box).to_have_value("还在吗")
        await page.context.set_offline(False)
        site.assistant.refuse = Busy("full")
        await send.click()
        await expect(page.get_by_role("alert")).to_have_text(SAY("web.error.busy"))
        site.assistant.refuse = None
        await send.click()
        await expect(page.get_by_text("你问的是：还在吗")).to_be_visible()
        await expect(page.get_by_role("alert")).to_be_hidden()


async def test_second_device_follows_and_missed_cards_arrive(browser: Browser, site: Site) -> None:
    """One person, one dialogue: what one device asks, the other shows, in the same order; also after a lost connection."""
    async with opened(browser) as phone, opened(browser) as desk:
        for page in (phone, desk):
            await sign_on(page, site)
        await phone.get_by_label(SAY("web.say")).fill("今天怎么样")
        await phone.keyboard.press("Enter")
        await expect(desk.get_by_text("你问的是：今天怎么样")).to_be_visible()
        await site.channel.send(CONVERSATION, Card("<b>第二张</b>"), key="2")
        for page in (phone, desk):
            await expect(page.get_by_role("log").get_by_role("heading", level=2)).to_have_text(
                ["失败实例 12 个", "<b>第二张</b>"]
            )


async def test_overview_is_refreshed_in_place(browser: Browser, site: Site) -> None:
    """By its button, and by itself when someone comes back to the page."""
    async with opened(browser) as page:
        await page.clock.install()
        await sign_on(page, site)
        await site.channel.pin(CONVERSATION, Card("旧的概览", (Note("x"),)))
        await expect(page.get_by_role("heading", name="旧的概览")).to_be_visible()
        refresh = page.get_by_role("button", name=SAY("web.refresh"))
        await refresh.click()
        await expect(page.get_by_role("heading", name="3 月 2 日运行概览")).to_be_visible()
        await expect(refresh).to_be_focused()
        await site.channel.pin(CONVERSATION, Card("旧的概览"))
        await expect(page.get_by_role("heading", name="旧的概览")).to_be_visible()
        await page.clock.fast_forward(90_000)
        await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        await expect(page.get_by_role("heading", name="3 月 2 日运行概览")).to_be_visible()


async def test_confirming_click_is_answered_on_the_same_card(browser: Browser, site: Site) -> None:
    """The person keeps their place, and nothing pretends to be still on its way."""
    site.assistant.may_answer.clear()
    confirm = Card("确认重跑？", (Buttons((Button("确认", "confirm", {"proposal": "P-1"}),)),))
    reference = await site.channel.send(CONVERSATION, confirm, key="proposal")
    async with opened(browser) as page:
        await sign_on(page, site)
        await page.get_by_role("button", name="确认").click()
        await site.channel.update(reference, Card("重跑成功", tone="success"), key="done")
        await expect(page.get_by_role("heading", name="重跑成功")).to_be_in_viewport()
        await expect(page.locator("[data-pending]")).to_be_hidden()


async def test_log_can_be_copied(browser: Browser, site: Site) -> None:
    """As text, without the numbers."""
    await site.channel.send(CONVERSATION, log_card(), key="log")
    async with opened(browser, permissions=["clipboard-read", "clipboard-write"]) as page:
        await sign_on(page, site)
        await page.get_by_role("button", name=SAY("web.copy")).click()
        await expect(page.get_by_role("button", name=SAY("web.copied"))).to_be_visible()
        copied = await page.evaluate("navigator.clipboard.readText()")
    assert copied.splitlines()[-1] == "Process finished with exit code 1"


async def test_session_that_ended_leads_back_to_the_form(browser: Browser, site: Site) -> None:
    """Instead of a page on which nothing works any more."""
    async with opened(browser) as page:
        await sign_on(page, site)
        await page.locator(".menu summary").click()
        await page.get_by_role("button", name=SAY("web.sign_out")).click()
        await expect(page.get_by_label(SAY("web.sign_on.token"))).to_be_visible()


async def test_markup_from_outside_runs_nowhere(browser: Browser, site: Site) -> None:
    """Not in a card rendered with the page, nor in one that arrives later; and the policy had nothing to stop."""
    evil = "<img src=x onerror=alert(1)><script>alert(2)</script>"
    card = Card(
        evil,
        (
            Text(evil),
            Log(((1, evil),), frozenset({1}), evil),
            Table((evil,), ((evil,),)),
            Chart("bar", ((evil, 1.0, "danger"),), evil, evil),
            Buttons((Button(evil, "x"), Button(evil, url="javascript:alert(3)"))),
            Form((Input("a", evil, value=evil),), Button(evil, "x")),
        ),
    )
    await site.channel.send(CONVERSATION, card, key="before")
    async with opened(browser) as page:
        await sign_on(page, site)
        await site.channel.send(CONVERSATION, card, key="after")
        await expect(page.get_by_role("heading", name=evil)).to_have_count(2)
        assert await page.evaluate("document.querySelectorAll('#dialogue :is(img, script)').length") == 0


async def test_older_entries_come_on_request(browser: Browser, site: Site) -> None:
    """In front of those that are shown, until there are no more."""
    for number in range(40):
        await site.channel.send(CONVERSATION, Card(f"第 {number} 张"), key=str(number))
    async with opened(browser) as page:
        await sign_on(page, site)
        articles = page.get_by_role("log").get_by_role("article")
        await expect(articles).to_have_count(30)
        older = page.get_by_role("button", name=SAY("web.older"))
        await older.click()
        await expect(articles).to_have_count(40)
        await expect(articles.first).to_contain_text("第 0 张")
        await expect(older).to_be_hidden()
