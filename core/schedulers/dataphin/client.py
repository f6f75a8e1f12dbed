"""Dataphin's OpenAPI by the names of its operations.

Requests are built from the official SDK's own models, so a parameter they do not know is found before it is sent. Answers are
read before its models see them, since those drop what they do not know: why an instance waits, for one. They become our types
in the thread that waited for them.
"""

import asyncio
import re
import threading
from collections.abc import Iterator, Mapping
from functools import cached_property, partial
from importlib.util import find_spec
from typing import Any, Final, TypeVar, cast
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ValidationError

from core.errors import ConfigurationError, NotFound, Refused
from core.schedulers.aliyun import ATTEMPTS, Calls, configuration, failure
from core.schedulers.dataphin.wire import Listing, Paged, R
from core.settings import SchedulerConnection

M = TypeVar("M", bound=BaseModel)
Parameters = Mapping[str, object]

PACKAGE: Final = "alibabacloud_dataphin_public20230630"
PRODUCTION: Final = "PROD"
CALLS_PER_SECOND: Final = 20.0
"""Most calls a second unless set. Alibaba Cloud documents no quota for Dataphin; a gateway on premises is not a large one."""
PAGE: Final = 100
"""Size of pages; no maximum is documented, and Alibaba Cloud's own examples ask for no more."""
ABSENT: Final = ("NotExist", "NotFound")
"""What is in a code that says there is no such thing, or none in the project that was named."""
FINE: Final = frozenset({"OK", "0", "200", ""})
"""Codes of success; the documented one is `OK`."""
NOTHING: Final[Parameters] = {}
COUNT_BY_PAGE: Final = frozenset({"ListInstances", "ListNodes", "ListAlertEvents"})
"""Lists whose query calls the number of the page `Page`; others call it `PageNo`."""
ENVIRONMENTLESS: Final = frozenset(
    {"ListProjects", "ListProjectMembers", "ListTables", "GetTable", "ListAlertEvents", "GetAlertEvent"}
)
"""Operations that do not take `Env`; lists of projects and members take it within their query."""


class Client:
    """One connection to one tenant.

    Args:
        connection: where, who, which tenant, how fast.
        zone: in which Dataphin writes times that have none.
        calls: runs the calls; made by the connection's pace unless given.
    """

    def __init__(self, connection: SchedulerConnection, zone: ZoneInfo, calls: Calls | None = None) -> None:
        if find_spec(PACKAGE) is None:
            raise ConfigurationError(
                f"scheduler {connection.name} needs one package more: pip install 'xops[dataphin]'"
            )
        self._connection = connection
        self._zone = zone
        self.system = connection.name
        self.rate = connection.calls_per_second or CALLS_PER_SECOND
        self.calls = calls or Calls(connection.name, per_second=self.rate, concurrency=connection.concurrency)

    async def get(self, action: str, answer: type[M], parameters: Parameters, *, what: str = "", name: str = "") -> M:
        """Read something.

        Args:
            action: name of the operation, as in Alibaba Cloud's reference.
            answer: what to read the body as.
            parameters: of the operation, by its own names, but for tenant, operator and environment.
            what: kind for `NotFound`.
            name: for `NotFound`, what was asked for.

        Raises:
            NotFound: there is no such thing.
            RemoteError: as `core.schedulers.aliyun.failure` tells.
        """
        try:
            return await self.calls.run(partial(self._call, action, parameters, answer), attempts=ATTEMPTS)
        except Refused as error:
            if what and any(word in error.code for word in ABSENT):
                raise NotFound(f"{self.system}: no {what} {name[:80]!r}", kind=what, name=name) from error
            raise

    async def page(
        self,
        action: str,
        row: type[R],
        query: Parameters,
        number: int = 1,
        *,
        size: int = PAGE,
        beside: Parameters = NOTHING,
    ) -> Paged[R]:
        """One page of a list, the first being 1.

        Args:
            action: name of the operation.
            row: what is in the list.
            query: what selects, the operation's `ListQuery`.
            number: of the page.
            size: of the page.
            beside: parameters beside the query.
        """
        counter = "Page" if action in COUNT_BY_PAGE else "PageNo"
        selected = {**query, counter: number, "PageSize": size}
        return (await self.get(action, Listing[row], {**beside, "ListQuery": selected})).page

    async def every(
        self, action: str, row: type[R], query: Parameters, most: int, *, beside: Parameters = NOTHING
    ) -> Paged[R]:
        """Pages until all, or `most`, are there; with the total of all that match."""
        first = await self.page(action, row, query, beside=beside)
        numbers = range(2, -(-min(first.total, most) // PAGE) + 1)
        rest = await asyncio.gather(*(self.page(action, row, query, number, beside=beside) for number in numbers))
        items = tuple(item for one in (first, *rest) for item in one.items)
        return first.model_copy(update={"items": items[:most]})

    async def order(self, action: str, answer: type[M], parameters: Parameters) -> M:
        """Change something: sent once, whatever comes back.

        Raises:
            RemoteError: as `get`. After `Unreachable` it may or may not have happened.
        """
        return await self.calls.run(partial(self._call, action, parameters, answer))

    def _call(self, action: str, parameters: Parameters, answer: type[M]) -> M:
        given = dict(parameters) | {"OpTenantId": int(self._connection.tenant)}
        if self._connection.operator:
            given["OpUserId"] = self._connection.operator
        if action not in ENVIRONMENTLESS:
            given["Env"] = PRODUCTION
        body = self._sdk.answer(action, given)
        code = str(body.get("Code") or "")
        if body.get("Success") is False or code not in FINE:  # a failure inside a 200
            status = int(body.get("HttpStatusCode") or 0)
            raise failure(self.system, code, str(body.get("Message") or ""), status=status)
        try:
            return answer.model_validate(body, context={"zone": self._zone})
        except ValidationError as error:
            problems = error.errors(include_input=False, include_url=False)[:3]
            message = f"{self.system}: not what {action} answers: {problems}"
            raise Refused(message, system=self.system, code="unexpected") from error

    @cached_property
    def _sdk(self) -> "_Sdk":
        return _Sdk(self._connection)


class _Sdk:
    """The SDK's client, giving bodies as they came."""

    def __init__(self, connection: SchedulerConnection) -> None:
        from alibabacloud_dataphin_public20230630 import models
        from alibabacloud_dataphin_public20230630.client import Client as Official

        self._models: Any = models
        self._client: Any = Official(configuration(connection))
        self._came = threading.local()
        self._ask = self._client.call_api
        self._client.call_api = self._keep

    def answer(self, action: str, given: dict[str, Any]) -> dict[str, Any]:
        """Call an operation."""
        request: Any = getattr(self._models, f"{action}Request")().from_map(given)
        if unknown := list(_unknown(given, request.to_map())):
            raise TypeError(f"{action} takes no {', '.join(unknown)}")
        getattr(self._client, re.sub(r"(?<!^)(?=[A-Z])", "_", action).lower())(request)
        return self._came.body

    def _keep(self, *given: object) -> dict[str, Any]:
        """What every operation of the client goes through: keeps the body for the thread that waits for it."""
        answered = self._ask(*given)
        self._came.body = answered["body"]
        return answered


def _unknown(given: Mapping[str, Any], sent: Mapping[str, Any]) -> Iterator[str]:
    """Names that the SDK's models did not take."""
    for name, value in given.items():
        if name not in sent:
            yield name
        elif isinstance(value, Mapping):
            yield from _unknown(cast("Mapping[str, Any]", value), sent[name])
