"""A real Airflow with the OpenLineage provider tells X-Ops what happens. X-Ops does not know where it is and asks nothing."""

import asyncio
import json
import re
from pathlib import Path

import pytest

from tests.airflow.record import AGAIN
from tests.airflow.server import LINEAGE_KEY, Airflow
from tests.airflow.talk import ANN, Talk
from tests.e2e.process import feishu_settings, xops
from tests.fakes.feishu import FakeFeishu
from tests.fakes.feishu_api import Sent

pytestmark = pytest.mark.airflow

GROUP = "oc_group"
LISTENING = {
    "XOPS_SCHEDULERS": json.dumps([{"name": "told", "kind": "mirror", "source": "openlineage"}]),
    "XOPS_EVENTS__LINEAGE_KEY": LINEAGE_KEY,
    "XOPS_SUBSCRIPTIONS": json.dumps([{"channel": "feishu", "chat": GROUP, "about": "project", "subject": "told"}]),
}
PEOPLE = json.dumps([{"name": "wang", "role": "operator", "projects": ["*"], "identities": {"feishu": ANN}}])


async def test_a_failing_dag_becomes_a_card_and_its_outlets_make_tables_fresh(
    feishu: FakeFeishu, airflow: Airflow, tmp_path: Path
) -> None:
    """One card, of the one instance that failed for good; its own rerun ends it, and no other success does.

    Beside it a try failed that was followed by another, a mapped instance succeeded, and a task was skipped.
    """
    async with xops(tmp_path, airflow.listener, feishu_settings(feishu, PEOPLE, **LISTENING)) as process:
        feishu.webhook = f"{process.url}/feishu/events"
        await feishu.challenge()
        airflow.trigger("told", "night")
        await asyncio.to_thread(airflow.wait_until_idle)
        await feishu.until(lambda: alerts(feishu))
        (alert,) = alerts(feishu)
        assert "check" in alert.text
        assert "checksum of part 1 differs" in alert.text

        (airflow.fixes / "told").touch()
        airflow.api("POST", "/dags/told/clearTaskInstances", AGAIN)
        await feishu.until(lambda: "已恢复" in alert.text, within=60)
        await asyncio.to_thread(airflow.wait_until_idle)
        talk = Talk(feishu)
        await talk.say("told_orders 今天更新了吗", expect="dw.told_orders 已更新")
        report = await talk.say("told_report 今天更新了吗", expect="told_report 已更新")
        assert re.search(r"行数\s*：?\s*42\b", report.text)
        await talk.say("told_holidays 今天更新了吗", expect="dw.told_holidays 是否更新：无法确定")
        assert alerts(feishu) == [alert]


def alerts(feishu: FakeFeishu) -> list[Sent]:
    """The cards in the group."""
    return [message for message in feishu.messages if message.chat == GROUP]
