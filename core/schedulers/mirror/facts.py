"""What events say, in the mirror's words. Readers of one source's events make these; the mirror takes them in."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from core.schedulers.base import Flags
from core.schedulers.mirror.state import Mirrored
from core.schedulers.model import ChangeKind

Direction = Literal["in", "out"]


@dataclass(frozen=True, slots=True)
class TaskFact:
    """What a task is. The newest statement counts as a whole.

    Attributes:
        at: when the platform said so; the beginning of time for a task that was only mentioned.
    """

    at: datetime
    id: str
    name: str
    project: str = ""
    owners: tuple[str, ...] = ()
    kind: str = ""
    cycle: str = ""
    priority: int = 0
    flags: Flags = Flags()
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class FlowFact:
    """That a task reads a table, or writes it."""

    task: str
    table: str
    direction: Direction


@dataclass(frozen=True, slots=True)
class ChangeFact:
    """Something that was done, or is about to be.

    Attributes:
        kind: as in `core.schedulers.model.Change`.
        ref: (kind of thing, id): `("node", "7")`, `("instance", "9")`, `("table", "orders")`.
    """

    at: datetime
    kind: ChangeKind
    what: str
    who: str
    ref: tuple[str, str]


@dataclass(frozen=True, slots=True)
class QualityFact:
    """What a check of a table against one rule found. The newest counts for each rule."""

    at: datetime
    table: str
    rule: str
    what: str
    passed: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything one event says.

    Attributes:
        members: (id of a followed run of a workflow, id of an instance of it).
        same: (id of a run, id of the instance it is a run of), where an event tells that both are one.
    """

    instances: tuple[Mirrored, ...] = ()
    tasks: tuple[TaskFact, ...] = ()
    flows: tuple[FlowFact, ...] = ()
    changes: tuple[ChangeFact, ...] = ()
    quality: tuple[QualityFact, ...] = ()
    members: tuple[tuple[str, str], ...] = ()
    same: tuple[tuple[str, str], ...] = ()


NOTHING = Facts()
