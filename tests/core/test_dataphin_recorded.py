"""What the official SDK sends and what comes back, one exchange an operation, kept in tests/data/dataphin.

`python -m tests.core.test_dataphin_recorded` writes them anew; a difference there is a change of what goes over the wire.
"""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.schedulers.base import InstanceQuery, Operation, Order
from core.schedulers.dataphin import DataphinScheduler
from tests.fakes.aliyun import KEY, SECRET
from tests.fakes.aliyun_recorded import shortened
from tests.fakes.dataphin import NOW, TODAY, ZONE, FakeDataphin

FOLDER = Path(__file__).parents[1] / "data" / "dataphin"


async def exchanges() -> Mapping[str, Any]:
    """The first exchange of each operation, by its name."""
    async with FakeDataphin() as dataphin:
        connection = dataphin.connection(projects=("trade",), concurrency=1)
        scheduler = DataphinScheduler(connection, zone=ZONE, clock=dataphin.clock)
        await _ask(scheduler, dataphin.id("dws_trade_order_di"))
        await scheduler.close()
        recorded = {one.action: shortened(asdict(one)) for one in reversed(dataphin.exchanges)}
        return dict(sorted(recorded.items()))


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
    FOLDER.mkdir(exist_ok=True)
    for action, exchange in asyncio.run(exchanges()).items():
        text = json.dumps(exchange, ensure_ascii=False, indent=1)
        (FOLDER / f"{action}.json").write_text(f"{text}\n", "utf-8")
