"""Calls of a model's provider: bounded in time, and whatever the provider's client raises becomes one of our errors.

Clients of providers share no exception tree. Most carry the HTTP status in `status_code`; what carries none and goes back
to an `OSError` got no answer. Their messages are left out on purpose: some repeat a part of the key.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from core.errors import Refused, RemoteError, Throttled, Unauthorized, Unreachable

SYSTEM = "model"
"""What the model is called in errors."""
LATE = "late"
"""Code of the error of a call that took too long."""


@asynccontextmanager
async def calling(seconds: float) -> AsyncGenerator[None]:
    """Around one call of the model.

    Args:
        seconds: most that it may take.

    Raises:
        RemoteError: `Unreachable` with the code `LATE` when it took longer; otherwise what the provider's error means.
    """
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise Unreachable(f"no answer within {seconds:g} s", system=SYSTEM, code=LATE) from None
    except Exception as error:  # noqa: BLE001  # a provider's client raises whatever it likes
        raise _meaning(error) from None


def _meaning(error: Exception) -> RemoteError:
    kind = type(error).__name__
    status = getattr(error, "status_code", None)
    if status in {401, 403}:
        return Unauthorized(f"{kind} {status}", system=SYSTEM, code=str(status))
    if status == 429:
        return Throttled(f"{kind} {status}", system=SYSTEM, code=str(status))
    if status is None and _unanswered(error):
        return Unreachable(kind, system=SYSTEM)
    return Refused(f"{kind} {status or ''}".strip(), system=SYSTEM, code=str(status or kind))


def _unanswered(error: BaseException | None) -> bool:
    """Whether the network failed, here or in what this error was raised from."""
    while error is not None and not isinstance(error, OSError):
        error = error.__cause__ or error.__context__
    return error is not None
