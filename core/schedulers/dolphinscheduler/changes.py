"""What happened to a task before: the last change of each definition, and what the audit log holds.

A definition tells only when it was last changed. The audit log (3.2.2 and newer; off unless somebody set `audit-enable`) tells
each change, and who started, stopped or forced what. It names things and not their codes, so it is believed only about a name
that nothing else bears.
"""

import asyncio
import re
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from core.errors import Refused
from core.schedulers.base import Change, ChangeKind
from core.schedulers.dolphinscheduler.catalogue import Catalogue
from core.schedulers.dolphinscheduler.client import Client
from core.schedulers.dolphinscheduler.graph import Graph, Workflow
from core.schedulers.dolphinscheduler.wire import FORMAT, Audited

MOST: Final = 50
OF_WORKFLOWS: Final = frozenset({"Workflow", "WorkflowInstance", "Process", "ProcessInstance", "Schedule"})
OF_TASKS: Final = frozenset({"Task", "TaskInstance"})
"""Kinds of things in the audit log (`AuditModelType`), in the words of both generations."""
DEFINING: Final = frozenset(
    {"Create", "Update", "Release", "Online", "Offline", "Import", "SwitchVersion", "DeleteVersion"}
)
"""Operations (`AuditOperationType`) that change what is defined."""
RUN: Final = re.compile(r"-\d+-\d+")
"""What follows the name of a workflow in that of its instance: version and moment."""
SAME: Final = timedelta(minutes=1)
"""So near each other, the log and the definition speak of one change."""


class Changes:
    """Looks back.

    Args:
        client: the connection.
        catalogue: for definitions.
    """

    def __init__(self, client: Client, catalogue: Catalogue) -> None:
        self._client = client
        self._catalogue = catalogue

    async def of(self, task_id: str, since: datetime, until: datetime) -> tuple[Change, ...]:
        """What was done to a task, its workflow and its schedule; newest first."""
        _, home = await self._catalogue.home(task_id)
        name = home.tasks[task_id].name
        logged = await self._logged(home, name, since, until)
        edits = [one.at for one in logged if one.kind == "task"]
        defined = (
            Change(at, "task", what, who, name)
            for at, what, who in home.changed[task_id]
            if at >= since and not any(abs(at - edit) < SAME for edit in edits)
        )
        return tuple(sorted((*logged, *defined), key=lambda change: change.at, reverse=True)[:MOST])

    async def _logged(self, home: Workflow, task: str, since: datetime, until: datetime) -> list[Change]:
        if not (await self._client.names()).audit_by_name:
            return []
        graphs = await self._catalogue.graphs()
        zone = self._client.zone
        span = {
            "startDate": since.astimezone(zone).strftime(FORMAT),
            "endDate": until.astimezone(zone).strftime(FORMAT),
        }
        rows = await asyncio.gather(*(self._rows(name, span) for name in _unmistakable(graphs, home.name, task)))
        return [
            Change(
                one.create_time, _kind(one), f"{one.operation} {one.model_type} {one.model_name}", one.user_name, task
            )
            for part in rows
            for one in part
            if one.create_time and since <= one.create_time and _about(one, home.name, task)
        ]

    async def _rows(self, name: str, span: dict[str, str]) -> tuple[Audited, ...]:
        """The newest rows whose name contains one; none where the token may not see them."""
        try:
            asked = {"modelName": name, **span}
            return (await self._client.page(("projects", "audit", "audit-log-list"), Audited, asked, size=MOST)).items
        except Refused:
            return ()


def _unmistakable(graphs: Iterable[Graph], workflow: str, task: str) -> list[str]:
    """Of the names of a workflow and a task those that only one workflow, or one task, bears."""
    homes = [home for graph in graphs for home in graph.workflows.values()]
    workflows = Counter(home.name for home in homes)
    tasks = Counter(one.name for home in homes for one in home.tasks.values())
    return sorted({name for name, borne in ((workflow, workflows), (task, tasks)) if borne[name] == 1})


def _about(row: Audited, workflow: str, task: str) -> bool:
    """Whether it is about these, and not about something whose name contains theirs."""
    if row.model_type in OF_TASKS:
        return row.model_name == task
    rest = row.model_name.removeprefix(workflow)
    return (
        row.model_type in OF_WORKFLOWS
        and row.model_name.startswith(workflow)
        and (not rest or bool(RUN.fullmatch(rest)))
    )


def _kind(row: Audited) -> ChangeKind:
    return "task" if row.operation in DEFINING else "operation"
