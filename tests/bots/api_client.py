"""A caller of the REST interface, and settings of a server for it."""

import json
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiohttp import ClientSession
from pydantic import BaseModel

from core.settings import ApiToken, ApprovalSettings, PersonSettings, Server, Settings, Storage
from tests.fakes.approvals import PEOPLE

TOKEN = "a-long-token-for-root"


def token(person: str) -> str:
    """The token of somebody who is listed."""
    return f"a-long-token-for-{person}"


def configured(directory: Path, people: tuple[PersonSettings, ...] = PEOPLE) -> Settings:
    """A server on loopback, approvals on, a token for everyone."""
    tokens = [ApiToken.model_validate({"person": one.name, "token": token(one.name)}) for one in people]
    return Settings(
        server=Server(port=0),
        storage=Storage.model_validate({"url": f"sqlite:///{directory}/xops.sqlite"}),
        approvals=ApprovalSettings(enabled=True),
        api_tokens=tuple(tokens),
        people=people,
        log_level="error",
    )


class Client:
    """Calls as somebody; an administrator unless said otherwise."""

    def __init__(self, address: str) -> None:
        self._address = f"{address}/api/v1"
        self._session = ClientSession()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def call(
        self, method: str, path: str, body: BaseModel | Mapping[str, Any] | str | None = None, *, person: str = "root"
    ) -> tuple[int, Any]:
        """Status and answer: parsed JSON, or text."""
        headers = {"Authorization": f"Bearer {token(person)}"} if person else {}
        data = body if isinstance(body, str) or body is None else json.dumps(_plain(body))
        async with self._session.request(method, self._address + path, headers=headers, data=data) as answer:
            if answer.content_type.endswith("json"):
                return answer.status, await answer.json(content_type=None)
            return answer.status, await answer.text()


def _plain(body: BaseModel | Mapping[str, Any]) -> Any:
    return body.model_dump(mode="json") if isinstance(body, BaseModel) else body
