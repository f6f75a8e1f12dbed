"""Changes of a real Airflow that two others approve, each person in their own messenger."""

import json
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.airflow.server import Airflow
from tests.e2e.town import Town, messengers, two_nodes
from tests.waiting import eventually

pytestmark = pytest.mark.airflow

OPERATIONS = {"rerun_downstream": "确认重跑及下游", "set_success": "确认置成功"}
"""What the button of each says."""


@pytest.fixture
async def town() -> AsyncGenerator[Town]:
    """Three messengers on loopback."""
    async with messengers() as made:
        yield made


@pytest.mark.parametrize(("operation", "confirm"), [*OPERATIONS.items()])
async def test_two_approve_and_airflow_does_it_once(
    town: Town, airflow: Airflow, tmp_path: Path, sqlite_url: str, operation: str, confirm: str
) -> None:
    """Nothing happens before the second approval; then the run turns green, and Airflow's note names the ticket."""
    run = await failed(airflow, f"approved_{operation}")
    path = airflow.path(f"{run}/transform")
    if operation == "rerun_downstream":
        (airflow.fixes / run.partition("/")[2]).touch()
    scheduler = {"name": "air", "kind": "airflow", "url": airflow.url, "username": "op", "password": "op"}
    schedulers = json.dumps([{**scheduler, "environment": "prod"}])
    async with town.assistant(tmp_path, sqlite_url, XOPS_SCHEDULERS=schedulers, XOPS_ZONE="UTC") as process:
        await two_nodes(process, *OPERATIONS)
        card = await town.ask(f"/propose {operation} air:{run}/transform", confirm)
        first = await town.in_wecom()
        await town.wecom.press(first, "批准")
        second = await town.in_feishu()
        assert "prod" in second.text
        assert (airflow.api("GET", path)["state"], airflow.api("GET", path)["try_number"]) == ("failed", 1)
        await town.feishu.press(second.id, "approve")
        await town.dingtalk.until(lambda: card.text.startswith("🟢"), within=180)
        await eventually(lambda: airflow.api("GET", airflow.path(f"{run}/load"))["state"] == "success", within=180)
        seen = airflow.api("GET", path)
        assert (seen["state"], seen["try_number"]) == ("success", 2 if operation == "rerun_downstream" else 1)
        assert "asked by chen, confirmed by chen, approved as T-1" in seen["note"]
        await town.nothing_to_press()


async def failed(airflow: Airflow, run: str) -> str:
    """A run of `trade_daily` whose `transform` failed; gives the run."""
    airflow.trigger("trade_daily", run)
    path = airflow.path(f"trade_daily/{run}/load")
    await eventually(lambda: airflow.api("GET", path)["state"] == "upstream_failed", within=180, every=0.3)
    return f"trade_daily/{run}"
