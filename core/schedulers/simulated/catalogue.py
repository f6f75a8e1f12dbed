"""The simulated platform's tasks, as `tasks.txt` lists them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from importlib.resources import files
from zlib import crc32

from core.schedulers.base import Flags, Task

PREVIOUS = "@previous"


@dataclass(frozen=True, slots=True)
class Definition:
    """A task and how it usually goes.

    Attributes:
        due: how long after midnight it is due; for an hourly task, after each full hour.
        usual: how long it usually takes.
        rows: how many rows it usually writes.
        upstream: names of the tasks it waits for.
        previous: whether it also waits for its own run of the hour before.
        weekday: ISO weekday on which a weekly task really runs; 0 for other cycles.
    """

    task: Task
    due: timedelta
    usual: timedelta
    rows: int
    upstream: tuple[str, ...]
    previous: bool
    weekday: int

    @property
    def hourly(self) -> bool:
        """Whether it has 24 instances a day."""
        return self.task.cycle == "hourly"


def load(scheduler: str, flags: Mapping[str, Flags]) -> Mapping[str, Definition]:
    """All tasks by name.

    Args:
        scheduler: name of the connection they belong to.
        flags: of the tasks that are frozen or dry-run, by name.
    """
    found: dict[str, Definition] = {}
    project = ""
    for line in (files("core.schedulers.simulated") / "tasks.txt").read_text("utf-8").splitlines():
        if line.startswith("["):
            project = line.strip("[]")
        elif line and not line.startswith("#"):
            definition = _definition(scheduler, project, line.split(), flags)
            found[definition.task.name] = definition
    return found


def _definition(scheduler: str, project: str, fields: list[str], flags: Mapping[str, Flags]) -> Definition:
    name, kind, cycle, due, owner, minutes, rows, outputs, upstream = fields
    cycle, _, weekday = cycle.partition(":")
    hour, minute = map(int, due.split(":"))
    names = _names(upstream)
    return Definition(
        Task(
            scheduler=scheduler,
            id=str(700_000_000 + crc32(name.encode()) % 100_000_000),
            name=name,
            project=project,
            owners=(owner,),
            kind=kind,
            cycle=cycle,
            priority=7 if project == "ads_report" else 5,
            outputs=(name,) if outputs == "=" else _names(outputs),
            flags=flags.get(name, Flags()),
        ),
        due=timedelta(hours=hour, minutes=minute),
        usual=timedelta(minutes=int(minutes)),
        rows=int(rows),
        upstream=tuple(one for one in names if one != PREVIOUS),
        previous=PREVIOUS in names,
        weekday=int(weekday or 0),
    )


def _names(field: str) -> tuple[str, ...]:
    return () if field == "-" else tuple(field.split(","))
