"""All six kinds of schedulers at once: a start loads no vendor's SDK, and the ones that do not answer cost their own part."""

import asyncio
import json
import sys
from pathlib import Path

import pytest
from aiohttp import web
from pydantic import SecretStr

from bots.app import running
from core.i18n import words
from core.results import Overview
from core.schedulers.base import InstanceQuery
from core.settings import PersonSettings, SchedulerConnection, Settings, Storage
from core.views import show
from tests.fakes.aliyun import Fault
from tests.fakes.six import Six, six

ROOT = Path(__file__).parents[2]
VENDORS = ("alibabacloud_dataworks_public20240518", "alibabacloud_dataphin_public20230630", "alibabacloud_tea_openapi")
START = """
import asyncio, sys
from bots.app import running
from core.settings import load_settings

async def main():
    async with running(load_settings(), accepting=False) as application:
        print(*application.fleet.names, *(name for name in sys.argv[1:] if name in sys.modules))

asyncio.run(main())
"""


async def test_a_start_with_all_six_loads_no_vendors_sdk_and_calls_nobody(tmp_path: Path) -> None:
    """So it takes as long with six as with one, whatever state the five others are in."""
    async with six() as all_six:
        environment = {"PYTHONPATH": str(ROOT), "XOPS_SCHEDULERS": all_six.settings(), "HOME": str(tmp_path)}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", START, *VENDORS), cwd=tmp_path, env=environment, stdout=asyncio.subprocess.PIPE
        )
        said, _ = await process.communicate()
        assert said.decode().split() == ["demo", "heard", "air", "dw", "dp", "ds"]
        asked = (all_six.airflow.asked, all_six.dataworks.calls, all_six.dataphin.calls, all_six.dolphin.asked)
        assert [list(calls) for calls in asked] == [[], [], [], []]


@pytest.mark.parametrize("broken", ["hanging", "refusing"])
async def test_those_that_do_not_answer_cost_their_own_part_and_the_card_says_whose(
    tmp_path: Path, broken: str
) -> None:
    """DataWorks and DolphinScheduler hang, or refuse; what the four others know is there, whole."""
    async with six() as all_six:
        _break(all_six, broken)
        given = json.loads(all_six.settings(timeout_seconds=1))
        settings = Settings(
            storage=Storage(url=SecretStr(f"sqlite:///{tmp_path}/xops.sqlite")),
            schedulers=tuple(SchedulerConnection.model_validate(one) for one in given),
            people=(PersonSettings(name="root", role="admin", projects=("*",)),),
        )
        async with running(settings, accepting=False) as application:
            reader = application.access.named("root")
            assert reader
            found = await application.look.overview(reader)
            assert isinstance(found, Overview)
            (demo, *_) = application.fleet.schedulers
            assert found.operable.total >= sum((await demo.counts(InstanceQuery(day=found.day))).values()) > 0
            card = show(found, words("zh-CN"), application.zone, reader).as_text()
            assert [name in card for name in ("缺少 dw 的数据", "缺少 ds 的数据")] == [True, True]
            assert len(found.outages) == 2
        all_six.dolphin.open.set()


def _break(all_six: Six, broken: str) -> None:
    if broken == "hanging":
        all_six.dataworks.slow = asyncio.Event()
        all_six.dolphin.open.clear()
    else:
        all_six.dataworks.faults = [Fault(403, "NoPermission")] * 100
        all_six.dolphin.trouble = lambda _: web.Response(status=500)
