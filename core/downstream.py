"""Which of the instances downstream of a target run again with it: a person chooses, from a list."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from core.operations import broken, ended
from core.results import Member, Scope
from core.schedulers.base import Instance, Related

REACH = 25
"""How many hops downstream are looked at."""

SCOPES: Mapping[Scope, Callable[[Instance], bool]] = {
    "all": ended,
    "failed": broken,
    "unsuccessful": lambda instance: ended(instance) and not instance.status.succeeded,
    "none": lambda _: False,
}
"""What has not ended yet follows by itself, so it is in none of them."""


def members(related: Sequence[Related]) -> tuple[Member, ...]:
    """Those that an order may name, nearest first, none of them chosen; not those that the scheduler starts by itself."""
    return tuple(Member(one.instance, one.distance, chosen=False) for one in related if not one.by_itself)


def choose(found: Sequence[Member], scope: Scope) -> tuple[Member, ...]:
    """The same with those of the scope chosen."""
    return tuple(replace(member, chosen=SCOPES[scope](member.instance)) for member in found)


def usual(target: Instance) -> Scope:
    """What is most likely meant: after a failure those that it kept from succeeding; after a success, whoever read it."""
    return "all" if target.status.succeeded else "unsuccessful"


def scope(found: Sequence[Member]) -> Scope | None:
    """The scope that this choice is, if it is one; of several that are the same, the widest."""
    return next((name for name in SCOPES if choose(found, name) == tuple(found)), None)
