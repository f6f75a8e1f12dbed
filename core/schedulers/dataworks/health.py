"""Whether address, credentials and rights hold: one harmless call for each right that reading needs.

That orders are allowed cannot be asked without giving one: DataWorks has no dry run for them.
"""

import asyncio
from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Final
from zoneinfo import ZoneInfo

from core.errors import NotFound, Refused
from core.schedulers.dataworks.client import Client, Parameters
from core.schedulers.dataworks.model import business_day, milliseconds
from core.schedulers.dataworks.wire import Wire

WITHOUT_RIGHT: Final = ("Forbidden", "NoPermission", "ResourceNotAuthorized", "NotAuthorized")
"""What codes begin with that speak of rights."""
NOT_BOUGHT: Final = "Forbidden.Access"
"""The code when the edition lacks the operation."""


async def problems(client: Client, project: str, today: date, zone: ZoneInfo) -> tuple[str, ...]:
    """What stands in the way, each as a sentence that says what to do.

    Args:
        client: asked.
        project: id of a workspace to ask about.
        today: whose instances to ask for.
        zone: in which days begin.

    Raises:
        Unauthorized: of the credentials; there is nothing more to find out then.
        Unreachable: of the address.
    """
    found = await asyncio.gather(*(_probe(client, *one) for one in _probes(project, today, zone).items()))
    return tuple(problem for problem in found if problem)


def _probes(project: str, today: date, zone: ZoneInfo) -> Mapping[str, Parameters]:
    yesterday, one = business_day(today), {"PageNumber": 1, "PageSize": 1}
    of = {"ProjectId": int(project)}
    midnight = datetime.combine(yesterday, time.min, zone)
    return {
        "ListTaskInstances": of | one | {"Bizdate": milliseconds(yesterday, zone)},
        "ListTasks": of | one,
        "ListProjectMembers": of | one,
        "GetInstanceStatusStatistic": of | {"BizDate": yesterday.isoformat(), "ProjectEnv": "PROD"},
        "ListInstances": of | one | {"ProjectEnv": "PROD", "Bizdate": f"{yesterday} 00:00:00"},
        "SearchMetaTables": one | {"Keyword": "dual", "DataSourceType": "odps"},
        "ListAlertRules": one,
        "ListShiftSchedules": one,
        "ListBaselineStatuses": one | {"Bizdate": midnight.strftime("%Y-%m-%dT%H:%M:%S%z")},
    }


async def _probe(client: Client, action: str, parameters: Parameters) -> str:
    try:
        await client.get(action, Wire, parameters)
    except NotFound:
        return ""
    except Refused as error:
        if error.code == NOT_BOUGHT:
            return f"{action} is not part of this DataWorks edition, or the identity is no member of the workspace"
        if error.code.startswith(WITHOUT_RIGHT):
            return f"No right to call {action}: allow the RAM action dataworks:{action}, and add the identity to the workspace"
        return f"{action} failed with {error.code}: look it up in DataWorks' error codes"
    return ""
