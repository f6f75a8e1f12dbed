"""What is kept of an exchange with an Alibaba Cloud gateway."""

from typing import Any, Final

LONGEST_LIST: Final = 2
"""Entries kept of a list: the third tells nothing new."""


def shortened(value: Any) -> Any:  # whatever JSON holds
    """The same with only the first entries of each list."""
    match value:
        case dict():
            return {key: shortened(inner) for key, inner in value.items()}  # pyright: ignore[reportUnknownVariableType]
        case list():
            return [shortened(inner) for inner in value[:LONGEST_LIST]]  # pyright: ignore[reportUnknownVariableType]
        case _:
            return value
