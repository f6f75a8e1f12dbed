"""The administration in a real browser: on a phone of 360 pixels, by keyboard, by pointer, with what goes wrong."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from bots.messenger import ADMIN
from bots.web.gate import COOKIE
from core.i18n import words
from tests.fakes.admin import Site, administering, imports

pytestmark = pytest.mark.browser

SAY = words("zh-CN")
AUDIT = (Path(__file__).parent / "audit.js").read_text("utf-8")


@pytest.fixture
async def site(tmp_path: Path) -> AsyncGenerator[Site]:
    """A running administration."""
    async with administering(tmp_path) as opened:
        yield opened


@asynccontextmanager
async def opened(
    browser: Browser, site: Site, person: str = "root", width: int = 360, **options: Any
) -> AsyncGenerator[Page]:
    """Somebody's browser; in the end nothing may have been reported on its console."""
    context = await browser.new_context(
        viewport={"width": width, "height": 800},
        locale="zh-CN",
        reduced_motion="reduce",
        base_url=site.origin,
        **options,
    )
    await context.add_cookies([{"name": COOKIE, "value": site.cookie(person, "zh-CN"), "url": site.origin}])
    page = await context.new_page()
    reported: list[str] = []
    page.on("console", lambda message: reported.append(message.text))
    page.on("pageerror", lambda error: reported.append(str(error)))
    yield page
    await context.close()
    assert [line for line in reported if not line.startswith("Failed to load resource")] == []  # a status is no error


async def press(page: Page, key: str, *, confirm: bool = False) -> None:
    """Press the button of these words; say yes when asked."""
    await page.get_by_role("button", name=SAY(key)).first.click()
    if confirm:
        await page.get_by_role("dialog").get_by_role("button", name=SAY("admin.yes")).click()


async def test_a_flow_is_made_on_a_phone(browser: Browser, site: Site) -> None:
    """Type, name, another level and step; what is wrong is said at its field and has the focus; then it is in the list."""
    async with opened(browser, site) as page:
        await page.goto(f"{ADMIN}/flows")
        await page.get_by_label(SAY("admin.flow.of_type")).select_option("kill")
        await press(page, "admin.flow.new")
        await page.get_by_label(SAY("admin.flow.name")).fill("生产 停止")
        await press(page, "admin.flow.add_level")
        second = page.get_by_role("group", name=SAY("admin.flow.level", number=2), exact=True)
        await second.get_by_role("button", name=SAY("admin.flow.add_node")).click()
        await expect(second.get_by_label(SAY("admin.flow.approver"))).to_have_count(2)
        await second.get_by_label(SAY("admin.flow.approver")).last.select_option("group:dba")
        await press(page, "admin.save")
        summary = page.get_by_role("alert").filter(has_text=SAY("admin.summary"))
        await expect(summary).to_be_focused()
        await summary.get_by_role("link").click()
        name = page.get_by_label(SAY("admin.flow.name"))
        await expect(name).to_be_focused()
        await expect(name).to_have_accessible_description(f"{SAY('admin.flow.name_hint')} {SAY('admin.wrong.name')}")
        await name.fill("生产停止")
        await press(page, "admin.save")
        await expect(page.get_by_role("status")).to_have_text(SAY("admin.done.saved"))
        await page.goto(f"{ADMIN}/flows")
        await expect(page.get_by_role("link", name="生产停止", exact=True)).to_be_visible()


async def test_turning_off_and_deleting_are_asked_about_first(browser: Browser, site: Site) -> None:
    """Cancel changes nothing; all can be ticked at once; the empty list says what to do."""
    for name in ("one", "two"):
        await site.make_flow(imports(name))
    async with opened(browser, site) as page:
        await page.goto(f"{ADMIN}/flows")
        await page.get_by_role("button", name=f"{SAY('admin.disable')} one").click()
        await expect(page.get_by_role("dialog")).to_have_accessible_name(SAY("admin.flow.sure_disable", name="one"))
        await page.keyboard.press("Escape")
        await page.get_by_role("button", name=f"{SAY('admin.disable')} one").click()
        await page.get_by_role("dialog").get_by_role("button", name=SAY("admin.yes")).click()
        await expect(page.get_by_role("status")).to_have_text(SAY("admin.done.disabled"))
        await page.goto(f"{ADMIN}/flows")
        await press(page, "admin.flow.delete", confirm=True)
        await expect(page.get_by_role("alert")).to_have_text(SAY("admin.refused.ids"))
        await page.get_by_label(SAY("admin.tick_all")).check()
        await press(page, "admin.flow.delete", confirm=True)
        await expect(page.get_by_text(SAY("admin.flow.none"))).to_be_visible()


