"""A dictionary that forgets what was used longest ago, for what may be forgotten."""

from collections import OrderedDict
from typing import Generic, TypeVar

V = TypeVar("V")

MOST = 4096


class Memory(Generic[V]):
    """At most `MOST` values by name."""

    def __init__(self) -> None:
        self._values: OrderedDict[str, V] = OrderedDict()

    def keep(self, name: str, value: V) -> None:
        """Remember a value, in place of an older one of this name."""
        self._values[name] = value
        self._values.move_to_end(name)
        if len(self._values) > MOST:
            self._values.popitem(last=False)

    def get(self, name: str) -> V | None:
        """The value; None when there is none, or it was forgotten."""
        return self._values.get(name)

    def drop(self, name: str) -> None:
        """Forget a value."""
        self._values.pop(name, None)
