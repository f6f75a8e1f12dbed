"""What is defined: projects, and the graph of each. Remembered, since it changes with deployments.

A project costs two calls: all its workflows with tasks and edges at once, and its schedules.
"""

import asyncio
from collections.abc import Mapping
from typing import Final

from core.errors import NotFound
from core.schedulers.base import Task
from core.schedulers.dolphinscheduler.client import Client
from core.schedulers.dolphinscheduler.graph import Dependency, Drawing, Graph, Workflow
from core.schedulers.dolphinscheduler.wire import Dag, Project, Schedule
from core.schedulers.memory import Memory
from core.schedulers.search import rank

SECONDS: Final = 300.0
"""How long definitions are remembered."""
ALL: Final = ""


class Catalogue:
    """The definitions one connection can see.

    Args:
        client: asked for what is not remembered.
        drawing: draws what it answers.
        projects: names of the projects to look at; all when empty.
    """

    def __init__(self, client: Client, drawing: Drawing, projects: tuple[str, ...]) -> None:
        self._client = client
        self._drawing = drawing
        self._wanted = frozenset(projects)
        self._projects: Memory[str, Mapping[str, Project]] = Memory(self._fetch_projects, seconds=SECONDS)
        self._graphs: Memory[str, Graph] = Memory(self._fetch_graph, seconds=SECONDS)

    async def projects(self) -> Mapping[str, str]:
        """Names of the projects by code."""
        return {code: one.name for code, one in (await self._projects.get(ALL)).items()}

    async def maker(self, project: str) -> str:
        """Name of who made a project, by its code; empty when DolphinScheduler does not tell."""
        return (await self._projects.get(ALL))[project].user_name or ""

    async def among(self, names: frozenset[str]) -> tuple[str, ...]:
        """Codes of the projects that are called so; of all when no name is given."""
        return tuple(code for code, name in (await self.projects()).items() if not names or name in names)

    async def graph(self, project: str) -> Graph:
        """What is defined in a project. Raises `NotFound`, also of one that is not looked at."""
        if project not in await self.projects():
            raise NotFound(f"{self._client.system}: no project {project}", kind="project", name=project)
        return await self._graphs.get(project)

    async def graphs(self) -> tuple[Graph, ...]:
        """What is defined in all projects."""
        return tuple(await asyncio.gather(*(self._graphs.get(code) for code in await self.projects())))

    async def home(self, task: str) -> tuple[Graph, Workflow]:
        """The workflow of a task, by the task's code. Raises `NotFound`."""
        for graph in await self.graphs():
            if task in graph.homes:
                return graph, graph.homes[task]
        raise NotFound(f"{self._client.system} has no task {task[:80]}", kind="task", name=task[:80])

    async def tasks(self, text: str, limit: int) -> tuple[Task, ...]:
        """Tasks whose name or code is or resembles the text."""
        known = [
            task for graph in await self.graphs() for home in graph.workflows.values() for task in home.tasks.values()
        ]
        return rank(text, known, lambda task: (task.name, task.id), limit=limit)

    async def dependents(self, workflow: str) -> tuple[tuple[Workflow, str, Dependency], ...]:
        """Dependent tasks that wait for something of a workflow: where they are, their codes, what they wait for."""
        return tuple(
            (home, code, one)
            for graph in await self.graphs()
            for home in graph.workflows.values()
            for code, waits in home.depends.items()
            for one in waits
            if one.workflow == workflow
        )

    def forget(self) -> None:
        """After a schedule was changed."""
        self._graphs.forget()

    async def close(self) -> None:
        """Stop what is being fetched."""
        await asyncio.gather(self._projects.close(), self._graphs.close())

    async def _fetch_projects(self, _: str) -> Mapping[str, Project]:
        """By pages: `projects/list` would tell only those that the token's owner made, and none that was granted."""
        found = await self._client.every(("projects",), Project, {})
        return {one.code: one for one in found if not self._wanted or one.name in self._wanted}

    async def _fetch_graph(self, project: str) -> Graph:
        names = await self._client.names()
        where = ("projects", project)
        dags, schedules = await asyncio.gather(
            self._client.get((*where, f"{names.noun}-definition", "list"), tuple[Dag, ...]),
            self._client.get((*where, "schedules", "list"), tuple[Schedule, ...], method="POST"),
        )
        name = (await self.projects()).get(project, project)
        return await asyncio.to_thread(self._drawing.graph, project, name, dags, schedules)
