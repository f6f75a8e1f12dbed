"""When tables changed: by the success of the task that writes them, and by what dbt measured at their source.

DolphinScheduler knows no tables. Which task writes which is declared in the settings (`tables`); a table is then as fresh as
that task's last success which wrote something. Where dbt's `sources.json` is given (`dbt source freshness`), its newest
moment of loaded data (`max_loaded_at`) is an update as well: it is of the data itself, not of who should have written it.
"""

import asyncio
import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from core.errors import ConfigurationError, NotFound
from core.schedulers.base import DataTable, RunType, TableUpdate, Task
from core.schedulers.dolphinscheduler.catalogue import Catalogue
from core.schedulers.dolphinscheduler.reader import Reader
from core.schedulers.search import rank

UPDATES: Final = 20


class _Source(BaseModel):
    """One result; none of the moments when dbt could not ask (`status` is `runtime error`)."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    unique_id: str
    max_loaded_at: AwareDatetime | None = None


class _Sources(BaseModel):
    """dbt's `sources.json` (schema v3)."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    results: tuple[_Source, ...]


class Tables:
    """Finds tables.

    Args:
        catalogue: for the tasks that write them.
        reader: for their instances.
        declared: the name or code of the writing task by table.
        sources: path of dbt's `sources.json`; none when empty.
    """

    def __init__(self, catalogue: Catalogue, reader: Reader, declared: Mapping[str, str], sources: str) -> None:
        self._catalogue = catalogue
        self._reader = reader
        self._declared = declared
        self._sources = sources

    async def find(self, text: str, scheduler: str, limit: int) -> tuple[DataTable, ...]:
        """Tables whose name is or resembles the text, best first."""
        loaded = await asyncio.to_thread(_loaded, self._sources) if self._sources else {}
        named = rank(text, sorted({*self._declared, *loaded}), lambda name: (name,), limit=limit)
        return tuple([await self._table(name, scheduler, loaded.get(name)) for name in named])

    async def _table(self, name: str, scheduler: str, loaded: datetime | None) -> DataTable:
        producers = await self._producers(self._declared.get(name, ""))
        measured = (TableUpdate(loaded),) if loaded else ()
        updates = (*measured, *[update for task in producers for update in await self._updates(task)])
        return DataTable(
            scheduler,
            name,
            project=producers[0].project if producers else "",
            owner=producers[0].owner if producers else "",
            producers=producers,
            updates=tuple(sorted(updates, key=lambda update: update.at, reverse=True)[:UPDATES]),
        )

    async def _producers(self, writer: str) -> tuple[Task, ...]:
        """Tasks with a name or code; several may share a name."""
        if not writer:
            return ()
        return tuple(task for task in await self._catalogue.tasks(writer, UPDATES) if writer in {task.id, task.name})

    async def _updates(self, task: Task) -> Iterable[TableUpdate]:
        try:
            found = await self._reader.history(task.id, UPDATES)
        except NotFound:
            return ()
        return [
            TableUpdate(one.finished_at, instance=one.ref)
            for one in found
            if one.finished_at
            and one.status.succeeded
            and not one.flags.wrote_nothing
            and one.run_type is RunType.NORMAL
        ]


def _loaded(path: str) -> dict[str, datetime]:
    """When data last came, by the last part of a source's name.

    Raises:
        ConfigurationError: the file cannot be read, or is not dbt's.
    """
    try:
        results = _Sources.model_validate(json.loads(Path(path).read_bytes())).results
    except (OSError, ValueError, ValidationError) as error:
        raise ConfigurationError(f"dbt_sources: {path} is not dbt's sources.json: {type(error).__name__}") from error
    return {one.unique_id.rpartition(".")[2]: one.max_loaded_at for one in results if one.max_loaded_at}
