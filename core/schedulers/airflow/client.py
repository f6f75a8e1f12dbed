"""Airflow's REST API v2 over our own session: who we are, where things are, what a status code means.

Its errors, measured on 3.3.2: a missing token is 401, a malformed or expired one is 403 `Invalid JWT token`, a role that
does not suffice is 403 `Forbidden`, a conflict 409, an unknown field or impossible value 422.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Final, TypeVar
from urllib.parse import quote

from pydantic import BaseModel, ValidationError
from yarl import URL

from core.errors import BadInput, NotFound, Refused, Unauthorized, Unreachable
from core.http import Http, Response, Silence, Token, throttled
from core.schedulers.airflow.wire import Login, Paged, Problem, R
from core.settings import SchedulerConnection

M = TypeVar("M", bound=BaseModel)
Params = list[tuple[str, str]]
Path = tuple[str, ...]

CALLS: Final = 8
"""Most calls at once: an API server answers with a small pool of threads."""
PAGE: Final = 100
"""Largest page of a GET (`[api] maximum_page_limit`)."""
BATCH: Final = 1000
"""Page of a batch list, for which the server sets no limit; about a megabyte and 0.2 s."""
MOST: Final = 50_000
"""Most entries read for one question."""
TOKEN_SECONDS: Final = 3600.0
"""How long a token is used before we log in again: well within Airflow's default of a day. A server that ends it sooner
says so, and we log in then."""
DETAIL: Final = 300
"""Characters of the server's own words kept in an error."""
EXPIRED: Final = "Invalid JWT token"


