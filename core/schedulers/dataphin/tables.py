"""Tables of compute sources, and when their data last changed.

Dataphin keeps one moment a table: of its last change of data, whichever partition that was in. A run is named as the writer
when it is a producer's, succeeded, and that moment lies within it or shortly after its end. Details cost some calls a table,
so they are looked up only when few tables match.
"""

import asyncio
from datetime import datetime, timedelta
from typing import Final

from core.errors import NotFound, Refused
from core.schedulers.base import DataTable, Instance, TableUpdate, Task
from core.schedulers.dataphin.client import PRODUCTION, Client
from core.schedulers.dataphin.reader import Reader
from core.schedulers.dataphin.wire import FoundTable, OneTable, Producer, Table
from core.schedulers.search import LONGEST_QUERY, rank

MOST: Final = 100
"""Most tables that one search looks through."""
DETAILED: Final = 3
"""Most matching tables whose updates are looked up; with more, a person has to choose first."""
PRODUCERS: Final = 3
SETTLING: Final = timedelta(minutes=10)
"""How long after a run's end a change of its table still counts as its own: metadata is gathered with delay."""
HISTORY: Final = 60


class Tables:
    """Looks tables up.

    Args:
        client: the connection.
        reader: for the runs of producers.
    """

    def __init__(self, client: Client, reader: Reader) -> None:
        self._client = client
        self._reader = reader

    async def find(self, text: str, limit: int) -> tuple[DataTable, ...]:
        """Tables whose name is or resembles the text, best first."""
        wanted = text.strip()
        if not wanted or len(wanted) > LONGEST_QUERY:
            return ()
        found = await self._client.every("ListTables", FoundTable, {"Keyword": wanted}, MOST)
        productive = [one for one in found.items if _in_production(one.env)]
        ranked = rank(wanted, productive, lambda one: (one.name,), limit=limit)
        if len(ranked) > DETAILED:
            return tuple(DataTable(self._client.system, one.name, one.project_name) for one in ranked)
        return tuple(await asyncio.gather(*(self._table(one) for one in ranked)))

    async def _table(self, found: FoundTable) -> DataTable:
        answer = await self._client.get("GetTable", OneTable, {"TableGuid": found.guid}, what="table", name=found.name)
        table = answer.data or Table()
        writers = tuple(self._task(one, found) for one in table.producers if _in_production(one.env))[:PRODUCERS]
        return DataTable(
            self._client.system,
            found.name,
            project=found.project_name,
            owner=writers[0].owner if writers else table.owner,
            producers=writers,
            updates=await self._updates(table, writers),
            partitioned=table.is_partition_table,
        )

    def _task(self, one: Producer, table: FoundTable) -> Task:
        return Task(
            self._client.system,
            one.node_id,
            one.node_name,
            one.project.name if one.project else table.project_name,
            owners=tuple(owner.name or owner.id for owner in one.owners),
            kind=one.sub_biz_type,
            outputs=(table.name,),
        )

    async def _updates(self, table: Table, writers: tuple[Task, ...]) -> tuple[TableUpdate, ...]:
        if table.last_dml_time is None:
            return ()
        runs = await asyncio.gather(*(self._runs(task) for task in writers))
        at = table.last_dml_time
        wrote = (one.ref for run in runs for one in run if _within(one, at))
        return (TableUpdate(at, next(wrote, ""), bytes=table.table_size_in_bytes),)

    async def _runs(self, task: Task) -> tuple[Instance, ...]:
        """Recent runs that wrote; none of a task in a project that we may not see."""
        try:
            history = await self._reader.history(task.id, HISTORY)
        except (NotFound, Refused):
            return ()
        return tuple(one for one in history if one.status.succeeded and not one.flags.wrote_nothing)


def _in_production(environment: str) -> bool:
    """Whether something is not of development alone. Tables say `prod`, nodes `PROD`, projects of one environment nothing."""
    return environment.upper() in {PRODUCTION, ""}


def _within(run: Instance, at: datetime) -> bool:
    return bool(run.started_at and run.finished_at and run.started_at <= at <= run.finished_at + SETTLING)
