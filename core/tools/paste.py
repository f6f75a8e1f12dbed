"""A pasted alert and what the schedulers know of it: which instances are meant, and those that it counts but does not list.

An id is asked for first, then the name within the alert's project, then the name alone; never a guess. A list that was cut
short is completed with what else failed in that project on that day. And a log that was pasted without saying of what.
"""

import asyncio
import re
from collections.abc import Iterator
from datetime import date, datetime

from core.alerts import AlertObject, Reading
from core.errors import Ambiguous, NotFound, RemoteError
from core.results import AlertReport, Located
from core.schedulers.base import Instance, InstanceQuery, LogPage
from core.tools.find import Finder
from core.tools.groups import Groups

_LOG_LINE = re.compile(
    r"\W{0,3}(?:\d{4}[-/]\d\d[-/]\d\d[T ,]|\d\d:\d\d:\d\d\b|(?:TRACE|DEBUG|INFO|WARN(?:ING)?|ERROR|FATAL|CRITICAL)\b)"
    r"|\s*(?:at [\w.$<>]+\(|File \".{1,300}\", line \d|Caused by: |Traceback \(most|[\w.]{1,200}(?:Error|Exception)\b)"
)
"""How lines begin that programs wrote: a time, a level, a frame of a stack, an exception."""
LEAST_LINES = 3
"""Of them, and a third of the text, make a log."""
LOOKED_UP = 20
"""Most things of one paste that are looked up."""
ADDED = 50
"""Most instances that complete a list."""


async def report(reading: Reading, find: Finder, groups: Groups, now: datetime) -> AlertReport:
    """What the alerts are about, as it is now.

    Args:
        reading: the alerts; there is at least one.
        find: resolves names.
        groups: lists what failed.
        now: the present.
    """
    wanted = list(dict.fromkeys(_subjects(reading)))[:LOOKED_UP]
    located = tuple(await asyncio.gather(*(_locate(find, *one) for one in wanted)))
    if not reading.unlisted:
        return AlertReport(reading, located, now)
    known = [one.instance for one in located if one.instance]
    project = await _project(reading, known, find)
    day = find.day(next((alert.due_day for alert in reading.alerts if alert.due_day), ""))
    added = await _others(groups, project, day, {one.ref for one in known}) if project else ()
    return AlertReport(reading, located, now, project, day, added)


def log_page(text: str) -> LogPage | None:
    """The lines of a pasted log; None for a text that programs wrote less than a third of."""
    lines = tuple(text.strip("\n").split("\n"))
    written = sum(_LOG_LINE.match(line) is not None for line in lines)
    return LogPage(1, lines) if written >= LEAST_LINES and written * 3 >= len(lines) else None


def _subjects(reading: Reading) -> Iterator[tuple[AlertObject, str, str]]:
    for alert in reading.alerts:
        for thing in alert.subjects:
            if thing.type != "table" and (thing.name or thing.id):
                yield thing, alert.project, alert.due_day


async def _locate(find: Finder, thing: AlertObject, project: str, day: str) -> Located:
    asked = [
        name for name in (thing.id, f"{project}.{thing.name}" if project and thing.name else "", thing.name) if name
    ]
    name, choices = thing.name or thing.id, 0
    for target in asked:
        try:
            return Located(
                name, thing.id or thing.name, target, await find.instance(target, day=day, interest="failure")
            )
        except Ambiguous as several:
            choices = len(several.choices)
        except (NotFound, RemoteError):
            continue
    return Located(name, thing.id or thing.name, asked[0], choices=choices)


async def _project(reading: Reading, known: list[Instance], find: Finder) -> str:
    """The project that the alerts name, or else the only one of what they list."""
    named = {alert.project for alert in reading.alerts if alert.project} or {one.task.project for one in known}
    if len(named) != 1:
        return ""
    try:
        return await find.project(named.pop())
    except (NotFound, Ambiguous, RemoteError):
        return ""


async def _others(groups: Groups, project: str, day: date, known: set[str]) -> tuple[Instance, ...]:
    query = InstanceQuery(projects=frozenset({project}))
    found, _, _ = await groups.listed("failed", (query,), day, slice(0, ADDED + len(known)))
    return tuple(one for one in found if one.ref not in known)[:ADDED]
