"""What an endpoint is: where, what goes in, what comes out, who answers."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict

from core.access import Person

Body = TypeVar("Body", covariant=True)
Query = TypeVar("Query", covariant=True)


class Nothing(BaseModel):
    """No parameters at all; an unknown one is refused, so that a misspelt one does not pass for obeyed."""

    model_config = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True)
class Call(Generic[Body, Query]):
    """A request, checked.

    Attributes:
        person: who asks, with the rights of this moment.
        path: values of the address by name.
        body: as the endpoint's model; text for YAML.
        query: as the endpoint's model.
    """

    person: Person
    path: Mapping[str, str]
    body: Body
    query: Query


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One address and method. Its summary in the document is the first line of the handler's docstring.

    Attributes:
        path: below `/api/v1`, e.g. `/flows/{flow}`.
        answer: type of what the handler returns; None for nothing.
        body: model of the body; None for no body.
        patterns: what the values of the path look like.
        yaml: whether the body and the answer are YAML of these models; the handler takes and gives text.
    """

    method: Literal["GET", "POST", "PUT", "DELETE"]
    path: str
    handler: Callable[[Call[Any, Any]], Awaitable[object]]
    answer: Any
    body: Any = None
    query: type[BaseModel] = Nothing
    status: HTTPStatus = HTTPStatus.OK
    patterns: Mapping[str, str] = field(default_factory=dict[str, str])
    yaml: bool = False

    @property
    def media(self) -> str:
        """Content type of the body and the answer."""
        return "application/yaml" if self.yaml else "application/json"

    @property
    def summary(self) -> str:
        """One line."""
        return (self.handler.__doc__ or "").strip().split("\n")[0]
