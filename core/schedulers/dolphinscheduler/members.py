"""Who may operate a project: who made it, and to whom it is granted with the right to write.

Since 3.2 a grant has a level, and one that may only read operates nothing here; before, every grant may write. Which users have
a grant is told by project, its level only by user.
"""

import asyncio
from collections.abc import Mapping
from typing import Final

from core.errors import NotFound
from core.schedulers.dolphinscheduler.catalogue import Catalogue
from core.schedulers.dolphinscheduler.client import Client
from core.schedulers.dolphinscheduler.wire import Project, User
from core.schedulers.memory import Memory

SECONDS: Final = 300.0
WRITES: Final = 7
"""The level of a grant that may write (`Constants.AUTHORIZE_WRITABLE_PERM`); of one that may only read it is 2 or 4."""


class Members:
    """Looks up people.

    Args:
        client: the connection.
        catalogue: for projects.
    """

    def __init__(self, client: Client, catalogue: Catalogue) -> None:
        self._client = client
        self._catalogue = catalogue
        self._levels: Memory[str, Mapping[str, int]] = Memory(self._fetch_levels, seconds=SECONDS)

    async def of(self, name: str) -> frozenset[str]:
        """Names of those who may operate a project; administrators, who may anything, are not told. Raises `NotFound`."""
        codes = await self._catalogue.among(frozenset({name}))
        if not codes:
            raise NotFound(f"{self._client.system}: no project {name[:80]!r}", kind="project", name=name[:80])
        maker = await self._catalogue.maker(codes[0])
        granted = await self._client.get(("projects", "authed-user"), tuple[User, ...], {"projectCode": codes[0]})
        enabled = [user for user in granted if user.enabled]
        may = await asyncio.gather(*(self._may_write(user, codes[0]) for user in enabled))
        writers = {user.user_name for user, so in zip(enabled, may, strict=True) if so}
        return frozenset(one for one in {maker, *writers} if one)

    async def close(self) -> None:
        """Stop what is being fetched."""
        await self._levels.close()

    async def _may_write(self, user: User, project: str) -> bool:
        if not (await self._client.names()).levels:
            return True
        return (await self._levels.get(user.id)).get(project) == WRITES

    async def _fetch_levels(self, user: str) -> Mapping[str, int]:
        route = ("projects", "project-with-authorized-level-list-paging")
        found = await self._client.every(route, Project, {"userId": user})
        return {one.code: one.perm for one in found}
