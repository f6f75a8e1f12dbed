"""The main job against a real Airflow: the process a person starts, asked through Feishu's signed webhook.

Days begin at midnight UTC here, as the DAGs' do; so "yesterday" is the run that was scheduled then, at any hour.
"""

import asyncio
import json
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote

import pytest
from aiohttp.test_utils import unused_port
from yarl import URL

from tests.airflow.relay import Relay
from tests.airflow.server import Airflow, free_port
from tests.airflow.talk import ANN, Talk
from tests.e2e.process import command, feishu_settings, xops
from tests.fakes.feishu import FakeFeishu
from tests.waiting import eventually

pytestmark = pytest.mark.airflow

PEOPLE = json.dumps(
    [{"name": "wang", "role": "operator", "projects": ["*"], "owners": ["wang.lei"], "identities": {"feishu": ANN}}]
)
ROOT_ERROR = re.compile(r"^> *\d+ KeyError: 'unit_price'$", re.MULTILINE)
"""The line of the traceback that says what broke, marked, with its number in the log."""
LAST_ANSWER = re.compile(r"上次有回答：\d\d-\d\d \d\d:\d\d")


def connections(password: str = "op", **urls: str) -> dict[str, str]:
    """Settings of an Airflow at each address, by the connection's name."""
    account = {"kind": "airflow", "username": "op", "password": password}
    schedulers = [{"name": name, "url": url, **account} for name, url in urls.items()]
    return {
        "XOPS_ZONE": "UTC",
        "XOPS_SCHEDULERS": json.dumps(schedulers),
        "XOPS_PEOPLE": PEOPLE,
        "XOPS_WEB__PERSON": "wang",
    }


@asynccontextmanager
async def talk_about(feishu: FakeFeishu, folder: Path, **urls: str) -> AsyncGenerator[Talk]:
    """A chat with an assistant that looks at these Airflows."""
    async with xops(folder, unused_port(), feishu_settings(feishu, PEOPLE, **connections(**urls))) as process:
        feishu.webhook = f"{process.url}/feishu/events"
        await feishu.challenge()
        yield Talk(feishu)
        assert feishu.failures == []


async def test_from_the_question_to_a_green_card(feishu: FakeFeishu, airflow: Airflow, tmp_path: Path) -> None:
    """Ask, diagnose, repair, rerun, confirm: one new try in Airflow, the proposal's own card green, and the table there."""
    run = airflow.scheduled("trade_daily", days_ago=1)
    path = airflow.path(f"{run}/transform")
    tries = airflow.api("GET", path)["try_number"]
    async with talk_about(feishu, tmp_path, air=airflow.url) as talk:
        listed = await talk.say("昨天哪些失败了", expect="失败的实例：1 个")
        assert "transform" in listed.text
        diagnosed = await talk.press(listed, "诊断", expect="transform：程序出错")
        proof = ROOT_ERROR.search(diagnosed.text)
        assert proof
        assert "先修复再重跑" in diagnosed.text
        logged = await talk.press(diagnosed, "日志", expect=proof[0])
        assert re.search(r'trade_daily\.py", line \d+, in total$', logged.text, re.MULTILINE)

        (airflow.fixes / run.partition("/")[2]).touch()
        proposed = await talk.press(diagnosed, "重跑及下游", expect=f"air:{run}/transform")
        assert "2 个实例" in proposed.text
        assert airflow.api("GET", path)["try_number"] == tries

        await asyncio.gather(*(feishu.press(proposed.id, "confirm") for _ in range(2)))
        await feishu.until(lambda: proposed.card["header"]["template"] == "green", within=60)
        (proposal,) = set(re.findall(r"\bP-[0-9A-Z]+\b", proposed.text))
        await talk.say(f"/confirm {proposal}", expect="已成功")
        seen = airflow.api("GET", path)
        assert (seen["state"], seen["try_number"]) == ("success", tries + 1)
        assert f"{proposal}: rerun_downstream, asked by wang, confirmed by wang" in seen["note"]

        event = await eventually(lambda: asset_event(airflow, run, "load"), within=60, every=0.3)
        table = await talk.say("orders_report 昨天更新了吗", expect="orders_report 已更新")
        assert event
        assert f"{datetime.fromisoformat(event['timestamp']):%m-%d %H:%M}" in table.text
        assert event["extra"] == {"row_count": 7}
        assert re.search(r"行数\s*：?\s*7\b", table.text)


