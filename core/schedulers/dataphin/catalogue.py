"""What can run, and who answers for it: projects, their members, nodes. Remembered, since it changes with deployments.

A node is looked for among yesterday's instances, which carry its definition, and among the definitions themselves. Neither
alone would do: a monthly node has no instance most days, and the list of definitions wants the kinds of node named (any
that Dataphin's reference does not tell are missing) and is known to fail on some servers.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from core.errors import NotFound, RemoteError
from core.schedulers.base import Task
from core.schedulers.dataphin.client import PRODUCTION, Client, Parameters
from core.schedulers.dataphin.model import NODE_ID, business_day, span, task
from core.schedulers.dataphin.wire import Node, NodeInstance, OneNode, Person, PhysicalNode, Project
from core.schedulers.directory import Directory
from core.schedulers.memory import Memory
from core.schedulers.search import LONGEST_QUERY, halves, rank

NODE_SECONDS: Final = 600.0
MOST: Final = 1000
"""Most projects, members of a project, and nodes that one search looks through."""
KINDS: Final = ["MAX_COMPUTE_SQL", "HIVE_SQL", "SHELL", "PYTHON", "ONE_SERVICE_SQL", "DATABASE_SQL"]
"""Kinds of node that `ListNodes` can be asked for, by the reference."""
FAILS: Final = "DPN.Commons.InternalError"


class Catalogue(Directory):
    """The definitions one connection can see.

    Args:
        client: asked for what is not remembered.
        projects: names of the projects to look at; all when empty.
        zone: in which days begin.
        clock: the present moment, with zone.
    """

    def __init__(
        self, client: Client, projects: tuple[str, ...], zone: ZoneInfo, clock: Callable[[], datetime]
    ) -> None:
        super().__init__(client.system)
        self._client = client
        self._wanted = frozenset(projects)
        self._zone = zone
        self._clock = clock
        self._nodes: Memory[str, PhysicalNode] = Memory(self._fetch_node, seconds=NODE_SECONDS)

    async def node(self, node_id: str) -> PhysicalNode:
        """A node, by which we know the project that all questions about its instances must name.

        Raises:
            NotFound: there is none, or it is in a project that is not looked at.
        """
        found = await self._nodes.get(node_id)
        if found.project.id not in await self.projects():
            raise NotFound(f"{self._client.system}: no task {node_id}", kind="task", name=node_id)
        return found

    async def tasks(self, text: str, limit: int) -> tuple[Task, ...]:
        """Nodes whose name or id is or resembles the text; when none contains it, those that contain one half of it."""
        wanted = text.strip()
        if not wanted or len(wanted) > LONGEST_QUERY:
            return ()
        found = _rank(wanted, await self._named([wanted]), limit)
        return found or _rank(wanted, await self._named(halves(wanted)), limit)

    async def close(self) -> None:
        """Stop what is being fetched."""
        await asyncio.gather(super().close(), self._nodes.close())

    async def _named(self, parts: Iterable[str]) -> list[Task]:
        asked = [(project, part) for project in (await self.projects()).items() for part in parts]
        answers = await asyncio.gather(*(self._search(*project, part) for project, part in asked))
        return [one for tasks in answers for one in tasks]

    async def _search(self, project_id: str, project: str, part: str) -> Iterable[Task]:
        given = {"ProjectId": int(project_id), "SearchText": part, "ScheduleType": "NORMAL"}
        yesterday = business_day(self._clock().astimezone(self._zone).date())
        ran, defined = await asyncio.gather(
            self._client.every("ListInstances", NodeInstance, given | span(yesterday, yesterday), MOST),
            self._defined(given | {"NodeBizType": "SCRIPT", "NodeSubBizTypeList": KINDS}),
        )
        nodes = [*(one.node for one in ran.items), *defined]
        return [task(self._client.system, node, project) for node in nodes]

    async def _defined(self, query: Parameters) -> tuple[Node, ...]:
        try:
            return (await self._client.every("ListNodes", Node, query, MOST)).items
        except RemoteError as error:
            if error.code != FAILS:
                raise
            return ()

    async def fetch_projects(self) -> Mapping[str, str]:
        """Those that the settings name; all when they name none."""
        found = await self._client.every("ListProjects", Project, {"Env": PRODUCTION}, MOST)
        return {one.id: one.name for one in found.items if not self._wanted or one.name in self._wanted}

    async def fetch_members(self, project_id: str) -> Mapping[str, str]:
        """Who has no name is called by the id."""
        asked = {"Env": PRODUCTION}
        found = await self._client.every("ListProjectMembers", Person, asked, MOST, beside={"Id": int(project_id)})
        return {one.id: one.name or one.id for one in found.items}

    async def _fetch_node(self, node_id: str) -> PhysicalNode:
        absent = NotFound(f"{self._client.system}: no task {node_id[:80]!r}", kind="task", name=node_id[:80])
        if not NODE_ID.fullmatch(node_id):
            raise absent
        found = await self._client.get("GetPhysicalNode", OneNode, {"NodeId": node_id}, what="task", name=node_id)
        if found.node_info is None:
            raise absent
        return found.node_info


def _rank(text: str, tasks: Iterable[Task], limit: int) -> tuple[Task, ...]:
    distinct = {one.id: one for one in tasks}.values()
    return rank(text, distinct, lambda one: (one.name, one.id), limit=limit)
