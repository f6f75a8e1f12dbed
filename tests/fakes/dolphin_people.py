"""Who is known to the imitation of DolphinScheduler, which projects they made or were granted, and what they did.

Rules, from its sources: `projects` lists what the token's owner made or was granted, with the name of who made it; who has a
grant is told by project, its level by user; the audit log is searched by a part of a name, in a span of time, and tells no code
and no project.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from tests.fakes.dolphin_night import PROJECTS
from tests.fakes.dolphin_rules import Refusal, paged

Json = dict[str, Any]
XOPS: Final = 2
"""Id of the token's owner."""
USERS: Final = {1: "admin", XOPS: "xops", 3: "zhang_san", 4: "li_si", 5: "wang_wu", 6: "zhao_liu"}
MAKERS: Final = {101: 3, 102: 5}
WRITES: Final = 7
READS: Final = 2


@dataclass(frozen=True)
class Deed:
    """Something that somebody did."""

    at: datetime
    who: int
    operation: str
    kind: str
    name: str


@dataclass
class People:
    """Users and their rights.

    Attributes:
        grants: levels by user, by project.
        disabled: users who may not log in.
        deeds: what the audit log holds.
    """

    grants: dict[int, dict[int, int]] = field(
        default_factory=lambda: {101: {XOPS: WRITES, 4: WRITES, 6: READS}, 102: {XOPS: WRITES}}
    )
    disabled: set[int] = field(default_factory=set[int])
    deeds: list[Deed] = field(default_factory=list[Deed])

    def projects(self, given: Mapping[str, str]) -> Json:
        """Those of the token's owner."""
        mine = [code for code in PROJECTS if XOPS in self.grants[code]]
        return paged(mine, given, lambda code: _project(code) | {"perm": WRITES})

    def authorized(self, given: Mapping[str, str]) -> list[Json]:
        """To whom a project is granted, at whatever level."""
        project = int(given["projectCode"])
        if project not in PROJECTS:
            raise Refusal(10018, f"project {project} not found ")
        return [
            {"id": user, "userName": USERS[user], "state": 0 if user in self.disabled else 1, "email": None}
            for user in self.grants[project]
        ]

    def levels(self, given: Mapping[str, str]) -> Json:
        """At which level somebody has each project that the token's owner sees."""
        user = int(given["userId"])
        seen = [code for code in PROJECTS if XOPS in self.grants[code]]
        return paged(seen, given, lambda code: _project(code) | {"perm": self.grants[code].get(user, 0)})

    def audit(self, given: Mapping[str, str], first: datetime, last: datetime) -> list[Deed]:
        """What was done to things whose name contains what is given, newest first."""
        found = [one for one in self.deeds if given.get("modelName", "") in one.name and first <= one.at <= last]
        return sorted(found, key=lambda one: one.at, reverse=True)


def _project(code: int) -> Json:
    return {
        "code": code,
        "name": PROJECTS[code],
        "userId": MAKERS[code],
        "userName": USERS[MAKERS[code]],
        "defCount": 2,
    }
