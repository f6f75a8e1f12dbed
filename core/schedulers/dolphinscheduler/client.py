"""DolphinScheduler's REST API over our own session: what its routes are called, who we are, what its codes mean.

Every answer is an envelope with a code, and an error comes with HTTP 200 too. An unknown route is answered 200 with the web
page of the user interface, a token that expired 401 without a body, too many requests 429 (`api.traffic-control`).

3.3 renamed `process` to `workflow` in routes and parameters. Which of them a server speaks is found by asking a route of each
generation about a project that does not exist: one that knows the route answers in an envelope.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, TypeVar, get_origin
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter, ValidationError

from core.errors import BadInput, NotFound, Refused, Unauthorized, Unreachable
from core.http import Http, Response, Silence, throttled
from core.schedulers.dolphinscheduler.wire import Envelope, Paged, R
from core.schedulers.memory import Memory
from core.settings import SchedulerConnection

T = TypeVar("T")
Params = Mapping[str, str | int]
Path = tuple[str, ...]

PAGE: Final = 500
"""Rows of one page: some megabytes, since a row carries the task's whole script. The server sets no maximum."""
MOST: Final = 50_000
"""Most rows read for one question."""
DETAIL: Final = 300
"""Characters of the server's own words kept in an error."""
GENERATION_SECONDS: Final = 3600.0
SUCCESS: Final = 0
INTERNAL: Final = 10000
ABSENT: Final = frozenset({10008, 10018, 10020, 10190, 10203, 50001, 50003})
"""Codes of `api/enums/Status.java` that speak of something that does not exist."""
NO_ROUTE: Final = "no-such-route"
NOBODY: Final = "0"
"""Code of no project."""


@dataclass(frozen=True, slots=True)
class Generation:
    """What a server's routes are called.

    Attributes:
        version: the versions that call them so.
        noun: begins the names of routes and parameters.
        by_workflow: parameter that selects workflow instances by their workflow.
        single_tasks: whether one task of a workflow instance can be run again (`execute-task`).
        levels: whether a project can be granted for reading alone.
        audit_by_name: whether the audit log can be searched by the name of what something was done to.
    """

    version: str
    noun: str
    by_workflow: str
    single_tasks: bool = True
    levels: bool = True
    audit_by_name: bool = True

    @property
    def runs(self) -> str:
        """Route of workflow instances."""
        return f"{self.noun}-instances"

    @property
    def run_id(self) -> str:
        """Parameter that names a workflow instance."""
        return f"{self.noun}InstanceId"

    @property
    def workflow_code(self) -> str:
        """Parameter that names a workflow."""
        return f"{self.noun}DefinitionCode"


WORKFLOW: Final = Generation("3.3 or newer", "workflow", "workflowDefinitionCode")
PROCESS: Final = Generation("3.2", "process", "processDefineCode")
OLD_PROCESS: Final = Generation(
    "3.1", "process", "processDefineCode", single_tasks=False, levels=False, audit_by_name=False
)
PROBES: Final = (("workflow-instances", WORKFLOW), ("project-parameter", PROCESS), ("process-instances", OLD_PROCESS))
"""Routes that a generation has and those after it in this list lack, newest first."""


