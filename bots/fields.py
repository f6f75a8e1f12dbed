"""JSON from outside, read field by field: what is missing or of another type than expected is an empty one of that type."""

from collections.abc import Mapping
from typing import Any, cast

from core.errors import BadInput

Json = Mapping[str, Any]


def text(node: Json, key: str) -> str:
    """A string."""
    value = node.get(key)
    return value if isinstance(value, str) else ""


def required(node: Json, key: str) -> str:
    """A string that must be there.

    Raises:
        BadInput: it is not.
    """
    value = text(node, key)
    if not value:
        raise BadInput(f"the event has no {key}")
    return value


def node(outer: Json, key: str) -> Json:
    """An object."""
    value = outer.get(key)
    return cast("Json", value) if isinstance(value, dict) else {}


def several(value: object) -> list[object]:
    """A list."""
    return cast("list[object]", value) if isinstance(value, list) else []


def nodes(value: object) -> list[Json]:
    """The objects of a list."""
    return [cast("Json", part) for part in several(value) if isinstance(part, dict)]
