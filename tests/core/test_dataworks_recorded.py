"""What the official SDKs send and what comes back, one exchange an operation, kept in tests/data/dataworks.

`python -m tests.core.test_dataworks_recorded` writes them anew; a difference there is a change of what goes over the wire.
"""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.schedulers.base import InstanceQuery, Operation, Order
from core.schedulers.dataworks import DataWorksScheduler
from tests.fakes.aliyun import KEY, SECRET
from tests.fakes.aliyun_recorded import shortened
from tests.fakes.dataworks import NOW, TODAY, ZONE, FakeDataWorks

FOLDER = Path(__file__).parents[1] / "data" / "dataworks"


async def exchanges() -> Mapping[str, Any]:
    """The first exchange of each operation, by its name."""
    async with FakeDataWorks() as dataworks:
        scheduler = DataWorksScheduler(dataworks.connection(concurrency=1), zone=ZONE, clock=dataworks.clock)
        await _ask(scheduler, str(dataworks.of("dws_trade_order_di")["Id"]), str(dataworks.of("ads_gmv_daily")["Id"]))
        await _freeze_node(dataworks)
        dataworks.lost = {"CreateWorkflowInstances"}  # so that it is looked for
        await scheduler.operate(_backfill(str(dataworks.of("dws_trade_order_di")["Id"])))
        await scheduler.close()
        recorded = {one.action: shortened(asdict(one)) for one in reversed(dataworks.exchanges)}
        return dict(sorted(recorded.items()))


async def _ask(scheduler: DataWorksScheduler, failed: str, waiting: str) -> None:
    """Every operation once, in an order that never varies."""
    await scheduler.projects()
    await scheduler.counts(InstanceQuery(day=TODAY))
    await scheduler.instances(InstanceQuery(day=TODAY, projects=frozenset({"trade"})))
    await scheduler.tasks("dws_trade_order_di")
    await scheduler.history("503")
    await scheduler.log(failed)
    await scheduler.upstream(failed)
    await scheduler.downstream(failed)
    await scheduler.tables("dwd_trade_order_di")
    await scheduler.tables("ods_order")
    await scheduler.changes("503", NOW - timedelta(hours=1))
    await scheduler.baselines(failed)
    await scheduler.alert_rules("503")
    for operation, target in (
        (Operation.SET_SUCCESS, failed),
        (Operation.RERUN, failed),
        (Operation.KILL, failed),
        (Operation.FREEZE, waiting),
        (Operation.UNFREEZE, waiting),
    ):
        await scheduler.operate(Order(operation, target, "asked by 陈晓雯", "P-7K3QX"))
    await scheduler.operate(_backfill(failed))


async def _freeze_node(dataworks: FakeDataWorks) -> None:
    connection = dataworks.connection(concurrency=1, freezes="node")
    scheduler = DataWorksScheduler(connection, zone=ZONE, clock=dataworks.clock)
    target = str(dataworks.of("ads_gmv_daily")["Id"])
    await scheduler.operate(Order(Operation.FREEZE, target, "asked by 陈晓雯", "P-7K3QX"))
    await scheduler.close()


def _backfill(instance: str) -> Order:
    day = date(2026, 11, 18)
    return Order(Operation.BACKFILL, instance, "asked by 陈晓雯", "P-7K3QX", start=day, end=day)


@pytest.fixture(scope="module")
def recorded() -> Mapping[str, Any]:
    return asyncio.run(exchanges())


def test_what_goes_over_the_wire_is_what_was_recorded(recorded: Mapping[str, Any]) -> None:
    kept = {path.stem: json.loads(path.read_text("utf-8")) for path in FOLDER.glob("*.json")}
    assert kept == json.loads(json.dumps(recorded))


def test_no_credential_is_in_what_was_recorded() -> None:
    text = "".join(path.read_text("utf-8") for path in FOLDER.glob("*.json"))
    assert KEY not in text
    assert SECRET not in text
    assert "authorization" not in text.casefold()


if __name__ == "__main__":
    for action, exchange in asyncio.run(exchanges()).items():
        text = json.dumps(exchange, ensure_ascii=False, indent=1)
        (FOLDER / f"{action}.json").write_text(f"{text}\n", "utf-8")
