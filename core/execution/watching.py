"""What the scheduler shows of an order: whether its target is still as the card said, and what became of it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.downstream import REACH
from core.drift import Facet, drift
from core.operations import RULES, Sign, run_sign
from core.proposals import Record
from core.results import Member, Proposal
from core.schedulers.base import Instance, InstanceQuery, RunType, Status
from core.schedulers.fleet import PAGE, Fleet


@dataclass(frozen=True, slots=True)
class Sighting:
    """The target and its members as they are now, and what they say about the order together."""

    target: Instance
    members: tuple[Member, ...]
    sign: Sign


async def changed(fleet: Fleet, shown: Proposal) -> tuple[tuple[Facet, ...], Instance]:
    """What differs from what the card showed, if anything; and the target now.

    Raises:
        NotFound: the target is gone.
        RemoteError: the scheduler did not answer.
    """
    rule = RULES[shown.operation]
    now = await fleet.instance(shown.instance.ref)
    facets = drift(shown.instance, now, rule.minds)
    if not facets and not rule.fits(now):
        facets = ("status",)
    if rule.watched == "downstream" and shown.chosen and not facets:
        below = await members_now(fleet, shown)
        moved = (drift(member.instance, one.instance) for member, one in zip(shown.members, below, strict=True))
        if any(facets for member, facets in zip(shown.members, moved, strict=True) if member.chosen):
            facets = ("downstream",)
    return facets, now


async def members_now(fleet: Fleet, shown: Proposal) -> tuple[Member, ...]:
    """Those downstream as they are now; one that is gone stays as it was."""
    related = await fleet.one(shown.instance.ref, lambda asked, identity: asked.downstream(identity, depth=REACH))
    now = {one.instance.ref: one.instance for one in related}
    return tuple(replace(member, instance=now.get(member.instance.ref, member.instance)) for member in shown.members)


async def look(fleet: Fleet, record: Record) -> Sighting:
    """What has become of an order. Raises as `changed` does."""
    shown, rule = record.shown, RULES[record.shown.operation]
    if rule.watched == "days":
        return await _days(fleet, record)
    now = await fleet.instance(shown.instance.ref)
    sign = rule.sign(shown.instance, now, record.run_number or shown.instance.run_number + 1)
    if rule.watched == "target" or not shown.chosen:
        return Sighting(now, shown.members, sign)
    below = await members_now(fleet, shown)
    signs: list[Sign] = [
        _below(member, one.instance) for member, one in zip(shown.members, below, strict=True) if member.chosen
    ]
    return Sighting(now, below, _all(signs) if sign == "succeeded" else sign)


async def _days(fleet: Fleet, record: Record) -> Sighting:
    """A backfill is proven by the instances of its days that ran after it was asked for, by whatever order they ran."""
    shown = record.shown
    query = InstanceQuery(task=shown.instance.task.id, run_types=frozenset(RunType), limit=PAGE)
    now, page = await asyncio.gather(
        fleet.instance(shown.instance.ref),
        fleet.one(shown.instance.ref, lambda asked, _: asked.instances(query)),
    )
    run = [one for one in page.items if _within(shown, one) and _since(record, one)]
    whole = shown.instance.task.cycle != "daily" or len({one.business_date for one in run}) >= shown.affected
    if not run:
        return Sighting(now, (), "none")
    sign = _all([run_sign(one, one, one.run_number) for one in run])
    return Sighting(now, (), sign if whole or sign == "failed" else "under_way")


def _within(shown: Proposal, one: Instance) -> bool:
    day = one.business_date
    return day is not None and shown.start is not None and shown.end is not None and shown.start <= day <= shown.end


def _since(record: Record, one: Instance) -> bool:
    return not one.status.finished or (one.started_at is not None and one.started_at >= record.created_at)


def _below(member: Member, now: Instance) -> Sign:
    """Of one downstream, once the target has succeeded: it runs after that, or another upstream keeps it from it."""
    if now.status is Status.UPSTREAM_FAILED:
        return "failed"
    sign = run_sign(member.instance, now, member.instance.run_number + 1)
    return "under_way" if sign == "none" else sign


def _all(signs: Sequence[Sign]) -> Sign:
    if "under_way" in signs:
        return "under_way"
    return "failed" if "failed" in signs else "succeeded"
