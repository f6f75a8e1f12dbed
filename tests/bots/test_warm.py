"""A configured model reads its prompt while the server starts, in nobody's way."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from bots.app import running
from core.settings import Model, Settings, Storage
from tests.fakes.openai import Says, serving


async def test_the_model_is_warmed_up_behind_the_start_and_given_up_at_the_stop(tmp_path: Path) -> None:
    """It never answers, and neither starting nor stopping waits for it."""
    asked = asyncio.Event()

    def script(_number: int, _body: Mapping[str, Any]) -> Says:
        asked.set()
        return Says(hangs=True)

    async with serving(script) as fake:
        settings = Settings(
            storage=Storage(url=SecretStr(f"sqlite:///{tmp_path}/xops.sqlite")),
            model=Model(name="fake", base_url=fake.base_url, mode="router"),
        )
        async with running(settings, accepting=True):
            await asyncio.wait_for(asked.wait(), 60)
        (body,) = fake.requests
    assert body["messages"][0]["role"] == "system"
