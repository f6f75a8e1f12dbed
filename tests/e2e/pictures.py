"""The README's pictures, taken from the real page: `python -m tests.e2e.pictures`. Needs Chromium."""

import asyncio
import shutil
import tempfile
from pathlib import Path

from aiohttp.test_utils import unused_port
from playwright.async_api import Page, async_playwright, expect

from tests.e2e.conftest import CHROMIUM, QUIET
from tests.e2e.process import ROOT, command, xops

FOLDER = ROOT / "docs/pictures"
TOKEN = "a-token-for-the-pictures"


async def main() -> None:
    """Sign on, ask, rerun; a picture at each step."""
    browser = next(filter(None, map(shutil.which, CHROMIUM)))
    with tempfile.TemporaryDirectory() as folder:
        async with (
            xops(Path(folder), unused_port(), {"XOPS_WEB__SIGN_ON_TOKEN": TOKEN}) as process,
            async_playwright() as playwright,
        ):
            chromium = await playwright.chromium.launch(executable_path=browser, args=[*QUIET])
            page = await chromium.new_page(
                viewport={"width": 390, "height": 780}, device_scale_factor=2, locale="zh-CN", color_scheme="light"
            )
            await page.goto(f"{process.url}/mobile/ops/chat?token={TOKEN}")
            await expect(page.locator("#overview .card")).to_be_visible()
            await take(page, "overview")
            await ask(page, "dws_trade_order_di 为什么失败了")
            await expect(page.get_by_text("ODPS-0010000").first).to_be_visible(timeout=20_000)
            await take(page, "diagnosis")
            await ask(page, "重跑 dws_trade_order_di")
            await page.get_by_role("button", name="确认重跑").click(timeout=20_000)
            await page.emulate_media(color_scheme="dark")
            await expect(page.locator(".card.success").last).to_be_visible(timeout=60_000)
            await take(page, "rerun")
            await gallery(await chromium.new_page(viewport={"width": 1280, "height": 1500}), Path(folder))
            await chromium.close()


async def gallery(page: Page, folder: Path) -> None:
    """What `xops cards` draws, from the diagnosis on."""
    await command(folder, {}, "cards", "cards.html")
    await page.goto((folder / "cards.html").as_uri())
    await page.locator("h2").nth(3).evaluate("heading => heading.scrollIntoView()")
    await take(page, "cards")


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
    asyncio.run(main())