async def test_an_airflow_that_goes_away_is_named_and_the_rest_is_answered(
    feishu: FakeFeishu, airflow: Airflow, tmp_path: Path
) -> None:
    """Cut off in the middle of a conversation: lists are partial, and what was to be changed there is not."""
    failed = f"{airflow.scheduled('trade_daily')}/transform"
    tries = airflow.api("GET", airflow.path(failed))["try_number"]
    async with (
        Relay(URL(airflow.url).port or 0) as relay,
        talk_about(feishu, tmp_path, air=airflow.url, far=relay.url) as talk,
    ):
        await talk.say("今天哪些失败了", expect="失败的实例：2 个")
        proposed = await talk.say(f"/rerun far:{failed}", expect=f"far:{failed}")
        await relay.cut()

        partial = await talk.say("今天哪些失败了", expect="失败的实例：1 个")
        assert "缺少 far 的数据" in partial.text
        assert LAST_ANSWER.search(partial.text)
        refused = await talk.press(proposed, "confirm", expect="far 没有回答")
        assert LAST_ANSWER.search(refused.text)
        assert airflow.api("GET", airflow.path(failed))["try_number"] == tries
        await talk.say(f"/log air:{failed}", expect="KeyError: 'unit_price'")


async def test_the_command_line_answers_people_and_scripts(airflow: Airflow, tmp_path: Path) -> None:
    settings = connections(air=airflow.url)
    assert (await command(tmp_path, settings, "ask", "orders_raw 更新了吗"))[1].startswith("orders_raw 已更新\n")
    code, printed = await command(tmp_path, settings, "ask", "--json", "今天哪些失败了")
    answer = json.loads(printed)
    assert (code, answer.keys()) == (0, {"text", "tools", "cards"})
    assert [(tool["name"], tool["args"]["kind"]) for tool in answer["tools"]] == [("list_instances", "failed")]
    assert [card["title"] for card in answer["cards"]] == ["失败的实例：1 个"]
    assert f"air:{airflow.scheduled('trade_daily')}/transform" in printed


async def test_the_doctor_says_what_is_wrong_with_a_connection(airflow: Airflow, tmp_path: Path) -> None:
    code, printed = await command(tmp_path, connections(air=airflow.url), "doctor")
    assert code == 0
    assert re.search(r"^✓ scheduler air +版本 3\.", printed, re.MULTILINE)
    closed = f"http://127.0.0.1:{free_port()}"
    code, printed = await command(tmp_path, connections(air=airflow.url, far=closed), "doctor")
    assert (code, "✓ scheduler air" in printed, "✗ scheduler far" in printed) == (1, True, True)
    assert "连不上对方" in printed
    code, printed = await command(tmp_path, connections(password="wrong", air=airflow.url), "doctor")
    assert (code, "✗ scheduler air" in printed, "凭证被拒绝" in printed) == (1, True, True)


def asset_event(airflow: Airflow, run: str, task: str) -> dict[str, Any] | None:
    """The asset event that a task of a run wrote, once the run it caused has begun: until then Airflow cannot list it."""
    run_id = quote(run.partition("/")[2], safe="")
    try:
        events = airflow.api("GET", f"/assets/events?source_task_id={task}&source_run_id={run_id}")["asset_events"]
    except HTTPError:
        return None
    return next((event for event in events if event["created_dagruns"]), None)
