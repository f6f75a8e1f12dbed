"""Whether address, token, projects and zones hold, by harmless calls.

That orders are allowed cannot be asked without giving one: reading and operating are one right a project (`perm`), which only
an administrator may look up.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from core.schedulers.dolphinscheduler.client import Client
from core.schedulers.dolphinscheduler.wire import Run, User

AHEAD: Final = timedelta(minutes=10)
"""How far clocks may differ before a moment in the future means another zone."""


async def problems(client: Client, found: Mapping[str, str], wanted: tuple[str, ...], now: datetime) -> tuple[str, ...]:
    """What stands in the way, each as a sentence that says what to do.

    Args:
        client: asked.
        found: names of the projects that are seen, by code.
        wanted: names of the projects that are to be looked at.
        now: the present moment.
    """
    user = (await client.get(("users", "get-user-info"), User)).user_name
    told = [
        f"There is no project {name}, or {user}, who owns the token, may not see it: grant it with read and write"
        for name in sorted(set(wanted) - set(found.values()))
    ]
    if not found and not wanted:
        told.append(f"{user}, who owns the token, sees no project: grant one with read and write permission")
    if found and await _in_the_future(client, next(iter(found)), now):
        told.append(
            f"DolphinScheduler writes moments that are still to come in {client.zone.key}: set server_zone to its "
            "SPRING_JACKSON_TIME_ZONE"
        )
    return tuple(told)


async def _in_the_future(client: Client, project: str, now: datetime) -> bool:
    names = await client.names()
    newest = await client.page(("projects", project, names.runs), Run, {}, size=1)
    return any(one.start_time is not None and one.start_time > now + AHEAD for one in newest.items)