class Client:
    """One connection to one API server.

    Args:
        connection: address and token.
        http: the process's session.

    Attributes:
        generation: as found; the newest until the server was asked.
        zone: in which the server reads and writes moments.
    """

    def __init__(self, connection: SchedulerConnection, http: Http) -> None:
        self._connection = connection
        self._http = http
        self.system = connection.name
        self.zone = ZoneInfo(connection.server_zone)
        self.generation = WORKFLOW
        self._base = connection.url.rstrip("/")
        self._gate = asyncio.Semaphore(connection.concurrency)
        self._silence = Silence(self.system)
        self._detected: Memory[str, Generation] = Memory(self._detect, seconds=GENERATION_SECONDS)

    async def names(self) -> Generation:
        """What this server's routes are called; asked once an hour, since servers are upgraded.

        Raises:
            Refused: it knows none of the routes, so it is no DolphinScheduler, or the address lacks `/dolphinscheduler`.
        """
        self.generation = await self._detected.get("")
        return self.generation

    async def get(
        self,
        path: Path,
        answer: type[T],
        params: Params | None = None,
        *,
        method: str = "GET",
        what: str = "",
        name: str = "",
    ) -> T:
        """Read something.

        Args:
            path: segments below the address; ours, never a person's words.
            answer: what to read `data` as.
            params: query parameters.
            method: POST for what is read by it.
            what: kind for `NotFound`.
            name: for `NotFound`, what the person asked for.

        Raises:
            NotFound: the server knows no such thing.
            Unauthorized: the token is unknown, expired, or its owner disabled.
            Refused: it said no, or is not what it is taken for.
            Unreachable: no answer, or a fault of the server's own.
            Throttled: it asks us to slow down.
        """
        data = await self._call(method, path, params, attempts=2, what=what, name=name)
        if data is None and get_origin(answer) is tuple:  # an empty list, as some serializers write it
            data = ()
        try:  # in a thread: a page of 500 rows takes some tens of milliseconds
            return await asyncio.to_thread(TypeAdapter(answer).validate_python, data, context=self.zone)
        except ValidationError as error:
            problems = error.errors(include_input=False, include_url=False)[:3]
            message = f"{self.system}: not what DolphinScheduler answers: {problems}"
            raise Refused(message, system=self.system, code="unexpected") from error

    async def order(self, path: Path, params: Params, *, name: str) -> object:
        """Change something: sent once, whatever comes back. Gives `data` as it is.

        Raises:
            As `get`. After `Unreachable` it may or may not have happened.
        """
        return await self._call("POST", path, params, attempts=1, what="instance", name=name)

    async def page(self, path: Path, row: type[R], params: Params, *, number: int = 1, size: int = PAGE) -> Paged[R]:
        """One page of a list, the first being 1."""
        return await self.get(path, Paged[row], {"pageNo": number, "pageSize": size, **params})

    async def every(self, path: Path, row: type[R], params: Params) -> tuple[R, ...]:
        """A whole list: its first page tells how many more there are.

        Raises:
            BadInput: there are more than `MOST`.
        """
        first = await self.page(path, row, params)
        if first.total > MOST:
            raise BadInput(f"{first.total} rows of {self.system}: ask for one project, or for another day")
        numbers = range(2, -(-first.total // PAGE) + 1)
        rest = await asyncio.gather(*(self.page(path, row, params, number=number) for number in numbers))
        return tuple(item for one in (first, *rest) for item in one.items)

    @property
    def pages(self) -> str:
        """Address of DolphinScheduler's own pages."""
        return f"{self._base}/ui"

    async def close(self) -> None:
        """Stop what is being asked."""
        await self._detected.close()

    async def _detect(self, _: str) -> Generation:
        for route, generation in PROBES:
            params = {"pageNo": 1, "pageSize": 1}
            envelope = await self._envelope("GET", ("projects", NOBODY, route), params, attempts=2)
            if envelope is not None:
                return generation
        raise self._no_route("projects")

    async def _call(
        self, method: str, path: Path, params: Params | None, *, attempts: int, what: str, name: str
    ) -> object:
        envelope = await self._envelope(method, path, params, attempts=attempts)
        if envelope is None:
            raise self._no_route("/".join(path))
        self._check(envelope, what, name)
        return envelope.data

    async def _envelope(self, method: str, path: Path, params: Params | None, *, attempts: int) -> Envelope | None:
        """The answer; None where the server has no such route."""
        given = {name: str(value) for name, value in (params or {}).items()}
        async with self._gate:
            self._silence.check()
            response = await self._http.request(
                method,
                "/".join([self._base, *path]),
                system=self.system,
                headers={"Accept": "application/json", "token": self._connection.token.get_secret_value()},
                params=given if method == "GET" else None,
                form=given if method == "POST" else None,
                timeout=self._connection.timeout_seconds,
                attempts=attempts,
            )
        self._check_status(response)
        try:
            return await asyncio.to_thread(Envelope.model_validate_json, response.body)
        except ValidationError:
            return None

    def _check_status(self, response: Response) -> None:
        status, code = response.status, str(response.status)
        match status:
            case HTTPStatus.TOO_MANY_REQUESTS:
                raise self._silence.begin(throttled(response, system=self.system, code=code))
            case HTTPStatus.UNAUTHORIZED:
                said = "the token is unknown or expired, or its owner is disabled"
                raise Unauthorized(f"{self.system}: {said}", system=self.system, code=code)
            case _ if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                raise Unreachable(f"{self.system} answered {code}", system=self.system, code=code)
            case _ if status not in {HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.NOT_FOUND}:
                raise Refused(f"{self.system} answered {code}", system=self.system, code=code)
            case _:
                return

    def _check(self, envelope: Envelope, what: str, name: str) -> None:
        said = f"{self.system} answered {envelope.code}: {(envelope.msg or '')[:DETAIL]}"
        if envelope.code in ABSENT and what:
            raise NotFound(said, kind=what, name=name)
        if envelope.code == INTERNAL:
            raise Unreachable(said, system=self.system, code=str(envelope.code))
        if envelope.code != SUCCESS:
            raise Refused(said, system=self.system, code=str(envelope.code))

    def _no_route(self, path: str) -> Refused:
        message = f"{self.system}: nothing of DolphinScheduler 3.1 to 3.4 at {path}: url must end in /dolphinscheduler"
        return Refused(message, system=self.system, code=NO_ROUTE)
