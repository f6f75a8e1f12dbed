"""Who waits for whom, as far as tables tell: a task that reads a table waits for those that write it.

Two instances are tied when they are due at the same moment, or, where the other task has none due then, on the same day.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Protocol

from core.schedulers.mirror.facts import Direction
from core.schedulers.mirror.state import Mirrored

MOST: Final = 500
"""Largest answer, as `Scheduler.upstream` promises."""


class Known(Protocol):
    """What a walk needs to know."""

    def neighbours(self, task: str, reads: Direction) -> set[str]:
        """Tasks that write what a task reads (`in`), or read what it writes (`out`)."""
        ...

    def due_on_the_day_of(self, state: Mirrored, tasks: set[str]) -> Iterable[Mirrored]:
        """Scheduled instances of tasks on the day of another instance."""
        ...


@dataclass(frozen=True, slots=True)
class Step:
    """An instance met on a walk, and from which it was met."""

    state: Mirrored
    distance: int
    parents: tuple[str, ...]


def walk(known: Known, start: Mirrored, reads: Direction, depth: int) -> list[Step]:
    """Instances up- (`in`) or downstream (`out`) of one, nearest first, at most 500."""
    found: dict[str, Step] = {}
    edge = [start]
    for distance in range(1, depth + 1):
        ring: dict[str, tuple[Mirrored, list[str]]] = {}
        for state in edge:
            for other in tied(known, state, reads):
                if other.id != start.id and other.id not in found:
                    ring.setdefault(other.id, (other, []))[1].append(state.id)
        found |= {id: Step(state, distance, tuple(parents)) for id, (state, parents) in ring.items()}
        edge = [state for state, _ in ring.values()]
        if not edge or len(found) >= MOST:
            break
    return list(found.values())[:MOST]


def tied(known: Known, state: Mirrored, reads: Direction) -> list[Mirrored]:
    """The instances that one waits for (`in`), or that wait for it (`out`), directly."""
    tasks = known.neighbours(state.task, reads) - {state.task}
    by_task: dict[str, list[Mirrored]] = {}
    for other in known.due_on_the_day_of(state, tasks) if tasks else ():
        by_task.setdefault(other.task, []).append(other)
    found: list[Mirrored] = []
    for others in by_task.values():
        found += [other for other in others if other.due_at == state.due_at] or others
    return found
