"""Tables, as Airflow knows them: assets, and the events by which tasks say that they wrote one.

A success set by a person writes no event, so it does not count as an update here, and neither does a backfill's event:
it is about a day long past.
"""

import asyncio
from typing import Final

from core.errors import Unreachable
from core.schedulers.airflow.catalogue import Catalogue
from core.schedulers.airflow.client import Client
from core.schedulers.airflow.lineage import source
from core.schedulers.airflow.model import TaskKey, run_type
from core.schedulers.airflow.wire import Asset, AssetEvent, Paged
from core.schedulers.base import DataTable, RunType, TableUpdate
from core.schedulers.search import rank

UPDATES: Final = 20
ROWS: Final = "row_count"
"""Key under which a task tells how many rows it wrote, in the event's `extra`; a convention, Airflow has no field for it."""


async def tables(client: Client, catalogue: Catalogue, scheduler: str, text: str, limit: int) -> tuple[DataTable, ...]:
    """Assets whose name is or resembles the text, best first, each with its newest updates."""
    found = rank(text, await catalogue.assets(), lambda asset: (asset.name,), limit=limit)
    return tuple(await asyncio.gather(*(_table(client, catalogue, scheduler, asset) for asset in found)))


async def _table(client: Client, catalogue: Catalogue, scheduler: str, asset: Asset) -> DataTable:
    keys = [TaskKey(producer.dag_id, producer.task_id) for producer in asset.producing_tasks]
    producers = tuple([await catalogue.task(key) for key in keys])
    events = await _events(client, asset)
    return DataTable(
        scheduler,
        asset.name,
        project=producers[0].project if producers else "",
        owner=producers[0].owner if producers else "",
        producers=producers,
        updates=tuple(_update(scheduler, event) for event in events if _counts(event)),
        partitioned=any(event.partition_key for event in events),
    )


async def _events(client: Client, asset: Asset) -> tuple[AssetEvent, ...]:
    """Its newest events.

    Airflow 3.3.2 fails (500) to list an event as long as a run it caused is queued, because that run has no start date.
    Then only the moment of the last one is known, which Airflow tells with the asset.
    """
    newest = [("asset_id", str(asset.id)), ("order_by", "-timestamp")]
    try:
        return (await client.some(("assets", "events"), Paged[AssetEvent], newest, offset=0, limit=UPDATES)).items
    except Unreachable as error:
        if error.code != "500":
            raise
    last = (await client.get(("assets", str(asset.id)), Asset, what="table", name=asset.name)).last_asset_event
    return (AssetEvent(timestamp=last.timestamp),) if last and last.timestamp else ()


def _counts(event: AssetEvent) -> bool:
    return run_type(event.source_run_id or "") is not RunType.BACKFILL


def _update(scheduler: str, event: AssetEvent) -> TableUpdate:
    writer = source(event)
    rows = (event.extra or {}).get(ROWS)
    return TableUpdate(
        event.timestamp,
        instance=f"{scheduler}:{writer.id}" if writer else "",
        partition=event.partition_key or "",
        rows=rows if isinstance(rows, int) else None,
    )