async def test_the_order_is_set_by_keyboard_and_by_pointer(browser: Browser, site: Site) -> None:
    """The arrow keys on a handle, which keeps the focus and says where it is; or dragging it."""
    for name in ("one", "two", "three"):
        await site.make_flow(imports(name))
    flows = site.application.approving.approvals.flows
    async with opened(browser, site) as page:
        await page.goto(f"{ADMIN}/flows/order?task_type=import")
        handle = page.get_by_role("button", name=SAY("admin.flow.move", name="three"))
        await handle.focus()
        await page.keyboard.press("ArrowUp")
        await page.keyboard.press("ArrowUp")
        await expect(handle).to_be_focused()
        await expect(page.locator("[data-status]")).to_have_text(SAY("admin.flow.moved").replace("#", "1"))
        await press(page, "admin.save")
        await expect(page.get_by_role("status")).to_have_text(SAY("admin.done.ordered"))
        assert [flow.name for flow in await flows.of_type("import")] == ["three", "one", "two"]

        await page.goto(f"{ADMIN}/flows/order?task_type=import")
        await page.get_by_role("button", name=SAY("admin.flow.move", name="three")).hover()
        await page.mouse.down()
        box = await page.locator(".sortable li").last.bounding_box()
        assert box is not None
        await page.mouse.move(box["x"] + 20, box["y"] + box["height"], steps=5)
        await page.mouse.up()
        await press(page, "admin.save")
        await expect(page.get_by_role("status")).to_have_text(SAY("admin.done.ordered"))
        assert [flow.name for flow in await flows.of_type("import")] == ["one", "two", "three"]


async def test_a_file_is_imported(browser: Browser, site: Site, tmp_path: Path) -> None:
    """It is read into the field, where it can be looked at before it is sent."""
    file = tmp_path / "flows.yaml"
    file.write_text("flows: [{name: night, task_type: import, levels: [{nodes: [{approver: 'admin@org'}]}]}]")
    async with opened(browser, site) as page:
        await page.goto(f"{ADMIN}/flows/document")
        await page.get_by_label(SAY("admin.flow.file")).set_input_files(file)
        await expect(page.get_by_label(SAY("admin.flow.document"))).to_have_value(file.read_text())
        await press(page, "admin.flow.import")
        await expect(page.get_by_role("link", name="night", exact=True)).to_be_visible()


async def test_a_ticket_is_rejected_by_keyboard_with_a_reason(browser: Browser, site: Site) -> None:
    """Where a card leads that cannot ask for one: without a reason it is asked for, with one it is done."""
    await site.make_flow()
    await site.ask()
    async with opened(browser, site, "ops") as page:
        await page.goto(f"{ADMIN}/tickets/T-1")
        form = page.get_by_role("form", name=SAY("admin.ticket.do.reject"))
        await form.get_by_role("button").press("Enter")
        reason = form.get_by_label(SAY("approvals.comment"))
        await expect(reason).to_have_accessible_description(SAY("admin.refused.comment"))
        await expect(reason).to_be_focused()
        await page.keyboard.type("文件不对")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("status")).to_have_text(SAY("admin.done.reject"))
        await expect(page.get_by_role("heading", level=1)).to_contain_text("已驳回")
        await expect(page.get_by_text("文件不对").first).to_be_visible()


