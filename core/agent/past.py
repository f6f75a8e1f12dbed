"""What a conversation was about, so that "it" and "the second one" have a meaning. No LangChain here."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from core.results import (
    AlertReport,
    Choice,
    Diagnosed,
    InstanceDetail,
    InstanceList,
    Lineage,
    LogView,
    Missing,
    Proposal,
    Result,
    TableReport,
)
from core.schedulers.base import Instance

LISTED = 50
"""Most items of one card that can be pointed at later."""


@dataclass(frozen=True, slots=True)
class Item:
    """Something a card showed. `ref` is what a tool takes; `label` what a person calls it."""

    kind: Literal["instance", "task", "table", "project"]
    ref: str
    label: str


@dataclass(frozen=True, slots=True)
class Turn:
    """A question and its answer, masked.

    Attributes:
        said: what the person wrote.
        answered: digest of what was shown.
        focus: the single things the answer was about, at most one of a kind.
        items: what it listed, in the order shown.
        again: command to repeat with the picked item, when the answer asked which one was meant; else empty.
        arguments: its other arguments.
    """

    said: str
    answered: str = ""
    focus: tuple[Item, ...] = ()
    items: tuple[Item, ...] = ()
    again: str = ""
    arguments: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Past:
    """The last turns, oldest first, and one line on each of those before."""

    turns: tuple[Turn, ...] = ()
    summary: str = ""


def focus(results: tuple[Result, ...]) -> tuple[Item, ...]:
    """What the results were about: the last of each kind, when all results speak of the same one or there is only one."""
    found = [item for result in results for item in _about(result)]
    kinds = {item.kind: {other.ref for other in found if other.kind == item.kind} for item in found}
    return tuple({item.kind: item for item in found if len(kinds[item.kind]) == 1}.values())


def items(results: tuple[Result, ...]) -> tuple[Item, ...]:
    """What the results listed, in the order shown; with several results of one thing each, those things."""
    listed = [item for result in results for item in _listed(result)]
    single = [item for result in results for item in _about(result)]
    return tuple(listed or (single if len(single) > 1 else ()))[:LISTED]


def in_alert(report: AlertReport | None) -> tuple[Item, ...]:
    """The instances that a pasted alert listed, then those that completed it; in the order shown."""
    if report is None:
        return ()
    found = (*(one.instance for one in report.located if one.instance), *report.added)
    return tuple(map(_instance, found))[:LISTED]


def _about(result: Result) -> Iterator[Item]:
    match result:
        case InstanceDetail() | LogView() | Diagnosed() | Proposal() | Lineage():
            yield _instance(result.instance)
        case InstanceList(instances=(only,)):
            yield _instance(only)
        case TableReport():
            yield Item("table", f"{result.table.scheduler}:{result.table.name}", result.table.name)
            if result.producer:
                yield _instance(result.producer)
        case _:
            pass


def _listed(result: Result) -> Iterator[Item]:
    match result:
        case InstanceList():
            yield from map(_instance, result.instances)
        case Lineage():
            yield from (_instance(related.instance) for related in result.related)
        case Choice():
            yield from (Item(_kind(result.kind), ref, label) for ref, label in result.options)
        case Missing():
            yield from (Item(_kind(result.kind), name, name) for name in result.nearest)
        case _:
            pass


def _instance(instance: Instance) -> Item:
    return Item("instance", instance.ref, instance.task.name)


def _kind(kind: str) -> Literal["task", "table", "project"]:
    return kind if kind in {"table", "project"} else "task"  # pyright: ignore[reportReturnType]
