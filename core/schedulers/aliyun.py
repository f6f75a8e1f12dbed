"""What DataWorks and Dataphin share: Alibaba Cloud's SDKs off the loop, no faster than a quota, failing in our own errors.

The SDKs' own asynchronous methods are left alone: each call opens a session of its own and builds a TLS context on the
loop (docs/decisions.md). Here a few threads share the SDK's pooled connections, and their number bounds what is under way.

Whoever is told to slow down makes all calls of the connection wait, so that a hundred questions do not each find out by
themselves; a wait longer than a person's patience is an error at once, without a call.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final, TypeVar

from aiolimiter import AsyncLimiter

from core.errors import Refused, RemoteError, Throttled, Unauthorized, Unreachable
from core.http import CERTIFICATE
from core.redact import clean, mask
from core.settings import SchedulerConnection

if TYPE_CHECKING:
    from alibabacloud_tea_openapi.utils_models import Config

T = TypeVar("T")

ATTEMPTS: Final = 3
"""How often a read is tried while the platform says that it is too busy."""
FIRST_PAUSE: Final = 0.5
"""Seconds of silence after the first refusal; doubled with each that follows before an answer."""
PATIENCE: Final = 4.0
"""Longest silence, in seconds, that a question waits out: it has some fifteen seconds in all."""
DAY_IS_SPENT: Final = frozenset({"Throttling.Api.Risk"})
"""Codes of a daily limit, which no waiting within an answer outlasts."""
SPENT_PAUSE: Final = 600.0
"""Seconds until a daily limit is tried again."""
CONNECT_MILLISECONDS: Final = 5000
DETAIL: Final = 300
"""Characters of the platform's own words kept in an error."""
CREDENTIALS: Final = (
    "InvalidAccessKeyId",
    "InvalidSecurityToken",
    "SecurityTokenExpired",
    "SignatureDoesNotMatch",
    "IncompleteSignature",
    "InvalidCredentials",
    "MissingAccessKeyId",
    "InvalidTimeStamp",
    "SignatureNonceUsed",
)
"""What codes begin with that speak of who we are. What comes with them can hold a session token, and is not kept."""