async def test_a_viewer_subscribes_and_ends_it_on_a_phone(browser: Browser, site: Site) -> None:
    """A part of a name is answered with what it may mean; pressing one does it, and what was made is ended where it stands."""
    async with opened(browser, site, "guest") as page:
        await page.goto(f"{ADMIN}/subscriptions")
        form = page.get_by_role("form", name=SAY("admin.hearing.subscribe"))
        await form.get_by_label(SAY("admin.hearing.kind"), exact=True).select_option("task")
        await form.get_by_label(SAY("admin.hearing.subject"), exact=True).fill("dws_trade")
        await form.get_by_label(SAY("admin.hearing.quiet")).fill("22:00-08:00")
        await form.get_by_role("button", name=SAY("admin.hearing.subscribe")).click()
        await form.get_by_text(SAY("admin.hearing.meant")).wait_for()
        assert await page.evaluate(AUDIT) == []
        await form.get_by_role("button").first.click()
        await expect(page.get_by_role("status")).to_have_text(SAY("admin.done.subscribe"))
        chat = page.get_by_role("form", name=SAY("admin.hearing.private", channel=SAY("admin.hearing.page")))
        await expect(chat.get_by_text("22:00-08:00")).to_be_visible()
        assert await page.evaluate(AUDIT) == []
        await chat.get_by_role("button").click()
        await page.get_by_role("dialog").get_by_role("button", name=SAY("admin.yes")).click()
        await expect(page.get_by_role("status")).to_have_text(SAY("admin.done.ended"))
        await expect(chat.get_by_text(SAY("admin.hearing.none"))).to_be_visible()


async def test_a_mute_is_made_after_its_preview(browser: Browser, site: Site) -> None:
    """What it would have hidden is read first and has the focus; then it is made, and everyone sees it."""
    async with opened(browser, site) as page:
        await page.goto(f"{ADMIN}/subscriptions")
        form = page.get_by_role("form", name=SAY("admin.hearing.mute"))
        await form.get_by_label(SAY("admin.hearing.muteable")).fill("dws_trade_order_di")
        await form.get_by_role("button", name=SAY("admin.hearing.preview")).click()
        preview = form.get_by_role("status")
        await expect(preview).to_be_focused()
        await expect(preview).to_contain_text(SAY("watches.preview.title", name="dws_trade_order_di"))
        assert await page.evaluate(AUDIT) == []
        await form.get_by_role("button", name=SAY("admin.hearing.mute"), exact=True).click()
        await expect(page.get_by_role("status")).to_have_text(SAY("admin.done.mute"))
        muted = page.get_by_role("form", name=SAY("admin.hearing.muted"))
        await expect(muted.get_by_text("dws_trade_order_di").first).to_be_visible()


@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (1180, "dark")])
async def test_nobody_is_left_out(browser: Browser, site: Site, width: int, scheme: Any, tmp_path: Path) -> None:
    """Names, targets of a thumb's size, contrast, nothing beyond the edge: on every page, also with what is wrong."""
    await site.make_flow(imports("很长的名字" * 20))
    await site.ask("很长的标题" * 30, payload={"file": "a" * 300})
    pages = ("flows", "flows/F-1", "flows/F-1/edit", "flows/F-1/copy", "flows/order?task_type=import", "flows/document")
    others = (
        "tickets?list=all",
        "tickets/T-1",
        "people",
        "people/root",
        "switches",
        "audit",
        "audit/verify",
        "subscriptions",
        "flows/F-9",
    )
    async with opened(browser, site, width=width, color_scheme=scheme) as page:
        for path in (*pages, *others):
            await page.goto(f"{ADMIN}/{path}")
            picture = await page.screenshot(path=tmp_path / f"{path.replace('/', '-')}.png", full_page=True)
            assert len(picture) > 10_000
            assert await page.evaluate(AUDIT) == [], path
        await page.goto(f"{ADMIN}/flows/new?task_type=kill")
        await press(page, "admin.flow.add_range")
        await press(page, "admin.save")
        await expect(page.get_by_text(SAY("admin.summary"))).to_be_visible()
        assert await page.evaluate(AUDIT) == []
