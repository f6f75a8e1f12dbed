"""What the engines wrote: templates in `logs/*.txt`, filled with the ids and times of a run.

A template is the log as an engineer would read it. `{{name}}` stands for a value: of the instance (`{{task}}`,
`{{table}}`, `{{ds}}` …, see `_values`), of the line's moment (`{{time}}`, `{{millis}}`, `{{spark}}`, `{{iso}}`), or one
that differs from line to line (`{{number}}`, `{{hex}}`). A line that begins with `{{24x}}` comes 24 times; in it `{{n}}`
counts from 1 and `{{percent}}` goes to 100. The lines are spread evenly over the time of the run.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from importlib.resources import files

from core.schedulers.base import LogPage
from core.schedulers.simulated.clock import dice
from core.schedulers.simulated.plan import Slot
from core.schedulers.simulated.track import Run, Track
from core.schedulers.simulated.troubles import KILLED

SUCCESS: Mapping[str, str] = {
    "DATAX": "success_datax",
    "KAFKA_SYNC": "success_kafka",
    "ODPS_SQL": "success_maxcompute",
    "HIVE_SQL": "success_hive",
    "SPARK": "success_spark",
    "PYTHON": "success_python",
    "SHELL": "success_shell",
}
"""Template of a run in which all goes well, by the task's kind."""
FIELD = re.compile(r"\{\{(\w+)\}\}")
REPEAT = re.compile(r"\{\{(\d+)x\}\}")


def read(track: Track, run: Run, now: datetime, tail: int) -> LogPage:
    """The end of a run's log, as far as it was written by now."""
    seen = run.ended.at if run.ended else now
    values = _values(track.slot, run)
    written = _fill(_template(track.slot, run), values, run.begun.at, run.begun.until or seen)
    lines = [text for moment, text in written if moment <= seen]
    if run.ended and run.ended.fault is KILLED:
        lines += [text for _, text in _fill(KILLED.log, values, seen, seen)]
    first = max(0, len(lines) - tail)
    return LogPage(run.number, tuple(lines[first:]), first + 1, len(lines), running=run.ended is None)


def _template(slot: Slot, run: Run) -> str:
    if run.begun.flags.wrote_nothing:
        return "frozen" if run.begun.flags.frozen else "dry_run"
    fault = run.begun.fault
    return SUCCESS[slot.definition.task.kind] if fault is None or fault is KILLED else fault.log


def _values(slot: Slot, run: Run) -> dict[str, str]:
    task = slot.definition.task
    ds = f"{slot.business_date:%Y%m%d}"
    source = (
        slot.definition.upstream[0] if slot.definition.upstream else task.name.replace("ods_", "").rpartition("_")[0]
    )
    serial = int(dice(slot.id, run.number) * 90_000) + 10_000
    return {
        "task": task.name,
        "task_id": task.id,
        "instance": slot.id,
        "project": task.project,
        "owner": task.owner,
        "run": str(run.number),
        "table": task.outputs[0] if task.outputs else task.name,
        "source": source,
        "ds": ds,
        "bizdate": slot.business_date.isoformat(),
        "hour": f"{slot.due.hour:02d}",
        "rows": str(slot.rows),
        "serial": str(serial),
        "odps": f"{run.begun.at:%Y%m%d%H%M%S}{serial % 1000:03d}g{serial:x}demo",
        "application": f"application_1795300000000_{serial}",
    }


def _fill(name: str, values: Mapping[str, str], start: datetime, end: datetime) -> Iterator[tuple[datetime, str]]:
    lines = _lines(name)
    step = (end - start) / max(1, len(lines) - 1)
    for position, (line, n, of) in enumerate(lines):
        moment = start + step * position
        yield moment, _fill_line(line, values, moment, (position, n, of))


def _fill_line(line: str, values: Mapping[str, str], moment: datetime, where: tuple[int, int, int]) -> str:
    return FIELD.sub(lambda field: _value(field[1], values, moment, where), line)


def _value(name: str, values: Mapping[str, str], moment: datetime, where: tuple[int, int, int]) -> str:
    position, n, of = where
    match name:
        case "time":
            return f"{moment:%Y-%m-%d %H:%M:%S}"
        case "millis":
            return f"{moment:%Y-%m-%d %H:%M:%S},{moment.microsecond // 1000:03d}"
        case "spark":
            return f"{moment:%y/%m/%d %H:%M:%S}"
        case "iso":
            return moment.isoformat(timespec="milliseconds")
        case "n":
            return str(n)
        case "percent":
            return str(100 * n // of)
        case "number":
            return str(int(dice(values["instance"], values["run"], position) * 9000) + 1000)
        case "hex":
            return f"{int(dice(values['instance'], position, values['run']) * 2**32):08x}"
        case _:
            return values[name]


@cache
def _lines(name: str) -> tuple[tuple[str, int, int], ...]:
    """The template's lines, repeated ones written out, each with its count and how many there are."""
    found: list[tuple[str, int, int]] = []
    for line in (files("core.schedulers.simulated") / "logs" / f"{name}.txt").read_text("utf-8").splitlines():
        repeat = REPEAT.match(line)
        times = int(repeat[1]) if repeat else 1
        found += [(REPEAT.sub("", line), n, times) for n in range(1, times + 1)]
    return tuple(found)
