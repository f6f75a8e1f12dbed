"""What `xops doctor` says about Feishu: credentials, permissions, and the connection of the X-Ops that runs."""

from collections.abc import AsyncGenerator, Callable, Coroutine
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

from bots.doctor import examine
from bots.findings import Finding
from bots.serving import metrics
from core.observe import CONNECTED
from tests.e2e.process import feishu_settings
from tests.fakes.feishu_stream import StreamingFeishu

Examine = Callable[..., Coroutine[None, None, Finding]]


@pytest.fixture
async def feishu() -> AsyncGenerator[StreamingFeishu]:
    async with StreamingFeishu() as fake:
        yield fake


@pytest.fixture
def feishu_found(feishu: StreamingFeishu, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Examine:
    """Examines, with further settings, and picks what was found about Feishu."""
    monkeypatch.chdir(tmp_path)

    async def find(**more: str) -> Finding:
        for name, value in feishu_settings(feishu, "[]", XOPS_LANGUAGE="en", **more).items():
            monkeypatch.setenv(name, value)
        return next(finding for finding in await examine() if finding.check == "feishu")

    return find


async def test_names_the_bot_and_opens_no_connection(feishu: StreamingFeishu, feishu_found: Examine) -> None:
    """One more connection would take events from the X-Ops that runs."""
    found = await feishu_found(XOPS_SERVER__PORT="1")

    assert (found.grade, found.todo) == ("ok", "")
    assert (
        found.found == "app works, the bot is called OpsBot, Feishu grants a long connection; X-Ops does not run here"
    )
    assert feishu.links == []


@pytest.mark.parametrize(("stands", "said"), [(1, "here is connected"), (0, "NOT connected")])
async def test_asks_the_running_server_whether_it_is_connected(feishu_found: Examine, stands: int, said: str) -> None:
    CONNECTED.labels("feishu").set(stands)
    application = web.Application()
    application.router.add_get("/metrics", metrics)
    port = unused_port()
    async with TestServer(application, port=port):
        assert said in (await feishu_found(XOPS_SERVER__PORT=str(port))).found


async def test_names_the_permissions_that_are_missing(feishu: StreamingFeishu, feishu_found: Examine) -> None:
    feishu.scopes |= {"im:message": False, "im:message:send_as_bot": True, "im:message.p2p_msg:readonly": False}

    found = await feishu_found(XOPS_SERVER__PORT="1")

    assert found.grade == "failed"
    assert "im:message:readonly, im:message.p2p_msg:readonly." in found.todo


async def test_a_refused_connection_is_told_with_its_code(feishu: StreamingFeishu, feishu_found: Examine) -> None:
    feishu.refusal = 1000040350

    found = await feishu_found(XOPS_SERVER__PORT="1")

    assert found.grade == "failed"
    assert "1000040350" in found.found


async def test_names_what_feishu_does_not_send(feishu: StreamingFeishu, feishu_found: Examine) -> None:
    """As far as the app may read its own subscriptions: without that permission nothing is claimed."""
    feishu.subscriptions = {
        "event": {"subscription_type": "webhook", "subscribed_events": ["im.message.receive_v1"]},
        "callback_info": {"callback_type": "websocket", "subscribed_callbacks": []},
    }

    found = await feishu_found(XOPS_SERVER__PORT="1")

    assert found.grade == "failed"
    assert "differ: card.action.trigger, webhook." in found.todo
