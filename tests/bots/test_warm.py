"""A configured model is loaded and reads its prompt once the server is ready; nobody waits. Without one nothing is loaded."""

import asyncio
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from bots.app import running
from bots.serving import serving
from core.settings import Model, Server, Settings, Storage
from tests.fakes import openai
from tests.fakes.openai import Says


def settings(folder: Path, model: Model) -> Settings:
    """A server on a free port with a database of its own."""
    return Settings(
        server=Server(port=0), storage=Storage(url=SecretStr(f"sqlite:///{folder}/xops.sqlite")), model=model
    )


async def test_the_model_is_warmed_up_behind_the_start_and_given_up_at_the_stop(tmp_path: Path) -> None:
    """It never answers, and neither starting nor stopping waits for it."""
    asked = asyncio.Event()

    def script(_number: int, _body: Mapping[str, Any]) -> Says:
        asked.set()
        return Says(hangs=True)

    async with openai.serving(script) as fake:
        model = Model(name="fake", base_url=fake.base_url, mode="router")
        async with serving(settings(tmp_path, model)):
            await asyncio.wait_for(asked.wait(), 60)
        (body,) = fake.requests
    assert body["messages"][0]["role"] == "system"


LOADED = """
import asyncio, sys
from pathlib import Path
from datetime import UTC, datetime
from bots.app import running
from core.messages import Actor, Conversation, Message
from core.settings import Model
from tests.bots.test_warm import settings

async def main(folder):
    given = settings(Path(folder), Model())
    async with running(given, accepting=True) as application:
        await application.agent.warm()
        assert "langchain" not in sys.modules, "loaded before anybody asked"
        place, asker = Conversation("terminal", "1"), Actor("terminal", given.web.person)
        question = Message("1", place, asker, "昨晚怎么样", datetime.now(UTC))
        await application.engine.reply(question, lambda _step: None)
        assert "langchain.agents" in sys.modules
    print("loaded")

asyncio.run(main(sys.argv[1]))
"""


def test_without_a_model_nothing_is_loaded_until_somebody_asks_freely(tmp_path: Path) -> None:
    """In a process of its own: in this one it has long been loaded."""
    done = subprocess.run([sys.executable, "-c", LOADED, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.stdout == "loaded\n", done.stderr


async def test_a_single_question_from_the_command_line_warms_nothing_up(tmp_path: Path) -> None:
    async with openai.serving(openai.says(Says("pong"))) as fake:
        model = Model(name="fake", base_url=fake.base_url, mode="router")
        async with running(settings(tmp_path, model), accepting=False):
            await asyncio.sleep(0)
        assert fake.requests == []
