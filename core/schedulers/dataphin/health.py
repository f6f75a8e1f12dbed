"""Whether address, credentials, tenant and rights hold: one harmless call for each right that reading needs.

That orders are allowed cannot be asked without giving one: Dataphin has no dry run for them.
"""

import asyncio
from collections.abc import Awaitable, Mapping
from datetime import date
from typing import Final

from core.errors import NotFound, Refused, RemoteError
from core.schedulers.dataphin.client import PRODUCTION, Client
from core.schedulers.dataphin.model import business_day, span
from core.schedulers.dataphin.wire import Version, Wire

WITHOUT_RIGHT: Final = ("NoPermission", "NoAuthorized", "Forbidden", "NotAuthorized")
"""What is in codes that speak of rights."""
TOO_OLD: Final = "InvalidAction"
"""What is in the code when the server does not know the operation."""
NO_PROJECT: Final = "DPN.Filter.ProjectNotFound"
"""What another tenant's id comes to, on a gateway that several share."""


API: Final = "2023-06-30"


async def version(client: Client) -> str:
    """The server's version; the API's where Dataphin itself says that it cannot tell.

    Raises:
        Unauthorized: of the credentials; there is nothing more to find out then.
        Refused: the gateway did not let the question through to Dataphin.
        Unreachable: of the address.
    """
    try:
        return (await client.get("GetServerVersion", Version, {})).data
    except Refused as error:
        if not any(word in error.code for word in ("DPN.", TOO_OLD, *WITHOUT_RIGHT)):
            raise
        return API


async def problems(client: Client, project: str, today: date) -> tuple[str, ...]:
    """What stands in the way, each as a sentence that says what to do.

    Args:
        client: asked.
        project: id of a project to ask about.
        today: whose instances to ask for.
    """
    of = {"ProjectId": int(project)}
    yesterday = business_day(today)
    instances = of | {"ScheduleType": "NORMAL"} | span(yesterday, yesterday)
    members = client.page("ListProjectMembers", Wire, {"Env": PRODUCTION}, size=1, beside={"Id": int(project)})
    probes: Mapping[str, Awaitable[object]] = {
        "ListInstances": client.page("ListInstances", Wire, instances, size=1),
        "ListProjectMembers": members,
        "ListTables": client.page("ListTables", Wire, {"Keyword": "dual"}, size=1),
    }
    found = await asyncio.gather(*(_probe(action, call) for action, call in probes.items()))
    return tuple(problem for problem in found if problem)


async def _probe(action: str, call: Awaitable[object]) -> str:
    try:
        await call
    except NotFound:
        return ""
    except RemoteError as error:
        if any(word in error.code for word in WITHOUT_RIGHT):
            return f"No right to call {action}: add the connection's user to the projects, with a role that may operate"
        if TOO_OLD in error.code:
            return f"{action} is unknown to this server: it needs a newer Dataphin, or its OpenAPI has not been bought"
        if error.code == NO_PROJECT:
            return f"{action} sees no project: tenant is probably another tenant's"
        return f"{action} failed with {error.code}: look it up in Dataphin's error codes"
    return ""
