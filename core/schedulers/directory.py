"""Projects and the people in them, by id: what catalogues of platforms that list both have in common. Remembered."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Final

from core.errors import NotFound
from core.schedulers.memory import Memory

PROJECTS_SECONDS: Final = 600.0
MEMBERS_SECONDS: Final = 3600.0
ALL: Final = ""


class Directory(ABC):
    """Names by id.

    Args:
        system: configured name of the connection.
    """

    def __init__(self, system: str) -> None:
        self._system = system
        self._projects: Memory[str, Mapping[str, str]] = Memory(self._listed, seconds=PROJECTS_SECONDS)
        self._members: Memory[str, Mapping[str, str]] = Memory(self.fetch_members, seconds=MEMBERS_SECONDS)

    @abstractmethod
    async def fetch_projects(self) -> Mapping[str, str]:
        """Names of the projects that are looked at, by id."""

    @abstractmethod
    async def fetch_members(self, project_id: str) -> Mapping[str, str]:
        """Names of a project's members by their id."""

    async def projects(self) -> Mapping[str, str]:
        """Names of the projects by id."""
        return await self._projects.get(ALL)

    async def among(self, names: frozenset[str]) -> tuple[str, ...]:
        """Ids of the projects that are called so; of all when no name is given."""
        return tuple(id_ for id_, name in (await self.projects()).items() if not names or name in names)

    async def project_id(self, name: str) -> str:
        """Id of the project that is called so, or has this id. Raises `NotFound`."""
        if name in await self.projects():
            return name
        found = await self.among(frozenset({name}))
        if not found:
            raise NotFound(f"{self._system}: no project {name[:80]!r}", kind="project", name=name[:80])
        return found[0]

    async def members(self, project_id: str) -> Mapping[str, str]:
        """Names of a project's members by their id."""
        return await self._members.get(project_id)

    async def accounts(self, project_id: str, name: str) -> tuple[str, ...]:
        """Ids of the members with a name; several may share one."""
        return tuple(id_ for id_, called in (await self.members(project_id)).items() if called == name)

    async def close(self) -> None:
        """Stop what is being fetched."""
        await asyncio.gather(self._projects.close(), self._members.close())

    async def _listed(self, _: str) -> Mapping[str, str]:
        return await self.fetch_projects()
