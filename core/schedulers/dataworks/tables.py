"""Tables of MaxCompute, and when their data really changed.

The search is 2020-05-18's: that of 2024-05-18 looks into one database only. For a partitioned table the newest partitions
tell when data came; for others `LastModifyTime`, which is about data, while `Table.ModifyTime` may be about columns.

MaxCompute does not say who wrote. A run is named as the writer when it is a producer's, succeeded, and the change lies within
it or shortly after its end. Details cost three calls a table, so they are looked up only when few tables match.
"""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Final

from core.errors import NotFound, Refused
from core.schedulers.base import DataTable, Instance, TableUpdate, Task
from core.schedulers.dataworks.catalogue import Catalogue
from core.schedulers.dataworks.client import Client
from core.schedulers.dataworks.reader import Reader
from core.schedulers.dataworks.wire import FoundTable, OneBasicInfo, OneTable, Partition, Table
from core.schedulers.search import LONGEST_QUERY, rank

PAGE: Final = 100
MOST: Final = 100
"""Most tables that one search looks through."""
DETAILED: Final = 3
"""Most matching tables whose updates are looked up; with more, a person has to choose first."""
PRODUCERS: Final = 3
UPDATES: Final = 20
SETTLING: Final = timedelta(minutes=10)
"""How long after a run's end a change of its table still counts as its own: metadata is gathered with delay."""
HISTORY: Final = 60
DEVELOPMENT: Final = 0


class Tables:
    """Looks tables up.

    Args:
        client: the connection.
        catalogue: for producers.
        reader: for the runs of producers.
    """

    def __init__(self, client: Client, catalogue: Catalogue, reader: Reader) -> None:
        self._client = client
        self._catalogue = catalogue
        self._reader = reader

    async def find(self, text: str, limit: int) -> tuple[DataTable, ...]:
        """Tables whose name is or resembles the text, best first."""
        wanted = text.strip()
        if not wanted or len(wanted) > LONGEST_QUERY:
            return ()
        given = {"Keyword": wanted, "DataSourceType": "odps"}
        found = await self._client.every("SearchMetaTables", FoundTable, given, size=PAGE, most=MOST)
        productive = [one for one in found if one.env_type != DEVELOPMENT]
        ranked = rank(wanted, productive, lambda one: (one.table_name,), limit=limit)
        if len(ranked) > DETAILED:
            return tuple(DataTable(self._client.system, one.table_name, one.project_name) for one in ranked)
        return tuple(await asyncio.gather(*(self._table(one) for one in ranked)))

    async def _table(self, found: FoundTable) -> DataTable:
        given = {"Id": entity(found.table_guid), "IncludeBusinessMetadata": True}
        answer = await self._client.get("GetTable", OneTable, given, what="table", name=found.table_name)
        table = answer.table or Table()
        producers = await self._producers(table, found.table_name)
        updates, runs = await asyncio.gather(self._updates(found, table), self._runs(producers))
        return DataTable(
            self._client.system,
            found.table_name,
            project=found.project_name,
            owner=producers[0].owner if producers else found.owner_id,
            producers=producers,
            updates=tuple(_written(update, runs) for update in updates),
            partitioned=bool(table.partition_keys),
        )

    async def _producers(self, table: Table, name: str) -> tuple[Task, ...]:
        """Tasks that write it. One in a workspace that we may not see is left out."""
        found: list[Task] = []
        for one in table.business_metadata.upstream_tasks[:PRODUCERS]:
            try:
                found.append(replace(await self._catalogue.task(one.id), outputs=(name,)))
            except (NotFound, Refused):
                continue
        return tuple(found)

    async def _updates(self, found: FoundTable, table: Table) -> tuple[TableUpdate, ...]:
        if not table.partition_keys:
            return await self._changed(found)
        given = {"TableId": entity(found.table_guid), "SortBy": "ModifyTime", "Order": "Desc"}
        newest = (await self._client.page("ListPartitions", Partition, given, number=1, size=UPDATES)).items
        return tuple(
            TableUpdate(one.modify_time, partition=one.name, rows=one.record_count, bytes=one.data_size)
            for one in newest
            if one.modify_time
        )

    async def _changed(self, found: FoundTable) -> tuple[TableUpdate, ...]:
        given = {"TableGuid": found.table_guid, "DataSourceType": "odps"}
        info = (await self._client.get("GetMetaTableBasicInfo", OneBasicInfo, given)).data
        return (TableUpdate(info.last_modify_time, bytes=info.data_size),) if info and info.last_modify_time else ()

    async def _runs(self, producers: tuple[Task, ...]) -> tuple[Instance, ...]:
        """Recent runs that wrote."""
        histories = await asyncio.gather(*(self._reader.history(task.id, HISTORY) for task in producers))
        runs = (one for history in histories for one in history)
        return tuple(one for one in runs if one.status.succeeded and not one.flags.wrote_nothing)


def entity(guid: str) -> str:
    """Id in the data map of a table that the search calls `odps.project.table` or `odps.project.schema.table`."""
    _, project, *schema, table = guid.split(".")
    return f"maxcompute-table:::{project}:{schema[0] if schema else ''}:{table}"


def _written(update: TableUpdate, runs: tuple[Instance, ...]) -> TableUpdate:
    for run in runs:
        if run.started_at and run.finished_at and run.started_at <= update.at <= run.finished_at + SETTLING:
            return replace(update, instance=run.ref)
    return update
