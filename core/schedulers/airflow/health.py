"""Whether Airflow's own processes beat, and what the account may: one harmless call for each right.

That it may change something is told by a dry run of clearing one instance, which Airflow checks like the real thing.
"""

import asyncio
from collections.abc import Awaitable
from typing import Final

from core.errors import NotFound, Refused
from core.schedulers.airflow.client import Client
from core.schedulers.airflow.model import Key
from core.schedulers.airflow.reader import ANYWHERE, INSTANCES
from core.schedulers.airflow.wire import Dag, LogPart, Monitor, Paged, TaskInstance

OLDEST: Final = (3, 3)
FORBIDDEN: Final = "403"


async def problems(client: Client, version: str) -> tuple[str, ...]:
    """What is wrong with the server, and what the account may not read; each a sentence that says what to do."""
    monitor, dags = await asyncio.gather(
        client.get(("monitor", "health"), Monitor),
        client.some(("dags",), Paged[Dag], [], offset=0, limit=1),
    )
    told: list[str] = []
    if _numbers(version) < OLDEST:
        told.append(f"Airflow {version} is too old: X-Ops needs 3.3 or newer")
    if monitor.scheduler.status != "healthy":
        told.append("Airflow's scheduler does not beat, so nothing starts: look at its process and its log")
    if monitor.dag_processor and monitor.dag_processor.status not in {None, "healthy"}:
        told.append("Airflow's DAG processor does not beat, so changed DAGs are not seen: look at its log")
    if not dags.total_entries:
        told.append("This account sees no DAG: give it a role that may read DAGs")
    return tuple(told)


async def rights(client: Client) -> tuple[tuple[str, ...], bool | None]:
    """What the account may not read of the newest instance, and whether it may change it; None where there is none."""
    try:
        found = await client.some(ANYWHERE, INSTANCES, [("order_by", "-run_after")], offset=0, limit=1)
    except Refused as error:
        if error.code != FORBIDDEN:
            raise
        return ("This account may not read task instances: give it the role Viewer, or a right to read them",), None
    if not found.items:
        return (), None
    (newest,) = found.items
    logs, changes = await asyncio.gather(_may(_log(client, newest)), _may(_clear(client, Key.of(newest))))
    told = () if logs is not False else ("This account may not read logs: give it a right to read task logs",)
    return told, changes


def _log(client: Client, one: TaskInstance) -> Awaitable[object]:
    key = Key.of(one)
    path = ("dags", key.dag, "dagRuns", key.run, "taskInstances", key.task, "logs", str(max(one.try_number, 1)))
    return client.get(path, LogPart, [("map_index", str(key.map_index))])


def _clear(client: Client, key: Key) -> Awaitable[object]:
    body = {"dry_run": True, "dag_run_id": key.run, "task_ids": [key.marker], "only_failed": False}
    return client.change("POST", ("dags", key.dag, "clearTaskInstances"), INSTANCES, body, name=key.id)


async def _may(call: Awaitable[object]) -> bool | None:
    """Whether a call was allowed; None when it failed for any other reason."""
    try:
        await call
    except NotFound:
        return None
    except Refused as error:
        return False if error.code == FORBIDDEN else None
    return True


def _numbers(version: str) -> tuple[int, ...]:
    """The first two numbers of a version; none of one that is not written in numbers."""
    return tuple(int(part) for part in version.split(".")[:2] if part.isdecimal())
