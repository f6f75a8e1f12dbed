"""The one outbound HTTP session of the process, and what every caller of another system needs around it.

A client per call costs up to 60 ms of CPU (a TLS context each time); one session costs 0.4 ms. Time-outs always; retries
only where the caller says that a second attempt is harmless; error messages never hold a query string, a header or a body.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential
from yarl import URL

from core.errors import Refused, Throttled, Unreachable

BODY_LIMIT = 64 * 1024 * 1024
CERTIFICATE = "certificate"
"""Code of `Unreachable` when the other side's certificate is not to be trusted."""

_CLOSING = aiohttp.ClientWSTimeout(ws_close=2.0)  # pyright: ignore[reportCallIssue]  # made by attrs
"""A peer that is gone does not answer our goodbye either."""


@dataclass(frozen=True, slots=True)
class Response:
    """An answer, whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self, *, system: str) -> Any:  # noqa: ANN401  # parsed into types by the caller
        """The body as JSON.

        Raises:
            Refused: it is not JSON; usually a proxy's or a login page.
        """
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError as error:
            raise Refused(f"{system} answered {self.status} with something that is not JSON", system=system) from error


class Http:
    """Owns the session. Opened and closed by the application's lifespan."""

    def __init__(self, *, connections: int = 100) -> None:
        self._connections = connections
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Open the session on the running loop."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._connections, ttl_dns_cache=300),
            headers={"User-Agent": "xops"},
        )

    async def stop(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def request(
        self,
        method: str,
        url: str | URL,
        *,
        system: str,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | list[tuple[str, str]] | None = None,
        json: object | None = None,
        form: Mapping[str, str] | None = None,
        timeout: float = 15.0,
        attempts: int = 1,
    ) -> Response:
        """Send one request and read the whole answer.

        Args:
            method: HTTP method.
            url: absolute; pass a `URL(..., encoded=True)` when path segments are already percent-encoded.
            system: configured name of the other side, for errors and metrics.
            headers: added to the session's own.
            params: query parameters; a list of pairs where a name repeats.
            json: body to send as JSON.
            form: body to send as a form.
            timeout: seconds for the whole exchange.
            attempts: how often to try when no answer comes or it is 502, 503 or 504; more than 1 only for reads and for
                writes that carry an idempotency key.

        Returns:
            Any answer, whatever its status: what a status means is for the caller to say.

        Raises:
            Unreachable: refused, reset, timed out, or larger than 64 MiB.
        """
        async for attempt in AsyncRetrying(
            stop=stop_after_attempt(attempts),
            wait=wait_random_exponential(multiplier=0.2, max=3),
            retry=retry_if_exception_type(Unreachable),
            reraise=True,
        ):
            with attempt:
                response = await self._once(method, url, system, headers, params, json, form, timeout)
                last = attempt.retry_state.attempt_number >= attempts
                if response.status in {502, 503, 504} and not last:
                    raise Unreachable(f"{system} answered {response.status}", system=system, code=str(response.status))
                return response
        raise AssertionError("tenacity either returns or raises")

    @asynccontextmanager
    async def websocket(
        self, url: str, *, system: str, heartbeat: float | None = None, timeout: float = 15.0
    ) -> AsyncGenerator[aiohttp.ClientWebSocketResponse]:
        """Hold a WebSocket connection.

        Args:
            url: `wss://…`; may hold a ticket, so it never appears in an error.
            system: configured name of the other side, for errors.
            heartbeat: seconds between two pings; a peer that leaves one unanswered for half as long counts as gone. None
                where the other side has pings of its own.
            timeout: seconds for the handshake.

        Raises:
            Unreachable: there is no connection, or it broke while it was held.
        """
        if self._session is None:
            raise RuntimeError("Http.start() has not been called")
        try:
            async with asyncio.timeout(timeout):
                socket = await self._session.ws_connect(url, heartbeat=heartbeat, timeout=_CLOSING)
            async with socket:
                yield socket
        except TimeoutError as error:
            raise Unreachable(f"{system}: no answer in time", system=system, code="timeout") from error
        except (aiohttp.ClientError, ConnectionError) as error:
            raise Unreachable(f"{system}: {type(error).__name__}", system=system, code=type(error).__name__) from error

    async def _once(
        self,
        method: str,
        url: str | URL,
        system: str,
        headers: Mapping[str, str] | None,
        params: Mapping[str, str] | list[tuple[str, str]] | None,
        json: object | None,
        form: Mapping[str, str] | None,
        timeout: float,
    ) -> Response:
        if self._session is None:
            raise RuntimeError("Http.start() has not been called")
        data: bytes | Mapping[str, str] | None = form
        sent = dict(headers or {})
        if json is not None:
            data = orjson.dumps(json)
            sent["Content-Type"] = "application/json; charset=utf-8"
        try:
            async with self._session.request(
                method,
                url,
                headers=sent,
                params=params,
                data=data,
                timeout=aiohttp.ClientTimeout(total=timeout),
                allow_redirects=False,
            ) as answer:
                body = (
                    await answer.content.read(BODY_LIMIT + 1) if answer.content_length is None else await answer.read()
                )
                while len(body) <= BODY_LIMIT and (more := await answer.content.read(BODY_LIMIT)):
                    body += more
                if len(body) > BODY_LIMIT:
                    raise Unreachable(f"{system}: an answer of more than 64 MiB", system=system)
                return Response(answer.status, answer.headers, body)
        except TimeoutError as error:
            raise Unreachable(f"{system}: no answer in {timeout:g} s", system=system, code="timeout") from error
        except aiohttp.ClientConnectorCertificateError as error:
            message = f"{system}: the certificate is not to be trusted"
            raise Unreachable(message, system=system, code=CERTIFICATE) from error
        except aiohttp.ClientError as error:
            raise Unreachable(f"{system}: {type(error).__name__}", system=system, code=type(error).__name__) from error


class Token:
    """A credential that expires: fetched by one caller while the others wait, dropped when the other side refuses it.

    Args:
        fetch: asks for a new one; returns the value and how many seconds it is good for.
        margin: seconds before its end at which it counts as expired.
    """

    def __init__(self, fetch: Callable[[], Awaitable[tuple[str, float]]], *, margin: float = 300.0) -> None:
        self._fetch = fetch
        self._margin = margin
        self._value = ""
        self._until = 0.0
        self._lock = asyncio.Lock()

    async def get(self) -> str:
        """The current value, fetching it first when needed."""
        if time.monotonic() < self._until:
            return self._value
        async with self._lock:
            if time.monotonic() >= self._until:
                value, seconds = await self._fetch()
                self._value = value
                self._until = time.monotonic() + max(seconds - self._margin, min(seconds / 2, 1.0))
            return self._value

    def reject(self, value: str) -> None:
        """Forget a value the other side refused. A late refusal of an older value does not evict a newer one."""
        if value == self._value:
            self._until = 0.0


class Silence:
    """Kept after the other side asked us to slow down: whoever asks meanwhile is told so by us, without a call.

    So a group that asks again makes no storm.

    Args:
        system: configured name of the other side.
        seconds: how long, where the other side does not say.
    """

    def __init__(self, system: str, *, seconds: float = 5.0) -> None:
        self._system = system
        self._seconds = seconds
        self._until = 0.0

    def check(self) -> None:
        """Raises `Throttled` while it lasts."""
        left = self._until - time.monotonic()
        if left > 0:
            message = f"{self._system} asked us to slow down"
            raise Throttled(message, system=self._system, retry_after=left, code="429")

    def begin(self, error: Throttled) -> Throttled:
        """Fall silent for as long as the other side asked; gives the error to raise."""
        self._until = time.monotonic() + (error.retry_after or self._seconds)
        return error


def throttled(response: Response, *, system: str, header: str = "Retry-After", code: str = "") -> Throttled:
    """The error for an answer that asks us to slow down, with the seconds from its header."""
    try:
        seconds = float(response.headers.get(header, "0"))
    except ValueError:
        seconds = 0.0
    return Throttled(f"{system} asks us to slow down", system=system, retry_after=seconds, code=code)