class Calls:
    """Runs an SDK's blocking calls for one connection.

    Args:
        system: configured name of the connection.
        per_second: most calls a second.
        concurrency: most calls at once.
        clock: seconds that only grow.
        sleep: waits so many seconds.
    """

    def __init__(
        self,
        system: str,
        *,
        per_second: float,
        concurrency: int,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._system = system
        self._threads = ThreadPoolExecutor(concurrency, thread_name_prefix=f"{system}-call")
        self._pace = AsyncLimiter(1, 1 / per_second)
        self._clock = clock
        self._sleep = sleep
        self._quiet_until = 0.0
        self._refusals = 0

    async def run(self, call: Callable[[], T], *, attempts: int = 1) -> T:
        """Make a call in a thread.

        Args:
            call: blocks until there is an answer.
            attempts: how often to try while the platform is too busy. More than 1 only for reads: a write is ordered once.

        Raises:
            Throttled: too busy to the end, or a limit was met that only time lifts.
            RemoteError: as `failure` and `lost` tell.
        """
        for left in reversed(range(attempts)):
            await self._turn()
            try:
                answer = await asyncio.get_running_loop().run_in_executor(self._threads, _named, call, self._system)
            except Throttled as error:
                self._be_quiet(error)
                if not left or error.code in DAY_IS_SPENT:
                    raise
            else:
                self._refusals = 0
                return answer
        raise AssertionError("the last attempt returns or raises")

    async def pause(self, seconds: float) -> None:
        """Wait, for something the platform does meanwhile."""
        await self._sleep(seconds)

    def close(self) -> None:
        """Start no call any more. Those under way end by their own time-out."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _turn(self) -> None:
        while True:
            await self._pace.acquire()
            wait = self._quiet_until - self._clock()
            if wait <= 0:
                return
            if wait > PATIENCE:
                message = f"{self._system} asked for silence a moment ago"
                raise Throttled(message, system=self._system, retry_after=wait, code="silence")
            await self._sleep(wait)

    def _be_quiet(self, error: Throttled) -> None:
        now = self._clock()
        if now < self._quiet_until:  # several were under way: they are one refusal
            return
        doubled = FIRST_PAUSE * 2**self._refusals * random.uniform(1, 1.5)  # noqa: S311  # spreads several processes
        self._refusals += 1
        self._quiet_until = now + (SPENT_PAUSE if error.code in DAY_IS_SPENT else max(error.retry_after, doubled))


def configuration(connection: SchedulerConnection) -> "Config":
    """What an SDK's client is made from. Slow: imports the SDK, so call it in a thread.

    Without an access key, Alibaba Cloud's own chain finds credentials: environment, OIDC role of a pod, CLI profile, role
    of the machine. They are fetched again before they expire.
    """
    from alibabacloud_credentials.client import Client as Chain
    from alibabacloud_tea_openapi.utils_models import Config

    scheme, _, host = connection.url.rpartition("://")
    given: dict[str, Any] = {
        "access_key_id": connection.access_key_id,
        "access_key_secret": connection.access_key_secret.get_secret_value(),
        "security_token": connection.security_token.get_secret_value(),
        "credential": None if connection.access_key_id else Chain(),
        "region_id": connection.region,
        "endpoint": host.rstrip("/"),
        "protocol": scheme.upper(),
        "read_timeout": int(connection.timeout_seconds * 1000),
        "connect_timeout": CONNECT_MILLISECONDS,
        "user_agent": "xops",
        "ca": connection.ca_file,
        "signature_algorithm": "v2" if connection.signature == "v2" else "",
    }
    return Config(**{name: value for name, value in given.items() if value})


def failure(system: str, code: str, words: str, *, status: int = 0, retry_after: float = 0.0) -> RemoteError:
    """The error for what the platform answered.

    Args:
        system: configured name of the connection.
        code: the platform's, by which alone errors are told apart: its SDK's classes follow headers that may be missing.
        words: the platform's, untrusted.
        status: of HTTP.
        retry_after: seconds it asked us to wait.
    """
    if code.startswith("Throttling") or status == 429:
        return Throttled(f"{system}: {code}", system=system, retry_after=retry_after, code=code)
    if code.startswith(CREDENTIALS):
        return Unauthorized(f"{system} refused our credentials: {code}", system=system, code=code)
    message = f"{system} answered {code or status}: {mask(clean(words))[:DETAIL]}"
    return (Unreachable if status >= 500 else Refused)(message, system=system, code=code or str(status))


def lost(system: str, cause: object) -> RemoteError:
    """The error when there was no answer that the SDK could read, by what it met instead."""
    from alibabacloud_credentials.exceptions import CredentialException

    if isinstance(cause, CredentialException):
        return Unauthorized(
            f"{system}: no credentials: set an access key, or a role", system=system, code="credentials"
        )
    if isinstance(cause, RuntimeError):  # so the SDK says that it is not JSON: usually the page of a proxy
        return Unreachable(f"{system} answered with something that is not JSON", system=system, code="not-json")
    if "CERTIFICATE_VERIFY_FAILED" in str(cause):
        message = f"{system}: the certificate is not to be trusted: set ca_file, if it is your own"
        return Unreachable(message, system=system, code=CERTIFICATE)
    kind = type(cause).__name__
    return Unreachable(f"{system}: {kind}", system=system, code=kind)


def _named(call: Callable[[], T], system: str) -> T:
    """Make the call, and name its failure."""
    from darabonba.exceptions import ResponseException
    from Tea.exceptions import UnretryableException

    try:
        return call()
    except ResponseException as error:
        told: Any = error
        seconds = (told.retry_after or 0) / 1000
        raise failure(
            system, str(told.code), str(told.message), status=told.status_code or 0, retry_after=seconds
        ) from None
    except UnretryableException as error:
        raise lost(system, error.inner_exception) from None
