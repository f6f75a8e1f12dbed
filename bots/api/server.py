"""The endpoints behind HTTP: who asks, a checked request, the answer, and every refusal as a problem document."""

import hmac
from collections.abc import Callable, Sequence
from functools import cached_property
from http import HTTPStatus
from typing import Any

import orjson
from aiohttp import web
from pydantic import TypeAdapter, ValidationError

from bots.api.document import PREFIX, document
from bots.api.endpoints import Call, Endpoint
from bots.api.wire import Problem
from core.access import Access, Person
from core.errors import BadInput, Busy, Denied, NotFound, Refused, Stale, XOpsError
from core.messages import Actor
from core.settings import ApiToken

PROBLEM = "application/problem+json"
STATUSES: Sequence[tuple[type[XOpsError], HTTPStatus]] = (
    (NotFound, HTTPStatus.NOT_FOUND),
    (BadInput, HTTPStatus.UNPROCESSABLE_ENTITY),
    (Denied, HTTPStatus.FORBIDDEN),
    (Stale, HTTPStatus.CONFLICT),
    (Refused, HTTPStatus.CONFLICT),
    (Busy, HTTPStatus.TOO_MANY_REQUESTS),
    (XOpsError, HTTPStatus.SERVICE_UNAVAILABLE),
)
"""The first that fits."""


class Unreadable(BadInput):
    """The body is not what its content type says."""


class Api:
    """The REST interface.

    Args:
        endpoints: what it offers.
        access: who may do what.
        tokens: of the settings.
        session: whose the session of the page is that a bearer sent; empty when it is none.
    """

    def __init__(
        self,
        endpoints: Sequence[Endpoint],
        access: Access,
        tokens: Sequence[ApiToken],
        session: Callable[[str], str],
    ) -> None:
        self._endpoints = endpoints
        self._access = access
        self._tokens = tokens
        self._session = session

    def routes(self) -> Sequence[web.RouteDef]:
        """Every address."""
        found = [web.route(each.method, PREFIX + each.path, self._handler(each)) for each in self._endpoints]
        return [web.get(f"{PREFIX}/openapi.json", self._describe), *found]

    async def _describe(self, _request: web.Request) -> web.Response:
        return web.Response(body=self._document, content_type="application/json")

    @cached_property
    def _document(self) -> bytes:
        return orjson.dumps(document(self._endpoints))

    def _handler(self, endpoint: Endpoint) -> Callable[[web.Request], Any]:
        answer: TypeAdapter[Any] = TypeAdapter(endpoint.answer)

        async def handle(request: web.Request) -> web.Response:
            try:
                person = await self._person(request)
                if person is None:
                    return _problem(HTTPStatus.UNAUTHORIZED, "unauthorized", "send a token: Authorization: Bearer …")
                result = await endpoint.handler(await self._call(endpoint, request, person))
            except ValidationError as error:
                return _problem(HTTPStatus.UNPROCESSABLE_ENTITY, "bad_input", "a value is wrong", _wrong(error))
            except Unreadable as error:
                return _problem(HTTPStatus.BAD_REQUEST, error.text, str(error))
            except XOpsError as error:
                status = next(status for kind, status in STATUSES if isinstance(error, kind))
                return _problem(status, error.text, str(error))
            if endpoint.answer is None:
                return web.Response(status=endpoint.status)
            if endpoint.yaml:
                return web.Response(text=str(result), content_type="application/yaml")
            return web.Response(body=answer.dump_json(result), status=endpoint.status, content_type="application/json")

        return handle

    async def _person(self, request: web.Request) -> Person | None:
        """Whose token or session this is; None when it is neither."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            return None
        await self._access.refresh()
        given = token.encode("utf-8", "surrogateescape")
        for known in self._tokens:
            if hmac.compare_digest(known.token.get_secret_value().encode(), given):
                return self._access.named(known.person) or Person(known.person)
        subject = self._session(token)
        return self._access.person(Actor("web", subject)) if subject else None

    async def _call(self, endpoint: Endpoint, request: web.Request, person: Person) -> Call[Any, Any]:
        query = endpoint.query.model_validate(dict(request.query))
        body = await self._body(endpoint, request) if endpoint.body is not None else None
        return Call(person, request.match_info, body, query)

    async def _body(self, endpoint: Endpoint, request: web.Request) -> object:
        raw = await request.read()  # the server's own limit answers 413
        try:
            text = raw.decode()
        except UnicodeDecodeError as error:
            raise Unreadable("the body is not UTF-8") from error
        if endpoint.yaml:
            return text
        try:
            orjson.loads(raw)
        except orjson.JSONDecodeError as error:
            raise Unreadable("the body is not JSON") from error
        return TypeAdapter(endpoint.body).validate_json(raw, strict=True)


def _wrong(error: ValidationError) -> tuple[str, ...]:
    found = error.errors(include_url=False, include_input=False, include_context=False)
    return tuple(f"{'.'.join(str(part) for part in each['loc'])}: {each['msg']}" for each in found)


def _problem(status: HTTPStatus, code: str, detail: str, errors: tuple[str, ...] = ()) -> web.Response:
    problem = Problem(title=status.phrase, status=status.value, detail=detail, code=code, errors=errors)
    headers = {"WWW-Authenticate": "Bearer"} if status is HTTPStatus.UNAUTHORIZED else {}
    return web.Response(body=problem.model_dump_json(), status=status, content_type=PROBLEM, headers=headers)
