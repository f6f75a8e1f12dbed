"""The pictures of README and docs: `python -m tests.e2e.pictures [page | cards | admin]`, all without a word.

Needs Chromium, Noto CJK and Noto Color Emoji. Those of the page and of the administration are taken from the real ones; those
of chats from what `xops cards` draws of the JSON that is sent.
"""

import asyncio
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from aiohttp.test_utils import unused_port
from playwright.async_api import Browser, Page, async_playwright, expect

from bots.messenger import ADMIN
from bots.web.gate import COOKIE
from core.messages import Conversation
from tests.e2e.conftest import CHROMIUM, QUIET
from tests.e2e.process import ROOT, command, xops
from tests.fakes.admin import Site, administering, imports
from tests.fakes.approvals import flow

FOLDER = ROOT / "docs/pictures"
TOKEN = "a-token-for-the-pictures"

OVERVIEW, DIAGNOSIS, RERUN = "/overview", "dws_trade_order_di 为什么失败了", "重跑 dws_trade_order_di"
CARDS: Mapping[str, Sequence[tuple[str, str]]] = {
    "cards": [(DIAGNOSIS, platform) for platform in ("Feishu", "DingTalk, card", "WeCom, app")],
    "feishu": [(asked, "Feishu") for asked in (OVERVIEW, DIAGNOSIS, RERUN)],
    "dingtalk": [(OVERVIEW, "DingTalk, card"), (DIAGNOSIS, "DingTalk, card"), (DIAGNOSIS, "DingTalk, message")],
    "wecom": [(OVERVIEW, "WeCom, app"), (DIAGNOSIS, "WeCom, app"), (DIAGNOSIS, "WeCom, AI bot")],
}
"""What stands beside each other on a picture: which answer, on which platform."""

FLOWS = (
    imports("生产数据导入", remark="周末不做"),
    imports("测试导入", enabled=False, scope={"environments": ("test",)}),
    flow("生产停止审批", "kill", "ops_admin@project", "group:dba", break_glass=True),
)
ADMIN_PAGES = {
    "flows": "flows",
    "flow": "flows/F-3",
    "edit": "flows/F-3/edit",
    "order": "flows/order?task_type=import",
    "tickets": "tickets?list=all",
    "people": "people",
    "audit": "audit",
}
PHONE_PAGES = {"phone": "flows", "ticket": "tickets/T-1", "subscriptions": "subscriptions"}

CHOOSE = """chosen => {
  const row = document.createElement("section");
  row.id = "picture";
  for (const [asked, platform] of chosen) {
    const heading = [...document.querySelectorAll("h2")].find(one => one.textContent === asked);
    const cell = [...heading.nextElementSibling.children].find(one => one.firstChild.textContent === platform);
    row.append(cell.cloneNode(true));
    row.lastChild.lastChild.replaceWith(cell.lastChild);
  }
  row.style = `grid-template-columns: repeat(${chosen.length}, 300px); width: max-content`;
  document.body.append(row);
}"""
"""Builds a row of those cells below everything else. Shadow roots cannot be cloned, so the drawings are moved."""


async def main(only: str) -> None:
    """Take the pictures; those of one kind alone when told so."""
    browser = next(filter(None, map(shutil.which, CHROMIUM)))
    with tempfile.TemporaryDirectory() as folder:
        async with async_playwright() as playwright:
            chromium = await playwright.chromium.launch(executable_path=browser, args=[*QUIET])
            for name, pictures in (("page", walk), ("cards", chats), ("admin", administer)):
                if only in {"", name}:
                    await pictures(chromium, Path(folder))
            await chromium.close()


async def walk(chromium: Browser, folder: Path) -> None:
    """Sign on to the page, ask, rerun; a picture at each step."""
    async with xops(folder, unused_port(), {"XOPS_WEB__SIGN_ON_TOKEN": TOKEN}) as process:
        page = await chromium.new_page(
            viewport={"width": 390, "height": 780}, device_scale_factor=2, locale="zh-CN", color_scheme="light"
        )
        await page.goto(f"{process.url}/mobile/ops/chat?token={TOKEN}")
        await expect(page.locator("#overview .card")).to_be_visible()
        await take(page, "overview")
        await ask(page, DIAGNOSIS)
        await expect(page.get_by_text("ODPS-0010000").first).to_be_visible(timeout=20_000)
        await take(page, "diagnosis")
        await ask(page, RERUN)
        await page.get_by_role("button", name="确认重跑").click(timeout=20_000)
        await page.emulate_media(color_scheme="dark")
        await expect(page.locator(".card.success").last).to_be_visible(timeout=60_000)
        await take(page, "rerun")


async def chats(chromium: Browser, folder: Path) -> None:
    """What `xops cards` draws, the same answers beside each other."""
    await command(folder, {}, "cards", "cards.html")
    page = await chromium.new_page(viewport={"width": 1000, "height": 800})
    for name, chosen in CARDS.items():
        await page.goto((folder / "cards.html").as_uri())
        await page.evaluate(CHOOSE, [[*cell] for cell in chosen])
        await page.locator("#picture").screenshot(path=FOLDER / f"{name}.jpg", quality=60)


async def administer(chromium: Browser, folder: Path) -> None:
    """A few flows and a ticket, as an administrator sees them at a desk, and one of each on a phone."""
    async with administering(folder) as site:
        for definition in FLOWS:
            await site.make_flow(definition)
        await site.ask("load 生产订单", project="trade", facts={"rows": 120_000})
        await subscribe(site)
        for width, pages in ((1180, ADMIN_PAGES), (390, PHONE_PAGES)):
            context = await chromium.new_context(viewport={"width": width, "height": 780}, color_scheme="light")
            await context.add_cookies([{"name": COOKIE, "value": site.cookie("root", "zh-CN"), "url": site.origin}])
            page = await context.new_page()
            for name, path in pages.items():
                await page.goto(f"{site.origin}{ADMIN}/{path}")
                await page.screenshot(path=FOLDER / f"admin-{name}.jpg", quality=60, full_page=True)
            await context.close()


async def subscribe(site: Site) -> None:
    """A group that hears of a project, and a mute."""
    application, group = site.application, Conversation("feishu", "oc_trade", "group")
    root = application.access.named("root")
    assert root is not None
    await application.wishes.subscribe(root, group, "owner", "陈晓雯", "warning", "22:00-08:00")
    await application.kept.promises.follow(root, group, "dws_trade_order_di")
    await application.kept.promises.mute(root, group, "dwd_trade_pay_event_hi", "2h")


async def ask(page: Page, text: str) -> None:
    """Write and send."""
    await page.fill("#said", text)
    await page.keyboard.press("Enter")


async def take(page: Page, name: str) -> None:
    """One picture of what a phone shows, once nothing moves any more."""
    await page.evaluate("Promise.all(document.getAnimations().map(animation => animation.finished))")
    await page.screenshot(path=FOLDER / f"{name}.png", animations="disabled")


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    asyncio.run(main("".join(sys.argv[1:])))
