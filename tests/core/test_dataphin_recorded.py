"""What the official SDK sends and what comes back, one exchange an operation, kept in tests/data/dataphin.

`python -m tests.core.test_dataphin_recorded` writes them anew; a difference there is a change of what goes over the wire.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from core.schedulers.base import InstanceQuery, Operation, Order
from core.schedulers.dataphin import DataphinScheduler
from tests.fakes.aliyun_recorded import DATA, first_of_each, keep, kept, secrets
from tests.fakes.dataphin import NOW, TODAY, ZONE, FakeDataphin

FOLDER = DATA / "dataphin"


async def exchanges() -> Mapping[str, Any]:
    """The first exchange of each operation, by its name."""
    async with FakeDataphin() as dataphin:
        connection = dataphin.connection(projects=("trade",), concurrency=1)
        scheduler = DataphinScheduler(connection, zone=ZONE, clock=dataphin.clock)
        await _ask(scheduler, dataphin.id("dws_trade_order_di"))
        await scheduler.close()
        return first_of_each(dataphin.exchanges)


async def _ask(scheduler: DataphinScheduler, failed: str) -> None:
    """Every operation once, in an order that never varies."""
    await scheduler.projects()
    await scheduler.members("trade")
    await scheduler.instances(InstanceQuery(day=TODAY))
    await scheduler.tasks("dws_trade_order_di")
    await scheduler.log(failed)
    await scheduler.downstream(failed)
    (table,) = await scheduler.tables("dwd_trade_order_di")
    await scheduler.changes(table.producers[0].id, NOW - timedelta(hours=1))
    await scheduler.alert_rules(table.producers[0].id)
    await scheduler.alert_rule("74")
    await scheduler.health()
    rerun = Order(Operation.RERUN, failed, "asked by 陈晓雯", "P-7K3QX")
    await scheduler.operate(rerun)
    below = tuple(one.instance.id for one in await scheduler.downstream(failed))
    await scheduler.operate(replace(rerun, operation=Operation.RERUN_DOWNSTREAM, instances=below))
    day = date(2026, 11, 18)
    await scheduler.operate(replace(rerun, operation=Operation.BACKFILL, start=day, end=day))


async def test_what_goes_over_the_wire_is_what_was_recorded() -> None:
    assert kept(FOLDER) == await exchanges()


def test_no_credential_is_in_what_was_recorded() -> None:
    assert kept(FOLDER)
    assert secrets(FOLDER) == []


if __name__ == "__main__":
    keep(FOLDER, asyncio.run(exchanges()))
