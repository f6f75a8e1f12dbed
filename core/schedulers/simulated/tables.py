"""When a table really changed, seen from the runs that write it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice

from core.schedulers.base import DataTable, Status, TableUpdate
from core.schedulers.simulated.catalogue import Definition
from core.schedulers.simulated.track import Track

MOST_UPDATES = 20
BYTES_A_ROW = 137


def describe(
    name: str, producers: Sequence[Definition], runs: Callable[[Definition], Iterable[Track]], now: datetime
) -> DataTable:
    """A table and its last updates.

    Args:
        name: of the table.
        producers: the tasks that write it; the first one's project and owner are the table's.
        runs: a task's scheduled instances, newest first.
        now: until when.
    """
    found = [update for one in producers for update in islice(_updates(runs(one), now), MOST_UPDATES)]
    first = producers[0].task
    return DataTable(
        scheduler=first.scheduler,
        name=name,
        project=first.project,
        owner=first.owner,
        producers=tuple(one.task for one in producers),
        updates=tuple(sorted(found, key=lambda update: update.at, reverse=True)[:MOST_UPDATES]),
        partitioned=True,
    )


def _updates(tracks: Iterable[Track], now: datetime) -> Iterator[TableUpdate]:
    for track in tracks:
        slot, task = track.slot, track.slot.definition.task
        partition = f"ds={slot.business_date:%Y%m%d}" + (
            f"/hh={(slot.due.hour - 1) % 24:02d}" if task.cycle == "hourly" else ""
        )
        for run in reversed(track.runs(now)):
            if run.ended and run.ended.status is Status.SUCCESS and not run.begun.flags.wrote_nothing:
                ref = f"{task.scheduler}:{slot.id}"
                yield TableUpdate(run.ended.at, ref, partition, slot.rows, slot.rows * BYTES_A_ROW)
