"""DataWorks' OpenAPI, both generations of it, by the names of its operations.

Requests are built from the official SDKs' own models, so a parameter they do not know is found before it is sent. Answers
become our types in the thread that waited for them: a page of 500 instances takes some milliseconds.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from importlib.util import find_spec
from typing import Any, Final, TypeVar

from aiolimiter import AsyncLimiter
from pydantic import BaseModel, ValidationError

from core.errors import ConfigurationError, NotFound, Refused
from core.schedulers.aliyun import ATTEMPTS, Calls, configuration, failure
from core.schedulers.dataworks.wire import Listing, Paged, R
from core.settings import SchedulerConnection

M = TypeVar("M", bound=BaseModel)
Parameters = Mapping[str, object]

PACKAGES: Final = ("alibabacloud_dataworks_public20240518", "alibabacloud_dataworks_public20200518")
ONLY_2020: Final = frozenset(
    {
        "CallbackExtension",
        "GetInstanceStatusStatistic",
        "GetMetaTableBasicInfo",
        "ListBaselineStatuses",
        "ListInstances",
        "ListShiftPersonnels",
        "ListShiftSchedules",
        "SearchMetaTables",
        "UpdateNodeRunMode",
        "UpdateWorkbenchEventResult",
    }
)
"""Operations that 2024-05-18 does not have, or (`ListInstances`) not over several days."""
EDITION_CALLS: Final[Mapping[str, float]] = {"basic": 5, "standard": 5, "professional": 5, "enterprise": 50}
"""Calls a second that Alibaba Cloud allows an account in a region; reads, for Enterprise."""
ORDERS_PER_SECOND: Final = 20.0
"""Calls a second that change something, for Enterprise. The other editions allow fewer calls in all."""
ABSENT: Final = ("NotExist", "NotFound")
"""What is in a code that says there is no such thing."""


@dataclass(frozen=True, slots=True)
class _Sdk:
    client: Any
    models: Any


class Client:
    """One connection to one region.

    Args:
        connection: where, who, how fast.
        calls: runs the calls; made by the connection's edition unless given.
    """

    def __init__(self, connection: SchedulerConnection, calls: Calls | None = None) -> None:
        if any(find_spec(package) is None for package in PACKAGES):
            raise ConfigurationError(
                f"scheduler {connection.name} needs two packages more: pip install 'xops[dataworks]'"
            )
        self._connection = connection
        self.system = connection.name
        rate = connection.calls_per_second or EDITION_CALLS[connection.edition]
        self.calls = calls or Calls(connection.name, per_second=rate, concurrency=connection.concurrency)
        self._orders = AsyncLimiter(1, 1 / ORDERS_PER_SECOND)

    async def get(self, action: str, answer: type[M], parameters: Parameters, *, what: str = "", name: str = "") -> M:
        """Read something.

        Args:
            action: name of the operation, as in Alibaba Cloud's reference.
            answer: what to read the body as.
            parameters: of the operation, by its own names; None leaves one out.
            what: kind for `NotFound`.
            name: for `NotFound`, what was asked for.

        Raises:
            NotFound: there is no such thing.
            RemoteError: as `core.schedulers.aliyun.failure` tells.
        """
        call = partial(self._call, action, parameters, answer)
        try:
            return await self.calls.run(call, attempts=ATTEMPTS)
        except Refused as error:
            if what and any(word in error.code for word in ABSENT):
                raise NotFound(f"{self.system}: no {what} {name[:80]!r}", kind=what, name=name) from error
            raise

    async def page(self, action: str, row: type[R], parameters: Parameters, *, number: int, size: int) -> Paged[R]:
        """One page of a list, the first being 1."""
        return (await self.get(action, Listing[row], {"PageNumber": number, "PageSize": size, **parameters})).page

    async def every(self, action: str, row: type[R], parameters: Parameters, *, size: int, most: int) -> tuple[R, ...]:
        """A whole list, page after page, but no more than `most` of it."""

        async def page(number: int) -> Paged[R]:
            return await self.page(action, row, parameters, number=number, size=size)

        return (await collect(page, size, most)).items

    async def order(self, action: str, answer: type[M], parameters: Parameters) -> M:
        """Change something: sent once, whatever comes back, and no faster than orders may come.

        Raises:
            RemoteError: as `get`. After `Unreachable` it may or may not have happened.
        """
        await self._orders.acquire()
        return await self.calls.run(partial(self._call, action, parameters, answer))

    def _call(self, action: str, parameters: Parameters, answer: type[M]) -> M:
        sdk = self._of_2020 if action in ONLY_2020 else self._of_2024
        given = {name: value for name, value in parameters.items() if value is not None}
        request = getattr(sdk.models, f"{action}Request")().from_map(given)
        if unknown := given.keys() - request.to_map().keys():
            raise TypeError(f"{action} takes no {', '.join(sorted(unknown))}")
        try:
            body: dict[str, Any] = getattr(sdk.client, _snake(action))(request).body.to_map()
        except (AttributeError, TypeError) as error:  # so the SDK's models say that something is of another shape
            message = f"{self.system}: not what {action} answers"
            raise Refused(message, system=self.system, code="unexpected") from error
        if body.get("Success") is False:  # a failure inside a 200
            raise failure(self.system, str(body.get("ErrorCode") or ""), str(body.get("ErrorMessage") or ""))
        try:
            return answer.model_validate(body)
        except ValidationError as error:
            problems = error.errors(include_input=False, include_url=False)[:3]
            message = f"{self.system}: not what {action} answers: {problems}"
            raise Refused(message, system=self.system, code="unexpected") from error

    @cached_property
    def _of_2024(self) -> _Sdk:
        from alibabacloud_dataworks_public20240518 import models
        from alibabacloud_dataworks_public20240518.client import Client as Sdk

        return _Sdk(Sdk(configuration(self._connection)), models)

    @cached_property
    def _of_2020(self) -> _Sdk:
        from alibabacloud_dataworks_public20200518 import models
        from alibabacloud_dataworks_public20200518.client import Client as Sdk

        return _Sdk(Sdk(configuration(self._connection)), models)


async def collect(page: Callable[[int], Awaitable[Paged[R]]], size: int, most: int) -> Paged[R]:
    """Pages of `size` until all, or `most`, are there; with the total of all that match."""
    first = await page(1)
    rest = await asyncio.gather(*(page(number) for number in range(2, -(-min(first.total, most) // size) + 1)))
    items = tuple(item for one in (first, *rest) for item in one.items)
    return first.model_copy(update={"items": items[:most]})


def _snake(action: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", action).lower()
