"""A real browser, where there is one."""

import os
import shutil
from collections.abc import AsyncGenerator, Sequence

import pytest
from playwright.async_api import Browser, async_playwright

CHROMIUM: Sequence[str] = ("chromium", "chromium-browser", "google-chrome")
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session")
def chromium() -> str:
    """Where Chromium is. Without one the test is skipped, but in CI (`CI=true`) that is a failure."""
    found = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if found is None:
        missing = "no browser: `apt-get install chromium fonts-noto-cjk`, then run the tests again"
        pytest.fail(missing) if os.environ.get("CI") == "true" else pytest.skip(missing)
    return found


@pytest.fixture
async def browser(chromium: str) -> AsyncGenerator[Browser]:
    """Chromium without a window."""
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=chromium, args=[*QUIET])
        yield launched
        await launched.close()
