"""What changed between the moment a card showed an instance and now."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Literal

from core.schedulers.base import Instance

Facet = Literal["status", "run", "flags", "owner", "project", "definition", "downstream"]

FACETS: Mapping[Facet, Callable[[Instance], object]] = {
    "status": lambda instance: instance.status,
    "run": lambda instance: instance.run_number,
    "flags": lambda instance: instance.flags,
    "owner": lambda instance: instance.task.owners,
    "project": lambda instance: instance.task.project,
    "definition": lambda instance: (instance.task.name, instance.task.kind, instance.task.cycle, instance.task.outputs),
}
"""What is compared. A task's own flags show on its instances, and a priority changes nothing that a card promised."""


def drift(before: Instance, now: Instance, minded: frozenset[Facet] = frozenset(FACETS)) -> tuple[Facet, ...]:
    """Names of the facets that differ, of those that are minded."""
    return tuple(name for name in FACETS if name in minded and _differs(name, before, now))


def _differs(facet: Facet, before: Instance, now: Instance) -> bool:
    if facet == "run" and not (before.counted and now.counted):  # a list that tells no number tells when the run began
        return before.started_at != now.started_at
    return FACETS[facet](before) != FACETS[facet](now)


def fingerprint(*instances: Instance) -> str:
    """The same as long as no facet of any of them differs: what an approval of them holds for."""
    facets = [(instance.ref, *(of(instance) for of in FACETS.values())) for instance in instances]
    return hashlib.sha256(repr(facets).encode()).hexdigest()[:16]
