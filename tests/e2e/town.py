"""A team in three messengers: Chen asks in DingTalk, Wei decides in WeCom and Fei in Feishu."""

import json
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from aiohttp.test_utils import unused_port

from tests.e2e.process import Xops, feishu_settings, xops
from tests.e2e.test_dingtalk import settings as dingtalk_settings
from tests.e2e.test_wecom import app_settings as wecom_settings
from tests.fakes.dingtalk import FakeDingTalk
from tests.fakes.dingtalk_api import Shown
from tests.fakes.feishu import FakeFeishu
from tests.fakes.feishu_api import Sent as FeishuCard
from tests.fakes.wecom import FakeWeCom
from tests.fakes.wecom_api import Sent as WeComCard

TOKEN = "a token for these tests alone"
PEOPLE = json.dumps(
    [
        {"name": "chen", "role": "ops_admin", "projects": ["*"], "identities": {"dingtalk": "ann"}},
        {"name": "wei", "role": "ops_admin", "projects": ["*"], "identities": {"wecom": "ann"}},
        {"name": "fei", "role": "ops_admin", "projects": ["*"], "identities": {"feishu": "ou_ann"}},
        {"name": "root", "role": "admin"},
    ]
)


@dataclass
class Town:
    """Three messengers, with one person in each."""

    dingtalk: FakeDingTalk
    wecom: FakeWeCom
    feishu: FakeFeishu

    def settings(self, **more: str) -> dict[str, str]:
        """An assistant that serves all three."""
        return {
            **dingtalk_settings(self.dingtalk),
            **wecom_settings(self.wecom.settings),
            **feishu_settings(self.feishu, PEOPLE),
            "XOPS_APPROVALS__ENABLED": "true",
            "XOPS_API_TOKENS": json.dumps([{"person": "root", "token": TOKEN}]),
            "XOPS_STORAGE__LEASE_SECONDS": "2",
            **more,
        }

    @asynccontextmanager
    async def assistant(self, folder: Path, database: str, **more: str) -> AsyncGenerator[Xops]:
        """It runs, and every messenger knows where; `more` are further `XOPS_…` variables."""
        connected = len(self.dingtalk.connections)
        async with xops(folder, unused_port(), self.settings(XOPS_STORAGE__URL=database, **more)) as process:
            self.wecom.webhook = f"{process.url}/wecom/app"
            self.feishu.webhook = f"{process.url}/feishu/events"
            await self.dingtalk.until(lambda: len(self.dingtalk.connections) > connected)
            yield process

    async def ask(self, line: str, confirm: str) -> Shown:
        """Chen proposes something and confirms it with the button of this label; gives the card once it waits for approval."""
        await self.dingtalk.say("ann", "ann", line)
        await self.dingtalk.until(lambda: any(confirm in one.labels for one in self.dingtalk.messages), within=30)
        card = next(one for one in self.dingtalk.messages if confirm in one.labels)
        await self.dingtalk.press(card, confirm)
        await self.dingtalk.until(lambda: "等待审批" in card.text, within=30)
        return card

    async def in_wecom(self) -> WeComCard:
        """Wei's card."""
        await self.wecom.until(lambda: any("批准" in one.labels for one in self.wecom.cards), within=20)
        return next(one for one in self.wecom.cards if "批准" in one.labels)

    async def in_feishu(self) -> FeishuCard:
        """Fei's card."""
        await self.feishu.until(lambda: any("批准" in one.labels for one in self.feishu.messages), within=20)
        return next(one for one in self.feishu.messages if "批准" in one.labels)

    async def nothing_to_press(self) -> None:
        """Neither copy can be decided any more."""
        await self.wecom.until(lambda: not any("批准" in one.labels for one in self.wecom.cards), within=20)
        await self.feishu.until(lambda: not any("批准" in one.labels for one in self.feishu.messages), within=20)


@asynccontextmanager
async def messengers() -> AsyncGenerator[Town]:
    """The three, on loopback."""
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        yield Town(await enter(FakeDingTalk()), await enter(FakeWeCom()), await enter(FakeFeishu()))


async def two_nodes(process: Xops, *task_types: str) -> None:
    """An administrator wants Wei's approval, then Fei's, for changes of these types."""
    nodes = [{"approver": "user:wei"}, {"approver": "user:fei"}]
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with aiohttp.ClientSession(headers=headers) as session:
        for task_type in task_types:
            flow = {"name": task_type.replace("_", ""), "task_type": task_type, "levels": [{"nodes": nodes}]}
            async with session.post(f"{process.url}/api/v1/flows", json=flow) as answer:
                assert answer.status == 201, await answer.text()