class Client:
    """One connection to one API server.

    Args:
        connection: address and credentials.
        http: the process's session.
    """

    def __init__(self, connection: SchedulerConnection, http: Http) -> None:
        self._connection = connection
        self._http = http
        self.system = connection.name
        self._base = connection.url.rstrip("/")
        self._token = Token(self._log_in)
        self._gate = asyncio.Semaphore(CALLS)
        self._silence = Silence(self.system)

    async def get(
        self, path: Path, answer: type[M], params: Params | None = None, *, what: str = "", name: str = ""
    ) -> M:
        """Read one thing.

        Args:
            path: segments below `/api/v2`, as they are; they are percent-encoded here.
            answer: what to read the body as.
            params: query parameters; a name may repeat.
            what: kind for `NotFound`.
            name: for `NotFound`, what the person asked for.

        Raises:
            NotFound: the server knows no such thing.
            Unauthorized: the credentials were refused, also after a fresh log-in.
            Refused: our role does not suffice, or the request is not possible.
            Unreachable: no answer, or a fault of the server's own (5xx).
            Throttled: something between us and the server asks us to slow down.
        """
        return await self._call("GET", path, answer, params=params, attempts=2, what=what, name=name)

    async def change(
        self, method: str, path: Path, answer: type[M], body: object, params: Params | None = None, *, name: str
    ) -> M:
        """Change something: sent once, but for a first refusal of the token, which the server gave before it did anything.

        Raises:
            As `get`. After `Unreachable` the change may or may not have happened.
        """
        return await self._call(method, path, answer, params=params, body=body, what="instance", name=name)

    async def some(self, path: Path, answer: type[Paged[R]], params: Params, *, offset: int, limit: int) -> Paged[R]:
        """A stretch of a collection, page after page, with the total of all that match."""

        async def page(start: int) -> Paged[R]:
            size = min(PAGE, limit)
            return await self.get(path, answer, [*params, ("limit", str(size)), ("offset", str(start))])

        return await _collect(page, offset, limit)

    async def every(self, path: Path, answer: type[Paged[R]], params: Params | None = None) -> tuple[R, ...]:
        """A whole collection."""
        return (await self.some(path, answer, params or [], offset=0, limit=MOST)).items

    async def listed(self, path: Path, answer: type[Paged[R]], body: Mapping[str, object]) -> tuple[R, ...]:
        """All that a batch list finds: a POST that changes nothing.

        Raises:
            BadInput: more than `MOST` would have to be read.
        """

        async def page(start: int) -> Paged[R]:
            window = {"page_limit": BATCH, "page_offset": start, "order_by": "id"}
            found = await self._call("POST", path, answer, body={**body, **window}, attempts=2)
            if found.total_entries > MOST:
                raise BadInput(f"{found.total_entries} entries of {self.system}: ask for one day, or for fewer tasks")
            return found

        return (await _collect(page, 0, MOST)).items

    def link(self, path: Path) -> str:
        """Address of one of Airflow's own pages."""
        return "/".join([self._base, *(quote(segment, safe="") for segment in path)])

    async def _call(
        self,
        method: str,
        path: Path,
        answer: type[M],
        *,
        params: Params | None = None,
        body: object | None = None,
        attempts: int = 1,
        what: str = "",
        name: str = "",
    ) -> M:
        url = self.link(("api", "v2", *path))
        async with self._gate:
            self._silence.check()
            token = await self._token.get()
            response = await self._send(method, url, params, body, attempts, token)
            if _token_refused(response):
                self._token.reject(token)
                token = await self._token.get()
                response = await self._send(method, url, params, body, attempts, token)
            if response.status == HTTPStatus.TOO_MANY_REQUESTS:
                raise self._silence.begin(throttled(response, system=self.system, code=str(response.status)))
        if response.status == HTTPStatus.NOT_FOUND:
            raise NotFound(f"{self.system}: {_detail(response)}", kind=what, name=name)
        return self._read(response, answer)

    async def _send(
        self, method: str, url: str, params: Params | None, body: object | None, attempts: int, token: str
    ) -> Response:
        return await self._http.request(
            method,
            URL(url, encoded=True),
            system=self.system,
            headers={"Accept": "application/json", "Authorization": f"Bearer {token}"},
            params=params,
            json=body,
            timeout=self._connection.timeout_seconds,
            attempts=attempts,
        )

    async def _log_in(self) -> tuple[str, float]:
        fixed = self._connection.token.get_secret_value()
        if fixed:
            return fixed, TOKEN_SECONDS
        response = await self._http.request(
            "POST",
            self.link(("auth", "token")),
            system=self.system,
            json={"username": self._connection.username, "password": self._connection.password.get_secret_value()},
            timeout=self._connection.timeout_seconds,
            attempts=2,
        )
        return self._read(response, Login).access_token, TOKEN_SECONDS

    def _read(self, response: Response, answer: type[M]) -> M:
        status, code = response.status, str(response.status)
        said = f"{self.system} answered {code}: {_detail(response)}"
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            raise throttled(response, system=self.system, code=code)
        if status == HTTPStatus.UNAUTHORIZED or _token_refused(response):
            raise Unauthorized(said, system=self.system, code=code)
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise Unreachable(said, system=self.system, code=code)
        if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            raise Refused(said, system=self.system, code=code)
        try:
            return answer.model_validate_json(response.body)
        except ValidationError as error:
            message = f"{self.system}: not what Airflow 3.3 answers: {error.errors(include_input=False)[:3]}"
            raise Refused(message, system=self.system, code="unexpected") from error


async def _collect(page: Callable[[int], Awaitable[Paged[R]]], offset: int, limit: int) -> Paged[R]:
    """Pages from `offset` until `limit` items: the first tells the total and how many the server gives at once."""
    first = await page(offset)
    end = min(first.total_entries, offset + limit)
    starts = range(offset + len(first.items), end, len(first.items)) if first.items else ()
    rest = await asyncio.gather(*(page(start) for start in starts))
    items = tuple(item for one in (first, *rest) for item in one.items)
    return first.model_copy(update={"items": items[:limit]})


def _token_refused(response: Response) -> bool:
    return response.status == HTTPStatus.UNAUTHORIZED or (
        response.status == HTTPStatus.FORBIDDEN and _detail(response) == EXPIRED
    )


def _detail(response: Response) -> str:
    """The server's own words about an error; untrusted, at most `DETAIL` characters."""
    try:
        detail = Problem.model_validate_json(response.body).detail
    except ValidationError:
        return "no reason given"
    return (detail if isinstance(detail, str) else str(detail))[:DETAIL]
