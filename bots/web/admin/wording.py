"""What templates say of values: approvers, task types and other words of our vocabularies, in the reader's language."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from core.errors import XOpsError
from core.i18n import Words
from core.views.notices import spoken
from core.views.reader import Reader
from core.views.ticket import approver


@dataclass(frozen=True, slots=True)
class Wording:
    """For one reader."""

    reader: Reader

    def functions(self) -> dict[str, Callable[..., object]]:
        """What templates may call, by name."""
        offered = (self.approver, self.kinds, self.labelled, self.named, self.task_type)
        return {function.__name__: function for function in offered}

    def approver(self, expression: str) -> str:
        """An approver expression such as `ops_admin@project`."""
        return approver(self.reader, expression)

    def named(self, area: str, name: str) -> str:
        """A word of the catalogues; the name itself where it has none."""
        key = f"{area}.{name}"
        return self.reader.words(key) if key in self.reader.words else name

    def labelled(self, area: str, names: Iterable[str]) -> list[tuple[str, str]]:
        """Options of a choice: names with their words."""
        return [(name, self.named(area, name)) for name in names]

    def task_type(self, name: str) -> str:
        """A task type: an operation, one of ODC's, or one of somebody's own, which is called what they call it."""
        keys = (f"operations.{name}.name", f"admin.type.{name}")
        return next((self.reader.words(key) for key in keys if key in self.reader.words), name)

    def kinds(self, types: Iterable[str]) -> list[tuple[str, str]]:
        """Options of a choice of task types."""
        return [(name, self.task_type(name)) for name in types]


def sentence_of(error: XOpsError, words: Words) -> str:
    """Why not: what a service said of one of its arguments, else what every error says."""
    key = f"admin.refused.{error.details.get('argument', '')}"
    said = {name: spoken(words, name, value) for name, value in error.details.items()}
    return words(key) if key in words else words(f"errors.{error.text}", **said)
