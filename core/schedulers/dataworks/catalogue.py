"""What can run, and who answers for it: workspaces, their members, tasks. Remembered, since it changes with deployments.

Workspaces and members cost one call a hundred; a task is asked for when somebody means it. A search asks each workspace for
names that contain the text; only when there are none, for names that contain one half of it.
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from core.errors import NotFound
from core.schedulers.base import Task
from core.schedulers.cron import cycle
from core.schedulers.dataworks.client import Client, Parameters
from core.schedulers.dataworks.model import number, recurrence
from core.schedulers.dataworks.wire import Member, OneTask, Project, R, TaskDefinition, TaskInstance
from core.schedulers.directory import Directory
from core.schedulers.memory import Memory
from core.schedulers.search import LONGEST_QUERY, halves, rank

TASK_SECONDS: Final = 600.0
PAGE: Final = 100
"""Largest page of workspaces, members and, to be safe, tasks: for those no maximum is documented."""
MOST: Final = 1000
"""Most workspaces, members of a workspace, and tasks that one search looks through."""
PRODUCTION: Final = "Prod"
OPERATORS: Final = frozenset({"role_project_owner", "role_project_admin", "role_project_pe"})
"""Codes of the roles that may operate what runs in production. What a role of a company's own may do is told nowhere."""


@dataclass(frozen=True, slots=True)
class Names:
    """What workspaces and people are called. Who is unknown, or no member any more, is called by their id."""

    system: str
    projects: Mapping[str, str]
    members: Mapping[str, Mapping[str, str]]

    def project(self, project_id: str) -> str:
        """A workspace."""
        return self.projects.get(project_id, project_id)

    def person(self, project_id: str, account: str) -> str:
        """Somebody of a workspace."""
        return self.members.get(project_id, {}).get(account, account)

    def anybody(self, account: str, otherwise: str = "") -> str:
        """Somebody of any workspace."""
        known = (people[account] for people in self.members.values() if account in people)
        return next(known, otherwise or account)

    def owners(self, project_id: str, account: str) -> tuple[str, ...]:
        """The owner of something, if it has one."""
        return (self.person(project_id, account),) if account else ()

    def task(self, raw: TaskInstance) -> Task:
        """The task of an instance, as far as the instance tells."""
        return Task(
            self.system,
            raw.task_id,
            raw.task_name,
            self.project(raw.project_id),
            owners=self.owners(raw.project_id, raw.owner),
            kind=raw.kind,
            priority=raw.priority,
        )


class Catalogue(Directory):
    """The definitions one connection can see.

    Args:
        client: asked for what is not remembered.
        projects: names of the workspaces to look at; all when empty.
    """

    def __init__(self, client: Client, projects: tuple[str, ...]) -> None:
        super().__init__(client.system)
        self._client = client
        self._wanted = frozenset(projects)
        self._definitions: Memory[str, TaskDefinition] = Memory(self._fetch_definition, seconds=TASK_SECONDS)

    async def operators(self, project: str) -> frozenset[str]:
        """Names of those whose role in a workspace lets them operate it, as of now: rights rest on it. Raises `NotFound`."""
        found = await self._fetch_people(await self.project_id(project))
        return frozenset(one.user_name for one in found if one.user_name and _operates(one))

    async def definition(self, task_id: str) -> TaskDefinition:
        """A task as DataWorks has it. Raises `NotFound`."""
        return await self._definitions.get(str(number(task_id, "task")))

    async def task(self, task_id: str) -> Task:
        """A task. Raises `NotFound`, also of one in a workspace that is not looked at."""
        return await self._task(await self.definition(task_id))

    async def names(self, project_ids: Iterable[str]) -> Names:
        """What workspaces and the people in them are called."""
        projects = await self.projects()
        known = [id_ for id_ in dict.fromkeys(project_ids) if id_ in projects]
        members = await asyncio.gather(*(self.members(id_) for id_ in known))
        return Names(self._client.system, projects, dict(zip(known, members, strict=True)))

    async def tasks(self, text: str, limit: int) -> tuple[Task, ...]:
        """Tasks whose name or id is or resembles the text."""
        wanted = text.strip()
        if not wanted or len(wanted) > LONGEST_QUERY:
            return ()
        found = [*await self._by_id(wanted), *await self._named([wanted])]
        ranked = _rank(wanted, found, limit) or _rank(wanted, await self._named(halves(wanted)), limit)
        return tuple([await self._task(one) for one in ranked])

    def forget(self) -> None:
        """Tasks, after one was changed."""
        self._definitions.forget()

    async def close(self) -> None:
        """Stop what is being fetched."""
        await asyncio.gather(super().close(), self._definitions.close())

    async def _by_id(self, text: str) -> tuple[TaskDefinition, ...]:
        try:
            one = await self.definition(text)
        except NotFound:
            return ()
        return (one,) if one.project_id in await self.projects() else ()

    async def _named(self, parts: Iterable[str]) -> list[TaskDefinition]:
        asked = [(project, part) for project in await self.projects() for part in parts]
        answers = await asyncio.gather(
            *(
                self._every("ListTasks", TaskDefinition, {"ProjectId": int(project), "Name": part})
                for project, part in asked
            )
        )
        return [task for tasks in answers for task in tasks]

    async def _task(self, raw: TaskDefinition) -> Task:
        names = await self.names([raw.project_id])
        return Task(
            self._client.system,
            raw.id,
            raw.name,
            names.project(raw.project_id),
            owners=names.owners(raw.project_id, raw.owner),
            kind=raw.kind,
            cycle=cycle(raw.trigger.cron) if raw.trigger.type == "Scheduler" else raw.trigger.type.casefold(),
            priority=raw.priority,
            flags=recurrence(raw.trigger.recurrence),
        )

    async def _every(self, action: str, row: type[R], parameters: Parameters) -> tuple[R, ...]:
        return await self._client.every(action, row, parameters, size=PAGE, most=MOST)

    async def fetch_projects(self) -> Mapping[str, str]:
        """Those that the settings name; all when they name none."""
        found = await self._every("ListProjects", Project, {})
        return {one.id: one.name for one in found if not self._wanted or one.name in self._wanted}

    async def fetch_members(self, project_id: str) -> Mapping[str, str]:
        """Who has no name is called by the id."""
        return {one.user_id: one.user_name or one.user_id for one in await self._fetch_people(project_id)}

    async def _fetch_people(self, project_id: str) -> tuple[Member, ...]:
        return await self._every("ListProjectMembers", Member, {"ProjectId": int(project_id)})

    async def _fetch_definition(self, task_id: str) -> TaskDefinition:
        given = {"Id": int(task_id), "ProjectEnv": PRODUCTION}
        found = (await self._client.get("GetTask", OneTask, given, what="task", name=task_id)).task
        if found is None:
            raise NotFound(f"{self._client.system} has no task {task_id}", kind="task", name=task_id)
        return found


def _operates(one: Member) -> bool:
    return one.status == "Normal" and any(role.code in OPERATORS for role in one.roles)


def _rank(text: str, tasks: Iterable[TaskDefinition], limit: int) -> tuple[TaskDefinition, ...]:
    distinct = {task.id: task for task in tasks}.values()
    return rank(text, distinct, lambda task: (task.name, task.id), limit=limit)
