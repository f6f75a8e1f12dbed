"""What passes between us and a platform during a test, written down as it is."""

from collections.abc import Mapping
from typing import Any

from yarl import URL

from core.http import Http, Response

Json = dict[str, Any]

SECRET = ("token", "connections/open")
"""In the paths of calls that are about credentials; those are nobody's to read."""


class Wiretap(Http):
    """The outbound session, writing down what goes out.

    Args:
        wire: where to.
    """

    def __init__(self, wire: list[Json]) -> None:
        super().__init__()
        self._wire = wire

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
        path = URL(url).path
        if not any(word in path.lower() for word in SECRET):
            self._wire.append({"call": f"{method} {path}", "body": json})
        return await super().request(
            method,
            url,
            system=system,
            headers=headers,
            params=params,
            json=json,
            form=form,
            timeout=timeout,
            attempts=attempts,
        )
