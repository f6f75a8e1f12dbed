"""What the official SDKs send and what comes back, one exchange an operation, kept in tests/data/dataworks.

`python -m tests.core.test_dataworks_recorded` writes them anew; a difference there is a change of what goes over the wire.
"""

import asyncio
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from core.schedulers.base import InstanceQuery, Operation, Order
from core.schedulers.dataworks import DataWorksScheduler
from tests.fakes.aliyun_recorded import DATA, first_of_each, keep, kept, secrets
from tests.fakes.dataworks import NOW, TODAY, ZONE, FakeDataWorks

FOLDER = DATA / "dataworks"


async def exchanges() -> Mapping[str, Any]:
    """The first exchange of each operation, by its name."""
    async with FakeDataWorks() as dataworks:
        scheduler = DataWorksScheduler(dataworks.connection(concurrency=1), zone=ZONE, clock=dataworks.clock)
        await _ask(scheduler, str(dataworks.of("dws_trade_order_di")["Id"]), str(dataworks.of("ads_gmv_daily")["Id"]))
        await _freeze_node(dataworks)
        dataworks.lost = {"CreateWorkflowInstances"}  # so that it is looked for
        await scheduler.operate(_backfill(str(dataworks.of("dws_trade_order_di")["Id"])))
        await scheduler.close()
        return first_of_each(dataworks.exchanges)


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


async def test_what_goes_over_the_wire_is_what_was_recorded() -> None:
    assert kept(FOLDER) == await exchanges()


def test_no_credential_is_in_what_was_recorded() -> None:
    assert kept(FOLDER)
    assert secrets(FOLDER) == []


if __name__ == "__main__":
    keep(FOLDER, asyncio.run(exchanges()))
